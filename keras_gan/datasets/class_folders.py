"""Folders of single pictures: with a folder per class, or without classes."""

from pathlib import Path

from keras_gan.datasets.folders import files, first_few, has_pictures, hold_out, instead, name_of, subfolders
from keras_gan.datasets.parts import (
    TEST_FOLDERS,
    Splits,
    existing_splits,
    files_in,
    remarks,
    roles_in,
    sided_folders,
    split_folders,
    splits,
    unused,
)
from keras_gan.datasets.roles import role_of
from keras_gan.datasets.sets import CLASS_LAYOUT, FLAT_LAYOUT, LabelledDataset
from keras_gan.errors import BadValueError
from keras_gan.images.sources import Labelled

Places = dict[str, list[Path]]  # the folders of each class


def class_folders(folder: Path) -> LabelledDataset:
    """A folder with one subfolder per class, directly inside or in `train` and `test` (or `val`).

    Of trainA, trainB, testA and testB, the classes are A and B. Without splits, each class may have its own.
    """
    places, tops = class_places(folder)
    if not places:
        return undivided(folder)
    train = by_class(places.get("train", {}), tops["train"][0])
    tested = next((name for name in TEST_FOLDERS if places.get(name)), None)
    if tested:
        test = by_class(places[tested], tops[tested][0])
        check_same_classes(train, test, tops["train"][0], tops[tested][0])
    else:
        unlabelled = next(
            (top for name in TEST_FOLDERS for top in tops.get(name, []) if has_pictures(top, False)), None
        )
        if unlabelled:
            raise no_classes(unlabelled)
        train, test = held_out(train)
    used = [path for name in ("train", tested) for of_class in places.get(name or "", {}).values() for path in of_class]
    left = remarks(folder, unused(folder, used))
    return LabelledDataset(name_of(folder), numbered(train), numbered(test), list(train), left, not tested)


def class_places(folder: Path) -> tuple[dict[str, Places], Places]:
    """({split: the folders of its classes}, {split: the folders of the split}), both empty if there are no splits."""
    sides = direct_sides(folder)
    if sides:
        tops = {split: [folder] for split, _ in sides}
        places = {split: {role.side: [path] for role, path in sides.items() if role.split == split} for split in tops}
        return places, {"train": [folder], **tops}
    tops = split_folders(folder, classes=True)
    places = {}
    for split, paths in tops.items():
        places[split] = Places()
        for path in (inside for top in paths for inside in subfolders(top)):
            places[split].setdefault(path.name, []).append(path)
    return places, {"train": [folder / "train"], **tops} if tops else {}


def direct_sides(folder: Path) -> dict:
    """{role: path} of trainA, trainB and the like directly in a folder."""
    return {role: path for role, path in sided_folders(folder).items() if path.parent == folder}


def undivided(folder: Path) -> LabelledDataset:
    """A folder of class folders. Each may have splits inside; otherwise one picture in ten of it is held out."""
    inside = {path.name: existing_splits(path, classes=True) for path in subfolders(folder)}
    check_classes({name: found.train for name, found in inside.items()}, folder)
    train, test = held_out({name: found.train for name, found in inside.items() if not found.test})
    train = {name: found.train if found.test else train[name] for name, found in inside.items()}
    test = {name: found.test or test[name] for name, found in inside.items()}
    left = [f"{name}/{text}" for name, found in inside.items() for text in found.unused]
    is_held_out = not any(found.test for found in inside.values())
    sets = numbered(train), numbered(test), list(train)
    return LabelledDataset(name_of(folder), *sets, remarks(folder, left), is_held_out)


def any_folder(folder: Path) -> LabelledDataset:
    """A folder of pictures. If it contains only subfolders that can be classes, these are its classes."""
    sides, places = direct_sides(folder), split_folders(folder, classes=True)
    if sides or not any(has_pictures(place, deep=False) for place in (folder, *places.get("train", []))):
        try:
            return class_folders(folder)
        except BadValueError:
            pass  # no labels were asked for
    name = name_of(folder)
    found = without_sides(folder, name) if sides else splits(folder, f"data set {name!r}", FLAT_LAYOUT, classes=True)
    is_held_out = not sides and not any(split in places for split in TEST_FOLDERS)
    train, test = numbered({name: found.train}), numbered({name: found.test})
    return LabelledDataset(name, train, test, [name], remarks(folder, found.unused), is_held_out)


def without_sides(folder: Path, name: str) -> Splits:
    """The pictures of trainA, trainB, testA, testB and so on, as far as they exist, as one set."""
    sides = direct_sides(folder)
    split = {
        wanted: [path for role, path in sides.items() if role.split == wanted] for wanted in ("train", *TEST_FOLDERS)
    }
    train = files_in(split["train"])
    tested = next((split[wanted] for wanted in TEST_FOLDERS if files_in(split[wanted])), [])
    if not train:
        raise BadValueError(f"data set {name!r} has no pictures to train in {folder}; expected {FLAT_LAYOUT}.")
    train, test = (train, files_in(tested)) if tested else hold_out(train, f"data set {name!r}")
    return Splits(train, test, unused(folder, [*split["train"], *tested]))


def held_out(pictures: dict[str, list]) -> tuple[dict[str, list], dict[str, list]]:
    """(train, test): every tenth picture of each class is for testing."""
    both = {name: hold_out(inside, f"class {name!r}") for name, inside in pictures.items()}
    return {name: split[0] for name, split in both.items()}, {name: split[1] for name, split in both.items()}


def by_class(places: Places, folder: Path) -> dict[str, list[Path]]:
    """{class name: picture files} of the folders of classes in a folder, which may have subfolders."""
    pictures = {name: files_in(paths) for name, paths in places.items()}
    check_classes(pictures, folder)
    return pictures


def check_classes(pictures: dict[str, list[Path]], folder: Path) -> None:
    """Raises BadValueError if there are no classes in a folder, or some without pictures."""
    if not pictures:
        raise no_classes(folder)
    without = [name for name, inside in pictures.items() if not inside]
    if without:
        there = instead(*(folder / name for name in without))
        empty = ", ".join(map(repr, without))
        raise BadValueError(f"no pictures of class {empty} in {folder}{there}; expected {CLASS_LAYOUT}.")


def no_classes(folder: Path) -> BadValueError:
    """The error for a folder without class folders."""
    unlabelled = len(files(folder, deep=False))
    there = f"only {unlabelled} pictures without labels" if unlabelled else f"and no pictures{instead(folder)}"
    there = there if folder.is_dir() else "which does not exist"
    is_split = folder.is_dir() and role_of(folder.name)
    others = [path.name for path, role in roles_in(folder.parent) if not (role and role.split) and has_pictures(path)]
    hint = f"; if it is a class, as {first_few(others)} beside it, rename it" if is_split and others else ""
    return BadValueError(f"no class folders in {folder}, {there}; expected {CLASS_LAYOUT}{hint}.")


def check_same_classes(train: dict, test: dict, folder_train: Path, folder_test: Path) -> None:
    """Raises BadValueError unless both splits have the same classes."""
    ways = (train, test, folder_train, folder_test), (test, train, folder_test, folder_train)
    for classes, others, here, there in ways:
        alone = ", ".join(repr(name) for name in classes if name not in others)
        if alone:
            raise BadValueError(f"class {alone} is in {here} but not in {there}: both need the same classes.")


def numbered(pictures: dict[str, list]) -> list[Labelled]:
    """`Labelled` pictures from a dict of classes, with labels in the order of the names in it."""
    return [Labelled(picture, label) for label, inside in enumerate(pictures.values()) for picture in inside]
