"""Names and writes pictures that networks made: PNG where it can hold them, else TIFF."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from keras_gan.files import write_bytes
from keras_gan.images.arrays import is_array

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # of PNG, 8 bits


def ending(channels: int, is_deep: bool, source: Path) -> str:
    """The extension of a translated picture.

    PNG holds 1 to 4 channels of 8 bits or 1 of 16. All else becomes TIFF, as do 2 and 4 channels of what was an array:
    its channels need not be transparency.

    Args:
        channels: of the result.
        is_deep: whether it has 16 bits.
        source: the file that it is made from.
    """
    if is_deep:
        return ".png" if channels == 1 else ".tif"
    return ".png" if channels in (1, 3) or (channels in MODES and not is_array(source)) else ".tif"


def save(path: Path, pixels: np.ndarray, is_deep: bool = False) -> None:
    """Saves uint8 or uint16 pixels (height, width, channels) as PNG or TIFF, with 16 bits if `is_deep`.

    Raises:
        OSError: if the file cannot be written.
    """
    write_bytes(path, encoded(path.suffix, pixels, is_deep))


def encoded(suffix: str, pixels: np.ndarray, is_deep: bool = False) -> bytes:
    """What `save` writes into a file with this ending."""
    if pixels.dtype == np.uint16 and not is_deep:
        pixels = np.rint(pixels / 257).astype("uint8")
    content = io.BytesIO()
    if suffix == ".tif":
        save_tiff(content, pixels)
    else:
        image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
        # Level 1 takes half the time of the default, for 10% more bytes
        image.save(content, format="PNG", compress_level=1)
    return content.getvalue()


def save_tiff(file: io.BytesIO, pixels: np.ndarray) -> None:
    """Saves pixels (height, width, channels) as one TIFF page: 3 channels as RGB, others as samples of it."""
    import tifffile

    kind = "rgb" if pixels.shape[2] == 3 else "minisblack"
    tifffile.imwrite(file, pixels, photometric=kind, planarconfig="contig", metadata=None)
