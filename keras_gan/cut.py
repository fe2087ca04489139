"""CUT: learns to translate one way between two kinds of pictures without pairs, patch by patch.

    python -m keras_gan.cut                                               drawn apples to oranges
    python -m keras_gan.cut --fast --dataset horse2zebra                  FastCUT: a lighter game
    python -m keras_gan.cut --dataset APPLES --dataset-B BANANAS          two folders of pictures
    python -m keras_gan.cut --dataset horse2zebra --image-size 256 --augment --epochs 200 --decay-epochs 200

One generator G, a discriminator D, and small heads H on the features of G's first half. There is no way back. G and H
minimise

    (D(G(A)) - 1)^2                                                  fakes look real
    + 1/2 NCE(A, G(A)) + 1/2 NCE(B, G(B))                            patches stay recognizable

NCE, the contrastive loss: of 256 patches of a picture, which one became this patch of its translation? With `fast`
(FastCUT) the second line is 10 NCE(A, G(A)). D learns to tell pictures of B (1) from fakes (0), patch by patch.

Park, Efros, Zhang, Zhu, "Contrastive Learning for Unpaired Image-to-Image Translation", 2020
(https://arxiv.org/abs/2007.15651), and the authors' program.
"""

if __name__ == "__main__":  # answer --help and bad options before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
from keras import layers, ops

from keras_gan import backend
from keras_gan.adversarial.combined import Combined, once
from keras_gan.adversarial.losses import patch_nce
from keras_gan.adversarial.translation import TranslationModel, join, verdicts
from keras_gan.errors import BadValueError, check_at_least, check_switch, check_weight, is_number
from keras_gan.images.grids import save_grid
from keras_gan.layers import Coin, SamePatches, mirrored
from keras_gan.networks import full, patchgan_70, resnet, resnet_encoder, xavier


class CUT(TranslationModel):
    """A generator that translates pictures, a 70x70 PatchGAN that judges them, and heads that compare patches.

    `discriminator` and `combined` are compiled Keras models; `generator` is the result. The discriminator is updated
    before the generator and the heads, which share an optimizer.

    Args:
        img_shape: (height, width, channels) of both domains; height and width are multiples of 4, at least 24.
        direction: AtoB or BtoA: translate from the first set of pictures to the second, or from second to first.
        fast: FastCUT: contrastive weight 10, no identity, and half of the originals mirrored.
        identity: whether pictures of B are translated and compared, too; default: on, but for FastCUT off.
        nce_weight: weight of the contrastive loss; default: 1, for FastCUT 10.
        patches: number of patches that are compared in each of five feature maps.
        temperature: divides the similarities in the contrastive loss.
        augment: whether to enlarge training pictures by 286/256 and crop them at random.
        gf: filters in the generator's first layer.
        df: filters in the discriminator's first layer.
        **options: data, optimizers, seed and output, see `TranslationModel`; and the errors raised.
    """

    TRAIN = {"epochs": 100, "batch_size": 1, "sample_interval": 200}
    QUICK = {
        "model": {"img_shape": (48, 48, 3)},
        "train": {"epochs": 19, "steps_per_epoch": 100, "sample_interval": 100, "schedule": "linear", "ema": 0.99},
    }

    def __init__(
        self,
        img_shape: tuple = (128, 128, 3),
        direction: str = "AtoB",
        fast: bool = False,
        identity: bool | None = None,
        nce_weight: float | None = None,
        patches: int = 256,
        temperature: float = 0.07,
        augment: bool = False,
        gf: int = 64,
        df: int = 64,
        **options: Any,
    ) -> None:
        super().__init__(name="cut", **options)
        check_at_least(1, gf=gf, df=df)
        check_at_least(2, patches=patches)
        kept = not fast if identity is None else identity
        check_switch(fast=fast, identity=kept)
        weight = (10.0 if fast else 1.0) if nce_weight is None else nce_weight
        check_weight(nce_weight=weight)
        if not is_number(temperature) or temperature <= 0:
            raise BadValueError(f"temperature must be a number above 0, not {temperature!r}.")
        self.fast, self.patches, self.temperature, self.gf, self.df = fast, patches, temperature, gf, df
        self.open_unpaired(img_shape, None, img_shape, False, 4, 24, direction=direction, augment=augment)
        self.identity = kept
        (*_, of_A), (*_, of_B) = self.shape_A, self.shape_B
        if of_A != of_B:  # one encoder looks at both
            raise BadValueError(f"CUT needs equal channels, not {of_A} (A) and {of_B} (B): CycleGANPaper takes both.")
        adam = keras.optimizers.Adam(2e-4, beta_1=0.5)

        # Build and compile the discriminator
        self.discriminator = self.build_discriminator()
        self.discriminators = [self.discriminator]
        score = self.adversarial("mse")
        self.discriminator.compile(loss=score.d_loss, optimizer=self.d_optimizer(adam), metrics=[score.accuracy])

        # Build the generator and the heads, and compile the adversarial model that trains them
        self.generator = resnet(self.shape_A, self.shape_B[2], gf, name="generator", start=xavier)
        self.heads = self.build_heads()
        self.combined = self.build_combined()
        weights = [weight / 2, weight / 2] if self.identity else [weight]
        losses = [score.g_loss, *["mae" for _ in weights]]  # "nce" is a loss already, never negative: its target is 0
        self.combined.compile(loss=losses, loss_weights=[1, *weights], optimizer=self.g_optimizer(adam))

    def build_discriminator(self) -> Any:
        """70x70 PatchGAN: (batch, *shape_B) to one verdict per patch, (batch, H / 8 - 2, W / 8 - 2, 1)."""
        return patchgan_70(self.shape_B, self.df, name="discriminator", start=xavier)

    def build_heads(self) -> Any:
        """Five heads: sampled features of each map to vectors of length 1, (batch, patches, 256).

        Two dense layers, the first with ReLU, for each map. Section 3.2; weights start as in the authors' program.
        """

        def dense(units: int, activation: str | None = None, dtype: str | None = None) -> Any:
            return layers.Dense(units, activation, kernel_initializer=xavier(), dtype=dtype)

        maps = resnet_encoder(self.generator).output_shape
        shapes = [(min(self.patches, height * width), channels) for _, height, width, channels in maps]
        inputs = [keras.Input(shape) for shape in shapes]
        vectors = [dense(256, dtype=full())(dense(256, "relu")(patches)) for patches in inputs]
        return keras.Model(inputs, [layers.UnitNormalization(dtype=full())(x) for x in vectors], name="heads")

    def build_combined(self) -> Combined:
        """The adversarial model: (A, B) to the verdicts on the fakes, and to their contrastive losses.

        Only FastCUT, which mirrors some originals before it translates them, encodes originals apart.
        """
        img_A, img_B = keras.Input(self.shape_A), keras.Input(self.shape_B)
        encoder = resnet_encoder(self.generator)
        generate = keras.Model(self.generator.input, [self.generator.output, *encoder.outputs])
        coin = once(Coin()(img_A)) if self.fast else None
        shown = img_A if coin is None else mirrored(img_A, coin)
        if self.identity:
            made, *maps = generate(join(shown, img_B))
            fake, kept = map(once, ops.split(made, 2))
            originals, ends = halves(maps)
        else:
            made, *originals = generate(shown)
            fake = once(made)
        originals = [once(x) for x in (originals if coin is None else encoder(img_A))]
        of_fake, of_kept = halves(encoder(join(fake, kept))) if self.identity else (encoder(fake), [])
        of_fake = of_fake if coin is None else [mirrored(x, coin) for x in of_fake]
        outputs = {"valid": self.discriminator(self.shown(fake)), "nce": self.nce(originals, of_fake)}
        fakes = [fake, *([] if coin is None else [coin]), *originals]
        if self.identity:
            fakes += [kept, *(ends := [once(x) for x in ends])]
            outputs["nce_identity"] = self.nce(ends, of_kept)
        return Combined([img_A, img_B], outputs, fakes, trains=[self.generator, self.heads])

    def nce(self, originals: Any, translations: Any) -> Any:
        """The contrastive loss of each picture in each feature map: maps of both, in order, to (batch, maps).

        The original's vectors are constants here: heads and encoder learn from the translation's alone.
        """
        pairs = [SamePatches(self.patches)(maps) for maps in zip(originals, translations, strict=True)]
        keys, queries = (self.heads([pair[side] for pair in pairs]) for side in (0, 1))
        return ops.stack([patch_nce(q, k, self.temperature) for q, k in zip(queries, keys, strict=True)], axis=-1)

    # One iteration, run by adversarial/step.py.

    def discriminator_batches(self, batch: list[Any], fakes: list[Any]) -> list[tuple[Any, Any, Any]]:
        """One update of the discriminator, on a joined batch of pictures of B (1) and fakes (0)."""
        return [(self.discriminator, join(batch[1], fakes[0]), join(*verdicts(self.discriminator, batch[1])))]

    def generator_targets(self, batch: list[Any]) -> list[Any]:
        """The targets of `combined`, in the order of its outputs."""
        valid, _ = verdicts(self.discriminator, batch[1])
        nothing = ops.zeros((ops.shape(batch[0])[0], *self.combined.output_shape[1][1:]))
        return [valid, nothing, *([nothing] if self.identity else [])]

    # Samples. Without pairs and without a way back, only FID and KID tell how good translations are.

    def sample_images(self, epoch: int, batch_i: int) -> Path:
        """Saves three test pictures and their translations as `images/{epoch}_{batch_i}.png`, with identities if on."""
        shown = self.translations(*self.data_loader.load_data(batch_size=3, is_testing=True))
        path = self.run_folder / "images" / f"{epoch}_{batch_i}.png"
        titles = ["Original", "Translated", "Target", "Identity"][: len(shown)]
        save_grid(path, list(zip(*shown.values(), strict=True)), titles)
        return path

    def translations(self, imgs_A: Any, imgs_B: Any) -> dict[str, Any]:
        """Originals and translations and, with identity, pictures of B and what the generator makes of them."""
        shown = {"A": imgs_A, "A to B": backend.predict(self.generator, imgs_A)}
        return shown | ({"B": imgs_B, "B kept": backend.predict(self.generator, imgs_B)} if self.identity else {})

    def held_out_figures(self, translations: Mapping[str, Any]) -> dict[str, float]:
        """None. (The contrastive loss is no such figure: a generator that changes nothing has the lowest.)"""
        return {}


def halves(maps: list[Any]) -> tuple[list[Any], list[Any]]:
    """Splits joined batches: the maps of the first, and those of the second."""
    first, second = zip(*(ops.split(x, 2) for x in maps), strict=True)
    return list(first), list(second)


if __name__ == "__main__":
    cli.run(CUT, arguments)
