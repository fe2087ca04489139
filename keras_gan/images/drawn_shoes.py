"""Drawn shoes: an offline replacement for the pix2pix "edges2shoes" dataset.

A shoe is a set of smooth curves that bound labelled regions. Coordinates are in shoe lengths: toe at x = 0, heel at
x = 1, ground at y = 0, y up. Both halves of a pair come from one label map, so they align exactly: lines are drawn
where labels meet; colours are looked up per label, then lit.
"""

from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from keras_gan.errors import check_at_least

SUPERSAMPLE = 3
BACKGROUND, LINING, TONGUE, UPPER, APRON, CAP, COUNTER, FACING, STRIPE, TRIM, STRAP, GORE, LACE = range(13)
SOLE, BAND, HEEL, TAP, REGIONS = range(13, 18)

# Shape parameters with their uniform ranges, in shoe lengths; each kind of shoe overrides some. First: height of the
# heel seat, width of the heel on the ground, thickness of the sole under the ball, height of the toe tip.
SHAPE = {"heel": (0.08, 0.11), "heel_width": (0.23, 0.27), "sole": (0.03, 0.042), "spring": (0.015, 0.04)}
# Toe: the exponent of its superellipse is below 2 for a pointed toe, above 2 for a boxy toe.
SHAPE |= {"toe_length": (0.15, 0.21), "toe_height": (0.13, 0.165), "toe_shape": (1.9, 2.4)}
# Opening: x of its front and back, height of its back above the heel seat, height of its front / height of its back.
SHAPE |= {"throat": (0.47, 0.53), "collar": (0.95, 0.98), "shaft": (0.25, 0.3), "tilt": (1.1, 1.3)}
# How sharply the instep bends up, how low the sides of the opening hang, how much of its far side is visible.
SHAPE |= {"bend": (0.02, 0.09), "dip": (0.12, 0.3), "opening": (0.035, 0.055)}
# Start of the laces between toe (0) and opening (1), x of toe cap and heel counter, two parameters shared by details.
SHAPE |= {"lacing": (0.42, 0.52), "cap": (0.16, 0.24), "counter": (0.75, 0.83), "slant": (0, 1), "band": (0, 1)}

LOW = {"bend": (0.0, 0.06), "throat": (0.27, 0.35), "shaft": (0.23, 0.26), "tilt": (0.62, 0.74), "dip": (0.2, 0.32)}
LOW |= {"sole": (0.016, 0.024), "toe_height": (0.1, 0.13), "toe_length": (0.17, 0.21), "toe_shape": (1.7, 2.2)}
ANKLE = {"bend": (0.24, 0.32), "dip": (0, 0.06), "collar": (0.93, 0.97), "shaft": (0.38, 0.5), "throat": (0.53, 0.58)}
BOOT = ANKLE | {"shaft": (0.5, 0.75), "tilt": (0.98, 1.08)}
RUBBER = {"heel": (0.1, 0.15), "sole": (0.055, 0.09), "toe_shape": (2.1, 2.8), "spring": (0.03, 0.06)}
HIGH = {"heel": (0.26, 0.4), "heel_width": (0.035, 0.06), "sole": (0.016, 0.024), "toe_shape": (1.7, 2.1)}
# Each kind: shape ranges, details that it always has, details with probability 1/2, and its usual colour.
KINDS = [
    (RUBBER, "laces foxing", "guard cap counter stripes trim", "468cc4"),  # sneaker: light blue
    (RUBBER | ANKLE, "laces foxing", "cap counter stripes", "b02226"),  # high-top: red
    ({}, "block laces welt", "cap counter", "5c3722"),  # oxford: dark brown
    ({"throat": (0.42, 0.48), "tilt": (0.95, 1.1)}, "block apron saddle", "counter welt", "e26e28"),  # loafer: orange
    (RUBBER | BOOT, "block laces welt lugs", "cap counter", "c4945c"),  # work boot: tan
    (ANKLE | {"heel": (0.09, 0.2)}, "block gore", "welt cap", "243e82"),  # chelsea boot: blue
    (BOOT | HIGH, "block zip", "cap counter", "6e428c"),  # heeled boot: purple
    (LOW | HIGH, "block", "cap counter bow trim", "d63670"),  # pump: pink
    # flat: sea green
    (LOW | {"heel": (0.04, 0.24), "heel_width": (0.14, 0.24)}, "block", "cap counter bow ankle trim", "3ca096"),
    (LOW | {"heel": (0.2, 0.3), "sole": (0.04, 0.08)}, "rope", "cap ankle bow trim", "e4b028"),  # wedge: yellow
]
USUAL = 4  # times as many shoes have the usual colour of their kind as have any
NEUTRALS = "1e1d20 262426 1e1d20 262426 5c3722 96603a c4945c 3e2820 6e4426 e2d6be f0eeea c8c8ce 868a90"
LEATHERS = f"{NEUTRALS} b02226 6e1628 243e82 1c2442 468cc4 246442 6e743e e4b028 e26e28 e88ca4 d63670 6e428c 3ca096"
RUBBERS, STACKS = "f4f3ee f4f3ee ece4d0 b07a46 2a2a2c d2d4d6", "221e1e 4a3022 966840"
LININGS, CORDS = "ceb28c b08c68 e2d8c8 787474", "f4f4f0 1e1e1e c4945c"
# Leather, patent, suede, canvas: strength and sharpness of highlights, strength of grain, grains per image width.
MATERIALS = [(0.35, 12, 0.015, 96), (1.0, 45, 0.0, 8), (0.05, 4, 0.05, 110), (0.03, 4, 0.07, 180)]
# A polygon, or a line if it has a width. It is painted only over the regions in ``within``; if empty, over all.
Part = namedtuple("Part", "region points within width", defaults=((), 0.0))


def spline(*points: Any) -> np.ndarray:
    """The Catmull-Rom spline through ``points``: (10 * len(points) - 9, 2)."""
    p = np.asarray(points, float)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, 0.9, 10)[:, None]
    weights = np.hstack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2]) / 2
    windows = np.stack([p[:-3], p[1:-2], p[2:-1], p[3:]])
    return np.vstack([np.einsum("sk,knc->nsc", weights, windows).reshape(-1, 2), p[-2]])


def along(curve: np.ndarray, share: float | np.ndarray, depth: float | np.ndarray = 0.0) -> np.ndarray:
    """The points at the fractions ``share`` (0..1) of a curve's length, shifted by ``depth`` to its right."""
    at = np.append(0, np.cumsum(np.hypot(*np.diff(curve, axis=0).T)))
    x, y, dx, dy = (np.interp(share * at[-1], at, column) for column in (*curve.T, *np.gradient(curve, axis=0).T))
    return np.stack([x, y], axis=-1) + np.stack([dy, -dx], axis=-1) * depth / np.hypot(dx, dy)[..., None]


def outlines(p: SimpleNamespace, solid: bool) -> SimpleNamespace:
    """The curves that bound a shoe of shape ``p``; ``solid``: the sole touches the ground up to the heel."""
    lift, tip = p.heel - p.sole, p.sole + p.spring
    ball = (0.12, p.sole + 0.25 * p.spring), (0.3, p.sole)
    base = spline((0, tip), *ball, (0.52, p.sole + 0.36 * lift), (0.76, p.sole + 0.86 * lift), (0.98, p.heel))
    floor = base - [0, p.sole]
    floor = np.where(solid & (floor[:, :1] > 0.3), floor * [1, 0], floor)[::-1]
    floor[:, 0] = 0.5 + (floor[:, 0] - 0.5) * (0.95 if solid else 0.99)
    sole = np.vstack([base, floor, spline(floor[-1], (-0.012, p.spring + 0.55 * p.sole), (-0.008, tip))])
    # Ridge: a quarter of a superellipse for the toe, then a parabola over the instep to the opening.
    angle = np.radians([0, 25, 50, 75])
    rise = np.stack([1 - np.cos(angle) ** (2 / p.toe_shape), np.sin(angle) ** (2 / p.toe_shape)], axis=1)
    toe = [0, tip] + rise * [p.toe_length, p.toe_height]
    front = np.array([p.throat, np.interp(p.throat, *base.T) + p.tilt * p.shaft])
    corner = (front + toe[-1]) / 2 + p.bend * (front - toe[-1])[::-1] * [1, -1]
    t = np.array([[0.3], [0.55], [0.8], [1.0]])
    ridge = spline(*toe, *(toe[-1] * (1 - t) ** 2 + corner * 2 * t * (1 - t) + front * t**2))
    # Opening: its sides hang between front and back, by a fraction of their height above the sole.
    top = np.array([p.collar, p.heel + p.shaft])
    hollow = (p.collar + 0.98) / 2, p.heel + min(0.26, 0.8 * p.shaft)
    back = spline((0.98, p.heel), (1.0, p.heel + min(0.09, 0.4 * p.shaft)), hollow, top)
    chord = front + (top - front) * np.array([[0], [0.3], [0.65], [1]])
    sag = p.dip * np.array([0, 0.85, 1, 0]) * (chord[:, 1] - np.interp(chord[:, 0], *base.T))
    near = spline(*(chord - np.outer(sag, [0, 1])))
    far = near + np.outer(np.sin(np.linspace(0, np.pi, len(near))) ** 0.7, [0, p.opening])
    upper = np.vstack([base, back, near[::-1], ridge[::-1]])
    # Heel, for a sole that leaves the ground: the higher, the more slender.
    seat, drop = base[base[:, 0] > 0.7 + 0.25 * p.heel] - [0, 0.5 * p.sole], np.linspace(1, 0, 16)[:, None]
    power, foot = 1 + 8 * max(0.0, p.heel - 0.14), np.array([0.98 - 0.18 * p.heel, 0.0])
    inner = foot - [min(p.heel_width, foot[0] - seat[0, 0]), 0]
    rear = foot + (seat[-1] - foot) * np.hstack([drop ** (0.5 + power / 2), drop])
    heel = np.vstack([seat, rear, (inner + (seat[0] - inner) * np.hstack([drop**power, drop]))[::-1]])
    return SimpleNamespace(base=base, floor=floor, ridge=ridge, near=near, far=far, upper=upper, sole=sole, heel=heel)


def laces(p: SimpleNamespace, c: SimpleNamespace) -> list[Part]:
    """Tongue, facing and laces of a shoe of shape ``p`` with the outlines ``c``."""
    rows = np.linspace(p.lacing, 0.97, max(4, round((1 - p.lacing) * (p.throat + p.shaft) / 0.065)))
    start, top, knot = along(c.ridge, rows[-2], -0.015), c.ridge[-1], along(c.ridge, 0.97, 0.02)
    tongue = spline(start, top + [-0.03, 0.02], top + [-0.01, 0.06], top + [0.05, 0.05], c.near[8])
    bow = spline(knot, *(knot + [[0.05, 0.03], [0.11, -0.02], [0.05, -0.03], [0, 0], [0.015, -0.05], [0.05, -0.11]]))
    facing = along(c.ridge, np.linspace(p.lacing - 0.05, 1, 24))
    crossings = np.stack([along(c.ridge, rows, -0.006), along(c.ridge, rows - 0.02, 0.055)], axis=1)
    parts = [Part(TONGUE, tongue, (BACKGROUND, LINING)), Part(FACING, facing, (UPPER, CAP), 0.17)]
    parts += [Part(LACE, crossing, width=0.02) for crossing in crossings]
    return parts + [Part(LACE, bow, width=0.015)] * (p.slant < 0.5)


def details(p: SimpleNamespace, c: SimpleNamespace) -> dict[str, list[Part]]:
    """All optional details of a shoe of shape ``p`` with the outlines ``c``: parts by name."""
    knot, (x, y), (mid, top) = c.ridge[-1], along(c.near, 0.15), along(c.near, 0.5)
    cap = spline((p.cap - 0.02, 0.5), (p.cap, 0.16), (p.cap + 0.06 * p.slant, 0), (-0.2, 0))
    rise = p.heel + np.array([0, 0.25, 0.75, 1]) * min(0.85 * p.shaft, 0.22)
    counter = spline(*np.stack([p.counter + np.array([-0.04, -0.02, 0.06, 0.35]), rise], axis=1))
    bar = np.array([[0.02, y + 0.1], [0.04 + 0.01 * p.band, y + 0.1], [0.03 - 0.12 * p.slant, 0], [-0.12 * p.slant, 0]])
    way = np.linspace(0, 1, 24)
    seam = along(c.ridge, 0.2 + 0.8 * way, (0.045 + 0.02 * p.band) * np.sin(np.pi * way)[:, None])
    apron = np.vstack([along(c.ridge, 0.2 + 0.8 * way, -0.02), seam[::-1]])
    saddle = np.array([[p.throat - 0.06, 0.5], [p.throat - 0.04, 0.2], [p.throat + 0.02, 0]])
    wide, w, low, half = 0.02 + 0.015 * p.band, 0.06 + 0.03 * p.band, p.heel + 0.12, 0.5 * (top + p.heel + 0.12)
    gore = spline((mid - w, top + 0.1), (mid - 0.8 * w, half), (mid, low), (mid + 0.8 * w, half), (mid + w, top + 0.1))
    turn = np.linspace(0, 2 * np.pi, 40)
    ring = c.near[-1] + np.stack([0.125 * np.cos(turn) - 0.13, 0.032 * np.sin(turn) - 0.02 * np.cos(turn)], axis=1)
    lobe = (0.8 + 0.4 * p.band) * spline((0, 0), (0.04, 0.035), (0.065, 0.02), (0.06, -0.02), (0.035, -0.03), (0, 0))
    return {
        "block": [Part(HEEL, c.heel, (BACKGROUND,)), Part(TAP, np.array([[0, 0], [1.1, 0]]), (HEEL,), 0.028)],
        "laces": laces(p, c),
        "cap": [Part(CAP, np.vstack([cap, [(-0.2, 0.5)]]), (UPPER,))],
        "guard": [Part(CAP, c.base[:32], (UPPER,), 0.13)],
        "counter": [Part(COUNTER, np.vstack([counter, [(1.1, 0), (p.counter - 0.06, 0)]]), (UPPER,))],
        "stripes": [Part(STRIPE, bar + [x + 0.065 * i, 0], (UPPER,)) for i in range(1 + int(2.99 * p.band))],
        "trim": [Part(TRIM, c.near, (UPPER, COUNTER), 2 * wide)],
        "apron": [Part(APRON, apron, (UPPER,))],
        "saddle": [Part(STRAP, saddle, (UPPER, APRON), 0.05 + wide)],
        "gore": [Part(GORE, gore, (UPPER,))],
        "zip": [Part(STRAP, np.array([[mid, top], [mid - 0.02, 0]]), (UPPER,), 0.012)],
        "ankle": [Part(STRAP, c.near[-1] - [[0.012, 0.05], [0.012, 0]], width=0.04), Part(STRAP, ring, width=wide)],
        "bow": [Part(STRAP, knot + lobe), Part(STRAP, knot - lobe * 0.8), Part(TRIM, knot + lobe * 0.25)],
        "foxing": [Part(BAND, c.floor, (SOLE,), 0.7 * p.sole)],
        "welt": [Part(BAND, c.base, (SOLE,), 0.9 * p.sole)],
        "lugs": [Part(BACKGROUND, np.array([[x, 0], [x, 0.02]]), (SOLE, HEEL, TAP), 0.016) for x in np.r_[0.2:1:0.05]],
        "rope": [Part(BAND, c.base - [0, depth], (SOLE,), 0.012) for depth in np.arange(0.04, 0.3, 0.06)],
    }


def shoe(rng: np.random.Generator) -> tuple[list[Part], np.ndarray]:
    """A random shoe: its parts from back to front, and the colours (0..255) of all regions (REGIONS, 3)."""
    changes, always, maybe, usual = KINDS[rng.integers(len(KINDS))]
    p = SimpleNamespace(**{name: rng.uniform(*bounds) for name, bounds in (SHAPE | changes).items()})
    names = always.split() + [name for name in maybe.split() if rng.random() < 0.5]
    c = outlines(p, solid="block" not in names)
    known = details(p, c)
    parts = [Part(LINING, np.vstack([c.near, c.far[::-1]])), Part(UPPER, c.upper), Part(SOLE, c.sole)]
    parts += [part for name in names for part in known[name]]
    any_of = LEATHERS.split()
    usually = [usual] * (USUAL * len(any_of)) + any_of
    palettes = usually, any_of, any_of, *(of.split() for of in (NEUTRALS, RUBBERS, STACKS, LININGS, CORDS))
    picked = [list(bytes.fromhex(rng.choice(palette))) for palette in palettes] + rng.normal(0, 5, (8, 3))
    main, other, stripe, neutral, rubber, stack, lining, cord = picked
    second = [main * 0.9, main * 0.75, neutral, other][rng.integers(4)]
    sole = rubber if "foxing" in names else stack
    table = np.tile(main, (REGIONS, 1))
    table[[CAP, COUNTER, FACING, TRIM, STRAP]] = second
    table[[TONGUE, APRON, GORE]] = main * [[0.9], [0.95], [0.5]]
    table[STRIPE], table[LINING], table[LACE] = stripe, lining, cord
    table[SOLE], table[HEEL] = sole, main if p.heel > 0.14 and rng.random() < 0.6 else sole
    table[BAND] = sole * 0.8 if sole.mean() > 100 else sole + 40
    table[BACKGROUND], table[TAP] = 255, 28
    return parts, np.clip(table, 12, 255)


def paint(parts: list[Part], size: int) -> Image.Image:
    """The label map of ``parts``, centred and scaled to fill it: mode L, SUPERSAMPLE * ``size`` pixels square."""
    outline = np.vstack([part.points for part in parts if not part.within])
    low, high = outline.min(axis=0), outline.max(axis=0)
    labels = Image.new("L", (size * SUPERSAMPLE, size * SUPERSAMPLE))
    scale = 0.9 * labels.width / max(high - low)
    for part in parts:
        points = (labels.width / 2 + (part.points - (low + high) / 2) * scale * [1, -1]).ravel().tolist()
        mask = Image.new("L", labels.size)
        if part.width:
            ImageDraw.Draw(mask).line(points, 255, max(1, round(part.width * scale)), joint="curve")
        else:
            ImageDraw.Draw(mask).polygon(points, 255)
        if part.within:
            mask = ImageChops.darker(mask, labels.point([255 * (label in part.within) for label in range(256)]))
        labels.paste(part.region, mask=mask)
    return labels


def cover(mask: np.ndarray) -> np.ndarray:
    """The fraction of each pixel that the supersampled ``mask`` covers: float32 (size, size)."""
    size = len(mask) // SUPERSAMPLE
    return mask.reshape(size, SUPERSAMPLE, size, SUPERSAMPLE).mean(axis=(1, 3), dtype=np.float32)


def noise(rng: np.random.Generator, cells: int, size: int) -> np.ndarray:
    """Smooth noise, the same at every size: float32 (size, size), mean 0, standard deviation about 1."""
    grid = Image.fromarray(rng.standard_normal((cells, cells)).astype(np.float32))
    return np.asarray(grid.resize((size, size), Image.Resampling.BICUBIC))


def slopes(mask: np.ndarray) -> np.ndarray:
    """The gradient (2, size, size) of ``mask`` blurred at several scales, which looks like an inflated cushion."""
    size = len(mask)
    squared = np.fft.fftfreq(size)[:, None] ** 2 + np.fft.rfftfreq(size) ** 2
    blur = np.float32(sum(s * np.exp(-2 * (np.pi * size * s) ** 2 * squared) for s in (0.012, 0.03, 0.07)))
    return np.array(np.gradient(np.fft.irfft2(np.fft.rfft2(mask) * blur, (size, size)))) * size


def light(labels: np.ndarray, lines: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Factor and offset (size, size, 1) that light flat colours, from the upper left, on a random material."""
    shine, sharpness, grain, cells = MATERIALS[rng.choice(len(MATERIALS), p=[0.4, 0.25, 0.2, 0.15])]
    upper, sole = cover((labels >= TONGUE) & (labels <= LACE)), cover(labels >= SOLE)
    relief = slopes(upper + sole) * (1 - sole) + slopes(sole) * sole - 0.05 * slopes(lines) * upper
    normal = np.stack([-3 * relief[1], 3 * relief[0], np.ones_like(lines)])
    normal /= np.sqrt((normal**2).sum(axis=0))
    diffuse = (0.5 + 0.5 * np.tensordot([-0.35, 0.75, 0.56], normal, 1)) ** 2
    mirrored = np.tensordot([-0.2, 0.425, 0.883], normal, 1).clip(0)
    factor = 0.36 + 0.8 * diffuse + grain * noise(rng, cells, len(lines)) * upper
    factor *= (1 - 0.5 * lines) * (1 - 0.4 * cover(labels == LINING))
    return factor[..., None], (upper * (1 - lines) * (190 * shine * mirrored**sharpness + 14 * diffuse))[..., None]


def draw_pair(seed: int, index: int, size: int = 256) -> np.ndarray:
    """Draws a pair, toe to the left: uint8 (size, 2 * size, 3), a line drawing beside the shoe in colour, on white.

    ``seed`` and ``index`` determine the shoe, at any ``size``. The same arguments give the same bytes. The drawing
    shows the regions (sole, laces, toe cap, ...). Of the colours it tells the usual one of this kind of shoe, which
    four of five have; it does not tell the material.

    Raises BadValueError if ``seed`` or ``index`` is negative or ``size`` is below 16.
    """
    check_at_least(0, seed=seed, index=index)
    check_at_least(16, size=size)
    rng = np.random.default_rng([seed, index])
    return draw(*shoe(rng), rng, size)


def draw(parts: list[Part], table: np.ndarray, rng: np.random.Generator, size: int) -> np.ndarray:
    """Draws both halves of a `shoe`, as `draw_pair` does: uint8 (size, 2 * size, 3)."""
    picture = paint(parts, size)
    labels = np.asarray(picture)
    edges = [np.roll(labels, 1, axis) != np.roll(labels, 1 - SUPERSAMPLE, axis) for axis in (0, 1)]
    lines = cover(edges[0] | edges[1])  # one pixel wide where two labels meet
    ink = np.clip(0.86 + 0.15 * noise(rng, 24, size), 0.5, 0.95) * np.minimum(1, 1.2 * lines)
    picture.putpalette(table.astype(np.uint8).tobytes())
    flat = np.asarray(picture.convert("RGB").reduce(SUPERSAMPLE), np.float32)
    blank = 255 * cover(labels == BACKGROUND)[..., None]
    factor, summand = light(labels, lines, rng)
    coloured = blank + np.clip((flat - blank) * factor + summand, 0, 255 - blank)
    return np.hstack([np.repeat(255 - 255 * ink[..., None], 3, axis=2), coloured]).round().astype(np.uint8)
