"""GAN: the smallest example of the game. Dense networks make digits from noise.

    python -m keras_gan.gan                        digits drawn by code
    python -m keras_gan.gan --dataset mnist        handwritten digits

A generator G makes pictures from noise z. A discriminator D learns to tell real pictures (1) from fakes (0). G
minimises

    - log D(G(z))

Goodfellow et al., "Generative Adversarial Nets", 2014 (https://arxiv.org/abs/1406.2661), in the version of the Keras
posts.
"""

if __name__ == "__main__":  # answer --help and bad options before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

import math
from typing import Any

import keras
from keras import layers

from keras_gan.adversarial.latent import LatentModel
from keras_gan.data.options import checked_shape
from keras_gan.data.single import ImageLoader
from keras_gan.layers import LeakyReLU
from keras_gan.networks import full


class GAN(LatentModel):
    """A dense generator and a dense discriminator.

    `discriminator` and `combined` are compiled Keras models; `generator` is the result.

    Args:
        img_shape: (height, width, channels) of the pictures; channels other than 1 or 3 must match the files.
        **options: latent_dim, data, optimizers, seed and output, see `LatentModel`; and the errors raised.
    """

    TRAIN = {"epochs": 50, "batch_size": 32, "sample_interval": 200}
    QUICK = {"model": {}, "train": {"epochs": 20, "steps_per_epoch": 400, "batch_size": 32, "sample_interval": 400}}

    def __init__(self, img_shape: tuple = (28, 28, 1), **options: Any) -> None:
        super().__init__("gan", **options)
        self.img_shape = checked_shape("img_shape", img_shape)
        self.data_loader = ImageLoader(shape=self.img_shape, **self.data_options)
        self.build_game()

    def build_generator(self) -> Any:
        """Generator: codes (batch, latent_dim) to pictures (batch, *img_shape) in [-1, 1]."""
        x = z = keras.Input((self.latent_dim,))
        for units in (256, 512, 1024):
            x = LeakyReLU(negative_slope=0.2)(layers.Dense(units)(x))
            x = layers.BatchNormalization(momentum=0.8)(x)
        x = layers.Dense(math.prod(self.img_shape), activation="tanh", dtype=full())(x)
        return keras.Model(z, layers.Reshape(self.img_shape, dtype=full())(x), name="generator")

    def build_discriminator(self) -> Any:
        """Discriminator: pictures (batch, *img_shape) to one logit each, (batch, 1)."""
        img = keras.Input(self.img_shape)
        x = layers.Flatten()(img)
        for units in (512, 256):
            x = LeakyReLU(negative_slope=0.2)(layers.Dense(units)(x))
        return keras.Model(img, layers.Dense(1, dtype=full())(x), name="discriminator")


if __name__ == "__main__":
    cli.run(GAN, arguments)
