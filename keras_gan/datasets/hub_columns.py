"""Which columns of a table are pictures of side A and B, or pictures and labels."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from PIL import Image

from keras_gan.datasets.folders import first_few
from keras_gan.errors import BadValueError

#: Words in the names of columns that tell what a model of pairs starts from, and what it ends with.
FIRST = (
    *("a", "original", "input", "source", "src", "conditioning", "condition", "control", "sketch", "edge", "edges"),
    *("before", "low", "lr", "noisy", "blurred", "blur", "rainy", "hazy", "gray", "grey", "x"),
)
SECOND = (
    *("b", "edited", "output", "target", "tgt", "result", "after", "high", "hr", "clean", "sharp", "gt", "truth"),
    *("mask", "label", "labels", "annotation", "segmentation", "depth", "color", "colour", "colored", "y"),
)
LABELS = (
    "label",
    "labels",
    "class",
    "class_name",
    "category",
    "digit",
)  # columns of classes that are mere numbers or text
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def is_picture(feature: Any, value: Any) -> bool:
    """Whether a column has pictures, by its type and the value in its first row."""
    if type(feature).__name__ == "Image" or isinstance(value, Image.Image):
        return True
    if isinstance(value, dict):
        return value.keys() == {"bytes", "path"}
    return isinstance(value, bytes)


def is_label(name: str, feature: Any, value: Any) -> bool:
    """Whether a column has classes, by its type or, if that is number or text, by its name."""
    return type(feature).__name__ == "ClassLabel" or (name.lower() in LABELS and isinstance(value, int | str))


def columns_of(
    features: Mapping[str, Any] | None, row: Mapping[str, Any], wanted: Mapping[str, str], whose: str
) -> dict[str, str]:
    """What the columns of a table are: {"A": column, "B": column}, or {"image": column} and perhaps "label".

    Args:
        features: the types of the columns, if they are known.
        row: the first row.
        wanted: the columns that the user names, in the same form; the others are told by their types and names.
        whose: the table as one names it.

    Raises:
        BadValueError: if there are no pictures, a wanted column is missing, or it cannot be told which are A and B.
    """
    types = features or {}
    pictures = [name for name, value in row.items() if is_picture(types.get(name), value)]
    labels = [name for name, value in row.items() if is_label(name, types.get(name), value)]
    for role, name in wanted.items():
        if name not in (row if role == "label" else pictures):
            what = "column" if role == "label" else "column of pictures"
            raise BadValueError(
                f"{whose} has no {what} {name!r}: it has {listed(row if role == 'label' else pictures)}."
            )
    if not pictures:
        raise BadValueError(f"{whose} has no pictures: its columns are {listed(row)}.")
    if wanted.keys() & {"A", "B"}:
        found = dict(wanted)
        if len(found) == 1 and len(pictures) == 2:
            found["AB"["A" in found]] = next(name for name in pictures if name not in found.values())
    elif "image" in wanted or len(pictures) == 1:
        found = {"image": pictures[0], **({"label": labels[0]} if len(labels) == 1 else {}), **wanted}
    else:
        found = sides_of(pictures) or {}
    if found.keys() not in ({"A", "B"}, {"image"}, {"image", "label"}) or len({*found.values()}) < len(found):
        raise BadValueError(
            f"{whose} has the pictures {listed(pictures)}, and which are A and B cannot be told: "
            f"name them, {whose},A={pictures[0]},B={pictures[-1]}, or one alone, {whose},image={pictures[0]}"
        )
    if len(labels) > 1 and found.keys() == {"image"}:
        print(f"{whose}: taken without labels; to choose one of {listed(labels)}: {whose},label={labels[0]}")
    return found


def sides_of(pictures: list[str]) -> dict[str, str] | None:
    """{"A": column, "B": column} if their names tell, as original_image and edited_image do, or None."""
    words = {name: {word.lower() for word in WORDS.findall(name)} for name in pictures}
    firsts, seconds = ([name for name in pictures if words[name].intersection(known)] for known in (FIRST, SECOND))
    neutral = [name for name in pictures if name not in (*firsts, *seconds)]
    if len(pictures) == 2 and len(neutral) == 1:  # such as image and conditioning_image, or image and mask
        firsts, seconds = firsts or neutral, seconds or neutral
    return {"A": firsts[0], "B": seconds[0]} if (len(firsts), len(seconds)) == (1, 1) and firsts != seconds else None


def listed(names: Iterable[str]) -> str:
    return first_few(list(names)) or "none"
