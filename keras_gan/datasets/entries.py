"""The pictures of a split in shards: a sequence that makes each picture when one asks, and takes no memory for it."""

import bisect
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from keras_gan.datasets.folders import TEST_EVERY
from keras_gan.images.members import Member
from keras_gan.images.sources import Sides, source


class Shard(Protocol):
    """One shard of a data set."""

    path: Path
    count: int  # of its entries
    are_pairs: bool  # whether its entries are `Sides`
    suffixes: list[str]  # of its pictures
    classes: list[str]
    faults: list[str]

    def picture(self, number: int, place: int) -> Any:
        """A `Member`, or `Sides` of two: entry `number` of the shard and `place` of the data set."""

    def labels(self) -> np.ndarray:
        """The place of each entry's class in `classes`, or -1."""


class Entries(Sequence[Any]):
    """Some of the pictures in shards, in their order.

    Positions count these pictures; places count the entries of all shards.

    Args:
        shards: the shards.
        bounds: int (shards + 1,): the position where each shard begins, and the end.
        place: the place of a position; it grows with it.
        made: what a picture becomes: called with a `Member` or `Sides`, and its place.
    """

    def __init__(
        self,
        shards: Sequence[Shard],
        bounds: np.ndarray,
        place: Callable[[int], int] = lambda position: position,
        made: Callable[[Any, int], Any] = lambda picture, place: picture,
    ) -> None:
        self.shards = list(shards)
        self._all_bounds, self._place, self._made = bounds, place, made
        self._starts = [0, *accumulate(shard.count for shard in self.shards)]
        self._gone: list[int] = []  # positions that were discarded, in order
        self._paths = {shard.path for shard in self.shards}
        self._used: list[Shard] | None = None  # of the pictures that these are taken from, see `within`

    @classmethod
    def of(cls, shards: Sequence[Shard]) -> "Entries":
        """All pictures of these shards."""
        return cls(shards, np.array([0, *accumulate(shard.count for shard in shards)]))

    def __len__(self) -> int:
        return int(self._all_bounds[-1]) - len(self._gone)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[position] for position in range(*at.indices(len(self)))]
        position = at + len(self) if at < 0 else at
        if not 0 <= position < len(self):
            raise IndexError(at)
        place = self._place(self._with_gone(int(position)))
        number = bisect.bisect_right(self._starts, place) - 1
        return self._made(self.shards[number].picture(place - self._starts[number], place), place)

    @property
    def bounds(self) -> np.ndarray:
        """int (shards + 1,): the position where each shard begins, and the end."""
        return self._all_bounds - np.searchsorted(self._gone, self._all_bounds)

    @property
    def slots(self) -> int:
        """The number of pictures with those that were discarded."""
        return int(self._all_bounds[-1])

    @property
    def used(self) -> list[Shard]:
        """The shards that some of the pictures lie in, and those of other hosts that others of the split lie in."""
        if self._used is not None:
            return self._used
        return [shard for shard, count in zip(self.shards, np.diff(self.bounds), strict=True) if count]

    @property
    def files(self) -> list[Path]:
        """The paths of the shards in `used`."""
        return [shard.path for shard in self.used]

    @property
    def suffixes(self) -> set[str]:
        """The endings that pictures have."""
        return {suffix for shard in self.shards for suffix in shard.suffixes}

    @property
    def are_pairs(self) -> bool:
        """Whether the pictures are pairs of two members."""
        return any(isinstance(picture, Sides) for picture in self[:1])

    def slot(self, picture: Any) -> int | None:
        """The position that a picture had before others were discarded, or None if it is of another split."""
        member = source(picture)
        if not isinstance(member, Member) or member.path not in self._paths:
            return None
        slot = bisect.bisect_left(range(self.slots), member.place, key=self._place)
        return slot if slot < self.slots and self._place(slot) == member.place else None

    def discard(self, pictures: Iterable[Any]) -> None:
        """Takes these pictures out, those that are in."""
        slots = {slot for picture in pictures if (slot := self.slot(picture)) is not None}
        self._gone = sorted({*self._gone, *slots})

    def made(self, how: Callable[[Any, int], Any]) -> "Entries":
        """The same pictures, and what becomes of them: called with a `Member` or `Sides`, and its place."""
        return Entries(self.shards, self._all_bounds, self._place, how)

    def thinned(self, first: int, step: int) -> "Entries":
        """Every `step`-th picture from `first` on."""
        bounds = np.maximum(0, -(-(self._all_bounds - first) // step))
        return Entries(self.shards, bounds, lambda at: self._place(first + step * at), self._made)

    def within(self, is_kept: Callable[[Shard], bool]) -> "Entries":
        """The pictures in some of the shards. Their places stay, and `used` tells the shards of all."""
        whole = self._all_bounds.tolist()
        sizes = np.diff(self._all_bounds) * [is_kept(shard) for shard in self.shards]
        bounds = [0, *accumulate(sizes.tolist())]

        def place(position: int) -> int:
            number = bisect.bisect_right(bounds, position) - 1
            return self._place(position - bounds[number] + whole[number])

        kept = Entries(self.shards, np.array(bounds), place, self._made)
        kept._used = self.used
        return kept

    def held_out(self) -> tuple["Entries", "Entries"]:
        """(train, test): every tenth picture is for testing."""
        others = TEST_EVERY - 1
        bounds = self._all_bounds - -(-self._all_bounds // TEST_EVERY)
        train = Entries(self.shards, bounds, lambda at: self._place(at + at // others + 1), self._made)
        return train, self.thinned(0, TEST_EVERY)

    def sides(self) -> list["Entries"]:
        """The files of the pictures, `Member`s, side by side: of one side, or of both of pairs."""
        made = self._made
        if not self.are_pairs:
            return [self.made(lambda picture, place: source(made(picture, place)))]
        return [
            self.made(lambda picture, place: made(picture, place).picture),
            self.made(lambda picture, place: made(picture, place).partner),
        ]

    def _with_gone(self, position: int) -> int:
        """A position among the pictures with those that were discarded."""
        if not self._gone:
            return position
        return position + bisect.bisect_right(range(len(self._gone)), position, key=lambda i: self._gone[i] - i)
