"""3x3 and 4x4 convolutions with fewer multiplications, for TensorFlow on a CPU.

Winograd's minimal filtering: the 2x2 outputs of a tile follow from the pixels that they see by
adding and subtracting pixels, multiplying by a transform of the kernel, and adding and subtracting
products. 3x3 kernels take 16 multiplications in place of 36, 4x4 kernels 25 in place of 64. Exact
but for rounding, which is about that of the plain sum. Lavin and Gray, 2016
(https://arxiv.org/abs/1509.09308), section 4.1.

The products of all tiles are 16 or 25 matrix products. What is added and subtracted around them is
compiled, so that the memory is passed once.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_gan.backend.tensorflow_xla import compiled, pays_for

LEAST_CHANNELS, LEAST_PIXELS = 128, 256  # below, what is saved is less than what the transforms take


class Filtering(NamedTuple):
    """The sums along one axis, for n = k + 1 products of a tile of n pixels and a kernel of k weights."""

    pixels: np.ndarray  # (n, n)
    weights: np.ndarray  # (n, k)
    outputs: np.ndarray  # (2, n)


def filtering(*points):
    """The `Filtering` that multiplies polynomials by their values at these points and at infinity (Cook and Toom)."""
    n = len(points) + 1
    others = [[b for b in points if b != a] for a in points]
    at = np.vander(points, n, increasing=True)
    scale = [[np.prod(np.subtract(a, rest))] for a, rest in zip(points, others, strict=True)]
    pixels = np.stack([np.append(np.poly(rest)[::-1], 0) for rest in others] + [np.poly(points)[::-1]])
    weights = np.vstack([at[:, : n - 1] / scale, np.eye(n - 1)[-1]])
    outputs = np.vstack([at[:, :2], [0, 1]]).T
    return Filtering(pixels, weights, outputs)


# By kernel size. With the points 0, 1, -1 and 2 the errors of rounding are twice those of these.
FILTERINGS = {3: filtering(0, 1, -1), 4: filtering(0, 0.5, -1, 2)}


def is_faster(x, kernel):
    """Whether to convolve x (batch, height, width, channels) by a kernel (k, k, channels, filters) here."""
    (_, height, width, channels), k = x.shape, kernel.shape[0]
    return (
        pays_for(x)
        and k in FILTERINGS
        and kernel.shape[1] == k
        and min(height, width) >= k
        and (height - k + 1) * (width - k + 1) >= LEAST_PIXELS
        and min(channels, kernel.shape[3]) >= LEAST_CHANNELS
    )


def conv(x, kernel):
    """A convolution without padding, with its gradients.

    Args:
        x: (batch, height, width, channels).
        kernel: (k, k, channels, filters), k 3 or 4.

    Returns:
        (batch, height - k + 1, width - k + 1, filters).
    """
    k = kernel.shape[0]
    height, width = x.shape[1] - k + 1, x.shape[2] - k + 1

    @tf.custom_gradient
    def convolved(x, kernel):
        taps = transformed(kernel, k)

        def backwards(above):
            products = tiles_of_gradients(above, k)
            towards_x = back_from_tiles(x, tf.matmul(products, taps, transpose_b=True), k)
            # The tiles of x are made again, not kept: there are four times as many pixels in them.
            towards_taps = tf.matmul(tiles(x, k), products, transpose_a=True)
            return towards_x, transformed(towards_taps, k, back=True)

        return put_together(tf.matmul(tiles(x, k), taps), k, height, width), backwards

    return convolved(x, tf.convert_to_tensor(kernel))


def transformed(kernel, k, back=False):
    """A kernel (k, k, channels, filters) as its n * n taps (n * n, channels, filters), or `back` for gradients."""
    weights = FILTERINGS[k].weights
    sides = (k, k) if back else (len(weights) ** 2,)
    matrix = tf.constant(np.kron(weights, weights), kernel.dtype)
    taps = tf.matmul(matrix, tf.reshape(kernel, (-1, np.prod(kernel.shape[-2:]))), transpose_a=back)
    return tf.reshape(taps, (*sides, *kernel.shape[-2:]))


def sums(matrix, values):
    """The sums of tensors that the rows of a matrix say."""
    return [sum(factor * value for factor, value in zip(row, values, strict=True) if factor) for row in matrix]


def tiles_of(x, k):
    """Pixels (batch, height, width, channels), added up for all overlapping tiles: (n * n, tiles, channels)."""
    pixels = FILTERINGS[k].pixels
    x = tf.pad(x, [(0, 0), *((0, (size - k + 1) % 2) for size in x.shape[1:3]), (0, 0)])
    down, across = x.shape[1] - k + 1, x.shape[2] - k + 1
    rows = sums(pixels, [x[:, i : i + down : 2] for i in range(k + 1)])
    added = [tile for row in rows for tile in sums(pixels, [row[:, :, i : i + across : 2] for i in range(k + 1)])]
    return tf.stack([tf.reshape(tile, (-1, x.shape[3])) for tile in added])


tiles = compiled(tiles_of)


@compiled
def back_from_tiles(x, above, k):
    """The gradient of x, where `above` is that of its tiles."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tiles_of(x, k)
    return tape.gradient(y, x, above)


@compiled
def put_together(products, k, height, width):
    """Products (n * n, tiles, filters), added up to (batch, height, width, filters)."""
    outputs, filters = FILTERINGS[k].outputs, products.shape[2]
    down, across = -(-height // 2), -(-width // 2)
    products = tf.unstack(tf.reshape(products, (k + 1, k + 1, -1, down, across, filters)))
    rows = [tf.stack(sums(outputs, tf.unstack(row)), axis=3) for row in sums(outputs, products)]
    y = tf.reshape(tf.stack(rows, axis=2), (-1, 2 * down, 2 * across, filters))
    return y[:, :height, :width]


@compiled
def tiles_of_gradients(above, k):
    """The gradient of the products (n * n, tiles, filters), where `above` is that of what they are put together to."""
    spread, (_, height, width, filters) = FILTERINGS[k].outputs.T, above.shape
    above = tf.pad(above, [(0, 0), (0, height % 2), (0, width % 2), (0, 0)])
    above = tf.reshape(above, (-1, -(-height // 2), 2, -(-width // 2), 2, filters))
    rows = sums(spread, tf.unstack(above, axis=2))
    products = [product for row in rows for product in sums(spread, tf.unstack(row, axis=3))]
    return tf.stack([tf.reshape(product, (-1, filters)) for product in products])
