"""The order, flips and crops of an epoch, computed from the seed."""

import functools
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from keras_gan.data.options import BOTH, NONE, ROTATE
from keras_gan.datasets.entries import Entries
from keras_gan.errors import BadValueError
from keras_gan.images.given import Given
from keras_gan.images.pixels import mirrored
from keras_gan.images.readers import Reader
from keras_gan.images.sources import UNREADABLE, files_of_sides, source

SAMPLED = 24  # pictures given from Python to try before any work
ENLARGED = 286 / 256  # resize factor before cropping, as in the code of the CycleGAN paper
MIDDLE = 0.5, 0.5
WINDOW = 4096  # pictures of shards that change places among each other; runs that go on rely on this number


class View(NamedTuple):
    """How to show one picture: its index in the stream, how to turn it, and the crop's corner in [0, 1)."""

    number: int
    flip: bool  # left and right change places
    corner: tuple | np.ndarray  # (down, across)
    turns: tuple | np.ndarray = (False, False)  # whether it is turned upside down, and about its diagonal


class Stream(NamedTuple):
    """The pictures of a split, how to read them and how to augment them.

    A round shows each picture once. Seed, side and the round's number alone determine its order,
    flips and crops, so any thread can ask for any part of any epoch.

    Pictures that are read larger than `size`, for `augment` or random crops, are cropped: in testing their middle.
    """

    pictures: list | Entries
    read: Reader
    size: tuple  # (height, width)
    seed: int
    side: tuple = ()  # gives streams of the same seed different orders
    flip: str = NONE  # one of `options.FLIPS`
    augment: bool = False
    split: str = "train"

    @property
    def read_size(self) -> tuple:
        """(height, width) of pictures as they are read, before cropping; for random crops, at least that."""
        is_enlarged = self.augment and not self.read.is_loose
        return tuple(round(ENLARGED * length) for length in self.size) if is_enlarged else tuple(self.size)

    def in_epoch(self, epoch: int, places: Iterable[int], longest: int) -> list[View]:
        """The views at these places of an epoch of length `longest`. A shorter stream starts over, reshuffled."""
        n = len(self.pictures)
        rounds_per_epoch = -(-longest // n)
        views = []
        for place in places:
            round_in_epoch, at = divmod(place, n)
            views.append(self.in_round(epoch * rounds_per_epoch + round_in_epoch, at))
        return views

    def in_round(self, number: int, at: int) -> View:
        """The view at this place of round `number`."""
        if isinstance(self.pictures, Entries):
            window, at = divmod(at, WINDOW)
            order, *of_all = windowed(self.seed, self.side, number, window, self.pictures, len(self.pictures))
            return View(int(order[at]), *(of_each[at] for of_each in of_all))
        order, *of_all = shuffled(self.seed, self.side, number, len(self.pictures))
        return View(order[at], *(of_each[order[at]] for of_each in of_all))

    def at_random(self, rng: np.random.Generator, count: int) -> list[View]:
        """`count` random views, without replacement if there are enough pictures."""
        chosen = rng.choice(len(self.pictures), count, replace=count > len(self.pictures))
        flips = rng.random(count) < 0.5 if self.flip != NONE else np.zeros(count, bool)
        is_cropped = self.augment or (self.read.is_loose and self.split == "train")
        corners = rng.random((count, 2)) if is_cropped else np.full((count, 2), MIDDLE)
        turns = rng.random((count, 2)) < 0.5 if self.flip in (BOTH, ROTATE) else np.zeros((count, 2), bool)
        return [View(*view) for view in zip(chosen, flips, corners, turns, strict=True)]

    def in_order(self, start: int, stop: int) -> list[View]:
        """The views of pictures `start` to `stop`, not flipped; of larger ones their middle."""
        return [View(number, False, MIDDLE) for number in range(start, stop)]

    def show(self, pixels: np.ndarray, view: View) -> np.ndarray:
        """Applies the crop, flips and turns of a view to pixels (..., height, width, channels)."""
        spare = (read - shown for read, shown in zip(pixels.shape[-3:-1], self.size, strict=True))
        top, left = (int(share * (left_over + 1)) for share, left_over in zip(view.corner, spare, strict=True))
        pixels = pixels[..., top : top + self.size[0], left : left + self.size[1], :]
        if self.read.is_loose:
            pixels = pixels.copy()  # the whole picture may be large
        if self.flip != NONE and view.flip:
            pixels = mirrored(pixels)
        if self.flip in (BOTH, ROTATE) and view.turns[0]:
            pixels = pixels[..., ::-1, :, :]
        return np.swapaxes(pixels, -3, -2) if self.flip == ROTATE and view.turns[1] else pixels


@functools.lru_cache(maxsize=8)
def shuffled(seed: int, side: tuple, number: int, n: int) -> tuple[np.ndarray, ...]:
    """(order, flips, corners, turns) of round `number` of n pictures."""
    rng = np.random.default_rng([seed, number, *side])
    return rng.permutation(n), rng.random(n) < 0.5, rng.random((n, 2)), rng.random((n, 2)) < 0.5


@functools.lru_cache(maxsize=8)
def windowed(seed: int, side: tuple, number: int, window: int, entries: Entries, n: int) -> tuple[np.ndarray, ...]:
    """(order, flips, corners, turns) of a window of round `number` of n pictures in shards.

    In a round, shards come in an order of their own, and within each window of it pictures change places.
    """
    sizes, shards = np.diff(entries.bounds), shard_order(seed, side, number, len(entries.shards))
    ends = np.cumsum(sizes[shards])
    places = np.arange(window * WINDOW, min((window + 1) * WINDOW, n))
    which = np.searchsorted(ends, places, side="right")
    numbers = places - (ends - sizes[shards])[which] + entries.bounds[shards[which]]
    rng = np.random.default_rng(np.random.SeedSequence([seed, number, *side], spawn_key=(window,)))
    n = len(numbers)
    return rng.permutation(numbers), rng.random(n) < 0.5, rng.random((n, 2)), rng.random((n, 2)) < 0.5


def shard_order(seed: int, side: tuple, number: int, count: int) -> np.ndarray:
    """The order of the shards in round `number`."""
    return np.random.default_rng([seed, number, *side]).permutation(count)


def files_by_side(streams: list[Stream]) -> dict[str, Any]:
    """The files of streams, {side: files}, as of `files_of`. Halves of the same file belong to both sides."""
    found: dict[str, Any] = {}
    for number, stream in enumerate(streams):
        if isinstance(stream.pictures, Entries):
            lists = stream.pictures.sides()
            for place, listed in enumerate(lists):
                found[name_of_side(number + place, len(streams) + len(lists))] = listed
            continue
        for picture in stream.pictures:
            sides = files_of_sides(picture)
            for place, files in enumerate(sides):
                found.setdefault(name_of_side(number + place, len(streams) + len(sides)), []).extend(files)
    return found


def name_of_side(number: int, together: int) -> str:
    """How messages call a side, of so many streams and sides of a picture together."""
    return f"side {'AB'[number]}" if together > 2 else "the training set"


def check_given(streams: Iterable[Stream]) -> None:
    """Reads a sample of the pictures given from Python. Raises BadValueError if one cannot be used."""
    for stream in streams:
        if isinstance(stream.pictures, Entries):
            continue
        given = [picture for picture in stream.pictures if isinstance(source(picture), Given)]
        for picture in given[:: -(-len(given) // SAMPLED) or 1]:
            try:
                stream.read(picture, *stream.read_size)
            except UNREADABLE as error:
                why = str(error).replace("--value-range LOW,HIGH", "value_range=(LOW, HIGH)")
                raise BadValueError(f"{source(picture)} cannot be used: {why}.") from error


def longest(streams: list[Stream]) -> int:
    """The number of pictures in the longest of these streams."""
    return max(len(stream.pictures) for stream in streams)
