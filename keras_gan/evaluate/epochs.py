"""Scores the networks that a run kept of its epochs, and draws their figures, for `keras_gan.evaluate --all`."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.errors import BadValueError
from keras_gan.evaluate import Data, Scoring
from keras_gan.files import write_whole
from keras_gan.report.csv_log import line
from keras_gan.training.kept_networks import kept_epochs, place_of

HIGHER = "PSNR", "SSIM"  # figures of which more is better
OF_TWO = " of two of "  # in the name of a figure of diversity, of which neither more nor less is better
TABLE, PICTURE = "epochs.csv", "epochs.png"


def evaluate_epochs(run: str | Path, data: Data = None, extractor: Callable | None = None) -> tuple[Path, list[dict]]:
    """Scores the networks of all epochs that a run kept; saves a table and a picture of the figures.

    Args:
        run: the run's folder.
        data, extractor: see `keras_gan.evaluate.evaluate`.

    Returns:
        (folder of `epochs.csv` and `epochs.png`, rows of the table: {"epoch": number, "DIRECTION FIGURE": value}).

    Raises:
        NotFoundError, BadValueError: as `evaluate`; if the run kept no epochs, or is no run as a whole.
    """
    place = place_of(run)
    if place.mark or place.run is None:
        raise BadValueError(f"all epochs are those of a run: name its folder, not {str(run)!r}.")
    epochs = kept_epochs(place.run)
    if not epochs:
        raise BadValueError(f"run {str(run)!r} kept the networks of no epoch: train with --save-every N.")
    scoring = Scoring(f"{place.run}@{epochs[0]}", data, extractor)
    scoring.extractor = scoring.extractor and Remembered(scoring.extractor)
    rows = [row_of(epoch, scoring.of(f"{place.run}@{epoch}")[1]) for epoch in epochs]
    folder = place.run / "evaluation" / scoring.loader.dataset_name
    with write_whole(folder / TABLE) as unfinished:
        text = "".join(line(cells) for cells in (map(quoted, rows[0]), *(row.values() for row in rows)))
        unfinished.write_text(text, encoding="utf-8")
    draw(folder / PICTURE, rows)
    return folder, rows


class Remembered:
    """An extractor that remembers features: the real pictures are the same for all epochs."""

    def __init__(self, extractor: Callable) -> None:
        self.extractor = extractor
        self.known: dict[int, Any] = {}

    def __call__(self, pictures: np.ndarray) -> Any:
        key = hash((pictures.shape, pictures.tobytes()))
        if key not in self.known:
            self.known[key] = self.extractor(pictures)
        return self.known[key]


def row_of(epoch: int, figures: dict[str, Any]) -> dict[str, Any]:
    """A row of the table: the mean figures of each direction, FID and KID to the real pictures."""
    row: dict[str, Any] = {"epoch": epoch}
    for title, part in figures["directions"].items():
        row |= {f"{title} {name}": value for name, value in part["means"].items()}
        for scores in list(part["heaps"].values())[:1]:
            row |= {f"{title} {name}": scores[name] for name in ("FID", "KID")}
    return {name: math.nan if value is None else value for name, value in row.items()}


def quoted(name: str) -> str:
    """The name of a column of a CSV file; some have commas."""
    return f'"{name}"' if "," in name else name


def draw(path: Path, rows: list[dict[str, Any]]) -> None:
    """Draws each figure over the epochs, its directions together, and marks the best epoch."""
    from matplotlib.figure import Figure

    charts: dict[str, list[str]] = {}
    for column in list(rows[0])[1:]:
        if np.isfinite([row[column] for row in rows]).any():
            charts.setdefault(figure_of(column), []).append(column)
    figure = Figure(figsize=(8, 2.6 * len(charts)), layout="constrained")
    epochs = [row["epoch"] for row in rows]
    for axes, (name, columns) in zip(figure.subplots(len(charts), 1, squeeze=False)[:, 0], charts.items(), strict=True):
        for column in columns:
            values = [row[column] for row in rows]
            (drawn,) = axes.plot(epochs, values, marker="o", markersize=3, label=column.removesuffix(name).strip())
            if (best := best_of(column, values)) is not None:
                ring = {"marker": "o", "markersize": 10, "fillstyle": "none", "color": drawn.get_color()}
                axes.plot(epochs[best], values[best], **ring)
        better = f", {'higher' if name.startswith(HIGHER) else 'lower'} is better"
        axes.set_title(name + (better if OF_TWO not in name else ""), loc="left")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    axes.set_xlabel("epoch (ring: the best)")
    with write_whole(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=110)


def figure_of(column: str) -> str:
    """The figure of a column, without the direction."""
    for title in ("AtoB ", "BtoA ", "pictures of noise "):
        column = column.removeprefix(title)
    return column


def best_of(column: str, values: list[float]) -> int | None:
    """The place of the best value; None if there is none."""
    if OF_TWO in column or not np.isfinite(values).any():
        return None
    return int(np.nanargmax(values) if figure_of(column).startswith(HIGHER) else np.nanargmin(values))


def text_of(rows: list[dict[str, Any]]) -> str:
    """The table as text: an epoch in each line, a figure in each column; the best has a star."""
    names = list(rows[0])
    best = {name: best_of(name, [row[name] for row in rows]) for name in names[1:]}
    table = [names]
    for place, row in enumerate(rows):
        table.append([str(row["epoch"]), *(f"{row[of]:.4g}" + "*" * (best[of] == place) for of in names[1:])])
    widths = [max(len(cells[column]) for cells in table) for column in range(len(names))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)) for cells in table]
    return "\n".join([*lines, "*: the best"])
