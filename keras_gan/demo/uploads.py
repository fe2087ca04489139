"""Validates untrusted uploads to the page, in memory."""

import io
import json
from typing import Any

import numpy as np
from PIL import Image

from keras_gan.datasets.preparation import Preparation
from keras_gan.errors import BadValueError
from keras_gan.images.pixels import AnyImage, as_pixels
from keras_gan.images.sources import read_by_pillow

FORMATS = "PNG", "JPEG", "WEBP", "GIF", "BMP"
BYTES = 12 * 2**20  # limit of an upload
PIXELS = 32 * 10**6  # limit of a picture: 96 MB decoded, one at a time
SCANS = 64  # limit of a progressive JPEG, which is decoded whole for each: cameras and programs write about 10
MOST_CODES = 24  # codes per request, the frames of a walk


def decoded(data: bytes, shape: tuple, fit: str, preparation: Preparation | None = None) -> np.ndarray:
    """Decodes an uploaded picture. It may take hours and gigabytes: see `keras_gan.demo.decoding`.

    Args:
        data: contents of a file in one of `FORMATS`.
        shape: (height, width, channels) of the inputs of a generator.
        fit: how to fit pictures of another aspect ratio.
        preparation: how photos are made into such inputs; None: they are not.

    Returns:
        uint8 array of this shape, decoded as by `keras_gan.images.sources.read_picture`.

    Raises:
        BadValueError: with a short message, if the data are not a picture, damaged, or have too many pixels.
    """
    if data.startswith(b"\xff\xd8") and data.count(b"\xff\xda") > SCANS:
        raise BadValueError(f"This picture has too many scans: at most {SCANS}.")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size  # from the header, before decoding
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large() from None
    except Exception:  # on foreign bytes Pillow raises errors of unrelated types
        raise BadValueError(f"This is not a picture. Send a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file.") from None
    if width * height > PIXELS:
        raise too_large()
    if min(width, height) < 2:
        raise BadValueError(f"This picture is only {width} x {height} pixels.")
    try:
        picture: AnyImage = read_by_pillow(io.BytesIO(data), 3 if preparation else shape[2])
        if preparation:
            picture, _ = preparation.prepared(picture, shape[2])
    except Exception:  # as above
        raise damaged() from None
    return as_pixels(picture, shape[0], shape[1], fit)


def damaged() -> BadValueError:
    return BadValueError("This picture is damaged.")


def too_large() -> BadValueError:
    return BadValueError(f"This picture is too large: at most {PIXELS // 10**6} megapixels.")


def bytes_of_codes(generator: Any) -> int:
    """Limit of a request with codes: 32 characters a number are more than any has."""
    return 1000 + MOST_CODES * 32 * (1 + generator.latent_dim)


def read_codes(data: bytes, generator: Any) -> list[np.ndarray]:
    """Parses latent codes, and labels for kind "labelled", to the inputs of a generator.

    Args:
        data: JSON, {"codes": [[...], ...], "labels": [...]}: at most `MOST_CODES` codes of `generator.latent_dim`
            numbers, and one class index per code.
        generator: a `keras_gan.generators.Generator` of kind "latent" or "labelled".

    Raises:
        BadValueError: for invalid data.
    """
    try:
        sent = json.loads(data)
        codes = np.array(sent["codes"], "float32")
        labels = np.array(sent.get("labels", []), "int64")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        raise BadValueError("These are not codes.") from None
    if codes.ndim != 2 or codes.shape[1] != generator.latent_dim or not 1 <= len(codes) <= MOST_CODES:
        raise BadValueError(f"Send 1 to {MOST_CODES} codes of {generator.latent_dim} numbers.")
    if not np.abs(codes).max() <= 1e3:
        raise BadValueError("The numbers of a code must be between -1000 and 1000.")
    if generator.kind == "latent":
        return [codes]
    if labels.shape != codes.shape[:1] or labels.min() < 0 or labels.max() >= generator.classes:
        raise BadValueError(f"Send a label from 0 to {generator.classes - 1} with each code.")
    return [codes, generator.labels(labels)]
