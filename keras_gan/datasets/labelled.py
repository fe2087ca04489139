"""Pictures without partners: data sets whose pictures have classes, and heaps of pictures that need none."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_gan import datasets
from keras_gan.datasets import fetched, in_memory, not_found
from keras_gan.datasets.folders import TEST_FOLDERS, existing, files, held_out, locate, name_of, splits, subfolders
from keras_gan.datasets.idx import read_idx_split
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.images.sources import DrawnDigit, Half, Labelled

DIGITS = [str(digit) for digit in range(10)]
CLASSES = {
    "mnist": DIGITS,
    "fashion_mnist": [
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ],
}
TITLES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
BUILT_IN = "drawn_digits (built in)", "mnist", "fashion_mnist"

CLASS_LAYOUT = (
    "NAME with one folder of pictures per class, either directly inside or in NAME/train and NAME/test (or NAME/val)"
)
HEAP_LAYOUT = f"NAME with pictures inside, or in NAME/train and NAME/test (or NAME/val); or {CLASS_LAYOUT}"


@dataclass
class LabelledDataset:
    """A data set of `Labelled` pictures: its name, its two splits and the names of its classes, by label."""

    name: str
    train: list
    test: list
    classes: list


def find_labelled(name=None, data_dir=None):
    """Finds a data set whose pictures have classes.

    Args:
        name: one of
            - a folder, below `datasets/` or by path, with one subfolder of pictures per class,
              directly inside (one picture in ten of each class is held out for testing) or in
              `train` and `test` (or `val`); classes are numbered in natural order of their names;
            - a folder with the four idx files of MNIST or of a set made like it;
            - "mnist" or "fashion_mnist", from `keras.datasets`;
            - "drawn_digits": 10,000 and 1,000 digits drawn by code.
            None: drawn digits, and a line that says so.
        data_dir: where the idx files of "mnist" or "fashion_mnist" are; then nothing is fetched.

    Returns:
        A `LabelledDataset`.

    Raises:
        NotFoundError: if there is no such data set, or an idx file is missing.
        BadValueError: if the pictures have no classes, a class has no pictures, the classes of the
            splits differ, or an idx file is damaged or another than its name says.
    """
    return found(name, data_dir, labels=True)


def find_pictures(name=None, data_dir=None):
    """Finds a data set of single pictures, with classes or without.

    Args:
        name: whatever `find_labelled` takes, and
            - a folder with pictures directly inside (all of it, with its subfolders; one picture in
              ten is held out for testing) or in `train` and `test` (or `val`);
            - "drawn_shoes": the coloured shoes.
            None: drawn digits, and a line that says so.
        data_dir: where the idx files of "mnist" or "fashion_mnist" are; then nothing is fetched.

    Returns:
        A `LabelledDataset`; where classes are not known, all pictures are of one class.

    Raises:
        As `find_labelled`; but subfolders that are no good as classes are then one heap.
    """
    return found(name, data_dir, labels=False)


def found(name, data_dir, labels):
    """The data set of this name; `labels` if it must have them."""
    layout = CLASS_LAYOUT if labels else HEAP_LAYOUT
    if data_dir is not None:
        return in_data_dir(name, Path(data_dir))
    if name is None:
        name = "drawn_digits"
        print(f"No data set named: using the built-in drawn_digits; for your own pictures, name a folder: {layout}.")
    folder = locate(name)
    if folder is not None:
        if any(folder.glob("*idx[13]-ubyte*")):
            return idx_folder(folder, name_of(folder))
        return class_folders(folder) if labels else any_folder(folder)
    if name == "drawn_digits":
        return drawn_digits()
    if name in CLASSES:
        instead = "name the folder that has its four idx files with --data-dir (data_dir in Python)"
        return from_arrays(name, fetched(name, TITLES[name], instead), CLASSES[name])
    if name == "drawn_shoes" and not labels:
        return drawn_shoes()
    built_in = BUILT_IN if labels else (*BUILT_IN, "drawn_shoes (built in)")
    what = f"no data set or folder {str(name)!r}{' with labels' * labels}"
    raise not_found(what, name, existing(*built_in), layout)


# What is built in, or fetched.


def drawn_digits():
    """Digits drawn by code, MNIST's stand-in."""
    train, test = (
        [Labelled(digit, digit.label) for digit in map(DrawnDigit, numbers)]
        for numbers in (range(10_000), range(10_000, 11_000))
    )
    return LabelledDataset("drawn_digits", train, test, list(DIGITS))


def drawn_shoes():
    """The coloured halves of the drawn pairs."""
    pairs = datasets.find("drawn_shoes")
    train, test = ([Labelled(Half(pair, right=True), 0) for pair in split] for split in (pairs.train, pairs.test))
    return LabelledDataset(pairs.name, train, test, ["shoe"])


def from_arrays(name, arrays, classes):
    """A data set of arrays: ((images, labels) for training, (images, labels) for testing)."""
    train, test = (
        [Labelled(*pair) for pair in zip(in_memory(images, f"{name} {split}"), np.ravel(labels).tolist(), strict=True)]
        for split, (images, labels) in zip(("train", "test"), arrays, strict=True)
    )
    return LabelledDataset(name, train, test, list(classes))


# Folders of pictures.


def class_folders(folder):
    """A folder with one subfolder per class, or with `train` and `test` (or `val`) of that kind."""
    divided = has_splits(folder)
    train = by_class(folder / "train" if divided else folder)
    folder_test = folder_of_tests(folder) if divided else None
    if folder_test is not None:
        test = by_class(folder_test)
        check_same_classes(train, test, folder / "train", folder_test)
    else:
        both = {name: held_out(pictures, f"class {name!r}") for name, pictures in train.items()}
        train, test = ({name: split[i] for name, split in both.items()} for i in (0, 1))
    return LabelledDataset(name_of(folder), numbered(train), numbered(test), list(train))


def any_folder(folder):
    """A folder of pictures: its classes if it has nothing but subfolders and they are classes, else one heap."""
    if not files(folder, deep=False) and not files(folder / "train", deep=False):
        try:
            return class_folders(folder)
        except BadValueError:
            pass  # it matters to those only who want labels
    name = name_of(folder)
    heaps = splits(folder, f"data set {name!r}", HEAP_LAYOUT)
    return LabelledDataset(name, *(numbered({name: heap}) for heap in heaps), [name])


def has_splits(folder):
    """Whether a folder is divided into `train` and `test` (or `val`), which are not names of classes then."""
    names, reserved = {path.name for path in subfolders(folder)}, {"train", *TEST_FOLDERS}
    nothing_else = bool(names) and names <= reserved
    return nothing_else or any(subfolders(folder / name) for name in names & reserved)


def folder_of_tests(folder):
    """The test folder of a divided folder, or None; a BadValueError if its pictures have no labels."""
    for name in TEST_FOLDERS:
        if subfolders(folder / name):
            return folder / name
    for name in TEST_FOLDERS:
        if files(folder / name, deep=False):
            raise no_classes(folder / name)
    return None


def by_class(folder):
    """The picture files in a folder of class folders (and in their subfolders), by the names of the classes."""
    pictures = {path.name: files(path) for path in subfolders(folder)}
    if not pictures:
        raise no_classes(folder)
    empty = ", ".join(repr(name) for name, inside in pictures.items() if not inside)
    if empty:
        raise BadValueError(f"no pictures of class {empty} in {folder}; expected is {CLASS_LAYOUT}.")
    return pictures


def no_classes(folder):
    """The error that there are no class folders in this one."""
    unlabelled = len(files(folder, deep=False))
    there = f"only {unlabelled} pictures without labels" if unlabelled else "and no pictures"
    there = there if folder.is_dir() else "which does not exist"
    return BadValueError(f"no class folders in {folder}, {there}; expected is {CLASS_LAYOUT}.")


def check_same_classes(train, test, folder_train, folder_test):
    """Raises BadValueError unless both splits have the same classes."""
    ways = (train, test, folder_train, folder_test), (test, train, folder_test, folder_train)
    for classes, others, here, there in ways:
        alone = ", ".join(repr(name) for name in classes if name not in others)
        if alone:
            raise BadValueError(f"class {alone} is in {here} but not in {there}: both need the same classes.")


def numbered(pictures):
    """`Labelled` pictures from a dict of classes, numbered in its order."""
    return [Labelled(picture, label) for label, inside in enumerate(pictures.values()) for picture in inside]


# Folders of idx files.


def in_data_dir(name, folder):
    """The idx files of this data set in this folder."""
    if name not in CLASSES:
        what = "no data set is named" if name is None else f"data set {str(name)!r} is named by itself"
        known = " and ".join(CLASSES)
        raise BadValueError(f"{what}: data_dir {str(folder)!r} is for the idx files of {known} only.")
    if not folder.is_dir():
        raise NotFoundError(f"no folder {str(folder)!r} for the four idx files of {name}.")
    return idx_folder(folder, name)


def idx_folder(folder, name):
    """A data set of four idx files. One that is not known, but made like MNIST, has numbers for classes."""
    train = read_idx_split(folder, "train", CLASSES.get(name))
    classes = CLASSES.get(name) or [str(label) for label in range(int(train[1].max()) + 1)]
    return from_arrays(name, (train, read_idx_split(folder, "t10k", classes)), classes)
