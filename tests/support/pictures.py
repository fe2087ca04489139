"""Makes and reads pictures for tests."""

from PIL import Image


def pair(brightness, height=16, width=16):
    """The picture of a pair: left half red, right half blue, both of this brightness (0 to 255)."""
    image = Image.new("RGB", (2 * width, height), (brightness, 0, 0))
    image.paste((0, 0, brightness), (width, 0, 2 * width, height))
    return image


def opened(path):
    """Reads a picture file, and closes it."""
    with Image.open(path) as image:
        image.load()
    return image
