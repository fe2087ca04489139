"""Runs of earlier versions: what they kept, in the terms of today."""

import contextlib
import shutil
import tempfile
from pathlib import Path

#: Models that were recipes of others, by class and recipe: the class, its command, and arguments that it needs.
RECIPES = {
    ("DiscoGAN", "post"): ("DiscoGAN", "discogan", {}),
    ("DiscoGAN", "paper"): ("DiscoGANPaper", "discogan_paper", {"game": "discogan"}),
    ("DiscoGAN", "recongan"): ("DiscoGANPaper", "discogan_paper", {"game": "recongan"}),
    ("DiscoGAN", "gan"): ("DiscoGANPaper", "discogan_paper", {"game": "gan"}),
    ("CycleGAN", "unet"): ("CycleGAN", "cyclegan", {}),
    ("CycleGAN", "resnet"): ("CycleGANPaper", "cyclegan_paper", {}),
}

#: Where a group of weights was in a checkpoint of a class, and where it is.
MOVED = {
    "DiscoGAN": {
        "d_A/optimizer": "combined/layers/functional_2/optimizer",
        "d_B/optimizer": "combined/layers/functional_3/optimizer",
    },
}


def upgraded(config):
    """The `config.json` of a run, a dict, with classes and arguments that exist today."""
    arguments = dict(config["arguments"])
    key = config["class"], arguments.pop("recipe", None)
    if key not in RECIPES:
        return config
    kind, command, needed = RECIPES[key]
    arguments |= needed
    if arguments.get("pool_size", 0) is None:
        del arguments["pool_size"]  # the class has its own default
    return config | {"class": kind, "model": command, "arguments": arguments}


def command_of(kind, recipe):
    """The command that replaces a recipe, such as "discogan_paper --game gan"; None if there was no such recipe."""
    _, command, needed = RECIPES.get((kind, recipe), (None, None, {}))
    games = [f" --{name} {value}" for name, value in needed.items() if value != "discogan"]
    return command and "".join([command, *games])


@contextlib.contextmanager
def weights_as_today(path, kind):
    """The path of a checkpoint's weights with every group where this class has it: `path`, or a copy for a while."""
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
