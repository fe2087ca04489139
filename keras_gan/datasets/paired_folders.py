"""Pairs in two folders: pictures of the same name, whatever their extensions."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from keras_gan.datasets.folders import files, has_pictures, hold_out, instead
from keras_gan.datasets.parts import TESTS, existing_splits, sided_folders, split_folders
from keras_gan.datasets.roles import Role
from keras_gan.errors import BadValueError, NotFoundError

NAMED = 3  # an error names this many files and counts the rest


def paired_folders(folder_A: Path, folder_B: Path) -> dict:
    """The pairs of two folders, each with its pictures inside or in `train` and `val` (or `test`).

    Returns:
        {"train": {name: (path of A, path of B)}, "val": the same}. Without a test split, `val` is one pair in ten.

    Raises:
        NotFoundError: if a folder is missing.
        BadValueError: if a picture lacks the matching one, two have the same name, a split has no
            pictures, or both folders are the same.
    """
    if folder_A.resolve() == folder_B.resolve():
        raise BadValueError(f"A and B are the same folder, {folder_A} and {folder_B}; name two different ones.")
    return with_test(matched(folder_A, by_name(folder_A), folder_B, by_name(folder_B)), folder_B)


def paired_sides(folder: Path) -> dict:
    """Like `paired_folders`, for one folder with trainA and trainB, and optionally valA and valB (or testA, testB)."""
    places = sided_folders(folder)
    tested = tested_sides(places, TESTS)
    splits: list[dict] = []
    for side in "AB":
        train = places.get(Role("train", side), folder / f"train{side}")
        test = places.get(Role(tested, side), folder / f"{tested}{side}")
        if not has_pictures(train):
            raise BadValueError(f"no pictures in {train}{instead(train)}.")
        splits.append({"train": named(files(train), train), "val": named(files(test), test)})
    if not any(found["val"] for found in splits):
        splits = [{None: found["train"]} for found in splits]
    return with_test(matched(folder, splits[0], folder, splits[1]), folder / "trainB")


def tested_sides(places: dict[Role, Path], tests: tuple[str, ...]) -> str:
    """The first of the splits `tests` of which a side has pictures, or else a folder; or else the first."""
    there = [role for name in tests for role in (Role(name, "A"), Role(name, "B")) if role in places]
    full = (role.split for role in there if has_pictures(places[role]))
    return next(full, there[0].split if there else tests[0])


def by_name(folder: Path, tests: tuple[str, ...] = TESTS) -> dict:
    """The pictures of a folder, {split: {name: path}}. Without a test split, the only key is None."""
    if not folder.is_dir():
        raise NotFoundError(f"no folder {str(folder)!r}.")
    train, val, _ = existing_splits(folder, tests)
    if not train:
        raise BadValueError(
            f"no pictures in {folder} or {folder / 'train'}{instead(folder)}; expected pictures directly inside, "
            "or in train and val (or test)."
        )
    places = [*(path for paths in split_folders(folder).values() for path in paths), folder]
    splits: dict[Any, list] = {"train": train, "val": val} if val else {None: train}
    return {split: named(paths, *places) for split, paths in splits.items()}


def named(paths: list[Path], *places: Path) -> dict[str, Path]:
    """{name: path}. The name is the path relative to the first matching place, without extension.

    Raises BadValueError if two names differ at most in case: on macOS and Windows 1.png and 1.PNG are one file.
    """
    found, alike = {}, defaultdict(list)
    for path in paths:
        place = next(place for place in places if place in path.parents)
        name = path.relative_to(place).with_suffix("").as_posix()
        found[name] = path
        alike[name.casefold()].append(path)
    twice = next((same for same in alike.values() if len(same) > 1), None)
    if twice:
        raise BadValueError(f"{' and '.join(map(str, twice))} would become the same file; rename or move all but one.")
    return found


def matched(folder_A: Path, splits_A: dict, folder_B: Path, splits_B: dict) -> dict:
    """{split: {name: (path of A, path of B)}}. Raises BadValueError that names unmatched pictures."""
    if set(splits_A) != set(splits_B):
        first, other = (folder_A, folder_B) if "val" in splits_A else (folder_B, folder_A)
        raise BadValueError(
            f"{first} has a test split (val or test) and {other} has none; either both must have one or neither."
        )
    alone = [
        path
        for split in splits_A
        for mine, its in ((splits_A[split], splits_B[split]), (splits_B[split], splits_A[split]))
        for name, path in mine.items()
        if name not in its
    ]
    if alone:
        more = f" and {len(alone) - NAMED} more" if len(alone) > NAMED else ""
        raise BadValueError(
            f"pictures without a match of the same name, {len(alone)} in all: "
            f"{', '.join(map(str, alone[:NAMED]))}{more}; add the missing ones or move these away."
        )
    return {
        split: {name: (path, splits_B[split][name]) for name, path in found.items()}
        for split, found in splits_A.items()
    }


def with_test(jobs: dict, folder: Path) -> dict:
    """{"train": jobs, "val": jobs} of {split: jobs}. Without a test split, every tenth by name is held out."""
    if None not in jobs:
        return jobs
    every = jobs[None]
    train, val = hold_out(list(every), folder)
    return {"train": {name: every[name] for name in train}, "val": {name: every[name] for name in val}}
