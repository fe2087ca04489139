"""Folders of pictures: finding them, listing their files in order, and splitting them into training and test."""

import os
import re
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath
from typing import Any

from PIL import Image

from keras_gan.errors import BadValueError

FOLDER = Path("datasets")
TEST_FOLDERS = "test", "val"
TEST_EVERY = 10  # without a test split, every tenth picture is held out
JUNK = "__MACOSX"  # macOS adds this folder to archives; other junk is hidden or lacks a picture extension
RESERVED = re.compile(r'[<>:"/\\|?*\x00-\x1f]')  # not allowed in file names on Windows


def locate(name: str | Path) -> Path | None:
    """The folder of this name, below `datasets/` or by path, or None. Accepts \\ as well as /."""
    spellings = dict.fromkeys((Path(name), Path(PureWindowsPath(name).as_posix())))
    return next((path for spelling in spellings for path in (FOLDER / spelling, spelling) if path.is_dir()), None)


def name_of(folder: Path) -> str:
    """The name of a folder, safe for use in file names on every system."""
    return RESERVED.sub("_", folder.resolve().name) or "data"


def available(*built_in: str) -> str:
    """The folders below `datasets/` and the built-in data sets (by default, drawn shoes), as text."""
    names = (f"datasets/{folder.name}" for folder in subfolders(FOLDER))
    return ", ".join([*names, *(built_in or ["drawn_shoes (built in)"])])


def files(folder: Path, deep: bool = True, more: Iterable[str] = ()) -> list[Path]:
    """The picture files in a folder, and in its subfolders unless `deep` is False, in natural order.

    Hidden files are skipped. Extensions match in any case; `more` adds some. Empty if there is no such folder.
    """
    extensions, found = picture_extensions().union(more), []
    for place, inside, names in os.walk(folder):
        inside[:] = [name for name in inside if deep and is_visible(name)]
        readable = (name for name in names if os.path.splitext(name)[1].lower() in extensions and is_visible(name))
        found += [os.path.join(place, name) for name in readable]
    return [Path(path) for path in sorted(found, key=natural_key)]


def picture_extensions() -> set[str]:
    """The extensions of readable files, in lower case."""
    known = Image.registered_extensions()
    return {".npy", *(extension for extension, kind in known.items() if kind in Image.OPEN)}


def subfolders(folder: Path) -> list[Path]:
    """The visible folders in a folder, in natural order ("class 2" before "class 10")."""
    inside = folder.iterdir() if folder.is_dir() else ()
    return sorted((path for path in inside if path.is_dir() and is_visible(path.name)), key=natural_key)


def is_visible(name: str) -> bool:
    return not name.startswith(".") and name != JUNK


def natural_key(path: str | Path) -> tuple[list[Any], str]:
    """A sort key that compares numbers in paths by value."""
    text = str(path)
    parts: list[Any] = re.split(r"(\d+)", text)
    parts[1::2] = map(int, parts[1::2])
    return parts, text


def existing_splits(folder: Path, tests: tuple[str, ...] = TEST_FOLDERS) -> tuple[list[Path], list[Path]]:
    """(train, test) pictures of a folder. `test` comes from the first non-empty folder of `tests`, or is empty.

    `train` comes from the subfolder `train` or else from everything outside the split folders.
    """
    test = next((found for name in tests if (found := files(folder / name))), [])
    train = files(folder / "train")
    if not train:
        places = [folder / name for name in ("train", *TEST_FOLDERS)]
        train = [path for path in files(folder) if not any(place in path.parents for place in places)]
    return train, test


def splits(
    folder: Path, whose: str, layouts: str, tests: tuple[str, ...] = TEST_FOLDERS
) -> tuple[list[Path], list[Path]]:
    """(train, test) pictures of a folder. Without a test split, one picture in ten is held out.

    Raises:
        BadValueError: if there are no training pictures, or a test folder is empty. The message names
            `whose` pictures are missing and the expected `layouts`.
    """
    train, test = existing_splits(folder, tests)
    if not train:
        raise BadValueError(f"{whose} has no pictures in {folder} or {folder / 'train'}; expected {layouts}.")
    places = [folder / name for name in tests]
    if not test and any(place.is_dir() for place in places):
        raise BadValueError(f"{whose} has no pictures in {' or '.join(map(str, places))}; expected {layouts}.")
    return (train, test) if test else hold_out(train, whose)


def hold_out(pictures: list, whose: object) -> tuple[list, list]:
    """(train, test): every tenth of these pictures is for testing. Raises BadValueError if there is only one."""
    if len(pictures) == 1:
        raise BadValueError(f"{whose} has only {pictures[0]}: one is needed to train and another one to test.")
    return [picture for i, picture in enumerate(pictures) if i % TEST_EVERY], pictures[::TEST_EVERY]
