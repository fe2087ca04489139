"""Whether picture files show pairs side by side, judged by their pixels."""

import contextlib
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_gan.datasets.entries import Entries
from keras_gan.datasets.roles import role_of
from keras_gan.datasets.spans import problem_of
from keras_gan.errors import BadValueError
from keras_gan.images.arrays import is_array, read_array
from keras_gan.images.sources import UNREADABLE, read_picture, value_span
from keras_gan.images.values import Range

SAMPLED = 24  # pictures to look at
WIDE = 1.9  # a picture with at least this width / height may be a pair, whatever its halves show
SEAM, ROWS = 2, 0.4  # so is one whose middle is so many times as steep as its surroundings, in this share of rows,
ALIKE = 0.4  # or whose halves are steep in the same places: this correlation. Of real pairs 99%, of photos 6% are so.
FLAT = 1.0  # levels: a smaller step is no seam, and halves whose steepness varies less tell nothing
HALF = 64  # pixels: the size at which halves are compared
ENOUGH, RARE = 8, 0.25  # of so many pictures, fewer than this share looks like pairs: they surely are none


def check_pairs(paths: Sequence[Any], whose: str) -> None:
    """Warns on standard error if these pictures hardly look like pairs.

    Raises:
        BadValueError: if they surely are none.
    """
    found = judged(paths)
    if looks_paired(found) or not found:
        return
    make = f"python -m keras_gan.datasets pairs --from edges {shlex.quote(str(folder_of(paths)))} OUT"
    seen = f"{found.count(True)} of {len(found)} looked at have two halves that belong together"
    if surely_single(found):
        raise BadValueError(
            f"{whose} has single pictures, not pairs side by side: {seen}; make pairs of photos by {make} "
            "(or --from gray), or name two folders of pictures of the same names, A and B."
        )
    print(f"warning: {whose} may have single pictures, not pairs: {seen}; to make pairs: {make}", file=sys.stderr)


def looks_paired(found: list[bool | None]) -> bool:
    """Whether most of the `judged` pictures are pairs."""
    return 2 * found.count(True) > len(found)


def surely_single(found: list[bool | None]) -> bool:
    """Whether so few of the `judged` pictures are pairs, of so many, that the set surely has none."""
    told = len(found) - found.count(None)
    return told >= ENOUGH and found.count(True) < RARE * told


def folder_of(paths: Sequence[Any]) -> Path:
    """The folder of all of these pictures, without a split's folder; of those in shards, a folder that they are in."""
    if isinstance(paths, Entries):
        return Path("FOLDER")
    folder = Path(os.path.commonpath([path.parent for path in paths]))
    role = role_of(folder.name)
    return folder.parent if role and role.split else folder


def judged(paths: Sequence[Any]) -> list[bool | None]:
    """`is_pair` of a sample of these pictures, without broken ones."""
    found = []
    for path in paths[:: -(-len(paths) // SAMPLED) or 1]:
        with contextlib.suppress(*UNREADABLE):
            span = value_span(path)
            is_odd = problem_of(*span, value_range=None) and span.low < span.high  # refused or nearly black
            found.append(is_pair(preview(path, span[:2] if is_odd else None)))
    return found


def preview(path: Any, value_range: Range = None) -> Image.Image:
    """A picture in mode "RGB". Arrays show their first three channels or, if they have fewer, the first one.

    Args:
        path: the file.
        value_range: the values of black and white in it; None: as it states them.

    Raises:
        One of `UNREADABLE`, if the file is damaged or not a picture.
    """
    pixels = read_array(path, value_range=value_range) if is_array(path) else None
    if pixels is None:
        return read_picture(path, value_range=value_range)
    shown = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1].repeat(3, axis=2)
    return Image.fromarray((shown // 257).astype("uint8"))


def is_pair(image: Image.Image) -> bool | None:
    """Whether a picture shows a pair: it has a seam in the middle, or two halves that are alike.

    None: this cannot be told, since it is too small or too flat, or as wide as a pair or a panorama. A wide picture
    that is too small or too flat is a pair.
    """
    width, height = image.size
    is_wide = width >= WIDE * height
    if width % 2:
        return False
    if width < 16:
        return is_wide or None
    if has_seam(image):
        return True
    likeness = halves_alike(image)
    if likeness is None:
        return is_wide or None
    return True if likeness > ALIKE else None if is_wide else False


def has_seam(image: Image.Image) -> bool:
    """Whether the middle of a picture is a steep step, as a whole and in many of its rows."""
    middle = image.width // 2
    pixels = np.asarray(image, "float32")[:, middle - 6 : middle + 6]
    steps = np.abs(np.diff(pixels, axis=1)).mean(axis=2)  # of each row 11, the middle one between the halves
    step, around = steps[:, 5], np.delete(steps, 5, axis=1)
    in_rows = (step > np.maximum(FLAT, SEAM * np.median(around, axis=1))).mean()
    return bool(in_rows > ROWS and step.mean() > max(FLAT, SEAM * np.median(around.mean(axis=0))))


def halves_alike(image: Image.Image) -> float | None:
    """The correlation of how steep the two halves of a picture are, place by place; None if one is flat."""
    small = np.asarray(image.convert("L").resize((2 * HALF, HALF), Image.Resampling.BOX), "float32")
    left, right = (steepness(half) for half in (small[:, :HALF], small[:, HALF:]))
    if min(left.std(), right.std()) < FLAT:
        return None
    return float(np.corrcoef(left.ravel(), right.ravel())[0, 1])


def steepness(pixels: np.ndarray) -> np.ndarray:
    """How much pixels (height, width) differ from their neighbours, each the mean of four: (height - 2, width - 2)."""
    steps = np.abs(np.diff(pixels, axis=0))[:, :-1] + np.abs(np.diff(pixels, axis=1))[:-1]
    return (steps[:-1, :-1] + steps[1:, :-1] + steps[:-1, 1:] + steps[1:, 1:]) / 4
