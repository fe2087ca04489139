"""Halves, resizes, mirrors and scales images.

An image is a `PIL.Image.Image` in mode "RGB" or "L", or an array, uint16 (height, width, channels), as returned by
`keras_gan.images.sources.open_picture`.
"""

import numpy as np
from PIL import Image, ImageOps

from keras_gan.errors import BadValueError
from keras_gan.images.arrays import FULL

AnyImage = Image.Image | np.ndarray
FITS = "resize", "crop", "pad"


def checked_fit(fit: str) -> str:
    """Returns `fit`; raises BadValueError unless it is one of `FITS`."""
    if fit not in FITS:
        raise BadValueError(f"fit must be one of {', '.join(FITS)}, not {fit!r}.")
    return fit


def size_of(image: AnyImage) -> tuple[int, int]:
    """(width, height) of an image."""
    return (image.shape[1], image.shape[0]) if isinstance(image, np.ndarray) else image.size


def halves(image: AnyImage) -> tuple[AnyImage, AnyImage]:
    """The left and the right half of an image; ValueError if its width is odd."""
    width, height = size_of(image)
    if width % 2:
        raise ValueError(f"its width of {width} is odd, so it has no two equal halves")
    if isinstance(image, np.ndarray):
        return image[:, : width // 2], image[:, width // 2 :]
    return image.crop((0, 0, width // 2, height)), image.crop((width // 2, 0, width, height))


def shaped(image: Image.Image, height: int, width: int, fit: str = "resize") -> Image.Image:
    """Resizes an image, antialiased; contrast is unchanged.

    Args:
        fit: for another aspect ratio, "resize" stretches, "crop" cuts the borders, "pad" adds white.
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


def as_pixels(image: AnyImage, height: int, width: int, fit: str = "resize", depth: str = "uint8") -> np.ndarray:
    """Resizes an image to an array of dtype `depth`, (height, width, channels). Arrays always give uint16."""
    if isinstance(image, np.ndarray):
        planes = (Image.fromarray(plane.astype("float32")) for plane in np.moveaxis(image, 2, 0))
        resized = np.stack([np.asarray(shaped(plane, height, width, fit)) for plane in planes], axis=-1)
        return np.rint(resized).clip(0, FULL).astype("uint16")
    pixels = np.asarray(shaped(image, height, width, fit))
    pixels = pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
    return pixels * np.uint16(257) if depth == "uint16" else pixels


def mirrored(pixels: np.ndarray) -> np.ndarray:
    """A copy of pixels (..., height, width, channels), flipped horizontally.

    It flips one channel at a time: NumPy takes four times as long to reverse whole 3-byte pixels.
    """
    turned = np.empty(pixels.shape, pixels.dtype)
    for channel in range(pixels.shape[-1]):
        turned[..., channel] = pixels[..., ::-1, channel]
    return turned


def scale(pixels: np.ndarray, value_range: tuple[float, float] = (-1, 1), out: np.ndarray | None = None) -> np.ndarray:
    """Scales the full range of uint8 or uint16 to float32 in `value_range`; writes to `out` if given."""
    low, high = value_range
    scaled = np.empty(pixels.shape, "float32") if out is None else out
    scaled[...] = pixels
    scaled /= (255 if pixels.itemsize == 1 else FULL) / (high - low)
    scaled += low
    return scaled
