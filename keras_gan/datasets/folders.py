"""Folders of pictures: where they are, which files count, in which order, and what is set apart for testing."""

import os
import re
from pathlib import Path, PureWindowsPath

from PIL import Image

from keras_gan.errors import BadValueError

FOLDER = Path("datasets")
TEST_FOLDERS = "test", "val"
HELD_OUT = 10  # where nothing is set apart for testing, one picture in so many is
JUNK = "__MACOSX"  # what macOS adds to archives; all else of the kind is hidden or no picture by its ending
RESERVED = re.compile(r'[<>:"/\\|?*\x00-\x1f]')  # not allowed in the names of files on Windows


def locate(name):
    """The folder of this name, below `datasets/` or by path, or None. A \\ is as good as a /."""
    spellings = dict.fromkeys((Path(name), Path(PureWindowsPath(name).as_posix())))
    return next((path for spelling in spellings for path in (FOLDER / spelling, spelling) if path.is_dir()), None)


def name_of(folder):
    """The name of a folder as it may be part of the name of another one, on Windows too."""
    return RESERVED.sub("_", folder.resolve().name) or "data"


def existing(*built_in):
    """What can be named here: the folders below `datasets/` and what is built in, drawn shoes if nothing is said."""
    names = (f"datasets/{folder.name}" for folder in subfolders(FOLDER))
    return ", ".join([*names, *(built_in or ["drawn_shoes (built in)"])])


def files(folder, deep=True, more=()):
    """The picture files in a folder, and in its subfolders unless `deep` is off, in natural order.

    Hidden ones are left out, and endings may be capitals; `more` endings may be named. None if there is no such folder.
    """
    endings, found = picture_endings().union(more), []
    for place, inside, names in os.walk(folder):
        inside[:] = [name for name in inside if deep and is_visible(name)]
        readable = (name for name in names if os.path.splitext(name)[1].lower() in endings and is_visible(name))
        found += [os.path.join(place, name) for name in readable]
    return [Path(path) for path in sorted(found, key=natural)]


def picture_endings():
    """The endings of files that can be read, in small letters."""
    known = Image.registered_extensions()
    return {".npy", *(ending for ending, kind in known.items() if kind in Image.OPEN)}


def subfolders(folder):
    """The folders in a folder in natural order ("class 2" before "class 10"), without the hidden ones."""
    inside = folder.iterdir() if folder.is_dir() else ()
    return sorted((path for path in inside if path.is_dir() and is_visible(path.name)), key=natural)


def is_visible(name):
    return not name.startswith(".") and name != JUNK


def natural(path):
    """What to sort paths by so that numbers in their names count as numbers."""
    text = str(path)
    parts = re.split(r"(\d+)", text)
    parts[1::2] = map(int, parts[1::2])
    return parts, text


def set_apart(folder, tests=TEST_FOLDERS):
    """The pictures of a folder, (train, test): `test` is the first of these subfolders with any, empty if none has.

    Training has those of `train` or else all that lie elsewhere in the folder.
    """
    test = next((found for name in tests if (found := files(folder / name))), [])
    train = files(folder / "train")
    if not train:
        places = [folder / name for name in ("train", *TEST_FOLDERS)]
        train = [path for path in files(folder) if not any(place in path.parents for place in places)]
    return train, test


def splits(folder, whose, layouts, tests=TEST_FOLDERS):
    """The pictures of a folder, (train, test): one in ten is for testing where nothing is set apart.

    Raises:
        BadValueError: that says `whose` pictures they are and which layouts are expected, if there are
            none to train with, or none in a folder for tests.
    """
    train, test = set_apart(folder, tests)
    if not train:
        raise BadValueError(f"{whose} has no pictures in {folder} or {folder / 'train'}; expected is {layouts}.")
    places = [folder / name for name in tests]
    if not test and any(place.is_dir() for place in places):
        raise BadValueError(f"{whose} has no pictures in {' or '.join(map(str, places))}; expected is {layouts}.")
    return (train, test) if test else held_out(train, whose)


def held_out(pictures, whose):
    """These pictures as (train, test), one in ten for testing; BadValueError that says `whose` if there is only one."""
    if len(pictures) == 1:
        raise BadValueError(f"{whose} has only {pictures[0]}: one is needed to train and another one to test.")
    return [picture for i, picture in enumerate(pictures) if i % HELD_OUT], pictures[::HELD_OUT]
