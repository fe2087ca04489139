"""From images to pixels in batches: halves, sizes, and the range of values.

An image is what `keras_gan.images.sources.open_picture` returns: a `PIL.Image.Image` in mode "RGB" or "L", or an array,
uint16 (height, width, channels).
"""

import numpy as np
from PIL import Image, ImageOps

from keras_gan.errors import BadValueError
from keras_gan.images.arrays import FULL

FITS = "resize", "crop", "pad"


def checked_fit(fit):
    """`fit`, or a BadValueError if there is no such way to make pictures fit."""
    if fit not in FITS:
        raise BadValueError(f"fit must be one of {', '.join(FITS)}, not {fit!r}.")
    return fit


def size_of(image):
    """(width, height) of an image."""
    return image.shape[1::-1] if isinstance(image, np.ndarray) else image.size


def halves(image):
    """The left and the right half of an image; ValueError if its width is odd."""
    width, height = size_of(image)
    if width % 2:
        raise ValueError(f"its width of {width} has no two equal halves")
    if isinstance(image, np.ndarray):
        return image[:, : width // 2], image[:, width // 2 :]
    return image.crop((0, 0, width // 2, height)), image.crop((width // 2, 0, width, height))


def shaped(image, height, width, fit="resize"):
    """A `PIL.Image.Image` at this size, antialiased; contrast is left alone.

    Args:
        fit: what becomes of a picture of another shape: "resize" stretches it, "crop" cuts its
            borders off, "pad" adds white ones.
    """
    if image.size == (width, height):
        return image
    if fit == "crop":
        return ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC)
    if fit == "pad":
        share = min(width / image.width, height / image.height)
        wide, high = (max(1, round(share * length)) for length in image.size)
        padded = Image.new(image.mode, (width, height), FULL if image.mode == "F" else "white")
        padded.paste(shaped(image, high, wide), ((width - wide) // 2, (height - high) // 2))
        return padded
    return image.resize((width, height), Image.Resampling.BICUBIC)


def as_pixels(image, height, width, fit="resize", depth="uint8"):
    """An image at this size, uint8 or uint16 (height, width, channels)."""
    if isinstance(image, np.ndarray):
        planes = (Image.fromarray(plane.astype("float32")) for plane in np.moveaxis(image, 2, 0))
        fitting = np.stack([np.asarray(shaped(plane, height, width, fit)) for plane in planes], axis=-1)
        return np.rint(fitting).clip(0, FULL).astype("uint16")
    pixels = np.asarray(shaped(image, height, width, fit))
    pixels = pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
    return pixels * np.uint16(257) if depth == "uint16" else pixels


def mirrored(pixels):
    """A copy of pixels (..., height, width, channels), left and right exchanged.

    Channel by channel: to reverse pixels of three bytes as they are takes NumPy four times as long.
    """
    turned = np.empty(pixels.shape, pixels.dtype)
    for channel in range(pixels.shape[-1]):
        turned[..., channel] = pixels[..., ::-1, channel]
    return turned


def scale(pixels, value_range=(-1, 1), out=None):
    """From all that uint8 or uint16 can hold to float32 in this range; into `out`, if that is given."""
    low, high = value_range
    scaled = np.empty(pixels.shape, "float32") if out is None else out
    scaled[...] = pixels
    scaled /= (255 if pixels.itemsize == 1 else FULL) / (high - low)
    scaled += low
    return scaled
