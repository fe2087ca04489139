"""The figures of a run as it goes on: `history.csv`, one row every few iterations."""

import time

import keras
import numpy as np
from keras import ops

from keras_gan.report.csv_log import Table


class History(keras.callbacks.Callback):
    """Writes `history.csv`: iteration, epoch (from 1), seconds of training, learning rates and every figure.

    There is a row every `EVERY` iterations and one at the end of each epoch. Its figures are averages
    over the iterations since the row before, not since the epoch began as in the logs of `fit()`; nan
    where the network did not learn in these iterations.

    Rows of the file beyond `model.iteration` are dropped when training begins.

    Args:
        listen: called with each row, a dict.
    """

    EVERY = 10

    def __init__(self, listen=None):
        super().__init__()
        self.listen = listen

    def on_train_begin(self, logs=None):
        self.iteration = int(self.model.iteration)
        self.table = Table(self.model.run_folder / "history.csv")
        rows = self.table.open(self.iteration)
        self.written = rows[-1]["iteration"] if rows else 0
        self.began = time.monotonic() - (rows[-1]["seconds"] if rows else 0)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        self.iteration += 1
        if self.iteration % self.EVERY == 0:
            self.write()

    def on_epoch_end(self, epoch, logs=None):
        if self.written < self.iteration:
            self.write()
        self.model.totals_before = None  # the next epoch counts from nothing

    def write(self):
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


def figures_since_last_row(model):
    """The figures of an `AdversarialModel`, averaged over the iterations since this was last called in the epoch.

    Keras' metrics are running totals and counts: their differences are those of the iterations between.
    `model.totals_before` holds the earlier ones; it is saved with the weights, so that a resumed run
    goes on in the middle of a row.
    """
    variables = [variable for metric in model.metrics for variable in metric.variables]
    now = np.array([float(ops.convert_to_numpy(variable)) for variable in variables])
    before = model.totals_before
    if before is None or len(before) != len(now) or (now[1::2] < before[1::2]).any():  # another epoch's
        before = np.zeros_like(now)
    model.totals_before = now
    totals, counts = (now - before)[::2], (now - before)[1::2]
    totals[counts == 0], counts[counts == 0] = np.nan, 1
    since = np.stack([totals, counts], axis=1).ravel()
    since = [ops.convert_to_tensor(value, variable.dtype) for variable, value in zip(variables, since, strict=True)]
    with keras.StatelessScope(state_mapping=zip(variables, since, strict=True)):
        return {name: float(figure) for name, figure in model.get_metrics_result().items()}
