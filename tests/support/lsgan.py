"""LSGAN: a DCGAN with a least squares loss. Written by following docs/add-a-model.md only.

    python tests/support/lsgan.py --image-size 32 --epochs 5

A generator G makes pictures from noise z. A discriminator D learns to tell real pictures (1) from fakes (0). D and G
minimise

    (D(x) - 1)^2 + D(G(z))^2        and        (D(G(z)) - 1)^2

Mao et al., "Least Squares Generative Adversarial Networks", 2017 (https://arxiv.org/abs/1611.04076).
"""

if __name__ == "__main__":  # answer --help and bad options before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

import keras
from keras import ops

from keras_gan.adversarial.combined import Combined, once
from keras_gan.adversarial.latent import LatentModel
from keras_gan.data.single import ImageLoader
from keras_gan.errors import check_at_least
from keras_gan.networks import dcgan_discriminator, dcgan_generator


class LSGAN(LatentModel):
    """A DCGAN with a least squares loss.

    Args:
        img_shape: (height, width, channels) of the pictures.
        gf: filters in the generator's second-to-last layer.
        df: filters in the discriminator's first layer.
        **options: data, optimizers, seed and output, see `LatentModel`.
    """

    TRAIN = {"epochs": 25, "batch_size": 64, "sample_interval": 100}

    def __init__(self, img_shape: tuple = (64, 64, 3), gf: int = 64, df: int = 64, **options):
        super().__init__("lsgan", **options)
        check_at_least(1, gf=gf, df=df)
        self.img_shape = tuple(img_shape)
        name = self.data_options["dataset_name"] or "drawn_shoes"
        self.data_loader = ImageLoader(shape=self.img_shape, **self.data_options | {"dataset_name": name})

        # The discriminator: any Keras model, compiled with its loss, an accuracy and an optimizer of its own
        img = keras.Input(self.img_shape)
        self.discriminator = keras.Model(img, dcgan_discriminator(img, df), name="discriminator")
        score = self.adversarial("mse")
        adam = keras.optimizers.Adam(2e-4, beta_1=0.5)
        self.discriminator.compile(loss=score.d_loss, optimizer=self.d_optimizer(adam), metrics=[score.accuracy])
        self.discriminators = [self.discriminator]

        # The generator, and the adversarial model that trains it
        z = keras.Input((self.latent_dim,))
        self.generator = keras.Model(z, dcgan_generator(z, self.img_shape, gf), name="generator")
        fake = once(self.generator(z))
        outputs = {"valid": self.discriminator(self.shown(fake))}
        self.combined = Combined([z], outputs, fakes=[fake], trains=[self.generator])
        self.combined.compile(loss=score.g_loss, optimizer=self.g_optimizer(adam))

    def discriminator_batches(self, batch, fakes):
        """Two updates of the discriminator: on originals (real = 1), then on fakes (fake = 0)."""
        (imgs,) = batch
        valid = ops.ones((ops.shape(imgs)[0], 1))
        return [(self.discriminator, imgs, valid), (self.discriminator, fakes[0], ops.zeros_like(valid))]

    def generator_targets(self, batch):
        """The target of every verdict on a fake is "real" (1)."""
        return [ops.ones((ops.shape(batch[0])[0], 1))]


if __name__ == "__main__":
    cli.run(LSGAN, arguments)
