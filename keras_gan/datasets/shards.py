"""Data sets in shards: tar archives as WebDataset has them, or Parquet files. See docs/shards.md."""

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from keras_gan.datasets.entries import Entries, Shard
from keras_gan.datasets.folders import counted, first_few, name_of, natural_key
from keras_gan.datasets.parquet_rows import ParquetShard
from keras_gan.datasets.sets import Dataset, LabelledDataset, UnpairedDataset
from keras_gan.datasets.shard_names import is_named, places_of, split_of
from keras_gan.datasets.tar_index import index_of
from keras_gan.errors import BadValueError
from keras_gan.images.members import TarMember
from keras_gan.images.sources import Gray, Half, Labelled, Sides

SPLITS = ("train", ""), ("val", "test")  # what is for training, and for testing the first that is there
NAMED = 5  # faults
REPORTED_EVERY = 10  # seconds
LISTED_AT_ONCE = 4  # shards: disks and networks answer several requests at a time


class TarShard:
    """A tar archive, see `keras_gan.datasets.entries.Shard`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries, self.suffixes, self.classes, self.are_pairs, self.faults = index_of(path)
        self.count = len(self._entries)

    def picture(self, number: int, place: int) -> Any:
        """A `TarMember`, or `Sides` of two."""
        starts, sizes, suffixes = (self._entries[number][name].tolist() for name in ("start", "size", "suffix"))
        sides = [
            TarMember(self.path, place, start, size, self.suffixes[suffix])
            for start, size, suffix in zip(starts, sizes, suffixes, strict=True)
        ]
        return Sides(*sides) if self.are_pairs else sides[0]

    def labels(self) -> np.ndarray:
        """The place of each entry's class in `classes`, or -1."""
        return self._entries["label"]


class Found(NamedTuple):
    """A data set in shards."""

    name: str
    given: str  # how it was named
    train: Entries
    test: Entries
    is_held_out: bool
    remarks: tuple[str, ...]


def opened(name: Any) -> Found:
    """The pictures in the shards of this name. Names faults of shards on standard error.

    Raises:
        BadValueError: if a shard is missing or cannot be read, there are no pictures to train or to test, or some
            shards have pairs and others single pictures.
    """
    places = places_of(name)
    by_split: dict[str, list[Path]] = {}
    for path in places:
        by_split.setdefault(split_of(path), []).append(path)
    if not {*SPLITS[0]} & {*by_split}:
        raise BadValueError(
            f"by their names, the shards {str(name)!r} are for {first_few([*by_split])}: name others, too."
        )
    tested = next((split for split in SPLITS[1] if split in by_split), None)
    train = shards_in([path for split in SPLITS[0] for path in by_split.get(split, ())])
    others = shards_in(by_split[tested]) if tested else []
    if not train or (tested and not others):
        what = "train" if not train else "test"
        raise BadValueError(f"the shards {str(name)!r} have no pictures to {what}: name shards that have some.")
    check_alike([*train, *others], str(name))
    unused = [f"{split} ({counted(len(of), 'shard')})" for split, of in by_split.items() if split not in ("train", "")]
    unused = [text for text in unused if not text.startswith(f"{tested} ")]
    remarks = (f"not used: {', '.join(unused)}",) if unused else ()
    both = (Entries.of(train), Entries.of(others)) if tested else held_out(Entries.of(train), str(name))
    return Found(name_of(places[0].parent), str(name), *both, not tested, remarks)


def held_out(entries: Entries, name: str) -> tuple[Entries, Entries]:
    """(train, test). Raises BadValueError if there is only one picture."""
    if len(entries) == 1:
        raise BadValueError(f"the shards {name!r} have one picture: one is needed to train and another one to test.")
    return entries.held_out()


def shards_in(places: Sequence[Path]) -> list[Shard]:
    """The shards that have pictures. Says on standard error what is wrong with the others, and with these."""
    shards: list[Shard] = []
    faults: list[str] = []
    said = time.monotonic()
    with ThreadPoolExecutor(LISTED_AT_ONCE) as pool:
        for number, (path, shard) in enumerate(zip(places, pool.map(shard_of, places), strict=True)):
            faults += [f"{path}: {fault}" for fault in shard.faults]
            if shard.count:
                shards.append(shard)
            else:
                faults.append(f"{path} has no pictures: it is left out")
            if time.monotonic() - said > REPORTED_EVERY:
                said = time.monotonic()
                print(f"listing {path.parent}: {number + 1} of {counted(len(places), 'shard')}", file=sys.stderr)
    for fault in faults[:NAMED]:
        print(f"warning: {fault}", file=sys.stderr)
    if len(faults) > NAMED:
        print(f"warning: {len(faults) - NAMED} more shards with faults", file=sys.stderr)
    return shards


def shard_of(path: Path) -> Shard:
    """A shard. Raises BadValueError if its file cannot be read."""
    try:
        return TarShard(path) if path.suffix.lower() == ".tar" else ParquetShard(path)
    except OSError as error:
        raise BadValueError(f"{path} cannot be read ({error.strerror or error}): mend it or leave it out.") from error


def check_alike(shards: Sequence[Shard], name: str) -> None:
    """Raises BadValueError if some shards have pairs of members and others single pictures."""
    pairs = [shard for shard in shards if shard.are_pairs]
    single = [shard for shard in shards if not shard.are_pairs]
    if pairs and single:
        raise BadValueError(
            f"of the shards {name!r}, {pairs[0].path} has pairs and {single[0].path} single pictures: name one kind."
        )


def pairs(name: Any) -> Dataset:
    """The pairs in shards: two members, or pictures that show both sides."""
    found = opened(name)
    train, test = cast(list, found.train), cast(list, found.test)
    return Dataset(found.name, train, test, found.remarks)


def sides(name: Any) -> UnpairedDataset:
    """The pairs in shards as two sides without pairs: A from even ones, B from odd ones. Says so."""
    found = opened(name)
    if len(found.train) < 2:
        raise BadValueError(f"the shards {found.given!r} have only one pair to train: side B needs another one.")
    print(f"{found.given} is one list: using its pictures as pairs, A of every other one and B of the rest.")
    train_A, train_B = (of(found.train).thinned(number, 2) for number, of in enumerate((first_side, second_side)))
    test_A, test_B = first_side(found.test), second_side(found.test)
    return unpaired(found.name, (train_A, train_B, test_A, test_B), found.remarks)


def first_side(entries: Entries) -> Entries:
    """Side A of pairs."""
    return entries.made(lambda picture, place: picture.picture if entries.are_pairs else Half(picture, right=False))


def second_side(entries: Entries) -> Entries:
    """Side B of pairs."""
    return entries.made(lambda picture, place: picture.partner if entries.are_pairs else Half(picture, right=True))


def two_sides(name_A: Any, name_B: Any) -> UnpairedDataset:
    """Two lists of shards, one for each side.

    Raises:
        BadValueError: if one side is no list of shards, both are the same, or one has pairs.
    """
    for name, other in ((name_A, name_B), (name_B, name_A)):
        if not is_named(name):
            raise BadValueError(
                f"side {str(other)!r} is in shards, and {str(name)!r} is not: both must be, or neither."
            )
    A, B = single(name_A), single(name_B)
    if {*A.train.files} & {*B.train.files}:
        raise BadValueError(f"sides A and B are the same shards, {A.given} and {B.given}; name two different lists.")
    return unpaired(f"{A.name}2{B.name}", (A.train, B.train, A.test, B.test), A.remarks + B.remarks)


def unpaired(name: str, parts: Any, remarks: tuple[str, ...]) -> UnpairedDataset:
    """The data set of (train A, train B, test A, test B)."""
    train_A, train_B, test_A, test_B = parts
    return UnpairedDataset(name, train_A, train_B, test_A, test_B, remarks)


def gray(name: Any) -> UnpairedDataset:
    """Single pictures on side B, and their gray versions on side A."""
    found = single(name)
    gray_train, gray_test = (split.made(lambda picture, place: Gray(picture)) for split in (found.train, found.test))
    parts = gray_train, found.train, gray_test, found.test
    return unpaired(f"gray2colour-{found.name}", parts, found.remarks)


def single(name: Any) -> Found:
    """Single pictures in shards. Raises BadValueError if these are pairs."""
    found = opened(name)
    if found.train.are_pairs:
        raise BadValueError(f"the shards {found.given!r} have pairs, A and B, where single pictures are needed.")
    return found


def pictures(name: Any, labels: bool) -> LabelledDataset:
    """Single pictures, with their classes if there are `labels`.

    Raises:
        BadValueError: as `opened`, or if a picture has no class, or a class is in one split alone.
    """
    found = single(name)
    both = found.train, found.test
    told = [told_labels(split) if labels else (["picture"], np.zeros(1, int)) for split in both]
    classes = sorted(told[0][0], key=natural_key)
    lists = told[:1] if found.is_held_out else told  # a tenth of the same shards is for testing
    without = sum(int((numbers < 0).sum()) for _, numbers in lists)
    if without or not classes:
        raise BadValueError(
            f"{counted(without)} of the shards {found.given!r} have no class: each picture KEY.png needs KEY.cls "
            "beside it, a row of Parquet a column label."
        )
    if alone := {*told[0][0]} ^ {*told[1][0]}:
        raise BadValueError(f"class {first_few(sorted(alone))} is in one split of {found.given!r}: both need the same.")
    train, test = (
        split.made(labelled(np.array([classes.index(name) for name in names])[numbers] if labels else None))
        for split, (names, numbers) in zip(both, told, strict=True)
    )
    splits = cast(list, train), cast(list, test)
    return LabelledDataset(found.name, *splits, classes, found.remarks, found.is_held_out)


def labelled(numbers: np.ndarray | None) -> Callable[[Any, int], Labelled]:
    """Gives pictures the class of their place; None: all have the same."""
    return lambda picture, place: Labelled(picture, 0 if numbers is None else int(numbers[place]))


def told_labels(entries: Entries) -> tuple[list[str], np.ndarray]:
    """(the names of classes, the number of each place's class or -1) in the shards of a split."""
    numbers: dict[str, int] = {}
    found = []
    for shard in entries.shards:
        labels = np.asarray(shard.labels())
        which = [numbers.setdefault(name, len(numbers)) for name in shard.classes]
        found.append(np.array([*which, -1])[labels])
    return list(numbers), np.concatenate(found)
