"""CycleGAN: learns to translate between two kinds of pictures that do not come in pairs.

    python -m keras_gan.cyclegan                                          drawings and other drawings' shoes
    python -m keras_gan.cyclegan --dataset gray2colour --image-size 32    colouring, as in the notebook
    python -m keras_gan.cyclegan --dataset APPLES --dataset-B BANANAS     two folders of pictures

Two generators, G_AB and G_BA, and a discriminator for each domain. The generators minimise

    (D_A(G_BA(B)) - 1)^2 + (D_B(G_AB(A)) - 1)^2                      fakes look real
    + 10 (|G_BA(G_AB(A)) - A| + |G_AB(G_BA(B)) - B|)                 a round trip changes nothing
    + 0.5 (|G_BA(A) - A| + |G_AB(B) - B|)                            pictures of the target domain stay

while D_A and D_B learn to tell real pictures (1) from fakes (0).

Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", 2017
(https://arxiv.org/abs/1703.10593), as the Keras notebooks have it: the networks and the loop that colour CIFAR-10.
The paper's own networks are in cyclegan_paper.py.
"""

if __name__ == "__main__":  # answer --help and bad options before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

import keras
from keras import layers

from keras_gan.adversarial.cycle import CycleModel
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.layers import Conv2DTranspose, InstanceNormalization
from keras_gan.networks import full

ACTIVATIONS = {"lrelu": lambda: layers.LeakyReLU(negative_slope=0.2), "relu": layers.ReLU}


class CycleGAN(CycleModel):
    """Two U-Nets that translate between domains A and B, and two discriminators that judge them.

    A is the source, B the target: `g_AB` makes B from A (the notebook's `g_target`), `g_BA` makes A
    from B (`g_source`); `d_A` judges A (`d_source`), `d_B` judges B (`d_target`); `combined` is its
    `adversarial`.

    Args:
        img_shape: (height, width, channels) of both domains; height and width are multiples of 8, at least 16.
        shape_A: the same for domain A, if it differs, such as 32x32x1 for gray pictures.
        shape_B: the same for domain B.
        kernel_size: side of the kernels.
        activation: of the encoders: lrelu (LeakyReLU) or relu.
        instance_norm: whether the generators normalise with InstanceNormalization.
        patchgan: whether the discriminators judge patch by patch, not the picture as a whole (the notebook's
            builder: off by default).
        identity: whether the identity terms are on; default: if both domains have one shape (the notebook's
            builder: off).
        pool_size: past fakes kept for each discriminator; the notebook keeps none.
        augment: whether to enlarge training pictures by 286/256 and crop them at random.
        flip: whether to mirror half of the training pictures.
        **options: data, optimizers, seed and output, see `TranslationModel`; and the errors raised.
    """

    TRAIN = {"epochs": 100, "batch_size": 1, "sample_interval": 200}

    def __init__(
        self,
        img_shape: tuple = (128, 128, 3),
        shape_A: tuple | None = None,
        shape_B: tuple | None = None,
        kernel_size: int = 3,
        activation: str = "lrelu",
        instance_norm: bool = True,
        patchgan: bool = True,
        identity: bool | None = None,
        pool_size: int = 0,
        augment: bool = False,
        flip: bool = True,
        **options,
    ):
        super().__init__(name="cyclegan", **options)
        check_at_least(1, kernel_size=kernel_size)
        self.kernel_size, self.patchgan, self.instance_norm = kernel_size, patchgan, instance_norm
        if activation not in ACTIVATIONS:
            raise BadValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {activation!r}.")
        self.activation = ACTIVATIONS[activation]
        shapes = shape_A or img_shape, shape_B or img_shape
        self.open_data(*shapes, identity, multiple=8, least=16, value_range=(0, 1), augment=augment, flip=flip)
        self.build_game(rmsprop(2e-4, 6e-8), rmsprop(1e-4, 3e-8), identity_weight=0.5, pool_size=pool_size)

    def encoder(self, x, filters, strides=2):
        """Normalisation and activation come before the convolution."""
        x = InstanceNormalization()(x) if self.instance_norm else x
        return layers.Conv2D(filters, self.kernel_size, strides=strides, padding="same")(self.activation()(x))

    def decoder(self, x, paired, filters, transposed=Conv2DTranspose):
        x = InstanceNormalization()(x) if self.instance_norm else x
        x = transposed(filters, self.kernel_size, strides=2, padding="same")(layers.ReLU()(x))
        return layers.Concatenate()([x, paired])

    def build_generator(self, shape, target_shape, name=None):
        """Pre-activation U-Net of three halvings: (batch, *shape) to (batch, *target_shape) in [0, 1].

        Where maps are small the layers are Keras' own: at 32x32 and batch 32 the faster convolutions gain nothing.
        """
        img = keras.Input(shape)
        e1 = self.encoder(img, 32, strides=1)
        e2 = self.encoder(e1, 64)
        e3 = self.encoder(e2, 128)
        e4 = self.encoder(e3, 128)
        d1 = self.decoder(e4, e3, 128, layers.Conv2DTranspose)
        d2 = self.decoder(d1, e2, 64)
        d3 = self.decoder(d2, e1, 64)
        last = Conv2DTranspose(target_shape[2], self.kernel_size, padding="same", activation="sigmoid", dtype=full())
        return keras.Model(img, last(d3), name=name)

    def build_discriminator(self, shape, name=None):
        """(batch, *shape) to one verdict per patch, (batch, H / 16, W / 16, 1), or without patchgan to (batch, 1)."""
        x = img = keras.Input(shape)
        for filters in (32, 64, 128, 256):
            x = layers.LeakyReLU(negative_slope=0.2)(x)
            x = layers.Conv2D(filters, self.kernel_size, strides=2, padding="same")(x)
        if self.patchgan:
            x = layers.LeakyReLU(negative_slope=0.2)(x)
            outputs = layers.Conv2D(1, self.kernel_size, padding="same", dtype=full())(x)
        else:
            outputs = layers.Dense(1, dtype=full())(layers.Flatten()(x))
        return keras.Model(img, outputs, name=name)


def rmsprop(learning_rate, decay):
    """RMSprop whose rate falls by inverse time: rate / (1 + decay * step), as `decay` did in Keras 2."""
    return keras.optimizers.RMSprop(keras.optimizers.schedules.InverseTimeDecay(learning_rate, 1, decay))


if __name__ == "__main__":
    cli.run(CycleGAN, arguments)
