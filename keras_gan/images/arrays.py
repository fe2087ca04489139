"""Images with any number of channels or more than 8 bits: .npy and TIFF files, as from microscopes and satellites.

Values are converted to uint16: uint8 and uint16 are scaled to the full range, floats must be in [0, 1].
"""

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ENDINGS = ".npy", ".tif", ".tiff"
FULL = 65535  # white
LUMINANCE = 0.299, 0.587, 0.114

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # damaged files are reported as errors instead


class ChannelsError(ValueError):
    """The image has another number of channels than requested."""


def is_array(path: str | Path) -> bool:
    """Whether a file may have other channels than a photo, judged by its extension."""
    return str(path).lower().endswith(ENDINGS)


def read_array(path: str | Path, channels: int | None = None) -> np.ndarray | None:
    """Reads an array, or an image with more channels or more bits than a photo.

    Args:
        path: a .npy file (height, width) or (height, width, channels); a TIFF file, its samples or pages are the
            channels; or another image, its bands unconverted, such as RGBA for 4.
        channels: number of channels to return; None: as in the file. 1 is repeated to 3, and 3 is reduced to 1
            (0.299 R + 0.587 G + 0.114 B); any other mismatch is an error.

    Returns:
        uint16 (height, width, channels), white is 65535; None for 8-bit TIFF photos, which Pillow should read.

    Raises:
        ChannelsError: if the file has another number of channels.
        ValueError, OSError: if the file is damaged or has unsupported values.
    """
    readers = {".npy": read_npy, ".tif": read_tiff, ".tiff": read_tiff}
    try:
        values = readers.get(Path(path).suffix.lower(), read_bands)(path, channels)
        return None if values is None else as_channels(as_16_bits(values), channels)
    except (ValueError, OSError):
        raise
    except Exception as error:  # the libraries' errors on damaged files have no common base class
        raise ValueError(f"it is damaged ({error or type(error).__name__})") from error


def read_npy(path: str | Path, channels: int | None) -> np.ndarray:
    """The values of a .npy file, (height, width, channels)."""
    values = np.load(path, mmap_mode="r", allow_pickle=False)  # mmap: a forged header cannot allocate memory
    shape = getattr(values, "shape", ())
    if len(shape) not in (2, 3):
        raise ValueError(f"its shape {shape} is neither (height, width) nor (height, width, channels)")
    check_area(*shape[:2])
    return np.atleast_3d(values)


def read_tiff(path: str | Path, channels: int | None) -> np.ndarray | None:
    """The values of a TIFF file, (height, width, channels); None if Pillow should read it."""
    import tifffile

    is_photo = channels in (None, 1, 3)
    try:
        with tifffile.TiffFile(path) as file:
            page, series = file.pages.first, file.series[0]
            places = series.axes.index("Y"), series.axes.index("X")
            height, width = (series.shape[place] for place in places)
            found = math.prod(series.shape) // (height * width)
            is_stack = channels is None and found != page.samplesperpixel
            if is_photo and not is_stack and is_plain(page):
                return None
            check_area(height, width)
            check_channels(found, channels)  # before a large file is read
            return np.moveaxis(series.asarray(), places, (0, 1)).reshape(height, width, found)
    except ChannelsError:
        raise
    except Exception:
        if is_photo:
            return None  # Pillow supports compressions that tifffile lacks
        raise


def is_plain(page: Any) -> bool:
    """Whether a TIFF page is an 8-bit photo, or has alpha or CMYK, which Pillow can convert."""
    samples = page.samplesperpixel
    return samples <= 4 and (page.bitspersample <= 8 or samples in (2, 4))


def read_bands(path: str | Path, channels: int | None) -> np.ndarray:
    """The bands of an image, (height, width, channels): 4 for RGBA or CMYK, 2 for gray with alpha."""
    with Image.open(path) as image:
        return np.atleast_3d(np.asarray(image))


def check_area(height: int, width: int) -> None:
    """Raises ValueError for absurdly large images, with Pillow's limit."""
    limit = 2 * (Image.MAX_IMAGE_PIXELS or math.inf)
    if height * width > limit:
        raise ValueError(f"it has {height * width} pixels, more than {limit}")


def check_channels(found: int, channels: int | None) -> None:
    """Raises ChannelsError if `found` channels cannot be converted to `channels`."""
    if channels not in (None, found) and {found, channels} != {1, 3}:
        raise ChannelsError(f"it has {found} channels, not {channels} (--image-size HEIGHTxWIDTHx{found})")


def as_16_bits(values: np.ndarray) -> np.ndarray:
    """Converts values (height, width, channels) to uint16; ValueError for unsupported dtypes or ranges."""
    kind = values.dtype.newbyteorder("=")
    if kind == "uint8":
        return values * np.uint16(257)
    if kind == "uint16":
        return values.astype("uint16")
    if values.dtype.kind != "f":
        raise ValueError(f"its values are {values.dtype}; supported are uint8, uint16 and floats in [0, 1]")
    low, high = values.min(), values.max()
    if not 0 <= low <= high <= 1:
        raise ValueError(f"its values range from {low:g} to {high:g}; floats must be in [0, 1]")
    return np.rint(values * np.float64(FULL)).astype("uint16")


def as_channels(values: np.ndarray, channels: int | None) -> np.ndarray:
    """Converts uint16 (height, width, any) to (height, width, channels); ChannelsError if that is impossible."""
    found = values.shape[2]
    check_channels(found, channels)
    if channels in (None, found):
        return values
    if found == 1:
        return values.repeat(3, axis=2)
    return np.rint(values @ np.array(LUMINANCE)).astype("uint16")[..., np.newaxis]
