"""How one update is differentiated and applied: the only place that knows which framework runs below Keras."""

import contextlib
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


def device():
    """What the framework computes on, such as "JAX on cpu"."""
    return current().device()


def use_devices(count):
    """Has every model that is built from now on train on several devices, each on its share of a batch.

    Weights are the same on all of them, gradients are added up, and the statistics of BatchNormalization are those of
    the whole batch, so that the result is that of one device. Where the environment names several hosts
    (JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES, JAX_PROCESS_ID), their devices count too.

    Args:
        count: how many, or "all".

    Raises:
        BadValueError: for more than there are, or on TensorFlow for more than one.
    """
    check()
    current().use_devices(count)


def replicas():
    """Over how many devices a batch is divided."""
    distribution = keras.distribution.distribution()
    return distribution.device_mesh.devices.size if distribution else 1


def hosts():
    """(number of this host, number of hosts) of those that train together."""
    return current().hosts()


def agreed(value):
    """A number below 2**32, as the first host has it."""
    return current().agreed(value) if hosts()[1] > 1 else value


def same_on_all_hosts(value):
    """Whether all hosts have the same number below 2**32 here."""
    return current().same_on_all_hosts(value) if hosts()[1] > 1 else True


@contextlib.contextmanager
def undivided():
    """A context in which no batch is divided over devices, so that it may be of any size, and no host waits for others.

    (Keras makes variables for a moment when it saves, which all hosts would have to do.)
    """
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


def make_deterministic():
    """Has every operation of this process give the same bits each time, at the price of speed on a GPU."""
    current().make_deterministic()


def optimizers(model):
    """What stands for the optimizer of an `AdversarialModel` in `fit()`; None where that needs none."""
    return current().optimizers(model)


def as_train_step(play):
    """What `fit()` compiles and calls as `train_step`: `play`, a function of (model, batch), in this backend's form."""
    return current().as_train_step(play)


def update(model, part, forward):
    """One update of the variables that a part of a model trains, down the loss that `forward` computes.

    Args:
        model: the `AdversarialModel`.
        part: one of its compiled models.
        forward: a function that returns (the loss to differentiate, a result). It is called with `pause`: what runs
            within `pause()`, a context, has no part in the gradient.

    Returns:
        The result.
    """
    return current().update(model, part, forward)


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


def conv_transpose(x, kernel, strides, padding):
    """A transposed convolution.

    Args:
        x: (batch, height, width, channels).
        kernel: (down, across, filters, channels).
        strides, padding: as of `keras.ops.conv_transpose`.

    Returns:
        What `keras.ops.conv_transpose` does.
    """
    if keras.backend.backend() == "jax":
        from keras_gan.backend import jax

        return jax.conv_transpose(x, kernel, strides, padding)
    return ops.conv_transpose(x, kernel, strides, padding, data_format="channels_last")


def conv(x, kernel):
    """A convolution without padding, with fewer multiplications or fewer passes over the memory.

    Args:
        x: (batch, height, width, channels).
        kernel: (down, across, channels, filters).

    Returns:
        (batch, height - down + 1, width - across + 1, filters), or None where no way here would be faster.
    """
    if keras.backend.backend() == "tensorflow":
        from keras_gan.backend import tensorflow_few_filters, tensorflow_winograd

        for way in (tensorflow_winograd, tensorflow_few_filters):
            if way.is_faster(x, kernel):
                return way.conv(x, kernel)
    return None
