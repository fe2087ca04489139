"""Pictures given from Python, as arrays."""

import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from keras_gan.images.arrays import as_channels, check_area
from keras_gan.images.photos import over_white
from keras_gan.images.pixels import AnyImage
from keras_gan.images.values import Range, Raw, shown


@dataclass(frozen=True, eq=False, repr=False)
class Given:
    """A picture given from Python: an array (height, width) or (height, width, channels), and its name.

    uint8 is read as a photo of 8 bits, all else as a `.npy` file; True is white.
    """

    array: np.ndarray
    name: str

    @property
    def values(self) -> np.ndarray:
        """The values, (height, width, channels)."""
        values = np.atleast_3d(self.array)
        return values * np.uint8(255) if values.dtype == bool else values

    @property
    def mark(self) -> str:
        """Its shape, type and checksum."""
        array = np.ascontiguousarray(self.array)
        return f"{array.shape} {array.dtype} {zlib.crc32(array.data if array.size else b''):08x}"

    def image(self, channels: int, size: int, value_range: Range = None) -> AnyImage:
        """The picture, as of `keras_gan.images.sources.open_picture`."""
        values = self.values
        check_area(*values.shape[:2])
        if values.dtype == np.uint8 and value_range is None and channels in (1, 3) and values.shape[2] <= 4:
            plane = values[..., 0] if values.shape[2] == 1 else values
            return over_white(Image.fromarray(np.ascontiguousarray(plane))).convert("L" if channels == 1 else "RGB")
        return as_channels(shown(Raw(values), value_range), channels)

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__
