"""The parts of a data set's folder: which of its subfolders are splits, sides or classes, and what is left over."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from keras_gan.datasets.folders import (
    PHOTOS,
    counted,
    files,
    first_few,
    has_pictures,
    hold_out,
    instead,
    other_files,
    subfolders,
)
from keras_gan.datasets.roles import Role, roles_of
from keras_gan.errors import BadValueError

TEST_FOLDERS = "test", "val"  # the order in which models of unpaired or single pictures look for test pictures
TESTS = "val", "test"  # and that of models of pairs
TRAIN = Role("train", "")


class Splits(NamedTuple):
    """The pictures of a folder to train and to test, and the names and numbers of those that are not used."""

    train: list[Path]
    test: list[Path]
    unused: list[str]


def roles_in(folder: Path) -> list[tuple[Path, Role | None]]:
    """The visible subfolders of a folder in natural order, and the role that the name of each tells, or None."""
    inside = subfolders(folder)
    roles = roles_of(path.name for path in inside)
    return [(path, roles.get(path.name)) for path in inside]


def split_folders(folder: Path, classes: bool = False) -> dict[str, list[Path]]:
    """{split: its folders} in a folder. With `classes`, a class is called train if others stand beside it."""
    found: dict[str, list[Path]] = {}
    others = []
    for path, role in roles_in(folder):
        if role and role.split and not role.side:
            found.setdefault(role.split, []).append(repeated(path))
        elif classes and not (role and role.split) and has_pictures(path):
            others.append(path)
    if not others or (set(found) != {"train"} and has_pictures(folder, deep=False)):
        return found
    if has_classes(found):
        return {} if set(found) == {"train"} and len(others) > 1 else found
    return {} if len(found) == 1 or "train" not in found else found


def repeated(folder: Path) -> Path:
    """The folder; or the only thing in it, if that is a folder of the same name, as in `seg_train/seg_train`."""
    inside = subfolders(folder)
    is_repeated = len(inside) == 1 and inside[0].name == folder.name and not has_pictures(folder, deep=False)
    return inside[0] if is_repeated else folder


def has_classes(splits: dict[str, list[Path]]) -> bool:
    """Whether one of these splits has subfolders, as for classes."""
    return any(subfolders(path) for paths in splits.values() for path in paths)


def sided_folders(folder: Path) -> dict[Role, Path]:
    """The folders of both split and side: `trainA`; or `train/A`, if each split has A and B. Empty if none are."""
    found = [(path, role) for path, role in roles_in(folder) if role and role.split and role.side]
    first: dict[Role, Path] = {}
    for path, role in found or inner_sides(folder):
        if role not in first or not has_pictures(first[role]):
            first[role] = path
    return first


def inner_sides(folder: Path) -> list[tuple[Path, Role]]:
    """The folders of sides in the splits of a folder, with their roles; none unless each split has both sides."""
    found: list[tuple[Path, Role]] = []
    for split, places in split_folders(folder).items():
        inside = [(path, role) for place in places for path, role in roles_in(place) if role and role.side]
        of_split = [(path, Role(split, role.side)) for path, role in inside if role.split in ("", split)]
        if len({role for _, role in of_split}) < 2:
            return []
        found += of_split
    return found


def side_folders(folder: Path) -> tuple[Path, Path] | None:
    """The folders `A` and `B` in a folder without splits, or None."""
    if split_folders(folder):
        return None
    sides = {role.side: path for path, role in reversed(roles_in(folder)) if role and not role.split}
    return (sides["A"], sides["B"]) if {"A", "B"} <= set(sides) else None


def has_more_folders(folder: Path) -> bool:
    """Whether pictures lie in subfolders that are neither splits nor sides, in a folder or in its splits."""
    places = [folder, *(path for paths in split_folders(folder).values() for path in paths)]
    return any(not role and has_pictures(path) for place in places for path, role in roles_in(place))


def existing_splits(folder: Path, tests: tuple[str, ...] = TEST_FOLDERS, classes: bool = False) -> Splits:
    """The pictures of a folder. `test` comes from the first non-empty split of `tests`, or is empty.

    `train` comes from the split of this name or else from everything outside the splits. `classes` as in
    `split_folders`.
    """
    places = split_folders(folder, classes)
    train = files_in(places.get("train", []))
    tested = next((name for name in tests if any(map(has_pictures, places.get(name, [])))), None)
    test = files_in(places[tested]) if tested else []
    if train:
        return Splits(train, test, unused(folder, [*places["train"], *(places[tested] if tested else [])]))
    rest = [path for split in places.values() for path in split]
    ignored = [(path.name, len(files(path))) for name in tests if name != tested for path in places.get(name, [])]
    return Splits(files(folder, without=rest), test, amounts(ignored))


def files_in(folders: Iterable[Path]) -> list[Path]:
    """The picture files in these folders and their subfolders."""
    return [path for folder in folders for path in files(folder)]


def splits(
    folder: Path, whose: str, layouts: str, tests: tuple[str, ...] = TEST_FOLDERS, classes: bool = False
) -> Splits:
    """The pictures of a folder, as of `existing_splits`. Without a test split, one picture in ten is held out.

    Raises:
        BadValueError: if there are no training pictures, or a test folder is empty. The message names
            `whose` pictures are missing and the expected `layouts`.
    """
    found = existing_splits(folder, tests, classes)
    places = split_folders(folder, classes)
    if not found.train:
        there = instead(folder)
        train = places.get("train", [folder / "train"])[0]
        raise BadValueError(f"{whose} has no pictures in {folder} or {train}{there}; expected {layouts}.")
    if not found.test and any(name in places for name in tests):
        empty = [places.get(name, [folder / name])[0] for name in tests]
        there = instead(*empty)
        raise BadValueError(f"{whose} has no pictures in {' or '.join(map(str, empty))}{there}; expected {layouts}.")
    return found if found.test else Splits(*hold_out(found.train, whose), found.unused)


def unused(folder: Path, used: Iterable[Path]) -> list[str]:
    """The names of the subfolders that have pictures outside the folders `used`, and their numbers."""
    counts: Counter[str] = Counter()
    for path in files(folder, without=used):
        place = path.relative_to(folder).parts
        counts[place[0] if len(place) > 1 else "beside the folders"] += 1
    return amounts(counts.items())


def amounts(counts: Iterable[tuple[str, int]]) -> list[str]:
    """Names with their numbers of pictures, without those that have none."""
    return [f"{name} ({counted(count)})" for name, count in counts if count]


def remarks(folder: Path, unused: list[str], named: bool = False) -> tuple[str, ...]:
    """The remark on what is not used of a folder, pictures of unknown kinds among it, if there is any.

    With `named` it names the folder.
    """
    unread = other_files(folder, PHOTOS)
    left_over = [first_few(unused)] * bool(unused) + [unread] * bool(unread)
    place = f" in {folder}" if named else ""
    return (f"not used{place}: {', '.join(left_over)}",) if left_over else ()
