"""Where the networks of a run are: the newest, those kept of some epochs, the best, and those in checkpoints.

Loads no framework.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.files import sync, unfinished_folder
from keras_gan.report.run_files import CONFIG
from keras_gan.training import checkpoint_files, run_folder

MODELS, BEST, EPOCH = "models", "best", "epoch-"  # names of folders
BEFORE = "-before"  # at the end of a folder's name, for the moment in which another one replaces it
GENERATORS = "generator.keras", "g_AB.keras", "g_BA.keras"  # of which a folder of networks has one
MARKS = "RUN@best, or RUN@12 for the networks of epoch 12"


class Place(NamedTuple):
    """Where trained networks are."""

    folder: Path  # it holds NAME.keras of each network
    run: Path | None  # the folder of the run, if they are in one
    mark: str = ""  # "best", an epoch such as "12", or "checkpoint-1200"; "" for the newest ones
    checkpoint: Path | None = None  # the folder of the checkpoint that has the weights, if these files have not


def place_of(name: str | Path) -> Place:
    """The place of networks that is named by RUN, RUN@best, RUN@12, or a folder of networks or of a checkpoint.

    Raises:
        NotFoundError: if there is no such folder, or the run did not keep these networks.
        BadValueError: if the folder is neither a run nor such a folder.
    """
    path = Path(name)
    if path.is_dir():
        return place_of_folder(path if path.name not in ("", "..") else path.resolve())
    run, is_marked, mark = str(path).rpartition("@")
    if is_marked and Path(run).is_dir():
        return place_of_mark(Path(run), mark)
    if path.is_file():
        raise BadValueError(f"{str(path)!r} is not the folder of a run but a file.")
    raise NotFoundError(f"no run {str(path)!r}: there is no such folder.")


def place_of_folder(path: Path) -> Place:
    """The place of the networks of a run, of a checkpoint, or that lie in this folder."""
    run = next((parent for parent in list(path.parents)[:2] if (parent / CONFIG).is_file()), None)
    inside = path.relative_to(run).parts[0] if run else ""
    if run and inside == "checkpoints":
        return place_of_checkpoint(run, path)
    is_copy = not (path / CONFIG).exists() and any((path / name).is_file() for name in GENERATORS)
    if inside == MODELS or is_copy:
        return place_of_networks(path)
    run_folder.read_config(path)
    return Place(path / MODELS, path)


def place_of_networks(folder: Path) -> Place:
    """The place of the files in this folder, which may be one of a run."""
    for run in list(folder.parents)[:2]:
        if (run / CONFIG).is_file() and folder.relative_to(run).parts[0] == MODELS:
            return Place(folder, run, folder.name.removeprefix(EPOCH) if folder.name != MODELS else "")
    return Place(folder, None)


def place_of_checkpoint(run: Path, path: Path) -> Place:
    """The place of the networks in a checkpoint of a run."""
    kept = checkpoint_files.names(run / "checkpoints")
    if path not in kept:
        raise BadValueError(f"{str(path)!r} is not a checkpoint: the run has {named(p.name for p in kept)}.")
    if fault := checkpoint_files.fault_of(path):
        raise BadValueError(f"checkpoint {str(path)!r} is damaged ({fault}): take another one.")
    return Place(run / MODELS, run, f"checkpoint-{path.name}", path)


def place_of_mark(run: Path, mark: str) -> Place:
    """The place of RUN@MARK."""
    run_folder.read_config(run)
    if mark != BEST and not mark.isdecimal():
        raise BadValueError(f"{mark!r} in {f'{run}@{mark}'!r} is no networks of a run: name {MARKS}.")
    folder = run / MODELS / (BEST if mark == BEST else f"{EPOCH}{int(mark)}")
    for place in (folder, before(folder)):
        if place.is_dir():
            return Place(place, run, mark if mark == BEST else str(int(mark)))
    kept = [*map(str, kept_epochs(run)), *([BEST] if (run / MODELS / BEST).is_dir() else [])]
    what, way = ("best networks", "--best-by") if mark == BEST else (f"networks of epoch {int(mark)}", "--save-every")
    has = f"it has those of {named(kept)}" if kept else f"a run keeps them if it is trained with {way}"
    raise NotFoundError(f"run {str(run)!r} kept no {what}: {has}.")


def kept_epochs(run: Path) -> list[int]:
    """The epochs of which a run kept the networks, in order."""
    found = (path.name.removeprefix(EPOCH) for path in (run / MODELS).glob(f"{EPOCH}*") if path.is_dir())
    return sorted(int(epoch) for epoch in found if epoch.isdecimal())


def named(names: Iterable[str]) -> str:
    """Names in a message; of many, the first and last."""
    names = list(names)
    shown = names if len(names) < 20 else [*names[:10], "...", *names[-5:]]
    return ", ".join(shown[:-1]) + (" and " if shown[:-1] else "") + shown[-1] if shown else "none"


def before(folder: Path) -> Path:
    """Where a folder is while another one takes its place."""
    return folder.with_name(folder.name + BEFORE)


def keep(files: Iterable[Path], folder: Path) -> None:
    """Copies saved networks to a folder, which they get as a whole: it holds all old ones or all new ones.

    Other files in the folder stay. A kill at any moment leaves the old or the new folder, see `place_of_mark`.
    """
    with unfinished_folder(folder) as unfinished:
        for file in files:
            sync(shutil.copyfile(file, unfinished / file.name))
        settle(folder)
        if folder.is_dir():
            folder.rename(before(folder))
        unfinished.rename(folder)
        sync(folder.parent)
    settle(folder)


def settle(folder: Path) -> None:
    """Ends what a killed `keep` began."""
    old = before(folder)
    if not old.is_dir():
        return
    if not os.path.lexists(folder):
        old.rename(folder)
        return
    for file in old.iterdir():
        if not os.path.lexists(folder / file.name):  # it is the user's
            file.rename(folder / file.name)
    shutil.rmtree(old)


def settle_all(run: Path) -> None:
    """Ends what killed processes began in the folder of a run, see `keep`."""
    for old in (run / MODELS).glob(f"*{BEFORE}"):
        settle(old.with_name(old.name.removesuffix(BEFORE)))


def checkpoint_with_optimizers(name: Any) -> Path:
    """The checkpoint that holds the networks of this name together with their optimizers.

    Raises:
        BadValueError: if it names networks without optimizers, or a run without an undamaged checkpoint.
    """
    place = place_of(name) if not Path(name).is_file() else None
    if place and place.checkpoint:
        return place.checkpoint
    if place is None or place.mark or place.run is None:
        raise BadValueError(f"{str(name)!r} holds no optimizers: name RUN or a folder in RUN/checkpoints.")
    for path in reversed(checkpoint_files.names(place.run / "checkpoints")):
        if checkpoint_files.fault_of(path) is None:
            return path
    raise BadValueError(f"run {str(place.run)!r} has no checkpoint that is whole, so no optimizers to start from.")
