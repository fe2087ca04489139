"""Networks, and parts of networks, that more than one model uses."""

import keras
from keras import layers

from keras_gan.errors import BadValueError
from keras_gan.layers import Conv2D, Conv2DTranspose, InstanceNormalization


def full():
    """The precision of what leaves a network: in mixed precision too it is not half."""
    return keras.config.floatx()


def unet_depth(height, width, deepest, least=8):
    """How often both sides can be halved, `deepest` times at most.

    Raises:
        BadValueError: if that is fewer than three times, or a side is below `least`.
    """
    depth = 0
    while depth < deepest and height % 2 ** (depth + 1) == 0 and width % 2 ** (depth + 1) == 0:
        depth += 1
    if depth < 3 or min(height, width) < least:
        near = "x".join(str(max(least, round(side / 8) * 8)) for side in (height, width))
        smallest = f", at least {least}" if least > 8 else ""
        raise BadValueError(
            f"image size {height}x{width} cannot be halved three times: "
            f"height and width must be multiples of 8{smallest}, such as {near}."
        )
    return depth


def plain_norm(x):
    """InstanceNorm as PyTorch has it by default: no parameters, epsilon 1e-5."""
    return InstanceNormalization(center=False, scale=False, epsilon=1e-5)(x)


def normal():
    """N(0, 0.02), the initialisation of the paper's kernels; a new one, so that no two layers begin alike."""
    return keras.initializers.RandomNormal(stddev=0.02)


def patchgan_70(shape, filters=64, norm=plain_norm, name=None):
    """The 70x70 PatchGAN: (batch, *shape) to a verdict per patch, (batch, H / 8 - 2, W / 8 - 2, 1).

    2,764,737 parameters for 3 channels with the norm of CycleGAN, which has none of its own;
    2,768,705 trainable ones for 6 channels with `batch_norm`, pix2pix' own.
    Isola et al., 2017, appendix 6.1.2.
    """

    def conv(x, filters, strides, use_bias=True, dtype=None):
        x = layers.ZeroPadding2D(1)(x)
        return Conv2D(filters, 4, strides, use_bias=use_bias, kernel_initializer=normal(), dtype=dtype)(x)

    img = keras.Input(shape)
    x = layers.LeakyReLU(negative_slope=0.2)(conv(img, filters, 2))
    for multiple, strides in ((2, 2), (4, 2), (8, 1)):
        x = norm(conv(x, filters * multiple, strides, use_bias=norm is plain_norm))
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    return keras.Model(img, conv(x, 1, 1, dtype=full()), name=name)


def torch_uniform():
    """PyTorch's initialisation of kernels; a new one, so that no two layers start alike."""
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def batch_norm(x):
    """BatchNormalization as PyTorch's programs have it: its momentum of 0.1 is one of 0.9 here; scale N(1, 0.02)."""
    scale = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=scale)(x)


def halvings(height, width):
    """How often both sides can be halved before one is odd or below 4, as the DCGAN networks do.

    Raises:
        BadValueError: if the sides do not come down to 7 or less, or fewer than two halvings are possible.
    """
    n, (h, w) = 0, (height, width)
    while h % 2 == 0 and w % 2 == 0 and min(h, w) >= 8:
        n, h, w = n + 1, h // 2, w // 2
    if n < 2 or max(h, w) > 7 or min(h, w) < 4:
        raise BadValueError(
            f"image size {height}x{width} does not come down to a map of 4 to 7 by halving: "
            "choose 28 or a power of two from 32 up."
        )
    return n


def dcgan_generator(code, shape, filters=64):
    """The generator of the DCGAN paper: a code tensor (batch, n) to a tensor (batch, *shape) in [-1, 1].

    Doublings by strided convolutions; BatchNormalization everywhere but at the output; ReLU, and
    tanh at the end. Radford et al., 2016, section 3 and figure 1.
    """
    n = halvings(*shape[:2])
    widths = [filters * 2**i for i in reversed(range(n))]  # 8, 4, 2, 1 x filters at 64x64
    height, width = shape[0] // 2**n, shape[1] // 2**n
    x = layers.Dense(height * width * widths[0], use_bias=False, kernel_initializer=normal())(code)
    x = layers.ReLU()(batch_norm(layers.Reshape((height, width, widths[0]))(x)))
    for wide in widths[1:]:
        x = Conv2DTranspose(wide, 4, 2, "same", use_bias=False, kernel_initializer=normal())(x)
        x = layers.ReLU()(batch_norm(x))
    settings = {"activation": "tanh", "kernel_initializer": normal(), "dtype": full()}
    return Conv2DTranspose(shape[2], 4, 2, "same", **settings)(x)


def dcgan_discriminator(img, filters=64):
    """The discriminator of the DCGAN paper: a tensor (batch, height, width, channels) to one logit, (batch, 1).

    Strided convolutions in place of pooling; BatchNormalization everywhere but at the input;
    LeakyReLU; no dense layer. Radford et al., 2016, section 3.
    """
    x = img
    for i in range(halvings(*img.shape[1:3])):
        x = Conv2D(filters * 2**i, 4, 2, "same", use_bias=i == 0, kernel_initializer=normal())(x)
        x = layers.LeakyReLU(negative_slope=0.2)(batch_norm(x) if i else x)
    x = Conv2D(1, x.shape[1:3], padding="valid", kernel_initializer=normal(), dtype=full())(x)
    return layers.Flatten(dtype=full())(x)
