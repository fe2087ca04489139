"""LSGAN: a DCGAN whose verdicts are scored by least squares. Written by following docs/architecture.md alone.

    python tests/support/lsgan.py --image-size 32 --epochs 5

One generator G makes pictures of noise z, a discriminator D tells real pictures (1) from fakes (0).
D and G minimise

    (D(x) - 1)^2 + D(G(z))^2        and        (D(G(z)) - 1)^2

Mao et al., "Least Squares Generative Adversarial Networks", 2017 (https://arxiv.org/abs/1611.04076).
"""

if __name__ == "__main__":  # --help and mistyped options are answered before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

import keras
from keras import ops

from keras_gan.adversarial.combined import Combined, once
from keras_gan.adversarial.latent import LatentModel
from keras_gan.adversarial.losses import adversarial_loss
from keras_gan.adversarial.model import fresh
from keras_gan.data.single import ImageLoader
from keras_gan.errors import check_at_least
from keras_gan.networks import dcgan_discriminator, dcgan_generator


class LSGAN(LatentModel):
    """A DCGAN that plays by least squares.

    Args:
        img_shape: (height, width, channels) of the pictures.
        gf: filters in the last layer but one of the generator.
        df: filters in the first layer of the discriminator.
        dataset_name: a folder of pictures, drawn_shoes or drawn_digits.
        g_optimizer: Keras optimizer for the generator; None: Adam(2e-4, beta_1=0.5).
        d_optimizer: the same for the discriminator.
        seed: seeds the weights, the noise and the order of the data; default: another run each time.
        output: folder of this run's grids and networks; default: the next free runs/lsgan-DATASET-N.
    """

    def __init__(
        self,
        img_shape: tuple = (64, 64, 3),
        gf: int = 64,
        df: int = 64,
        dataset_name: str = "drawn_shoes",
        g_optimizer=None,
        d_optimizer=None,
        seed: int | None = None,
        output: str | None = None,
    ):
        super().__init__("lsgan", latent_dim=100, seed=seed, output=output)
        check_at_least(1, gf=gf, df=df)
        self.img_shape = tuple(img_shape)
        self.data_loader = ImageLoader(dataset_name, None, self.img_shape, seed=self.seed)

        # The discriminator: any Keras model, compiled with its loss, an accuracy and an optimizer of its own
        img = keras.Input(self.img_shape)
        self.discriminator = keras.Model(img, dcgan_discriminator(img, df), name="discriminator")
        loss, accuracy = adversarial_loss("mse")
        adam = keras.optimizers.Adam(2e-4, beta_1=0.5)
        self.discriminator.compile(loss=loss, optimizer=fresh(d_optimizer or adam), metrics=[accuracy])
        self.discriminators = [self.discriminator]

        # The generator, and what it wants: that its pictures are taken for real
        z = keras.Input((self.latent_dim,))
        self.generator = keras.Model(z, dcgan_generator(z, self.img_shape, gf), name="generator")
        fake = once(self.generator(z))
        outputs = {"valid": self.discriminator(fake)}
        self.combined = Combined([z], outputs, fakes=[fake], trains=[self.generator])
        self.combined.compile(loss=loss, optimizer=fresh(g_optimizer or adam))

    def discriminator_batches(self, batch, fakes):
        """The discriminator learns from the originals (real = 1), then from the fakes (fake = 0)."""
        (imgs,) = batch
        valid = ops.ones((ops.shape(imgs)[0], 1))
        return [(self.discriminator, imgs, valid), (self.discriminator, fakes[0], ops.zeros_like(valid))]

    def generator_targets(self, batch):
        """The generator wants every fake to be taken for real."""
        return [ops.ones((ops.shape(batch[0])[0], 1))]

    def train(
        self,
        epochs: int = 25,
        batch_size: int = 64,
        sample_interval: int = 100,
        steps_per_epoch: int | None = None,
        **options,
    ):
        """Trains, as `AdversarialModel.train` describes, which takes the options too."""
        return super().train(epochs, batch_size, sample_interval, steps_per_epoch, **options)


if __name__ == "__main__":
    cli.run(LSGAN, arguments)
