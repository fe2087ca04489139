"""DCGAN: convolutional networks make pictures from noise.

    python -m keras_gan.dcgan                                        shoes drawn by code
    python -m keras_gan.dcgan --dataset PATH/TO/FOLDER --filters 32  your own pictures
    python -m keras_gan.dcgan --dataset mnist --image-size 28x28x1   digits

A generator G makes pictures from noise z. A discriminator D learns to tell real pictures (1) from fakes (0). G
minimises

    - log D(G(z))

Radford et al., "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks", 2016 (https://arxiv.org/abs/1511.06434), with its five rules: strided convolutions instead of pooling;
BatchNormalization, except at G's output and D's input; no dense hidden layers; ReLU in G, with tanh at its output;
LeakyReLU in D.
"""

if __name__ == "__main__":  # answer --help and bad options before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_gan.adversarial.latent import LatentModel
from keras_gan.adversarial.losses import choose
from keras_gan.data.options import checked_shape
from keras_gan.data.single import ImageLoader
from keras_gan.errors import check_at_least
from keras_gan.images.animations import save_animation
from keras_gan.images.grids import save_sheet
from keras_gan.networks import D_NORMS, dcgan_discriminator, dcgan_generator, halvings


class DCGAN(LatentModel):
    """A convolutional generator and a convolutional discriminator.

    `discriminator` and `combined` are compiled Keras models; `generator` is the result.

    Args:
        img_shape: (height, width, channels) of the pictures; halving height and width ends
            between 4 and 7, as of 28, 32, 64 or 96; channels other than 1 or 3 must match the files.
        gf: filters in the generator's second-to-last layer.
        df: filters in the discriminator's first layer.
        d_norm: of the discriminator: batch, layer (for gradient penalties) or none.
        **options: latent_dim, data, optimizers, seed and output, see `LatentModel`; and the errors raised.
    """

    without_batch_norm = "add d_norm=layer or d_norm=none"
    TRAIN = {"epochs": 25, "batch_size": 64, "sample_interval": 100}
    QUICK = {
        "model": {"gf": 32, "df": 32},
        "train": {"epochs": 20, "steps_per_epoch": 100, "batch_size": 32, "ema": 0.99},
    }

    def __init__(
        self, img_shape: tuple = (64, 64, 3), gf: int = 64, df: int = 64, d_norm: str = "batch", **options: Any
    ) -> None:
        super().__init__("dcgan", **options)
        check_at_least(1, gf=gf, df=df)
        self.img_shape, self.gf, self.df = checked_shape("img_shape", img_shape), gf, df
        halvings(*self.img_shape[:2])
        self.d_norm = choose("d_norm", d_norm, D_NORMS)
        if self.data_options["dataset_name"] is None:
            self.data_options["dataset_name"] = "drawn_shoes"
        self.data_loader = ImageLoader(shape=self.img_shape, **self.data_options)
        self.build_game()

    def build_generator(self) -> Any:
        """Generator: codes (batch, latent_dim) to pictures (batch, *img_shape) in [-1, 1]."""
        z = keras.Input((self.latent_dim,))
        return keras.Model(z, dcgan_generator(z, self.img_shape, self.gf), name="generator")

    def build_discriminator(self) -> Any:
        """Discriminator: pictures (batch, *img_shape) to one logit each, (batch, 1)."""
        img = keras.Input(self.img_shape)
        return keras.Model(img, dcgan_discriminator(img, self.df, self.d_norm), name="discriminator")

    def interpolate(self, z0: Any, z1: Any, n: int = 10, path: str | Path | None = None) -> Path:
        """Saves the pictures between two codes as a strip (PNG) and as an animation (GIF).

        Interpolation is spherical (White, 2016): codes on the arc have typical lengths, codes on the straight line are
        too short.

        Args:
            z0, z1: codes (latent_dim,), such as `gan.fixed_noise[3]`, the fourth picture of the grids.
            n: number of pictures, at least 2, from z0 (the first) to z1 (the last).
            path: the PNG file; the GIF gets the same name with `.gif`. None: `interpolation.png` in the run's folder.

        Returns:
            The path of the PNG file.

        Raises:
            BadValueError: (a ValueError) for codes of another shape, or fewer than 2 pictures.
        """
        check_at_least(2, n=n)
        (z0,), (z1,) = self.checked_noise([z0]), self.checked_noise([z1])
        images = self.generate([slerp(z0, z1, share) for share in np.linspace(0, 1, n)])
        path = self.run_folder / "interpolation.png" if path is None else path
        return self.save_strip(path, images, [*images, *images[-2:0:-1]])

    def arithmetic(self, plus: Any, minus: Any, other: Any, n: int = 10, path: str | Path | None = None) -> Path:
        """Saves the result of vector arithmetic, mean(plus) - mean(minus) + mean(other), as a PNG and a GIF file.

        The PNG shows the pictures of the three means and of the result. The GIF moves from mean(other) to the result:
        it adds the difference step by step.

        Args:
            plus, minus, other: codes (k, latent_dim) of pictures that share a visible property. Use three or
                more per group: single codes give no stable result (section 6.3.2 of the paper).
            n: pictures of the animation, at least 2.
            path: the PNG file; the GIF gets the same name with `.gif`. None: `arithmetic.png` in the run's folder.

        Returns:
            The path of the PNG file.

        Raises:
            BadValueError: (a ValueError) for codes of another shape, or fewer than 2 pictures.
        """
        check_at_least(2, n=n)
        means = [self.checked_noise(codes).mean(axis=0) for codes in (plus, minus, other)]
        result = means[0] - means[1] + means[2]
        images = self.generate([*means, result])
        frames = self.generate([means[2] + share * (result - means[2]) for share in np.linspace(0, 1, n)])
        path = self.run_folder / "arithmetic.png" if path is None else path
        return self.save_strip(path, images, [*frames, *frames[-2:0:-1]])

    def save_strip(self, path: str | Path, images: Any, frames: Sequence[Any]) -> Path:
        """Saves pictures side by side as a PNG file, and frames as a GIF file beside it; returns the PNG's path."""
        path = Path(path)
        save_sheet(path, [images])
        save_animation(path.with_suffix(".gif"), frames)
        return path


def slerp(z0: np.ndarray, z1: np.ndarray, share: float) -> np.ndarray:
    """Spherical interpolation: the code at `share` (0 to 1) of the arc from z0 to z1; linear if there is no arc."""
    cosine = np.dot(z0, z1) / max(np.linalg.norm(z0) * np.linalg.norm(z1), 1e-12)
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-6:
        return (1 - share) * z0 + share * z1
    return (np.sin((1 - share) * angle) * z0 + np.sin(share * angle) * z1) / np.sin(angle)


if __name__ == "__main__":
    cli.run(DCGAN, arguments)
