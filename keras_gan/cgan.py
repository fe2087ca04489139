"""CGAN: pictures of a chosen class.

    python -m keras_gan.cgan                                    digits drawn by code
    python -m keras_gan.cgan --dataset mnist                    handwritten digits
    python -m keras_gan.cgan --dataset PATH/TO/FOLDER --image-size 64    a folder with one subfolder per class
    python -m keras_gan.cgan --dataset FOLDER --labels FILE.csv          classes from a table: file name, class
    python -m keras_gan.cgan --dataset FOLDER --labels FILE.csv --attributes Smiling,Male

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

from collections import Counter
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import layers

from keras_gan import backend
from keras_gan.adversarial.latent import LatentModel
from keras_gan.adversarial.losses import choose
from keras_gan.adversarial.model import FixedSample
from keras_gan.data.options import checked_shape
from keras_gan.data.single import ImageLoader
from keras_gan.datasets.conditions import Conditions
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.networks import D_NORMS, dcgan_discriminator, dcgan_generator, halvings


class CGAN(LatentModel):
    """A generator that takes noise and a label, and a discriminator that takes a picture and its label.

    `discriminator` and `combined` are compiled Keras models; `generator` is the result.

    Args:
        img_shape: (height, width, channels) of the pictures; halving height and width ends
            between 4 and 7, as of 28, 32, 64 or 96; channels other than 1 or 3 must match the files.
        gf: filters in the generator's second-to-last layer.
        df: filters in the discriminator's first layer.
        d_norm: of the discriminator: batch, layer (for gradient penalties) or none.
        attributes: columns of labels that are 0 or 1, such as Smiling,Male, or all of them: all; a picture has then any
            number of these attributes (multi-hot) instead of one class.
        **options: latent_dim, data, optimizers, seed and output, see `LatentModel`; and the errors raised.
    """

    EMBEDDING = 50  # size of a label's embedding
    MOST_SETS = 10  # of attributes, in a sample grid

    without_batch_norm = "add d_norm=layer or d_norm=none"
    TRAIN = {"epochs": 20, "batch_size": 64, "sample_interval": 200}
    QUICK = {"model": {}, "train": {"epochs": 20, "steps_per_epoch": 200, "batch_size": 64, "ema": 0.99}}

    def __init__(
        self,
        img_shape: tuple = (28, 28, 1),
        gf: int = 32,
        df: int = 32,
        d_norm: str = "batch",
        attributes: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__("cgan", **options)
        check_at_least(1, gf=gf, df=df)
        self.img_shape, self.gf, self.df = checked_shape("img_shape", img_shape), gf, df
        halvings(*self.img_shape[:2])
        self.d_norm = choose("d_norm", d_norm, D_NORMS)
        options = self.data_options | {"attributes": attributes}
        self.data_loader = ImageLoader(shape=self.img_shape, labelled=True, **options)
        self.classes = self.data_loader.classes  # or the names of the attributes
        self.build_game()

    def build_generator(self) -> Any:
        """Generator: codes (batch, latent_dim) and labels (batch,) to pictures (batch, *img_shape) in [-1, 1].

        With attributes labels are (batch, attributes).
        """
        z, (label, embedding) = keras.Input((self.latent_dim,)), self.embedded_label()
        code = layers.Concatenate()([z, embedding])
        return keras.Model([z, label], dcgan_generator(code, self.img_shape, self.gf), name="generator")

    def build_discriminator(self) -> Any:
        """Discriminator: pictures (batch, *img_shape) and labels (batch,) to one logit each, (batch, 1)."""
        height, width, _ = self.img_shape
        # The label becomes an additional channel of the picture. (The order of the layers is that of their seeds.)
        as_channel = layers.Dense(height * width)
        img, (label, embedding) = keras.Input(self.img_shape), self.embedded_label()
        x = layers.Concatenate()([img, layers.Reshape((height, width, 1))(as_channel(embedding))])
        return keras.Model([img, label], dcgan_discriminator(x, self.df, self.d_norm), name="discriminator")

    def embedded_label(self) -> tuple[Any, Any]:
        """The input for a label, and its embedding; that of several attributes is the sum of theirs."""
        if self.conditions.are_attributes:
            label = keras.Input((len(self.classes),))
            return label, layers.Dense(self.EMBEDDING, use_bias=False)(label)
        label = keras.Input((), dtype="int32")
        return label, layers.Embedding(len(self.classes), self.EMBEDDING)(label)

    @property
    def conditions(self) -> Conditions:
        """What a picture can be asked for: the classes or attributes."""
        return Conditions(self.classes, self.data_loader.are_attributes)

    def generate(self, labels: Iterable[Any], z: Any = None) -> np.ndarray:  # type: ignore[override]
        """Generates pictures (n, height, width, channels), float32 in [-1, 1], one for each label.

        Args:
            labels: n class names; or numbers, which are names where names are numbers, else places from 0. With
                attributes: n lists of names, or of zeros and ones.
            z: codes (n, latent_dim); None: new codes.

        Raises:
            BadValueError: (a ValueError) for an unknown class, or codes of another shape.
        """
        numbers = self.conditions.array([self.class_number(label) for label in labels])
        z = self.checked_noise(self.sample_noise(len(numbers)) if z is None else z)
        if len(z) != len(numbers):
            raise BadValueError(f"{len(numbers)} labels need {len(numbers)} codes, not {len(z)}.")
        with backend.undivided():
            return self.generator.predict([z, numbers], verbose=0)

    def class_number(self, label: Any) -> Any:
        """The label that the networks take, see `keras_gan.datasets.conditions.Conditions.label`."""
        return self.conditions.label(label)

    def fixed_sample(self) -> FixedSample:
        """One row per class, or for the most frequent sets of attributes; pictures of a column share their noise."""
        columns, shown = self.SAMPLES[1], self.classes
        if self.conditions.are_attributes:
            labels = Counter(picture.label for picture in self.data_loader.train)
            shown = [self.conditions.title(label) for label, _ in labels.most_common(self.MOST_SETS)]
        z = np.tile(self.fixed_noise[:columns], (len(shown), 1))
        images = self.generate([row for row in shown for _ in range(columns)], z)
        return FixedSample(images.reshape(len(shown), columns, *self.img_shape), None, shown, figures={})


if __name__ == "__main__":
    cli.run(CGAN, arguments)
