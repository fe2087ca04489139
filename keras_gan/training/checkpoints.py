"""Checkpoints: all that training needs to go on as if nothing had happened.

One is a folder, `checkpoints/ITERATION`: `all.weights.h5` is what Keras saves of the model (weights,
optimizers with their rates and steps, past fakes, averages, the states of dropout and noise),
`state.json` the rest, and `sums` tells whether both are as they were written. It is made under
another name, brought to the disk and renamed, so that one that has its name is whole.
"""

import errno
import json
import os
import shutil
import sys
import time
import zlib
from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_gan import backend
from keras_gan.backend.memory import giving_back
from keras_gan.errors import BadValueError, NotFiniteError
from keras_gan.files import sync
from keras_gan.training import old_runs
from keras_gan.training.signals import Interrupted

WEIGHTS, STATE, SUMS = "all.weights.h5", "state.json", "sums"
FULL = [getattr(errno, name) for name in ("ENOSPC", "EFBIG", "EDQUOT") if hasattr(errno, name)]
FAILURES = (OSError, RuntimeError, ValueError)  # of h5py, when a disk is full


def names(folder):
    """The checkpoints in this folder, the newest last."""
    return sorted((path for path in Path(folder).glob("[0-9]*") if path.is_dir()), key=lambda path: int(path.name))


@giving_back()
def save(folder, model, state, keep):
    """Writes a checkpoint of the model, then removes all but the newest `keep`.

    Args:
        folder: where the checkpoints are, a `pathlib.Path`.
        model: the `AdversarialModel`, its parts built.
        state: dict for `state.json`.
        keep: how many checkpoints stay.

    Raises:
        NotFiniteError: if a weight is not finite.
        BadValueError: if it cannot be written. In both cases those that were there stay as they are.
    """
    check_weights(model)
    unfinished = folder / ".unfinished"
    try:
        discard(unfinished)
        unfinished.mkdir(parents=True)
        with backend.undivided():
            model.save_weights(unfinished / WEIGHTS)
        (unfinished / STATE).write_text(json.dumps(state), encoding="utf-8")
        sums = "".join(f"{checksum(unfinished / name):08x} {name}\n" for name in (WEIGHTS, STATE))
        (unfinished / SUMS).write_text(sums, encoding="utf-8")
        for path in (*unfinished.iterdir(), unfinished):
            sync(path)
        path = folder / str(state["iteration"])
        discard(path)  # of the same iteration: the same, but for what the next epochs are called
        unfinished.rename(path)
        sync(folder)
    except FAILURES as error:
        discard(unfinished)
        kept = names(folder)
        rest = f"the last one is of iteration {kept[-1].name}" if kept else "there is none before it"
        raise BadValueError(
            f"a checkpoint cannot be written to {str(folder)!r} ({reason(error)}); {rest}: "
            f"make room, then go on by --resume {str(folder.parent)!r}."
        ) from error
    for old in names(folder)[:-keep]:
        discard(old)


def is_full(error):
    """Whether a file could not be written for want of room."""
    return getattr(error, "errno", None) in FULL or any(os.strerror(number) in str(error) for number in FULL)


def reason(error):
    """Why a file could not be written, in few words."""
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    return next((os.strerror(number) for number in FULL if os.strerror(number) in text), text[:200])


def discard(path):
    """Removes a checkpoint. It loses its name first, so that half of it is never taken for one."""
    if path.exists():
        leftover = path.with_name(".discarded")
        shutil.rmtree(leftover, ignore_errors=True)
        path.rename(leftover)
        shutil.rmtree(leftover, ignore_errors=True)


def check_weights(model):
    """Raises NotFiniteError if a weight or a slot of an optimizer is not finite."""
    for part in (*model.networks, *(part.optimizer for part in model.parts)):
        floats = [ops.convert_to_numpy(v) for v in part.variables if keras.backend.is_float_dtype(v.dtype)]
        if not all(np.isfinite(array).all() for array in floats):
            raise NotFiniteError(f"weights of {part.name} are not finite at iteration {int(model.iteration)}")


def restore(folder, model):
    """Brings the model to its newest whole checkpoint; returns its `state.json`, or None if there is no checkpoint.

    A damaged one is named on standard error, renamed to `damaged-ITERATION`, and left out.

    Raises:
        BadValueError: if there are checkpoints, but none that is whole or fits the model.
    """
    found = names(folder)
    for path in reversed(found):
        fault = fault_of(path)
        if fault is None:
            try:
                with old_runs.weights_as_today(path / WEIGHTS, type(model).__name__) as weights:
                    model.load_weights(weights)
            except (OSError, ValueError, KeyError) as error:
                raise BadValueError(
                    f"checkpoint {str(path)!r} does not fit this model: {' '.join(str(error).split())[:300]}"
                ) from error
            return json.loads((path / STATE).read_text(encoding="utf-8"))
        print(f"checkpoint {path} is damaged ({fault}): going on from the one before", file=sys.stderr)
        damaged = path.with_name(f"damaged-{path.name}")
        shutil.rmtree(damaged, ignore_errors=True)
        path.rename(damaged)
    if found:
        raise BadValueError(f"every checkpoint in {str(folder)!r} is damaged: start a new run.")
    return None


def fault_of(path):
    """What is wrong with a checkpoint, or None."""
    try:
        lines = (path / SUMS).read_text(encoding="utf-8").splitlines()
        if [line[9:] for line in lines] != [WEIGHTS, STATE]:
            return f"{SUMS} is not as it was written"
        for line in lines:
            if line[:8] != f"{checksum(path / line[9:]):08x}":
                return f"{line[9:]} is not as it was written"
    except (OSError, ValueError) as error:
        return " ".join(str(error).split())
    return None


def checksum(path):
    """The CRC-32 of a file."""
    value = 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return value


class Checkpoints(keras.callbacks.Callback):
    """Keeps the run at the end of epochs and in between, and stops it there if a signal came.

    It comes last of all callbacks, so that what is kept is what they left.

    Args:
        run: the `keras_gan.training.run.Run`.
        batches: the loader that is trained on.
        interval: iterations from one checkpoint to the next, beside those at the end of each epoch;
            None: after ten minutes and at the end of each epoch, but where keeping takes long, seldom
            enough that it is a hundredth of the time; always after the last.
        keep: how many checkpoints stay.
        state: of the checkpoint that this run goes on from, or None.
        signals: list of the signals that came.
    """

    SECONDS = 600
    SHARE = 100

    def __init__(self, run, batches, interval, keep, state, signals):
        super().__init__()
        self.run, self.batches, self.interval, self.keep = run, batches, interval, keep
        self.state, self.signals = state, signals
        self.cost = 0.0

    def on_train_begin(self, logs=None):
        self.iteration = int(self.model.iteration)
        self.kept = time.monotonic()
        if self.iteration and not self.state:  # trained before, not by this run: the seed does not lead here
            self.save(0, 0)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        if self.state:  # its averages and its place in the data, in the first epoch
            self.batches.epoch, self.batches.played = self.state["data_epoch"], self.state["step"]
            if self.state["step"]:
                for variable, value in zip(metric_variables(self.model), self.state["metrics"], strict=True):
                    variable.assign(value)
            self.state = None

    def on_train_batch_end(self, batch, logs=None):
        self.iteration += 1
        if batch + 1 == self.params["steps"]:
            return  # the end of the epoch is next
        since = time.monotonic() - self.kept
        due = self.iteration % self.interval == 0 if self.interval else since > self.SECONDS and self.worth(since)
        if due or self.signals:
            self.save(self.epoch, batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        self.model.make_train_function()  # with the slots of what another callback may just have compiled
        is_last = epoch + 1 == self.params["epochs"] or self.model.stop_training
        if self.interval or is_last or self.signals or self.worth(time.monotonic() - self.kept):
            self.save(epoch + 1, 0)

    def worth(self, seconds):
        """Whether keeping the work of so many seconds is worth what it takes."""
        return seconds > self.SHARE * self.cost

    def save(self, epoch, step):
        """Keeps the run as one that has played `step` batches of this epoch; ends it if a signal came."""
        if backend.hosts()[0] and not self.signals:
            return  # the first host keeps it
        began = time.monotonic()
        state = {
            "iteration": self.iteration,
            "epoch": epoch,
            "step": step,
            "data_epoch": self.batches.epoch,
            "data_random": self.batches.random_state,
            "metrics": [np.asarray(variable).tolist() for variable in metric_variables(self.model)],
        }
        save(self.run.folder / "checkpoints", self.model, state, self.keep)
        self.kept = time.monotonic()
        self.cost = self.kept - began
        if self.signals:
            self.run.save_networks()
            raise Interrupted(
                f"Stopped at iteration {self.iteration}; all is kept. To go on: {self.run.how_to_resume()}",
                self.signals[0],
            )


class SaveNetworks(keras.callbacks.Callback):
    """Saves the networks of a run at the end of every epoch."""

    def on_epoch_end(self, epoch, logs=None):
        if backend.hosts()[0] == 0:
            self.model.save_networks()


def metric_variables(model):
    """What the figures of an epoch are averaged in."""
    return [variable for metric in model.metrics for variable in metric.variables]
