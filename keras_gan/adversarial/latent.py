"""The base of the models that make pictures from noise: GAN, CGAN, DCGAN."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gan import backend
from keras_gan.adversarial.combined import Combined, once
from keras_gan.adversarial.model import AdversarialModel, FixedSample
from keras_gan.data.options import Flip
from keras_gan.datasets.given import given_or_named
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.images.grids import save_sheet
from keras_gan.images.values import ValueRange


class LatentModel(AdversarialModel):
    """Base of the models with a generator that makes pictures from noise z, and for CGAN a label.

    A model defines `build_generator()` and `build_discriminator()`, and its constructor calls `build_game()`. Each step
    draws new noise from the seed. `fixed_noise` is drawn once, so all sample grids show the same codes.

    Args:
        name: the name of the model and of its command.
        latent_dim: size of a code z; its numbers are drawn from N(0, 1).
        dataset_name: data set: a name (drawn_digits, drawn_shoes, drawn_fruit, mnist, fashion_mnist), a folder below
            datasets/ or a path; default: the model's own.
        data_dir: folder of the idx files of mnist or fashion_mnist; default: download them.
        labels: CSV file that names the pictures to take of a folder and, for CGAN, their classes: file name, class.
        fit: how to fit pictures of another shape: resize (stretch), crop (the middle), pad (with white) or random-crop
            (another part of the original pixels each time).
        load_size: length of the shorter side that pictures are resized to before a random crop; default: their own.
        flip: how to turn training pictures at random: none, horizontal (mirror half of them), both (also upside down)
            or rotate (also by 90 degrees).
        resample: filter: nearest, bilinear, bicubic, lanczos, or auto: nearest for label maps, else bicubic.
        value_range: values of black and white in the files, such as 0,4095, or auto: the smallest and the largest in
            up to 256 training files of a side; default: what each file states.
        own_shards: whether each of several hosts reads only its own shards of a data set in shards, every n-th one, so
            that the others may be missing there; with a single host nothing changes.
        data: in place of a named data set: an array of pictures or, for CGAN, (pictures, labels); or a
            `tf.data.Dataset` or `keras.utils.PyDataset` of batches of these, which is read once, into memory.
        test_data: the same to test on; None: every tenth picture is held out.
        **options: see `AdversarialModel`.

    Raises:
        BadValueError: (a ValueError) if a size or an option cannot work.
        NotFoundError: (a FileNotFoundError) if there is no such data set.
    """

    SAMPLES = (6, 10)  # rows and columns of a sample grid
    data_options: dict[str, Any]

    def __init__(
        self,
        name: str,
        latent_dim: int = 100,
        dataset_name: str | None = None,
        data_dir: str | None = None,
        labels: str | None = None,
        fit: str = "resize",
        load_size: int | None = None,
        flip: Flip = "none",
        resample: str = "auto",
        value_range: ValueRange | None = None,
        own_shards: bool = False,
        data: Any = None,
        test_data: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        check_at_least(1, latent_dim=latent_dim)
        self.latent_dim = latent_dim
        others = {"dataset_name": dataset_name, "data_dir": data_dir, "labels": labels}
        named = given_or_named(dataset_name, data, test_data, **others)
        self.data_options = others | {"dataset_name": named, "fit": fit}
        self.data_options |= {"load_size": load_size, "flip": flip}
        self.data_options |= {
            "resample": resample,
            "value_range_of_files": value_range,
            "own_shards": own_shards,
            "seed": self.seed,
        }
        self.noise_seed = keras.random.SeedGenerator(self.seed)
        self.fixed_noise = self.sample_noise(self.SAMPLES[0] * self.SAMPLES[1], self.seed)

    def build_game(self) -> None:
        """Builds and compiles the discriminator, the generator and the adversarial model that trains it."""
        adam = keras.optimizers.Adam(2e-4, beta_1=0.5)
        score = self.adversarial("bce")
        self.discriminator = self.build_discriminator()
        self.discriminators = [self.discriminator]
        self.discriminator.compile(loss=score.d_loss, optimizer=self.d_optimizer(adam), metrics=[score.accuracy])
        self.generator = self.build_generator()
        self.combined = self.build_combined()
        self.combined.compile(loss=score.g_loss, optimizer=self.g_optimizer(adam))

    def build_combined(self) -> Combined:
        """The adversarial model: noise (and labels, if the generator takes them) to the verdict on the fake."""
        z, *labels = (keras.Input(tensor.shape[1:], dtype=tensor.dtype) for tensor in self.generator.inputs)
        fake = once(self.generator(with_labels(z, labels)))
        valid = self.discriminator(with_labels(self.shown(fake), labels))
        return Combined([z, *labels], {"valid": valid}, fakes=[fake], trains=[self.generator])

    def generator_inputs(self, batch: list[Any]) -> list[Any]:
        """One code per picture, and the labels of the pictures, if there are any."""
        imgs, *labels = batch
        return [keras.random.normal((ops.shape(imgs)[0], self.latent_dim), seed=self.noise_seed), *labels]

    def discriminator_batches(self, batch: list[Any], fakes: list[Any]) -> list[tuple[Any, Any, Any]]:
        """Two updates of the discriminator: on originals (real = 1), then on fakes (fake = 0)."""
        imgs, *labels = batch
        valid = ops.ones((ops.shape(imgs)[0], 1))
        return [
            (self.discriminator, with_labels(imgs, labels), valid),
            (self.discriminator, with_labels(fakes[0], labels), ops.zeros_like(valid)),
        ]

    def generator_targets(self, batch: list[Any]) -> list[Any]:
        """The target of every verdict on a fake is "real" (1)."""
        return [ops.ones((ops.shape(batch[0])[0], 1))]

    def sample_noise(self, count: int, seed: int | None = None) -> np.ndarray:
        """Codes (count, latent_dim), float32, drawn from N(0, 1); without a seed, new ones in each call."""
        check_at_least(1, count=count)
        return np.random.default_rng(seed).standard_normal((count, self.latent_dim)).astype("float32")

    def checked_noise(self, z: Any) -> np.ndarray:
        """Returns `z` as float32, or raises BadValueError unless its shape is (n, latent_dim), n >= 1."""
        z = np.asarray(z, "float32")
        if z.ndim != 2 or z.shape[1] != self.latent_dim or len(z) == 0:
            raise BadValueError(f"noise must be of shape (n, {self.latent_dim}), not {z.shape}.")
        return z

    def generate(self, z: Any) -> np.ndarray:
        """Generates pictures (n, height, width, channels), float32 in [-1, 1], from codes (n, latent_dim).

        Raises:
            BadValueError: (a ValueError) for codes of another shape.
        """
        with backend.undivided():
            return self.generator.predict(self.checked_noise(z), verbose=0)

    def sample_images(self, epoch: int, batch_i: int) -> Path:
        """Saves a grid of the pictures of `fixed_noise` as `images/{epoch}_{batch_i}.png`; returns its path."""
        sample = self.fixed_sample()
        path = self.run_folder / "images" / f"{epoch}_{batch_i}.png"
        save_sheet(path, sample.rows, captions=sample.captions)
        return path

    def fixed_sample(self) -> FixedSample:
        columns = self.SAMPLES[1]
        images = self.generate(self.fixed_noise)
        rows = [images[start : start + columns] for start in range(0, len(images), columns)]
        return FixedSample(rows, titles=None, captions=None, figures={})

    def held_out(self, number: int, *batch: Any) -> tuple[dict[str, float], dict[str, tuple[Any, Any]]]:
        """No figures of its own; for FID and KID a picture of noise for each held-out one, with the same label."""
        imgs, *labels = batch
        codes = np.random.default_rng([self.seed, number]).standard_normal((len(imgs), self.latent_dim))
        fakes = self.generator.predict_on_batch(with_labels(codes.astype("float32"), labels))
        return {}, {"noise": (np.asarray(fakes), imgs)}


def with_labels(x: Any, labels: Sequence[Any]) -> Any:
    """The inputs of a network: `x`, or the list [x, labels] if there are labels."""
    return [x, *labels] if labels else x
