"""Runs of earlier versions: converts their configuration and checkpoints to today's format."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Former recipes, (class, recipe): the class that replaces it, its command, and the arguments that it needs.
RECIPES: dict[tuple[str, Any], tuple[str, str, dict[str, str]]] = {
    ("DiscoGAN", "post"): ("DiscoGAN", "discogan", {}),
    ("DiscoGAN", "paper"): ("DiscoGANPaper", "discogan_paper", {"game": "discogan"}),
    ("DiscoGAN", "recongan"): ("DiscoGANPaper", "discogan_paper", {"game": "recongan"}),
    ("DiscoGAN", "gan"): ("DiscoGANPaper", "discogan_paper", {"game": "gan"}),
    ("CycleGAN", "unet"): ("CycleGAN", "cyclegan", {}),
    ("CycleGAN", "resnet"): ("CycleGANPaper", "cyclegan_paper", {}),
}

#: What models take if no data set is named.
DEFAULTS = "drawn_shoes", "drawn_digits", "drawn_fruit", "edges2shoes"

#: Groups of weights that moved within a checkpoint, by class: old path to new path.
MOVED = {
    "DiscoGAN": {
        "d_A/optimizer": "combined/layers/functional_2/optimizer",
        "d_B/optimizer": "combined/layers/functional_3/optimizer",
    },
}


def upgraded(config: dict[str, Any]) -> dict[str, Any]:
    """Converts the `config.json` of a run, a dict, to today's classes and arguments.

    It then names the data set also if the user named none: the default may be another one now. Whether pictures are
    flipped becomes how.
    """
    arguments, dataset = dict(config["arguments"]), config.get("dataset")
    if isinstance(dataset, dict) and dataset.get("name") in DEFAULTS and arguments.get("dataset_name", "") is None:
        arguments["dataset_name"] = dataset["name"]
    arguments = with_flip(arguments)
    if isinstance(config.get("loader"), dict):
        config = config | {"loader": with_flip(config["loader"])}
    key = config["class"], arguments.get("recipe")
    if key not in RECIPES:
        return config | {"arguments": arguments}
    del arguments["recipe"]
    kind, command, needed = RECIPES[key]
    arguments |= needed
    if arguments.get("pool_size", 0) is None:
        del arguments["pool_size"]  # the class has its own default
    return config | {"class": kind, "model": command, "arguments": arguments}


def with_flip(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings in which `flip` is how pictures are flipped, no longer whether they are."""
    flip = settings.get("flip")
    return settings | {"flip": "horizontal" if flip else "none"} if isinstance(flip, bool) else settings


def command_of(kind: str, recipe: Any) -> str | None:
    """The command that replaces a recipe, such as "discogan_paper --game gan"; None if there was no such recipe."""
    if (kind, recipe) not in RECIPES:
        return None
    _, command, needed = RECIPES[kind, recipe]
    return command + "".join(f" --{name} {value}" for name, value in needed.items() if value != "discogan")


@contextlib.contextmanager
def upgraded_weights(path: Path, kind: str) -> Iterator[Path]:
    """Yields the path of a checkpoint's weights with today's groups: `path`, or a temporary converted copy."""
    import h5py

    with h5py.File(path) as file:
        moved = {old: new for old, new in MOVED.get(kind, {}).items() if old in file}
    if not moved:
        yield path
        return
    with tempfile.TemporaryDirectory(dir=path.parent.parent, prefix=".unfinished.") as folder:
        copy = Path(shutil.copy(path, folder))
        with h5py.File(copy, "r+") as file:
            for old, new in moved.items():
                file.move(old, new)
        yield copy
