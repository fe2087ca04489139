"""Checks the arguments of loaders before anything is read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.datasets import check_name_is_known, shard_names
from keras_gan.datasets.entries import Entries
from keras_gan.datasets.folders import locate
from keras_gan.errors import BadValueError, check_at_least, check_name
from keras_gan.images.arrays import ENDINGS, is_array
from keras_gan.images.pixels import FITS, RANDOM_CROP, checked_fit
from keras_gan.images.sources import MODES, Stack, files_of, is_of_user, kinds_of

Flip = str | bool  # how to turn training pictures, one of `FLIPS`; True and False as in earlier versions
FLIPS = NONE, HORIZONTAL, BOTH, ROTATE = "none", "horizontal", "both", "rotate"


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


def checked_flip(flip: Flip, size: tuple) -> str:
    """One of `FLIPS`. Raises BadValueError if it is none, or if pictures of this size cannot be turned so."""
    if type(flip).__name__ in ("bool", "bool_"):  # NumPy's have these names, too
        flip = HORIZONTAL if flip else NONE
    if not isinstance(flip, str) or flip not in FLIPS:
        raise BadValueError(f"flip must be one of {', '.join(FLIPS)}, not {flip!r}.")
    if flip == ROTATE and size[0] != size[1]:
        raise BadValueError(f"flip {ROTATE!r} turns by 90 degrees: it needs square pictures, not {size[0]}x{size[1]}.")
    return str(flip)


def checked_crop(fit: str, load_size: int | None, size: tuple) -> str:
    """Returns `fit`. Raises BadValueError if it is unknown, or `load_size` suits neither it nor crops of this size."""
    checked_fit(fit, (*FITS, RANDOM_CROP))
    if load_size is not None:
        check_at_least(1, load_size=load_size)
        if fit != RANDOM_CROP:
            raise BadValueError(f"load_size={load_size} is for random crops: add fit {RANDOM_CROP!r}, or leave it out.")
        if load_size < max(size):
            raise BadValueError(f"load_size {load_size} is smaller than the crop of {size[0]}x{size[1]}: enlarge it.")
    return fit


def checked_folders(folders: Any, name: Any, name_B: Any, own_shards: bool = False) -> tuple[str, ...]:
    """The folders of side A that `dataset_A` names, one or several; () if it is None.

    Raises BadValueError if they are no names, or if `dataset_name` is given besides or `dataset_B` is not.
    """
    if folders is None:
        return ()
    folders = [folders] if isinstance(folders, str | Path) or not isinstance(folders, Sequence) else list(folders)
    for folder in folders or [None]:
        check_name(dataset_A=folder)
        check_name_is_known(folder, own_shards)
        if shard_names.is_named(folder):
            if len(folders) > 1:
                raise BadValueError(f"dataset_A names {str(folder)!r}: shards of one side are one list, name it alone.")
        elif locate(folder) is None:
            raise BadValueError(f"dataset_A names folders, and {str(folder)!r} is built in: leave it out.")
    if name is not None:
        raise BadValueError(f"dataset_A is the input already: leave the data set {str(name)!r} out.")
    if name_B is None:
        raise BadValueError(f"dataset_A {' '.join(map(str, folders))!r} is one side: name dataset_B, the other one.")
    return tuple(map(str, folders))


def checked_stack(stacked: tuple, channels: int, is_forward: bool) -> tuple:
    """Returns the channels of each folder of side A. Raises BadValueError if A has others, or is the output."""
    if stacked and not is_forward:
        raise BadValueError("several folders in dataset_A are the input: leave direction BtoA out.")
    if stacked and sum(stacked) != channels:
        found = " + ".join(map(str, stacked))
        raise BadValueError(f"the folders of dataset_A have {found} = {sum(stacked)} channels, not {channels}.")
    return stacked


def depth_of(name: str, channels: int, *splits: Sequence[Any]) -> str:
    """The dtype to cache pictures in: "uint16" for files that may be arrays or for unusual channels, else "uint8".

    Raises:
        BadValueError: if `channels` is neither 1 nor 3 and some pictures are drawn or built in.
    """
    pictures = [picture for split in splits if not isinstance(split, Entries) for picture in split]
    in_shards = {suffix for split in splits if isinstance(split, Entries) for suffix in split.suffixes}
    if channels not in MODES and not all(map(is_of_user, pictures)):
        raise BadValueError(f"{name} has pictures of 1 or 3 channels, not {channels}.")
    has_arrays = any(is_array(file) for picture in pictures for file in files_of(picture))
    has_arrays |= not in_shards.isdisjoint(ENDINGS)
    has_stacks = any(Stack in kinds_of(picture) for picture in pictures)
    return "uint8" if channels in MODES and not has_arrays and not has_stacks else "uint16"


def checked_range(value_range: tuple | list) -> tuple[int, int]:
    """`value_range` as a tuple (low, high). Raises BadValueError if it is invalid."""
    if not isinstance(value_range, tuple | list) or tuple(value_range) not in ((-1, 1), (0, 1)):
        raise BadValueError(
            f"value_range must be (-1, 1) or (0, 1), not {value_range!r}; that of the files is value_range_of_files."
        )
    return value_range[0], value_range[1]
