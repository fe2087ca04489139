"""What a folder is taken for: its layout, and its pictures by split and side."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from keras_gan.datasets import find, find_unpaired, four_folders
from keras_gan.datasets.folders import files, name_of
from keras_gan.datasets.labelled import any_folder, class_folders, has_splits, idx_folder
from keras_gan.datasets.paired_folders import TESTS, paired_folders, paired_sides
from keras_gan.errors import BadValueError
from keras_gan.images.arrays import is_array, read_array
from keras_gan.images.sources import UNREADABLE, read_picture

PAIRS = "pairs, A in the left half and B in the right half"
UNPAIRED = "two sides without pairs"
PARTNERS = "two sides, whose pictures of the same name are pairs"
CLASSES = "a folder per class"
IDX = "idx files"
HEAP = "single pictures"

SAMPLED = 24  # pictures that tell whether they are pairs
WIDE = 1.9  # times as wide as high: two pictures side by side
SEAM = 2  # times as steep in the middle as beside it: the same; 91 of 100 pairs are, 5 of 100 single pictures
NOTHING_APART = "nothing is set apart for testing: every tenth picture by name is"


@dataclass
class Understood:
    """What a folder is taken for: its layout, its pictures by split (and side), and what to say of them."""

    folder: Path
    layout: str
    groups: dict
    classes: list = field(default_factory=list)
    remarks: list = field(default_factory=list)
    folder_B: Path | None = None

    @property
    def name(self):
        return "2".join(name_of(folder) for folder in (self.folder, self.folder_B) if folder)


def understand(folder, folder_B=None):
    """The `Understood` of a folder, or of two; a BadValueError if it has no pictures where they should be."""
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
    return classes_or_heap(folder)


def sides(folder, found, pairing, *folders):
    """The `Understood` of an `UnpairedDataset`, which `pairing(*folders)` may find to have pairs."""
    groups = {"train A": found.train_A, "train B": found.train_B, "test A": found.test_A, "test B": found.test_B}
    try:
        pairing(*folders)
    except BadValueError:
        return Understood(folder, UNPAIRED, groups)
    return Understood(folder, PARTNERS, groups)


def pairs(folder):
    """The `Understood` of a folder of pairs."""
    found = find(folder)
    apart = {name: inside for name in TESTS if (inside := files(folder / name))}
    data = Understood(folder, PAIRS, {"train": found.train, **(apart or {"test": found.test})})
    if len(apart) > 1:
        data.remarks.append(f"models are tried on the {len(apart['val'])} pictures in val; nothing reads those in test")
    if not apart:
        data.remarks.append(NOTHING_APART)
    return data


def classes_or_heap(folder):
    """As `understand`, of pictures without partners."""
    if files(folder, deep=False) or files(folder / "train", deep=False):
        return single(folder, HEAP, any_folder(folder))
    try:
        return single(folder, CLASSES, class_folders(folder))
    except BadValueError as error:
        data = single(folder, HEAP, any_folder(folder))
        data.remarks.append(f"no classes: {error}")
        return data


def single(folder, layout, found):
    """The `Understood` of a `LabelledDataset`."""
    data = Understood(folder, layout, {"train": found.train, "test": found.test}, found.classes)
    if layout == HEAP:
        data.classes = []
    divided = layout == IDX or has_splits(folder) or files(folder / "test") or files(folder / "val")
    if not divided:
        data.remarks.append(NOTHING_APART)
    return data


def are_pairs(paths):
    """Whether most of these are two pictures side by side, from a sample of them."""
    found = [is_pair(image) for image in map(readable, paths[:: -(-len(paths) // SAMPLED) or 1]) if image is not None]
    return 2 * sum(found) > len(found)


def readable(path):
    """The picture in a file in mode "RGB", or None."""
    try:
        return preview(path)
    except UNREADABLE:
        return None


def preview(path):
    """The picture in a file in mode "RGB"; of an array the first three channels, or else the first alone.

    Raises:
        One of `UNREADABLE`, if it is no picture or a damaged one.
    """
    pixels = read_array(path) if is_array(path) else None
    if pixels is None:
        return read_picture(path)
    shown = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1].repeat(3, axis=2)
    return Image.fromarray((shown // 257).astype("uint8"))


def is_pair(image):
    """Whether a picture is as wide as two, or has a seam from top to bottom in the middle."""
    width, height = image.size
    if width % 2 or width < 16:
        return False
    pixels = np.asarray(image, "float32")[:, width // 2 - 6 : width // 2 + 6]
    steps = np.abs(np.diff(pixels, axis=1)).mean(axis=(0, 2))  # 11 of them, the middle one between the halves
    return width >= WIDE * height or steps[5] > SEAM * np.median(np.delete(steps, 5))
