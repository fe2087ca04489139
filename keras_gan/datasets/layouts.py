"""Detects the layout of a folder, and groups its pictures by split and side."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from keras_gan.datasets.class_folders import any_folder, class_folders
from keras_gan.datasets.folders import files, has_pictures, name_of
from keras_gan.datasets.labelled import idx_folder
from keras_gan.datasets.pair_files import judged, looks_paired
from keras_gan.datasets.paired_folders import paired_folders, paired_sides
from keras_gan.datasets.parts import (
    TESTS,
    files_in,
    has_more_folders,
    side_folders,
    sided_folders,
    split_folders,
)
from keras_gan.datasets.sets import LabelledDataset, UnpairedDataset
from keras_gan.datasets.two_sides import pairs_in, two_folders, unpaired_in
from keras_gan.errors import BadValueError

PAIRS = "pairs, A in the left half and B in the right half"
UNPAIRED = "two unpaired sides"
PAIRED_SIDES = "two sides, where pictures of the same name are pairs"
CLASSES = "one folder per class"
IDX = "idx files"
SINGLE = "single pictures"

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
        data = sides(folder, two_folders(folder, folder_B), paired_folders, folder, folder_B)
        data.folder_B = folder_B
        return data
    if any(folder.glob("*idx[13]-ubyte*")):
        return single(folder, IDX, idx_folder(folder, name_of(folder)))
    both = side_folders(folder)
    is_direct = any(path.parent == folder for path in sided_folders(folder).values())
    if is_direct or ((both or sided_folders(folder)) and not has_more_folders(folder)):
        found = unpaired_in(folder)
        if found is not None and both:
            return sides(folder, found, paired_folders, *both)
        if found is not None:
            return sides(folder, found, paired_sides, folder)
    train = split_folders(folder, classes=True).get("train", [])
    if looks_paired(judged(files_in(train) or files(folder, deep=False))):
        return pairs(folder)
    return classes_or_single(folder)


def sides(folder: Path, found: UnpairedDataset, pairing: Callable, *folders: Path) -> Detected:
    """The layout of an `UnpairedDataset`: paired if `pairing(*folders)` finds a match for every picture."""
    groups = {"train A": found.train_A, "train B": found.train_B, "test A": found.test_A, "test B": found.test_B}
    try:
        pairing(*folders)
    except BadValueError:
        return Detected(folder, UNPAIRED, groups, remarks=list(found.remarks))
    return Detected(folder, PAIRED_SIDES, groups, remarks=list(found.remarks))


def pairs(folder: Path) -> Detected:
    """The layout of a folder of pairs."""
    found = pairs_in(folder)
    places = split_folders(folder)
    apart = {name: inside for name in TESTS if (inside := files_in(places.get(name, [])))}
    data = Detected(folder, PAIRS, {"train": found.train, **(apart or {"test": found.test})})
    if len(apart) > 1:
        ignored = places["test"][0].name
        number = len(apart["val"])
        data.remarks.append(
            f"models are tested on the {number} pictures in {places['val'][0].name}; those in {ignored} are ignored"
        )
    else:
        data.remarks.extend(found.remarks)
    if not apart:
        data.remarks.append(NO_TEST_SPLIT)
    return data


def classes_or_single(folder: Path) -> Detected:
    """The layout of a folder without pairs: one folder per class, or single pictures."""
    splits = split_folders(folder, classes=True)
    if any(has_pictures(place, deep=False) for place in (folder, *splits.get("train", []))):
        return single(folder, SINGLE, any_folder(folder))
    try:
        return single(folder, CLASSES, class_folders(folder))
    except BadValueError as error:
        data = single(folder, SINGLE, any_folder(folder))
        data.remarks.append(f"no classes: {error}")
        return data


def single(folder: Path, layout: str, found: LabelledDataset) -> Detected:
    """The layout of a `LabelledDataset`."""
    data = Detected(folder, layout, {"train": found.train, "test": found.test}, found.classes, list(found.remarks))
    if layout == SINGLE:
        data.classes = []
    if layout != IDX and found.is_held_out:
        data.remarks.append(NO_TEST_SPLIT)
    return data
