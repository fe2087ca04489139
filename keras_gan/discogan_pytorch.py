"""DiscoGAN of the PyTorch post: other networks, and loss terms averaged over both directions.

    python -m keras_gan.discogan_pytorch                                   edges to shoes, as in the post
    python -m keras_gan.discogan_pytorch --distance cosine
    python -m keras_gan.discogan_pytorch --adversarial-loss mse --distance mae

Two generators, G_AB and G_BA, and a discriminator for each domain. With a distance d, the generators minimise the mean
over both directions of

    cross-entropy(D_B(G_AB(A)), 1)      fakes look real
    + d(G_BA(G_AB(A)), A)               a round trip changes nothing
    + d(G_AB(A), B)                     each fake matches the other half of its pair

D_A and D_B are updated first. They learn to tell real pictures (1) from fakes (0), each in one update on both.

Kim et al., 2017 (https://arxiv.org/abs/1703.05192), in the version of the PyTorch post: U-Nets of six downs with
transposed convolutions; norms without parameters, before the activation. The post explains the program
https://github.com/eriklindernoren/PyTorch-GAN (implementations/discogan). The Keras post's DiscoGAN is in discogan.py.
"""

if __name__ == "__main__":  # answer --help and bad options before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

from typing import Any

import keras
from keras import layers, ops

from keras_gan.adversarial import Combined, TwoWayModel, losses, once
from keras_gan.data.paired import DataLoader
from keras_gan.errors import BadValueError, check_at_least, check_share, check_weight
from keras_gan.layers import Conv2D, Conv2DTranspose, LeakyReLU
from keras_gan.networks import full, plain_norm, torch_uniform


class DiscoGANPyTorch(TwoWayModel):
    """Two U-Nets that translate between domains A and B, and two PatchGANs that judge them.

    `d_A`, `d_B` and `combined` are compiled Keras models; `g_AB` and `g_BA` are the result.

    Args:
        img_shape: (height, width, channels); height and width are multiples of 64.
        shape_A: shape of domain A, if it is not img_shape, such as 64x64x1 for gray pictures.
        shape_B: shape of domain B, if it is not img_shape.
        gf: filters in the generators' first layer.
        df: filters in the discriminators' first layer.
        dropout: dropout rate in downs 3 to 6 and ups 1 to 3.
        adversarial_loss: bce (cross-entropy on logits), mse (least squares), hinge or wgan-gp.
        distance: loss of reconstructions and translations: mse, mae, cosine or hinge.
        direction: AtoB or BtoA: whether domain A is the left or the right half of a pair.
        adversarial_weight: weight of the adversarial terms.
        translation_weight: weight of the distance to the other half of the pair; 0: pairs are not used.
        reconstruction_weight: weight of the distance after the round trip.
        **options: data, optimizers, seed and output, see `TranslationModel`; and the errors raised.
    """

    TRAIN = {"epochs": 20, "batch_size": 1, "sample_interval": 200}
    QUICK = {"model": {"gf": 32, "df": 32}, "train": {"epochs": 10, "steps_per_epoch": 200, "batch_size": 4}}

    def __init__(
        self,
        img_shape: tuple = (64, 64, 3),
        shape_A: tuple | None = None,
        shape_B: tuple | None = None,
        gf: int = 64,
        df: int = 64,
        dropout: float = 0.5,
        adversarial_loss: str = "bce",
        distance: str = "mse",
        direction: str = "AtoB",
        adversarial_weight: float = 1.0,
        translation_weight: float = 1.0,
        reconstruction_weight: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(name="discogan_pytorch", adversarial_loss=adversarial_loss, **options)
        check_at_least(1, gf=gf, df=df)
        self.take_shapes(img_shape, shape_A, shape_B)
        self.gf, self.df, self.dropout = gf, df, check_share(dropout=dropout)
        height, width, _ = self.shape_A
        if height % 64 or width % 64 or min(height, width) < 64:
            raise BadValueError(
                f"image size {height}x{width}: six halvings need multiples of 64, such as 64x64 or 128x128."
            )
        check_weight(adversarial_weight=adversarial_weight, translation_weight=translation_weight)
        check_weight(reconstruction_weight=reconstruction_weight)
        weights = [adversarial_weight] * 2 + [translation_weight] * 2 + [reconstruction_weight] * 2
        d = losses.distance(distance)
        self.data_loader = DataLoader(direction=direction, **self.options_of_pairs)

        optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-8)  # PyTorch's epsilon

        # Build and compile the discriminators (the post halves the sum of their losses; Adam's step is the same)
        self.d_A = self.build_discriminator(self.shape_A, name="d_A")
        self.d_B = self.build_discriminator(self.shape_B, name="d_B")
        self.discriminators = [self.d_A, self.d_B]
        for discriminator in self.discriminators:
            score = self.adversarial("bce")
            discriminator.compile(loss=score.d_loss, optimizer=self.d_optimizer(optimizer), metrics=[score.accuracy])

        # Build the generators, and compile the adversarial model that trains them
        self.g_AB = self.build_generator(self.shape_A, self.shape_B, name="g_AB")
        self.g_BA = self.build_generator(self.shape_B, self.shape_A, name="g_BA")
        self.combined = self.build_combined()
        self.combined.compile(
            loss=[score.g_loss, score.g_loss, d, d, d, d],
            loss_weights=[0.5 * weight for weight in weights],  # averages over both directions
            optimizer=self.g_optimizer(optimizer),
        )

    def build_combined(self) -> Combined:
        """The adversarial model: (A, B) to the verdicts on both fakes, the fakes, and their reconstructions."""
        img_A, img_B = keras.Input(self.shape_A), keras.Input(self.shape_B)
        fake_B, fake_A = once(self.g_AB(img_A)), once(self.g_BA(img_B))
        verdicts = {"valid_A": self.d_A(self.shown(fake_A)), "valid_B": self.d_B(self.shown(fake_B))}
        outputs = verdicts | {"fake_B": fake_B, "fake_A": fake_A}
        outputs |= {"reconstr_A": self.g_BA(fake_B), "reconstr_B": self.g_AB(fake_A)}
        return Combined([img_A, img_B], outputs, fakes=[fake_A, fake_B], trains=[self.g_AB, self.g_BA])

    def build_generator(self, shape: tuple, target_shape: tuple, name: str | None = None) -> Any:
        """U-Net generator: (batch, *shape) to (batch, *target_shape) in [-1, 1]; 29,241,731 parameters."""

        def down(x, filters, normalization=True, dropout=0.0):
            x = Conv2D(filters, 4, 2, "same", kernel_initializer=torch_uniform())(x)
            x = plain_norm(x) if normalization else x
            x = LeakyReLU(negative_slope=0.2)(x)
            return layers.Dropout(dropout)(x) if dropout else x

        def up(x, skip_input, filters, dropout=0.0):
            x = Conv2DTranspose(filters, 4, 2, "same", kernel_initializer=torch_uniform())(x)
            x = layers.ReLU()(plain_norm(x))
            x = layers.Dropout(dropout)(x) if dropout else x
            return layers.Concatenate()([x, skip_input])

        img, gf, dropout = keras.Input(shape), self.gf, self.dropout
        d1 = down(img, gf, normalization=False)
        d2 = down(d1, gf * 2)
        d3 = down(d2, gf * 4, dropout=dropout)
        d4 = down(d3, gf * 8, dropout=dropout)
        d5 = down(d4, gf * 8, dropout=dropout)
        d6 = down(d5, gf * 8, normalization=False, dropout=dropout)
        u1 = up(d6, d5, gf * 8, dropout)
        u2 = up(u1, d4, gf * 8, dropout)
        u3 = up(u2, d3, gf * 4, dropout)
        u4 = up(u3, d2, gf * 2)
        u5 = up(u4, d1, gf)
        return keras.Model(img, last(layers.UpSampling2D(2)(u5), target_shape[2], "tanh"), name=name)

    def build_discriminator(self, shape: tuple, name: str | None = None) -> Any:
        """PatchGAN: (batch, *shape) to one verdict per patch, (batch, H / 8, W / 8, 1); 662,977 parameters."""
        x = img = keras.Input(shape)
        for multiple in (1, 2, 4):
            x = Conv2D(self.df * multiple, 4, 2, "same", kernel_initializer=torch_uniform())(x)
            x = LeakyReLU(negative_slope=0.2)(plain_norm(x) if multiple > 1 else x)
        return keras.Model(img, last(x, 1), name=name)

    # One iteration, run by adversarial/step.py: fakes once, then each discriminator, then the generators.

    def discriminator_batches(self, batch: list[Any], fakes: list[Any]) -> list[tuple[Any, Any, Any]]:
        """One update of each discriminator, on a joined batch of originals (1) and translations (0)."""
        batches = []
        for discriminator, imgs, translations in zip(self.discriminators, batch, fakes, strict=True):
            valid = ops.ones((ops.shape(imgs)[0], *discriminator.output_shape[1:]))
            labels = ops.concatenate([valid, ops.zeros_like(valid)], axis=0)
            batches.append((discriminator, ops.concatenate([imgs, translations], axis=0), labels))
        return batches

    def generator_targets(self, batch: list[Any]) -> list[Any]:
        """The targets of `combined`, in the order of its outputs."""
        imgs_A, imgs_B = batch
        valid = ops.ones((ops.shape(imgs_A)[0], *self.d_A.output_shape[1:]))
        return [valid, valid, imgs_B, imgs_A, imgs_A, imgs_B]


def last(x: Any, filters: int, activation: str | None = None) -> Any:
    """The last convolution of both networks. It pads (2, 1), like the post; "same" would pad (1, 2)."""
    x = layers.ZeroPadding2D(((2, 1), (2, 1)))(x)
    return Conv2D(filters, 4, activation=activation, kernel_initializer=torch_uniform(), dtype=full())(x)


if __name__ == "__main__":
    cli.run(DiscoGANPyTorch, arguments)
