"""The order of an epoch: which picture is shown when, whether it is mirrored, and where it is cropped."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from keras_gan.images.pixels import mirrored

ENLARGED = 286 / 256  # the size before cropping, as in the programs of the CycleGAN paper


class View(NamedTuple):
    """One look at a picture: its index, whether it is mirrored, and where it is cropped ([0, 1) down and across)."""

    index: int
    flip: bool
    corner: tuple


class Stream(NamedTuple):
    """The pictures of a split and how they are looked at.

    The order of a round (each picture once), its flips and its crops follow from seed, side and the
    round's number alone: any thread may ask for any part of any epoch.
    """

    pictures: list
    read: Callable  # (picture, height, width) -> pixels (..., height, width, channels): a `ReadWhole` or `ReadPair`
    size: tuple  # (height, width)
    seed: int
    side: tuple = ()  # tells streams of the same seed apart
    flip: bool = False
    augment: bool = False
    split: str = "train"

    @property
    def read_size(self):
        """(height, width) that pictures are read at, before cropping."""
        return tuple(round(ENLARGED * length) for length in self.size) if self.augment else tuple(self.size)

    def in_epoch(self, epoch, places, longest):
        """The views at these places of an epoch of `longest` ones; a shorter stream starts over, reshuffled."""
        n = len(self.pictures)
        rounds_per_epoch = -(-longest // n)
        views = []
        for place in places:
            round_in_epoch, at = divmod(place, n)
            order, flips, corners = shuffled(self.seed, self.side, epoch * rounds_per_epoch + round_in_epoch, n)
            index = order[at]
            views.append(View(index, flips[index], corners[index]))
        return views

    def at_random(self, rng, count):
        """`count` views, of different pictures if there are as many."""
        chosen = rng.choice(len(self.pictures), count, replace=count > len(self.pictures))
        flips = rng.random(count) < 0.5 if self.flip else np.zeros(count, bool)
        corners = rng.random((count, 2)) if self.augment else np.zeros((count, 2))
        return [View(*view) for view in zip(chosen, flips, corners, strict=True)]

    def in_order(self, start, stop):
        """The pictures as they are, by number."""
        return [View(index, False, (0, 0)) for index in range(start, stop)]

    def show(self, pixels, view):
        """What this view shows of a picture as it was read: pixels (..., height, width, channels)."""
        if self.augment:
            spare = (read - shown for read, shown in zip(self.read_size, self.size, strict=True))
            top, left = (int(share * (left_over + 1)) for share, left_over in zip(view.corner, spare, strict=True))
            pixels = pixels[..., top : top + self.size[0], left : left + self.size[1], :]
        return mirrored(pixels) if self.flip and view.flip else pixels


@functools.lru_cache(maxsize=8)
def shuffled(seed, side, number, n):
    """Round `number` of n pictures: their order, and for each which way it is flipped and where it is cropped."""
    rng = np.random.default_rng([seed, number, *side])
    return rng.permutation(n), rng.random(n) < 0.5, rng.random((n, 2))


def longest(streams):
    """How many pictures the longest of these streams has."""
    return max(len(stream.pictures) for stream in streams)
