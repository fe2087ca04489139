"""Networks that more than one recipe could use: plain functions that return a `keras.Model`."""

import keras
from keras import layers

from keras_gan.layers import InstanceNormalization, ReflectionPadding2D


def unet(shape, channels, kernel_size=3, name=None):
    """The pre-activation U-Net of the CycleGAN notebooks: (batch, *shape) to (batch, H, W, channels) in [0, 1].

    Normalisation and activation come before each convolution; three halvings.
    """

    def encoder(x, filters, strides=2):
        x = layers.LeakyReLU(negative_slope=0.2)(InstanceNormalization()(x))
        return layers.Conv2D(filters, kernel_size, strides=strides, padding="same")(x)

    def decoder(x, skip, filters):
        x = layers.ReLU()(InstanceNormalization()(x))
        x = layers.Conv2DTranspose(filters, kernel_size, strides=2, padding="same")(x)
        return layers.Concatenate()([x, skip])

    img = keras.Input(shape)
    e1 = encoder(img, 32, strides=1)
    e2 = encoder(e1, 64)
    e3 = encoder(e2, 128)
    e4 = encoder(e3, 128)
    d1 = decoder(e4, e3, 128)
    d2 = decoder(d1, e2, 64)
    d3 = decoder(d2, e1, 64)
    outputs = layers.Conv2DTranspose(channels, kernel_size, padding="same", activation="sigmoid")(d3)
    return keras.Model(img, outputs, name=name)


def unet_discriminator(shape, kernel_size=3, patchgan=True, name=None):
    """The discriminator of the CycleGAN notebooks: (batch, *shape) to (batch, H / 16, W / 16, 1) or (batch, 1)."""
    x = img = keras.Input(shape)
    for filters in (32, 64, 128, 256):
        x = layers.LeakyReLU(negative_slope=0.2)(x)
        x = layers.Conv2D(filters, kernel_size, strides=2, padding="same")(x)
    if patchgan:
        x = layers.LeakyReLU(negative_slope=0.2)(x)
        outputs = layers.Conv2D(1, kernel_size, padding="same")(x)
    else:
        outputs = layers.Dense(1)(layers.Flatten()(x))
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
        return layers.Conv2D(filters, kernel_size, strides, padding, kernel_initializer=normal())(x)

    def down(x, filters):
        # Padding by 1 on all sides, as PyTorch does; "same" would pad (0, 1)
        return layers.ReLU()(plain_norm(conv(layers.ZeroPadding2D(1)(x), filters, 3, strides=2)))

    def residual(x):
        y = layers.ReLU()(plain_norm(conv(ReflectionPadding2D(1)(x), 4 * filters, 3)))
        y = plain_norm(conv(ReflectionPadding2D(1)(y), 4 * filters, 3))
        return layers.Add()([x, y])

    def up(x, filters):
        x = layers.Conv2DTranspose(filters, 3, 2, "same", kernel_initializer=normal())(x)
        return layers.ReLU()(plain_norm(x))

    img = keras.Input(shape)
    x = layers.ReLU()(plain_norm(conv(ReflectionPadding2D(3)(img), filters, 7)))
    x = down(down(x, 2 * filters), 4 * filters)
    for _ in range(blocks):
        x = residual(x)
    x = up(up(x, 2 * filters), filters)
    outputs = layers.Activation("tanh")(conv(ReflectionPadding2D(3)(x), channels, 7))
    return keras.Model(img, outputs, name=name)


def patchgan_70(shape, filters=64, name=None):
    """The 70x70 PatchGAN: (batch, *shape) to a verdict per patch, (batch, H / 8 - 2, W / 8 - 2, 1).

    2,764,737 parameters for 3 channels, of which the norms have none. Isola et al., 2017, appendix 6.1.2.
    """

    def conv(x, filters, strides):
        return layers.Conv2D(filters, 4, strides, kernel_initializer=normal())(layers.ZeroPadding2D(1)(x))

    img = keras.Input(shape)
    x = layers.LeakyReLU(negative_slope=0.2)(conv(img, filters, 2))
    for multiple, strides in ((2, 2), (4, 2), (8, 1)):
        x = layers.LeakyReLU(negative_slope=0.2)(plain_norm(conv(x, filters * multiple, strides)))
    return keras.Model(img, conv(x, 1, 1), name=name)
