"""What a data set is, and the layouts that one may have."""

from dataclasses import dataclass

LAYOUT = "NAME/train and NAME/val (or NAME/test), pictures with A in the left half and B in the right half"
PAIRED_LAYOUTS = (
    f"the layout {LAYOUT}, or such pictures directly inside; or pictures of the same names in two folders, "
    "the second for side B, or in NAME/trainA and NAME/trainB (or NAME/A and NAME/B)"
)
UNPAIRED_LAYOUTS = (
    "NAME with trainA, trainB, testA and testB (or A and B); or two folders of pictures, the second for side B; "
    f'or "gray2colour:FOLDER" of colour pictures; or pairs, {LAYOUT}'
)
CLASS_LAYOUT = (
    "NAME with one folder of pictures per class, either directly inside or in NAME/train and NAME/test (or NAME/val)"
)
FLAT_LAYOUT = f"NAME with pictures inside, or in NAME/train and NAME/test (or NAME/val); or {CLASS_LAYOUT}"


@dataclass
class Dataset:
    """A paired data set: its name, the pairs (paths, `Sides` or `DrawnShoe`s) of its two splits, and remarks."""

    name: str
    train: list
    test: list
    remarks: tuple[str, ...] = ()


@dataclass
class UnpairedDataset:
    """An unpaired data set: its name, the pictures of both sides (see `open_picture`), and remarks."""

    name: str
    train_A: list
    train_B: list
    test_A: list
    test_B: list
    remarks: tuple[str, ...] = ()


@dataclass
class LabelledDataset:
    """A data set of `Labelled` pictures: its name, its two splits, its class names, indexed by label, and remarks.

    `is_held_out` tells whether every tenth picture is for testing, since no pictures are set apart for it.
    """

    name: str
    train: list
    test: list
    classes: list[str]
    remarks: tuple[str, ...] = ()
    is_held_out: bool = False
