"""Detects the layout of a folder, and groups its pictures by split and side."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from keras_gan.datasets import UnpairedDataset, find, find_unpaired, four_folders
from keras_gan.datasets.folders import files, name_of
from keras_gan.datasets.labelled import LabelledDataset, any_folder, class_folders, has_splits, idx_folder
from keras_gan.datasets.paired_folders import TESTS, paired_folders, paired_sides
from keras_gan.errors import BadValueError
from keras_gan.images.arrays import is_array, read_array
from keras_gan.images.sources import UNREADABLE, read_picture

PAIRS = "pairs, A in the left half and B in the right half"
UNPAIRED = "two unpaired sides"
PAIRED_SIDES = "two sides, where pictures of the same name are pairs"
CLASSES = "one folder per class"
IDX = "idx files"
SINGLE = "single pictures"

SAMPLED = 24  # pictures to test for being pairs
WIDE = 1.9  # a picture with at least this width / height is a pair
SEAM = 2  # so is one whose middle is this many times as steep as its surroundings: 91% of pairs, 5% of single pictures
NO_TEST_SPLIT = "no test split: every tenth picture by name is held out for testing"


@dataclass
class Detected:
    """The detected layout of a folder, its pictures by split (and side), and remarks for the user."""

    folder: Path
    layout: str
    groups: dict[str, list]
    classes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    folder_B: Path | None = None

    @property
    def name(self) -> str:
        return "2".join(name_of(folder) for folder in (self.folder, self.folder_B) if folder)


def detect(folder: Path, folder_B: Path | None = None) -> Detected:
    """Detects the layout of a folder, or of two. Raises BadValueError if pictures are missing."""
    if folder_B is not None:
        data = sides(folder, find_unpaired(folder, folder_B), paired_folders, folder, folder_B)
        data.folder_B = folder_B
        return data
    if any((folder / name).is_dir() for name in ("trainA", "trainB")):
        return sides(folder, four_folders(folder), paired_sides, folder)
    if any(folder.glob("*idx[13]-ubyte*")):
        return single(folder, IDX, idx_folder(folder, name_of(folder)))
    if are_pairs(files(folder / "train") or files(folder, deep=False)):
        return pairs(folder)
    return classes_or_single(folder)


def sides(folder: Path, found: UnpairedDataset, pairing: Callable, *folders: Path) -> Detected:
    """The layout of an `UnpairedDataset`: paired if `pairing(*folders)` finds a match for every picture."""
    groups = {"train A": found.train_A, "train B": found.train_B, "test A": found.test_A, "test B": found.test_B}
    try:
        pairing(*folders)
    except BadValueError:
        return Detected(folder, UNPAIRED, groups)
    return Detected(folder, PAIRED_SIDES, groups)


def pairs(folder: Path) -> Detected:
    """The layout of a folder of pairs."""
    found = find(folder)
    apart = {name: inside for name in TESTS if (inside := files(folder / name))}
    data = Detected(folder, PAIRS, {"train": found.train, **(apart or {"test": found.test})})
    if len(apart) > 1:
        data.remarks.append(f"models are tested on the {len(apart['val'])} pictures in val; those in test are ignored")
    if not apart:
        data.remarks.append(NO_TEST_SPLIT)
    return data


def classes_or_single(folder: Path) -> Detected:
    """The layout of a folder without pairs: one folder per class, or single pictures."""
    if files(folder, deep=False) or files(folder / "train", deep=False):
        return single(folder, SINGLE, any_folder(folder))
    try:
        return single(folder, CLASSES, class_folders(folder))
    except BadValueError as error:
        data = single(folder, SINGLE, any_folder(folder))
        data.remarks.append(f"no classes: {error}")
        return data


def single(folder: Path, layout: str, found: LabelledDataset) -> Detected:
    """The layout of a `LabelledDataset`."""
    data = Detected(folder, layout, {"train": found.train, "test": found.test}, found.classes)
    if layout == SINGLE:
        data.classes = []
    divided = layout == IDX or has_splits(folder) or files(folder / "test") or files(folder / "val")
    if not divided:
        data.remarks.append(NO_TEST_SPLIT)
    return data


def are_pairs(paths: list[Path]) -> bool:
    """Whether most pictures in a sample of these show a pair side by side."""
    found = []
    for path in paths[:: -(-len(paths) // SAMPLED) or 1]:
        with contextlib.suppress(*UNREADABLE):
            found.append(is_pair(preview(path)))
    return 2 * sum(found) > len(found)


def preview(path: Path) -> Image.Image:
    """A picture in mode "RGB". Arrays show their first three channels or, if they have fewer, the first one.

    Raises:
        One of `UNREADABLE`, if the file is damaged or not a picture.
    """
    pixels = read_array(path) if is_array(path) else None
    if pixels is None:
        return read_picture(path)
    shown = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1].repeat(3, axis=2)
    return Image.fromarray((shown // 257).astype("uint8"))


def is_pair(image: Image.Image) -> bool:
    """Whether a picture is as wide as two, or has a vertical seam in the middle."""
    width, height = image.size
    if width % 2 or width < 16:
        return False
    pixels = np.asarray(image, "float32")[:, width // 2 - 6 : width // 2 + 6]
    steps = np.abs(np.diff(pixels, axis=1)).mean(axis=(0, 2))  # 11 of them, the middle one between the halves
    return width >= WIDE * height or bool(steps[5] > SEAM * np.median(np.delete(steps, 5)))
