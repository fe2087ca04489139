"""From a picture file, whatever is in it, to 8-bit pixels."""

import numpy as np
from PIL import Image, ImageOps

#: What Pillow raises on files that are no picture, truncated, damaged or of absurd size.
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


def read_picture(path, channels=3):
    """Reads a picture file of any kind that Pillow knows.

    EXIF rotation is applied, transparency is laid over white, 16-bit values are scaled to 8 bits,
    palettes and CMYK are converted.

    Args:
        path: the file.
        channels: 3 for colour, 1 for gray.

    Returns:
        A fully loaded `PIL.Image.Image` in mode "RGB" or "L".

    Raises:
        One of `UNREADABLE`, if the file is no picture or a damaged one.
    """
    with Image.open(path) as image:
        image.load()
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits a pixel; Pillow's own conversion would clip at 255
        image = Image.fromarray((np.asarray(image).astype("uint32") // 257).clip(0, 255).astype("uint8"))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L" if channels == 1 else "RGB")


def resize(image, height, width):
    """`image` at this size, antialiased; contrast is left alone."""
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BICUBIC)
