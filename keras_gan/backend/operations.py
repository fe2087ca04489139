"""What layers compute faster than `keras.ops`: the form that pays depends on the backend."""

from typing import Any

import keras
from keras import ops


def times_taps(x: Any, kernel: Any, transpose: bool = False) -> Any:
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
    if on_gpu():  # XLA would rearrange the kernel, and later its gradient, to multiply all taps by the same x
        x = ops.broadcast_to(x, (kernel.shape[0], *x.shape[1:]))
    return ops.matmul(x, ops.swapaxes(kernel, 1, 2) if transpose else kernel)


def on_gpu() -> bool:
    """Whether JAX compiles for something other than a CPU. TensorFlow has forms of its own."""
    if keras.backend.backend() != "jax":
        return False
    import jax

    return jax.default_backend() != "cpu"


def leaky_relu(x: Any, slope: float) -> Any:
    """`keras.ops.leaky_relu`, in a form that TensorFlow can fuse with the convolution before it."""
    if keras.backend.backend() == "tensorflow":
        from keras_gan.backend import tensorflow

        return tensorflow.leaky_relu(x, slope)
    return ops.leaky_relu(x, slope)


def conv_transpose(x: Any, kernel: Any, strides: int | tuple[int, int], padding: str) -> Any:
    """`keras.ops.conv_transpose` for channels last, with a faster gradient on JAX.

    Args:
        x: (batch, height, width, channels).
        kernel: (kh, kw, filters, channels).
        strides, padding: as in `keras.ops.conv_transpose`.
    """
    if keras.backend.backend() == "jax":
        from keras_gan.backend import jax

        return jax.conv_transpose(x, kernel, strides, padding)
    return ops.conv_transpose(x, kernel, strides, padding, data_format="channels_last")


def conv(x: Any, kernel: Any) -> Any:
    """A convolution without padding, with fewer multiplications or less memory traffic.

    Args:
        x: (batch, height, width, channels).
        kernel: (kh, kw, channels, filters).

    Returns:
        (batch, height - kh + 1, width - kw + 1, filters), or None if no algorithm here is faster.
    """
    if keras.backend.backend() == "tensorflow":
        from keras_gan.backend import tensorflow_few_filters, tensorflow_winograd

        for algorithm in (tensorflow_winograd, tensorflow_few_filters):
            if algorithm.is_faster(x, kernel):
                return algorithm.conv(x, kernel)
    return None
