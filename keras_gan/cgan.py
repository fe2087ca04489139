"""CGAN: pictures of a class that one asks for.

    python -m keras_gan.cgan                                    digits drawn by code
    python -m keras_gan.cgan --dataset mnist                    handwritten ones
    python -m keras_gan.cgan --dataset PATH/TO/FOLDER --image-size 64    a folder with one subfolder per class

The generator G makes a picture of noise z and a label y, and the discriminator D is told the label
of what it judges. G minimises

    - log D(G(z, y), y)

Mirza and Osindero, "Conditional Generative Adversarial Nets", 2014 (https://arxiv.org/abs/1411.1784):
the label joins the noise in G and the picture in D, here by an embedding each. The convolutions are
those of DCGAN.
"""

if __name__ == "__main__":  # --help and mistyped options are answered before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

import keras
import numpy as np
from keras import layers

from keras_gan import backend
from keras_gan.adversarial.latent import LatentModel
from keras_gan.adversarial.model import FixedSample
from keras_gan.data.single import ImageLoader
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.networks import dcgan_discriminator, dcgan_generator, halvings


class CGAN(LatentModel):
    """A generator that takes noise and a label, and a discriminator that takes a picture and its label.

    `discriminator` and `combined` are compiled Keras models; `generator` is what one trains for.

    Args:
        img_shape: (height, width, channels) of the pictures; height and width 28 or a power of two from
            32 up; other channels than 1 or 3 as the files have them.
        gf: filters in the last layer but one of the generator.
        df: filters in the first layer of the discriminator.
        **options: latent_dim, data, optimizers, seed and output, see `LatentModel`; and the errors raised.
    """

    EMBEDDING = 50  # numbers that a label becomes

    TRAIN = {"epochs": 20, "batch_size": 64, "sample_interval": 200}

    def __init__(
        self,
        img_shape: tuple = (28, 28, 1),
        gf: int = 32,
        df: int = 32,
        **options,
    ):
        super().__init__("cgan", **options)
        check_at_least(1, gf=gf, df=df)
        self.img_shape, self.gf, self.df = tuple(img_shape), gf, df
        halvings(*self.img_shape[:2])
        self.data_loader = ImageLoader(shape=self.img_shape, labelled=True, **self.data_options)
        self.classes = self.data_loader.classes
        self.build_game()

    def build_generator(self):
        """Generator: codes (batch, latent_dim) and labels (batch,) to pictures (batch, *img_shape) in [-1, 1]."""
        z, label = keras.Input((self.latent_dim,)), keras.Input((), dtype="int32")
        code = layers.Concatenate()([z, layers.Embedding(len(self.classes), self.EMBEDDING)(label)])
        return keras.Model([z, label], dcgan_generator(code, self.img_shape, self.gf), name="generator")

    def build_discriminator(self):
        """Discriminator: pictures (batch, *img_shape) and labels (batch,) to a logit each, (batch, 1)."""
        img, label = keras.Input(self.img_shape), keras.Input((), dtype="int32")
        height, width, _ = self.img_shape
        # The label becomes one more channel of the picture
        channel = layers.Dense(height * width)(layers.Embedding(len(self.classes), self.EMBEDDING)(label))
        x = layers.Concatenate()([img, layers.Reshape((height, width, 1))(channel)])
        return keras.Model([img, label], dcgan_discriminator(x, self.df), name="discriminator")

    def generate(self, labels, z=None):
        """Pictures (n, height, width, channels), float32 in [-1, 1], one for each of these labels.

        Args:
            labels: n class names, or numbers from 0 to the number of classes less 1.
            z: codes (n, latent_dim); None: new ones.

        Raises:
            BadValueError: (a ValueError) for a class that there is not, or codes of another shape.
        """
        numbers = np.array([self.class_number(label) for label in labels], "int32")
        z = self.checked_noise(self.sample_noise(len(numbers)) if z is None else z)
        if len(z) != len(numbers):
            raise BadValueError(f"{len(numbers)} labels need as many codes, not {len(z)}.")
        with backend.undivided():
            return self.generator.predict([z, numbers], verbose=0)

    def class_number(self, label):
        """The number of a class, given as its name or as that number."""
        if isinstance(label, str) and label in self.classes:
            return self.classes.index(label)
        if isinstance(label, int | np.integer) and not isinstance(label, bool) and 0 <= label < len(self.classes):
            return int(label)
        raise BadValueError(
            f"unknown class {label!r}: the classes are {', '.join(self.classes)}, or 0 to {len(self.classes) - 1}."
        )

    def fixed_sample(self):
        """One row a class, and the same noise down each column."""
        columns, classes = self.SAMPLES[1], len(self.classes)
        z = np.tile(self.fixed_noise[:columns], (classes, 1))
        images = self.generate(np.repeat(np.arange(classes), columns), z)
        return FixedSample(images.reshape(classes, columns, *self.img_shape), None, self.classes, figures={})


if __name__ == "__main__":
    cli.run(CGAN, arguments)
