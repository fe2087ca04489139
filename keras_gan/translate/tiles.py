"""Pictures of any size through a network of one: padded to what it needs, and tile by tile where they are large."""

import math

import numpy as np

from keras_gan.images.pixels import scale

TILE = 512  # pixels of a tile's side, where the network was not trained on more
SMALLEST = 64  # pixels that a small picture is padded to, where the network was not trained on less


def translate_any(generator, picture):
    """Translates a picture of any size at that size.

    A picture of up to TILE x TILE goes through the network whole: mirrored at its right and lower border to what the
    network can halve, and cut back. A larger one goes through in tiles that overlap by a quarter. In the overlap
    one fades into the next in a line, since a tile knows nothing of what is beyond it and is normalised by itself.
    Beside the two pictures this takes the memory of one row of tiles.

    Args:
        generator: a `keras_gan.generators.Generator` that translates.
        picture: (height, width, channels), uint8, uint16 or, in the network's value range, float32.

    Returns:
        (height, width, channels), uint8 for what was uint8, uint16 for uint16, else float32 in that range.
    """
    height, width = picture.shape[:2]
    size = [side_of_tile(generator, axis, length) for axis, length in enumerate((height, width))]
    network = generator.at(*size)
    padding = [(0, max(0, side - length)) for side, length in zip(size, (height, width), strict=True)]
    if any(after for _, after in padding):
        picture = np.pad(picture, (*padding, (0, 0)), mode="reflect")
    result = np.empty((*picture.shape[:2], generator.out_shape[2]), picture.dtype)
    tops, shares = starts(picture.shape[0], size[0]), fade(size[0])
    total = sum_at(tops, shares, picture.shape[0])
    band = np.zeros((size[0], picture.shape[1], generator.out_shape[2]), "float32")  # from the top of a row of tiles
    for top, below in zip(tops, [*tops[1:], picture.shape[0]], strict=True):
        band += shares[:, None, None] * row_of_tiles(network, picture[top : top + size[0]], generator.value_range)
        done = below - top
        finished = band[:done] / total[top:below, None, None]
        result[top:below] = unscaled(finished, picture.dtype, generator.value_range)
        band = np.pad(band[done:], ((0, done), (0, 0), (0, 0)))  # what the next row adds to
    return result[:height, :width]


def row_of_tiles(network, strip, value_range):
    """Translates a strip as high as the network; float32 (height, width, channels)."""
    side = network.shape[1]
    lefts, shares = starts(strip.shape[1], side), fade(side)
    row = np.zeros((*strip.shape[:2], network.out_shape[2]), "float32")
    for left in lefts:
        tile = scaled(strip[np.newaxis, :, left : left + side], value_range)
        row[:, left : left + side] += shares[:, None] * network(tile)[0]
    return row / sum_at(lefts, shares, strip.shape[1])[:, None]


def side_of_tile(generator, axis, length):
    """Pixels of a tile along an axis (0 down, 1 across) of a picture that is so long."""
    trained, multiple = generator.shape[axis], generator.multiple
    longest = max(TILE // multiple * multiple, trained)
    wanted = max(length, min(trained, SMALLEST))
    return min(longest, -(-wanted // multiple) * multiple)


def starts(length, side):
    """Where the tiles begin, evenly spread, so that neighbours overlap by a quarter or more."""
    count = 1 if length <= side else math.ceil((length - side) / (side - side // 4)) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]


def fade(side):
    """What a tile counts for along one of its sides: 1 in the middle, less towards its ends. float32 (side,)."""
    from_end = np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5
    return np.minimum(1, from_end / max(1, side // 4)).astype("float32")


def sum_at(begins, shares, length):
    """What all tiles count for together, at each place along an axis: float32 (length,)."""
    total = np.zeros(length, "float32")
    for start in begins:
        total[start : start + len(shares)] += shares
    return total


def scaled(pixels, value_range):
    """uint8 or uint16 as float32 in this range; floats as they are."""
    return scale(pixels, value_range) if pixels.dtype.kind == "u" else np.asarray(pixels, "float32")


def unscaled(values, dtype, value_range):
    """float32 in this range as uint8 or uint16, the nearest ones; as they are for any other type."""
    dtype = np.dtype(dtype)
    if dtype.kind != "u":
        return values
    low, high = value_range
    full = np.iinfo(dtype).max
    return np.clip((values - low) * np.float32(full / (high - low)) + 0.5, 0, full).astype(dtype)
