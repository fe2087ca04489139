"""The readers of data sets: what a picture or a pair is, in the size that training reads it at."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_gan.images.pixels import AUTO, RANDOM_CROP, AnyImage, as_pixels, halves, size_of, size_to_crop
from keras_gan.images.sources import Sides, named_partner, open_picture, with_channels
from keras_gan.images.values import Range


class Reader:
    """What the readers share: the size that pictures are read at."""

    fit: str
    depth: str
    resample: str
    load_size: int | None

    def __call__(self, picture: Any, height: int, width: int) -> np.ndarray:
        """The pixels of a picture, (..., height, width, channels)."""
        raise NotImplementedError

    @property
    def is_loose(self) -> bool:
        """Whether pictures keep their own size, for random crops."""
        return self.fit == RANDOM_CROP

    def sized(self, image: AnyImage, height: int, width: int) -> np.ndarray:
        """The pixels of an image: height x width, or for random crops in its own size or with `load_size`.

        Raises:
            ValueError: if crops of height x width do not fit in.
        """
        if self.is_loose:
            size = size_to_crop(image, height, width, self.load_size)
            return as_pixels(image, *size, depth=self.depth, resample=self.resample)
        return as_pixels(image, height, width, self.fit, self.depth, self.resample)


@dataclass(frozen=True)
class ReadWhole(Reader):
    """Reads whole pictures with these channels, fit, depth (dtype), filter and values of black and white in files.

    `load_size` is the length of their shorter side for random crops; None: their own. Equal readers give equal pixels.
    """

    channels: int
    fit: str = "resize"
    depth: str = "uint8"
    resample: str = AUTO
    value_range: Range = None
    load_size: int | None = None

    def __call__(self, picture: Any, height: int, width: int) -> np.ndarray:
        """Returns (height, width, channels) of dtype `depth`; for random crops, at least as high and wide."""
        image = open_picture(picture, self.channels, self.load_size or max(height, width), self.value_range)
        wide, high = size_of(image)
        if min(wide, high) < 2:
            raise ValueError(f"it is only {wide} x {high} pixels")
        return self.sized(image, height, width)


@dataclass(frozen=True)
class ReadPair(Reader):
    """Reads both halves of pairs. `drawn` is the height of drawings; for the rest see `ReadWhole`.

    `channels_B` are those of the right half, or of side B; None: the same as of the other one.
    """

    channels: int
    drawn: int
    fit: str = "resize"
    depth: str = "uint8"
    resample: str = AUTO
    value_range: Range = None
    load_size: int | None = None
    channels_B: int | None = None

    def __call__(self, picture: Any, height: int, width: int) -> np.ndarray:
        """Returns A and B: (2, height, width, channels), or (height, width, channels of both) if their number differs.

        For random crops, B gets the size of A.
        """
        half_A, half_B = self.opened(picture)
        A = self.sized(half_A, height, width)
        B = self.as_large(half_B, A) if self.is_loose else self.sized(half_B, height, width)
        return np.stack([A, B]) if A.shape == B.shape else np.concatenate([A, B], axis=2)

    def opened(self, picture: Any) -> tuple[AnyImage, AnyImage]:
        """Both halves. Errors of a file for B name it, because the pair has the name of A."""
        drawn, channels_B = self.load_size or self.drawn, self.channels_B or self.channels
        if isinstance(picture, Sides):
            half_A = open_picture(picture.picture, self.channels, drawn, self.value_range)
            with named_partner(picture.partner):
                return half_A, open_picture(picture.partner, channels_B, drawn, self.value_range)
        left, right = halves(open_picture(picture, max(self.channels, channels_B), drawn, self.value_range))
        return with_channels(left, self.channels), with_channels(right, channels_B)

    def as_large(self, half_B: AnyImage, A: np.ndarray) -> np.ndarray:
        """B in the size of A. ValueError if both keep their own sizes, and these differ."""
        height, width = A.shape[:2]
        wide, high = size_of(half_B)
        if not self.load_size and (high, wide) != (height, width):
            raise ValueError(
                f"its partner is {high}x{wide}, not {height}x{width} as it is (--load-size N resizes both)"
            )
        return as_pixels(half_B, height, width, depth=self.depth, resample=self.resample)
