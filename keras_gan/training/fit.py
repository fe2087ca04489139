"""Training in a run folder: how it begins, how it goes on where it was left, and what ends it."""

import contextlib
import datetime
import math
import platform
import sys
from pathlib import Path

import keras
import numpy as np

from keras_gan import __version__, backend
from keras_gan.errors import BadValueError, NotFiniteError
from keras_gan.training import checkpoints, hosts, run_folder
from keras_gan.training.checkpoints import Checkpoints
from keras_gan.training.signals import signals_noted


class Callbacks(keras.callbacks.CallbackList):
    """The callbacks of `fit()`, which may begin in the middle of an epoch.

    `fit()` always counts from the first batch of an epoch on. The batches that were played already
    are passed over: nothing is played and no callback hears of them, so that all others keep their numbers.

    A callback may compile a part of the model anew at the end of an epoch or the beginning of one.

    Args:
        callbacks, model, params: as Keras has them.
        played: batches of the first epoch that are not to be played.
    """

    def __init__(self, callbacks, model, played, **params):
        super().__init__(callbacks, add_history=True, model=model, **params)
        self.to_pass = played

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self.model.make_train_function()
        if self.to_pass and self.model.train_function != self.play_or_pass:
            self.play, self.model.train_function = self.model.train_function, self.play_or_pass

    def play_or_pass(self, *arguments):
        if not self.to_pass:
            return self.play(*arguments)
        *state, _ = arguments  # on JAX the values of all variables, which are returned beside the figures
        return ({}, *state) if state else {}

    def on_train_batch_begin(self, batch, logs=None):
        if not self.to_pass:
            super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        if self.to_pass:
            self.to_pass -= 1
        else:
            super().on_train_batch_end(batch, logs)

    def on_interrupted(self):
        """Tells those that want to know that training ends before its end."""
        for callback in self.callbacks:
            if hasattr(callback, "on_interrupted"):
                callback.on_interrupted()


class StayFinite(keras.callbacks.Callback):
    """Ends the run where a figure or, at the end of an epoch, a weight is not finite. It comes first of all callbacks.

    Keras has read the figures of a step for the callbacks anyway; what is not finite stays so in their average.
    """

    def on_train_batch_end(self, batch, logs=None):
        bad = [f"{name} is {value}" for name, value in (logs or {}).items() if not math.isfinite(value)]
        if bad:
            raise NotFiniteError(f"{', '.join(bad)} at iteration {int(self.model.iteration)}")

    def on_epoch_end(self, epoch, logs=None):
        checkpoints.check_weights(self.model)


def train(model, arguments, callbacks):
    """Trains a model in its run folder, from where it is; returns Keras' `History`.

    Args:
        model: the `AdversarialModel`; `is_resumed` where its folder holds a run to go on with.
        arguments: dict of those of `AdversarialModel.train`.
        callbacks: Keras callbacks.

    Raises:
        As `AdversarialModel.train`.
    """
    epochs = arguments["epochs"] + arguments["decay_epochs"]
    batches = hosts.divided(model.data_loader.batches(arguments["batch_size"], arguments["steps_per_epoch"]))
    with (
        hosts.hosts_together(model, as_json(model.constructor_arguments | arguments | settings(model))),
        run_folder.locked(model.run_folder),
        signals_noted() as signals,
        faults_explained(model),
    ):
        model.make_train_function()
        state = go_on(model, arguments, epochs) if model.is_resumed else begin(model, arguments)
        model.is_resumed = False
        place = state or {"epoch": 0, "step": 0}
        keeper = Checkpoints(
            model.run_folder, batches, arguments["checkpoint_interval"], arguments["keep"], state, signals
        )
        callbacks = Callbacks(
            [StayFinite(), *callbacks, keeper], model, place["step"], epochs=epochs, steps=len(batches)
        )
        try:
            return model.fit(
                batches,
                epochs=epochs,
                initial_epoch=place["epoch"],
                shuffle=False,  # the loader shuffles by itself, from the seed
                callbacks=callbacks,
            )
        except (KeyboardInterrupt, NotFiniteError):
            callbacks.on_interrupted()
            raise


def begin(model, arguments):
    """Writes what the run is, before anything is trained."""
    counts, files = run_folder.pictures_of(model.data_loader)
    run_folder.write_json(model.run_folder / run_folder.DATA, files)
    config = {
        "model": model.name,
        "class": type(model).__name__,
        "command": model.command,
        "arguments": as_json(model.constructor_arguments | arguments | settings(model)),
        "backend": keras.backend.backend(),
        "seed": model.seed,
        "dataset": {
            "name": model.data_loader.dataset_name,
            "pictures": counts,
            "fingerprint": f"{checkpoints.checksum(model.run_folder / run_folder.DATA):08x}",
        },
        "versions": {
            "keras_gan": __version__,
            "keras": keras.__version__,
            keras.backend.backend(): backend.version(),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "commit": run_folder.git_commit(),
        "started": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
    }
    run_folder.write_json(model.run_folder / run_folder.CONFIG, config)
    print(
        f"Training on {model.data_loader.dataset_name} by {backend.device()}; "
        f"sample grids, networks and report.html go to {model.run_folder}"
    )


def settings(model):
    """What Keras is set to for the whole process, and a run needs to be set to again."""
    return {"dtype_policy": keras.config.dtype_policy().name, "jit_compile": model.jit_compile}


def as_json(arguments):
    """Arguments as what JSON can hold: optimizers as Keras writes them, paths as text."""
    plain = {}
    for name, value in arguments.items():
        if isinstance(value, keras.optimizers.Optimizer):
            value = keras.optimizers.serialize(value)
        plain[name] = str(value) if isinstance(value, Path) else value
    return plain


def resume(kind, run, callbacks, changes):
    """Builds the model of a run and goes on with it, see `AdversarialModel.resume`."""
    config = run_folder.read_config(run)
    arguments = run_folder.arguments_to_go_on(run, kind.__name__, changes)
    policy = keras.config.dtype_policy().name
    if arguments["dtype_policy"] != policy:
        raise BadValueError(
            f"run {str(run)!r} was trained with dtype policy {arguments['dtype_policy']!r}, not {policy!r}: "
            "see keras.config.set_dtype_policy."
        )
    constructor = {name: arguments[name] for name in run_folder.names_of(kind.__init__) if name in arguments}
    model = kind(**constructor | {"seed": config["seed"]})
    if config.get("backend") == keras.backend.backend():  # each has its own default
        model.jit_compile = arguments["jit_compile"]
    model._run_folder, model.is_resumed = run, True
    model.train(**{name: arguments[name] for name in model.train_arguments() if name in arguments}, callbacks=callbacks)
    return model


def go_on(model, arguments, epochs):
    """Brings the model to the newest checkpoint of its run; returns its state, or None if there is none yet."""
    folder = model.run_folder
    warn_of_changes(model)
    state = checkpoints.restore(folder / "checkpoints", model)
    if state and state["epoch"] >= epochs:
        raise BadValueError(
            f"run {str(folder)!r} is finished: all {epochs} epochs are trained. "
            f"To train longer: {run_folder.how_to_resume(model)} --epochs {2 * arguments['epochs']}"
        )
    config = run_folder.read_config(folder)
    config["arguments"] |= arguments
    run_folder.write_json(folder / run_folder.CONFIG, config)
    if state:
        model.data_loader.random_state = state["data_random"]
    place = f"iteration {state['iteration']}" if state else "the beginning: it has no checkpoint yet"
    print(f"Going on with {folder} from {place}")
    return state


def warn_of_changes(model):
    """Says on standard error how many pictures were added, removed and changed since the run was started last."""
    path = model.run_folder / run_folder.DATA
    before = run_folder.read_json(path) or {}
    _, files = run_folder.pictures_of(model.data_loader)
    changes = run_folder.changes(before, files)
    if any(changes.values()):
        told = ", ".join(f"{count} {what}" for what, count in changes.items())
        print(f"warning: the data set has changed since this run was started: {told}", file=sys.stderr)
        run_folder.write_json(path, files)


@contextlib.contextmanager
def faults_explained(model):
    """Says of a run that cannot go on what is left of it, in one line."""
    try:
        yield
    except NotFiniteError as error:
        kept = checkpoints.names(model.run_folder / "checkpoints")
        left = f"the checkpoint of iteration {kept[-1].name} is kept" if kept else "there is no checkpoint yet"
        raise NotFiniteError(f"{error}: training cannot go on; {left} in {str(model.run_folder)!r}.") from error
    except (OSError, RuntimeError, ValueError) as error:
        hosts.explain_lost_host(error, model)
        if isinstance(error, ValueError) or not checkpoints.is_full(error):
            raise
        raise BadValueError(
            f"cannot write to {str(model.run_folder)!r} ({checkpoints.reason(error)}): "
            f"make room, then go on: {run_folder.how_to_resume(model)}"
        ) from error
