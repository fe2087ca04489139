"""Names and writes translated pictures: PNG where it can hold them, else TIFF."""

from pathlib import Path

import numpy as np
from PIL import Image

from keras_gan.errors import BadValueError
from keras_gan.files import write_whole
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
        BadValueError: if the file cannot be written.
    """
    if pixels.dtype == np.uint16 and not is_deep:
        pixels = np.rint(pixels / 257).astype("uint8")
    try:
        with write_whole(path) as unfinished:
            if path.suffix == ".tif":
                save_tiff(unfinished, pixels)
                return
            image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
            # Level 1 takes half the time of the default, for 10% more bytes
            image.save(unfinished, format="PNG", compress_level=1)
    except OSError as error:
        raise BadValueError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error


def save_tiff(path: Path, pixels: np.ndarray) -> None:
    """Saves pixels (height, width, channels) as one TIFF page: 3 channels as RGB, others as samples of it."""
    import tifffile

    kind = "rgb" if pixels.shape[2] == 3 else "minisblack"
    tifffile.imwrite(path, pixels, photometric=kind, planarconfig="contig", metadata=None)
