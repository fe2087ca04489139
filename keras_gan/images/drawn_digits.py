"""Drawn digits: an offline replacement for MNIST, white handwriting on black.

A digit is one or more smooth strokes through a few points. Coordinates are in letter heights: x to the right, y down
from 0 (top) to 1 (foot). Points are jittered; the digit is slanted, rotated, stretched and scaled into the image as in
MNIST, then drawn with a pen of random width.
"""

import re

import numpy as np
from PIL import Image, ImageDraw

from keras_gan.errors import check_at_least
from keras_gan.images.drawn_shoes import spline

SUPERSAMPLE = 4
FILLED = 20 / 28  # longer side of a digit / side of the image, as in MNIST
FURTHEST = 0.4  # limit of a stroke's distance from the image centre, in image sides: no pen touches the border
JITTER = 0.026  # of the points, in letter heights; with more, some digits look like others

# Variants of each digit. Commas separate strokes, spaces separate points; x/y are in hundredths of the letter height.
# Two strokes that share a point stay joined there, which makes corners.
STROKES = """
0: 38/0 14/16 3/52 14/88 34/100 54/84 63/48 54/14 34/0
0: 42/4 20/6 4/34 6/74 26/99 50/88 60/56 54/20 36/2 22/10
1: 30/0 29/50 28/100
1: 8/26 22/14 32/0, 32/0 32/50 31/100
1: 10/22 32/0, 32/0 32/50 32/100, 10/100 32/100 54/99
2: 5/24 16/5 36/0 54/12 52/34 34/62 4/98, 4/98 34/96 62/97
2: 8/20 24/2 46/4 54/24 42/54 20/84 6/96 3/84 16/80 36/92 62/96
2: 6/16 30/0 54/10 56/30 36/58 6/94, 6/94 24/88 44/98 64/92
3: 6/12 26/0 48/7 50/27 36/42 20/47, 20/47 44/51 57/70 48/92 26/100 4/90
3: 6/4 32/3 58/2, 58/2 44/20 26/42, 26/42 50/48 58/70 46/93 24/100 4/90
3: 8/10 32/0 50/14 44/36 24/45 46/52 56/74 42/95 20/100 2/92
4: 10/2 7/24 4/50, 4/50 30/53 64/48, 50/8 48/50 45/100
4: 46/0 26/32 2/66, 2/66 34/67 66/64, 46/0 46/50 45/100
4: 8/4 4/28 10/47 30/50 52/40, 54/0 52/40 46/100
5: 12/3 36/4 58/1, 12/3 10/20 8/43, 8/43 30/36 52/48 56/72 42/95 20/100 2/91
5: 56/0 34/3 16/4, 16/4 12/22 7/42, 7/42 34/40 54/58 50/84 28/99 4/94
6: 46/0 24/18 8/48 4/76 18/97 44/98 60/78 48/55 26/54 8/72
6: 38/0 16/28 3/62 10/90 32/100 56/88 58/64 38/51 16/60 6/78
7: 4/4 30/4 60/2, 60/2 42/42 26/100
7: 2/14 8/5 34/4 56/10 57/30 48/62 40/100
7: 4/4 30/5 60/2, 60/2 44/42 28/100, 20/50 40/49 60/46
8: 52/12 32/0 12/10 12/28 32/45 52/62 56/84 34/100 10/90 10/66 30/46 50/28 52/12
8: 32/0 12/10 14/34 32/45 50/34 50/10 32/0, 32/45 8/60 8/88 32/100 54/88 54/60 32/45
9: 54/16 36/0 12/7 3/28 16/50 38/48 53/28 56/10, 56/10 54/50 48/100
9: 52/10 30/0 7/12 4/36 22/50 44/40 54/14, 54/14 56/52 46/86 26/100 8/94
9: 54/16 34/0 10/10 6/34 24/49 46/38 55/10 50/54 34/100
"""
DIGITS = [re.findall(f"^{digit}: (.*)$", STROKES, re.MULTILINE) for digit in range(10)]


def parse_variant(strokes: str) -> tuple[np.ndarray, list[list[int]]]:
    """The points (n, 2) of a variant, in letter heights, and the point indices of each stroke."""
    points = list(dict.fromkeys(strokes.replace(",", " ").split()))
    coordinates = np.array([point.split("/") for point in points], float) / 100
    return coordinates, [[points.index(point) for point in stroke.split()] for stroke in strokes.split(",")]


VARIANTS = [[parse_variant(strokes) for strokes in variants] for variants in DIGITS]


def random_strokes(rng: np.random.Generator, digit: int) -> list[np.ndarray]:
    """The strokes of a random `digit`: curves (n, 2), in image sides from the image centre."""
    points, strokes = VARIANTS[digit][rng.integers(len(VARIANTS[digit]))]
    points = points + rng.normal(0, JITTER, points.shape)
    curves = [spline(*points[stroke])[::2] for stroke in strokes]  # five points per span are smooth enough
    width, slant, turn = rng.uniform(0.8, 1.3), rng.normal(0.16, 0.2), rng.normal(0, 0.08)
    shear = np.array([[width, 0], [-slant, 1]])  # the top leans to the right
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    curves = [curve @ shear @ rotation for curve in curves]
    low, high = np.vstack(curves).min(axis=0), np.vstack(curves).max(axis=0)
    size = FILLED * rng.uniform(0.86, 1) / max(high - low)
    middle = centre(curves) + rng.uniform(-0.03, 0.03, 2) / size
    middle = np.clip(middle, high - FURTHEST / size, low + FURTHEST / size)
    return [(curve - middle) * size for curve in curves]


def centre(curves: list[np.ndarray]) -> np.ndarray:
    """The centre of mass (2,) of curves drawn with uniform thickness."""
    steps = np.vstack([np.diff(curve, axis=0) for curve in curves])
    places = np.vstack([(curve[1:] + curve[:-1]) / 2 for curve in curves])
    return np.hypot(*steps.T) @ places / np.hypot(*steps.T).sum()


def draw_digit(seed: int, index: int, size: int = 28) -> np.ndarray:
    """Draws the digit ``index % 10``, white on black: uint8 (size, size).

    ``seed`` and ``index`` determine the handwriting, at any ``size``. The same arguments give the same bytes. Raises
    BadValueError if ``seed`` or ``index`` is negative or ``size`` is below 8.
    """
    check_at_least(0, seed=seed, index=index)
    check_at_least(8, size=size)
    rng = np.random.default_rng([seed, index])
    curves = random_strokes(rng, index % 10)
    side = size * SUPERSAMPLE
    pen = max(1.0, rng.uniform(0.05, 0.105) * side)
    picture = Image.new("L", (side, side))
    draw = ImageDraw.Draw(picture)
    for curve in curves:
        points = (curve + 0.5) * side
        draw.line(points.ravel().tolist(), 255, round(pen), joint="curve")
        for x, y in points[[0, -1]].tolist():  # round ends
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), 255)
    return np.asarray(picture.reduce(SUPERSAMPLE))
