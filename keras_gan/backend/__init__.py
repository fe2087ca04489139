"""How one update is differentiated and applied: the only place that knows which framework runs below Keras."""

from importlib import import_module

import keras
from keras import ops

from keras_gan.errors import BadValueError

BACKENDS = ("tensorflow", "jax")


def check():
    """Raises BadValueError if Keras runs on a backend that this package cannot train on."""
    name = keras.backend.backend()
    if name not in BACKENDS:
        raise BadValueError(
            f"Keras runs on {name!r}, keras_gan on {' or '.join(BACKENDS)}: set KERAS_BACKEND to one of them."
        )


def current():
    """The module of the backend that Keras runs on."""
    return import_module(f"keras_gan.backend.{keras.backend.backend()}")


def version():
    """The version of the framework below Keras."""
    return current().version()


def make_deterministic():
    """Has every operation of this process give the same bits each time, at the price of speed on a GPU."""
    current().make_deterministic()


def optimizers(model):
    """What stands for the optimizer of an `AdversarialModel` in `fit()`; None where that needs none."""
    return current().optimizers(model)


def train_step(model, *arguments):
    """What `fit()` compiles and calls: `model.play`, in the form that this backend's `fit()` has it."""
    return current().train_step(model, *arguments)


def play(model, batch):
    """Plays one step of an `AdversarialModel`: discriminators and generators are updated."""
    current().play(model, batch)


def prepare(optimizer):
    """Makes what an update needs beside the optimizer's own slots; call it once those are built."""
    current().prepare(optimizer)


def either(condition, this, that, variables):
    """Does one of two things within a step.

    Args:
        condition: a boolean tensor.
        this, that: functions of no arguments, which return None.
        variables: list of all variables that either reads or assigns.
    """
    current().either(condition, this, that, variables)


def times_taps(x, kernel, transpose=False):
    """Multiplies by each tap of a kernel.

    Args:
        x: (taps or 1, n, channels).
        kernel: (height, width, channels, filters), or with `transpose` (height, width, filters, channels).

    Returns:
        (taps, n, filters), with taps = height * width.
    """
    if keras.backend.backend() == "tensorflow":
        from keras_gan.backend import tensorflow

        return tensorflow.times_taps(x, kernel, transpose)
    kernel = ops.reshape(kernel, (-1, *kernel.shape[2:]))
    return ops.matmul(x, ops.swapaxes(kernel, 1, 2) if transpose else kernel)


def conv3x3(x, kernel):
    """A 3x3 convolution with fewer multiplications, see `keras_gan.backend.winograd`.

    Args:
        x: (batch, height, width, channels).
        kernel: (height, width, channels, filters).

    Returns:
        (batch, height - 2, width - 2, filters), or None where it is not 3x3 or would be no faster.
    """
    if keras.backend.backend() == "tensorflow":
        from keras_gan.backend import winograd

        if winograd.is_faster(x, kernel):
            return winograd.conv3x3(x, kernel)
    return None
