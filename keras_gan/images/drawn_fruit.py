"""Drawn apples and oranges: an offline replacement for the CycleGAN paper's "apple2orange" dataset.

A picture shows one to three fruits on a cloth, lit from the upper left. Both halves of a pair show the same scene, once
with apples and once with oranges, so a translation can be compared with what it should be. Lengths are in picture
heights, x to the right and y down.
"""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from keras_gan.errors import check_at_least
from keras_gan.images.drawn_shoes import noise

LIGHT = np.array([-0.45, -0.6, 0.66])  # from where it comes: left, above, in front
LIGHT = LIGHT / np.linalg.norm(LIGHT)
GREEN, BROWN = np.array([70.0, 120, 40]), np.array([94.0, 66, 40])
RED, YELLOW, ORANGE = np.array([190.0, 24, 30]), np.array([226.0, 180, 70]), np.array([244.0, 138, 16])
# Colours of the cloth: pale, since the generators of `CycleGAN` normalise a picture first, which hides its brightness.
CLOTHS = np.array([[214, 220, 228], [238, 234, 224], [196, 206, 216], [222, 216, 206], [208, 220, 208]])
PLACES = {1: [(0.5, 0.54)], 2: [(0.31, 0.5), (0.68, 0.62)], 3: [(0.3, 0.38), (0.7, 0.42), (0.48, 0.7)]}
RADII = {1: (0.24, 0.34), 2: (0.19, 0.235), 3: (0.16, 0.2)}


def draw_fruit(seed: int, index: int, size: int = 256) -> np.ndarray:
    """Draws a pair: uint8 (size, 2 * size, 3), apples beside oranges of the same places and sizes, in the same light.

    ``seed`` and ``index`` determine the scene, at any ``size``. The same arguments give the same bytes.

    Raises BadValueError if ``seed`` or ``index`` is negative or ``size`` is below 16.
    """
    check_at_least(0, seed=seed, index=index)
    check_at_least(16, size=size)
    scene = scene_of(np.random.default_rng([seed, index]))
    return np.hstack([draw(scene, of, size).clip(0, 255).round().astype(np.uint8) for of in (apple, orange)])


def scene_of(rng: np.random.Generator) -> SimpleNamespace:
    """A random scene: the colour and folds of its cloth, and its fruits from back to front."""
    count = rng.choice([1, 2, 3], p=[0.5, 0.25, 0.25])
    fruits = [
        SimpleNamespace(
            centre=np.array(place) + rng.uniform(-0.03, 0.03, 2),
            radius=rng.uniform(*RADII[count]),
            lean=rng.uniform(-0.3, 0.3),
            ripe=rng.uniform(0, 1),
            leaf=rng.random() < 0.5,
            seed=rng.integers(2**31),
        )
        for place in PLACES[count]
    ]
    cloth = CLOTHS[rng.integers(len(CLOTHS))] + rng.normal(0, 4, 3)
    return SimpleNamespace(fruits=fruits, cloth=cloth, seed=rng.integers(2**31), bright=rng.uniform(0.9, 1.1))


def draw(scene: SimpleNamespace, fruit: Callable[..., np.ndarray], size: int) -> np.ndarray:
    """Draws the scene with `apple` or `orange` for each fruit: float (size, size, 3), about 0 to 255."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    folds = noise(np.random.default_rng(scene.seed), 5, size)[..., None]
    picture = scene.cloth * (1.02 - 0.12 * y[..., None] + 0.03 * folds)
    for one in scene.fruits:  # shadows first, so that none falls on a fruit
        at_x, at_y = x - one.centre[0] - 0.3 * one.radius, y - one.centre[1] - 0.75 * one.radius
        distance = np.hypot(at_x / 1.25, at_y / 0.5) / one.radius
        picture *= 1 - 0.5 * np.exp(-((distance / 0.8) ** 4))[..., None]
    for one in scene.fruits:
        across, down = (x - one.centre[0]) / one.radius, (y - one.centre[1]) / one.radius
        turn = np.array([[np.cos(one.lean), np.sin(one.lean)], [-np.sin(one.lean), np.cos(one.lean)]])
        picture = fruit(picture, one, np.tensordot(turn, np.stack([across, down]), 1), size)
    return picture * scene.bright


def covered(inside: np.ndarray, one: SimpleNamespace, size: int) -> np.ndarray:
    """The share of each pixel that a shape covers: (size, size, 1); `inside` is the distance to its edge, in radii."""
    return np.clip(inside * one.radius * size + 0.5, 0, 1)[..., None]


def lit(colour: np.ndarray, normal: np.ndarray, turned: float, shine: float, sharpness: float) -> np.ndarray:
    """A surface of this colour (size, size, 3) and normal (3, size, size), in the light."""
    c, s = np.cos(turned), np.sin(turned)
    light = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) @ LIGHT
    half = light + [0, 0, 1]
    diffuse = np.tensordot(light, normal, 1)[..., None]
    mirrored = np.tensordot(half / np.linalg.norm(half), normal, 1).clip(0)[..., None] ** sharpness
    return colour * (0.3 + 0.75 * (0.5 + 0.5 * diffuse) ** 1.5) + 255 * shine * mirrored


def ball(at: np.ndarray, radius: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Normal (3, size, size) of a ball, and the distance to its edge; `radius` depends on the angle."""
    reach = np.hypot(*at)
    flat = at / np.maximum(reach, 1e-6) * np.clip(reach / radius, 0, 1)
    return np.stack([*flat, np.sqrt(np.clip(1 - (flat**2).sum(axis=0), 0, 1))]), radius - reach


def apple(picture: np.ndarray, one: SimpleNamespace, at: np.ndarray, size: int) -> np.ndarray:
    """Adds an apple: red with yellow streaks and a yellow hollow, out of which the stem grows."""
    rng = np.random.default_rng(one.seed)
    angle = np.arctan2(at[0], -at[1])  # 0: up
    radius = 1.02 - 0.22 * np.exp(-((angle / 0.33) ** 2)) - 0.06 * np.cos(2 * angle) - 0.08 * (angle / np.pi) ** 4
    normal, inside = ball(at, radius)
    hollow = np.exp(-((at[0] / 0.42) ** 2) - (((at[1] + 0.72) / 0.2) ** 2))
    normal[1] += 0.5 * hollow
    longitude = np.clip(normal[0] / np.sqrt(np.clip(1 - normal[1] ** 2, 0.05, 1)), -1, 1)
    streaks = np.interp(longitude, np.linspace(-1, 1, 41), rng.uniform(0, 1, 41))
    blush = np.clip(0.75 * streaks * (0.35 + 0.5 * one.ripe) * (1 - 0.5 * at[1]) + 0.7 * hollow, 0, 1)[..., None]
    colour = RED * (1 - blush) + YELLOW * blush
    skin = lit(colour, normal, one.lean, 0.75, 40)
    picture = picture + covered(inside, one, size) * (skin - picture)
    stem = 0.045 - np.abs(at[0] - 0.15 * (at[1] + 0.75) ** 2 + 0.02)
    stem = np.minimum(stem, 0.27 - np.abs(at[1] + 0.95))
    picture = picture + covered(stem, one, size) * (BROWN * (1 + 0.5 * at[0][..., None]) - picture)
    return leaf(picture, one, at - np.array([0.04, -1.0])[:, None, None], size) if one.leaf else picture


def leaf(picture: np.ndarray, one: SimpleNamespace, at: np.ndarray, size: int) -> np.ndarray:
    """Adds a green leaf that grows to the upper right from the origin of `at`."""
    along, beside = (at[0] - 0.5 * at[1]) / 1.12, (0.5 * at[0] + at[1]) / 1.12
    width = 0.2 * np.sin(np.pi * np.clip(along / 0.62, 0, 1)) - np.abs(beside)
    width = np.minimum(width, np.minimum(along, 0.62 - along))
    shade = 0.9 + 0.25 * (beside < 0) - 0.35 * (np.abs(beside) < 0.02)
    return picture + covered(width, one, size) * (GREEN * shade[..., None] - picture)


def orange(picture: np.ndarray, one: SimpleNamespace, at: np.ndarray, size: int) -> np.ndarray:
    """Adds an orange: a ball with pores, and a green navel."""
    rng = np.random.default_rng(one.seed)
    normal, inside = ball(at, 0.98)
    pores = noise(rng, 72, size)
    colour = ORANGE * (1 + 0.035 * pores + 0.06 * noise(rng, 6, size))[..., None] + [0, 14 * (one.ripe - 0.5), 0]
    skin = lit(colour, normal, one.lean, 0.32 + 0.04 * pores.mean(), 14)
    picture = picture + covered(inside, one, size) * (skin - picture)
    angle, reach = np.arctan2(at[0], at[1] + 0.74), np.hypot(at[0], 1.6 * (at[1] + 0.74))
    star = 0.12 * (1 + 0.35 * np.cos(5 * angle)) - reach
    picture = picture + covered(star, one, size) * (GREEN * 0.9 - picture)
    return leaf(picture, one, at - np.array([0.04, -0.8])[:, None, None], size) if one.leaf else picture
