"""A contact sheet of the first pictures of a data set, to verify which side is A."""

from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.console import line_of
from keras_gan.datasets.layouts import PAIRS, Detected
from keras_gan.datasets.pair_files import preview
from keras_gan.errors import BadValueError
from keras_gan.images.grids import save_sheet
from keras_gan.images.pixels import halves, shaped
from keras_gan.images.sources import open_picture, source

COLUMNS, CLASSES, TILE = 8, 12, 128


def save(path: Path, data: Detected, scans: dict[str, list]) -> None:
    """Saves the sheet: one row per group, per half of its pairs or per class."""
    rows = {title: shown for title, shown in sheet_rows(data, scans).items() if shown}
    tile = min(TILE, max(max(image.size) for shown in rows.values() for image in shown))
    tiles = [[np.asarray(shaped(image, tile, tile, "pad"), "float32") for image in row] for row in rows.values()]
    try:
        save_sheet(path, tiles, value_range=(0, 255), captions=list(rows))
    except OSError as error:
        why = line_of(OSError(error.errno, error.strerror))  # without the name again
        raise BadValueError(f"the sheet {str(path)!r} cannot be written: {why}") from error


def sheet_rows(data: Detected, scans: dict[str, list]) -> dict[str, list]:
    """{caption: [images]} of the first intact pictures."""
    good = {
        group: [picture for picture, scan in zip(inside, scans[group], strict=True) if not scan.fault]
        for group, inside in data.groups.items()
    }
    if data.layout == PAIRS:
        both = {group: [halves(image) for image in opened(inside)] for group, inside in good.items()}
        return {f"{group} {'AB'[i]}": [pair[i] for pair in both[group]] for group in both for i in (0, 1)}
    if data.classes:
        names = list(enumerate(data.classes))[:CLASSES]
        return {name: opened([p for p in good["train"] if p.label == label]) for label, name in names}
    return {group: opened(inside) for group, inside in good.items()}


def opened(inside: list) -> list[Any]:
    """The images of the first of these pictures."""
    first = inside[:COLUMNS]
    return [preview(source(p)) if isinstance(source(p), Path) else open_picture(p, 3, TILE) for p in first]
