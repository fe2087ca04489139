"""The arguments of `train()`: checked before anything begins, and as JSON."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_gan.errors import BadValueError, check_at_least, check_name, check_share, check_switch
from keras_gan.report import loggers


def check(arguments: dict[str, Any], callbacks: Any) -> None:
    """Raises BadValueError if an argument of `train()` is invalid, or another one makes it useless."""
    for name in ("steps_per_epoch", "checkpoint_interval", "sample_interval"):
        if arguments[name] is not None:
            check_at_least(1, **{name: arguments[name]})
    check_at_least(1, **{name: arguments[name] for name in ("batch_size", "keep", "validation_pictures", "accumulate")})
    check_share(ema=arguments["ema"])
    check_switch(**{name: arguments[name] for name in ("deterministic", "quiet", "with_optimizers", "remat")})
    check_epochs(arguments["epochs"], arguments["decay_epochs"], arguments["validation_interval"])
    check_kept(arguments)
    if not isinstance(callbacks, list | tuple) or not all(isinstance(x, keras.callbacks.Callback) for x in callbacks):
        raise BadValueError(f"callbacks must be a list of Keras callbacks, not {callbacks!r}.")
    loggers.checked(arguments["log"])
    for callback in callbacks:
        check_mode(callback)


def check_mode(callback: Any) -> None:
    """Sets the mode of a callback that watches a loss: Keras knows only of "loss" whether less is better.

    Of other figures it would raise an error after the first epoch.
    """
    figure = getattr(callback, "monitor", None)
    if getattr(callback, "mode", None) != "auto" or not isinstance(figure, str):
        return
    if not re.fullmatch(r"(val_)?(.*loss|L1_.*)", figure):
        kind = type(callback).__name__
        raise BadValueError(
            f"{kind} watches {figure!r}: whether less is better is unknown, add mode='min' or mode='max'."
        )
    callback.mode = "min"


def check_epochs(epochs: int, decay_epochs: int, validation_interval: int) -> None:
    """Raises BadValueError if these numbers of epochs are invalid, or no epoch is ever validated."""
    check_at_least(0, decay_epochs=decay_epochs, validation_interval=validation_interval)
    if decay_epochs and epochs == 0:
        raise BadValueError(f"decay_epochs={decay_epochs} needs constant epochs before it, not epochs=0.")
    check_at_least(1, epochs=epochs)
    if validation_interval > epochs + decay_epochs:
        raise BadValueError(
            f"validation_interval={validation_interval} is longer than the run of {epochs + decay_epochs} epochs, "
            "which would never be validated."
        )


def check_kept(arguments: dict[str, Any]) -> None:
    """Raises BadValueError if the arguments cannot work that choose which networks are kept, or start a run."""
    every, patience, best_by = (arguments[name] for name in ("save_every", "patience", "best_by"))
    check_at_least(0, save_every=every, patience=patience)
    if best_by is not None:
        check_name(best_by=best_by)
    epochs = arguments["epochs"] + arguments["decay_epochs"]
    if every > epochs:
        raise BadValueError(f"save_every={every} is longer than the run of {epochs} epochs, which would keep none.")
    if patience and best_by is None:
        raise BadValueError(
            f"patience={patience} needs a figure to wait for: name it by best_by, such as L1_A_to_B or FID."
        )
    if arguments["with_optimizers"] and arguments["start_from"] is None:
        raise BadValueError("with_optimizers needs a run to start from: name it by start_from.")
    if arguments["start_from"] is not None:
        check_name(start_from=arguments["start_from"])


def as_json(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Converts arguments for JSON: optimizers as Keras serializes them, paths as text."""
    plain = {}
    for name, value in arguments.items():
        if isinstance(value, keras.optimizers.Optimizer):
            value = keras.optimizers.serialize(value)
        value = value.item() if isinstance(value, np.generic) else value
        plain[name] = str(value) if isinstance(value, Path) else value
    return plain
