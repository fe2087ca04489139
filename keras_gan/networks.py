"""Networks and layers that more than one model uses."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from keras_gan.errors import BadValueError
from keras_gan.layers import Conv2D, Conv2DTranspose, InstanceNormalization, LeakyReLU


def full() -> str:
    """The dtype of network outputs: full precision, also in mixed precision."""
    return keras.config.floatx()


def unet_depth(height: int, width: int, *, deepest: int, least: int = 8) -> int:
    """The number of times that both sides can be halved, at most `deepest`.

    Raises:
        BadValueError: if it is below three, or a side is below `least`.
    """
    depth = 0
    while depth < deepest and height % 2 ** (depth + 1) == 0 and width % 2 ** (depth + 1) == 0:
        depth += 1
    if depth < 3 or min(height, width) < least:
        near = "x".join(str(max(least, round(side / 8) * 8)) for side in (height, width))
        smallest = f", at least {least}" if least > 8 else ""
        raise BadValueError(
            f"image size {height}x{width} cannot be halved three times: "
            f"its sides must be multiples of 8{smallest}, such as {near}."
        )
    return depth


def plain_norm(x: Any) -> Any:
    """InstanceNorm with PyTorch's defaults: no parameters, epsilon 1e-5."""
    return InstanceNormalization(center=False, scale=False, epsilon=1e-5)(x)


def normal() -> Any:
    """N(0, 0.02), the papers' kernel initializer. A new object each time, so that layers start differently."""
    return keras.initializers.RandomNormal(stddev=0.02)


def patchgan_70(
    shape: tuple, filters: int = 64, norm: Callable[[Any], Any] = plain_norm, name: str | None = None
) -> Any:
    """The 70x70 PatchGAN: (batch, *shape) to one verdict per patch, (batch, H / 8 - 2, W / 8 - 2, 1).

    2,764,737 parameters for 3 channels with `plain_norm` (CycleGAN), which has no parameters; 2,768,705 trainable
    parameters for 6 channels with `batch_norm` (pix2pix). Isola et al., 2017, appendix 6.1.2.
    """

    def conv(x, filters, strides, use_bias=True, dtype=None):
        x = layers.ZeroPadding2D(1)(x)
        return Conv2D(filters, 4, strides, use_bias=use_bias, kernel_initializer=normal(), dtype=dtype)(x)

    img = keras.Input(shape)
    x = LeakyReLU(negative_slope=0.2)(conv(img, filters, 2))
    for multiple, strides in ((2, 2), (4, 2), (8, 1)):
        x = norm(conv(x, filters * multiple, strides, use_bias=norm is plain_norm))
        x = LeakyReLU(negative_slope=0.2)(x)
    return keras.Model(img, conv(x, 1, 1, dtype=full()), name=name)


def torch_uniform() -> Any:
    """PyTorch's default kernel initializer. A new object each time, so that layers start differently."""
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def batch_norm(x: Any) -> Any:
    """BatchNormalization as in PyTorch programs: momentum 0.9 (PyTorch's 0.1), scale initialised from N(1, 0.02)."""
    scale = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=scale)(x)


def halvings(height: int, width: int) -> int:
    """The number of times that the DCGAN networks halve both sides: until one is odd or the smaller is below 8.

    Raises:
        BadValueError: if the sides do not end between 4 and 7, or there are fewer than two halvings.
    """
    n, (h, w) = 0, (height, width)
    while h % 2 == 0 and w % 2 == 0 and min(h, w) >= 8:
        n, h, w = n + 1, h // 2, w // 2
    if n < 2 or max(h, w) > 7 or min(h, w) < 4:
        raise BadValueError(
            f"image size {height}x{width} cannot be halved to sides of 4 to 7: choose 28, 32, 64, 96 or 128."
        )
    return n


def dcgan_generator(code: Any, shape: tuple, filters: int = 64) -> Any:
    """The generator of the DCGAN paper: a code tensor (batch, n) to a tensor (batch, *shape) in [-1, 1].

    Strided transposed convolutions double the sides. BatchNormalization and ReLU after every layer but the last,
    which has tanh. Radford et al., 2016, section 3 and figure 1.
    """
    n = halvings(*shape[:2])
    widths = [filters * 2**i for i in reversed(range(n))]  # 8, 4, 2, 1 x filters at 64x64
    height, width = shape[0] // 2**n, shape[1] // 2**n
    x = layers.Dense(height * width * widths[0], use_bias=False, kernel_initializer=normal())(code)
    x = layers.ReLU()(batch_norm(layers.Reshape((height, width, widths[0]))(x)))
    for wide in widths[1:]:
        x = Conv2DTranspose(wide, 4, 2, "same", use_bias=False, kernel_initializer=normal())(x)
        x = layers.ReLU()(batch_norm(x))
    settings: dict[str, Any] = {"activation": "tanh", "kernel_initializer": normal(), "dtype": full()}
    return Conv2DTranspose(shape[2], 4, 2, "same", **settings)(x)


def dcgan_discriminator(img: Any, filters: int = 64) -> Any:
    """The discriminator of the DCGAN paper: a tensor (batch, height, width, channels) to one logit, (batch, 1).

    Strided convolutions instead of pooling, LeakyReLU, no dense layer. BatchNormalization after every convolution but
    the first and the last. Radford et al., 2016, section 3.
    """
    x = img
    for i in range(halvings(*img.shape[1:3])):
        x = Conv2D(filters * 2**i, 4, 2, "same", use_bias=i == 0, kernel_initializer=normal())(x)
        x = LeakyReLU(negative_slope=0.2)(batch_norm(x) if i else x)
    x = Conv2D(1, x.shape[1:3], padding="valid", kernel_initializer=normal(), dtype=full())(x)
    return layers.Flatten(dtype=full())(x)
