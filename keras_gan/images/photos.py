"""Opens picture files with Pillow, and finds their colours."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps

from keras_gan.images.arrays import ChannelsError, is_array, read_raw
from keras_gan.images.members import Member
from keras_gan.images.opening import opened_image
from keras_gan.images.stated import Rule, rule_of, stored_white
from keras_gan.images.values import Raw, as_16_bits


def opened(path: Any) -> tuple[Image.Image, Rule | None, float]:
    """An image, loaded and turned as its EXIF data says; its rule, or else the value of its white in the file.

    It may raise any exception.
    """
    image: Any
    with opened_image(path) as image:
        rule, white = rule_of(image), stored_white(image)
        image.load()
        ImageOps.exif_transpose(image, in_place=True)  # not in place, it would copy every image
    return image, rule, white


def in_rgb(image: Image.Image) -> Image.Image:
    """A CIELAB image in mode "RGB". Pillow converts it only with profiles."""
    profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    found: Any = ImageCms.profileToProfile(image, *profiles, outputMode="RGB")
    return found


def with_alpha(image: Image.Image) -> Image.Image:
    """An image with transparency in mode "RGBA"."""
    return (image.convert("LA") if image.mode == "La" else image).convert("RGBA")


def convertible(image: Image.Image) -> Image.Image:
    """An image in a mode that Pillow can convert to others and compose."""
    if image.mode == "LAB":
        return in_rgb(image)
    if image.mode == "P" and image.palette is None:  # of an ICNS file
        return image.convert("RGB")
    return image


def over_white(image: Image.Image) -> Image.Image:
    """Puts an image with transparency on a white background."""
    image = convertible(image)
    if not image.has_transparency_data:
        return image
    image = with_alpha(image)
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def in_plain_mode(image: Image.Image) -> Image.Image:
    """An image of 8 bits in mode "L" or "RGB", or with transparency in mode "RGBA"."""
    image = convertible(image)
    if image.has_transparency_data:
        return with_alpha(image)
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def stretched(image: Image.Image, white: float, value_range: tuple[float, float]) -> Image.Image:
    """Maps the colours of an image of 8 bits to black and white; `white` is the value of 255 in its file."""
    image = in_plain_mode(image)
    bands = len(image.getbands())
    table = np.rint(as_16_bits(np.arange(256) * (white / 255), value_range=value_range) / 257).astype(int).tolist()
    return image.point(table * min(bands, 3) + list(range(256)) * (bands - min(bands, 3)))  # alpha stays


def colours_of(path: str | Path | Member) -> Raw:
    """The values of a picture file as it stores them. Palettes, CMYK and CIELAB become RGB. It may raise any exception.

    Of 16 bits in colour, Pillow keeps the upper 8.
    """
    if is_array(path):
        try:
            raw = read_raw(path, 3)
        except ChannelsError:
            raw = read_raw(path)
        if raw is not None:
            return raw
    image, rule, white = opened(path)
    if rule is not None:
        return rule(np.asarray(image))
    image = in_plain_mode(image)
    values = np.asarray(image)
    stored = values if white == 255 else np.rint(values * (white / 255)).astype("uint16")
    return Raw(stored, white, alpha=2 if image.mode == "RGBA" else None)
