"""Checks the arguments of loaders before anything is read."""

from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.errors import BadValueError, check_at_least
from keras_gan.images.arrays import is_array
from keras_gan.images.sources import MODES, source


def checked_shape(name: str, shape: Any) -> tuple[int, int, int]:
    """`shape` as a tuple (height, width, channels). Raises BadValueError with this name if it is invalid."""
    height, width, channels = checked_lengths(name, shape, ("height", "width", "channels"))
    return height, width, channels


def checked_size(name: str, size: Any) -> tuple[int, int]:
    """`size` as a tuple (height, width). Raises BadValueError with this name if it is invalid."""
    height, width = checked_lengths(name, size, ("height", "width"))
    return height, width


def checked_lengths(name: str, lengths: Any, parts: tuple[str, ...]) -> list[int]:
    """Whole numbers of at least 1, one for each of `parts`. Raises BadValueError unless they are that."""
    if isinstance(lengths, np.ndarray):
        lengths = lengths.tolist()
    if not isinstance(lengths, tuple | list) or len(lengths) != len(parts):
        raise BadValueError(f"{name} must be ({', '.join(parts)}), not {lengths!r}.")
    check_at_least(1, **{f"{part} of {name}": length for part, length in zip(parts, lengths, strict=True)})
    return [int(length) for length in lengths]


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
    if not isinstance(value_range, tuple | list) or tuple(value_range) not in ((-1, 1), (0, 1)):
        raise BadValueError(
            f"value_range must be (-1, 1) or (0, 1), not {value_range!r}; that of the files is value_range_of_files."
        )
    return value_range[0], value_range[1]
