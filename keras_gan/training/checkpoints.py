"""Checkpoints: everything that a run needs to resume with the same bits. See `checkpoint_files` for what they hold.

Checkpoints are atomic: each is written under another name, synced to disk and renamed.
"""

import functools
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gan import backend
from keras_gan.backend.memory import giving_back
from keras_gan.errors import BadValueError, NotFiniteError
from keras_gan.files import sync
from keras_gan.report.run_files import set_aside
from keras_gan.training import old_runs, run_folder
from keras_gan.training.checkpoint_files import (
    STATE,
    SUMS,
    UNFINISHED,
    WEIGHTS,
    checksum,
    clear,
    discard,
    fault_of,
    names,
    state_of,
)
from keras_gan.training.compiled import compile_configs, restore_compiled
from keras_gan.training.failures import reason
from keras_gan.training.network_files import comment_for
from keras_gan.training.signals import Interrupted

FAILURES = (OSError, RuntimeError, ValueError)  # what h5py raises when a disk is full


@giving_back()
def save(folder: Path, model: Any, state: dict[str, Any], keep: int) -> None:
    """Writes a checkpoint of the model, then removes all but the newest `keep`.

    Args:
        folder: the folder of all checkpoints.
        model: the `AdversarialModel`, with its parts built.
        state: dict for `state.json`.
        keep: number of checkpoints to keep.

    Raises:
        BadValueError: if the checkpoint cannot be written. The earlier checkpoints stay unchanged.
    """
    path = folder / str(state["iteration"])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clear(folder)
        unfinished = Path(tempfile.mkdtemp(prefix=f"{UNFINISHED}.", dir=folder), path.name)
        unfinished.mkdir()  # unlike its parent, it has the usual permissions
        with backend.undivided():
            model.save_weights(unfinished / WEIGHTS)
        (unfinished / STATE).write_text(json.dumps(state), encoding="utf-8")
        sums = "".join(f"{checksum(unfinished / name):08x} {name}\n" for name in (WEIGHTS, STATE))
        (unfinished / SUMS).write_text(sums, encoding="utf-8")
        for written in (*unfinished.iterdir(), unfinished):
            sync(written)
        discard(path)  # of the same iteration, with other epoch numbers
        unfinished.rename(path)
        sync(folder)
    except FAILURES as error:
        clear(folder)
        kept = names(folder)
        rest = f"the last one is from iteration {kept[-1].name}" if kept else "there is no earlier one"
        raise BadValueError(
            f"a checkpoint cannot be written to {str(folder)!r} ({reason(error)}); {rest}: "
            f"make room, then --resume {str(folder.parent)!r}."
        ) from error
    clear(folder)
    for old in names(folder)[:-keep]:
        discard(old)


def check_weights(model: Any) -> None:
    """Raises NotFiniteError if a weight or an optimizer slot is not finite."""
    for part in (*model.networks, *(part.optimizer for part in model.parts)):
        floats = [ops.convert_to_numpy(v) for v in part.variables if keras.backend.is_float_dtype(v.dtype)]
        if not all(np.isfinite(array).all() for array in floats):
            raise NotFiniteError(f"weights of {part.name} are not finite at iteration {int(model.iteration)}")


def restore(folder: Path, model: Any) -> dict[str, Any] | None:
    """Restores the newest undamaged checkpoint; returns its `state.json`, or None if there is no checkpoint.

    Damaged checkpoints are reported on standard error and renamed to `damaged-ITERATION`. Leftovers of killed processes
    are removed.

    Raises:
        BadValueError: if every checkpoint is damaged, or the checkpoint does not fit the model.
    """
    clear(folder)
    for path in reversed(names(folder)):
        fault = fault_of(path)
        if fault is None:
            return load(path, model)
        set_aside(path, fault, instead="the one before it is used")
    if any(folder.glob("damaged-*")):
        raise BadValueError(f"every checkpoint in {str(folder)!r} is damaged: start a new run.")
    return None


def load(path: Path, model: Any) -> dict[str, Any]:
    """Loads an undamaged checkpoint into a model; returns its `state.json`.

    Raises:
        BadValueError: if it does not fit the model.
    """
    state = state_of(path)
    restore_compiled(model, state.get("compiled", {}))
    load_weights(path, model)
    return state


def load_weights(path: Path, model: Any) -> None:
    """Loads the weights and all other variables of a checkpoint. Raises BadValueError if they do not fit the model."""
    model.make_train_function()
    try:
        with old_runs.upgraded_weights(path / WEIGHTS, type(model).__name__) as weights:
            model.load_weights(weights)
    except (OSError, ValueError, KeyError) as error:
        raise BadValueError(
            f"checkpoint {str(path)!r} does not fit this model: {' '.join(str(error).split())[:300]}"
        ) from error


@functools.lru_cache(maxsize=1)
def networks_at(path: Path) -> dict[str, tuple[Any, str]]:
    """The networks of a checkpoint, with averaged weights if the run has averages: {name: (network, comment)}.

    Builds the model of the run, which opens its data set. The comment is that of a saved network.

    Raises:
        NotFoundError: if the run's data set is missing.
        BadValueError: if the arguments or the class of the run cannot be used.
    """
    import keras_gan

    run = path.parent.parent
    config = run_folder.read_config(run)
    kind: Any = getattr(keras_gan, config["class"], None)
    if not hasattr(kind, "from_arguments"):
        raise BadValueError(f"the run's class {config['class']!r} is not a model of this package.")
    with run_folder.reading_arguments(run):
        model = kind.from_arguments(config["arguments"] | {"seed": config["seed"], "output": None})
        model.start_averages(config["arguments"].get("ema", 0.0))
    load(path, model)
    if model.averages:
        for average, variable in zip(model.averages.averages, model.combined.trainable_variables, strict=True):
            variable.assign(average)
    return {network.name: (network, comment_for(network, model)) for network in model.networks}


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
            check_weights(self.model)
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
            check_weights(self.model)
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
            "config": self.run.config,
            "iteration": self.iteration,
            "epoch": epoch,
            "step": step,
            "data_epoch": self.batches.epoch,
            "data_random": self.batches.random_state,
            "compiled": compile_configs(self.model),
            "best": self.run.best and self.run.best.state,
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


def metric_variables(model: Any) -> list[Any]:
    """The variables of all metrics: totals and counts since the epoch began."""
    return [variable for metric in model.metrics for variable in metric.variables]
