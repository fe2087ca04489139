"""What the models that make pictures from noise share: GAN, CGAN, DCGAN."""

import keras
import numpy as np
from keras import ops

from keras_gan import backend
from keras_gan.adversarial.combined import Combined, once
from keras_gan.adversarial.losses import adversarial_loss
from keras_gan.adversarial.model import AdversarialModel, FixedSample, chosen
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.images.grids import save_sheet


class LatentModel(AdversarialModel):
    """Base of the models whose generator makes pictures of noise z, and perhaps of a label.

    A model has `build_generator()` and `build_discriminator()`, and calls `build_game()`. Noise is
    drawn within the step, from the seed; `fixed_noise` is drawn once, so that one sees the same
    pictures become better.

    Args:
        name: the model's name, which its command has too.
        latent_dim: numbers in a code z, each normally distributed.
        dataset_name: data set: a name (drawn_digits, drawn_shoes, mnist, fashion_mnist), a folder below datasets/ or a
            path; default: the model's own.
        data_dir: folder that holds the idx files of mnist or fashion_mnist; default: they are downloaded.
        fit: how to fit pictures of another shape: resize (stretch), crop (to the middle) or pad (with white).
        g_optimizer: Keras optimizer for the generator; None: Adam(2e-4, beta_1=0.5).
        d_optimizer: the same for the discriminator.
        **options: see `AdversarialModel`.

    Raises:
        BadValueError: (a ValueError) if a size or an option cannot work.
        NotFoundError: (a FileNotFoundError) if there is no such data set.
    """

    SAMPLES = (6, 10)  # rows and columns of a sample grid

    def __init__(
        self,
        name,
        latent_dim: int = 100,
        dataset_name: str | None = None,
        data_dir: str | None = None,
        fit: str = "resize",
        g_optimizer=None,
        d_optimizer=None,
        **options,
    ):
        super().__init__(name, **options)
        check_at_least(1, latent_dim=latent_dim)
        self.latent_dim = latent_dim
        self.data_options = {"dataset_name": dataset_name, "data_dir": data_dir, "fit": fit, "seed": self.seed}
        self.g_optimizer, self.d_optimizer = chosen(g_optimizer), chosen(d_optimizer)
        self.noise_seed = keras.random.SeedGenerator(self.seed)
        self.fixed_noise = self.sample_noise(self.SAMPLES[0] * self.SAMPLES[1], self.seed)

    def build_game(self):
        """Builds and compiles the discriminator, the generator and the adversarial model that trains it."""
        adam = keras.optimizers.Adam(2e-4, beta_1=0.5)
        loss, accuracy = adversarial_loss("bce")
        self.discriminator = self.build_discriminator()
        self.discriminators = [self.discriminator]
        self.discriminator.compile(loss=loss, optimizer=self.d_optimizer(adam), metrics=[accuracy])
        self.generator = self.build_generator()
        self.combined = self.build_combined()
        self.combined.compile(loss=loss, optimizer=self.g_optimizer(adam))

    def build_combined(self):
        """The adversarial model: noise, and labels where the generator takes them, to the verdict on the fake."""
        z, *labels = (keras.Input(tensor.shape[1:], dtype=tensor.dtype) for tensor in self.generator.inputs)
        fake = once(self.generator(alone_or_with(z, labels)))
        valid = self.discriminator(alone_or_with(fake, labels))
        return Combined([z, *labels], {"valid": valid}, fakes=[fake], trains=[self.generator])

    def generator_inputs(self, batch):
        """As many codes as there are pictures, and the labels of the pictures."""
        imgs, *labels = batch
        return [keras.random.normal((ops.shape(imgs)[0], self.latent_dim), seed=self.noise_seed), *labels]

    def discriminator_batches(self, batch, fakes):
        """The discriminator learns from the originals (real = 1), then from the fakes (fake = 0)."""
        imgs, *labels = batch
        valid = ops.ones((ops.shape(imgs)[0], 1))
        return [
            (self.discriminator, alone_or_with(imgs, labels), valid),
            (self.discriminator, alone_or_with(fakes[0], labels), ops.zeros_like(valid)),
        ]

    def generator_targets(self, batch):
        """The generator wants every fake to be taken for real."""
        return [ops.ones((ops.shape(batch[0])[0], 1))]

    def sample_noise(self, count, seed=None):
        """Codes (count, latent_dim), float32, from N(0, 1)."""
        check_at_least(1, count=count)
        return np.random.default_rng(seed).standard_normal((count, self.latent_dim)).astype("float32")

    def checked_noise(self, z):
        """`z` as float32 (n, latent_dim), or a BadValueError that names its shape."""
        z = np.asarray(z, "float32")
        if z.ndim != 2 or z.shape[1] != self.latent_dim or len(z) == 0:
            raise BadValueError(f"noise must be of shape (n, {self.latent_dim}), not {z.shape}.")
        return z

    def generate(self, z):
        """Pictures (n, height, width, channels), float32 in [-1, 1], of codes (n, latent_dim).

        Raises:
            BadValueError: (a ValueError) for codes of another shape.
        """
        with backend.undivided():
            return self.generator.predict(self.checked_noise(z), verbose=0)

    def sample_images(self, epoch, batch_i):
        """Saves the pictures of `fixed_noise`, as `images/{epoch}_{batch_i}.png`."""
        sample = self.fixed_sample()
        path = self.run_folder / "images" / f"{epoch}_{batch_i}.png"
        save_sheet(path, sample.rows, captions=sample.captions)
        return path

    def fixed_sample(self):
        columns = self.SAMPLES[1]
        images = self.generate(self.fixed_noise)
        rows = [images[start : start + columns] for start in range(0, len(images), columns)]
        return FixedSample(rows, titles=None, captions=None, figures={})


def alone_or_with(x, labels):
    """What a network takes: one tensor, or a list where there are labels too."""
    return [x, *labels] if labels else x
