"""What is sent to the page, read with distrust: nothing is taken at its word, and no file is written."""

import io
import json

import numpy as np
from PIL import Image

from keras_gan.errors import BadValueError
from keras_gan.images.pixels import as_pixels, scale
from keras_gan.images.sources import read_by_pillow

FORMATS = "PNG", "JPEG", "WEBP", "GIF", "BMP"
BYTES = 12 * 2**20  # of an upload
PIXELS = 32 * 10**6  # of a picture: 96 MB decoded, and one is decoded at a time
MOST_CODES = 24  # pictures of noise at once, the frames of a walk


def read_upload(data, generator):
    """An uploaded picture as the inputs of a generator.

    Args:
        data: bytes of a file in one of `FORMATS`.
        generator: a `keras_gan.generators.Generator` of kind "translation".

    Returns:
        A list of one array, float32 (1, height, width, channels) in the generator's value range; the picture is
        read as by `keras_gan.images.sources.read_picture`.

    Raises:
        BadValueError: if it is no picture, a damaged one or one of too many pixels, with a short message.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size  # of the file's head: nothing is decoded yet
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large() from None
    except Exception:  # what Pillow raises on foreign bytes has no base in common
        raise BadValueError(f"This is no picture. Send a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file.") from None
    if width * height > PIXELS:
        raise too_large()
    if min(width, height) < 2:
        raise BadValueError(f"This picture is only {width} x {height} pixels.")
    try:
        image = read_by_pillow(io.BytesIO(data), generator.shape[2])
    except Exception:  # the same
        raise BadValueError("This picture is damaged.") from None
    pixels = as_pixels(image, *generator.shape[:2], generator.fit)
    return [scale(pixels[np.newaxis], generator.value_range)]


def too_large():
    return BadValueError(f"This picture is too large: at most {PIXELS // 10**6} megapixels.")


def read_codes(data, generator):
    """Codes, and labels where the generator takes them, as its inputs.

    Args:
        data: JSON, {"codes": [[...], ...], "labels": [...]}: at most `MOST_CODES` codes of `generator.latent_dim`
            numbers, and as many numbers of classes.
        generator: a `keras_gan.generators.Generator` of another kind.

    Raises:
        BadValueError: for anything else.
    """
    try:
        sent = json.loads(data)
        codes = np.array(sent["codes"], "float32")
        labels = np.array(sent.get("labels", []), "int64")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        raise BadValueError("These are no codes.") from None
    if codes.ndim != 2 or codes.shape[1] != generator.latent_dim or not 1 <= len(codes) <= MOST_CODES:
        raise BadValueError(f"Send 1 to {MOST_CODES} codes of {generator.latent_dim} numbers.")
    if not np.abs(codes).max() <= 1e3:
        raise BadValueError("The numbers of a code must be between -1000 and 1000.")
    if generator.kind == "latent":
        return [codes]
    if labels.shape != codes.shape[:1] or labels.min() < 0 or labels.max() >= generator.classes:
        raise BadValueError(f"Send a label from 0 to {generator.classes - 1} with each code.")
    return [codes, labels.astype("int32")]
