"""Finds data sets of single pictures, with or without classes."""

from pathlib import Path
from typing import Any

import numpy as np

from keras_gan import datasets
from keras_gan.datasets import in_memory, load_from_keras, not_found, shards
from keras_gan.datasets.class_folders import any_folder, class_folders
from keras_gan.datasets.folders import available, locate, name_of
from keras_gan.datasets.given import GivenData
from keras_gan.datasets.idx import read_idx_split
from keras_gan.datasets.sets import CLASS_LAYOUT, FLAT_LAYOUT, LabelledDataset
from keras_gan.datasets.shard_names import is_named
from keras_gan.datasets.tables import labelled_by
from keras_gan.errors import BadValueError, NotFoundError, check_name
from keras_gan.images.drawn import DrawnDigit
from keras_gan.images.sources import Half, Labelled

DIGITS = [str(digit) for digit in range(10)]
CLASSES = {
    "mnist": DIGITS,
    "fashion_mnist": [
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ],
}
TITLES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
BUILT_IN = "drawn_digits", "drawn_fruit", "mnist", "fashion_mnist"
Name = str | Path | GivenData | None


def find_labelled(
    name: Name = None,
    data_dir: str | Path | None = None,
    table: str | Path | None = None,
    attributes: str | None = None,
    own_shards: bool = False,
) -> LabelledDataset:
    """Finds a data set whose pictures have classes.

    Args:
        name: one of
            - a folder, below `datasets/` or by path, with one subfolder of pictures per class,
              directly inside (one picture in ten of each class is held out for testing) or in
              `train` and `test` (or `val`); labels follow the natural order of the class names;
            - shards, such as `shards/{00000..00099}.tar`, with KEY.cls beside each KEY.png, or with a column of labels;
            - a folder with the four idx files of MNIST or of a set in the same format;
            - "mnist" or "fashion_mnist", from `keras.datasets`;
            - "drawn_digits": 10,000 training and 1,000 test digits drawn by code;
            - "drawn_fruit": 1,000 apples and 1,000 oranges to train, and 100 of each to test;
            - `GivenData`.
            None: drawn digits, with a notice.
        data_dir: the folder of the idx files of "mnist" or "fashion_mnist", instead of a download.
        table: a CSV file with the classes of a folder's pictures, see `keras_gan.datasets.tables`.
        attributes: the columns of the table that are attributes, between commas, or "all"; None: it has classes.
        own_shards: as of `keras_gan.datasets.find`.

    Returns:
        A `LabelledDataset`.

    Raises:
        NotFoundError: if there is no such data set or table, or an idx file is missing.
        BadValueError: if the pictures have no classes, a class has no pictures, the classes of the
            splits differ, or an idx file is damaged or not what its name says.
    """
    return find_any(name, data_dir, True, table, attributes, own_shards)


def find_pictures(
    name: Name = None,
    data_dir: str | Path | None = None,
    table: str | Path | None = None,
    own_shards: bool = False,
) -> LabelledDataset:
    """Finds a data set of single pictures, with or without classes.

    Args:
        name: as for `find_labelled`, or
            - a folder with pictures directly inside (including subfolders; one picture in ten is
              held out for testing) or in `train` and `test` (or `val`);
            - "drawn_shoes": the coloured shoes.
            None: drawn digits, with a notice.
        data_dir: the folder of the idx files of "mnist" or "fashion_mnist", instead of a download.
        table: a CSV file that names the pictures to take of a folder.
        own_shards: as of `keras_gan.datasets.find`.

    Returns:
        A `LabelledDataset`. Without known classes, all pictures have the same class.

    Raises:
        As `find_labelled`, except that subfolders that cannot be classes count as one class.
    """
    return find_any(name, data_dir, False, table, own_shards=own_shards)


def find_any(
    name: Name,
    data_dir: str | Path | None,
    labels: bool,
    table: str | Path | None = None,
    attributes: str | None = None,
    own_shards: bool = False,
) -> LabelledDataset:
    """Finds a data set, which must have `labels` if asked."""
    layout = CLASS_LAYOUT if labels else FLAT_LAYOUT
    if attributes is not None:
        check_name(attributes=attributes)
    if table is not None:
        return datasets.said(labelled_by(folder_for(name, table), table, attributes, labels))
    if attributes is not None:
        raise BadValueError(
            f"attributes {attributes!r} are columns of a table of labels: name it with --labels FILE.csv."
        )
    if isinstance(name, GivenData):
        return name.labelled() if labels else name.pictures()
    if data_dir is not None:
        check_name(data_dir=data_dir)
        return in_data_dir(name, Path(data_dir))
    if name is None:
        name = "drawn_digits"
        print("No data set named: using the built-in drawn_digits; for your own, name a folder: docs/data.md.")
    if is_named(name):
        return datasets.said(shards.pictures(name, labels, own_shards))
    folder = locate(name)
    if folder is not None:
        if any(folder.glob("*idx[13]-ubyte*")):
            return idx_folder(folder, name_of(folder))
        return datasets.said(class_folders(folder) if labels else any_folder(folder))
    name = str(name)
    if name == "drawn_digits":
        return drawn_digits()
    if name == "drawn_fruit":
        return drawn_fruit()
    if name in CLASSES:
        instead = "name the folder that has its four idx files with --data-dir (data_dir in Python)"
        return from_arrays(name, load_from_keras(name, TITLES[name], instead), CLASSES[name])
    if name == "drawn_shoes" and not labels:
        return drawn_shoes()
    there = available(*BUILT_IN, *(() if labels else ["drawn_shoes"]))
    raise not_found(f"no data set {name!r}{' with labels' * labels}", name, there, layout)


def folder_for(name: Name, table: str | Path) -> Path:
    """The folder of a data set whose labels are in a table."""
    check_name(labels=table)
    folder = locate(name) if isinstance(name, str | Path) else None
    if folder is None:
        which = f"{str(name)!r} is none" if isinstance(name, str | Path) else "no data set is named"
        raise BadValueError(f"labels {str(table)!r} are for a folder of pictures, and {which}: name it with --dataset.")
    return folder


def drawn_digits() -> LabelledDataset:
    """Digits drawn by code, a substitute for MNIST."""
    digits = [Labelled(digit, digit.label) for digit in map(DrawnDigit, range(11_000))]
    return LabelledDataset("drawn_digits", digits[:10_000], digits[10_000:], list(DIGITS))


def drawn_fruit() -> LabelledDataset:
    """Both halves of the drawn pairs."""
    pairs = datasets.find("drawn_fruit")
    train, test = (
        [Labelled(Half(pair, right), int(right)) for pair in split for right in (False, True)]
        for split in (pairs.train, pairs.test)
    )
    return LabelledDataset(pairs.name, train, test, ["apple", "orange"])


def drawn_shoes() -> LabelledDataset:
    """The coloured halves of the drawn pairs."""
    pairs = datasets.find("drawn_shoes")
    train, test = ([Labelled(Half(pair, right=True), 0) for pair in split] for split in (pairs.train, pairs.test))
    return LabelledDataset(pairs.name, train, test, ["shoe"])


def from_arrays(name: str, arrays: tuple, classes: list[str]) -> LabelledDataset:
    """A data set of arrays: ((training images, labels), (test images, labels))."""
    train, test = (
        [Labelled(*pair) for pair in zip(in_memory(images, f"{name} {split}"), np.ravel(labels).tolist(), strict=True)]
        for split, (images, labels) in zip(("train", "test"), arrays, strict=True)
    )
    return LabelledDataset(name, train, test, list(classes))


def in_data_dir(name: Any, folder: Path) -> LabelledDataset:
    """A data set from its idx files in `data_dir`."""
    if name not in CLASSES:
        what = "no data set is named" if name is None else f"data set {str(name)!r} is named by itself"
        known = " and ".join(CLASSES)
        raise BadValueError(f"{what}: data_dir {str(folder)!r} is for the idx files of {known} only.")
    if not folder.is_dir():
        raise NotFoundError(f"no folder {str(folder)!r} for the four idx files of {name}.")
    return idx_folder(folder, name)


def idx_folder(folder: Path, name: str) -> LabelledDataset:
    """A data set of four idx files. An unknown one has numbers as class names."""
    train = read_idx_split(folder, "train", CLASSES.get(name))
    classes = CLASSES.get(name) or [str(label) for label in range(int(train[1].max()) + 1)]
    return from_arrays(name, (train, read_idx_split(folder, "t10k", classes)), classes)
