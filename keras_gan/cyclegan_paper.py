"""The paper's CycleGAN: learns to translate between two kinds of pictures without pairs.

    python -m keras_gan.cyclegan_paper --dataset horse2zebra              as in the paper
    python -m keras_gan.cyclegan_paper --image-size 64                    drawn shoes, small and fast
    python -m keras_gan.cyclegan_paper --dataset horse2zebra --image-size 256 --augment --decay-epochs 100

Two generators, G_AB and G_BA, and a discriminator for each domain. The generators minimise

    (D_A(G_BA(B)) - 1)^2 + (D_B(G_AB(A)) - 1)^2                      fakes look real
    + 10 (|G_BA(G_AB(A)) - A| + |G_AB(G_BA(B)) - B|)                 a round trip changes nothing
    + 5 (|G_BA(A) - A| + |G_AB(B) - B|)                              pictures of the target domain stay

D_A and D_B learn to tell real pictures (1) from fakes (0), patch by patch. Some of these fakes come from a pool of
past fakes.

Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", 2017
(https://arxiv.org/abs/1703.10593). The Keras notebook's CycleGAN is in cyclegan.py.
"""

if __name__ == "__main__":  # answer --help and bad options before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

from typing import Any

import keras
from keras import layers

from keras_gan.adversarial.cycle import CycleModel
from keras_gan.errors import check_at_least
from keras_gan.layers import Conv2D, Conv2DTranspose, ReflectionPadding2D
from keras_gan.networks import full, normal, patchgan_70, plain_norm


class CycleGANPaper(CycleModel):
    """Two ResNets that translate between domains A and B, and two 70x70 PatchGANs that judge them.

    `d_A`, `d_B` and `combined` are compiled Keras models; `g_AB` and `g_BA` are the result. The generators are
    updated before the discriminators.

    Args:
        img_shape: (height, width, channels) of both domains; height and width are multiples of 4, at least 24.
        shape_A: shape of domain A, if it is not img_shape.
        shape_B: shape of domain B, if it is not img_shape.
        identity: whether the identity terms are on; default: on if both domains have the same shape.
        pool_size: past fakes kept for each discriminator.
        augment: whether to enlarge training pictures by 286/256 and crop them at random.
        gf: filters in the generators' first layer.
        df: filters in the discriminators' first layer.
        **options: data, optimizers, seed and output, see `TranslationModel`; and the errors raised.
    """

    TRAIN = {"epochs": 100, "batch_size": 1, "sample_interval": 200}
    QUICK = {
        "model": {"img_shape": (48, 48, 3)},
        "train": {"epochs": 11, "steps_per_epoch": 100, "batch_size": 1, "sample_interval": 100},
    }

    def __init__(
        self,
        img_shape: tuple = (128, 128, 3),
        shape_A: tuple | None = None,
        shape_B: tuple | None = None,
        identity: bool | None = None,
        pool_size: int = 50,
        augment: bool = False,
        gf: int = 64,
        df: int = 64,
        **options: Any,
    ) -> None:
        super().__init__(name="cyclegan_paper", **options)
        check_at_least(1, gf=gf, df=df)
        self.gf, self.df = gf, df
        shapes = img_shape, shape_A, shape_B
        self.open_data(*shapes, identity, multiple=4, least=24, augment=augment)
        self.generators_first = True
        adam = keras.optimizers.Adam(2e-4, beta_1=0.5)
        self.build_game(adam, adam, identity_weight=5, pool_size=pool_size)

    def build_generator(self, shape: tuple, target_shape: tuple, name: str | None = None) -> Any:
        """ResNet generator: (batch, *shape) to (batch, *target_shape) in [-1, 1].

        A 7x7 convolution, two halvings, residual blocks at a quarter of the size (nine from 256x256 up, else six),
        two doublings, a 7x7 convolution. 11,378,179 parameters with nine blocks. Zhu et al., appendix 7.2.
        """

        def conv(x, filters, kernel_size, strides=1, padding="valid"):
            return Conv2D(filters, kernel_size, strides, padding, kernel_initializer=normal())(x)

        def down(x, filters):
            # Padding by 1 on all sides, as in PyTorch; "same" would pad (0, 1)
            return layers.ReLU()(plain_norm(conv(layers.ZeroPadding2D(1)(x), filters, 3, strides=2)))

        def residual(x):
            y = layers.ReLU()(plain_norm(conv(ReflectionPadding2D(1)(x), 4 * self.gf, 3)))
            y = plain_norm(conv(ReflectionPadding2D(1)(y), 4 * self.gf, 3))
            return layers.Add()([x, y])

        def up(x, filters):
            x = Conv2DTranspose(filters, 3, 2, "same", kernel_initializer=normal())(x)
            return layers.ReLU()(plain_norm(x))

        img = keras.Input(shape)
        x = layers.ReLU()(plain_norm(conv(ReflectionPadding2D(3)(img), self.gf, 7)))
        x = down(down(x, 2 * self.gf), 4 * self.gf)
        for _ in range(self.blocks):
            x = residual(x)
        x = up(up(x, 2 * self.gf), self.gf)
        outputs = layers.Activation("tanh", dtype=full())(conv(ReflectionPadding2D(3)(x), target_shape[2], 7))
        return keras.Model(img, outputs, name=name)

    @property
    def blocks(self) -> int:
        """The number of residual blocks of a generator."""
        return 9 if min(self.shape_A[:2]) >= 256 else 6

    def build_discriminator(self, shape: tuple, name: str | None = None) -> Any:
        """70x70 PatchGAN: (batch, *shape) to one verdict per patch, (batch, H / 8 - 2, W / 8 - 2, 1)."""
        return patchgan_70(shape, self.df, name=name)


if __name__ == "__main__":
    cli.run(CycleGANPaper, arguments)
