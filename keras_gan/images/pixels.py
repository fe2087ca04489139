"""Halves, resizes, mirrors and scales images.

An image is a `PIL.Image.Image` in mode "RGB" or "L", or an array, uint16 (height, width, channels), as returned by
`keras_gan.images.sources.open_picture`.
"""

import numpy as np
from PIL import Image, ImageOps

from keras_gan.errors import BadValueError
from keras_gan.images.values import FULL

AnyImage = Image.Image | np.ndarray
FITS = "resize", "crop", "pad"
RANDOM_CROP = "random-crop"  # of training: pictures keep their own size until a part of them is shown
AUTO, BICUBIC = "auto", "bicubic"
RESAMPLES = AUTO, "nearest", "bilinear", BICUBIC, "lanczos"
MOST_LABELS = 64  # colours of a label map


def checked_fit(fit: str, known: tuple[str, ...] = FITS) -> str:
    """Returns `fit`; raises BadValueError unless it is known."""
    if fit not in known:
        raise BadValueError(f"fit must be one of {', '.join(known)}, not {fit!r}.")
    return fit


def checked_resample(resample: str) -> str:
    """Returns `resample`; raises BadValueError unless it is one of `RESAMPLES`."""
    if resample not in RESAMPLES:
        raise BadValueError(f"resample must be one of {', '.join(RESAMPLES)}, not {resample!r}.")
    return resample


def size_of(image: AnyImage) -> tuple[int, int]:
    """(width, height) of an image."""
    return (image.shape[1], image.shape[0]) if isinstance(image, np.ndarray) else image.size


def size_to_crop(image: AnyImage, height: int, width: int, load_size: int | None = None) -> tuple[int, int]:
    """(height, width) of an image to take random crops of height x width from.

    Args:
        load_size: the length of its shorter side; None: the size that it has.

    Raises:
        ValueError: if the crops are larger.
    """
    wide, high = size_of(image)
    share = load_size / min(wide, high) if load_size else 1
    if not load_size and (high < height or wide < width):
        raise ValueError(
            f"it is {high}x{wide}, smaller than crops of {height}x{width} (--load-size {max(height, width)} enlarges)"
        )
    return round(share * high), round(share * wide)


def halves(image: AnyImage) -> tuple[AnyImage, AnyImage]:
    """The left and the right half of an image; ValueError if its width is odd."""
    width, height = size_of(image)
    if width % 2:
        raise ValueError(f"its width of {width} is odd, so it has no two equal halves")
    if isinstance(image, np.ndarray):
        return image[:, : width // 2], image[:, width // 2 :]
    return image.crop((0, 0, width // 2, height)), image.crop((width // 2, 0, width, height))


def shaped(image: Image.Image, height: int, width: int, fit: str = "resize", resample: str = BICUBIC) -> Image.Image:
    """Resizes an image, antialiased unless by "nearest"; contrast is unchanged.

    Args:
        fit: for another aspect ratio, "resize" stretches, "crop" cuts the borders, "pad" adds white.
        resample: one of `RESAMPLES`: "auto" is "nearest" for a label map (see `is_label_map`), else "bicubic".
    """
    if image.size == (width, height):
        return image
    name = chosen(resample, image)
    method = Image.Resampling[name.upper()]
    if fit == "crop":
        return ImageOps.fit(image, (width, height), method)
    if fit == "pad":
        share = min(width / image.width, height / image.height)
        wide, high = (max(1, round(share * length)) for length in image.size)
        padded = Image.new(image.mode, (width, height), FULL if image.mode == "F" else "white")
        padded.paste(shaped(image, high, wide, resample=name), ((width - wide) // 2, (height - high) // 2))
        return padded
    return image.resize((width, height), method)


def as_pixels(
    image: AnyImage, height: int, width: int, fit: str = "resize", depth: str = "uint8", resample: str = AUTO
) -> np.ndarray:
    """Resizes an image to an array of dtype `depth`, (height, width, channels). Arrays always give uint16.

    Args: as of `shaped`. By default, label maps keep their colours, both in training and in use.
    """
    if isinstance(image, np.ndarray):
        name = BICUBIC if image.shape[:2] == (height, width) else chosen(resample, image)
        planes = (Image.fromarray(plane.astype("float32")) for plane in np.moveaxis(image, 2, 0))
        resized = np.stack([np.asarray(shaped(plane, height, width, fit, name)) for plane in planes], axis=-1)
        return np.rint(resized).clip(0, FULL).astype("uint16")
    pixels = np.asarray(shaped(image, height, width, fit, resample))
    pixels = pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
    return pixels * np.uint16(257) if depth == "uint16" else pixels


def chosen(resample: str, image: AnyImage) -> str:
    """The filter to resize this image with: `resample`, or what "auto" means for it."""
    if checked_resample(resample) != AUTO:
        return resample
    return "nearest" if is_label_map(image) else BICUBIC


def is_label_map(image: AnyImage) -> bool:
    """Whether an image is a label map: few colours, all in solid areas, so that a blend of two has no meaning.

    It has 2 to 64 colours; at least three quarters of them fill a 3x3 square somewhere. Such squares cover 9 of 10
    pixels that do not have the commonest colour. So drawings do not count: their lines are thin, or have shades at the
    edges that fill no square. Black and white alone do not count. Photos do not, nor label maps with the noise of JPEG.
    """
    values = np.asarray(image)
    values = values.reshape(*values.shape[:2], -1)
    if min(values.shape[:2]) < 3 or (isinstance(image, Image.Image) and image.getcolors(MOST_LABELS) is None):
        return False
    codes = values[..., 0].astype("uint64")  # a number for each colour
    for channel in range(1, values.shape[2]):
        codes *= np.uint64(0x9E3779B97F4A7C15)
        codes += values[..., channel]
    if len(np.unique(codes[:: max(1, len(codes) // 16)])) > MOST_LABELS:  # a quick look at some rows
        return False
    colours, counts = np.unique(codes, return_counts=True)
    if not 2 <= len(colours) <= MOST_LABELS or (len(colours) == 2 and (values == values[..., :1]).all()):
        return False
    centres, squares = squares_of(codes)
    others = codes != colours[counts.argmax()]
    return len(np.unique(centres)) >= 0.75 * len(colours) and squares[others].mean() >= 0.9


def squares_of(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 3x3 squares of one colour in an image.

    Returns:
        The colour of each square; and whether a square covers a pixel, bool (height, width).
    """
    height, width = codes.shape
    across = (codes[:, 1:-1] == codes[:, :-2]) & (codes[:, 1:-1] == codes[:, 2:])
    down = (codes[1:-1] == codes[:-2]) & (codes[1:-1] == codes[2:])
    solid = across[:-2] & across[1:-1] & across[2:] & down[:, 1:-1]
    covered = np.zeros(codes.shape, bool)
    for y in range(3):
        for x in range(3):
            covered[y : y + height - 2, x : x + width - 2] |= solid
    return codes[1:-1, 1:-1][solid], covered


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
