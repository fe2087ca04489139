"""GAN: the smallest readable example of the game. Digits out of noise, by dense networks.

    python -m keras_gan.gan                        digits drawn by code
    python -m keras_gan.gan --dataset mnist        handwritten ones

One generator G makes pictures of noise z, a discriminator D tells real pictures (1) from fakes (0).
G minimises

    - log D(G(z))

Goodfellow et al., "Generative Adversarial Nets", 2014 (https://arxiv.org/abs/1406.2661), in the
form of the Keras posts on it.
"""

if __name__ == "__main__":  # --help and mistyped options are answered before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

import math

import keras
from keras import layers

from keras_gan.adversarial.latent import LatentModel
from keras_gan.data.single import ImageLoader
from keras_gan.networks import full


class GAN(LatentModel):
    """A dense generator and a dense discriminator.

    `discriminator` and `combined` are compiled Keras models; `generator` is what one trains for.

    Args:
        img_shape: (height, width, channels) of the pictures; other channels than 1 or 3 as the files have them.
        latent_dim: numbers in a code z.
        dataset_name: drawn_digits, mnist, fashion_mnist or a folder of pictures; default: drawn digits.
        data_dir: folder that holds the idx files of mnist or fashion_mnist; default: they are downloaded.
        fit: what becomes of pictures of another shape: resize (stretched), crop (to their middle) or pad
            (with white).
        g_optimizer: Keras optimizer for the generator; None: Adam(2e-4, beta_1=0.5).
        d_optimizer: the same for the discriminator.
        seed: seeds the weights, the noise and the order of the data; default: another run each time.
        output: folder of this run's grids and networks; default: the next free runs/gan-DATASET-N.

    Raises:
        BadValueError: (a ValueError) for values that cannot work.
        NotFoundError: (a FileNotFoundError) if there is no such data set.
    """

    def __init__(
        self,
        img_shape: tuple = (28, 28, 1),
        latent_dim: int = 100,
        dataset_name: str | None = None,
        data_dir: str | None = None,
        fit: str = "resize",
        g_optimizer=None,
        d_optimizer=None,
        seed: int | None = None,
        output: str | None = None,
    ):
        super().__init__("gan", latent_dim, seed, output)
        self.img_shape = tuple(img_shape)
        self.data_loader = ImageLoader(dataset_name, data_dir, self.img_shape, fit=fit, seed=self.seed)
        self.build_game(g_optimizer, d_optimizer)

    def build_generator(self):
        """Generator: codes (batch, latent_dim) to pictures (batch, *img_shape) in [-1, 1]."""
        x = z = keras.Input((self.latent_dim,))
        for units in (256, 512, 1024):
            x = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(units)(x))
            x = layers.BatchNormalization(momentum=0.8)(x)
        x = layers.Dense(math.prod(self.img_shape), activation="tanh", dtype=full())(x)
        return keras.Model(z, layers.Reshape(self.img_shape, dtype=full())(x), name="generator")

    def build_discriminator(self):
        """Discriminator: pictures (batch, *img_shape) to a logit each, (batch, 1)."""
        img = keras.Input(self.img_shape)
        x = layers.Flatten()(img)
        for units in (512, 256):
            x = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(units)(x))
        return keras.Model(img, layers.Dense(1, dtype=full())(x), name="discriminator")

    def train(
        self,
        epochs: int = 50,
        batch_size: int = 32,
        sample_interval: int = 200,
        steps_per_epoch: int | None = None,
        **options,
    ):
        """Trains, as `AdversarialModel.train` describes, which takes the options too."""
        return super().train(epochs, batch_size, sample_interval, steps_per_epoch, **options)


if __name__ == "__main__":
    cli.run(GAN, arguments)
