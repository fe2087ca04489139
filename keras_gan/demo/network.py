"""The network of the bundled generator."""

import keras
from keras import layers

from keras_gan import Pix2Pix
from keras_gan.layers import Conv2D, LeakyReLU, UpsampleConv2D
from keras_gan.networks import batch_norm, full, normal, unet_depth


class ColouringPix2Pix(Pix2Pix):
    """Pix2Pix with a generator that can colour the whole shoe from a single stroke.

    BatchNormalization replaces InstanceNormalization, which removes the mean of each feature map and with it the
    overall colour. There is no dropout, which would drop half of the innermost maps that carry the colour. Upsampling
    and convolution replace transposed convolutions, which leave visible checkerboard artifacts with 16 filters.
    """

    def build_generator(self) -> keras.Model:
        """U-Net: (batch, *shape_A) to (batch, *shape_B), in [-1, 1]; 1,895,347 parameters at 128x128x3, gf=16."""
        img = keras.Input(self.shape_A)
        filters = [self.gf * multiple for multiple in (1, 2, 4, 8, 8, 8, 8, 8)]
        filters = filters[: unet_depth(*self.shape_A[:2], deepest=8)]
        x, skips = img, []
        for level, width in enumerate(filters):
            x = Conv2D(width, 4, 2, "same", use_bias=level == 0, kernel_initializer=normal())(x)
            x = LeakyReLU(negative_slope=0.2)(batch_norm(x) if level else x)
            skips.append(x)
        skips.pop()
        for width in reversed(filters[:-1]):
            x = UpsampleConv2D(width, 3, use_bias=False, kernel_initializer=normal())(x)
            x = layers.Concatenate()([layers.ReLU()(batch_norm(x)), skips.pop()])
        x = UpsampleConv2D(self.shape_B[2], 3, kernel_initializer=normal())(x)
        return keras.Model(img, layers.Activation("tanh", dtype=full())(x), name="generator")
