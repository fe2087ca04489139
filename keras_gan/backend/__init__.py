"""How one update is differentiated and applied: the only place that knows which framework runs below Keras."""

import keras
from keras import ops

from keras_gan.errors import BadValueError


def check():
    """Raises BadValueError if Keras runs on a backend that this package cannot train on."""
    name = keras.backend.backend()
    if name != "tensorflow":
        raise BadValueError(f"Keras runs on {name!r}, keras_gan on TensorFlow only: set KERAS_BACKEND=tensorflow.")


def version():
    """The version of the framework below Keras."""
    import tensorflow

    return tensorflow.__version__


def make_deterministic():
    """Has every operation of this process give the same bits each time, at the price of speed on a GPU."""
    import tensorflow

    tensorflow.config.experimental.enable_op_determinism()


def play(model, batch):
    """Plays one step of an `AdversarialModel`: discriminators and generators are updated."""
    from keras_gan.backend import tensorflow

    tensorflow.play(model, batch)


def prepare(optimizer):
    """Makes what an update needs beside the optimizer's own slots; call it once those are built."""
    from keras_gan.backend import tensorflow

    tensorflow.prepare(optimizer)


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


def conv(x, kernel):
    """A convolution without padding, with fewer multiplications or fewer passes over the memory.

    Args:
        x: (batch, height, width, channels).
        kernel: (down, across, channels, filters).

    Returns:
        (batch, height - down + 1, width - across + 1, filters), or None where no way here would be faster.
    """
    if keras.backend.backend() == "tensorflow":
        from keras_gan.backend import narrow, winograd

        for way in (winograd, narrow):
            if way.is_faster(x, kernel):
                return way.conv(x, kernel)
    return None
