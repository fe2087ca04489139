"""The curves of a run: groups of figures, downsampling, smoothing, `losses.png`."""

from pathlib import Path

import numpy as np

from keras_gan.files import write_whole

MOST = 500  # points per curve
LARGEST = 1e38  # a larger figure is not shown: sums of such overflow


def groups(columns: list[str] | dict) -> dict[str, list[str]]:
    """The columns of a history grouped by chart: {title: names}."""
    accuracies = [name for name in columns if name.endswith("_acc")]
    judges = [name.removesuffix("_acc") for name in accuracies]
    if len(judges) == 2:  # a single discriminator and a mean equal to it
        judges.remove("d")
        accuracies.remove("d_acc")
    judging = [name for name in (f"{judge}_loss" for judge in judges) if name in columns]
    losses = [name for name in columns if name.endswith("_loss") and name not in (*judging, "d_loss")]
    rates = [name for name in columns if name.endswith("_learning_rate")]
    titles = {"Generators": losses, "Discriminators": judging}
    titles |= {"Discriminator accuracy": accuracies, "Learning rates": rates}
    return {title: names for title, names in titles.items() if names}


def curve(rows: list[dict], name: str) -> tuple[np.ndarray, np.ndarray]:
    """(iterations, values) of a column without NaN, downsampled to at most `MOST` means of neighbours."""
    points = [(row["iteration"], row[name]) for row in rows if abs(row[name]) <= LARGEST]
    parts = np.array_split(np.array(points, "float64").reshape(-1, 2), min(MOST, len(points)) or 1)
    means = np.array([part.mean(axis=0) for part in parts if len(part)]).reshape(-1, 2)
    return means[:, 0], means[:, 1]


def smooth(values: np.ndarray) -> np.ndarray:
    """A centred moving average over a tenth of all values; the window shrinks at the ends."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    reach = np.minimum(len(values) // 20, np.minimum(at, at[::-1]))
    return (sums[at + reach + 1] - sums[at - reach]) / (2 * reach + 1)


def save_losses(path: Path, rows: list[dict]) -> None:
    """Plots the losses, and the accuracies of the discriminators, to a PNG file.

    Args:
        path: the file to write.
        rows: the rows of `history.csv`, see `keras_gan.report.csv_log.read_rows`.
    """
    from matplotlib.figure import Figure

    titles = groups(rows[0] if rows else {})
    titles.pop("Learning rates", None)
    if not titles:
        return
    figure = Figure(figsize=(9, 3.2 * len(titles)), layout="constrained")
    for axes, (title, names) in zip(figure.subplots(len(titles), 1, squeeze=False)[:, 0], titles.items(), strict=True):
        for name in names:
            iterations, values = curve(rows, name)
            (drawn,) = axes.plot(iterations, smooth(values), label=name, linewidth=1.8)
            axes.plot(iterations, values, color=drawn.get_color(), alpha=0.25, linewidth=0.8)
        axes.set_title(title, loc="left")
        axes.set_yscale("log" if title == "Generators" and positive(rows, names) else "linear")
        axes.grid(alpha=0.3)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    axes.set_xlabel("iteration")
    with write_whole(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=110)


def positive(rows: list[dict], names: list[str]) -> bool:
    """Whether a log scale can show these columns: all values are positive or NaN."""
    return all(row[name] > 0 or np.isnan(row[name]) for row in rows for name in names)


def duration(seconds: float) -> str:
    """Formats seconds as "45 s", "12:34 min" or "3:25:10 h"."""
    seconds = round(seconds)
    minutes, hours = seconds // 60, seconds // 3600
    if hours:
        return f"{hours}:{minutes % 60:02}:{seconds % 60:02} h"
    return f"{minutes}:{seconds % 60:02} min" if minutes else f"{seconds} s"
