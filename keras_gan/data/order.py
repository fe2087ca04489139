"""The order, flips and crops of an epoch, computed from the seed."""

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_gan.images.pixels import mirrored
from keras_gan.images.sources import files_of

ENLARGED = 286 / 256  # resize factor before cropping, as in the code of the CycleGAN paper


class View(NamedTuple):
    """How to show one picture: its index in the stream, whether to flip it, and the crop's corner in [0, 1)."""

    number: int
    flip: bool
    corner: tuple | np.ndarray  # (down, across)


class Stream(NamedTuple):
    """The pictures of a split, how to read them and how to augment them.

    A round shows each picture once. Seed, side and the round's number alone determine its order,
    flips and crops, so any thread can ask for any part of any epoch.
    """

    pictures: list
    read: Callable  # (picture, height, width) -> pixels (..., height, width, channels): a `ReadWhole` or `ReadPair`
    size: tuple  # (height, width)
    seed: int
    side: tuple = ()  # gives streams of the same seed different orders
    flip: bool = False
    augment: bool = False
    split: str = "train"

    @property
    def read_size(self) -> tuple:
        """(height, width) of pictures as they are read, before cropping."""
        return tuple(round(ENLARGED * length) for length in self.size) if self.augment else tuple(self.size)

    def in_epoch(self, epoch: int, places: Iterable[int], longest: int) -> list[View]:
        """The views at these places of an epoch of length `longest`. A shorter stream starts over, reshuffled."""
        n = len(self.pictures)
        rounds_per_epoch = -(-longest // n)
        views = []
        for place in places:
            round_in_epoch, at = divmod(place, n)
            order, flips, corners = shuffled(self.seed, self.side, epoch * rounds_per_epoch + round_in_epoch, n)
            number = order[at]
            views.append(View(number, flips[number], corners[number]))
        return views

    def at_random(self, rng: np.random.Generator, count: int) -> list[View]:
        """`count` random views, without replacement if there are enough pictures."""
        chosen = rng.choice(len(self.pictures), count, replace=count > len(self.pictures))
        flips = rng.random(count) < 0.5 if self.flip else np.zeros(count, bool)
        corners = rng.random((count, 2)) if self.augment else np.zeros((count, 2))
        return [View(*view) for view in zip(chosen, flips, corners, strict=True)]

    def in_order(self, start: int, stop: int) -> list[View]:
        """The views of pictures `start` to `stop`, neither flipped nor cropped."""
        return [View(number, False, (0, 0)) for number in range(start, stop)]

    def show(self, pixels: np.ndarray, view: View) -> np.ndarray:
        """Applies the crop and flip of a view to pixels (..., height, width, channels)."""
        if self.augment:
            spare = (read - shown for read, shown in zip(self.read_size, self.size, strict=True))
            top, left = (int(share * (left_over + 1)) for share, left_over in zip(view.corner, spare, strict=True))
            pixels = pixels[..., top : top + self.size[0], left : left + self.size[1], :]
        return mirrored(pixels) if self.flip and view.flip else pixels


@functools.lru_cache(maxsize=8)
def shuffled(seed: int, side: tuple, number: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(order, flips, corners) of round `number` of n pictures."""
    rng = np.random.default_rng([seed, number, *side])
    return rng.permutation(n), rng.random(n) < 0.5, rng.random((n, 2))


def files_by_side(streams: list[Stream]) -> dict[str, list[Path]]:
    """The files of streams, {side: files}. Halves of the same file belong to both sides."""
    found: dict[str, list[Path]] = {}
    for number, stream in enumerate(streams):
        for picture in stream.pictures:
            files = files_of(picture)
            for place, file in enumerate(files):
                side = f"side {'AB'[number + place]}" if len(streams) + len(files) > 2 else "the training set"
                found.setdefault(side, []).append(file)
    return found


def longest(streams: list[Stream]) -> int:
    """The number of pictures in the longest of these streams."""
    return max(len(stream.pictures) for stream in streams)
