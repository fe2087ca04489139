"""CGAN: pictures of a chosen class.

    python -m keras_gan.cgan                                    digits drawn by code
    python -m keras_gan.cgan --dataset mnist                    handwritten digits
    python -m keras_gan.cgan --dataset PATH/TO/FOLDER --image-size 64    a folder with one subfolder per class

The generator G makes a picture from noise z and a label y. The discriminator D sees a picture and its label. G
minimises

    - log D(G(z, y), y)

Mirza and Osindero, "Conditional Generative Adversarial Nets", 2014 (https://arxiv.org/abs/1411.1784):
the label is joined to the noise in G and to the picture in D, through an embedding each. The convolutional layers are
DCGAN's.
"""

if __name__ == "__main__":  # answer --help and bad options before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import layers

from keras_gan import backend
from keras_gan.adversarial.latent import LatentModel
from keras_gan.adversarial.model import FixedSample
from keras_gan.data.options import checked_shape
from keras_gan.data.single import ImageLoader
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.networks import dcgan_discriminator, dcgan_generator, halvings


class CGAN(LatentModel):
    """A generator that takes noise and a label, and a discriminator that takes a picture and its label.

    `discriminator` and `combined` are compiled Keras models; `generator` is the result.

    Args:
        img_shape: (height, width, channels) of the pictures; halving height and width ends
            between 4 and 7, as of 28, 32, 64 or 96; channels other than 1 or 3 must match the files.
        gf: filters in the generator's second-to-last layer.
        df: filters in the discriminator's first layer.
        **options: latent_dim, data, optimizers, seed and output, see `LatentModel`; and the errors raised.
    """

    EMBEDDING = 50  # size of a label's embedding

    TRAIN = {"epochs": 20, "batch_size": 64, "sample_interval": 200}
    QUICK = {"model": {}, "train": {"epochs": 20, "steps_per_epoch": 200, "batch_size": 64, "ema": 0.99}}

    def __init__(self, img_shape: tuple = (28, 28, 1), gf: int = 32, df: int = 32, **options: Any) -> None:
        super().__init__("cgan", **options)
        check_at_least(1, gf=gf, df=df)
        self.img_shape, self.gf, self.df = checked_shape("img_shape", img_shape), gf, df
        halvings(*self.img_shape[:2])
        self.data_loader = ImageLoader(shape=self.img_shape, labelled=True, **self.data_options)
        self.classes = self.data_loader.classes
        self.build_game()

    def build_generator(self) -> Any:
        """Generator: codes (batch, latent_dim) and labels (batch,) to pictures (batch, *img_shape) in [-1, 1]."""
        z, label = keras.Input((self.latent_dim,)), keras.Input((), dtype="int32")
        code = layers.Concatenate()([z, layers.Embedding(len(self.classes), self.EMBEDDING)(label)])
        return keras.Model([z, label], dcgan_generator(code, self.img_shape, self.gf), name="generator")

    def build_discriminator(self) -> Any:
        """Discriminator: pictures (batch, *img_shape) and labels (batch,) to one logit each, (batch, 1)."""
        img, label = keras.Input(self.img_shape), keras.Input((), dtype="int32")
        height, width, _ = self.img_shape
        # The label becomes an additional channel of the picture
        channel = layers.Dense(height * width)(layers.Embedding(len(self.classes), self.EMBEDDING)(label))
        x = layers.Concatenate()([img, layers.Reshape((height, width, 1))(channel)])
        return keras.Model([img, label], dcgan_discriminator(x, self.df), name="discriminator")

    def generate(self, labels: Iterable[Any], z: Any = None) -> np.ndarray:  # type: ignore[override]
        """Generates pictures (n, height, width, channels), float32 in [-1, 1], one for each label.

        Args:
            labels: n class names; or numbers, which are names where names are numbers, else places from 0.
            z: codes (n, latent_dim); None: new codes.

        Raises:
            BadValueError: (a ValueError) for an unknown class, or codes of another shape.
        """
        numbers = np.array([self.class_number(label) for label in labels], "int32")
        z = self.checked_noise(self.sample_noise(len(numbers)) if z is None else z)
        if len(z) != len(numbers):
            raise BadValueError(f"{len(numbers)} labels need {len(numbers)} codes, not {len(z)}.")
        with backend.undivided():
            return self.generator.predict([z, numbers], verbose=0)

    def class_number(self, label: Any) -> int:
        """The place of a class in `classes`, given by its name or place. Where names are numbers, a number is a name.

        So 1 is class "1" of "1" to "5", and class "01" of "01" to "12"; there is no class 0.
        """
        if isinstance(label, str) and label in self.classes:
            return self.classes.index(label)
        named = {int(name): place for place, name in enumerate(self.classes) if name.isdecimal()}
        places = named or {place: place for place in range(len(self.classes))}
        if isinstance(label, int | np.integer) and not isinstance(label, bool) and int(label) in places:
            return places[int(label)]
        numbers = "" if named else f", or 0 to {len(self.classes) - 1}"
        raise BadValueError(f"unknown class {label!r}: the classes are {', '.join(self.classes)}{numbers}.")

    def fixed_sample(self) -> FixedSample:
        """One row per class; the pictures of a column share their noise."""
        columns, classes = self.SAMPLES[1], len(self.classes)
        z = np.tile(self.fixed_noise[:columns], (classes, 1))
        images = self.generate(np.repeat(self.classes, columns), z)
        return FixedSample(images.reshape(classes, columns, *self.img_shape), None, self.classes, figures={})


if __name__ == "__main__":
    cli.run(CGAN, arguments)
