"""Networks that more than one recipe could use: plain functions that return a `keras.Model`."""

import keras
from keras import layers

from keras_gan.errors import BadValueError
from keras_gan.layers import Conv2D, Conv2DTranspose, InstanceNormalization, ReflectionPadding2D


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


def unet(shape, channels, kernel_size=3, name=None):
    """The pre-activation U-Net of the CycleGAN notebooks: (batch, *shape) to (batch, H, W, channels) in [0, 1].

    Normalisation and activation come before each convolution; three halvings. Where maps are small the layers are
    Keras' own: at 32x32 and batch 32 the faster convolutions gain nothing, and round otherwise.
    """

    def encoder(x, filters, strides=2):
        x = layers.LeakyReLU(negative_slope=0.2)(InstanceNormalization()(x))
        return layers.Conv2D(filters, kernel_size, strides=strides, padding="same")(x)

    def decoder(x, skip, filters, transposed=Conv2DTranspose):
        x = layers.ReLU()(InstanceNormalization()(x))
        x = transposed(filters, kernel_size, strides=2, padding="same")(x)
        return layers.Concatenate()([x, skip])

    img = keras.Input(shape)
    e1 = encoder(img, 32, strides=1)
    e2 = encoder(e1, 64)
    e3 = encoder(e2, 128)
    e4 = encoder(e3, 128)
    d1 = decoder(e4, e3, 128, layers.Conv2DTranspose)
    d2 = decoder(d1, e2, 64)
    d3 = decoder(d2, e1, 64)
    outputs = Conv2DTranspose(channels, kernel_size, padding="same", activation="sigmoid", dtype=full())(d3)
    return keras.Model(img, outputs, name=name)


def unet_discriminator(shape, kernel_size=3, patchgan=True, name=None):
    """The discriminator of the CycleGAN notebooks: (batch, *shape) to (batch, H / 16, W / 16, 1) or (batch, 1)."""
    x = img = keras.Input(shape)
    for filters in (32, 64, 128, 256):
        x = layers.LeakyReLU(negative_slope=0.2)(x)
        x = layers.Conv2D(filters, kernel_size, strides=2, padding="same")(x)
    if patchgan:
        x = layers.LeakyReLU(negative_slope=0.2)(x)
        outputs = layers.Conv2D(1, kernel_size, padding="same", dtype=full())(x)
    else:
        outputs = layers.Dense(1, dtype=full())(layers.Flatten()(x))
    return keras.Model(img, outputs, name=name)


def plain_norm(x):
    """InstanceNorm as PyTorch has it by default: no parameters, epsilon 1e-5."""
    return InstanceNormalization(center=False, scale=False, epsilon=1e-5)(x)


def normal():
    """N(0, 0.02), the initialisation of the paper's kernels; a new one, so that no two layers begin alike."""
    return keras.initializers.RandomNormal(stddev=0.02)


def resnet(shape, channels, blocks=9, filters=64, name=None):
    """The CycleGAN paper's generator: (batch, *shape) to (batch, H, W, channels) in [-1, 1].

    A 7x7 convolution, two halvings, residual blocks at a quarter of the size, two doublings, a 7x7
    convolution. 11,378,179 parameters with 9 blocks, of which the norms have none.
    Zhu et al., 2017, appendix 7.2; Johnson et al., 2016.
    """

    def conv(x, filters, kernel_size, strides=1, padding="valid"):
        return Conv2D(filters, kernel_size, strides, padding, kernel_initializer=normal())(x)

    def down(x, filters):
        # Padding by 1 on all sides, as PyTorch does; "same" would pad (0, 1)
        return layers.ReLU()(plain_norm(conv(layers.ZeroPadding2D(1)(x), filters, 3, strides=2)))

    def residual(x):
        y = layers.ReLU()(plain_norm(conv(ReflectionPadding2D(1)(x), 4 * filters, 3)))
        y = plain_norm(conv(ReflectionPadding2D(1)(y), 4 * filters, 3))
        return layers.Add()([x, y])

    def up(x, filters):
        x = Conv2DTranspose(filters, 3, 2, "same", kernel_initializer=normal())(x)
        return layers.ReLU()(plain_norm(x))

    img = keras.Input(shape)
    x = layers.ReLU()(plain_norm(conv(ReflectionPadding2D(3)(img), filters, 7)))
    x = down(down(x, 2 * filters), 4 * filters)
    for _ in range(blocks):
        x = residual(x)
    x = up(up(x, 2 * filters), filters)
    outputs = layers.Activation("tanh", dtype=full())(conv(ReflectionPadding2D(3)(x), channels, 7))
    return keras.Model(img, outputs, name=name)


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


def batch_norm(x):
    """BatchNormalization as PyTorch's programs have it: its momentum of 0.1 is one of 0.9 here; scale N(1, 0.02)."""
    scale = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=scale)(x)


def paper_convolution():
    """What all convolutions of the DiscoGAN paper's program share: PyTorch's own initialisation, weight decay 1e-5."""
    return {
        "use_bias": False,
        "kernel_initializer": keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform"),
        "kernel_regularizer": keras.regularizers.L2(0.5e-5),  # its gradient: 1e-5 times the weight
    }


def encoder_decoder(shape, filters=64, name=None):
    """The generator of the DiscoGAN paper: (batch, *shape) to the same in [0, 1]; 5,513,856 trainable parameters.

    Four halvings, four doublings, no skips, no biases. Kim et al., 2017, section 3.1.
    """
    img = keras.Input(shape)
    x = Conv2D(filters, 4, 2, "same", **paper_convolution())(img)
    x = layers.LeakyReLU(negative_slope=0.2)(x)
    for multiple in (2, 4, 8):
        x = Conv2D(filters * multiple, 4, 2, "same", **paper_convolution())(x)
        x = layers.LeakyReLU(negative_slope=0.2)(batch_norm(x))
    for multiple in (4, 2, 1):
        x = Conv2DTranspose(filters * multiple, 4, 2, "same", **paper_convolution())(x)
        x = layers.ReLU()(batch_norm(x))
    x = Conv2DTranspose(shape[2], 4, 2, "same", **paper_convolution())(x)
    return keras.Model(img, layers.Activation("sigmoid", dtype=full())(x), name=name)


def feature_discriminator(shape, filters=64, name=None):
    """The discriminator of the DiscoGAN paper: (batch, *shape) to one logit, (batch, 1, 1, 1).

    Its layers `features_1` to `features_3` are those whose features are matched. 2,765,568
    trainable parameters at 64x64x3.
    """
    img = keras.Input(shape)
    x = Conv2D(filters, 4, 2, "same", **paper_convolution())(img)
    x = layers.LeakyReLU(negative_slope=0.2)(x)
    for number, multiple in enumerate((2, 4, 8), 1):
        x = Conv2D(filters * multiple, 4, 2, "same", **paper_convolution())(x)
        x = layers.LeakyReLU(negative_slope=0.2, name=f"features_{number}")(batch_norm(x))
    verdict = Conv2D(1, x.shape[1:3], dtype=full(), **paper_convolution())(x)
    return keras.Model(img, verdict, name=name)


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
