"""Opens pictures with the channels that a network takes, and finds out which have more than 8 bits."""

from pathlib import Path

import numpy as np
from PIL import UnidentifiedImageError

from keras_gan.images.arrays import ChannelsError, as_channels, is_array
from keras_gan.images.opening import check_regular, opened_image
from keras_gan.images.photos import opened
from keras_gan.images.pixels import AnyImage
from keras_gan.images.sources import MODES, named_damage, open_picture
from keras_gan.images.values import Range, as_16_bits, shown

#: Extensions of files that may have more than 8 bits per channel.
DEEP = ".npy", ".tif", ".tiff", ".png", ".apng", ".pgm", ".ppm", ".pnm", ".jp2", ".j2k"
RGBA = 4


def is_deep(path: Path) -> bool:
    """Whether a picture file has more than 8 bits per channel. False for files that cannot be read."""
    ending = path.suffix.lower()
    if ending not in DEEP:
        return False
    try:
        check_regular(path)
        if ending == ".npy":
            return np.load(path, mmap_mode="r", allow_pickle=False).dtype.itemsize > 1
        if ending in (".tif", ".tiff"):
            import tifffile

            with tifffile.TiffFile(path) as file:
                return bool(np.max(file.pages.first.bitspersample) > 8)
        with opened_image(path) as image:
            coded = [str(tile[3]) for tile in getattr(image, "tile", ())]  # such as "RGB;16B", or ("RGB", 65535)
            return image.mode.startswith("I") or any(";16" in code or "65535" in code for code in coded)
    except Exception:  # the libraries' errors on damaged files have no common base class
        return False


def read(path: Path, channels: int, size: int, deep: bool, value_range: Range = None) -> AnyImage:
    """Opens a picture file.

    Args:
        path: the file.
        channels: of the result. For 4, palettes and transparent pictures become RGBA.
        size: height of drawings, see `keras_gan.images.sources.open_picture`.
        deep: whether to keep 16 bits.
        value_range: the values of black and white in the file; None: as it states them.

    Returns:
        A `PIL.Image.Image` in mode "RGB" or "L", or an array, uint16 (height, width, channels).

    Raises:
        One of `keras_gan.images.sources.UNREADABLE`, if the file is damaged, not a picture or has other channels.
    """
    try:
        with named_damage():
            found = None
            if not is_array(path) and channels == RGBA:
                found = read_rgba(path, value_range)
            elif not is_array(path) and deep and channels in MODES:
                found = read_gray_16(path, channels, value_range)
            return open_picture(path, channels, size, value_range) if found is None else found
    except ChannelsError as error:
        raise ValueError(str(error).partition(" (--image-size")[0]) from error  # that is an option of training


def read_rgba(path: Path, value_range: Range) -> np.ndarray | None:
    """A picture with a palette or with transparency, uint16 (height, width, 4); None for any other."""
    with opened_image(path) as image:
        if image.mode != "P" and not image.has_transparency_data:
            return None
        return as_16_bits(np.asarray(image.convert("RGBA")), value_range=value_range)


def read_gray_16(path: Path, channels: int, value_range: Range) -> np.ndarray | None:
    """A gray picture of 16 bits, uint16 (height, width, channels); None for any other."""
    image, rule, _ = opened(path)
    if rule is None or not image.mode.startswith("I"):
        return None
    return as_channels(np.atleast_3d(shown(rule(np.asarray(image)), value_range)), channels)


def reason(error: BaseException) -> str:
    """Why a picture cannot be read, in a few words."""
    return "not a picture" if isinstance(error, UnidentifiedImageError) else str(error) or type(error).__name__
