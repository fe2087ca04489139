"""Pictures for tests, and reading back what was written."""

from PIL import Image


def pair(brightness, height=16, width=16):
    """The picture of a pair: its left half is red, its right half blue, both so bright (0 to 255)."""
    image = Image.new("RGB", (2 * width, height), (brightness, 0, 0))
    image.paste((0, 0, brightness), (width, 0, 2 * width, height))
    return image


def opened(path):
    """A picture file, read and closed."""
    with Image.open(path) as image:
        image.load()
    return image
