"""Checks the arguments of loaders before anything is read."""

from pathlib import Path

from keras_gan.errors import BadValueError, check_at_least
from keras_gan.images.arrays import is_array
from keras_gan.images.sources import MODES, source


def checked_shape(name: str, shape: tuple | list) -> tuple[int, int, int]:
    """`shape` as a tuple (height, width, channels). Raises BadValueError with this name if it is invalid."""
    if len(shape) != 3:
        raise BadValueError(f"{name} must be (height, width, channels), not {tuple(shape)}.")
    height, width, channels = shape
    check_at_least(1, **{f"height of {name}": height, f"width of {name}": width, f"channels of {name}": channels})
    return height, width, channels


def checked_direction(direction: str) -> bool:
    """Whether `direction` is "AtoB". Raises BadValueError unless it is "AtoB" or "BtoA"."""
    if direction not in ("AtoB", "BtoA"):
        raise BadValueError(f"direction must be one of AtoB, BtoA, not {direction!r}.")
    return direction == "AtoB"


def depth_of(name: str, channels: int, *splits: list) -> str:
    """The dtype to cache pictures in: "uint16" for files that may be arrays or for unusual channels, else "uint8".

    Raises:
        BadValueError: if `channels` is neither 1 nor 3 and some pictures are not files.
    """
    sources = [source(picture) for pictures in splits for picture in pictures]
    if channels not in MODES and not all(isinstance(path, Path) for path in sources):
        raise BadValueError(f"{name} has pictures of 1 or 3 channels, not {channels}.")
    return "uint8" if channels in MODES and not any(map(is_array, sources)) else "uint16"


def checked_range(value_range: tuple | list) -> tuple[int, int]:
    """`value_range` as a tuple (low, high). Raises BadValueError if it is invalid."""
    if value_range not in ((-1, 1), (0, 1), [-1, 1], [0, 1]):
        raise BadValueError(f"value_range must be (-1, 1) or (0, 1), not {value_range!r}.")
    return value_range[0], value_range[1]
