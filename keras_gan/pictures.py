"""What a picture of a data set can be: a file, whatever is in it, or one made in memory; and its 8-bit pixels."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

#: What Pillow raises on files that are no picture, truncated, damaged or of absurd size.
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)

MODES = {1: "L", 3: "RGB"}

SMALLEST_DRAWING = 16


def read_picture(path, channels=3):
    """Reads a picture file of any kind that Pillow knows.

    EXIF rotation is applied, transparency is laid over white, 16-bit values are scaled to 8 bits,
    palettes and CMYK are converted.

    Args:
        path: the file.
        channels: 3 for colour, 1 for gray.

    Returns:
        A fully loaded `PIL.Image.Image` in mode "RGB" or "L".

    Raises:
        One of `UNREADABLE`, if the file is no picture or a damaged one.
    """
    with Image.open(path) as image:
        image.load()
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits a pixel; Pillow's own conversion would clip at 255
        image = Image.fromarray((np.asarray(image).astype("uint32") // 257).clip(0, 255).astype("uint8"))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(MODES[channels])


class DrawnShoe(NamedTuple):
    """A pair of the built-in set: drawn when it is read, always the same."""

    index: int

    def image(self, channels, size):
        """The pair as a `PIL.Image.Image` of size (2 * size, size)."""
        from keras_gan.drawn_shoes import draw_pair

        return Image.fromarray(draw_pair(seed=0, index=self.index, size=size)).convert(MODES[channels])

    def __str__(self):
        return f"drawn shoe {self.index}"


class DrawnDigit(NamedTuple):
    """A digit of the built-in set: drawn when it is read, always the same."""

    index: int

    @property
    def label(self):
        """Which digit it is, 0 to 9."""
        return self.index % 10

    def image(self, channels, size):
        """The digit as a `PIL.Image.Image` of size (size, size), white on black."""
        from keras_gan.drawn_digits import draw_digit

        return Image.fromarray(draw_digit(seed=0, index=self.index, size=size)).convert(MODES[channels])

    def __str__(self):
        return f"drawn digit {self.index}"


@dataclass(frozen=True, eq=False)
class Pixels:
    """A picture in memory: uint8 pixels (height, width, 3), or (height, width) for a gray one."""

    pixels: np.ndarray
    name: str

    def image(self, channels, size):
        return Image.fromarray(self.pixels).convert(MODES[channels])

    def __str__(self):
        return self.name


class Half(NamedTuple):
    """The left or the right half of a picture that holds a pair."""

    picture: object
    right: bool

    def image(self, channels, size):
        return halves(open_picture(self.picture, channels, size))[self.right]


class Gray(NamedTuple):
    """A colour picture without its colours: 0.299 R + 0.587 G + 0.114 B, once or three times."""

    picture: object

    def image(self, channels, size):
        return open_picture(self.picture, 1, size).convert(MODES[channels])


class Labelled(NamedTuple):
    """A picture and the number of its class."""

    picture: object
    label: int

    def image(self, channels, size):
        return open_picture(self.picture, channels, size)


def open_picture(picture, channels, size):
    """Opens a picture of any kind.

    Args:
        picture: a path, a `DrawnShoe`, a `DrawnDigit`, `Pixels`, or a `Half`, the `Gray` or the
            `Labelled` of one of them.
        channels: 3 for colour, 1 for gray.
        size: height that pictures without a size of their own are drawn at, at least 16.

    Returns:
        A `PIL.Image.Image` in mode "RGB" or "L".

    Raises:
        One of `UNREADABLE`, if it is a file that is no picture or a damaged one, or has no two
        equal halves although one is asked for.
    """
    return read_picture(picture, channels) if isinstance(picture, str | Path) else picture.image(channels, size)


@dataclass(frozen=True)
class ReadWhole:
    """Reads whole pictures with so many channels. Equal readers give equal pixels."""

    channels: int

    def __call__(self, picture, height, width):
        """uint8 (height, width, channels)."""
        image = open_picture(picture, self.channels, max(height, width, SMALLEST_DRAWING))
        if min(image.size) < 2:
            raise ValueError(f"it is only {image.width} x {image.height} pixels")
        return as_array(resize(image, height, width))


@dataclass(frozen=True)
class ReadPair:
    """Reads both halves of pictures with so many channels; drawings are drawn at this height."""

    channels: int
    drawn: int

    def __call__(self, picture, height, width):
        """uint8 (2, height, width, channels)."""
        image = open_picture(picture, self.channels, self.drawn)
        return np.stack([as_array(resize(half, height, width)) for half in halves(image)])


def source(picture):
    """What a picture is made from: the file (or drawing, or pixels) of a `Half`, `Gray` or `Labelled`, else itself."""
    while hasattr(picture, "picture"):
        picture = picture.picture
    return picture


def halves(image):
    """The left and the right half of a picture; ValueError if its width is odd."""
    width, height = image.size
    if width % 2:
        raise ValueError(f"its width of {width} has no two equal halves")
    return image.crop((0, 0, width // 2, height)), image.crop((width // 2, 0, width, height))


def resize(image, height, width):
    """`image` at this size, antialiased; contrast is left alone."""
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BICUBIC)


def as_array(image):
    """The pixels of a picture, uint8 (height, width, channels)."""
    pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]


def mirrored(pixels):
    """A copy of pixels (..., height, width, channels), left and right exchanged.

    Channel by channel: to reverse pixels of three bytes as they are takes NumPy four times as long.
    """
    turned = np.empty(pixels.shape, pixels.dtype)
    for channel in range(pixels.shape[-1]):
        turned[..., channel] = pixels[..., ::-1, channel]
    return turned


def scale(pixels, value_range=(-1, 1)):
    """From [0, 255] to float32 in this range."""
    low, high = value_range
    scaled = pixels.astype("float32")
    scaled /= 255 / (high - low)
    scaled += low
    return scaled
