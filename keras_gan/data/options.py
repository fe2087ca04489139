"""What loaders are asked for, checked before anything is read."""

from pathlib import Path

from keras_gan.errors import BadValueError, check_at_least
from keras_gan.images.arrays import is_array
from keras_gan.images.sources import MODES, source


def checked_shape(name, shape):
    """`shape` as a tuple (height, width, channels), or a BadValueError that names it."""
    if len(shape) != 3:
        raise BadValueError(f"{name} must be (height, width, channels), not {tuple(shape)}.")
    sides = dict(zip(("height", "width", "channels"), shape, strict=True))
    check_at_least(1, **{f"{side} of {name}": length for side, length in sides.items()})
    return tuple(shape)


def checked_direction(direction):
    """Whether `direction` is "AtoB", or a BadValueError if it is not "BtoA" either."""
    if direction not in ("AtoB", "BtoA"):
        raise BadValueError(f"direction must be one of AtoB, BtoA, not {direction!r}.")
    return direction == "AtoB"


def depth_of(name, channels, *splits):
    """What the pixels of these pictures are kept as: "uint16" if any may be an array or has no channels of a photo.

    Raises:
        BadValueError: if such channels are asked of pictures that are no files.
    """
    sources = [source(picture) for pictures in splits for picture in pictures]
    if channels not in MODES and not all(isinstance(path, Path) for path in sources):
        raise BadValueError(f"{name} has pictures of 1 or 3 channels, not {channels}.")
    return "uint8" if channels in MODES and not any(map(is_array, sources)) else "uint16"


def checked_range(value_range):
    """`value_range` as a tuple (low, high), or a BadValueError."""
    if value_range not in ((-1, 1), (0, 1), [-1, 1], [0, 1]):
        raise BadValueError(f"value_range must be (-1, 1) or (0, 1), not {value_range!r}.")
    return tuple(value_range)
