"""Keras' convolutions, computed otherwise where that is faster: the same weights, the same results.

Near the bottom of a U-Net the maps have few pixels and the kernels millions of weights. What a
convolution costs there is reading its kernel, and libraries made for large maps read it several
times, rearranged. Here each tap of the kernel, a matrix of channels by filters, is one of a batch
of matrix products, on the weights as they lie in memory; the pixels, which are few, are moved to
where each tap reads or leaves them.
"""

import functools
import math
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_gan import backend

# Which pixels belong together, along one axis: bool (taps, outputs, inputs).


def taps_of_conv(n, kernel_size, strides, padding):
    """Of a convolution of n pixels."""
    if padding == "same":
        outputs = -(-n // strides)
        before = max((outputs - 1) * strides + kernel_size - n, 0) // 2
    else:
        outputs, before = (n - kernel_size) // strides + 1, 0
    tap, output, pixel = np.ogrid[:kernel_size, :outputs, :n]
    return output * strides + tap - before == pixel


def taps_of_transpose(n, kernel_size, strides):
    """Of a transposed convolution with padding "same", n pixels to n * strides."""
    return taps_of_conv(n * strides, kernel_size, strides, "same").swapaxes(1, 2)


def taps_of_upsampling(n, kernel_size):
    """Of nearest upsampling by 2 and a convolution with padding "same" after it."""
    upsampled = taps_of_conv(2 * n, kernel_size, 1, "same")
    return upsampled[:, :, ::2] | upsampled[:, :, 1::2]


@functools.cache
def routes(taps_of, size, kernel_size, *more):
    """Which pixels of a map belong together: float32 0 or 1, (taps, outputs, inputs), both axes of the map joined.

    Args:
        taps_of: one of the functions above.
        size, kernel_size: (height, width) each.
        *more: for each further argument of `taps_of` a pair, for height and width.
    """
    down, across = (taps_of(*axis) for axis in zip(size, kernel_size, *more, strict=True))
    both = down[:, None, :, None, :, None] & across[None, :, None, :, None, :]
    return both.reshape([a * b for a, b in zip(down.shape, across.shape, strict=True)]).astype("float32")


class Plan(NamedTuple):
    """How a convolution goes `by_taps`."""

    routes: np.ndarray  # see `routes`
    multiplies_first: bool  # before the pixels are moved, not after


def plan(layer, size, channels, filters, taps_of, *more):
    """The `Plan` for this layer's convolution of a map of this size, or None where Keras' own way is faster.

    Multiplications by the kernel: those of the pixels on the side where it is applied. Moving the
    pixels takes a multiplication for each route there could be; it may be a quarter of the others.
    """
    if None in size or layer.dilation_rate != (1, 1) or layer.data_format != "channels_last":
        return None
    inputs, outputs = math.prod(size), math.prod(layer.compute_output_shape((None, *size, channels))[1:3])
    work = {  # by whether it multiplies first: by the kernel, and to move
        True: (inputs * channels * filters, inputs * outputs * filters),
        False: (outputs * channels * filters, inputs * outputs * channels),
    }
    first = min(work, key=lambda first: sum(work[first]))
    multiplying, moving = work[first]
    return Plan(routes(taps_of, size, layer.kernel_size, *more), first) if 4 * moving <= multiplying else None


def by_taps(x, kernel, plan, transpose=False):
    """A convolution as one matrix product per tap.

    Args:
        x: (batch, height, width, channels).
        kernel: (kernel height, kernel width, channels, filters), or with `transpose` filters before channels.
        plan: a `Plan`.

    Returns:
        (batch, outputs, filters).
    """
    taps, outputs, inputs = plan.routes.shape
    channels, filters = kernel.shape[:1:-1] if transpose else kernel.shape[2:]
    if plan.multiplies_first:
        x = backend.times_taps(ops.reshape(x, (1, -1, channels)), kernel, transpose)  # (taps, batch * inputs, filters)
        x = ops.transpose(ops.reshape(x, (taps, -1, inputs, filters)), (1, 0, 2, 3))
        routes = ops.cast(plan.routes.swapaxes(0, 1).reshape(outputs, taps * inputs), x.dtype)
        return ops.matmul(routes, ops.reshape(x, (-1, taps * inputs, filters)))
    routes = ops.cast(plan.routes.reshape(taps * outputs, inputs), x.dtype)
    x = ops.matmul(routes, ops.reshape(x, (-1, inputs, channels)))
    x = ops.transpose(ops.reshape(x, (-1, taps, outputs, channels)), (1, 0, 2, 3))
    x = backend.times_taps(ops.reshape(x, (taps, -1, channels)), kernel, transpose)  # (taps, batch * outputs, filters)
    return ops.reshape(ops.sum(x, axis=0), (-1, outputs, filters))


@keras.saving.register_keras_serializable(package="keras_gan")
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, faster on some maps; arguments, weights and results are the same.

    On maps of few pixels it is computed `by_taps`; in training, without strides and padding, 3x3
    and 4x4 kernels between many channels by `keras_gan.backend.tensorflow_winograd`, and those to a few
    filters by `keras_gan.backend.tensorflow_few_filters`.
    """

    def convolution_op(self, inputs, kernel):
        outputs = None
        if self.groups == 1 and self.dilation_rate == (1, 1) and self.data_format == "channels_last":
            outputs = self.faster(inputs, kernel)
        return super().convolution_op(inputs, kernel) if outputs is None else outputs

    def faster(self, inputs, kernel):
        """The convolution, or None where there is no faster way."""
        found, more = None, (self.strides, (self.padding,) * 2)
        if self.padding in ("same", "valid"):
            found = plan(self, inputs.shape[1:3], *kernel.shape[2:], taps_of_conv, *more)
        if found is not None:
            shape = self.compute_output_shape(inputs.shape)
            return ops.reshape(by_taps(inputs, kernel, found), (-1, *shape[1:]))
        if self.strides == (1, 1) and self.padding == "valid":
            return backend.conv(inputs, kernel)
        return None


@keras.saving.register_keras_serializable(package="keras_gan")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`, computed `by_taps` on maps of few pixels, as `Conv2D` is."""

    def call(self, inputs):
        usual = self.output_padding is None and self.dilation_rate == (1, 1) and self.data_format == "channels_last"
        if not usual:
            return super().call(inputs)
        outputs = self.transposed(inputs)
        if self.use_bias:
            outputs = ops.add(outputs, self.bias)
        return self.activation(outputs) if self.activation is not None else outputs

    def transposed(self, inputs):
        (filters, channels), found = self.kernel.shape[2:], None
        if self.padding == "same":
            found = plan(self, inputs.shape[1:3], channels, filters, taps_of_transpose, self.strides)
        if found is None:
            return backend.conv_transpose(inputs, self.kernel, self.strides, self.padding)
        shape = self.compute_output_shape(inputs.shape)
        return ops.reshape(by_taps(inputs, self.kernel, found, transpose=True), (-1, *shape[1:]))


@keras.saving.register_keras_serializable(package="keras_gan")
class UpsampleConv2D(keras.layers.Conv2D):
    """`UpSampling2D(2)` followed by `Conv2D(filters, kernel_size, padding="same")`, in one layer.

    Exactly those two layers, weights included (`get_weights()` of a Conv2D loads here and back),
    with a quarter of the multiplications: `by_taps` on maps of few pixels; on others as a transposed
    convolution, since nearest upsampling is zero insertion followed by a 2x2 box, the box commutes
    with the convolution, and zero insertion followed by a convolution is a transposed convolution.
    With kernels below 3x3, where that is no faster, the layer computes the plain form.

    Args:
        filters, kernel_size: as `keras.layers.Conv2D`.
        **kwargs: as `keras.layers.Conv2D`; strides, padding, dilation and groups are fixed.

    Shapes: (batch, height, width, channels) to (batch, 2 * height, 2 * width, filters). Height and
    width must be known when the layer is built.

    Raises:
        ValueError: for an input whose height or width is not known.
    """

    def __init__(self, filters, kernel_size, **kwargs):
        super().__init__(filters, kernel_size, padding="same", data_format="channels_last", **kwargs)

    def build(self, input_shape):
        if None in input_shape[1:3]:
            raise ValueError(f"UpsampleConv2D needs a fixed height and width, not {tuple(input_shape)}.")
        super().build(input_shape)

    def convolution_op(self, inputs, kernel):
        found = plan(self, inputs.shape[1:3], *kernel.shape[2:], taps_of_upsampling)
        if found is not None:
            shape = self.compute_output_shape(inputs.shape)
            return ops.reshape(by_taps(inputs, kernel, found), (-1, *shape[1:]))
        if min(self.kernel_size) < 3:
            return super().convolution_op(ops.repeat(ops.repeat(inputs, 2, axis=1), 2, axis=2), kernel)
        return self.transposed(inputs, kernel)

    def transposed(self, inputs, kernel):
        """The layer as a transposed convolution and a 2x2 box."""
        height, width = inputs.shape[1:3]
        # One flip over both axes at once: Keras 3.10 flips one, and slicing with steps of -1 is far slower.
        flipped = ops.flip(ops.reshape(kernel, (-1, *kernel.shape[2:])), axis=0)
        flipped = ops.transpose(ops.reshape(flipped, kernel.shape), (0, 1, 3, 2))
        outputs = backend.conv_transpose(inputs, flipped, 2, "valid")
        # "same" pads (k - 1) // 2 before the picture; what the valid transposed convolution has beyond that goes.
        top, left = (k - 2 - (k - 1) // 2 for k in self.kernel_size)
        # (Not written as outputs[:, top:...]: TensorFlow's gradient of that takes six times as long.)
        shape = (ops.shape(outputs)[0], 2 * height + 1, 2 * width + 1, self.filters)
        outputs = ops.slice(outputs, (0, top, left, 0), shape)
        return 4 * ops.average_pool(outputs, 2, strides=1, padding="valid", data_format="channels_last")

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return (batch, 2 * height, 2 * width, self.filters)

    def get_config(self):
        fixed = ("strides", "padding", "data_format", "dilation_rate", "groups")
        return {key: value for key, value in super().get_config().items() if key not in fixed}
