"""Images with any number of channels or more than 8 bits: .npy and TIFF files, as from microscopes and satellites.

Values are converted to uint16, black is 0 and white is 65535. What is white in a file: see `sources.read_picture`.
"""

import logging
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from keras_gan.images.pixels import FULL, as_16_bits, laid_over_white, white_of

ENDINGS = ".npy", ".tif", ".tiff"
LUMINANCE = 0.299, 0.587, 0.114
MAX_SAMPLE_VALUES = 281, 341  # TIFF tags: MaxSampleValue and SMaxSampleValue

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # damaged files are reported as errors instead


class ChannelsError(ValueError):
    """The image has another number of channels than requested."""


class Raw(NamedTuple):
    """The values of a file, and the value of white where the file states it; None: the full range of the dtype."""

    values: np.ndarray
    white: float | None = None


Rule = Callable[[np.ndarray], Raw]


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
    raw = read_raw(path, channels)
    return None if raw is None else as_channels(as_16_bits(*raw), channels)


def read_raw(path: str | Path, channels: int | None = None) -> Raw | None:
    """What `read_array` reads, with the values of the file."""
    readers = {".npy": read_npy, ".tif": read_tiff, ".tiff": read_tiff}
    try:
        return readers.get(Path(path).suffix.lower(), read_bands)(path, channels)
    except (ValueError, OSError):
        raise
    except Exception as error:  # the libraries' errors on damaged files have no common base class
        raise ValueError(f"it is damaged ({error or type(error).__name__})") from error


def read_npy(path: str | Path, channels: int | None) -> Raw:
    """The values of a .npy file, (height, width, channels)."""
    values = np.load(path, mmap_mode="r", allow_pickle=False)  # mmap: a forged header cannot allocate memory
    shape = getattr(values, "shape", ())
    if len(shape) not in (2, 3):
        raise ValueError(f"its shape {shape} is neither (height, width) nor (height, width, channels)")
    check_area(*shape[:2])
    return Raw(np.atleast_3d(values))


def read_tiff(path: str | Path, channels: int | None) -> Raw | None:
    """The values of a TIFF file, (height, width, channels); None if Pillow should read it."""
    import tifffile

    is_photo = channels in (None, 1, 3)
    try:
        with tifffile.TiffFile(path) as file:
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
            values = np.moveaxis(series.asarray(), places, (0, 1)).reshape(height, width, found)
            stated = [page.tags.valueof(tag) for tag in MAX_SAMPLE_VALUES]
            raw = tiff_rule(page.bitspersample, stated, page.photometric == 0)(values)
            return raw if alpha is None else Raw(laid_over_white(as_16_bits(*raw), alpha))
    except ChannelsError:
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


def read_bands(path: str | Path, channels: int | None) -> Raw:
    """The bands of an image, (height, width, channels): 4 for RGBA or CMYK, 2 for gray with alpha."""
    image: Any
    with Image.open(path) as image:
        rule = rule_of(image) or Raw
        ImageOps.exif_transpose(image, in_place=True)
    if image.mode in ("1", "P", "PA"):
        image = image.convert("L" if image.mode == "1" else "RGBA" if image.has_transparency_data else "RGB")
    values, white = rule(np.asarray(image))
    return Raw(np.atleast_3d(values), white)


# What formats state about their values. A rule takes the values as Pillow decodes them.


def rule_of(image: Any) -> Rule | None:
    """The rule for the values of an open image, before it is loaded; None for 8-bit values as in a photo.

    Pillow's modes with more bits are "I", "I;16" and the like, and "F" for floats.
    """
    is_deep = image.mode[0] in "IF"
    if image.format == "FITS":
        return fits_rule(image)
    if image.format == "JPEG2000":
        return jpeg_2000_rule(image)
    if is_deep and image.format == "PNG":
        return png_rule(image)
    if is_deep and image.format == "TIFF":
        tags = image.tag_v2
        stated = [tags.get(tag) for tag in MAX_SAMPLE_VALUES]
        return tiff_rule(tags.get(258, (0,))[0], stated, tags.get(262) == 0)
    if image.mode == "I" and image.format == "PPM":
        return lambda values: Raw(values, FULL)  # Pillow scales it to 16 bits
    return Raw if is_deep else None


def header_of(image: Any, length: int = 2**20) -> bytes:
    """The first bytes of an open image's file."""
    place = image.fp.tell()
    image.fp.seek(0)
    content = image.fp.read(length)
    image.fp.seek(place)
    return content


def all_bits_set(stated: Any, values: np.ndarray) -> float | None:
    """A stated largest value if it is that of a number of bits (4095 for 12), and none is larger; else None.

    Others, such as 3816, are statistics of this one picture.
    """
    highest = max(stated) if isinstance(stated, tuple | list) and stated else stated
    if not isinstance(highest, int | float) or highest < 1 or highest > 2**32 or highest != int(highest):
        return None
    fits = int(highest) & (int(highest) + 1) == 0 and values.max(initial=0) <= highest
    return float(highest) if fits else None


def tiff_rule(bits: int, stated: list, white_is_zero: bool) -> Rule:
    """For TIFF: white has all bits of BitsPerSample, or is MaxSampleValue if that is such a number."""

    def rule(values: np.ndarray) -> Raw:
        whites = [] if values.dtype.kind == "f" else [all_bits_set(highest, values) for highest in stated]
        usual = 2**bits - 1 if 8 < bits < 16 else None
        white = white_of(values, min(filter(None, whites), default=usual))
        if white_is_zero and white is not None:
            values = (white - values).astype(values.dtype)
        return Raw(values, white)

    return rule


def png_rule(image: Any) -> Rule:
    """For gray PNG files of 16 bits: white is 65535, or has the bits of the chunk sBIT if values were not scaled."""
    found = re.search(rb"\x00\x00\x00\x01sBIT(.)", header_of(image).partition(b"IDAT")[0], re.DOTALL)
    bits = found[1][0] if found else 16
    clear = image.info.get("transparency")

    def rule(values: np.ndarray) -> Raw:
        white, low = 2**bits - 1, values & (2 ** (16 - bits) - 1)
        is_scaled = values.max(initial=0) > white or not (low & ~(values >> bits)).any()
        white = FULL if is_scaled else white
        return Raw(values if clear is None else np.where(values == clear, white, values).astype("uint16"), white)

    return rule


def jpeg_2000_rule(image: Any) -> Rule | None:
    """For JPEG 2000: Pillow shifts values left, so that the highest bit of the component's depth is the highest."""
    start = (header := header_of(image, -1)).find(b"\xff\x4f\xff\x51")
    bits = (header[start + 42] & 127) + 1  # of the first component, in the marker SIZ
    if bits > 8 and image.mode == "L":
        image._mode = "I;16"  # Pillow takes 9 bits for 8
    if bits > 8 and image.mode[0] != "I":
        raise ValueError(f"it is JPEG 2000 of {bits} bits in colour, whose white Pillow makes black: convert it to PNG")
    width = 16 if image.mode[0] == "I" else 8
    if width == 8 and (bits == 8 or image.mode not in ("L", "LA", "RGB", "RGBA")):
        return None
    return lambda values: Raw(values >> max(0, width - bits), 2 ** min(bits, width) - 1)


def fits_rule(image: Any) -> Rule:
    """For FITS: values are BZERO + BSCALE * stored; white is their type's largest, or DATAMAX if that has all bits."""
    header = header_of(image, image.tile[0].offset)
    cards = (header[i : i + 80].partition(b"=") for i in range(0, len(header), 80))
    found = {key.strip(): value.partition(b"/")[0].strip() for key, _, value in cards}
    bits = int(found.get(b"ZBITPIX", found[b"BITPIX"]))
    zero, step, highest = (
        float(found.get(key, default).replace(b"D", b"E"))
        for key, default in ((b"BZERO", b"0"), (b"BSCALE", b"1"), (b"DATAMAX", b"0"))
    )

    def rule(values: np.ndarray) -> Raw:
        signed = values.astype("uint16").view("int16") if bits == 16 else values
        if bits < 0 or step != 1 or zero != int(zero):
            return Raw(signed * step + zero)
        physical = signed + np.int64(zero) if zero else signed
        largest = zero + {8: 255, 16: 2**15 - 1}.get(bits, math.nan)
        return Raw(physical, all_bits_set(highest, physical) or (largest if largest > 0 else None))

    return rule


def check_area(height: int, width: int) -> None:
    """Raises ValueError for absurdly large images, with Pillow's limit."""
    limit = 2 * (Image.MAX_IMAGE_PIXELS or math.inf)
    if height * width > limit:
        raise ValueError(f"it has {height * width} pixels, more than {limit}")


def check_channels(found: int, channels: int | None) -> None:
    """Raises ChannelsError if `found` channels cannot be converted to `channels`."""
    if channels not in (None, found) and {found, channels} != {1, 3}:
        raise ChannelsError(f"it has {found} channels, not {channels} (--image-size HEIGHTxWIDTHx{found})")


def as_channels(values: np.ndarray, channels: int | None) -> np.ndarray:
    """Converts uint16 (height, width, any) to (height, width, channels); ChannelsError if that is impossible."""
    found = values.shape[2]
    check_channels(found, channels)
    if channels in (None, found):
        return values
    if found == 1:
        return values.repeat(3, axis=2)
    return np.rint(values @ np.array(LUMINANCE)).astype("uint16")[..., np.newaxis]
