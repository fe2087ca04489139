"""Pictures of any number of channels and of more than 8 bits: .npy and TIFF files, as microscopes and satellites have.

Values become 16-bit numbers: uint8 and uint16 fill their range, and floats must lie in [0, 1].
"""

import logging
import math
from pathlib import Path

import numpy as np
from PIL import Image

ENDINGS = ".npy", ".tif", ".tiff"
FULL = 65535  # white
LUMINANCE = 0.299, 0.587, 0.114

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what it would say of damaged files, errors say


class ChannelsError(ValueError):
    """A picture of other channels than those that are asked for."""


def is_array(path):
    """Whether a file may have other channels than a photo, by its ending."""
    return str(path).lower().endswith(ENDINGS)


def read_array(path, channels=None):
    """Reads an array, or a picture of more or deeper channels than a photo has.

    Args:
        path: a .npy file (height, width) or (height, width, channels); a TIFF file, its samples or its
            pages as channels; or another picture, its bands as they are, such as RGBA for 4.
        channels: how many to return; None: as many as there are. One becomes three alike, and three
            become one, 0.299 R + 0.587 G + 0.114 B; otherwise there must be as many.

    Returns:
        uint16 (height, width, channels), 65535 for white; or None for a TIFF file that is as good read
        by Pillow: channels None, 1 or 3 are asked for and it is a photo of 8 bits.

    Raises:
        ValueError, OSError: if the file is damaged, or has other channels (a `ChannelsError`) or values.
    """
    readers = {".npy": read_npy, ".tif": read_tiff, ".tiff": read_tiff}
    try:
        values = readers.get(Path(path).suffix.lower(), read_bands)(path, channels)
        return None if values is None else as_channels(as_16_bits(values), channels)
    except (ValueError, OSError):
        raise
    except Exception as error:  # what the libraries raise on damaged files has no base in common
        raise ValueError(f"it is damaged ({error or type(error).__name__})") from error


def read_npy(path, channels):
    """The values in a .npy file, (height, width, channels)."""
    values = np.load(path, mmap_mode="r", allow_pickle=False)  # mapped, it cannot claim more than is in the file
    shape = getattr(values, "shape", ())
    if len(shape) not in (2, 3):
        raise ValueError(f"its shape {shape} is neither (height, width) nor (height, width, channels)")
    check_area(*shape[:2])
    return np.atleast_3d(values)


def read_tiff(path, channels):
    """The values in a TIFF file, (height, width, channels), or None where Pillow is to read it."""
    import tifffile

    is_photo = channels in (None, 1, 3)
    try:
        with tifffile.TiffFile(path) as file:
            page, series = file.pages[0], file.series[0]
            places = series.axes.index("Y"), series.axes.index("X")
            height, width = (series.shape[place] for place in places)
            found = math.prod(series.shape) // (height * width)
            is_stack = channels is None and found != page.samplesperpixel
            if is_photo and not is_stack and is_plain(page):
                return None
            check_area(height, width)
            check_channels(found, channels)  # before the values of a large one are read
            return np.moveaxis(series.asarray(), places, (0, 1)).reshape(height, width, found)
    except ChannelsError:
        raise
    except Exception:
        if is_photo:
            return None  # Pillow knows kinds of compression that this library leaves to others
        raise


def is_plain(page):
    """Whether a page of a TIFF file is a photo of 8 bits, or has alpha or CMYK, which Pillow knows how to convert."""
    samples = page.samplesperpixel
    return samples <= 4 and (page.bitspersample <= 8 or samples in (2, 4))


def read_bands(path, channels):
    """The bands of a picture, (height, width, channels): 4 of RGBA or CMYK, 2 of gray with alpha."""
    with Image.open(path) as image:
        return np.atleast_3d(np.asarray(image))


def check_area(height, width):
    """Raises ValueError for a picture of absurd size, as Pillow does."""
    limit = 2 * (Image.MAX_IMAGE_PIXELS or math.inf)
    if height * width > limit:
        raise ValueError(f"it has {height * width} pixels, more than {limit}")


def check_channels(found, channels):
    """Raises ChannelsError if so many channels are no such as are asked for, and cannot be made such."""
    if channels not in (None, found) and {found, channels} != {1, 3}:
        raise ChannelsError(f"it has {found} channels, not {channels} (--image-size HEIGHTxWIDTHx{found})")


def as_16_bits(values):
    """Values (height, width, channels) as uint16, or a ValueError that tells what they are."""
    kind = values.dtype.newbyteorder("=")
    if kind == "uint8":
        return values * np.uint16(257)
    if kind == "uint16":
        return values.astype("uint16")
    if values.dtype.kind != "f":
        raise ValueError(f"its values are {values.dtype}; expected are uint8, uint16 or floats in [0, 1]")
    low, high = values.min(), values.max()
    if not 0 <= low <= high <= 1:
        raise ValueError(f"its values reach from {low:g} to {high:g}; floats must lie in [0, 1]")
    return np.rint(values * np.float64(FULL)).astype("uint16")


def as_channels(values, channels):
    """uint16 (height, width, any) as (height, width, channels), or a ChannelsError."""
    found = values.shape[2]
    check_channels(found, channels)
    if channels in (None, found):
        return values
    if found == 1:
        return values.repeat(3, axis=2)
    return np.rint(values @ np.array(LUMINANCE)).astype("uint16")[..., np.newaxis]
