"""What a data set is, and the layouts that one may have."""

from dataclasses import dataclass

#: What is expected, in messages. The page of the documentation shows the layouts.
PAIRED_LAYOUTS = "pairs: docs/data.md"
UNPAIRED_LAYOUTS = "sides: docs/data.md"
CLASS_LAYOUT = "a folder per class: docs/data.md"
FLAT_LAYOUT = "pictures: docs/data.md"


@dataclass
class Dataset:
    """A paired data set: its name, the pairs (paths, `Sides` or drawings) of its two splits, and remarks.

    `stacked` are the channels of each folder, if side A is in several.
    """

    name: str
    train: list
    test: list
    remarks: tuple[str, ...] = ()
    stacked: tuple[int, ...] = ()


@dataclass
class UnpairedDataset:
    """An unpaired data set: its name, the pictures of both sides (see `open_picture`), and remarks.

    `stacked` are the channels of each folder, if side A is in several.
    """

    name: str
    train_A: list
    train_B: list
    test_A: list
    test_B: list
    remarks: tuple[str, ...] = ()
    stacked: tuple[int, ...] = ()


@dataclass
class LabelledDataset:
    """A data set of `Labelled` pictures: its name, its two splits, its class names, indexed by label, and remarks.

    `is_held_out` tells whether every tenth picture is for testing, since no pictures are set apart for it;
    `are_attributes` whether a label is a tuple with 0 or 1 for each name, instead of the place of one.
    """

    name: str
    train: list
    test: list
    classes: list[str]
    remarks: tuple[str, ...] = ()
    is_held_out: bool = False
    are_attributes: bool = False
