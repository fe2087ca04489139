"""Exponential moving averages (EMA) of weights: they smooth out the noise of the last steps."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops

from keras_gan import backend
from keras_gan.adversarial.combined import unmoved
from keras_gan.errors import BadValueError


class Averages(keras.layers.Layer):
    """EMA of variables; saved and restored like the weights of any layer.

    Updated every tenth iteration, by ten times as much: reading and writing the 84 million weights of DiscoGAN's
    generators in every iteration would add a tenth to the time of a step.

    Args:
        variables: list of the variables to average.
        ema: decay per iteration, the share of the old average that is kept.

    Raises:
        BadValueError: unless 0 < ema < 1.
    """

    EVERY = 10

    def __init__(self, variables: Sequence[Any], ema: float) -> None:
        if not 0 < ema < 1:
            raise BadValueError(f"ema must be at least 0 and below 1, not {ema}.")
        super().__init__(trainable=False, name="averages")
        self.ema = ema
        self.averages = [keras.Variable(ops.copy(variable), trainable=False) for variable in variables]
        self.built = True
        self._variables_now = lambda: variables  # a function: Keras would save an attribute a second time

    def update(self, iteration: Any) -> None:
        """Updates the averages if `iteration` is a multiple of `EVERY`; the decay is lower at first (warm-up)."""
        count = ops.cast(iteration // self.EVERY, "float32")
        share = 1 - ops.minimum(self.ema**self.EVERY, (1 + count) / (10 + count))

        def updated() -> None:
            for average, variable in zip(self.averages, self._variables_now(), strict=True):
                average.assign_sub(ops.cast(share, average.dtype) * (average - variable))

        variables = [*self.averages, *self._variables_now()]
        backend.either(iteration % self.EVERY == 0, updated, lambda: None, variables)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Sets the variables to their averages in a context, and restores them on exit."""
        with unmoved(self._variables_now()):
            for average, variable in zip(self.averages, self._variables_now(), strict=True):
                variable.assign(ops.copy(average))  # on JAX, `predict` gives the buffers of its variables away
            yield
