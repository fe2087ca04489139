"""CycleGAN: learns to translate between two kinds of pictures without pairs.

    python -m keras_gan.cyclegan                                          drawn apples and oranges
    python -m keras_gan.cyclegan --dataset gray2colour --image-size 32    colouring, as in the notebook
    python -m keras_gan.cyclegan --dataset APPLES --dataset-B BANANAS     two folders of pictures

Two generators, G_AB and G_BA, and a discriminator for each domain. The generators minimise

    (D_A(G_BA(B)) - 1)^2 + (D_B(G_AB(A)) - 1)^2                      fakes look real
    + 10 (|G_BA(G_AB(A)) - A| + |G_AB(G_BA(B)) - B|)                 a round trip changes nothing
    + 0.5 (|G_BA(A) - A| + |G_AB(B) - B|)                            pictures of the target domain stay

D_A and D_B learn to tell real pictures (1) from fakes (0).

Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", 2017
(https://arxiv.org/abs/1703.10593), in the version of the Keras notebook: networks and loop for colouring CIFAR-10. The
notebook: https://github.com/hansong0219/Advanced-DeepLearning-Study (Cross-Domain/CycleGAN.ipynb). The paper's own
networks are in cyclegan_paper.py.
"""

if __name__ == "__main__":  # answer --help and bad options before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from keras_gan.adversarial.cycle import CycleModel
from keras_gan.errors import BadValueError, check_at_least, check_switch, check_weight
from keras_gan.layers import Conv2DTranspose, InstanceNormalization, LeakyReLU
from keras_gan.networks import full

ACTIVATIONS = {"lrelu": lambda: LeakyReLU(negative_slope=0.2), "relu": layers.ReLU}


class CycleGAN(CycleModel):
    """Two U-Nets that translate between domains A and B, and two discriminators that judge them.

    A is the source, B the target. The notebook's names: `g_AB`, A to B, is `g_target`; `g_BA`, B to A, is
    `g_source`; `d_A`, which judges A, is `d_source`; `d_B`, which judges B, is `d_target`; `combined` is
    `adversarial`.

    Args:
        img_shape: (height, width, channels) of both domains; height and width are multiples of 8, at least 16.
        shape_A: shape of domain A, if it is not img_shape, such as 32x32x1 for gray pictures.
        shape_B: shape of domain B, if it is not img_shape.
        colour: rgb, or, to colour gray pictures, lab or ycbcr: g_AB makes only colours (a and b of CIE Lab, or
            Cb and Cr), and the lightness of the gray picture is kept. A then has one channel, B three.
        kernel_size: height and width of the convolution kernels.
        activation: activation of the encoder layers: lrelu (LeakyReLU) or relu.
        instance_norm: whether the generators use InstanceNormalization.
        patchgan: whether the discriminators judge patches instead of whole pictures (off in the notebook's builder).
        identity: whether the identity terms are on; default: on if both domains have the same shape (off in the
            notebook's builder).
        pool_size: past fakes kept for each discriminator; the notebook keeps none.
        augment: whether to enlarge training pictures by 286/256 and crop them at random.
        gf: filters in the generators' first layer.
        df: filters in the discriminators' first layer.
        cycle_weight: weight of the L1 distance after the round trip.
        identity_weight: weight of the L1 distance of pictures that should stay; 0: no identity terms.
        **options: data, optimizers, seed and output, see `TranslationModel`; and the errors raised.
    """

    TRAIN = {"epochs": 100, "batch_size": 1, "sample_interval": 200}
    QUICK = {
        "model": {
            "img_shape": (64, 64, 3),
            "kernel_size": 4,
            "pool_size": 50,
            "cycle_weight": 5.0,
            "identity_weight": 2.0,
            "learning_rate": 5e-4,
        },
        "train": {"epochs": 25, "steps_per_epoch": 100, "batch_size": 1, "sample_interval": 100, "ema": 0.99},
    }

    def __init__(
        self,
        img_shape: tuple = (128, 128, 3),
        shape_A: tuple | None = None,
        shape_B: tuple | None = None,
        colour: str = "rgb",
        kernel_size: int = 3,
        activation: str = "lrelu",
        instance_norm: bool = True,
        patchgan: bool = True,
        identity: bool | None = None,
        pool_size: int = 0,
        augment: bool = False,
        gf: int = 32,
        df: int = 32,
        cycle_weight: float = 10.0,
        identity_weight: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(name="cyclegan", **options)
        check_at_least(1, kernel_size=kernel_size, gf=gf, df=df)
        check_switch(instance_norm=instance_norm, patchgan=patchgan)
        self.kernel_size, self.patchgan, self.instance_norm = kernel_size, patchgan, instance_norm
        self.gf, self.df = gf, df
        if activation not in ACTIVATIONS:
            raise BadValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {activation!r}.")
        self.activation = ACTIVATIONS[activation]
        check_weight(cycle_weight=cycle_weight, identity_weight=identity_weight)
        shapes, kept = (img_shape, shape_A, shape_B), identity if identity_weight else False
        options = {"multiple": 8, "least": 16, "colour": colour}
        self.open_unpaired(*shapes, kept, **options, value_range=(0, 1), augment=augment)
        self.build_game(rmsprop(2e-4, 6e-8), rmsprop(1e-4, 3e-8), cycle_weight, identity_weight, pool_size)

    def encoder(self, x: Any, filters: int, strides: int = 2) -> Any:
        """Pre-activation: norm and activation come before the convolution."""
        x = InstanceNormalization()(x) if self.instance_norm else x
        return layers.Conv2D(filters, self.kernel_size, strides=strides, padding="same")(self.activation()(x))

    def decoder(self, x: Any, paired: Any, filters: int, transposed: Callable[..., Any] = Conv2DTranspose) -> Any:
        x = InstanceNormalization()(x) if self.instance_norm else x
        x = transposed(filters, self.kernel_size, strides=2, padding="same")(layers.ReLU()(x))
        return layers.Concatenate()([x, paired])

    def build_generator(self, shape: tuple, target_shape: tuple, name: str | None = None) -> Any:
        """Pre-activation U-Net with three halvings: (batch, *shape) to (batch, *target_shape) in [0, 1].

        Layers on small maps are Keras' own: at 32x32 and batch size 32 this package's convolutions are not faster.
        """
        img = keras.Input(shape)
        e1 = self.encoder(img, self.gf, strides=1)
        e2 = self.encoder(e1, self.gf * 2)
        e3 = self.encoder(e2, self.gf * 4)
        e4 = self.encoder(e3, self.gf * 4)
        d1 = self.decoder(e4, e3, self.gf * 4, layers.Conv2DTranspose)
        d2 = self.decoder(d1, e2, self.gf * 2)
        d3 = self.decoder(d2, e1, self.gf * 2)
        last = Conv2DTranspose(target_shape[2], self.kernel_size, padding="same", activation="sigmoid", dtype=full())
        return keras.Model(img, last(d3), name=name)

    def build_discriminator(self, shape: tuple, name: str | None = None) -> Any:
        """(batch, *shape) to one verdict per patch, (batch, H / 16, W / 16, 1), or without `patchgan` (batch, 1)."""
        x = img = keras.Input(shape)
        for filters in (self.df, self.df * 2, self.df * 4, self.df * 8):
            x = LeakyReLU(negative_slope=0.2)(x)
            x = layers.Conv2D(filters, self.kernel_size, strides=2, padding="same")(x)
        if self.patchgan:
            x = LeakyReLU(negative_slope=0.2)(x)
            outputs = layers.Conv2D(1, self.kernel_size, padding="same", dtype=full())(x)
        else:
            outputs = layers.Dense(1, dtype=full())(layers.Flatten()(x))
        return keras.Model(img, outputs, name=name)


def rmsprop(learning_rate: float, decay: float) -> Any:
    """RMSprop with inverse time decay, rate / (1 + decay * step), like the `decay` of Keras 2."""
    return keras.optimizers.RMSprop(keras.optimizers.schedules.InverseTimeDecay(learning_rate, 1, decay))


if __name__ == "__main__":
    cli.run(CycleGAN, arguments)
