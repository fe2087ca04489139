"""What a picture of a data set can be: a file, whatever is in it, or one made in memory; and how it is read."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from keras_gan.images.arrays import as_channels, is_array, read_array
from keras_gan.images.pixels import as_pixels, halves, size_of

#: What reading raises on files that are no picture, truncated, damaged or of absurd size. Pillow raises beyond 179
#: megapixels; between 89 and that it warns, which no user can do anything about: cameras make such pictures.
UNREADABLE = (
    *(OSError, SyntaxError, ValueError, EOFError),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

MODES = {1: "L", 3: "RGB"}

SMALLEST_DRAWING = 16


def read_picture(path, channels=3):
    """Reads a picture file of any kind that Pillow knows, or an array (see `keras_gan.images.arrays.read_array`).

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
    pixels = read_array(path, channels) if is_array(path) else None
    if pixels is not None:
        pixels = (pixels // 257).astype("uint8")
        return Image.fromarray(pixels if channels == 3 else pixels[..., 0])
    try:
        return read_by_pillow(path, channels)
    except UNREADABLE:
        raise
    except Exception as error:  # what Pillow raises on damaged files has no base in common
        raise ValueError(f"it is damaged ({error or type(error).__name__})") from error


def read_by_pillow(path, channels):
    """Does what `read_picture` says, but may raise anything."""
    with Image.open(path) as image:
        image.load()
        ImageOps.exif_transpose(image, in_place=True)  # a copy of every picture would be made otherwise
    if image.mode.startswith("I"):  # 16 bits a pixel; Pillow's own conversion would clip at 255
        image = Image.fromarray((np.asarray(image).astype("uint32") // 257).clip(0, 255).astype("uint8"))
    if image.mode == "LAB":  # which Pillow converts by profiles alone
        profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, *profiles, outputMode="RGB")
    return converted(over_white(image), channels)


def over_white(image):
    """A picture laid over white where it is transparent."""
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def converted(image, channels):
    """A picture in gray or colour; ValueError if other channels are asked for, which it has not."""
    if channels not in MODES:
        raise ValueError(f"it has {len(image.getbands())} channels, not {channels}")
    return image if image.mode == MODES[channels] else image.convert(MODES[channels])


class DrawnShoe(NamedTuple):
    """A pair of the built-in set: drawn when it is read, always the same."""

    index: int

    def image(self, channels, size):
        """The pair as a `PIL.Image.Image` of size (2 * size, size)."""
        from keras_gan.images.drawn_shoes import draw_pair

        return converted(Image.fromarray(draw_pair(seed=0, index=self.index, size=size)), channels)

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
        from keras_gan.images.drawn_digits import draw_digit

        return converted(Image.fromarray(draw_digit(seed=0, index=self.index, size=size)), channels)

    def __str__(self):
        return f"drawn digit {self.index}"


@dataclass(frozen=True, eq=False)
class Pixels:
    """A picture in memory: uint8 pixels (height, width, 3), or (height, width) for a gray one."""

    pixels: np.ndarray
    name: str

    def image(self, channels, size):
        return converted(Image.fromarray(self.pixels), channels)

    def __str__(self):
        return self.name


class Half(NamedTuple):
    """The left or the right half of a picture that holds a pair."""

    picture: object
    right: bool

    def image(self, channels, size):
        return halves(open_picture(self.picture, channels, size))[self.right]


class Sides(NamedTuple):
    """A pair whose halves are in two files: the one of A and its partner."""

    picture: object
    partner: object


class Gray(NamedTuple):
    """A colour picture without its colours: 0.299 R + 0.587 G + 0.114 B, once or three times."""

    picture: object

    def image(self, channels, size):
        image = open_picture(self.picture, 1, size)
        return as_channels(image, channels) if isinstance(image, np.ndarray) else converted(image, channels)


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
        channels: 3 for colour, 1 for gray, others as the file has them.
        size: height that pictures without a size of their own are drawn at, or 16 if that is more.

    Returns:
        A `PIL.Image.Image` in mode "RGB" or "L"; or, of files of more channels or of more than 8 bits
        (see `keras_gan.images.arrays.read_array`), an array, uint16 (height, width, channels).

    Raises:
        One of `UNREADABLE`, if it is a file that is no picture, a damaged one or one of other channels,
        or has no two equal halves although one is asked for.
    """
    if not isinstance(picture, str | Path):
        return picture.image(channels, max(size, SMALLEST_DRAWING))
    if is_array(picture) or channels not in MODES:
        pixels = read_array(picture, channels)
        if pixels is not None:
            return pixels
    return read_picture(picture, channels)


@dataclass(frozen=True)
class ReadWhole:
    """Reads whole pictures with so many channels, of this fit and depth. Equal readers give equal pixels."""

    channels: int
    fit: str = "resize"
    depth: str = "uint8"

    def __call__(self, picture, height, width):
        """uint8 or uint16, as `depth` says, (height, width, channels)."""
        image = open_picture(picture, self.channels, max(height, width))
        wide, high = size_of(image)
        if min(wide, high) < 2:
            raise ValueError(f"it is only {wide} x {high} pixels")
        return as_pixels(image, height, width, self.fit, self.depth)


@dataclass(frozen=True)
class ReadPair:
    """Reads both halves of pairs with so many channels, of this fit and depth; drawings are drawn at this height."""

    channels: int
    drawn: int
    fit: str = "resize"
    depth: str = "uint8"

    def __call__(self, picture, height, width):
        """uint8 or uint16, as `depth` says, (2, height, width, channels)."""
        if isinstance(picture, Sides):
            both = open_picture(picture.picture, self.channels, self.drawn), self.partner(picture.partner)
        else:
            both = halves(open_picture(picture, self.channels, self.drawn))
        return np.stack([as_pixels(half, height, width, self.fit, self.depth) for half in both])

    def partner(self, path):
        """The picture of side B, or a ValueError that names it: the pair goes by the name of its A."""
        try:
            return open_picture(path, self.channels, self.drawn)
        except UNREADABLE as error:
            reason = "it is no picture" if isinstance(error, UnidentifiedImageError) else error or type(error).__name__
            raise ValueError(f"of its partner {path}: {reason}") from error


def source(picture):
    """What a picture is made from: the file (or drawing, or pixels) of a `Half`, `Gray` or `Labelled`, else itself.

    Of `Sides` it is the file of A.
    """
    while hasattr(picture, "picture"):
        picture = picture.picture
    return picture


def files_of(picture):
    """The files that a picture is read from: none, one, or both of `Sides`."""
    made_from = [source(picture), picture.partner] if isinstance(picture, Sides) else [source(picture)]
    return [file for file in made_from if isinstance(file, Path)]
