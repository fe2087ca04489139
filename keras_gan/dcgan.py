"""DCGAN: pictures out of noise, by convolutions.

    python -m keras_gan.dcgan                                        shoes drawn by code
    python -m keras_gan.dcgan --dataset PATH/TO/FOLDER --filters 32  your own pictures
    python -m keras_gan.dcgan --dataset mnist --image-size 28x28x1   digits

One generator G makes pictures of noise z, a discriminator D tells real pictures (1) from fakes (0).
G minimises

    - log D(G(z))

Radford et al., "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks", 2016 (https://arxiv.org/abs/1511.06434), with its five rules: strided convolutions in
place of pooling; BatchNormalization, but not at G's output and D's input; no dense hidden layers;
ReLU in G, tanh at its end; LeakyReLU in D.
"""

if __name__ == "__main__":  # --help and mistyped options are answered before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

from pathlib import Path

import keras
import numpy as np

from keras_gan.adversarial.latent import LatentModel
from keras_gan.data.single import ImageLoader
from keras_gan.errors import check_at_least
from keras_gan.images.grids import save_animation, save_sheet
from keras_gan.networks import dcgan_discriminator, dcgan_generator, halvings


class DCGAN(LatentModel):
    """A convolutional generator and a convolutional discriminator.

    `discriminator` and `combined` are compiled Keras models; `generator` is what one trains for.

    Args:
        img_shape: (height, width, channels) of the pictures; height and width 28 or a power of two from
            32 up; other channels than 1 or 3 as the files have them.
        gf: filters in the last layer but one of the generator.
        df: filters in the first layer of the discriminator.
        flip: whether training pictures are mirrored half of the time.
        **options: latent_dim, data, optimizers, seed and output, see `LatentModel`; and the errors raised.
    """

    TRAIN = {"epochs": 25, "batch_size": 64, "sample_interval": 100}

    def __init__(
        self,
        img_shape: tuple = (64, 64, 3),
        gf: int = 64,
        df: int = 64,
        flip: bool = False,
        **options,
    ):
        super().__init__("dcgan", **options)
        check_at_least(1, gf=gf, df=df)
        self.img_shape, self.gf, self.df = tuple(img_shape), gf, df
        halvings(*self.img_shape[:2])
        self.data_options["dataset_name"] = self.data_options["dataset_name"] or "drawn_shoes"
        self.data_loader = ImageLoader(shape=self.img_shape, flip=flip, **self.data_options)
        self.build_game()

    def build_generator(self):
        """Generator: codes (batch, latent_dim) to pictures (batch, *img_shape) in [-1, 1]."""
        z = keras.Input((self.latent_dim,))
        return keras.Model(z, dcgan_generator(z, self.img_shape, self.gf), name="generator")

    def build_discriminator(self):
        """Discriminator: pictures (batch, *img_shape) to a logit each, (batch, 1)."""
        img = keras.Input(self.img_shape)
        return keras.Model(img, dcgan_discriminator(img, self.df), name="discriminator")

    def interpolate(self, z0, z1, n=10, path=None):
        """Saves the pictures on the way from one code to another as a strip, and as an animation beside it.

        The way is an arc (White, 2016): the codes between are as long as codes are, which those on
        a straight line are not.

        Args:
            z0, z1: codes (latent_dim,), such as `gan.fixed_noise[3]`, the fourth picture of the grids.
            n: pictures, at least 2, the first that of z0, the last that of z1.
            path: the PNG file; the GIF has its name with `.gif`. None: `interpolation.png` in the run's folder.

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

    def arithmetic(self, plus, minus, other, n=10, path=None):
        """Saves what vector arithmetic gives: mean(plus) - mean(minus) + mean(other), as a strip.

        The strip shows the pictures of the three means and of the result. The animation beside it
        goes from the third to the result: what the difference adds, little by little.

        Args:
            plus, minus, other: codes (k, latent_dim) each, of pictures that share something to see;
                three or more a group, since single codes give no stable result (section 6.3.2 of the paper).
            n: pictures of the animation, at least 2.
            path: the PNG file; the GIF has its name with `.gif`. None: `arithmetic.png` in the run's folder.

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

    def save_strip(self, path, images, frames):
        """Saves pictures side by side as a PNG file, and frames as a GIF file beside it; returns the former's path."""
        path = Path(path)
        save_sheet(path, [images])
        save_animation(path.with_suffix(".gif"), frames)
        return path


def slerp(z0, z1, share):
    """The code at this share (0 to 1) of the arc from z0 to z1; on a line where there is no arc."""
    cosine = np.dot(z0, z1) / max(np.linalg.norm(z0) * np.linalg.norm(z1), 1e-12)
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-6:
        return (1 - share) * z0 + share * z1
    return (np.sin((1 - share) * angle) * z0 + np.sin(share * angle) * z1) / np.sin(angle)


if __name__ == "__main__":
    cli.run(DCGAN, arguments)
