"""Additions to Keras' `fit()`: it can start in the middle of an epoch, and it stops at values that are not finite."""

import math
import time
from collections.abc import Sequence
from typing import Any

import keras

from keras_gan import backend
from keras_gan.errors import NotFiniteError
from keras_gan.report.history import History


class Callbacks(keras.callbacks.CallbackList):
    """The callbacks of a `fit()` that may start in the middle of an epoch and does not wait for figures.

    Reading a figure waits for the device, which then waits for the host. So callbacks get the logs only when a row of
    the history is due, every `EVERY` iterations, or `SECONDS` after they last got them; otherwise None. Callbacks of
    the user that look at batches get the logs of every batch.

    `fit()` always counts from the first batch of an epoch. The first `done` batches are skipped: no step runs and no
    callback is called, so the remaining batches keep their numbers.

    Callbacks may recompile a part of the model at the beginning or end of an epoch.

    Args:
        callbacks, model, params: as in Keras' `CallbackList`.
        done: batches of the first epoch to skip.
        of_user: those of the callbacks that are the user's.
    """

    EVERY = History.EVERY
    SECONDS = 0.3

    def __init__(
        self, callbacks: Sequence[Any], model: Any, done: int, of_user: Sequence[Any] = (), **params: Any
    ) -> None:
        super().__init__(callbacks, add_history=True, model=model, **params)
        self.to_skip = done
        self.always = any(looks_at_batches(callback) for callback in of_user)
        self.iteration = int(model.iteration)
        self.read = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        super().on_epoch_begin(epoch, logs)
        self.model.make_train_function()
        if self.to_skip and self.model.train_function != self.step_or_skip:
            self.step, self.model.train_function = self.model.train_function, self.step_or_skip

    def step_or_skip(self, *arguments: Any) -> Any:
        if not self.to_skip:
            return self.step(*arguments)
        *state, _ = arguments  # on JAX: the values of all variables, which a step returns after the logs
        return ({}, *state) if state else {}

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        if not self.to_skip:
            super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self.to_skip:
            self.to_skip -= 1
            return
        self.iteration += 1
        figures = None
        if self.always or self.iteration % self.EVERY == 0 or time.monotonic() - self.read > self.SECONDS:
            figures = in_order(logs) if logs else {}
            self.read = time.monotonic()
        for callback in self.callbacks:
            callback.on_train_batch_end(batch, figures)

    def on_interrupted(self) -> None:
        """Calls `on_interrupted()` of the callbacks that have it: training stops early."""
        for callback in self.callbacks:
            if hasattr(callback, "on_interrupted"):
                callback.on_interrupted()


def in_order(logs: dict[str, Any]) -> dict[str, float]:
    """The logs in numbers, sorted by name as Keras passes them."""
    names = sorted(logs)
    return dict(zip(names, backend.in_numbers([logs[name] for name in names]), strict=True))


def looks_at_batches(callback: Any) -> bool:
    """Whether a Keras callback does something at the end of each batch."""
    of_keras = keras.callbacks.Callback
    methods = [("on_train_batch_end", of_keras.on_train_batch_end), ("on_batch_end", of_keras.on_batch_end)]
    return any(getattr(getattr(callback, name), "__func__", None) is not default for name, default in methods)


class StayFinite(keras.callbacks.Callback):
    """Stops the run if a loss is not finite. Must be the first callback.

    A loss is an average since the epoch began, in which NaN stays NaN: the next logs show it, at the latest after
    `Callbacks.EVERY` iterations.
    """

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        bad = [f"{name} is {value}" for name, value in (logs or {}).items() if not math.isfinite(value)]
        if bad:
            raise NotFiniteError(f"{', '.join(bad)} at iteration {int(self.model.iteration)}")
