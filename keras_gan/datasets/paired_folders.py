"""Pairs in two folders: pictures of the same name belong together, whatever their endings."""

from collections import defaultdict

from keras_gan.datasets.folders import files, held_out, set_apart
from keras_gan.errors import BadValueError, NotFoundError

TESTS = "val", "test"  # the order in which paired data sets are searched
NAMED = 3  # so many files are named in an error, the others counted


def paired_folders(folder_A, folder_B):
    """The pairs of two folders, each with its pictures inside or in `train` and `val` (or `test`).

    Returns:
        {"train": {name: (path of A, path of B)}, "val": the same}; one in ten is for `val` where nothing is set apart.

    Raises:
        NotFoundError: if a folder is missing.
        BadValueError: if a picture has no partner or two have the same name, a split has no pictures,
            or both folders are the same.
    """
    if folder_A.resolve() == folder_B.resolve():
        raise BadValueError(f"A and B are the same folder, {folder_A} and {folder_B}; name two different ones.")
    return with_test(partners(folder_A, by_name(folder_A), folder_B, by_name(folder_B)), folder_B)


def paired_sides(folder):
    """As `paired_folders`, of one folder with trainA and trainB, and perhaps testA and testB."""
    splits = []
    for side in "AB":
        train, test = (folder / f"{split}{side}" for split in ("train", "test"))
        if not files(train):
            raise BadValueError(f"no pictures in {train}.")
        splits.append({"train": named(files(train), train), "val": named(files(test), test)})
    if not any(found["val"] for found in splits):
        splits = [{None: found["train"]} for found in splits]
    return with_test(partners(folder, splits[0], folder, splits[1]), folder / "trainB")


def by_name(folder):
    """The pictures of a folder, {split: {name: path}}; the one split is None where none is set apart."""
    if not folder.is_dir():
        raise NotFoundError(f"no folder {str(folder)!r}.")
    train, val = set_apart(folder, TESTS)
    if not train:
        raise BadValueError(
            f"no pictures in {folder} or {folder / 'train'}; expected are pictures directly inside, "
            "or in train and val (or test)."
        )
    places = [*(folder / name for name in ("train", *TESTS)), folder]
    splits = {"train": train, "val": val} if val else {None: train}
    return {split: named(paths, *places) for split, paths in splits.items()}


def named(paths, *places):
    """{name: path}: the path below the first of these places that it is in, without its ending.

    BadValueError if two have the same, also but for capitals: on macOS and Windows 1.png and 1.PNG are one file.
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


def partners(folder_A, splits_A, folder_B, splits_B):
    """{split: {name: (path of A, path of B)}}, or a BadValueError that names pictures without a partner."""
    if set(splits_A) != set(splits_B):
        first, other = (folder_A, folder_B) if "val" in splits_A else (folder_B, folder_A)
        raise BadValueError(
            f"{first} has pictures set apart in val or test and {other} has not; both must have the same."
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
            f"pictures without a partner of the same name, {len(alone)} in all: "
            f"{', '.join(map(str, alone[:NAMED]))}{more}; add the partners or move these away."
        )
    return {
        split: {name: (path, splits_B[split][name]) for name, path in found.items()}
        for split, found in splits_A.items()
    }


def with_test(jobs, folder):
    """{"train": jobs, "val": jobs} of {split: jobs}: every tenth by name is held out where none are set apart."""
    if None not in jobs:
        return jobs
    every = jobs[None]
    names = held_out(list(every), folder)
    return {
        split: {name: every[name] for name in inside} for split, inside in zip(("train", "val"), names, strict=True)
    }
