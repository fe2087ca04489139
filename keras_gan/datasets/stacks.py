"""Side A in several folders: pictures of the same name become one, channels behind channels."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from keras_gan.datasets.folders import files, locate, name_of
from keras_gan.datasets.paired_folders import by_name, matched
from keras_gan.datasets.parts import TEST_FOLDERS, TESTS
from keras_gan.datasets.sets import Dataset, UnpairedDataset
from keras_gan.errors import BadValueError
from keras_gan.images.arrays import is_array, read_raw
from keras_gan.images.opening import UNREADABLE, named_damage, opened_image
from keras_gan.images.sources import Stack

SAMPLED = 24  # files of a folder to count channels in
GRAY = "1", "L", "I", "F"  # what the modes of gray pictures begin with


def channels_of_folders(folders: Sequence[str | Path]) -> tuple[int, ...]:
    """The channels of the pictures in each of these folders; those that do not exist have none.

    Gray pictures have 1, photos 3, with transparency or without, and arrays as many as the file. Of a folder with gray
    pictures and photos, these are 3.
    """
    places = [locate(folder) for folder in folders]
    return tuple(channels_in(place) for place in places if place is not None)


def channels_in(folder: Path) -> int:
    """The channels of the pictures in a folder, judged by some of them. BadValueError if none can be read."""
    found, pictures = [], files(folder)
    for path in pictures[:: -(-len(pictures) // SAMPLED) or 1]:
        try:
            with named_damage():
                found.append(channels_of(path))
        except UNREADABLE:
            continue
    if not found:
        raise BadValueError(f"no readable pictures in {folder}, a folder of dataset_A.")
    return max(found)


def channels_of(path: Path) -> int:
    """The channels of a picture file."""
    raw = read_raw(path) if is_array(path) else None
    if raw is not None:
        return int(np.atleast_3d(raw.colours).shape[2])
    with opened_image(path) as image:
        return 1 if image.mode.startswith(GRAY) else 3


def stacked_pairs(found: Dataset, folders: Sequence[Path]) -> Dataset:
    """Pairs whose A is in the first of these folders, with the pictures of the others behind it."""
    if len(folders) < 2:
        return found
    channels, stacks = channels_of_folders(folders), stacks_in(folders, TESTS)
    train, test = (
        [pair._replace(picture=stacks[pair.picture]) for pair in split] for split in (found.train, found.test)
    )
    return replace(found, name=renamed(found, folders), train=train, test=test, stacked=channels)


def stacked_side(found: UnpairedDataset, folders: Sequence[Path]) -> UnpairedDataset:
    """The same for two sides that are no pairs."""
    if len(folders) < 2:
        return found
    channels, stacks = channels_of_folders(folders), stacks_in(folders, TEST_FOLDERS)
    train, test = ([stacks[path] for path in split] for split in (found.train_A, found.test_A))
    return replace(found, name=renamed(found, folders), train_A=train, test_A=test, stacked=channels)


def renamed(found: Dataset | UnpairedDataset, folders: Sequence[Path]) -> str:
    """The name of a data set with all folders of A in it."""
    first, *others = map(name_of, folders)
    return "+".join([first, *others]) + found.name.removeprefix(first)


def stacks_in(folders: Sequence[Path], tests: tuple[str, ...]) -> dict[Path, Stack]:
    """{picture of the first folder: its `Stack`}.

    Raises:
        BadValueError: if a folder is named twice, has other splits, or a picture lacks the one of the same name.
    """
    places = [folder.resolve() for folder in folders]
    if len(set(places)) < len(places):
        raise BadValueError(f"dataset_A names a folder twice: {', '.join(map(str, folders))}.")
    channels, of_first = channels_of_folders(folders), by_name(folders[0], tests)
    others: dict[Path, list[Path]] = {path: [] for split in of_first.values() for path in split.values()}
    for folder in folders[1:]:
        for split in matched(folders[0], of_first, folder, by_name(folder, tests)).values():
            for first, other in split.values():
                others[first].append(other)
    return {first: Stack(first, tuple(paths), channels) for first, paths in others.items()}
