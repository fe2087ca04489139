"""DiscoGAN: learns to translate between two kinds of pictures, in both directions at once.

    python -m keras_gan.discogan                                  edges to shoes, as in the post
    python -m keras_gan.discogan --quick                          the same, small: minutes instead of hours
    python -m keras_gan.discogan --dataset PATH/TO/FOLDER --batch-size 4

Two generators, G_AB and G_BA, and a discriminator for each domain. The generators minimise

    (D_A(G_BA(B)) - 1)^2 + (D_B(G_AB(A)) - 1)^2             fakes look real
    + |G_AB(A) - B| + |G_BA(B) - A|                         each fake matches the other half of its pair
    + |G_BA(G_AB(A)) - A| + |G_AB(G_BA(B)) - B|             a round trip changes nothing

D_A and D_B learn to tell real pictures (1) from fakes (0), patch by patch.

Kim et al., "Learning to Discover Cross-Domain Relations with Generative Adversarial Networks", 2017
(https://arxiv.org/abs/1703.05192), in the version of the Keras post: U-Nets, least squares, paired training. The
paper's unpaired version is in discogan_paper.py. The post: https://github.com/FullMooney/py_studies (discoGAN.md).
"""

if __name__ == "__main__":  # answer --help and bad options before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

from typing import Any

import keras
from keras import layers, ops

from keras_gan.adversarial import Combined, TwoWayModel, once
from keras_gan.data.paired import DataLoader
from keras_gan.errors import check_at_least, check_share, check_weight
from keras_gan.layers import Conv2D, InstanceNormalization, LeakyReLU, UpsampleConv2D
from keras_gan.networks import full, unet_depth


class DiscoGAN(TwoWayModel):
    """Two U-Nets that translate between domains A and B, and two PatchGANs that judge them.

    `d_A`, `d_B` and `combined` are compiled Keras models; `g_AB` and `g_BA` are the result.

    Args:
        img_shape: (height, width, channels); height and width are multiples of 8.
        shape_A: shape of domain A, if it is not img_shape, such as 128x128x1 for gray pictures.
        shape_B: shape of domain B, if it is not img_shape.
        gf: filters in the generators' first layer.
        df: filters in the discriminators' first layer.
        direction: AtoB or BtoA: whether domain A is the left or the right half of a pair.
        adversarial_weight: weight of the adversarial terms.
        translation_weight: weight of the L1 distance to the other half of the pair; 0: pairs are not used.
        reconstruction_weight: weight of the L1 distance after the round trip.
        dropout: dropout rate in the U-Net, from the third down on and in the first three ups.
        **options: data, optimizers, seed and output, see `TranslationModel`; and the errors raised.
    """

    TRAIN = {"epochs": 20, "batch_size": 1, "sample_interval": 200}  # as in the post
    QUICK = {
        "model": {"img_shape": (64, 64, 3), "gf": 32, "df": 32, "translation_weight": 50.0, "learning_rate": 5e-4},
        "train": {"epochs": 10, "steps_per_epoch": 200, "batch_size": 4, "ema": 0.99, "schedule": "linear"},
    }

    def __init__(
        self,
        img_shape: tuple = (128, 128, 3),
        shape_A: tuple | None = None,
        shape_B: tuple | None = None,
        gf: int = 64,
        df: int = 64,
        direction: str = "AtoB",
        adversarial_weight: float = 1.0,
        translation_weight: float = 1.0,
        reconstruction_weight: float = 1.0,
        dropout: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(name="discogan", **options)
        # Input shape
        self.take_shapes(img_shape, shape_A, shape_B)
        self.img_rows, self.img_cols, self.channels = self.img_shape
        self.depth = unet_depth(self.img_rows, self.img_cols, deepest=7)
        # Number of filters in the first layers of G and D
        check_at_least(1, gf=gf, df=df)
        self.gf, self.df, self.dropout = gf, df, check_share(dropout=dropout)
        check_weight(adversarial_weight=adversarial_weight, translation_weight=translation_weight)
        check_weight(reconstruction_weight=reconstruction_weight)

        # Configure data loader
        self.data_loader = DataLoader(direction=direction, **self.options_of_pairs)
        self.dataset_name = self.data_loader.dataset_name
        optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5)

        # Build and compile the discriminators
        self.d_A = self.build_discriminator(self.shape_A, name="d_A")
        self.d_B = self.build_discriminator(self.shape_B, name="d_B")
        self.discriminators = [self.d_A, self.d_B]
        for discriminator in self.discriminators:
            score = self.adversarial("mse")
            discriminator.compile(loss=score.d_loss, optimizer=self.d_optimizer(optimizer), metrics=[score.accuracy])
        self.disc_patch = self.d_A.output_shape[1:]  # (8, 8, 1) at 128x128

        # Build the generators
        self.g_AB = self.build_generator(self.shape_A, self.shape_B, name="g_AB")
        self.g_BA = self.build_generator(self.shape_B, self.shape_A, name="g_BA")

        # Combined model trains generators to fool discriminators
        self.combined = self.build_combined()
        self.combined.compile(
            loss=[score.g_loss, score.g_loss, "mae", "mae", "mae", "mae"],
            loss_weights=[adversarial_weight] * 2 + [translation_weight] * 2 + [reconstruction_weight] * 2,
            optimizer=self.g_optimizer(optimizer),
        )

    def build_combined(self) -> Combined:
        """The adversarial model: (A, B) to the verdicts on both fakes, the fakes, and their reconstructions."""
        # Input images from both domains
        img_A = keras.Input(self.shape_A)
        img_B = keras.Input(self.shape_B)
        # Translate images to the other domain
        fake_B = once(self.g_AB(img_A))
        fake_A = once(self.g_BA(img_B))
        # Translate images back to original domain
        reconstr_A = self.g_BA(fake_B)
        reconstr_B = self.g_AB(fake_A)
        # Discriminators determine validity of translated images
        verdicts = {"valid_A": self.d_A(self.shown(fake_A)), "valid_B": self.d_B(self.shown(fake_B))}
        outputs = verdicts | {"fake_B": fake_B, "fake_A": fake_A}
        outputs |= {"reconstr_A": reconstr_A, "reconstr_B": reconstr_B}
        return Combined([img_A, img_B], outputs, fakes=[fake_A, fake_B], trains=[self.g_AB, self.g_BA])

    def build_generator(self, shape: tuple, target_shape: tuple, name: str | None = None) -> Any:
        """U-Net generator: (batch, *shape) to (batch, *target_shape) in [-1, 1]."""

        def conv2d(layer_input, filters, normalization=True, dropout=0.0):
            """Layers used during downsampling"""
            d = Conv2D(filters, kernel_size=4, strides=2, padding="same")(layer_input)
            d = LeakyReLU(negative_slope=0.2)(d)
            d = normalize(d) if normalization else d
            return layers.Dropout(dropout)(d) if dropout else d

        def deconv2d(layer_input, skip_input, filters, dropout=0.0):
            """Layers used during upsampling"""
            u = UpsampleConv2D(filters, kernel_size=4, activation="relu")(layer_input)
            u = InstanceNormalization()(u)
            u = layers.Dropout(dropout)(u) if dropout else u
            return layers.Concatenate()([u, skip_input])

        d0 = keras.Input(shape)
        filters = [self.gf * multiple for multiple in (1, 2, 4, 8, 8, 8, 8)[: self.depth]]

        # Downsampling, to 1x1 at 128x128
        x = conv2d(d0, filters[0], normalization=False)
        skips = [x]
        for level, width in enumerate(filters[1:], 2):
            x = conv2d(x, width, dropout=self.dropout if level > 2 else 0.0)
            skips.append(x)

        # Upsampling, concatenated with the map of the same size
        skips.pop()
        for number, width in enumerate(reversed(filters[:-1])):
            x = deconv2d(x, skips.pop(), width, dropout=self.dropout if number < 3 else 0.0)
        output_img = UpsampleConv2D(target_shape[2], kernel_size=4, activation="tanh", dtype=full())(x)
        return keras.Model(d0, output_img, name=name)

    def build_discriminator(self, shape: tuple, name: str | None = None) -> Any:
        """PatchGAN: (batch, *shape) to one verdict per patch, (batch, H / 16, W / 16, 1)."""

        def d_layer(layer_input, filters, normalization=True):
            """Discriminator layer"""
            d = Conv2D(filters, kernel_size=4, strides=2, padding="same")(layer_input)
            d = LeakyReLU(negative_slope=0.2)(d)
            return normalize(d) if normalization else d

        img = keras.Input(shape)
        d1 = d_layer(img, self.df, normalization=False)
        d2 = d_layer(d1, self.df * 2)
        d3 = d_layer(d2, self.df * 4)
        d4 = d_layer(d3, self.df * 8)
        validity = Conv2D(1, kernel_size=4, strides=1, padding="same", dtype=full())(d4)
        return keras.Model(img, validity, name=name)

    # One iteration, run by adversarial/step.py: fakes once, then each discriminator, then the generators.

    def discriminator_batches(self, batch: list[Any], fakes: list[Any]) -> list[tuple[Any, Any, Any]]:
        """(discriminator, x, y) of each update, in the post's order: originals are real (1), translations fake (0)."""
        valid = ops.ones((ops.shape(batch[0])[0], *self.disc_patch))
        fake = ops.zeros_like(valid)
        (imgs_A, imgs_B), (fake_A, fake_B) = batch, fakes
        batches_A = [(self.d_A, imgs_A, valid), (self.d_A, fake_A, fake)]
        return [*batches_A, (self.d_B, imgs_B, valid), (self.d_B, fake_B, fake)]

    def generator_targets(self, batch: list[Any]) -> list[Any]:
        """The targets of `combined`, in the order of its outputs."""
        imgs_A, imgs_B = batch
        valid = ops.ones((ops.shape(imgs_A)[0], *self.disc_patch))
        return [valid, valid, imgs_B, imgs_A, imgs_A, imgs_B]


def normalize(x: Any) -> Any:
    """InstanceNormalization, except on 1x1 maps, where it would return its bias for any input."""
    return x if tuple(x.shape[1:3]) == (1, 1) else InstanceNormalization()(x)


if __name__ == "__main__":
    cli.run(DiscoGAN, arguments)
