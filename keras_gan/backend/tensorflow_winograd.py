"""3x3 and 4x4 convolutions with fewer multiplications, for TensorFlow on a CPU.

Winograd's minimal filtering computes 2x2 outputs per tile: it transforms the pixels of the tile and the kernel by sums
and differences, multiplies them, and transforms the products to outputs. 3x3 kernels take 16 multiplications instead of
36, 4x4 kernels 25 instead of 64. Exact except for rounding errors, which are about as large as those of a plain sum.
Lavin and Gray, 2016 (https://arxiv.org/abs/1509.09308), section 4.1.

The multiplications of all tiles are 16 or 25 matrix products. XLA compiles the transforms, so they read memory once.
"""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gan.backend.tensorflow_gradients import own_gradient
from keras_gan.backend.tensorflow_xla import can_compile, compiled

LEAST_CHANNELS, LEAST_PIXELS = 128, 256  # below, the transforms cost more than they save


class Filtering(NamedTuple):
    """The transforms along one axis, for tiles of n pixels, kernels of k weights and n = k + 1 products."""

    pixels: np.ndarray  # (n, n)
    weights: np.ndarray  # (n, k)
    outputs: np.ndarray  # (2, n)


def filtering(*points: float) -> Filtering:
    """The Toom-Cook transforms that evaluate polynomials at these points and at infinity."""
    n = len(points) + 1
    others = [[b for b in points if b != a] for a in points]
    at = np.vander(points, n, increasing=True)
    scale = [[np.prod(np.subtract(a, rest))] for a, rest in zip(points, others, strict=True)]
    pixels = np.stack([np.append(np.poly(rest)[::-1], 0) for rest in others] + [np.poly(points)[::-1]])
    weights = np.vstack([at[:, : n - 1] / scale, np.eye(n - 1)[-1]])
    outputs = np.vstack([at[:, :2], [0, 1]]).T
    return Filtering(pixels, weights, outputs)


# By kernel size. For 4, the points 0, 1, -1 and 2 would double the rounding errors.
FILTERINGS = {3: filtering(0, 1, -1), 4: filtering(0, 0.5, -1, 2)}


def is_faster(x: Any, kernel: Any) -> bool:
    """Whether `conv` is the fastest way to convolve these."""
    (_, height, width, channels), k = x.shape, kernel.shape[0]
    return (
        can_compile(x)
        and k in FILTERINGS
        and kernel.shape[1] == k
        and min(height, width) >= k
        and (height - k + 1) * (width - k + 1) >= LEAST_PIXELS
        and min(channels, kernel.shape[3]) >= LEAST_CHANNELS
    )


def conv(x: Any, kernel: Any) -> Any:
    """See `keras_gan.backend.operations.conv`. The kernel is 3x3 or 4x4."""
    k = kernel.shape[0]
    height, width = x.shape[1] - k + 1, x.shape[2] - k + 1

    @own_gradient
    def convolved(x, kernel):
        taps = transformed(kernel, k)

        def backward(upstream):
            products = products_gradient(upstream, k)
            x_gradient = tiles_gradient(x, tf.matmul(products, taps, transpose_b=True), k)
            # The tiles of x are computed again, not kept: they have four times as many pixels as x.
            taps_gradient = tf.matmul(tiles(x, k), products, transpose_a=True)
            return x_gradient, transformed(taps_gradient, k, back=True)

        return outputs_of(tf.matmul(tiles(x, k), taps), k, height, width), backward

    return convolved(x, kernel)


def transformed(kernel: Any, k: int, back: bool = False) -> Any:
    """Transforms a kernel (k, k, channels, filters) to taps (n * n, channels, filters); `back`: gradients, reversed."""
    weights = FILTERINGS[k].weights
    sides = (k, k) if back else (len(weights) ** 2,)
    matrix = tf.constant(np.kron(weights, weights), kernel.dtype)
    taps = tf.matmul(matrix, tf.reshape(kernel, (-1, np.prod(kernel.shape[-2:]))), transpose_a=back)
    return tf.reshape(taps, (*sides, *kernel.shape[-2:]))


def sums(matrix: np.ndarray, values: list[Any]) -> list[Any]:
    """The product of a matrix and a list of tensors; factors of 0 are skipped."""
    return [sum(factor * value for factor, value in zip(row, values, strict=True) if factor) for row in matrix]


def tiles_of(x: Any, k: int) -> Any:
    """Transforms pixels (batch, height, width, channels) to overlapping tiles (n * n, tiles, channels)."""
    pixels = FILTERINGS[k].pixels
    x = tf.pad(x, [(0, 0), *((0, (size - k + 1) % 2) for size in x.shape[1:3]), (0, 0)])
    down, across = x.shape[1] - k + 1, x.shape[2] - k + 1
    rows = sums(pixels, [x[:, i : i + down : 2] for i in range(k + 1)])
    found = [tile for row in rows for tile in sums(pixels, [row[:, :, i : i + across : 2] for i in range(k + 1)])]
    return tf.stack([tf.reshape(tile, (-1, x.shape[3])) for tile in found])


tiles = compiled(tiles_of)


@compiled
def tiles_gradient(x: Any, upstream: Any, k: int) -> Any:
    """The gradient of x, from the gradient of its tiles (`upstream`)."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tiles_of(x, k)
    return tape.gradient(y, x, upstream)


@compiled
def outputs_of(products: Any, k: int, height: int, width: int) -> Any:
    """Transforms products (n * n, tiles, filters) to outputs (batch, height, width, filters)."""
    outputs, filters = FILTERINGS[k].outputs, products.shape[2]
    down, across = -(-height // 2), -(-width // 2)
    products = tf.unstack(tf.reshape(products, (k + 1, k + 1, -1, down, across, filters)))
    rows = [tf.stack(sums(outputs, tf.unstack(row)), axis=3) for row in sums(outputs, products)]
    y = tf.reshape(tf.stack(rows, axis=2), (-1, 2 * down, 2 * across, filters))
    return y[:, :height, :width]


@compiled
def products_gradient(upstream: Any, k: int) -> Any:
    """The gradient of the products (n * n, tiles, filters), from the gradient of the outputs (`upstream`)."""
    spread, (_, height, width, filters) = FILTERINGS[k].outputs.T, upstream.shape
    upstream = tf.pad(upstream, [(0, 0), (0, height % 2), (0, width % 2), (0, 0)])
    upstream = tf.reshape(upstream, (-1, -(-height // 2), 2, -(-width // 2), 2, filters))
    rows = sums(spread, tf.unstack(upstream, axis=2))
    products = [product for row in rows for product in sums(spread, tf.unstack(row, axis=3))]
    return tf.stack([tf.reshape(product, (-1, filters)) for product in products])
