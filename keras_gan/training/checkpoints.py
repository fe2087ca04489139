"""Checkpoints: everything that a run needs to resume with the same bits.

A checkpoint is the folder `checkpoints/ITERATION`. Its `all.weights.h5` is what Keras saves of the model (weights,
optimizer slots with rates and steps, past fakes, averages, random states), `state.json` the rest, `sums` the checksums
of both. Checkpoints are atomic: each is written under another name, synced to disk and renamed.
"""

import errno
import json
import os
import shutil
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gan import backend
from keras_gan.backend.memory import giving_back
from keras_gan.errors import BadValueError, NotFiniteError
from keras_gan.files import sync
from keras_gan.training import old_runs
from keras_gan.training.compiled import compile_configs, restore_compiled
from keras_gan.training.signals import Interrupted

WEIGHTS, STATE, SUMS = "all.weights.h5", "state.json", "sums"
FULL = [getattr(errno, name) for name in ("ENOSPC", "EFBIG", "EDQUOT") if hasattr(errno, name)]
FAILURES = (OSError, RuntimeError, ValueError)  # what h5py raises when a disk is full


def names(folder: str | Path) -> list[Path]:
    """The paths of the checkpoints in a folder, newest last."""
    return sorted((path for path in Path(folder).glob("[0-9]*") if path.is_dir()), key=lambda path: int(path.name))


@giving_back()
def save(folder: Path, model: Any, state: dict[str, Any], keep: int) -> None:
    """Writes a checkpoint of the model, then removes all but the newest `keep`.

    Args:
        folder: the folder of all checkpoints.
        model: the `AdversarialModel`, with its parts built.
        state: dict for `state.json`.
        keep: number of checkpoints to keep.

    Raises:
        NotFiniteError: if a weight is not finite.
        BadValueError: if the checkpoint cannot be written. In both cases the earlier checkpoints stay unchanged.
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
        discard(path)  # of the same iteration, with other epoch numbers
        unfinished.rename(path)
        sync(folder)
    except FAILURES as error:
        discard(unfinished)
        kept = names(folder)
        rest = f"the last one is from iteration {kept[-1].name}" if kept else "there is no earlier one"
        raise BadValueError(
            f"a checkpoint cannot be written to {str(folder)!r} ({reason(error)}); {rest}: "
            f"make room, then --resume {str(folder.parent)!r}."
        ) from error
    for old in names(folder)[:-keep]:
        discard(old)


def is_full(error: Exception) -> bool:
    """Whether an error means that the disk is full."""
    return getattr(error, "errno", None) in FULL or any(os.strerror(number) in str(error) for number in FULL)


def reason(error: Exception) -> str:
    """Why a file could not be written, in few words."""
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    return next((os.strerror(number) for number in FULL if os.strerror(number) in text), text[:200])


def discard(path: Path) -> None:
    """Removes a checkpoint atomically: renames it before deleting its files."""
    if path.exists():
        leftover = path.with_name(".discarded")
        shutil.rmtree(leftover, ignore_errors=True)
        path.rename(leftover)
        shutil.rmtree(leftover, ignore_errors=True)


def check_weights(model: Any) -> None:
    """Raises NotFiniteError if a weight or an optimizer slot is not finite."""
    for part in (*model.networks, *(part.optimizer for part in model.parts)):
        floats = [ops.convert_to_numpy(v) for v in part.variables if keras.backend.is_float_dtype(v.dtype)]
        if not all(np.isfinite(array).all() for array in floats):
            raise NotFiniteError(f"weights of {part.name} are not finite at iteration {int(model.iteration)}")


def restore(folder: Path, model: Any) -> dict[str, Any] | None:
    """Restores the newest undamaged checkpoint; returns its `state.json`, or None if there is no checkpoint.

    Damaged checkpoints are reported on standard error and renamed to `damaged-ITERATION`.

    Raises:
        BadValueError: if every checkpoint is damaged, or the checkpoint does not fit the model.
    """
    found = names(folder)
    for path in reversed(found):
        fault = fault_of(path)
        if fault is None:
            restore_compiled(model, state_of(path).get("compiled", {}))
            model.make_train_function()
            try:
                with old_runs.upgraded_weights(path / WEIGHTS, type(model).__name__) as weights:
                    model.load_weights(weights)
            except (OSError, ValueError, KeyError) as error:
                raise BadValueError(
                    f"checkpoint {str(path)!r} does not fit this model: {' '.join(str(error).split())[:300]}"
                ) from error
            return state_of(path)
        print(f"checkpoint {path} is damaged ({fault}): using the previous one", file=sys.stderr)
        damaged = path.with_name(f"damaged-{path.name}")
        shutil.rmtree(damaged, ignore_errors=True)
        path.rename(damaged)
    if found:
        raise BadValueError(f"every checkpoint in {str(folder)!r} is damaged: start a new run.")
    return None


def state_of(path: Path) -> dict[str, Any]:
    """The `state.json` of a checkpoint."""
    return json.loads((path / STATE).read_text(encoding="utf-8"))


def fault_of(path: Path) -> str | None:
    """Describes the damage of a checkpoint; None if it is undamaged."""
    try:
        lines = (path / SUMS).read_text(encoding="utf-8").splitlines()
        if [line[9:] for line in lines] != [WEIGHTS, STATE]:
            return f"{SUMS} has changed since it was written"
        for line in lines:
            if line[:8] != f"{checksum(path / line[9:]):08x}":
                return f"{line[9:]} has changed since it was written"
    except (OSError, ValueError) as error:
        return " ".join(str(error).split())
    return None


def checksum(path: Path) -> int:
    """The CRC-32 of a file."""
    value = 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return value


class Checkpoints(keras.callbacks.Callback):
    """Saves checkpoints within and at the end of epochs. After a signal, saves one and stops the run.

    Must be the last callback, so that a checkpoint includes the changes of all others.

    Args:
        run: the `keras_gan.training.run.Run`.
        batches: the batches that the model trains on.
        interval: iterations between checkpoints, besides the end of each epoch. None: every ten minutes and at the end
            of each epoch, but using at most a hundredth of the time; always after the last epoch.
        keep: number of checkpoints to keep.
        state: `state.json` of the checkpoint that this run resumes from, or None.
        signals: list of the signals received so far.
    """

    SECONDS = 600
    SHARE = 100

    def __init__(
        self, run: Any, batches: Any, interval: int | None, keep: int, state: dict | None, signals: list[int]
    ) -> None:
        super().__init__()
        self.run, self.batches, self.interval, self.keep = run, batches, interval, keep
        self.state, self.signals = state, signals
        self.cost = 0.0  # seconds that the last checkpoint took

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.iteration = int(self.model.iteration)
        self.saved = time.monotonic()
        if self.iteration and not self.state:  # the model was trained before: the seed alone cannot reproduce it
            self.save(0, 0)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.epoch = epoch
        if self.state:  # in the first epoch of a resumed run: restore metric totals and the place in the data
            self.batches.epoch, self.batches.played = self.state["data_epoch"], self.state["step"]
            if self.state["step"]:
                for variable, value in zip(metric_variables(self.model), self.state["metrics"], strict=True):
                    variable.assign(value)
            self.state = None

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.iteration += 1
        if batch + 1 == self.params["steps"]:
            return  # on_epoch_end is next
        since = time.monotonic() - self.saved
        due = self.iteration % self.interval == 0 if self.interval else since > self.SECONDS and self.worth(since)
        if due or self.signals:
            self.save(self.epoch, batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.model.make_train_function()  # creates the optimizer slots of parts that a callback just recompiled
        is_last = epoch + 1 == self.params["epochs"] or self.model.stop_training
        if self.interval or is_last or self.signals or self.worth(time.monotonic() - self.saved):
            self.save(epoch + 1, 0)

    def worth(self, seconds: float) -> bool:
        """Whether the work of the last `seconds` justifies the cost of a checkpoint."""
        return seconds > self.SHARE * self.cost

    def save(self, epoch: int, step: int) -> None:
        """Saves a checkpoint after `step` batches of this epoch; stops the run if a signal was received."""
        if backend.hosts()[0] and not self.signals:
            return  # the first host saves it
        began = time.monotonic()
        state = {
            "iteration": self.iteration,
            "epoch": epoch,
            "step": step,
            "data_epoch": self.batches.epoch,
            "data_random": self.batches.random_state,
            "compiled": compile_configs(self.model),
            "metrics": [np.asarray(variable).tolist() for variable in metric_variables(self.model)],
        }
        save(self.run.folder / "checkpoints", self.model, state, self.keep)
        self.saved = time.monotonic()
        self.cost = self.saved - began
        if self.signals:
            self.run.save_networks()
            raise Interrupted(
                f"Stopped at iteration {self.iteration}, checkpoint saved. To resume: {self.run.how_to_resume()}",
                self.signals[0],
            )


class SaveNetworks(keras.callbacks.Callback):
    """Saves the networks of a run at the end of every epoch and of training, after all callbacks of the user.

    A callback may change weights when training ends, such as `EarlyStopping(restore_best_weights=True)`.
    """

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        is_last = epoch + 1 == self.params["epochs"] or self.model.stop_training
        if backend.hosts()[0] == 0 and not is_last:
            self.model.save_networks()

    def on_train_end(self, logs: dict | None = None) -> None:
        if backend.hosts()[0] == 0:
            self.model.save_networks()


def metric_variables(model: Any) -> list[Any]:
    """The variables of all metrics: totals and counts since the epoch began."""
    return [variable for metric in model.metrics for variable in metric.variables]
