"""Convolutions of large maps to a few filters, as generators and discriminators end, for TensorFlow on a CPU.

Libraries compute many filters at once and waste most of that on three. Here one matrix product
multiplies every pixel by the weights of all taps, and the results, maps of single numbers, are
moved and added up: the map of many channels is read once, as it lies in memory. The gradient of
the kernel is the product the other way round. What is moved is compiled.
"""

import tensorflow as tf

from keras_gan.backend.tensorflow_xla import compiled, pays_for

MOST_FILTERS, LEAST_CHANNELS, LEAST_VALUES = 4, 32, 2**17  # the values of a map; below, a library is as fast


def is_faster(x, kernel):
    """Whether to convolve x (batch, height, width, channels) by a kernel (down, across, channels, filters) here."""
    _, _, channels, filters = kernel.shape
    return (
        pays_for(x)
        and filters <= MOST_FILTERS
        and channels >= LEAST_CHANNELS
        and x.shape[1] * x.shape[2] * channels >= LEAST_VALUES
        and all(n >= k for n, k in zip(x.shape[1:3], kernel.shape[:2], strict=True))
    )


def conv(x, kernel):
    """A convolution without padding, with its gradients.

    Args:
        x: (batch, height, width, channels).
        kernel: (down, across, channels, filters).

    Returns:
        (batch, height - down + 1, width - across + 1, filters).
    """
    size, (down, across, channels, filters) = x.shape[1:3], kernel.shape

    @tf.custom_gradient
    def convolved(x, kernel):
        def backwards(above):
            towards_x = tf.nn.conv2d_transpose(above, kernel, tf.shape(x), strides=1, padding="VALID")
            taps = tf.matmul(patches(above, (down, across)), tf.reshape(x, (-1, channels)))
            return towards_x, tf.transpose(tf.reshape(taps, (down, across, filters, channels)), (0, 1, 3, 2))

        taps = tf.reshape(tf.transpose(kernel, (0, 1, 3, 2)), (-1, channels))
        products = tf.matmul(taps, tf.reshape(x, (-1, channels)), transpose_b=True)
        return added_up(tf.reshape(products, (down, across, filters, -1, *size))), backwards

    return convolved(x, tf.convert_to_tensor(kernel))


@compiled
def added_up(products):
    """Products (down, across, filters, batch, height, width), added up over the taps to (batch, ..., filters)."""
    down, across, *_, height, width = products.shape
    height, width = height - down + 1, width - across + 1
    taps = [(i, j) for i in range(down) for j in range(across)]
    y = sum(products[i, j, :, :, i : i + height, j : j + width] for i, j in taps)
    return tf.transpose(y, (1, 2, 3, 0))


@compiled
def patches(above, taps):
    """What each pixel of the large map adds to, above (batch, height, width, filters): (taps * filters, pixels)."""
    (down, across), (_, height, width, filters) = taps, above.shape
    above = tf.transpose(above, (3, 0, 1, 2))
    above = tf.pad(above, [(0, 0), (0, 0), (down - 1, down - 1), (across - 1, across - 1)])
    height, width = height + down - 1, width + across - 1
    moved = [above[:, :, i : i + height, j : j + width] for i in reversed(range(down)) for j in reversed(range(across))]
    return tf.reshape(tf.stack(moved), (down * across * filters, -1))
