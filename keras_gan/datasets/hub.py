"""Data sets of the Hugging Face hub, and Parquet files: read once by the library `datasets`, kept as folders."""

import contextlib
import hashlib
import importlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from keras_gan.console import WAYS_OUT
from keras_gan.datasets.catalogue import readable
from keras_gan.datasets.roles import role_of
from keras_gan.errors import BadValueError, NotFoundError, UserError
from keras_gan.files import unfinished_folder
from keras_gan.machine.installation import install, is_there

PREFIX = "hf:"
ENDINGS = ".parquet", ".arrow"
OPTIONS = "A", "B", "image", "label", "config", "revision", "split", "first"
TIMEOUT = 20  # seconds without an answer of the hub
_opened: set[Path] = set()  # folders that were named before in this process


class Asked(NamedTuple):
    """A name such as `hf:huggan/facades,A=imageA,first=100`, taken apart."""

    whole: str
    name: str  # on the hub, or a path
    options: dict[str, str]

    @classmethod
    def of(cls, whole: str) -> "Asked":
        """Takes a name apart. Raises BadValueError for unknown options."""
        name, *options = whole.removeprefix(PREFIX).split(",")
        found = dict(option.partition("=")[::2] for option in options)
        for option, value in found.items():
            if option not in OPTIONS or not value:
                raise BadValueError(
                    f"{whole!r} has {option!r}: write {PREFIX}NAME,OPTION=VALUE with {', '.join(OPTIONS)}."
                )
        if not found.get("first", "1").isdecimal() or found.get("first") == "0":
            raise BadValueError(f"first in {whole!r} must be a number of rows of at least 1.")
        if not name:
            raise BadValueError(f"{whole!r} names no data set: write {PREFIX}NAME, as the hub has it, or {PREFIX}PATH.")
        return cls(whole, name, found)

    @property
    def short(self) -> str:
        """The name without options."""
        return PREFIX + self.name

    def folder(self, datasets: Path) -> Path:
        """The folder that its pictures are kept in. A file or folder that changes gets another one."""
        told = ",".join(f"{option}={value}" for option, value in sorted(self.options.items()))
        place = Path(self.name)
        if place.exists():
            told += "".join(f"{file} {mark.st_size} {mark.st_mtime_ns}" for file, mark in inside(place.resolve()))
        name = re.sub(r"[^\w.-]+", "-", place.name if place.exists() else self.name.replace("/", "--"))[:80]
        digest = hashlib.blake2b(told.encode(errors="surrogateescape"), digest_size=4).hexdigest() if told else ""
        return datasets / "-".join(filter(None, ["hf", name, digest]))


def inside(place: Path) -> list[tuple[Path, os.stat_result]]:
    """The files in a folder, or the file itself, and their sizes and times."""
    paths = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
    return [(path, path.stat()) for path in paths]


def is_named(name: str | Path) -> bool:
    """Whether a name is one for this module."""
    return str(name).startswith(PREFIX)


def is_missing(name: str | Path, datasets: Path) -> bool:
    """Whether this is the name of a data set that must be fetched first."""
    return is_named(name) and not Asked.of(str(name)).folder(datasets).is_dir()


def opened(name: str, datasets: Path) -> Path:
    """The folder with the pictures of a data set, below the folder `datasets`. Fetches them on first use.

    Raises:
        NotFoundError: if there is no such data set, or no network.
        BadValueError: if the library is not installed, the name is odd, or it cannot be told which columns to take.
    """
    asked = Asked.of(name)
    target = asked.folder(datasets)
    if target.is_dir():
        if target not in _opened:
            print(f"{asked.short} was fetched before: using the folder {target}.")
    else:
        fetch(asked, target)
    _opened.add(target)
    return target


def fetch(asked: Asked, target: Path) -> None:
    """Saves the pictures of a data set in a new folder, which appears when all are there."""
    check_installed(asked.short)
    from keras_gan.datasets.hub_pictures import save

    with library_errors(asked):
        splits = splits_of(loaded(asked), asked)
        with new_folder(target.parent), unfinished_folder(target) as folder:
            (folder / "data").mkdir()
            told = [save(data, folder / "data", split, asked.short, asked.options) for split, data in splits.items()]
            (folder / "data").rename(target)
    print(f"Saved {asked.short} in {target} ({told[0]}).")


@contextlib.contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """Makes a folder unless it exists. If the body fails, it is removed again."""
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        if is_new:
            with contextlib.suppress(OSError):  # something else is in it by now
                folder.rmdir()
        raise


def check_installed(user: str) -> None:
    """Raises BadValueError if the library is not installed."""
    if not is_there("datasets"):
        raise BadValueError(f"{user} needs the library datasets: {install('hub')}.")


@contextlib.contextmanager
def library_errors(asked: Asked) -> Iterator[None]:
    """Turns errors of the library, which have many types, into one line."""
    try:
        yield
    except UserError:
        raise
    except OSError as error:
        if error.errno in WAYS_OUT:  # the disk's
            raise
        raise unreadable(asked, error) from error
    except Exception as error:
        raise unreadable(asked, error) from error


def unreadable(asked: Asked, error: Exception) -> NotFoundError:
    """The error for a data set that the library cannot read."""
    text = " ".join(str(error).split()) or type(error).__name__
    hint = f"; for a configuration: {asked.short},config=NAME" if "onfig" in text else ""
    return NotFoundError(f"{asked.short} cannot be read ({text[:300]}){hint}.")


def loaded(asked: Asked) -> dict[str, Any]:
    """{split: rows}, read as they come, without a copy on the disk."""
    datasets: Any = importlib.import_module("datasets")
    datasets.utils.logging.set_verbosity_error()
    datasets.disable_progress_bars()
    place = Path(asked.name)
    options: dict[str, Any] = {"name": asked.options.get("config"), "revision": asked.options.get("revision")}
    if not place.exists():
        check_on_hub(asked)
        found = datasets.load_dataset(asked.name, streaming=True, **options)
    elif place.is_file():
        if place.suffix.lower() not in ENDINGS:
            raise BadValueError(f"{place} is no {' or '.join(ENDINGS)} file: name one, a folder, or a name on the hub.")
        files = {"train": str(place)}
        found = datasets.load_dataset(place.suffix[1:].lower(), data_files=files, streaming=True)
    elif (place / "dataset_dict.json").is_file() or (place / "state.json").is_file():  # of `save_to_disk()`
        found = datasets.load_from_disk(str(place))
    else:
        found = datasets.load_dataset(str(place), streaming=True, **options)
    return dict(found) if isinstance(found, dict) else {"train": found}


def check_on_hub(asked: Asked) -> None:
    """Raises NotFoundError if the hub has no such data set or cannot be reached. The library would retry for long."""
    import huggingface_hub
    from huggingface_hub import errors

    try:
        info = huggingface_hub.HfApi().dataset_info(
            asked.name, revision=asked.options.get("revision"), timeout=TIMEOUT, files_metadata=True
        )
    except errors.GatedRepoError as error:
        raise NotFoundError(
            f"{asked.short} is gated: accept its terms on its page, then type hf auth login."
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise NotFoundError(
            f"no data set {asked.name!r} on the hub, and no such file here (a private one needs hf auth login)."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise NotFoundError(f"{asked.short} has no revision {asked.options['revision']!r}.") from error
    except Exception as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise NotFoundError(f"{asked.short} cannot be fetched, the hub cannot be reached ({text[:200]}).") from error
    check_room(asked, sum(file.size or 0 for file in info.siblings or []))


def check_room(asked: Asked, size: int) -> None:
    """Says how large a data set is. Raises BadValueError if it is larger than the room on the disk."""
    free = shutil.disk_usage(".").free
    text = f"{asked.short} has {readable(size)} on the hub"
    if "first" not in asked.options and size > free:
        raise BadValueError(f"{text}, and {readable(free)} are free: take some rows, {asked.whole},first=1000")
    print(f"{text}; its pictures are fetched once.")


def splits_of(data: dict[str, Any], asked: Asked) -> dict[str, Any]:
    """{"train": rows, and "val" and "test" if there are any}. Names the splits that are not used."""
    wanted = asked.options.get("split")
    if wanted or len(data) == 1:
        name = wanted or next(iter(data))
        if name not in data:
            raise BadValueError(f"{asked.short} has no split {name!r}: it has {', '.join(data)}.")
        return {"train": data[name]}
    found: dict[str, str] = {}
    for name in data:
        role = role_of(name)
        if role and role.split:
            found.setdefault(role.split, name)
    if "train" not in found:
        names = ", ".join(data)
        raise BadValueError(f"{asked.short} has the splits {names}, none to train: name it, {asked.whole},split={name}")
    if unused := [name for name in data if name not in found.values()]:
        print(f"{asked.short}: not used: {', '.join(unused)}")
    return {split: data[name] for split, name in found.items()}
