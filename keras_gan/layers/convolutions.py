"""Keras' convolutions with faster algorithms: same weights, same results.

Near the bottom of a U-Net the maps have few pixels and the kernels have millions of weights. Reading the kernel then
dominates the cost, and libraries for large maps read it several times, rearranged. Here each tap of the kernel, a
matrix (channels, filters), is one of a batch of matrix products. The weights stay where they are in memory; the few
pixels are moved to where each tap reads or writes them.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_gan.backend import operations
from keras_gan.backend.operations import times_taps

# `taps_of_...`: which input pixels each tap reads for each output pixel, along one axis; bool (taps, outputs, inputs).


def taps_of_conv(n: int, kernel_size: int, strides: int, padding: str) -> np.ndarray:
    """For a convolution of n pixels."""
    if padding == "same":
        outputs = -(-n // strides)
        before = max((outputs - 1) * strides + kernel_size - n, 0) // 2
    else:
        outputs, before = (n - kernel_size) // strides + 1, 0
    tap, output, pixel = np.ogrid[:kernel_size, :outputs, :n]
    return output * strides + tap - before == pixel


def taps_of_transpose(n: int, kernel_size: int, strides: int) -> np.ndarray:
    """For a transposed convolution with padding "same", n pixels to n * strides."""
    return taps_of_conv(n * strides, kernel_size, strides, "same").swapaxes(1, 2)


def taps_of_upsampling(n: int, kernel_size: int) -> np.ndarray:
    """For nearest upsampling of n pixels by 2, then a convolution with padding "same"."""
    upsampled = taps_of_conv(2 * n, kernel_size, 1, "same")
    return upsampled[:, :, ::2] | upsampled[:, :, 1::2]


@functools.cache
def routes(taps_of: Callable[..., np.ndarray], size: tuple, kernel_size: tuple, *more: tuple) -> np.ndarray:
    """Combines `taps_of` for both axes of a map: float32 0 or 1, (taps, outputs, inputs), each axis flattened.

    Args:
        taps_of: one of the functions above.
        size, kernel_size: (height, width) each.
        *more: a pair for height and width for each further argument of `taps_of`.
    """
    down, across = (taps_of(*axis) for axis in zip(size, kernel_size, *more, strict=True))
    both = down[:, None, :, None, :, None] & across[None, :, None, :, None, :]
    return both.reshape([a * b for a, b in zip(down.shape, across.shape, strict=True)]).astype("float32")


class Plan(NamedTuple):
    """How to compute a convolution `by_taps`."""

    routes: np.ndarray  # see `routes`
    multiplies_first: bool  # multiply by the kernel before moving the pixels, not after
    size: tuple[int, int]  # (height, width) of the output


def plan(layer: Any, x: Any, channels: int, filters: int, taps_of: Callable, *more: Any) -> Plan | None:
    """The `Plan` for a layer's convolution of x; None where Keras' own convolution is faster.

    Moving pixels takes one multiplication per possible route, and may take a quarter of those by the kernel. On a GPU
    memory counts, too: the pixels that a tap moves may be a quarter of its kernel.
    """
    batch, *size = x.shape[:3]
    if None in size or layer.dilation_rate != (1, 1) or layer.data_format != "channels_last":
        return None
    output_size = layer.compute_output_shape((None, *size, channels))[1:3]
    inputs, outputs = math.prod(size), math.prod(output_size)
    work = {  # by `multiplies_first`: multiplications by the kernel, and to move pixels
        True: (inputs * channels * filters, inputs * outputs * filters),
        False: (outputs * channels * filters, inputs * outputs * channels),
    }
    first = min(work, key=lambda first: sum(work[first]))
    multiplying, moving = work[first]
    moved = inputs * filters if first else outputs * channels  # by each tap
    if isinstance(batch, int):
        moved *= batch
    if 4 * moving > multiplying or (operations.on_gpu() and 4 * moved > channels * filters):
        return None
    return Plan(routes(taps_of, tuple(size), layer.kernel_size, *more), first, output_size)


def by_taps(x: Any, kernel: Any, plan: Plan, transpose: bool = False) -> Any:
    """Computes a convolution as one matrix product per tap.

    Args:
        x: (batch, height, width, channels).
        kernel: (kernel height, kernel width, channels, filters), or with `transpose` filters before channels.
        plan: a `Plan`.

    Returns:
        (batch, output height, output width, filters).
    """
    taps, outputs, inputs = plan.routes.shape
    channels, filters = kernel.shape[:1:-1] if transpose else kernel.shape[2:]
    if plan.multiplies_first:
        x = times_taps(ops.reshape(x, (1, -1, channels)), kernel, transpose)  # (taps, batch * inputs, filters)
        x = ops.transpose(ops.reshape(x, (taps, -1, inputs, filters)), (1, 0, 2, 3))
        routes = ops.cast(plan.routes.swapaxes(0, 1).reshape(outputs, taps * inputs), x.dtype)
        x = ops.matmul(routes, ops.reshape(x, (-1, taps * inputs, filters)))
        return ops.reshape(x, (-1, *plan.size, filters))
    routes = ops.cast(plan.routes.reshape(taps * outputs, inputs), x.dtype)
    x = ops.matmul(routes, ops.reshape(x, (-1, inputs, channels)))
    x = ops.transpose(ops.reshape(x, (-1, taps, outputs, channels)), (1, 0, 2, 3))
    x = times_taps(ops.reshape(x, (taps, -1, channels)), kernel, transpose)  # (taps, batch * outputs, filters)
    return ops.reshape(ops.sum(x, axis=0), (-1, *plan.size, filters))


@keras.saving.register_keras_serializable(package="keras_gan")
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, faster on some maps, with the same arguments, weights and results.

    Maps of few pixels are computed `by_taps`. In training, without strides or padding, 3x3 and 4x4 kernels with many
    channels use `keras_gan.backend.tensorflow_winograd`, and few filters `keras_gan.backend.tensorflow_few_filters`.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        outputs = None
        if self.groups == 1 and self.dilation_rate == (1, 1) and self.data_format == "channels_last":
            outputs = self.faster(inputs, kernel)
        return super().convolution_op(inputs, kernel) if outputs is None else outputs

    def faster(self, inputs: Any, kernel: Any) -> Any:
        """The convolution; None if no faster algorithm applies."""
        found, more = None, (self.strides, (self.padding,) * 2)
        if self.padding in ("same", "valid"):
            found = plan(self, inputs, *kernel.shape[2:], taps_of_conv, *more)
        if found is not None:
            return by_taps(inputs, kernel, found)
        return operations.conv(inputs, kernel) if self.strides == (1, 1) and self.padding == "valid" else None


@keras.saving.register_keras_serializable(package="keras_gan")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`, computed `by_taps` on maps of few pixels like `Conv2D`."""

    def call(self, inputs: Any) -> Any:
        usual = self.output_padding is None and self.dilation_rate == (1, 1) and self.data_format == "channels_last"
        if not usual:
            return super().call(inputs)
        outputs = self.transposed(inputs)
        if self.use_bias:
            outputs = ops.add(outputs, self.bias)
        return self.activation(outputs) if self.activation is not None else outputs

    def transposed(self, inputs: Any) -> Any:
        """The transposed convolution without bias and activation."""
        (filters, channels), found = self.kernel.shape[2:], None
        if self.padding == "same":
            found = plan(self, inputs, channels, filters, taps_of_transpose, self.strides)
        if found is None:
            return operations.conv_transpose(inputs, self.kernel, self.strides, self.padding)
        return by_taps(inputs, self.kernel, found, transpose=True)


@keras.saving.register_keras_serializable(package="keras_gan")
class UpsampleConv2D(keras.layers.Conv2D):
    """`UpSampling2D(2)` followed by `Conv2D(filters, kernel_size, padding="same")`, in one layer.

    It has the results and weights of these two layers (weights can be exchanged with the Conv2D) with a quarter of the
    multiplications. Maps of few pixels are computed `by_taps`, others as a transposed convolution: nearest upsampling
    is zero insertion followed by a 2x2 box filter; the filter commutes with the convolution; zero insertion followed by
    a convolution is a transposed convolution. Kernels below 3x3 gain nothing and use the plain form.

    Args:
        filters, kernel_size: as `keras.layers.Conv2D`.
        **kwargs: as `keras.layers.Conv2D`; strides, padding, dilation and groups are fixed.

    Shapes: (batch, height, width, channels) to (batch, 2 * height, 2 * width, filters).

    Raises:
        ValueError: if height or width is unknown when the layer is built.
    """

    def __init__(self, filters: int, kernel_size: int | tuple[int, int], **kwargs: Any):
        super().__init__(filters, kernel_size, padding="same", data_format="channels_last", **kwargs)

    def build(self, input_shape: Any) -> None:
        if None in input_shape[1:3]:
            raise ValueError(f"UpsampleConv2D needs a fixed height and width, not {tuple(input_shape)}.")
        super().build(input_shape)

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        found = plan(self, inputs, *kernel.shape[2:], taps_of_upsampling)
        if found is not None:
            return by_taps(inputs, kernel, found)
        if min(self.kernel_size) < 3:
            return super().convolution_op(ops.repeat(ops.repeat(inputs, 2, axis=1), 2, axis=2), kernel)
        return self.transposed(inputs, kernel)

    def transposed(self, inputs: Any, kernel: Any) -> Any:
        """The layer as a transposed convolution and a 2x2 box filter."""
        height, width = inputs.shape[1:3]
        # One flip of the joined axes: Keras 3.10 flips only one axis, and slicing with step -1 is far slower.
        flipped = ops.flip(ops.reshape(kernel, (-1, *kernel.shape[2:])), axis=0)
        flipped = ops.transpose(ops.reshape(flipped, kernel.shape), (0, 1, 3, 2))
        outputs = operations.conv_transpose(inputs, flipped, 2, "valid")
        # Crop: "same" pads only (k - 1) // 2 before the picture, the valid transposed convolution has more.
        top, left = (k - 2 - (k - 1) // 2 for k in self.kernel_size)
        # Not outputs[:, top:...]: its gradient in TensorFlow takes six times as long.
        shape = (ops.shape(outputs)[0], 2 * height + 1, 2 * width + 1, self.filters)
        outputs = ops.slice(outputs, (0, top, left, 0), shape)
        return 4 * ops.average_pool(outputs, 2, strides=1, padding="valid", data_format="channels_last")

    def compute_output_shape(self, input_shape: Any) -> tuple:
        batch, height, width, _ = input_shape
        return (batch, 2 * height, 2 * width, self.filters)

    def get_config(self) -> dict[str, Any]:
        fixed = ("strides", "padding", "data_format", "dilation_rate", "groups")
        return {key: value for key, value in super().get_config().items() if key not in fixed}
