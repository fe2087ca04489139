"""What file formats state about their values: which one is white, and how many bits they have.

A rule takes the values of an image as Pillow or tifffile decodes them, and returns those that the file stores.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_gan.images.values import FULL, Raw

MAX_SAMPLE_VALUES = 281, 341  # TIFF tags: MaxSampleValue and SMaxSampleValue
WITH_ALPHA = "LA", "RGBA"

Rule = Callable[[np.ndarray], Raw]


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
        highest = stored_white(image)
        return lambda values: Raw(np.rint(values * (highest / FULL)).astype("uint16"), highest)  # Pillow scaled them
    if image.mode == "L" and image.format == "TIFF" and image.tag_v2.get(262) == 0:
        return lambda values: Raw(255 - values, 255, is_inverted=True)  # Pillow has inverted them
    return Raw if is_deep else None


def stored_white(image: Any) -> float:
    """The value that white has in the file of an open image of 8 bits, or of a PGM file, before it is loaded.

    Pillow scales values to 8 bits (to 16 in PGM files of more than 8), or keeps the upper 8 of 16.
    """
    coded = image.tile[0][3] if image.tile else ""
    if image.format == "PPM" and isinstance(coded, tuple):
        return coded[1]
    return FULL if any(f";16{order}" in str(coded) for order in "BLN") else 255


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
        return Raw(values, min(filter(None, whites), default=usual), white_is_zero)

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
        if clear is None:
            return Raw(values, white)
        return Raw(np.dstack([values, np.where(values == clear, 0, white)]).astype("uint16"), white, alpha=2)

    return rule


def jpeg_2000_rule(image: Any) -> Rule | None:
    """For JPEG 2000: Pillow shifts values left, so that the highest bit of the component's depth is the highest."""
    start = (header := header_of(image, -1)).find(b"\xff\x4f\xff\x51")
    bits = (header[start + 42] & 127) + 1  # of the first component, in the marker SIZ
    if bits > 8 and image.mode == "L":
        image._mode = "I;16"  # Pillow takes 9 bits for 8
    if bits > 8 and image.mode[0] != "I":
        raise ValueError(
            f"it is JPEG 2000 of {bits} bits in colour, whose white Pillow makes black: convert it to PNG or TIFF, "
            "for example by opj_decompress -i FILE.jp2 -o FILE.tif"
        )
    width = 16 if image.mode[0] == "I" else 8
    if width == 8 and (bits == 8 or image.mode not in ("L", "LA", "RGB", "RGBA")):
        return None
    alpha = 2 if image.mode in WITH_ALPHA else None
    return lambda values: Raw(values >> max(0, width - bits), 2 ** min(bits, width) - 1, alpha=alpha)


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
