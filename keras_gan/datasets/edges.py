"""Edges of photos, as black lines on white.

They are found as by Canny, "A Computational Approach to Edge Detection", 1986, with two changes.
Gradients count by how far they stand out from those around them (Grigorescu, Petkov and Westenberg,
"Contour detection based on nonclassical receptive field inhibition", 2003), so that grass and fur
give few lines; and a faint line stays if it is long, as the sole of a white shoe on white is.
"""

import numpy as np
from PIL import Image

# Chosen so that the lines of shoe photos come close to those that edges2shoes has of them.
DRAWN_AT = 256  # pictures whose shorter side is twice that and more are drawn smaller and enlarged
BLUR = 1.5  # pixels
SURROUND = 6.0  # pixels
SUPPRESSED = 1.2  # so many times the gradients around are taken off
FAINTEST = 2.0  # levels of 255 a pixel: in a picture without stronger gradients, a mean one
EQUAL = 0.01  # levels a pixel: a smaller difference may be one of rounding
WEAK, STRONG = 0.1, 0.5  # gradients of a line: all of its pixels and one of them; 1 is the picture's mean one
LONG = 12  # what the gradients of a line without a strong one add up to
SHORTEST = 8  # pixels


def edges(image):
    """The edges of a picture as black lines on white.

    What is an edge depends on the gradients of the picture itself: a darker version of it has the
    same ones. Lines are one pixel wide. Where the shorter side of a picture is n x 256 pixels or
    more, they are n wide, as if it had been drawn n times smaller, and stay lines when the picture
    is made so small.

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


def find_lines(pixels):
    """Where lines are, bool (height, width), in pixels of any range near [0, 255], (height, width, channels)."""
    steepness, down, across = gradients(blurred(pixels, BLUR))
    around = np.square(blurred(np.sqrt(steepness), SURROUND))  # which texture raises more than a single strong line
    outstanding = np.maximum(steepness - SUPPRESSED * around, 0)
    # The mean of them, each weighted by itself: whatever part of the picture is plain does not matter.
    mean = max(FAINTEST, np.square(outstanding).sum() / max(outstanding.sum(), 1e-6))
    places = ridges(steepness, down, across, outstanding > WEAK * mean)
    heights = outstanding[places] / mean

    line = lines_of(*places, steepness.shape)
    count, total, strong = (np.bincount(line, w, len(line)) for w in (None, heights, heights > STRONG))
    kept = (count >= SHORTEST) & ((strong > 0) | (total >= LONG))
    found = np.zeros(steepness.shape, bool)
    found[places] = kept[line]
    return found


def blurred(pixels, radius):
    """Pixels (height, width, ...) under a Gaussian of this radius; what lies outside is as the border."""
    reach = int(np.ceil(3 * radius))
    weights = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / radius)).astype("float32")
    for axis in (0, 1):
        padding = [(reach, reach) if a == axis else (0, 0) for a in range(pixels.ndim)]
        wide = np.moveaxis(np.pad(pixels, padding, mode="edge"), axis, 0)
        length = pixels.shape[axis]
        total = sum(weight * wide[i : i + length] for i, weight in enumerate(weights / weights.sum()))
        pixels = np.moveaxis(total, 0, axis)
    return pixels


def gradients(pixels):
    """Sobel gradients of the steepest channel: steepness, its part down and its part across, in levels a pixel."""
    wide = np.pad(pixels, [(1, 1), (1, 1), (0, 0)], mode="edge")
    down, across = wide[2:] - wide[:-2], wide[:, 2:] - wide[:, :-2]
    down = (down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]) / 8
    across = (across[:-2] + 2 * across[1:-1] + across[2:]) / 8
    steepness = np.hypot(down, across)
    channel = steepness.argmax(axis=-1)[..., np.newaxis]
    return tuple(np.take_along_axis(part, channel, axis=-1)[..., 0] for part in (steepness, down, across))


def ridges(steepness, down, across, candidates):
    """Which candidates are steeper than both neighbours along the gradient: (rows, columns).

    Where the gradient points between two pixels, the neighbour is what lies there between them.
    """
    y, x = np.nonzero(candidates)
    wide = np.pad(steepness, 1)
    down, across, here = down[y, x], across[y, x], steepness[y, x]
    step_y, step_x = np.sign(down).astype(int), np.sign(across).astype(int)
    is_steep = np.abs(down) > np.abs(across)
    straight_y, straight_x = np.where(is_steep, step_y, 0), np.where(is_steep, 0, step_x)
    oblique = np.minimum(np.abs(down), np.abs(across)) / np.maximum(np.abs(down), np.abs(across))

    def neighbour(way):
        straight = wide[y + 1 + way * straight_y, x + 1 + way * straight_x]
        diagonal = wide[y + 1 + way * step_y, x + 1 + way * step_x]
        return straight + oblique * (diagonal - straight)

    ridge = (here > neighbour(1) + EQUAL) & (here > neighbour(-1) - EQUAL)  # of two that are equal, one
    return y[ridge], x[ridge]


def lines_of(y, x, shape):
    """For each of these pixels the number of its line: the lowest index of the pixels that it hangs together with."""
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
        while (line != line[line]).any():  # each pixel to the end of its chain
            line = line[line]
    return line
