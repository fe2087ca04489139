"""The paper's CycleGAN: learns to translate between two kinds of pictures without pairs.

    python -m keras_gan.cyclegan_paper --dataset horse2zebra              as in the paper
    python -m keras_gan.cyclegan_paper --image-size 64                    drawn fruit, small and fast
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

from keras_gan.adversarial.cycle import CycleModel
from keras_gan.adversarial.losses import choose
from keras_gan.errors import check_at_least, check_weight
from keras_gan.networks import GENERATORS, NORMS, patchgan_70, resnet, resnet_blocks


class CycleGANPaper(CycleModel):
    """Two generators that translate between domains A and B, and two 70x70 PatchGANs that judge them.

    `d_A`, `d_B` and `combined` are compiled Keras models; `g_AB` and `g_BA` are the result. The generators are
    updated before the discriminators.

    Args:
        img_shape: (height, width, channels) of both domains; height and width are multiples of 4, of 8 for a U-Net, at
            least 24.
        shape_A: shape of domain A, if it is not img_shape.
        shape_B: shape of domain B, if it is not img_shape.
        colour: rgb, or, to colour gray pictures, lab or ycbcr: g_AB makes only colours (a and b of CIE Lab, or
            Cb and Cr), and the lightness of the gray picture is kept. A then has one channel, B three.
        identity: whether the identity terms are on; default: on if both domains have the same shape.
        pool_size: past fakes kept for each discriminator.
        augment: whether to enlarge training pictures by 286/256 and crop them at random.
        gf: filters in the generators' first layer.
        df: filters in the discriminators' first layer.
        generator: resnet (six residual blocks, nine from 256x256 up) or unet, that of pix2pix.
        norm: of all networks: instance, batch or none. With batch norm no batch has two kinds of pictures: each
            discriminator then has one update on originals and one on fakes.
        cycle_weight: weight of the L1 distance after the round trip.
        identity_weight: weight of the L1 distance of pictures that should stay; 0: no identity terms.
        **options: data, optimizers, seed and output, see `TranslationModel`; and the errors raised.
    """

    without_batch_norm = "take norm=instance or norm=none"
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
        colour: str = "rgb",
        identity: bool | None = None,
        pool_size: int = 50,
        augment: bool = False,
        gf: int = 64,
        df: int = 64,
        generator: str = "resnet",
        norm: str = "instance",
        cycle_weight: float = 10.0,
        identity_weight: float = 5.0,
        **options: Any,
    ) -> None:
        super().__init__(name="cyclegan_paper", **options)
        check_at_least(1, gf=gf, df=df)
        self.gf, self.df = gf, df
        self.network = choose("generator", generator, GENERATORS)
        self.norm, self.joins = choose("norm", norm, NORMS), norm != "batch"
        check_weight(cycle_weight=cycle_weight, identity_weight=identity_weight)
        shapes, multiple = (img_shape, shape_A, shape_B), 4 if generator == "resnet" else 8
        kept = identity if identity_weight else False
        self.open_unpaired(*shapes, kept, multiple=multiple, least=24, colour=colour, augment=augment)
        self.generators_first = True
        adam = keras.optimizers.Adam(2e-4, beta_1=0.5)
        self.build_game(adam, adam, cycle_weight, identity_weight, pool_size)

    def build_generator(self, shape: tuple, target_shape: tuple, name: str | None = None) -> Any:
        """The paper's ResNet or, if chosen, pix2pix' U-Net: (batch, *shape) to (batch, *target_shape) in [-1, 1]."""
        blocks: dict[str, Any] = {"blocks": self.blocks} if self.network is resnet else {}
        return self.network(shape, target_shape[2], self.gf, self.norm, name=name, **blocks)

    @property
    def blocks(self) -> int:
        """The number of residual blocks of a generator."""
        return resnet_blocks(*self.shape_A[:2])

    def build_discriminator(self, shape: tuple, name: str | None = None) -> Any:
        """70x70 PatchGAN: (batch, *shape) to one verdict per patch, (batch, H / 8 - 2, W / 8 - 2, 1)."""
        return patchgan_70(shape, self.df, self.norm, name)


if __name__ == "__main__":
    cli.run(CycleGANPaper, arguments)
