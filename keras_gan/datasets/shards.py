"""Data sets in shards: tar archives as WebDataset has them, or Parquet files. See docs/shards.md."""

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from keras_gan.datasets.entries import Entries, Shard
from keras_gan.datasets.folders import counted, first_few, name_of
from keras_gan.datasets.lone_tar import is_numbered, shard_named
from keras_gan.datasets.own_shards import hosts, listed_on_all, own_part, places_on_all
from keras_gan.datasets.parquet_rows import ParquetShard
from keras_gan.datasets.sets import Dataset, LabelledDataset, UnpairedDataset
from keras_gan.datasets.shard_classes import classes_of, labelled
from keras_gan.datasets.shard_names import compressed_beside, is_list, is_named, places_of, split_of, unpacked
from keras_gan.datasets.tar_index import index_of
from keras_gan.errors import BadValueError
from keras_gan.images.members import TarMember
from keras_gan.images.sources import Gray, Half, Sides

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
    own: bool = False  # whether several hosts have their own shards; the entries are those of all

    def parts(self, train: Entries, test: Entries) -> tuple[list, list]:
        """The pictures that this host reads, of those made of `train` and `test`. Raises the errors of `own_part`."""
        if not self.own:
            return cast(list, train), cast(list, test)
        return own_part(train, self.given), own_part(test, self.given, is_testing=True)


def opened(name: Any, own: bool = False) -> Found:
    """The pictures in the shards of this name. Names faults of shards on standard error.

    Args:
        name: the name.
        own: whether each of several hosts opens its own shards only, see `keras_gan.datasets.own_shards`.

    Raises:
        BadValueError: if a shard is missing or cannot be read, there are no pictures to train or to test, or some
            shards have pairs and others single pictures.
    """
    own = hosts(own)[1] > 1
    places = places_on_all(name) if own else places_of(name)
    by_split: dict[str, list[Path]] = {}
    for path in places:
        by_split.setdefault(split_of(path), []).append(path)
    if not {*SPLITS[0]} & {*by_split}:
        raise BadValueError(
            f"by their names, the shards {str(name)!r} are for {first_few([*by_split])}: name others, too."
        )
    tested = next((split for split in SPLITS[1] if split in by_split), None)
    to_train = [path for split in SPLITS[0] for path in by_split.get(split, ())]
    to_test = by_split[tested] if tested else []
    listed = listed_on_all(name, to_train, to_test, shards_in) if own else map(shards_in, (to_train, to_test))
    train, others = ([shard for shard in shards if shard.count] for shards in listed)
    if not train or (tested and not others):
        what = "train" if not train else "test"
        raise BadValueError(f"the shards {str(name)!r} have no pictures to {what}: name shards that have some.")
    check_alike([*train, *others], str(name))
    both = (Entries.of(train), Entries.of(others)) if tested else held_out(Entries.of(train), str(name))
    unused = {split: files for split, files in by_split.items() if split not in ("train", "", tested)}
    whose = unpacked(places[0]) if shard_named(name) else places[0].parent
    return Found(name_of(whose), str(name), *both, not tested, remarks(name, places, unused), own)


def remarks(name: Any, places: list[Path], unused: dict[str, list[Path]]) -> tuple[str, ...]:
    """What to say of these shards. Those of some splits are unused."""
    said = [f"{places[0]} is read where it lies, as a shard"] if shard_named(name) else []
    if unused:
        told = (f"{split} ({counted(len(files), 'shard')})" for split, files in unused.items())
        said.append(f"not used: {', '.join(told)}")
    if beside := [str(folder) for folder in map(unpacked, filter(is_numbered, places)) if folder.is_dir()]:
        said.append(f"not used, since their shards are: {first_few(beside)}")
    if compressed := [] if is_list(str(name)) or shard_named(name) else compressed_beside(places):
        said.append(f"not used, since they are compressed: {first_few(compressed)}")
    return tuple(said)


def held_out(entries: Entries, name: str) -> tuple[Entries, Entries]:
    """(train, test). Raises BadValueError if there is only one picture."""
    if len(entries) == 1:
        raise BadValueError(f"the shards {name!r} have one picture: one is needed to train and another one to test.")
    return entries.held_out()


def shards_in(places: Sequence[Path]) -> list[Shard]:
    """The shards. Says on standard error what is wrong with them, and which have no pictures and are left out."""
    shards: list[Shard] = []
    faults: list[str] = []
    said = time.monotonic()
    with ThreadPoolExecutor(LISTED_AT_ONCE) as pool:
        for number, (path, shard) in enumerate(zip(places, pool.map(shard_of, places), strict=True)):
            shards.append(shard)
            left_out = "" if shard.count else ", so it is left out"
            faults += [f"{path}: {fault}{left_out}" for fault in shard.faults]
            if not shard.count and not shard.faults:
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


def pairs(name: Any, own: bool = False) -> Dataset:
    """The pairs in shards: two members, or pictures that show both sides. `own`: as of `opened`."""
    found = opened(name, own)
    return Dataset(found.name, *found.parts(found.train, found.test), found.remarks)


def sides(name: Any, own: bool = False) -> UnpairedDataset:
    """The pairs in shards as two sides without pairs: A from even ones, B from odd ones. Says so."""
    found = opened(name, own)
    if len(found.train) < 2:
        raise BadValueError(f"the shards {found.given!r} have only one pair to train: side B needs another one.")
    print(f"{found.given} is one list: using its pictures as pairs, A of every other one and B of the rest.")
    A, B = (
        found.parts(of(found.train).thinned(number, 2), of(found.test))
        for number, of in enumerate((first_side, second_side))
    )
    return unpaired(found.name, A, B, found.remarks)


def first_side(entries: Entries) -> Entries:
    """Side A of pairs."""
    return entries.made(lambda picture, place: picture.picture if entries.are_pairs else Half(picture, right=False))


def second_side(entries: Entries) -> Entries:
    """Side B of pairs."""
    return entries.made(lambda picture, place: picture.partner if entries.are_pairs else Half(picture, right=True))


def two_sides(name_A: Any, name_B: Any, own: bool = False) -> UnpairedDataset:
    """Two lists of shards, one for each side.

    Raises:
        BadValueError: if one side is no list of shards, both are the same, or one has pairs.
    """
    for name, other in ((name_A, name_B), (name_B, name_A)):
        if not is_named(name):
            raise BadValueError(
                f"side {str(other)!r} is in shards, and {str(name)!r} is not: both must be, or neither."
            )
    A, B = single(name_A, own), single(name_B, own)
    if {*A.train.files} & {*B.train.files}:
        raise BadValueError(f"sides A and B are the same shards, {A.given} and {B.given}; name two different lists.")
    of_A, of_B = (found.parts(found.train, found.test) for found in (A, B))
    return unpaired(f"{A.name}2{B.name}", of_A, of_B, A.remarks + B.remarks)


def unpaired(name: str, A: tuple[list, list], B: tuple[list, list], remarks: tuple[str, ...]) -> UnpairedDataset:
    """The data set of two sides, (train, test) each."""
    return UnpairedDataset(name, A[0], B[0], A[1], B[1], remarks)


def gray(name: Any, own: bool = False) -> UnpairedDataset:
    """Single pictures on side B, and their gray versions on side A."""
    found = single(name, own)
    A = found.parts(*(split.made(lambda picture, place: Gray(picture)) for split in (found.train, found.test)))
    B = found.parts(found.train, found.test)
    return unpaired(f"gray2colour-{found.name}", A, B, found.remarks)


def single(name: Any, own: bool = False) -> Found:
    """Single pictures in shards. Raises BadValueError if these are pairs."""
    found = opened(name, own)
    if found.train.are_pairs:
        raise BadValueError(f"the shards {found.given!r} have pairs, A and B, where single pictures are needed.")
    return found


def pictures(name: Any, labels: bool, own: bool = False) -> LabelledDataset:
    """Single pictures, with their classes if there are `labels`.

    Raises:
        BadValueError: as `opened`, or if a picture has no class, or a class is in one split alone.
    """
    found = single(name, own)
    without = ["picture"], [None, None]
    classes, numbers = (
        classes_of((found.train, found.test), found.is_held_out, found.given, found.own) if labels else without
    )
    splits = (
        split.made(labelled(of_split)) for split, of_split in zip((found.train, found.test), numbers, strict=True)
    )
    return LabelledDataset(found.name, *found.parts(*splits), classes, found.remarks, found.is_held_out)
