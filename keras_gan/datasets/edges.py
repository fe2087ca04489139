"""Edges of photos, as black lines on white.

The method is Canny, "A Computational Approach to Edge Detection", 1986, with two changes. Gradients
are reduced by the gradients around them (Grigorescu, Petkov and Westenberg, "Contour detection based
on nonclassical receptive field inhibition", 2003), so that grass and fur give few lines. A faint line
is kept if it is long, such as the sole of a white shoe on white.
"""

import numpy as np
from PIL import Image, ImageFilter

# Tuned so that edges of shoe photos resemble those in edges2shoes.
DRAWN_AT = 256  # pictures whose shorter side is a multiple of this are reduced, drawn, and enlarged again
BLUR = 1.5  # pixels
SURROUND = 6.0  # pixels
SUPPRESSION = 1.2  # times the surrounding gradients, which are subtracted
MIN_MEAN = 2.0  # levels of 255 per pixel: a lower bound of the mean gradient
EQUAL = 0.01  # levels per pixel: a smaller difference may be a rounding error
WEAK, STRONG = 0.1, 0.5  # thresholds for every pixel of a line and for its strongest one; the mean gradient is 1
LONG = 12  # a line without a strong pixel needs this sum of gradients
SHORTEST = 8  # pixels

# How a drawing is told from a photo.
SEEN_AT = 128  # pixels: pictures whose shorter side is a multiple of this are reduced
WHITE = 200  # the paper of a drawing is at least as bright,
EVEN = 16  # and all of it within so many levels
PAPER = 0.5  # the least share of paper
BROADEST = 9  # pixels: the lines of a drawing are narrower than this; in smaller pictures, than
SHARE = 0.05  # of the shorter side to both sides of the middle of a line
BROAD = 0.003  # the share of a picture that may be broader


def edges(image: Image.Image) -> Image.Image:
    """The edges of a picture as black lines on white.

    Thresholds are relative to the picture's own gradients, so a darker version has the same edges.
    Lines are one pixel wide. If the shorter side is at least n x 256 pixels, they are n pixels wide,
    so that they survive resizing by 1/n.

    Args:
        image: a `PIL.Image.Image`.

    Returns:
        A `PIL.Image.Image` of the same size in mode "L", each pixel 0 or 255.
    """
    image = image.convert("RGB")
    times = max(1, min(image.size) // DRAWN_AT)
    lines = find_lines(np.asarray(image.reduce(times), "float32"))
    drawn = np.where(lines, np.uint8(0), np.uint8(255)).repeat(times, axis=0).repeat(times, axis=1)
    return Image.fromarray(drawn[: image.height, : image.width])


def is_drawing(image: Image.Image | np.ndarray) -> bool:
    """Whether a picture is a drawing: lines on white paper, of any colour.

    A picture of two values is one. So is one of which half or more is even, white paper and the rest is nowhere broad.
    Photos of things on white are none: the things are broad, and have shades that no paper has.

    Args:
        image: a `PIL.Image.Image` in mode "RGB" or "L", or an array, uint16 (height, width, channels).
    """
    if isinstance(image, np.ndarray):
        image = Image.fromarray((image[..., :3].min(axis=2) // 257).astype("uint8"))
    elif image.mode == "RGB":
        image = Image.fromarray(np.asarray(image).min(axis=2))  # ink of any colour is dark in one channel
    counts = image.histogram()
    if counts[0] + counts[255] == image.width * image.height and counts[255] >= counts[0]:
        return True
    image = image.reduce(max(1, min(image.size) // SEEN_AT))
    values = np.asarray(image)
    white = np.percentile(values, 90)
    ink = values < white - EVEN
    broadest = min(BROADEST, 2 * max(1, round(SHARE * min(image.size))) + 1)
    broad = Image.fromarray(255 * ink.astype("uint8")).filter(ImageFilter.MinFilter(broadest))
    return bool(white >= WHITE and ink.mean() <= 1 - PAPER and (np.asarray(broad) > 0).mean() <= BROAD)


def find_lines(pixels: np.ndarray) -> np.ndarray:
    """The mask of lines, bool (height, width), in pixels (height, width, channels) of about [0, 255]."""
    steepness, down, across = gradients(blurred(pixels, BLUR))
    around = np.square(blurred(np.sqrt(steepness), SURROUND))  # texture raises this more than a single strong line
    outstanding = np.maximum(steepness - SUPPRESSION * around, 0)
    # The self-weighted mean does not depend on how much of the picture is plain.
    mean = max(MIN_MEAN, np.square(outstanding).sum() / max(outstanding.sum(), 1e-6))
    places = ridges(steepness, down, across, outstanding > WEAK * mean)
    heights = outstanding[places] / mean

    line = lines_of(*places, steepness.shape)
    count, total, strong = (np.bincount(line, w, len(line)) for w in (None, heights, heights > STRONG))
    kept = (count >= SHORTEST) & ((strong > 0) | (total >= LONG))
    found = np.zeros(steepness.shape, bool)
    found[places] = kept[line]
    return found


def blurred(pixels: np.ndarray, radius: float) -> np.ndarray:
    """Gaussian blur of pixels (height, width, ...), with edge padding."""
    reach = int(np.ceil(3 * radius))
    weights = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / radius)).astype("float32")
    for axis in (0, 1):
        padding = [(reach, reach) if a == axis else (0, 0) for a in range(pixels.ndim)]
        wide = np.moveaxis(np.pad(pixels, padding, mode="edge"), axis, 0)
        length = pixels.shape[axis]
        total = sum(weight * wide[i : i + length] for i, weight in enumerate(weights / weights.sum()))
        pixels = np.moveaxis(np.asarray(total), 0, axis)
    return pixels


def gradients(pixels: np.ndarray) -> tuple[np.ndarray, ...]:
    """Sobel gradients of the steepest channel: (magnitude, down, across), in levels per pixel."""
    wide = np.pad(pixels, [(1, 1), (1, 1), (0, 0)], mode="edge")
    down, across = wide[2:] - wide[:-2], wide[:, 2:] - wide[:, :-2]
    down = (down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]) / 8
    across = (across[:-2] + 2 * across[1:-1] + across[2:]) / 8
    steepness = np.hypot(down, across)
    channel = steepness.argmax(axis=-1)[..., np.newaxis]
    return tuple(np.take_along_axis(part, channel, axis=-1)[..., 0] for part in (steepness, down, across))


def ridges(
    steepness: np.ndarray, down: np.ndarray, across: np.ndarray, candidates: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(rows, columns) of candidates that are steeper than both neighbours along the gradient.

    If the gradient points between two pixels, the neighbour is interpolated.
    """
    y, x = np.nonzero(candidates)
    wide = np.pad(steepness, 1)
    down, across, here = down[y, x], across[y, x], steepness[y, x]
    step_y, step_x = np.sign(down).astype(int), np.sign(across).astype(int)
    is_steep = np.abs(down) > np.abs(across)
    straight_y, straight_x = np.where(is_steep, step_y, 0), np.where(is_steep, 0, step_x)
    oblique = np.minimum(np.abs(down), np.abs(across)) / np.maximum(np.abs(down), np.abs(across))

    def neighbour(way: int) -> np.ndarray:
        straight = wide[y + 1 + way * straight_y, x + 1 + way * straight_x]
        diagonal = wide[y + 1 + way * step_y, x + 1 + way * step_x]
        return straight + oblique * (diagonal - straight)

    ridge = (here > neighbour(1) + EQUAL) & (here > neighbour(-1) - EQUAL)  # one of two equal ones
    return y[ridge], x[ridge]


def lines_of(y: np.ndarray, x: np.ndarray, shape: tuple) -> np.ndarray:
    """The connected component of each pixel, numbered by the lowest index of its pixels."""
    at = np.full((shape[0] + 2, shape[1] + 2), -1)
    at[y + 1, x + 1] = np.arange(len(y))
    touching = []
    for step_y, step_x in ((0, 1), (1, -1), (1, 0), (1, 1)):
        other = at[y + 1 + step_y, x + 1 + step_x]
        touching.append(np.stack([np.nonzero(other >= 0)[0], other[other >= 0]]))
    one, other = np.concatenate(touching, axis=1)

    line = np.arange(len(y))
    while (line[one] != line[other]).any():
        lower, higher = np.minimum(line[one], line[other]), np.maximum(line[one], line[other])
        np.minimum.at(line, higher, lower)
        while (line != line[line]).any():  # follow each chain to its end
            line = line[line]
    return line
