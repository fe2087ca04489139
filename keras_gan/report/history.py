"""`history.csv`: losses and metrics during training, one row every few iterations."""

import math
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_gan import backend
from keras_gan.report.csv_log import Table
from keras_gan.report.run_files import HISTORY


class History(keras.callbacks.Callback):
    """Writes `history.csv`: iteration, epoch (from 1), seconds of training, learning rates and all metrics.

    A row is written every `EVERY` iterations and at the end of each epoch. Metrics are averaged over the iterations
    since the previous row (the logs of `fit()` average since the start of the epoch), and NaN if their network was not
    updated. Rows beyond `model.iteration` are dropped when training begins.

    Args:
        listen: called with each row, a dict.
    """

    EVERY = 10

    def __init__(self, listen: Callable[[dict], None] | None = None) -> None:
        super().__init__()
        self.listen = listen

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.iteration = int(self.model.iteration)
        self.table = Table(self.model.run_folder / HISTORY)
        last = ([{}, *self.table.open(self.iteration)])[-1]
        self.written = last.get("iteration", 0)
        seconds = last.get("seconds", 0)
        self.began = time.monotonic() - (seconds if math.isfinite(seconds) else 0)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.iteration += 1
        if self.iteration % self.EVERY == 0:
            self.write()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.written < self.iteration:
            self.write()
        self.model.totals_before = None  # the metrics restart at 0 in the next epoch

    def write(self) -> None:
        """Writes a row."""
        row = {"iteration": self.iteration, "epoch": self.epoch, "seconds": round(time.monotonic() - self.began, 3)}
        for part in self.model.parts:
            name = "g" if part is self.model.combined else part.name
            row[f"{name}_learning_rate"] = float(part.optimizer.learning_rate)
        row |= figures_since_last_row(self.model)
        self.table.append(row)
        self.written = self.iteration
        if self.listen:
            self.listen(row)


def figures_since_last_row(model: Any) -> dict[str, float]:
    """The metrics of an `AdversarialModel`, averaged over the iterations since the previous call in this epoch.

    Keras' metrics are running totals and counts, so differences of these give the average over an interval.
    `model.totals_before` holds the previous totals and counts. It is saved with the weights, so a resumed run continues
    in the middle of a row.
    """
    now = np.array(backend.in_numbers([variable.value for variable in model.metrics_variables]))
    before = model.totals_before
    if before is None or len(before) != len(now) or (now[1::2] < before[1::2]).any():  # a new epoch
        before = np.zeros_like(now)
    model.totals_before = now
    totals, counts = (now - before)[::2], (now - before)[1::2]
    totals[counts == 0], counts[counts == 0] = np.nan, 1
    since = np.stack([totals, counts], axis=1).ravel().astype("float32")
    figures = model.at_once(model.figures_of, list(since))
    return dict(zip(figures, backend.in_numbers(list(figures.values())), strict=True))
