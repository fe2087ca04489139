"""The networks as Keras programs write them, with Keras' own layers: for Keras 2 and for Keras 3.

Layers and parameters are the same as in keras_gan. One exception: DiscoGAN has the posts' norm on its innermost map.
"""

import keras
import tensorflow as tf
from keras import layers

if keras.__version__.startswith("2."):
    import tensorflow_addons as tfa

    InstanceNormalization = tfa.layers.InstanceNormalization
else:

    def InstanceNormalization(epsilon=1e-3, **options):  # noqa: N802
        return layers.GroupNormalization(groups=-1, epsilon=epsilon, **options)


def normal():
    return keras.initializers.RandomNormal(stddev=0.02)


def plain_norm(x):
    return InstanceNormalization(center=False, scale=False, epsilon=1e-5)(x)


def batch_norm(x):
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


def discogan_generator(shape, filters):
    img = x = keras.Input(shape)
    widths = [filters * multiple for multiple in (1, 2, 4, 8, 8, 8, 8)]
    widths = widths[: min(7, shape[0].bit_length() - 1)]
    skips = []
    for level, width in enumerate(widths):
        x = layers.Conv2D(width, 4, 2, "same")(x)
        x = layers.LeakyReLU(0.2)(x)
        if level:
            x = InstanceNormalization()(x)
        skips.append(x)
    skips.pop()
    for width in reversed(widths[:-1]):
        x = layers.UpSampling2D(2)(x)
        x = layers.Conv2D(width, 4, 1, "same", activation="relu")(x)
        x = InstanceNormalization()(x)
        x = layers.Concatenate()([x, skips.pop()])
    x = layers.UpSampling2D(2)(x)
    return keras.Model(img, layers.Conv2D(shape[2], 4, 1, "same", activation="tanh")(x))


def discogan_discriminator(shape, filters):
    img = x = keras.Input(shape)
    for level, multiple in enumerate((1, 2, 4, 8)):
        x = layers.Conv2D(filters * multiple, 4, 2, "same")(x)
        x = layers.LeakyReLU(0.2)(x)
        if level:
            x = InstanceNormalization()(x)
    return keras.Model(img, layers.Conv2D(1, 4, 1, "same")(x))


def unet(shape, channels):
    """The generator of the CycleGAN notebooks."""
    img = x = keras.Input(shape)
    skips = []
    for filters, strides in ((32, 1), (64, 2), (128, 2), (128, 2)):
        x = layers.LeakyReLU(0.2)(InstanceNormalization()(x))
        x = layers.Conv2D(filters, 3, strides, "same")(x)
        skips.append(x)
    skips.pop()
    for filters in (128, 64, 64):
        x = layers.ReLU()(InstanceNormalization()(x))
        x = layers.Conv2DTranspose(filters, 3, 2, "same")(x)
        x = layers.Concatenate()([x, skips.pop()])
    return keras.Model(img, layers.Conv2DTranspose(channels, 3, padding="same", activation="sigmoid")(x))


def unet_discriminator(shape):
    img = x = keras.Input(shape)
    for filters in (32, 64, 128, 256):
        x = layers.LeakyReLU(0.2)(x)
        x = layers.Conv2D(filters, 3, 2, "same")(x)
    x = layers.LeakyReLU(0.2)(x)
    return keras.Model(img, layers.Conv2D(1, 3, padding="same")(x))


def reflect(x, padding):
    sides = [padding, padding]
    return layers.Lambda(lambda x: tf.pad(x, [[0, 0], sides, sides, [0, 0]], "REFLECT"))(x)


def resnet(shape, blocks):
    """The generator of the CycleGAN paper."""

    def conv(x, filters, kernel_size, strides=1):
        return layers.Conv2D(filters, kernel_size, strides, kernel_initializer=normal())(x)

    img = keras.Input(shape)
    x = layers.ReLU()(plain_norm(conv(reflect(img, 3), 64, 7)))
    for filters in (128, 256):
        x = layers.ReLU()(plain_norm(conv(layers.ZeroPadding2D(1)(x), filters, 3, 2)))
    for _ in range(blocks):
        y = layers.ReLU()(plain_norm(conv(reflect(x, 1), 256, 3)))
        x = layers.Add()([x, plain_norm(conv(reflect(y, 1), 256, 3))])
    for filters in (128, 64):
        x = layers.Conv2DTranspose(filters, 3, 2, "same", kernel_initializer=normal())(x)
        x = layers.ReLU()(plain_norm(x))
    return keras.Model(img, layers.Activation("tanh")(conv(reflect(x, 3), shape[2], 7)))


def patchgan_70(x, filters, norm):
    """Returns a verdict per patch for a tensor of pictures."""

    def conv(x, filters, strides, use_bias=True):
        x = layers.ZeroPadding2D(1)(x)
        return layers.Conv2D(filters, 4, strides, use_bias=use_bias, kernel_initializer=normal())(x)

    x = layers.LeakyReLU(0.2)(conv(x, filters, 2))
    for multiple, strides in ((2, 2), (4, 2), (8, 1)):
        x = layers.LeakyReLU(0.2)(norm(conv(x, filters * multiple, strides, use_bias=norm is plain_norm)))
    return conv(x, 1, 1)


def cyclegan_discriminator(shape):
    img = keras.Input(shape)
    return keras.Model(img, patchgan_70(img, 64, plain_norm))


def pix2pix_generator(shape, filters):
    def conv(layer, width):
        return layer(width, 4, 2, "same", use_bias=False, kernel_initializer=normal())

    img = keras.Input(shape)
    depth = min(8, shape[0].bit_length() - 1)
    widths = [filters * multiple for multiple in (1, 2, 4, 8, 8, 8, 8, 8)][:depth]
    x = conv(layers.Conv2D, widths[0])(img)
    skips = [x]
    for level, width in enumerate(widths[1:], 2):
        x = conv(layers.Conv2D, width)(layers.LeakyReLU(0.2)(x))
        x = batch_norm(x) if level < depth else x
        skips.append(x)
    skips.pop()
    for number, width in enumerate(reversed(widths[:-1])):
        x = batch_norm(conv(layers.Conv2DTranspose, width)(layers.ReLU()(x)))
        x = layers.Dropout(0.5)(x) if number < 3 else x
        x = layers.Concatenate()([x, skips.pop()])
    x = layers.Conv2DTranspose(shape[2], 4, 2, "same", kernel_initializer=normal())(layers.ReLU()(x))
    return keras.Model(img, layers.Activation("tanh")(x))


def pix2pix_discriminator(shape, filters):
    img, translation = keras.Input(shape), keras.Input(shape)
    pair = layers.Concatenate()([img, translation])
    return keras.Model([img, translation], patchgan_70(pair, filters, batch_norm))
