"""3x3 convolutions with 16 multiplications in place of 36, for TensorFlow on a CPU.

Winograd's minimal filtering F(2x2, 3x3): the 2x2 outputs of a tile follow from the 4x4 pixels that
they see by adding and subtracting pixels, multiplying by a 4x4 transform of the kernel, and adding
and subtracting products. Exact but for rounding, which is about that of the plain sum. Lavin and
Gray, 2016 (https://arxiv.org/abs/1509.09308), section 4.1.

The products of all tiles are 16 matrix products. What is added and subtracted around them is
compiled, so that the memory is passed once.
"""

import contextlib
import functools
import sys

import numpy as np
import tensorflow as tf

LEAST_CHANNELS, LEAST_PIXELS = 128, 256  # below, what is saved is less than what the transforms take

compiled = functools.partial(tf.function, jit_compile=True, autograph=False)

KERNEL = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])

training = False


@contextlib.contextmanager
def in_training():
    """While a step of the game is traced: what is used and exported elsewhere has plain convolutions."""
    global training
    training = True
    try:
        yield
    finally:
        training = False


def is_faster(x, kernel):
    """Whether to convolve x (batch, height, width, channels) by a kernel (3, 3, channels, filters) here.

    In half precision the sums would lose too many digits, and the libraries of a GPU do this by
    themselves. TensorFlow compiles on Linux everywhere.
    """
    _, height, width, channels = x.shape
    return (
        training
        and tuple(kernel.shape[:2]) == (3, 3)
        and None not in (height, width)
        and height % 2 == width % 2 == 0
        and (height - 2) * (width - 2) >= LEAST_PIXELS
        and min(channels, kernel.shape[3]) >= LEAST_CHANNELS
        and x.dtype in (tf.float32, tf.float64)
        and sys.platform == "linux"
        and not tf.config.list_physical_devices("GPU")
    )


def conv3x3(x, kernel):
    """A 3x3 convolution without padding, with its gradients.

    Args:
        x: (batch, height, width, channels), height and width even.
        kernel: (3, 3, channels, filters).

    Returns:
        (batch, height - 2, width - 2, filters).
    """
    height, width = x.shape[1] - 2, x.shape[2] - 2

    @tf.custom_gradient
    def convolved(x, kernel):
        taps = transformed(kernel)

        def backwards(above):
            products = tiles_of_gradients(above)
            towards_x = back_from_tiles(x, tf.matmul(products, taps, transpose_b=True))
            # The tiles of x are made again, not kept: there are four times as many pixels in them.
            towards_taps = tf.matmul(tiles(x), products, transpose_a=True)
            return towards_x, transformed(towards_taps, back=True)

        return put_together(tf.matmul(tiles(x), taps), height, width), backwards

    return convolved(x, tf.convert_to_tensor(kernel))


def transformed(kernel, back=False):
    """A kernel (3, 3, channels, filters) as 16 taps (16, channels, filters), or their gradient as the kernel's."""
    matrix = tf.constant(np.kron(KERNEL, KERNEL), kernel.dtype)
    sides = (3, 3) if back else (16,)
    taps = tf.matmul(matrix, tf.reshape(kernel, (-1, np.prod(kernel.shape[-2:]))), transpose_a=back)
    return tf.reshape(taps, (*sides, *kernel.shape[-2:]))


def tiles_of(x):
    """Pixels (batch, height, width, channels), added up for all overlapping 4x4 tiles: (16, tiles, channels)."""
    across, down = x.shape[2] - 2, x.shape[1] - 2

    def combined(a, b, c, d):
        return a - c, b + c, c - b, b - d

    rows = combined(*(x[:, i : i + down : 2] for i in range(4)))
    added = [tile for row in rows for tile in combined(*(row[:, :, i : i + across : 2] for i in range(4)))]
    return tf.stack([tf.reshape(tile, (-1, x.shape[3])) for tile in added])


tiles = compiled(tiles_of)


@compiled
def back_from_tiles(x, above):
    """The gradient of x, where `above` is that of its tiles."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tiles_of(x)
    return tape.gradient(y, x, above)


@compiled
def put_together(products, height, width):
    """Products (16, tiles, filters), added up to (batch, height, width, filters)."""
    filters = products.shape[2]
    products = tf.reshape(products, (4, 4, -1, height // 2, width // 2, filters))

    def combined(p):
        return p[0] + p[1] + p[2], p[1] - p[2] - p[3]

    rows = [tf.stack(combined(row), axis=3) for row in combined(products)]
    return tf.reshape(tf.stack(rows, axis=2), (-1, height, width, filters))


@compiled
def tiles_of_gradients(above):
    """The gradient of the products (16, tiles, filters), where `above` is that of what they are put together to."""
    _, height, width, filters = above.shape
    above = tf.reshape(above, (-1, height // 2, 2, width // 2, 2, filters))

    def spread(a, b):
        return a, a + b, a - b, -b

    rows = spread(above[:, :, 0], above[:, :, 1])
    products = [product for row in rows for product in spread(row[:, :, :, 0], row[:, :, :, 1])]
    return tf.stack([tf.reshape(product, (-1, filters)) for product in products])
