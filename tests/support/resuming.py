"""Comparison of stopped and resumed runs."""

import shutil

import keras
import numpy as np

from keras_gan.report.csv_log import read_rows
from keras_gan.training import checkpoints

SHORT = {"epochs": 2, "batch_size": 2, "sample_interval": 2, "steps_per_epoch": 3}
EVERY_STEP = SHORT | {"checkpoint_interval": 1, "keep": 9}


class At(keras.callbacks.Callback):
    """Calls `do(model)` after this iteration."""

    def __init__(self, iteration, do):
        super().__init__()
        self.iteration, self.do = iteration, do

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.iteration) == self.iteration:
            self.do(self.model)


def everything(gan):
    """The full state of a model: weights, optimizers, past fakes, random states, averages."""
    optimizers = [variable for part in gan.parts for variable in part.optimizer.variables]
    return [np.asarray(variable) for variable in [*gan.variables, *gan.random_states, *optimizers]]


def check_same(one, other):
    for a, b in zip(everything(one), everything(other), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.data_loader.random_state == other.data_loader.random_state
    for a, b in zip(one.run.network_paths, other.run.network_paths, strict=True):
        for x, y in zip(weights_in(a), weights_in(b), strict=True):
            np.testing.assert_array_equal(x, y)
    np.testing.assert_equal(*(history(gan.run_folder) for gan in (one, other)))


def history(run):
    """The rows of `history.csv` without their times."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in read_rows(run / "history.csv")]


def weights_in(path):
    return keras.saving.load_model(path, compile=False).get_weights()


def cut_back(run, copy, iteration):
    """Copies a run as it was right after the checkpoint of this iteration."""
    shutil.copytree(run, copy)
    for path in checkpoints.names(copy / "checkpoints"):
        if int(path.name) > iteration:
            shutil.rmtree(path)
    return copy


class Recorder(keras.callbacks.Callback):
    """Records all logs of a callback, with epoch, batch and iteration."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.rows.append((self.epoch, batch, int(self.model.iteration), dict(logs)))

    def on_epoch_end(self, epoch, logs=None):
        self.rows.append((epoch, "end", int(self.model.iteration), dict(logs)))

    def after(self, iteration, whole_epochs):
        """The rows after this iteration."""
        return [row for row in self.rows if row[2] > iteration or (row[1] == "end" and row[0] >= whole_epochs)]
