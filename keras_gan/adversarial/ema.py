"""Averages of weights over the iterations: what a generator was lately, without the noise of the last steps."""

import contextlib

import keras
from keras import ops

from keras_gan import backend
from keras_gan.adversarial.combined import unmoved
from keras_gan.errors import BadValueError


class Averages(keras.layers.Layer):
    """Exponential moving averages of variables; saved and restored like the weights of any layer.

    Moved in every tenth iteration only, ten times as far: to read and write the 84 million weights of
    DiscoGAN's generators each time would take a tenth of a step.

    Args:
        variables: the list of those that are averaged.
        ema: the share of itself that an average keeps in an iteration.

    Raises:
        BadValueError: unless 0 < ema < 1.
    """

    EVERY = 10

    def __init__(self, variables, ema):
        if not 0 < ema < 1:
            raise BadValueError(f"ema must be at least 0 and below 1, not {ema}.")
        super().__init__(trainable=False, name="averages")
        self.ema = ema
        self.averages = [keras.Variable(ops.copy(variable), trainable=False) for variable in variables]
        self.built = True
        self._of = lambda: variables  # hidden from Keras, which would save them again

    def move(self, iteration):
        """Moves the averages, if it is their turn; far at first, so that the first weights are soon forgotten."""
        count = ops.cast(iteration // self.EVERY, "float32")
        share = 1 - ops.minimum(self.ema**self.EVERY, (1 + count) / (10 + count))

        def moved():
            for average, variable in zip(self.averages, self._of(), strict=True):
                average.assign_sub(ops.cast(share, average.dtype) * (average - variable))

        variables = [*self.averages, *self._of()]
        backend.either(iteration % self.EVERY == 0, moved, lambda: None, variables)

    @contextlib.contextmanager
    def in_use(self):
        """Within it the variables have their averages' values."""
        with unmoved(self._of()):
            for average, variable in zip(self.averages, self._of(), strict=True):
                variable.assign(average)
            yield
