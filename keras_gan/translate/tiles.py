"""Translates pictures of any size: small ones padded, large ones in overlapping tiles."""

import math
from typing import Any

import numpy as np

from keras_gan.errors import BadValueError
from keras_gan.images.pixels import scale
from keras_gan.machine.memory import fault_of

TILE = 512  # side of a tile in pixels, unless the network was trained on larger pictures
SMALLEST = 64  # small pictures are padded to this side, unless the network was trained on smaller ones


def translate_any(generator: Any, picture: np.ndarray) -> np.ndarray:
    """Translates a picture of any size, and keeps the size.

    A picture of up to TILE x TILE is translated whole: reflect-padded right and below to a multiple of the network's
    downsampling factor, then cropped. A larger one is split into tiles that overlap by at least a quarter. Overlaps
    are blended linearly, since each tile is normalised by itself and does not see its surroundings. Peak memory: the
    two pictures and one row of tiles.

    Args:
        generator: a `keras_gan.generators.Generator` of kind "translation".
        picture: (height, width, channels), uint8, uint16, or float32 in the network's value range.

    Returns:
        (height, width, channels), of the dtype of the input: uint8, uint16, or float32 in the value range.

    Raises:
        BadValueError: if the machine has too little memory.
    """
    height, width = picture.shape[:2]
    if fault := fault_of(memory_for(generator, height, width, picture.itemsize)):
        raise BadValueError(f"a picture of {width} x {height} pixels is too large, {fault}: take a smaller one.")
    size = [side_of_tile(generator, axis, length) for axis, length in enumerate((height, width))]
    network = generator.at(*size)
    padding = [(0, max(0, side - length)) for side, length in zip(size, (height, width), strict=True)]
    if any(after for _, after in padding):
        picture = np.pad(picture, (*padding, (0, 0)), mode="reflect")
    result = np.empty((*picture.shape[:2], generator.out_shape[2]), picture.dtype)
    tops, shares = starts(picture.shape[0], size[0]), fade(size[0])
    total = sum_at(tops, shares, picture.shape[0])
    band = np.zeros(
        (size[0], picture.shape[1], generator.out_shape[2]), "float32"
    )  # weighted sum, from the top of the current row of tiles
    for top, below in zip(tops, [*tops[1:], picture.shape[0]], strict=True):
        band += shares[:, None, None] * row_of_tiles(network, picture[top : top + size[0]], generator.value_range)
        done = below - top
        finished = band[:done] / total[top:below, None, None]
        result[top:below] = unscaled(finished, picture.dtype, generator.value_range)
        band = np.pad(band[done:], ((0, done), (0, 0), (0, 0)))  # the overlap with the next row
    return result[:height, :width]


def memory_for(generator: Any, height: int, width: int, itemsize: int) -> int:
    """The bytes that translating a picture of this size takes, itself included; `itemsize` is that of its dtype."""
    tile = [side_of_tile(generator, axis, length) for axis, length in enumerate((height, width))]
    high, wide = max(height, tile[0]), max(width, tile[1])
    channels = generator.shape[2] + generator.out_shape[2]
    of_pictures = 2 * itemsize * channels * high * wide  # twice: resized or padded, they are copied
    return of_pictures + 4 * 4 * tile[0] * wide * channels  # a row of tiles, its sum and what is made of it, in float32


def row_of_tiles(network: Any, strip: np.ndarray, value_range: tuple) -> np.ndarray:
    """Translates a strip of the network's height; returns float32 (height, width, channels)."""
    side = network.shape[1]
    lefts, shares = starts(strip.shape[1], side), fade(side)
    row = np.zeros((*strip.shape[:2], network.out_shape[2]), "float32")
    for left in lefts:
        tile = scaled(strip[np.newaxis, :, left : left + side], value_range)
        row[:, left : left + side] += shares[:, None] * network(tile)[0]
    return row / sum_at(lefts, shares, strip.shape[1])[:, None]


def side_of_tile(generator: Any, axis: int, length: int) -> int:
    """The tile size in pixels along an axis (0 height, 1 width) of a picture of this length."""
    trained, multiple = generator.shape[axis], generator.multiple
    longest = max(TILE // multiple * multiple, trained)
    wanted = max(length, min(trained, SMALLEST))
    return min(longest, -(-wanted // multiple) * multiple)


def starts(length: int, side: int) -> list[int]:
    """The first pixels of the tiles, evenly spaced; neighbours overlap by at least a quarter."""
    count = 1 if length <= side else math.ceil((length - side) / (side - side // 4)) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]


def fade(side: int) -> np.ndarray:
    """Blending weights along one side of a tile, 1 in the middle, falling towards the ends: float32 (side,)."""
    from_end = np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5
    return np.minimum(1, from_end / max(1, side // 4)).astype("float32")


def sum_at(begins: list[int], shares: np.ndarray, length: int) -> np.ndarray:
    """The sum of the blending weights of all tiles at each pixel along an axis: float32 (length,)."""
    total = np.zeros(length, "float32")
    for start in begins:
        total[start : start + len(shares)] += shares
    return total


def scaled(pixels: np.ndarray, value_range: tuple) -> np.ndarray:
    """Scales uint8 or uint16 to float32 in the value range; casts floats to float32 unscaled."""
    return scale(pixels, value_range) if pixels.dtype.kind == "u" else np.asarray(pixels, "float32")


def unscaled(values: np.ndarray, dtype: Any, value_range: tuple) -> np.ndarray:
    """Rounds float32 in the value range to uint8 or uint16; returns it unchanged for any other dtype."""
    dtype = np.dtype(dtype)
    if dtype.kind != "u":
        return values
    low, high = value_range
    full = np.iinfo(dtype).max
    return np.clip((values - low) * np.float32(full / (high - low)) + 0.5, 0, full).astype(dtype)
