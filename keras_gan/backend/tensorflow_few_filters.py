"""Convolutions of large maps to few filters, the last layers of generators and discriminators, for TensorFlow on a CPU.

Libraries compute many filters at once and waste most of that work on three. Here one matrix product multiplies every
pixel by the weights of all taps, and XLA shifts and sums the results. The input of many channels is read once, without
rearrangement. The kernel's gradient is the reverse product.
"""

from typing import Any

import tensorflow as tf

from keras_gan.backend.tensorflow_gradients import own_gradient
from keras_gan.backend.tensorflow_xla import can_compile, compiled

MOST_FILTERS, LEAST_CHANNELS, LEAST_VALUES = 4, 32, 2**17  # values of a map; below, a library is as fast


def is_faster(x: Any, kernel: Any) -> bool:
    """Whether `conv` is the fastest way to convolve these."""
    _, _, channels, filters = kernel.shape
    return (
        can_compile(x)
        and filters <= MOST_FILTERS
        and channels >= LEAST_CHANNELS
        and x.shape[1] * x.shape[2] * channels >= LEAST_VALUES
        and all(n >= k for n, k in zip(x.shape[1:3], kernel.shape[:2], strict=True))
    )


def conv(x: Any, kernel: Any) -> Any:
    """See `keras_gan.backend.operations.conv`."""
    size, (kh, kw, channels, filters) = x.shape[1:3], kernel.shape

    @own_gradient
    def convolved(x, kernel):
        def backward(upstream):
            x_gradient = tf.nn.conv2d_transpose(upstream, kernel, tf.shape(x), strides=1, padding="VALID")
            taps = tf.matmul(patches(upstream, (kh, kw)), tf.reshape(x, (-1, channels)))
            return x_gradient, tf.transpose(tf.reshape(taps, (kh, kw, filters, channels)), (0, 1, 3, 2))

        taps = tf.reshape(tf.transpose(kernel, (0, 1, 3, 2)), (-1, channels))
        products = tf.matmul(taps, tf.reshape(x, (-1, channels)), transpose_b=True)
        return sum_over_taps(tf.reshape(products, (kh, kw, filters, -1, *size))), backward

    return convolved(x, kernel)


@compiled
def sum_over_taps(products: Any) -> Any:
    """Shifts products (kh, kw, filters, batch, height, width) and sums them: (batch, ..., filters)."""
    kh, kw, *_, height, width = products.shape
    height, width = height - kh + 1, width - kw + 1
    taps = [(i, j) for i in range(kh) for j in range(kw)]
    y = sum(products[i, j, :, :, i : i + height, j : j + width] for i, j in taps)
    return tf.transpose(y, (1, 2, 3, 0))


@compiled
def patches(upstream: Any, taps: tuple[int, int]) -> Any:
    """The gradients of all outputs that read a pixel, for each pixel: (kh * kw * filters, pixels)."""
    (kh, kw), (_, height, width, filters) = taps, upstream.shape
    upstream = tf.transpose(upstream, (3, 0, 1, 2))
    upstream = tf.pad(upstream, [(0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)])
    height, width = height + kh - 1, width + kw - 1
    shifts = [(i, j) for i in reversed(range(kh)) for j in reversed(range(kw))]
    moved = [upstream[:, :, i : i + height, j : j + width] for i, j in shifts]
    return tf.reshape(tf.stack(moved), (kh * kw * filters, -1))
