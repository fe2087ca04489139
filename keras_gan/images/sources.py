"""The kinds of pictures in a data set, from files or made in memory, and their readers."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from keras_gan.images.arrays import as_channels, is_array, read_array
from keras_gan.images.given import Given
from keras_gan.images.members import Member
from keras_gan.images.opening import UNREADABLE, named_damage
from keras_gan.images.photos import colours_of, opened, over_white, stretched
from keras_gan.images.pixels import AnyImage, as_pixels, halves, size_of
from keras_gan.images.values import Range, Raw, Span, check_numbers, shown, white_of

MODES = {1: "L", 3: "RGB"}

SMALLEST_DRAWING = 16


def read_picture(path: str | Path | Member, channels: int = 3, value_range: Range = None) -> Image.Image:
    """Reads an image file of any format that Pillow supports, or an array (`keras_gan.images.arrays.read_array`).

    It applies EXIF rotation, puts transparent images on white, and converts palettes and CMYK. Black is 0. White is 1
    for floats of every format, else the largest number of the bits that the file states: BitsPerSample of TIFF, or
    MaxSampleValue if it has all bits set (4095; 3816 is a statistic); the depth of a JPEG 2000 component; the type
    behind BITPIX and BZERO of FITS, or DATAMAX as above; sBIT of PNG if the values were not scaled to 16 bits. Where 12
    bits lie in a file that states 16, white stays 65535 (`value_span` tells). Other floats and 32 bits are refused.

    Args:
        path: the file, or a member of a shard.
        channels: 3 for colour, 1 for gray.
        value_range: the values of black and white in the file; those outside are clipped. None: as above.

    Returns:
        A fully loaded `PIL.Image.Image` in mode "RGB" or "L".

    Raises:
        One of `UNREADABLE`, if the file is damaged or not an image.
    """
    pixels = read_array(path, channels, value_range) if is_array(path) else None
    if pixels is not None:
        pixels = (pixels // 257).astype("uint8")
        return Image.fromarray(pixels if channels == 3 else pixels[..., 0])
    with named_damage():
        return read_by_pillow(path, channels, value_range)


def read_by_pillow(path: Any, channels: int, value_range: Range = None) -> Image.Image:
    """`read_picture` for a path or an open file, without arrays; may raise any exception."""
    image, rule, white = opened(path)
    if rule is not None:  # Pillow's own conversion to 8 bits clips at 255
        pixels = (shown(rule(np.asarray(image)), value_range) // 257).astype("uint8")
        return converted(Image.fromarray(pixels.squeeze(2) if pixels.shape[2:] == (1,) else pixels), channels)
    if value_range is not None:
        image = stretched(image, white, value_range)
    return converted(over_white(image), channels)


def value_span(path: str | Path | Member | Given) -> Span:
    """The smallest and the largest value in a picture, without alpha, and what `read_picture` takes for white.

    Raises:
        One of `UNREADABLE`, if the file is damaged or not an image.
    """
    with named_damage():
        raw = Raw(path.values) if isinstance(path, Given) else colours_of(path)
        check_numbers(raw.colours)
    return Span(float(raw.colours.min()), float(raw.colours.max()), white_of(raw.colours, raw.white))


def converted(image: Image.Image, channels: int) -> Image.Image:
    """Converts an image to gray (1) or colour (3); ValueError for other channels."""
    if channels not in MODES:
        raise ValueError(f"it has {len(image.getbands())} channels, not {channels}")
    return image if image.mode == MODES[channels] else image.convert(MODES[channels])


def with_channels(image: AnyImage, channels: int) -> AnyImage:
    """An image or an array with these channels; ValueError if that is impossible."""
    return as_channels(image, channels) if isinstance(image, np.ndarray) else converted(image, channels)


@dataclass(frozen=True, eq=False)
class Pixels:
    """A picture in memory: uint8 (height, width, 3), or (height, width) for gray."""

    pixels: np.ndarray
    name: str

    def image(self, channels: int, size: int, value_range: Range = None) -> Image.Image:
        return converted(Image.fromarray(self.pixels), channels)

    def __str__(self) -> str:
        return self.name


class Half(NamedTuple):
    """The left or right half of a picture that holds a pair."""

    picture: Any
    right: bool

    def image(self, channels: int, size: int, value_range: Range = None) -> AnyImage:
        return halves(open_picture(self.picture, channels, size, value_range))[self.right]


class Sides(NamedTuple):
    """A pair in two files: A (`picture`) and B (`partner`)."""

    picture: Any
    partner: Any


class Stack(NamedTuple):
    """Pictures in several files, channels behind channels, in the size of the first one."""

    picture: Any  # the first file: the stack has its name
    others: tuple
    channels: tuple[int, ...]  # of each file

    def image(self, channels: int, size: int, value_range: Range = None) -> np.ndarray:
        parts = [self.part(number, size, value_range) for number in range(len(self.channels))]
        width, height = size_of(parts[0])
        planes = [as_pixels(part, height, width, depth="uint16") for part in parts]
        return as_channels(np.concatenate(planes, axis=2), channels)

    def part(self, number: int, size: int, value_range: Range) -> AnyImage:
        """Opens one of the files. Errors of the others name them, because the stack has the name of the first."""
        path = (self.picture, *self.others)[number]
        with named_partner(path if number else None):
            return open_picture(path, self.channels[number], size, value_range)


class Gray(NamedTuple):
    """A picture converted to gray (0.299 R + 0.587 G + 0.114 B), in one or three equal channels."""

    picture: Any

    def image(self, channels: int, size: int, value_range: Range = None) -> AnyImage:
        return with_channels(open_picture(self.picture, 1, size, value_range), channels)


class Labelled(NamedTuple):
    """A picture and its class number."""

    picture: Any
    label: int

    def image(self, channels: int, size: int, value_range: Range = None) -> AnyImage:
        return open_picture(self.picture, channels, size, value_range)


def open_picture(picture: Any, channels: int, size: int, value_range: Range = None) -> AnyImage:
    """Opens a picture of any kind.

    Args:
        picture: a path, `Member`, `Drawn`, `Pixels` or `Given`, or a `Half`, `Gray` or `Labelled` of these.
        channels: 3 for colour, 1 for gray, else the number of channels in the file.
        size: height of drawings; at least 16 is used.
        value_range: the values of black and white in files; None: as each file states it.

    Returns:
        A `PIL.Image.Image` in mode "RGB" or "L"; for files with more channels or more than 8 bits
        (see `keras_gan.images.arrays.read_array`) an array, uint16 (height, width, channels).

    Raises:
        One of `UNREADABLE`, if the file is damaged, not an image, has other channels or no equal halves.
    """
    if not isinstance(picture, str | Path | Member):
        return picture.image(channels, max(size, SMALLEST_DRAWING), value_range)
    if is_array(picture) or channels not in MODES:
        pixels = read_array(picture, channels, value_range)
        if pixels is not None:
            return pixels
    return read_picture(picture, channels, value_range)


@contextlib.contextmanager
def named_partner(path: Any) -> Iterator[None]:
    """Turns errors of reading a file that belongs to another one into ones that name it; None: leaves them alone."""
    try:
        yield
    except UNREADABLE as error:
        if path is None:
            raise
        reason = "it is no picture" if isinstance(error, UnidentifiedImageError) else error or type(error).__name__
        raise ValueError(f"its partner {path} cannot be used: {reason}") from error


def kinds_of(picture: Any) -> list[type]:
    """The classes of a picture and of what it is made of, such as `Sides`, `Stack` and `PosixPath`."""
    return [type(picture), *(kinds_of(picture.picture) if hasattr(picture, "picture") else [])]


def source(picture: Any) -> Any:
    """The path, `Member`, drawing or `Pixels` behind a `Half`, `Gray` or `Labelled`.

    A of `Sides`; the first of a `Stack`; other pictures unchanged.
    """
    while hasattr(picture, "picture"):
        picture = picture.picture
    return picture


def is_of_user(picture: Any) -> bool:
    """Whether a picture is a file or given from Python: not a drawing, nor of a set that is built in."""
    return is_in_file(picture) or isinstance(source(picture), Given)


def is_in_file(picture: Any) -> bool:
    """Whether a picture lies on the disk: a file, or a member of a shard."""
    return isinstance(source(picture), Path | Member)


def files_of_sides(picture: Any) -> list[list[Any]]:
    """The files behind a picture, or what is given from Python, side by side: of one side, or of both `Sides`."""
    if isinstance(picture, Sides):
        return [files_of(picture.picture), files_of(picture.partner)]
    others = picture.others if isinstance(picture, Stack) else ()
    return [[file for file in (source(picture), *others) if is_of_user(file)]]


def files_of(picture: Any) -> list[Any]:
    """The files behind a picture, or what is given from Python: none, one, both of `Sides`, or all of a `Stack`."""
    return [file for files in files_of_sides(picture) for file in files]
