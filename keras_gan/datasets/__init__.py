"""Finds data sets: folders below `datasets/`, folders by path, and built-in ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.datasets import shards
from keras_gan.datasets.catalogue import how_to_get
from keras_gan.datasets.folders import available, files, locate, name_of
from keras_gan.datasets.given import GivenData
from keras_gan.datasets.parts import remarks, splits
from keras_gan.datasets.sets import FLAT_LAYOUT, PAIRED_LAYOUTS, UNPAIRED_LAYOUTS, Dataset, UnpairedDataset
from keras_gan.datasets.shard_names import is_named, places_of
from keras_gan.datasets.stacks import stacked_pairs, stacked_side
from keras_gan.datasets.two_sides import pairs_in, pairs_of_two, separate, separate_folder, two_folders, unpaired_in
from keras_gan.errors import BadValueError, NoDataSetError, NotFoundError
from keras_gan.images.drawn import DrawnFruit, DrawnShoe
from keras_gan.images.sources import Gray, Pixels

__all__ = ["Dataset", "UnpairedDataset", "files", "find", "find_unpaired"]

Name = str | Path
Names = Name | Sequence[Name]  # several: the folders of side A
DRAWN = {"drawn_shoes": DrawnShoe, "drawn_fruit": DrawnFruit}  # of pairs
BUILT_IN = *DRAWN, "drawn_digits", "gray2colour", "mnist", "fashion_mnist"  # here or in `labelled`
REAL_SHOES = "for real photos, python -m keras_gan.datasets download edges2shoes"


def find(name: Names | GivenData | None = None, name_B: Name | None = None, own_shards: bool = False) -> Dataset:
    """Finds a paired data set.

    Args:
        name: one of
            - a folder, below `datasets/` or by path, whose pictures show a pair side by side, in
              `train` and `val` (or `test`) or directly inside; without a test split, every tenth
              picture by name is held out;
            - a folder with trainA and trainB (and valA and valB, or testA and testB), or with A and B,
              where pictures of the same name are a pair, whatever their extensions;
            - with `name_B`: the folder of side A, with the same picture names as side B; or several, whose
              pictures of the same name become one, channels behind channels;
            - shards, such as `shards/{00000..00099}.tar`, see `keras_gan.datasets.shards`;
            - "drawn_shoes" or "drawn_fruit";
            - `GivenData`, of pairs.
            None: the folder `datasets/edges2shoes` if it exists, else "drawn_shoes", with a notice.
        name_B: the folder of side B.
        own_shards: whether each of several hosts opens its own shards only, see `keras_gan.datasets.own_shards`.

    Returns:
        A `Dataset`.

    Raises:
        NotFoundError: if there is no such data set.
        BadValueError: if a split has no pictures, a picture lacks the matching one, or pictures are no pairs.
    """
    if isinstance(name, GivenData):
        return name.paired()
    if name_B is not None:
        check_no_shards(name, name_B)
        folders, folder_B = locate_both(name, name_B, PAIRED_LAYOUTS)
        return said(stacked_pairs(pairs_of_two(folders[0], folder_B), folders))
    name = one_of(name)
    if is_named(name):
        return said(shards.pairs(name, own_shards))
    if name is None:
        name = "edges2shoes" if locate("edges2shoes") else "drawn_shoes"
        if name == "drawn_shoes":
            print(f"No data set named and no datasets/edges2shoes here: using the built-in drawn_shoes; {REAL_SHOES}.")
    folder = locate(name)
    if folder is not None:
        return said(pairs_in(folder))
    if str(name) in DRAWN:
        train, test = (list(map(DRAWN[str(name)], numbers)) for numbers in (range(1000), range(1000, 1100)))
        return Dataset(str(name), train, test)
    raise not_found(f"no data set {str(name)!r}", name, available(*DRAWN), PAIRED_LAYOUTS)


def find_unpaired(
    name: Names | GivenData | None = None, name_B: Name | None = None, own_shards: bool = False
) -> UnpairedDataset:
    """Finds an unpaired data set.

    Args:
        name: one of
            - a folder, below `datasets/` or by path, with trainA, trainB, testA and testB (or valA and
              valB, or every tenth picture is held out), or with A and B;
            - with `name_B`: the folder of side A, with pictures in `train` (and `test` or `val`) or
              directly inside; without a test split, every tenth picture by name is held out; or several,
              whose pictures of the same name become one, channels behind channels;
            - "gray2colour": B are colour pictures and A their gray versions. The pictures are CIFAR-10
              from `keras.datasets` or, with "gray2colour:FOLDER", all in a folder and its subfolders
              (`train`, and `test` or `val`; or one in ten held out);
            - "drawn_fruit": A are apples, B oranges;
            - "drawn_shoes": A are line drawings, B coloured shoes;
            - a folder of pairs, or shards, as for `find`; with `name_B`, shards of side A;
            - `GivenData`, of two sides.
            For training, pairs and drawings are separated: A from even pairs, B from odd ones.
            None: drawn fruit, with a notice.
        name_B: the folder of side B.
        own_shards: as of `find`.

    Returns:
        An `UnpairedDataset`. For "gray2colour", drawings and pairs, `test_A` and `test_B` are made
        from the same pictures in the same order, so that translations can be scored.

    Raises:
        NotFoundError: if there is no such data set.
        BadValueError: if a side has no pictures, or both sides are the same folder.
    """
    if isinstance(name, GivenData):
        return name.unpaired()
    if name_B is not None and (is_named(name) or is_named(name_B)):
        return said(shards.two_sides(name, name_B, own_shards))
    if name_B is not None:
        folders, folder_B = locate_both(name, name_B, UNPAIRED_LAYOUTS)
        return said(stacked_side(two_folders(folders[0], folder_B), folders))
    name = one_of(name)
    if is_named(name):
        return said(shards.sides(name, own_shards))
    if name is None:
        name = "drawn_fruit"
        print(
            "No data set named: using the built-in drawn_fruit; "
            "for your own pictures, name a folder with trainA, trainB, testA and testB, or two folders."
        )
    folder = locate(name)
    if folder is not None:
        return said(unpaired_in(folder) or separate_folder(folder))
    if str(name) in DRAWN:
        return separate(find(name))
    if str(name) == "gray2colour":
        train, test = cifar10()
        return gray2colour("gray2colour", train, test)
    kind, _, path = str(name).partition(":")
    if kind == "gray2colour" and is_named(path):
        return said(shards.gray(path, own_shards))
    if kind == "gray2colour" and path:
        folder = locate_existing(path)
        found = splits(folder, "side B", UNPAIRED_LAYOUTS, classes=True)
        name = f"gray2colour-{name_of(folder)}"
        return said(gray2colour(name, found.train, found.test, remarks(folder, found.unused)))
    raise missing(name)


def said(found: Any) -> Any:
    """Prints the remarks on a data set, and the channels of several folders. Returns it."""
    if getattr(found, "stacked", ()):
        print(f"{found.name}: A has {' + '.join(map(str, found.stacked))} = {sum(found.stacked)} channels")
    for remark in found.remarks:
        print(f"{found.name}: {remark}")
    return found


def one_of(names: Any) -> Name | None:
    """The only name. Raises BadValueError if there are several."""
    if isinstance(names, tuple | list):
        raise BadValueError(f"{', '.join(map(str, names))} are folders of side A: name the one of side B, too.")
    return names


def locate_both(names_A: Names | None, name_B: Name, layouts: str) -> tuple[list[Path], Path]:
    """The folders of side A, one or several, and of side B. Raises an error that names the missing one."""
    if names_A is None:
        raise BadValueError(f"the folder {str(name_B)!r} is for side B: name one for side A, too.")
    names = [names_A] if isinstance(names_A, str | Path) else names_A
    for name in names:
        if str(name).partition(":")[0] in (*DRAWN, "gray2colour") and locate(name) is None:
            raise BadValueError(
                f"data set {str(name)!r} has both sides: it takes no folder for side B, {str(name_B)!r}."
            )
    return [locate_existing(name, layouts) for name in names], locate_existing(name_B, layouts)


def gray2colour(name: str, train: list, test: list, remarks: tuple[str, ...] = ()) -> UnpairedDataset:
    """The pictures on side B and their gray versions on side A."""
    return UnpairedDataset(name, [Gray(p) for p in train], train, [Gray(p) for p in test], test, remarks)


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


def check_no_shards(*names: Any) -> None:
    """Raises BadValueError if one of both sides of pairs is in shards."""
    if named := [name for name in names if is_named(name)]:
        raise BadValueError(
            f"{str(named[0])!r} are shards of one side: pairs in shards are one list, of KEY.a.png and KEY.b.png."
        )


def check_name_is_known(name: Name, own_shards: bool = False) -> None:
    """Raises an error if no folder, no shards and no built-in data set have this name, before anything slow begins.

    With `own_shards`, some may be on other hosts.
    """
    kind, _, path = str(name).partition(":")
    folder = path if kind == "gray2colour" and path else name
    if is_named(folder):
        places_of(folder, are_here=not own_shards)
    elif str(folder) not in BUILT_IN and locate(folder) is None:
        raise not_found(f"no data set {str(folder)!r}", folder, available(*DRAWN), FLAT_LAYOUT)


def locate_existing(name: Name, layouts: str = UNPAIRED_LAYOUTS) -> Path:
    """The folder of this name. Raises NotFoundError if there is none."""
    folder = locate(name)
    if folder is None:
        raise missing(name, layouts)
    return folder


def missing(name: Name, layouts: str = UNPAIRED_LAYOUTS) -> NoDataSetError:
    """The error for an unknown data set of two sides."""
    there = available("drawn_fruit", "gray2colour") if layouts is UNPAIRED_LAYOUTS else available(*DRAWN)
    return not_found(f"no data set {str(name)!r}", name, there, layouts)


def not_found(what: str, name: Name, there: str, layouts: str) -> NoDataSetError:
    """The error for an unknown name. If the catalogue has it, the message says how to get it."""
    hint = how_to_get(name)
    if "://" in str(name):
        hint = "an address; download what it has and name the file, or hf:NAME for the Hugging Face hub; "
    elif set(str(name)) & set("{}[]*?"):
        hint = "in lists of shards, {000..099}, {a,b} and * stand for several; "
    return NoDataSetError(f"{what}: {hint}available are {there}; expected {layouts}.", name)
