"""Pix2Pix: learns to translate pictures, from pairs.

    python -m keras_gan.pix2pix                                           drawings to shoes
    python -m keras_gan.pix2pix --dataset facades --direction BtoA        labels to photos, as in the paper
    python -m keras_gan.pix2pix --dataset photos --colour lab             gray to colour, keeping the lightness
    python -m keras_gan.pix2pix --quick                                   small: minutes instead of hours

One generator G, and a discriminator D that sees the original x together with its partner y or the fake G(x). G
minimises

    - log D(x, G(x)) + 100 |G(x) - y|

With `gan_loss="lsgan"`, (D(x, G(x)) - 1)^2 replaces the first term. D learns to tell real pairs (1) from fake pairs
(0), patch by patch.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", 2017
(https://arxiv.org/abs/1611.07004): U-Net, 70x70 PatchGAN, dropout as noise.
"""

if __name__ == "__main__":  # answer --help and bad options before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
from keras import layers, ops

from keras_gan.adversarial.combined import Combined, once
from keras_gan.adversarial.losses import choose
from keras_gan.adversarial.translation import TranslationModel, l1
from keras_gan.data.paired import DataLoader
from keras_gan.errors import BadValueError, check_at_least, check_sides, check_switch, check_weight
from keras_gan.images.grids import save_grid
from keras_gan.networks import GENERATORS, NORMS, affine_norm, batch_norm, patchgan_70


class Pix2Pix(TranslationModel):
    """A generator that translates pictures, and a PatchGAN that judges original and translation together.

    `discriminator` and `combined` are compiled Keras models; `generator` is the result.

    Args:
        img_shape: (height, width, channels) of the pictures; height and width are multiples of 8, of 4 for a ResNet, at
            least 24; channels other than 1 or 3 must match the files.
        shape_A: shape of the originals, if it is not img_shape, such as 256x256x1 for gray pictures.
        shape_B: shape of the translations, if it is not img_shape.
        colour: rgb, or, to colour gray pictures, lab or ycbcr: the generator makes only colours (a and b of CIE Lab, or
            Cb and Cr), and the lightness of the gray picture is kept. A then has one channel, B three.
        gf: filters in the generator's first layer.
        df: filters in the discriminator's first layer.
        direction: AtoB or BtoA: translate from the left half of a pair to the right half, or from right to left.
        gan_loss: vanilla (cross-entropy, as in the paper) or lsgan (least squares), the authors' names of bce and mse.
        l1_weight: weight of the L1 distance to the partner.
        generator: unet (up to eight halvings) or resnet, that of CycleGAN's paper, with dropout.
        norm: of both networks, as in the authors' program: instance, batch or none; default: instance with scale and
            offset in the generator, batch in the discriminator.
        dropout: whether samples also use the generator's dropout, as in the paper.
        augment: whether to enlarge training pictures by 286/256 and crop them at random.
        **options: data, optimizers, seed and output, see `TranslationModel`; and the errors raised.
    """

    without_batch_norm = "add norm=instance or norm=none"
    TRAIN = {"epochs": 200, "batch_size": 1, "sample_interval": 200}
    QUICK = {
        "model": {"img_shape": (128, 128, 3), "gf": 32, "df": 32},
        "train": {"epochs": 10, "steps_per_epoch": 200, "batch_size": 4, "sample_interval": 100},
    }

    def __init__(
        self,
        img_shape: tuple = (256, 256, 3),
        shape_A: tuple | None = None,
        shape_B: tuple | None = None,
        colour: str = "rgb",
        gf: int = 64,
        df: int = 64,
        direction: str = "AtoB",
        gan_loss: str = "vanilla",
        l1_weight: float = 100.0,
        generator: str = "unet",
        norm: str | None = None,
        dropout: bool = False,
        augment: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(name="pix2pix", **options)
        check_at_least(1, gf=gf, df=df)
        check_weight(l1_weight=l1_weight)
        check_switch(dropout=dropout, augment=augment)
        self.take_shapes(img_shape, shape_A, shape_B, colour)
        self.gf, self.df, self.dropout = gf, df, dropout
        score = self.adversarial(choose("gan_loss", gan_loss, {"vanilla": "bce", "lsgan": "mse"}))
        if gan_loss != "vanilla" and self.rules.adversarial_loss:
            raise BadValueError(f"gan_loss={gan_loss} and adversarial_loss name two losses: leave gan_loss out.")
        self.network = choose("generator", generator, GENERATORS)
        height, width, _ = self.shape_A
        check_sides(height, width, multiple=8 if generator == "unet" else 4, least=24)
        self.norms = [affine_norm, batch_norm] if norm is None else [choose("norm", norm, NORMS)] * 2
        self.data_loader = DataLoader(direction=direction, augment=augment, **self.options_of_pairs)

        adam = keras.optimizers.Adam(2e-4, beta_1=0.5)

        # Build and compile the discriminator
        self.discriminator = self.build_discriminator()
        self.discriminators = [self.discriminator]
        self.discriminator.compile(loss=score.d_loss, optimizer=self.d_optimizer(adam), metrics=[score.accuracy])

        # Build the generator, and compile the adversarial model that trains it
        self.generator = self.build_generator()
        self.combined = self.build_combined()
        self.combined.compile(loss=[score.g_loss, "mae"], loss_weights=[1, l1_weight], optimizer=self.g_optimizer(adam))

    def build_combined(self) -> Combined:
        """The adversarial model: an original to the verdict on its translation, and the translation."""
        img = keras.Input(self.shape_A)
        fake = once(self.generator(img))
        valid = self.discriminator(self.shown([img, fake]))
        return Combined([img], {"valid": valid, "fake": fake}, fakes=[fake], trains=[self.generator])

    def build_generator(self) -> Any:
        """Generator: (batch, *shape_A) to (batch, *shape_B) in [-1, 1]; a U-Net has 54,413,955 parameters at 256x256x3.

        Unless chosen, its norm is InstanceNormalization. It equals the paper's batch norm at batch size 1, in training
        and inference, and the result for a picture does not depend on the rest of its batch.
        """
        options: dict[str, Any] = {"dropout": True, "name": "generator"}
        return self.coloured(self.network(self.shape_A, self.drawn_shape[2], self.gf, self.norms[0], **options))

    def build_discriminator(self) -> Any:
        """70x70 PatchGAN: [original, partner or fake] to one verdict per patch; 2,768,705 trainable parameters."""
        img, translation = keras.Input(self.shape_A), keras.Input(self.shape_B)
        pair = layers.Concatenate()([img, translation])
        patchgan = patchgan_70(pair.shape[1:], self.df, self.norms[1])
        return keras.Model([img, translation], patchgan(pair), name="discriminator")

    def generator_inputs(self, batch: list[Any]) -> list[Any]:
        return batch[:1]

    def discriminator_batches(self, batch: list[Any], fakes: list[Any]) -> list[tuple[Any, Any, Any]]:
        """Two discriminator updates: on original and partner (real = 1), then on original and fake (fake = 0)."""
        imgs, partners = batch
        valid = ops.ones((ops.shape(imgs)[0], *self.discriminator.output_shape[1:]))
        return [
            (self.discriminator, [imgs, partners], valid),
            (self.discriminator, [imgs, *fakes], ops.zeros_like(valid)),
        ]

    def generator_targets(self, batch: list[Any]) -> list[Any]:
        """The targets of `combined`, in the order of its outputs."""
        _, partners = batch
        return [ops.ones((ops.shape(partners)[0], *self.discriminator.output_shape[1:])), partners]

    def sample_images(self, epoch: int, batch_i: int) -> Path:
        """Saves original, translation and partner of three test pairs as `images/{epoch}_{batch_i}.png`."""
        imgs, partners = self.data_loader.load_data(batch_size=3, is_testing=True)
        rows = list(zip(*self.translations(imgs, partners).values(), strict=True))
        path = self.run_folder / "images" / f"{epoch}_{batch_i}.png"
        save_grid(path, rows, titles=["Original", "Translated", "Partner"])
        return path

    def translations(self, imgs: Any, partners: Any) -> dict[str, Any]:
        return {"A": imgs, "A to B": self.generator(imgs, training=self.dropout), "B": partners}

    def held_out_figures(self, translations: Mapping[str, Any]) -> dict[str, float]:
        """L1 of the translations against the partners."""
        return {"L1_A_to_B": l1(translations["A to B"], translations["B"])}


if __name__ == "__main__":
    cli.run(Pix2Pix, arguments)
