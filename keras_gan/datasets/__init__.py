"""Finds data sets: folders below `datasets/`, folders by path, and built-in ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.datasets.catalogue import how_to_get
from keras_gan.datasets.folders import available, files, locate, name_of, splits
from keras_gan.datasets.paired_folders import TESTS, paired_folders, paired_sides
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.images.sources import DrawnShoe, Gray, Half, Pixels, Sides

Name = str | Path
LAYOUT = "NAME/train and NAME/val (or NAME/test), pictures with A in the left half and B in the right half"
PAIRED_LAYOUTS = (
    f"the layout {LAYOUT}, or such pictures directly inside; or pictures of the same names in two folders, "
    "the second for side B, or in NAME/trainA and NAME/trainB"
)
UNPAIRED_LAYOUTS = (
    "NAME with trainA, trainB, testA and testB; or two folders of pictures, the second for side B; "
    f'or "gray2colour:FOLDER" of colour pictures; or pairs, {LAYOUT}'
)
REAL_SHOES = "for real photos, python -m keras_gan.datasets download edges2shoes"


@dataclass
class Dataset:
    """A paired data set: its name and the pairs (paths, `Sides` or `DrawnShoe`s) of its two splits."""

    name: str
    train: list
    test: list


@dataclass
class UnpairedDataset:
    """An unpaired data set: its name and the pictures (see `keras_gan.images.sources.open_picture`) of both sides."""

    name: str
    train_A: list
    train_B: list
    test_A: list
    test_B: list


def find(name: Name | None = None, name_B: Name | None = None) -> Dataset:
    """Finds a paired data set.

    Args:
        name: one of
            - a folder, below `datasets/` or by path, whose pictures show a pair side by side, in
              `train` and `val` (or `test`) or directly inside; without a test split, every tenth
              picture by name is held out;
            - a folder with trainA and trainB (and testA and testB), where pictures of the same name
              are a pair, whatever their extensions;
            - with `name_B`: the folder of side A, with the same picture names as side B;
            - "drawn_shoes".
            None: the folder `datasets/edges2shoes` if it exists, else "drawn_shoes", with a notice.
        name_B: the folder of side B.

    Returns:
        A `Dataset`.

    Raises:
        NotFoundError: if there is no such data set.
        BadValueError: if a split has no pictures, or a picture lacks the matching one.
    """
    if name_B is not None:
        folder_A, folder_B = locate_both(name, name_B, PAIRED_LAYOUTS)
        return Dataset(f"{name_of(folder_A)}2{name_of(folder_B)}", *as_splits(paired_folders(folder_A, folder_B)))
    if name is None:
        name = "edges2shoes" if locate("edges2shoes") else "drawn_shoes"
        if name == "drawn_shoes":
            print(f"No data set named and no datasets/edges2shoes here: using the built-in drawn_shoes; {REAL_SHOES}.")
    folder = locate(name)
    if folder is not None:
        if (folder / "trainA").is_dir() and not (folder / "train").is_dir():
            return Dataset(name_of(folder), *as_splits(sides_as_pairs(folder)))
        return Dataset(name_of(folder), *splits(folder, f"data set {str(name)!r}", PAIRED_LAYOUTS, TESTS))
    if name == "drawn_shoes":
        return Dataset("drawn_shoes", [DrawnShoe(i) for i in range(1000)], [DrawnShoe(i) for i in range(1000, 1100)])
    raise not_found(f"no data set {str(name)!r}", name, available(), PAIRED_LAYOUTS)


def find_unpaired(name: Name | None = None, name_B: Name | None = None) -> UnpairedDataset:
    """Finds an unpaired data set.

    Args:
        name: one of
            - a folder, below `datasets/` or by path, with trainA, trainB, testA and testB;
            - with `name_B`: the folder of side A, with pictures in `train` (and `test` or `val`) or
              directly inside; without a test split, every tenth picture by name is held out;
            - "gray2colour": B are colour pictures and A their gray versions. The pictures are CIFAR-10
              from `keras.datasets` or, with "gray2colour:FOLDER", all in a folder and its subfolders
              (`train`, and `test` or `val`; or one in ten held out);
            - "drawn_shoes": A are line drawings, B coloured shoes;
            - a folder of pairs, as for `find`.
            For training, pairs and drawn shoes are separated: A from even pairs, B from odd ones.
            None: drawn shoes, with a notice.
        name_B: the folder of side B.

    Returns:
        An `UnpairedDataset`. For "gray2colour", drawn shoes and pairs, `test_A` and `test_B` are made
        from the same pictures in the same order, so that translations can be scored.

    Raises:
        NotFoundError: if there is no such data set.
        BadValueError: if a side has no pictures, or both sides are the same folder.
    """
    if name_B is not None:
        return two_folders(name, name_B)
    if name is None:
        name = "drawn_shoes"
        print(
            "No data set named: using the built-in drawn_shoes; "
            "for your own pictures, name a folder with trainA, trainB, testA and testB, or two folders."
        )
    folder = locate(name)
    if folder is not None:
        has_sides = (folder / "trainA").is_dir() or (folder / "trainB").is_dir()
        return four_folders(folder) if has_sides else separate_folder(folder)
    if name == "drawn_shoes":
        return separate(find(name))
    if name == "gray2colour":
        return gray2colour("gray2colour", *cifar10())
    kind, _, path = str(name).partition(":")
    if kind == "gray2colour" and path:
        folder = locate_existing(path)
        return gray2colour(f"gray2colour-{name_of(folder)}", *splits(folder, "side B", UNPAIRED_LAYOUTS))
    raise missing(name)


def as_splits(jobs: dict) -> Iterator[list]:
    """The training and the test pairs, from the result of `paired_folders`."""
    return ([Sides(*paths) for paths in jobs[split].values()] for split in ("train", "val"))


def sides_as_pairs(folder: Path) -> dict:
    """The pairs in trainA and trainB. Raises BadValueError, with a hint to CycleGAN, if they are unpaired."""
    try:
        return paired_sides(folder)
    except BadValueError as error:
        raise BadValueError(
            f"{folder} holds two unpaired sides, trainA and trainB, not pairs: python -m keras_gan.cyclegan "
            f"takes it; for pairs, {error}"
        ) from error


def four_folders(folder: Path) -> UnpairedDataset:
    """A folder with trainA, trainB, testA and testB."""
    found = []
    for split, side in (("train", "A"), ("train", "B"), ("test", "A"), ("test", "B")):
        place = folder / f"{split}{side}"
        found.append(files(place))
        if not found[-1]:
            raise BadValueError(f"side {side} has no pictures in {place}; expected {UNPAIRED_LAYOUTS}.")
    check_different(folder / "trainA", folder / "trainB")
    return UnpairedDataset(name_of(folder), *found)


def two_folders(name_A: Name | None, name_B: Name) -> UnpairedDataset:
    """One folder per side."""
    folder_A, folder_B = locate_both(name_A, name_B, UNPAIRED_LAYOUTS)
    check_different(folder_A, folder_B)
    train_A, test_A = splits(folder_A, "side A", UNPAIRED_LAYOUTS)
    train_B, test_B = splits(folder_B, "side B", UNPAIRED_LAYOUTS)
    return UnpairedDataset(f"{name_of(folder_A)}2{name_of(folder_B)}", train_A, train_B, test_A, test_B)


def locate_both(name_A: Name | None, name_B: Name, layouts: str) -> tuple[Path, Path]:
    """The folders of both sides. Raises an error that names the missing one."""
    if name_A is None:
        raise BadValueError(f"the folder {str(name_B)!r} is for side B: name one for side A, too.")
    return locate_existing(name_A, layouts), locate_existing(name_B, layouts)


def gray2colour(name: str, train: list, test: list) -> UnpairedDataset:
    """The pictures on side B and their gray versions on side A."""
    return UnpairedDataset(name, [Gray(p) for p in train], train, [Gray(p) for p in test], test)


def cifar10() -> list[list[Pixels]]:
    """The 50,000 training and 10,000 test pictures of CIFAR-10, in memory."""
    instead = 'name a folder of colour pictures instead: "gray2colour:FOLDER"'
    (train, _), (test, _) = load_from_keras("cifar10", "CIFAR-10", instead)
    return [in_memory(array, f"CIFAR-10 {split}") for split, array in (("train", train), ("test", test))]


def load_from_keras(module: str, title: str, instead: str) -> Any:
    """Calls `load_data()` of a module of `keras.datasets`. Raises NotFoundError with the hint `instead` if it fails."""
    import keras

    try:
        return getattr(keras.datasets, module).load_data()
    except Exception as error:  # without network access, Keras raises a bare Exception
        raise NotFoundError(f"{title} cannot be loaded from keras.datasets ({error}); {instead}.") from error


def in_memory(array: np.ndarray, title: str) -> list[Pixels]:
    """The pictures of an array, uint8 (n, height, width[, 3]), named by title and number."""
    return [Pixels(pixels, f"{title} picture {i}") for i, pixels in enumerate(array)]


def separate_folder(folder: Path) -> UnpairedDataset:
    """A folder of pairs. Prints a notice, since the user might have meant it as one of two sides."""
    if not files(folder / "train"):
        raise BadValueError(f"no pictures in {folder / 'train'}; expected {UNPAIRED_LAYOUTS}.")
    train, test = splits(folder, f"data set {folder.name!r}", UNPAIRED_LAYOUTS, TESTS)
    if len(train) == 1:
        raise BadValueError(f"{folder / 'train'} has only one pair: side B needs another one.")
    print(f"No trainA and trainB in {folder}: using its pictures as pairs, left halves for A and right halves for B.")
    return separate(Dataset(name_of(folder), train, test))


def separate(pairs: Dataset) -> UnpairedDataset:
    """Unpairs training pictures: left halves of even pairs, right halves of odd ones. Test pairs stay complete."""
    return UnpairedDataset(
        pairs.name,
        [Half(pair, right=False) for pair in pairs.train[::2]],
        [Half(pair, right=True) for pair in pairs.train[1::2]],
        [Half(pair, right=False) for pair in pairs.test],
        [Half(pair, right=True) for pair in pairs.test],
    )


def locate_existing(name: Name, layouts: str = UNPAIRED_LAYOUTS) -> Path:
    """The folder of this name. Raises NotFoundError if there is none."""
    folder = locate(name)
    if folder is None:
        raise missing(name, layouts)
    return folder


def check_different(folder_A: Path, folder_B: Path) -> None:
    """Raises BadValueError if both sides resolve to the same folder."""
    inside = ((folder / "train", folder) for folder in (folder_A, folder_B))
    if len({(train if train.is_dir() else folder).resolve() for train, folder in inside}) == 1:
        raise BadValueError(f"sides A and B are the same folder, {folder_A} and {folder_B}; name two different ones.")


def missing(name: Name, layouts: str = UNPAIRED_LAYOUTS) -> NotFoundError:
    """The error for an unknown data set of two sides."""
    there = f"{available()}, gray2colour (CIFAR-10)" if layouts is UNPAIRED_LAYOUTS else available()
    return not_found(f"no data set or folder {str(name)!r}", name, there, layouts)


def not_found(what: str, name: Name, there: str, layouts: str) -> NotFoundError:
    """The error for an unknown name. If the catalogue has it, the message says how to get it."""
    return NotFoundError(f"{what}: {how_to_get(name)}available are {there}; expected {layouts}.")
