"""The pictures of both sides in one folder or in two: pairs, or two sets without pairs."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from keras_gan.datasets.folders import files, has_pictures, hold_out, instead, name_of, subfolders
from keras_gan.datasets.paired_folders import paired_folders, paired_sides, tested_sides
from keras_gan.datasets.parts import (
    TEST_FOLDERS,
    TESTS,
    existing_splits,
    files_in,
    remarks,
    side_folders,
    sided_folders,
    split_folders,
    splits,
    unused,
)
from keras_gan.datasets.roles import Role
from keras_gan.datasets.sets import PAIRED_LAYOUTS, UNPAIRED_LAYOUTS, Dataset, UnpairedDataset
from keras_gan.errors import BadValueError
from keras_gan.images.sources import Half, Sides

SIDES = "side A", "side B"


def pairs_in(folder: Path) -> Dataset:
    """The pairs in one folder."""
    places, both = sided_folders(folder), side_folders(folder)
    if places and "train" in split_folders(folder) and any(path.parent == folder for path in places.values()):
        places = {}  # trainA and trainB beside train, which has the pairs
    if places:
        used = [places[role] for role in places if role.split in ("train", tested_sides(places, TESTS))]
        jobs = sides_as_pairs(folder, paired_sides, folder)
        return of_sides(name_of(folder), jobs, remarks(folder, unused(folder, used)))
    if both:
        jobs = sides_as_pairs(folder, paired_folders, *both)
        return of_sides(name_of(folder), jobs, remarks(folder, unused_of_two(folder, both, TESTS)))
    found = splits(folder, f"data set {str(folder)!r}", PAIRED_LAYOUTS, TESTS)
    return Dataset(name_of(folder), found.train, found.test, remarks(folder, found.unused))


def unused_of_two(folder: Path, sides: tuple[Path, Path], tests: tuple[str, ...]) -> list[str]:
    """What is not used of a folder of two sides: what is beside them, and inside of them."""
    inside = [f"{side.name}/{text}" for side in sides for text in existing_splits(side, tests).unused]
    return unused(folder, sides) + inside


def pairs_of_two(folder_A: Path, folder_B: Path) -> Dataset:
    """The pairs of two folders."""
    jobs = paired_folders(folder_A, folder_B)
    left = [text for side in (folder_A, folder_B) for text in remarks(side, existing_splits(side, TESTS).unused, True)]
    return of_sides(f"{name_of(folder_A)}2{name_of(folder_B)}", jobs, tuple(left))


def of_sides(name: str, jobs: dict, remarks: tuple[str, ...]) -> Dataset:
    """The data set of the result of `paired_folders`."""
    train, test = ([Sides(*paths) for paths in jobs[split].values()] for split in ("train", "val"))
    return Dataset(name, train, test, remarks)


def sides_as_pairs(folder: Path, pairing: Callable, *folders: Path) -> dict:
    """The pairs of two sides. Raises BadValueError, with a hint to CycleGAN, if they are unpaired."""
    try:
        return pairing(*folders)
    except BadValueError as error:
        raise BadValueError(
            f"{folder} holds two unpaired sides, A and B, not pairs: python -m keras_gan.cyclegan "
            f"takes it; for pairs, {error}"
        ) from error


def unpaired_in(folder: Path) -> UnpairedDataset | None:
    """The two sides of one folder, or None if it has no folders of sides."""
    places, both = sided_folders(folder), side_folders(folder)
    if places:
        return four_folders(folder, places)
    if not both:
        return None
    found = two_folders(*both)
    left = remarks(folder, unused_of_two(folder, both, TEST_FOLDERS))
    return replace(found, name=name_of(folder), remarks=left)


def four_folders(folder: Path, places: dict[Role, Path]) -> UnpairedDataset:
    """A folder with trainA and trainB, and testA and testB or valA and valB, or one picture in ten held out."""
    tested = tested_sides(places, TEST_FOLDERS)
    has_test = any(role.split == tested for role in places)
    found: dict[str, list[Path]] = {}
    for split in ("train", tested) if has_test else ("train",):
        for side in "AB":
            place = places.get(Role(split, side), folder / f"{split}{side}")
            found[f"{split}{side}"] = files(place)
            if not found[f"{split}{side}"]:
                raise BadValueError(
                    f"side {side} has no pictures in {place}{instead(place)}; expected {UNPAIRED_LAYOUTS}."
                )
    check_different(places[Role("train", "A")], places[Role("train", "B")])
    train_A, train_B = found["trainA"], found["trainB"]
    if has_test:
        test_A, test_B = found[f"{tested}A"], found[f"{tested}B"]
    else:
        (train_A, test_A), (train_B, test_B) = hold_out(train_A, SIDES[0]), hold_out(train_B, SIDES[1])
    used = [path for role, path in places.items() if role.split in ("train", tested)]
    left = remarks(folder, unused(folder, used))
    return UnpairedDataset(name_of(folder), train_A, train_B, test_A, test_B, left)


def two_folders(folder_A: Path, folder_B: Path) -> UnpairedDataset:
    """One folder per side."""
    check_different(folder_A, folder_B)
    A, B = (splits(folder, side, UNPAIRED_LAYOUTS) for folder, side in ((folder_A, SIDES[0]), (folder_B, SIDES[1])))
    left = [text for folder, side in ((folder_A, A), (folder_B, B)) for text in remarks(folder, side.unused, True)]
    name = f"{name_of(folder_A)}2{name_of(folder_B)}"
    return UnpairedDataset(name, A.train, B.train, A.test, B.test, tuple(left))


def separate_folder(folder: Path) -> UnpairedDataset:
    """A folder of pairs. Prints a notice, since the user might have meant it as one of two sides."""
    train = split_folders(folder).get("train", [folder / "train"])
    if not files_in(train):
        raise BadValueError(
            f"no pictures in {train[0]}{instead(train[0], folder)}{as_two(folder)}; expected {UNPAIRED_LAYOUTS}."
        )
    found = splits(folder, f"data set {folder.name!r}", UNPAIRED_LAYOUTS, TESTS)
    if len(found.train) == 1:
        raise BadValueError(f"{train[0]} has only one pair: side B needs another one.")
    print(f"No trainA and trainB in {folder}: using its pictures as pairs, left halves for A and right halves for B.")
    return separate(Dataset(name_of(folder), found.train, found.test, remarks(folder, found.unused)))


def as_two(folder: Path) -> str:
    """How to name the two folders of pictures in a folder, if there are two."""
    inside = [shlex.quote(str(path)) for path in subfolders(folder) if has_pictures(path)]
    return f"; for two sides: --dataset {inside[0]} --dataset-B {inside[1]}" if len(inside) == 2 else ""


def separate(pairs: Dataset) -> UnpairedDataset:
    """Unpairs training pictures: left halves of even pairs, right halves of odd ones. Test pairs stay complete."""
    return UnpairedDataset(
        pairs.name,
        [Half(pair, right=False) for pair in pairs.train[::2]],
        [Half(pair, right=True) for pair in pairs.train[1::2]],
        [Half(pair, right=False) for pair in pairs.test],
        [Half(pair, right=True) for pair in pairs.test],
        pairs.remarks,
    )


def check_different(folder_A: Path, folder_B: Path) -> None:
    """Raises BadValueError if both sides resolve to the same folder."""
    places = {split_folders(folder).get("train", [folder])[0].resolve() for folder in (folder_A, folder_B)}
    if len(places) == 1:
        raise BadValueError(f"sides A and B are the same folder, {folder_A} and {folder_B}; name two different ones.")
