"""Networks and layers that more than one model uses."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from keras_gan.errors import BadValueError, check_sides
from keras_gan.layers import Conv2D, Conv2DTranspose, InstanceNormalization, LeakyReLU, ReflectionPadding2D

Norm = Callable[[Any], Any]
Start = Callable[[], Any]  # makes a kernel initializer


def full() -> str:
    """The dtype of network outputs: full precision, also in mixed precision."""
    return keras.config.floatx()


def unet_depth(height: int, width: int, *, deepest: int) -> int:
    """The number of times that both sides can be halved, at most `deepest`; BadValueError if it is below three."""
    check_sides(height, width, multiple=8)
    depth = 3
    while depth < deepest and height % 2 ** (depth + 1) == 0 and width % 2 ** (depth + 1) == 0:
        depth += 1
    return depth


def plain_norm(x: Any) -> Any:
    """InstanceNorm with PyTorch's defaults: no parameters, epsilon 1e-5."""
    return InstanceNormalization(center=False, scale=False, epsilon=1e-5)(x)


def affine_norm(x: Any) -> Any:
    """The same with scale and offset."""
    return InstanceNormalization(epsilon=1e-5)(x)


def normal() -> Any:
    """N(0, 0.02), the papers' kernel initializer. A new object each time, so that layers start differently."""
    return keras.initializers.RandomNormal(stddev=0.02)


def xavier() -> Any:
    """Xavier's normal distribution times 0.02, with which the program of CUT starts. Pictures start gray with it."""
    return keras.initializers.VarianceScaling(0.02**2, "fan_avg", "untruncated_normal")


def patchgan_70(
    shape: tuple, filters: int = 64, norm: Norm = plain_norm, name: str | None = None, start: Start = normal
) -> Any:
    """The 70x70 PatchGAN: (batch, *shape) to one verdict per patch, (batch, H / 8 - 2, W / 8 - 2, 1).

    2,764,737 parameters for 3 channels with `plain_norm` (CycleGAN), which has no parameters; 2,768,705 trainable
    parameters for 6 channels with `batch_norm` (pix2pix). Isola et al., 2017, appendix 6.1.2.
    """

    def conv(x, filters, strides, use_bias=True, dtype=None):
        x = layers.ZeroPadding2D(1)(x)
        return Conv2D(filters, 4, strides, use_bias=use_bias, kernel_initializer=start(), dtype=dtype)(x)

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


def no_norm(x: Any) -> Any:
    return x


#: As pix2pix' and CycleGAN's authors have them. Convolutions before "instance" have a bias, others none, as there.
NORMS = {"instance": plain_norm, "batch": batch_norm, "none": no_norm}


def unet(
    shape: tuple,
    channels: int,
    filters: int = 64,
    norm: Norm = plain_norm,
    dropout: bool = False,
    name: str | None = None,
) -> Any:
    """The U-Net of pix2pix: (batch, *shape) to (batch, height, width, channels) in [-1, 1].

    Up to eight halvings, as many as the sides allow, and as many doublings; 54,413,955 parameters at 256x256x3 with
    `batch_norm`. Isola et al., 2017, appendix 6.1.1.

    Args:
        shape: (height, width, channels) of its inputs; the sides are multiples of 8.
        channels: of its outputs.
        filters: in the first layer.
        norm: a function of a tensor, see `NORMS`.
        dropout: whether the first three doublings have dropout, the paper's noise.
        name: of the network.

    Raises:
        BadValueError: for other sides.
    """
    biased, depth = norm is plain_norm, unet_depth(*shape[:2], deepest=8)

    def conv2d(x, filters, normalization=True):
        """Layers used during downsampling"""
        x = Conv2D(filters, 4, 2, "same", use_bias=biased, kernel_initializer=normal())(x)
        return norm(x) if normalization else x

    def deconv2d(x, skip, filters, dropout):
        """Layers used during upsampling"""
        x = layers.ReLU()(x)
        x = norm(Conv2DTranspose(filters, 4, 2, "same", use_bias=biased, kernel_initializer=normal())(x))
        if dropout:
            x = layers.Dropout(0.5)(x)
        return layers.Concatenate()([x, skip])

    img = keras.Input(shape)
    widths = [filters * multiple for multiple in (1, 2, 4, 8, 8, 8, 8, 8)[:depth]]

    # Downsampling; no norm on the first map, nor on the innermost, where a norm of 1x1 maps would return 0
    x = conv2d(img, widths[0], normalization=False)
    skips = [x]
    for level, width in enumerate(widths[1:], 2):
        x = conv2d(LeakyReLU(negative_slope=0.2)(x), width, normalization=level < depth)
        skips.append(x)

    # Upsampling, each level concatenated with the encoder's map of the same size
    skips.pop()
    for number, width in enumerate(reversed(widths[:-1])):
        x = deconv2d(x, skips.pop(), width, dropout=dropout and number < 3)

    x = Conv2DTranspose(channels, 4, 2, "same", kernel_initializer=normal())(layers.ReLU()(x))
    return keras.Model(img, layers.Activation("tanh", dtype=full())(x), name=name)


def resnet(
    shape: tuple,
    channels: int,
    filters: int = 64,
    norm: Norm = plain_norm,
    dropout: bool = False,
    name: str | None = None,
    blocks: int | None = None,
    start: Start = normal,
) -> Any:
    """The ResNet of CycleGAN: (batch, *shape) to (batch, height, width, channels) in [-1, 1].

    A 7x7 convolution, two halvings, residual blocks at a quarter of the size, two doublings, a 7x7 convolution.
    11,378,179 parameters with nine blocks and `plain_norm`. Zhu et al., 2017, appendix 7.2.

    Args:
        shape: (height, width, channels) of its inputs; the sides are multiples of 4.
        channels, filters, norm, name: see `unet`.
        dropout: whether each block has dropout, as in the authors' pix2pix.
        blocks: number of residual blocks; None: see `resnet_blocks`.
        start: makes the kernels' initializer.
    """
    biased = norm is plain_norm

    def conv(x, filters, kernel_size, strides=1, bias=biased):
        return Conv2D(filters, kernel_size, strides, "valid", use_bias=bias, kernel_initializer=start())(x)

    def down(x, filters):
        # Padding by 1 on all sides, as in PyTorch; "same" would pad (0, 1)
        return layers.ReLU()(norm(conv(layers.ZeroPadding2D(1)(x), filters, 3, strides=2)))

    def residual(x):
        y = layers.ReLU()(norm(conv(ReflectionPadding2D(1)(x), 4 * filters, 3)))
        if dropout:
            y = layers.Dropout(0.5)(y)
        y = norm(conv(ReflectionPadding2D(1)(y), 4 * filters, 3))
        return layers.Add()([x, y])

    def up(x, filters):
        x = Conv2DTranspose(filters, 3, 2, "same", use_bias=biased, kernel_initializer=start())(x)
        return layers.ReLU()(norm(x))

    img = keras.Input(shape)
    x = layers.ReLU()(norm(conv(ReflectionPadding2D(3)(img), filters, 7)))
    x = down(down(x, 2 * filters), 4 * filters)
    for _ in range(resnet_blocks(*shape[:2]) if blocks is None else blocks):
        x = residual(x)
    x = up(up(x, 2 * filters), filters)
    x = conv(ReflectionPadding2D(3)(x), channels, 7, bias=True)
    return keras.Model(img, layers.Activation("tanh", dtype=full())(x), name=name)


def resnet_encoder(generator: Any) -> Any:
    """The first half of a `resnet`, with its layers: pictures to the five feature maps that CUT compares.

    The padded picture, what both strided convolutions return (before the norm), and the results of the first and the
    fifth residual block. Park et al., 2020, appendix C.2.
    """

    kinds = ReflectionPadding2D, layers.Conv2D, layers.Add
    paddings, convs, sums = ([layer for layer in generator.layers if isinstance(layer, kind)] for kind in kinds)
    chosen = [paddings[0], *[conv for conv in convs if conv.strides == (2, 2)], sums[0], sums[4]]
    return keras.Model(generator.input, [layer.output for layer in chosen], name="encoder")


GENERATORS = {"unet": unet, "resnet": resnet}


def resnet_blocks(height: int, width: int) -> int:
    """The number of residual blocks of CycleGAN's ResNet: nine from 256x256 up, else six."""
    return 9 if min(height, width) >= 256 else 6


def halvings(height: int, width: int) -> int:
    """The number of times that the DCGAN networks halve both sides: until one is odd or the smaller is below 8.

    Raises BadValueError if the sides do not end between 4 and 7, or there are fewer than two halvings.
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

    Strided transposed convolutions; BatchNormalization and ReLU after all layers but the last, which has tanh. Radford
    et al., 2016, section 3 and figure 1.
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


def layer_norm(x: Any) -> Any:
    """Normalises each picture over all its values, with a scale and an offset for each channel."""
    return layers.GroupNormalization(groups=1, epsilon=1e-5)(x)


#: Of `dcgan_discriminator`: the paper's, that of WGAN-GP (Gulrajani et al., 2017, section 4), and none.
D_NORMS = {"batch": batch_norm, "layer": layer_norm, "none": no_norm}


def dcgan_discriminator(img: Any, filters: int = 64, norm: Norm = batch_norm) -> Any:
    """The discriminator of the DCGAN paper: a tensor (batch, height, width, channels) to one logit, (batch, 1).

    Strided convolutions, LeakyReLU, no dense layer; a norm after all but the first and the last. Radford et al., 2016.
    """
    x = img
    for i in range(halvings(*img.shape[1:3])):
        biased = i == 0 or norm is no_norm
        x = Conv2D(filters * 2**i, 4, 2, "same", use_bias=biased, kernel_initializer=normal())(x)
        x = LeakyReLU(negative_slope=0.2)(norm(x) if i else x)
    x = Conv2D(1, x.shape[1:3], padding="valid", kernel_initializer=normal(), dtype=full())(x)
    return layers.Flatten(dtype=full())(x)
