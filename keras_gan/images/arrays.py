"""Images with any number of channels or more than 8 bits: .npy and TIFF files, as from microscopes and satellites.

Values are converted to uint16, black is 0 and white is 65535. What is white in a file: see `sources.read_picture`.
"""

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from keras_gan.images.members import Member, file_of, suffix_of
from keras_gan.images.opening import VALUE, TooLargeError, check_regular, check_room, damage, opened_image
from keras_gan.images.stated import MAX_SAMPLE_VALUES, rule_of, tiff_rule
from keras_gan.images.values import Range, Raw, shown

ENDINGS = ".npy", ".tif", ".tiff"
LUMINANCE = 0.299, 0.587, 0.114

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # damaged files are reported as errors instead


class ChannelsError(ValueError):
    """The image has another number of channels than requested."""


def is_array(path: Any) -> bool:
    """Whether a file may have other channels than a photo, judged by its extension."""
    return suffix_of(path) in ENDINGS


def read_array(path: str | Path | Member, channels: int | None = None, value_range: Range = None) -> np.ndarray | None:
    """Reads an array, or an image with more channels or more bits than a photo.

    Args:
        path: a .npy file (height, width) or (height, width, channels); a TIFF file, its samples or pages are the
            channels; or another image, its bands unconverted, such as RGBA for 4.
        channels: number of channels to return; None: as in the file. 1 is repeated to 3, and 3 is reduced to 1
            (0.299 R + 0.587 G + 0.114 B); any other mismatch is an error.
        value_range: the values of black and white; None: as the file states.

    Returns:
        uint16 (height, width, channels), white is 65535; None for 8-bit TIFF photos, which Pillow should read.

    Raises:
        ChannelsError: if the file has another number of channels.
        ValueError, OSError: if the file is damaged or has unsupported values.
    """
    raw = read_raw(path, channels)
    return None if raw is None else as_channels(shown(raw, value_range), channels)


def read_raw(path: str | Path | Member, channels: int | None = None) -> Raw | None:
    """What `read_array` reads, with the values of the file."""
    readers = {".npy": read_npy, ".tif": read_tiff, ".tiff": read_tiff}
    try:
        check_regular(path)
        return readers.get(suffix_of(path), read_bands)(path, channels)
    except (ValueError, OSError):
        raise
    except Exception as error:  # the libraries' errors on damaged files have no common base class
        raise damage(error) from error


def read_npy(path: str | Path | Member, channels: int | None) -> Raw:
    """The values of a .npy file, (height, width, channels)."""
    is_path = isinstance(path, str | Path)  # mapped, so that a forged header cannot allocate memory
    values = np.load(file_of(path), mmap_mode="r" if is_path else None, allow_pickle=False)
    shape = getattr(values, "shape", ())
    if len(shape) not in (2, 3):
        raise ValueError(f"its shape {shape} is neither (height, width) nor (height, width, channels)")
    check_area(*shape[:2])
    check_room(VALUE * values.size)
    return Raw(np.atleast_3d(values))


def read_tiff(path: str | Path | Member, channels: int | None) -> Raw | None:
    """The values of a TIFF file, (height, width, channels); None if Pillow should read it."""
    import tifffile

    is_photo = channels in (None, 1, 3)
    try:
        with tifffile.TiffFile(file_of(path)) as file:
            page, series = file.pages.first, file.series[0]
            places = series.axes.index("Y"), series.axes.index("X")
            height, width = (series.shape[place] for place in places)
            found = math.prod(series.shape) // (height * width)
            alpha = alpha_of(page) if found == page.samplesperpixel and channels in (1, 3) else None
            is_stack = channels is None and found != page.samplesperpixel
            if is_photo and not is_stack and is_plain(page) and alpha is None:
                return None
            check_area(height, width)
            check_channels(found - (alpha is not None), channels)  # before a large file is read
            check_room(VALUE * math.prod(series.shape))
            values = np.moveaxis(series.asarray(), places, (0, 1)).reshape(height, width, found)
            stated = [page.tags.valueof(tag) for tag in MAX_SAMPLE_VALUES]
            return tiff_rule(page.bitspersample, stated, page.photometric == 0)(values)._replace(alpha=alpha)
    except (ChannelsError, TooLargeError):
        raise
    except Exception:
        if is_photo:
            return None  # Pillow supports compressions that tifffile lacks
        raise


def is_plain(page: Any) -> bool:
    """Whether a TIFF page is an 8-bit photo, or has 16 bits with alpha or in CMYK, which Pillow can convert."""
    samples, bits = page.samplesperpixel, page.bitspersample
    return samples <= 4 and (bits <= 8 or (samples == 4 and bits == 16))


def alpha_of(page: Any) -> int | None:
    """The kind of alpha in a TIFF page of more than 8 bits: 0 to ignore it, 1 if multiplied into colours, else 2."""
    if page.bitspersample <= 8 or page.samplesperpixel != {0: 2, 1: 2, 2: 4}.get(page.photometric):
        return None  # neither gray nor RGB with one channel more
    return int((*page.extrasamples, 2)[0])


def read_bands(path: str | Path | Member, channels: int | None) -> Raw:
    """The bands of an image, (height, width, channels): 4 for RGBA or CMYK, 2 for gray with alpha."""
    image: Any
    with opened_image(path) as image:
        rule = rule_of(image) or Raw
        ImageOps.exif_transpose(image, in_place=True)
    if image.mode in ("1", "P", "PA"):
        image = image.convert("L" if image.mode == "1" else "RGBA" if image.has_transparency_data else "RGB")
    raw = rule(np.asarray(image))
    return raw._replace(values=np.atleast_3d(raw.values), alpha=None)


def check_area(height: int, width: int) -> None:
    """Raises ValueError for absurdly large images, with Pillow's limit."""
    limit = 2 * (Image.MAX_IMAGE_PIXELS or math.inf)
    if height * width > limit:
        raise ValueError(f"it has {height * width} pixels, more than {limit}")


def check_channels(found: int, channels: int | None) -> None:
    """Raises ChannelsError if `found` channels cannot be converted to `channels`."""
    if channels not in (None, found) and {found, channels} != {1, 3}:
        raise ChannelsError(
            f"it has {found} channels, not {channels} (--image-size HEIGHTxWIDTHx{found}, or --shape-A, --shape-B)"
        )


def as_channels(values: np.ndarray, channels: int | None) -> np.ndarray:
    """Converts uint16 (height, width, any) to (height, width, channels); ChannelsError if that is impossible."""
    found = values.shape[2]
    check_channels(found, channels)
    if channels in (None, found):
        return values
    if found == 1:
        return values.repeat(3, axis=2)
    return np.rint(values @ np.array(LUMINANCE)).astype("uint16")[..., np.newaxis]
