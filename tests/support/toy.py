"""Toy: a GAN of dense layers on 8x8 pictures, to test runs, signals, disks and commands.

    python tests/support/toy.py --epochs 1 --steps-per-epoch 3

Its step compiles and runs in a fraction of the time of the real models. It has every kind of state that a run must
save: moving statistics, dropout and noise, past fakes, slots of two optimizers.
"""

if __name__ == "__main__":
    from keras_gan import cli

    arguments = cli.parse(__file__)

import math

import keras
from keras import layers

from keras_gan.adversarial.combined import Combined, once
from keras_gan.adversarial.latent import LatentModel
from keras_gan.data.single import ImageLoader
from keras_gan.layers import ImagePool


class Toy(LatentModel):
    """A tiny, fast GAN.

    Args:
        img_shape: (height, width, channels) of the pictures.
        latent_dim: size of a code z.
        width: units of the hidden layers.
        norm: whether the generator has batch normalization.
        **options: data, optimizers, seed and output, see `LatentModel`.
    """

    SAMPLES = (2, 2)

    TRAIN = {"epochs": 2, "batch_size": 2, "sample_interval": 2, "steps_per_epoch": 3}

    def __init__(
        self,
        img_shape: tuple = (8, 8, 1),
        latent_dim: int = 4,
        width: int = 16,
        norm: bool = True,
        **options,
    ):
        super().__init__("toy", latent_dim, **options)
        self.img_shape = tuple(img_shape)
        self.data_loader = ImageLoader(shape=self.img_shape, **self.data_options)
        self.pool = ImagePool(3, seed=self.seed)
        self.pool.build((None, *self.img_shape))

        score = self.adversarial("bce")
        img = keras.Input(self.img_shape)
        x = layers.Dense(width, activation="relu")(layers.Flatten()(img))
        x = layers.Dropout(0.2)(x)
        self.discriminator = keras.Model(img, layers.Dense(1)(x), name="discriminator")
        self.discriminator.compile(
            loss=score.d_loss, optimizer=self.d_optimizer(keras.optimizers.RMSprop(2e-4)), metrics=[score.accuracy]
        )
        self.discriminators = [self.discriminator]

        z = keras.Input((latent_dim,))
        x = layers.Dense(width, activation="relu")(z)
        x = layers.BatchNormalization(momentum=0.8)(x) if norm else x
        fake = layers.Reshape(self.img_shape)(layers.Dense(math.prod(self.img_shape), activation="tanh")(x))
        self.generator = keras.Model(z, fake, name="generator")
        fake = once(self.generator(z))
        outputs = {"valid": self.discriminator(self.shown(fake))}
        self.combined = Combined([z], outputs, fakes=[fake], trains=[self.generator])
        self.combined.compile(loss=score.g_loss, optimizer=self.g_optimizer(keras.optimizers.Adam(2e-4, beta_1=0.5)))

    def discriminator_batches(self, batch, fakes):
        real, (_, fake, zeros) = super().discriminator_batches(batch, fakes)
        return [real, (self.discriminator, self.pool(fake), zeros)]


if __name__ == "__main__":
    cli.run(Toy, arguments)
