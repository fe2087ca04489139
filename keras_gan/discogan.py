"""DiscoGAN: learns to translate between two kinds of pictures, in both directions at once.

    python -m keras_gan.discogan                                  edges to shoes, as in the post
    python -m keras_gan.discogan --image-size 64 --filters 32     the same, small and quick
    python -m keras_gan.discogan --dataset PATH/TO/FOLDER --batch-size 4

Two generators, G_AB and G_BA, and a discriminator for each domain. The generators minimise

    (D_A(G_BA(B)) - 1)^2 + (D_B(G_AB(A)) - 1)^2             the fakes look real
    + |G_AB(A) - B| + |G_BA(B) - A|                         each is the partner of its original
    + |G_BA(G_AB(A)) - A| + |G_AB(G_BA(B)) - B|             and there and back is where one started

while D_A and D_B learn to tell real pictures (1) from fakes (0), patch by patch.

Kim et al., "Learning to Discover Cross-Domain Relations with Generative Adversarial Networks",
2017 (https://arxiv.org/abs/1703.05192), in the form of the Keras posts on it: U-Net generators,
least squares, and the pairs of the data set used as such. With `--translation-weight 0` the second
line goes and nothing is compared with its partner: the paper's unpaired game.
"""

if __name__ == "__main__":  # --help and mistyped options are answered before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

import keras
from keras import layers, ops

from keras_gan.adversarial import AdversarialModel, Combined, fresh, once
from keras_gan.callbacks import Progress, SampleImages, SaveNetworks
from keras_gan.data_loader import DataLoader
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.layers import InstanceNormalization, UpsampleConv2D
from keras_gan.sampling import save_grid


class DiscoGAN(AdversarialModel):
    """Two U-Nets that translate between domains A and B, and two PatchGANs that judge them.

    `d_A`, `d_B` and `combined` are compiled Keras models; `g_AB` and `g_BA` are what one trains for.

    Args:
        img_shape: (height, width, channels) of the pictures, 1 or 3 channels; height and width
            multiples of 8.
        gf: filters in the first layer of a generator.
        df: filters in the first layer of a discriminator.
        dataset_name: data set, a folder below datasets/ or a path; default: datasets/edges2shoes
            where it exists, else drawn shoes.
        adversarial_weight: weight of looking real.
        translation_weight: weight of matching the partner; 0 for the paper's unpaired DiscoGAN.
        reconstruction_weight: weight of coming back to the original.
        g_optimizer: Keras optimizer for the generators; None: Adam(2e-4, beta_1=0.5).
        d_optimizer: the same for the discriminators, of which each gets its own copy.
        seed: seeds the weights and the order of the data; default: another run each time.
        output: folder of this run's grids and networks; default: the next free runs/discogan-DATASET-N.

    Raises:
        BadValueError: (a ValueError) for sizes that cannot be halved three times, fewer than one
            filter, or a data set with an empty split.
        NotFoundError: (a FileNotFoundError) if there is no such data set.
    """

    def __init__(
        self,
        img_shape: tuple = (128, 128, 3),
        gf: int = 64,
        df: int = 64,
        dataset_name: str | None = None,
        adversarial_weight: float = 1.0,
        translation_weight: float = 1.0,
        reconstruction_weight: float = 1.0,
        g_optimizer=None,
        d_optimizer=None,
        seed: int | None = None,
        output: str | None = None,
    ):
        super().__init__(name="discogan", seed=seed, output=output)
        check_at_least(1, gf=gf, df=df)
        self.img_shape = tuple(img_shape)
        self.depth = unet_depth(*self.img_shape[:2])
        self.gf = gf
        self.df = df
        self.data_loader = DataLoader(dataset_name, self.img_shape[:2], channels=self.img_shape[2], seed=seed)

        adam = keras.optimizers.Adam(2e-4, beta_1=0.5)

        # Build and compile the discriminators
        self.d_A = self.build_discriminator(name="d_A")
        self.d_B = self.build_discriminator(name="d_B")
        self.discriminators = [self.d_A, self.d_B]
        for discriminator in self.discriminators:
            discriminator.compile(loss="mse", optimizer=fresh(d_optimizer or adam), metrics=["accuracy"])
        self.disc_patch = self.d_A.output_shape[1:]  # (H / 16, W / 16, 1)

        # Build the generators, and compile the adversarial model that trains them
        self.g_AB = self.build_generator(name="g_AB")
        self.g_BA = self.build_generator(name="g_BA")
        self.combined = self.build_combined()
        self.combined.compile(
            loss=["mse", "mse", "mae", "mae", "mae", "mae"],
            loss_weights=[adversarial_weight] * 2 + [translation_weight] * 2 + [reconstruction_weight] * 2,
            optimizer=fresh(g_optimizer or adam),
        )

    def build_combined(self):
        """The adversarial model: (A, B) to the verdicts on both fakes, the fakes, and the way back from them."""
        # Input images from both domains
        img_A = keras.Input(self.img_shape)
        img_B = keras.Input(self.img_shape)
        # Translate images to the other domain
        fake_B = once(self.g_AB(img_A))
        fake_A = once(self.g_BA(img_B))
        # Translate images back to original domain
        reconstr_A = self.g_BA(fake_B)
        reconstr_B = self.g_AB(fake_A)
        # Discriminators determine validity of translated images
        valid_A = self.d_A(fake_A)
        valid_B = self.d_B(fake_B)

        return Combined(
            inputs=[img_A, img_B],
            outputs={"valid_A": valid_A, "valid_B": valid_B, "fake_B": fake_B, "fake_A": fake_A}
            | {"reconstr_A": reconstr_A, "reconstr_B": reconstr_B},
            fakes=[fake_A, fake_B],
            trains=[self.g_AB, self.g_BA],
        )

    def build_generator(self, name=None):
        """U-Net generator: (batch, *img_shape) to the same, values in [-1, 1]."""

        def conv2d(layer_input, filters, normalization=True):
            """Layers used during downsampling"""
            d = layers.Conv2D(filters, kernel_size=4, strides=2, padding="same")(layer_input)
            d = layers.LeakyReLU(negative_slope=0.2)(d)
            return normalize(d) if normalization else d

        def deconv2d(layer_input, skip_input, filters):
            """Layers used during upsampling"""
            u = UpsampleConv2D(filters, kernel_size=4, activation="relu")(layer_input)
            u = InstanceNormalization()(u)
            return layers.Concatenate()([u, skip_input])

        d0 = keras.Input(self.img_shape)
        filters = [self.gf * multiple for multiple in (1, 2, 4, 8, 8, 8, 8)[: self.depth]]

        # Downsampling, to a map of 1x1 in the post: 128 / 2^7
        x = conv2d(d0, filters[0], normalization=False)
        skips = [x]
        for width in filters[1:]:
            x = conv2d(x, width)
            skips.append(x)

        # Upsampling, each level joined by the map of its size on the way down
        skips.pop()
        for width in reversed(filters[:-1]):
            x = deconv2d(x, skips.pop(), width)

        output_img = UpsampleConv2D(self.img_shape[2], kernel_size=4, activation="tanh")(x)
        return keras.Model(d0, output_img, name=name)

    def build_discriminator(self, name=None):
        """PatchGAN: (batch, *img_shape) to a verdict per patch, (batch, H / 16, W / 16, 1)."""

        def d_layer(layer_input, filters, normalization=True):
            """Discriminator layer"""
            d = layers.Conv2D(filters, kernel_size=4, strides=2, padding="same")(layer_input)
            d = layers.LeakyReLU(negative_slope=0.2)(d)
            return normalize(d) if normalization else d

        img = keras.Input(self.img_shape)
        d1 = d_layer(img, self.df, normalization=False)
        d2 = d_layer(d1, self.df * 2)
        d3 = d_layer(d2, self.df * 4)
        d4 = d_layer(d3, self.df * 8)
        validity = layers.Conv2D(1, kernel_size=4, strides=1, padding="same")(d4)
        return keras.Model(img, validity, name=name)

    def discriminator_batches(self, inputs, fakes):
        """Each discriminator learns from the originals (real = 1), then from the translations (fake = 0)."""
        (imgs_A, imgs_B), (fake_A, fake_B) = inputs, fakes
        valid = ops.ones((ops.shape(imgs_A)[0], *self.disc_patch))
        fake = ops.zeros_like(valid)
        return [
            (self.d_A, imgs_A, valid),
            (self.d_A, fake_A, fake),
            (self.d_B, imgs_B, valid),
            (self.d_B, fake_B, fake),
        ]

    def generator_targets(self, inputs):
        """What the generators want to see at the outputs of `combined`."""
        imgs_A, imgs_B = inputs
        valid = ops.ones((ops.shape(imgs_A)[0], *self.disc_patch))
        return [valid, valid, imgs_B, imgs_A, imgs_A, imgs_B]

    def train(
        self, epochs: int = 20, batch_size: int = 1, sample_interval: int = 200, steps_per_epoch: int | None = None
    ):
        """Trains, saving sample grids on the way and all networks at the end of every epoch.

        Args:
            epochs: passes over the data.
            batch_size: pairs per iteration.
            sample_interval: iterations from one sample grid to the next.
            steps_per_epoch: iterations that count as an epoch; default: one pass over the data.

        Returns:
            Keras' `History`.

        Raises:
            BadValueError: (a ValueError) for numbers below 1, a folder that cannot be written, or
                data of which more than half is broken.
        """
        check_at_least(1, epochs=epochs, batch_size=batch_size, sample_interval=sample_interval)
        batches = self.data_loader.batches(batch_size, steps_per_epoch)
        print(f"Training on {batches.dataset_name}; sample grids and networks go to {self.run_folder}")
        return self.fit(
            batches,
            epochs=epochs,
            shuffle=False,  # the loader shuffles by itself, from the seed
            callbacks=[Progress(), SampleImages(sample_interval), SaveNetworks()],
        )

    def sample_images(self, epoch, batch_i):
        """Saves original, translation and reconstruction of a test pair as `images/{epoch}_{batch_i}.png`."""
        imgs_A, imgs_B = self.data_loader.load_data(batch_size=1, is_testing=True)
        # Translate images to the other domain, and back to original domain
        fake_B = self.g_AB(imgs_A, training=False)
        fake_A = self.g_BA(imgs_B, training=False)
        reconstr_A = self.g_BA(fake_B, training=False)
        reconstr_B = self.g_AB(fake_A, training=False)
        path = self.run_folder / "images" / f"{epoch}_{batch_i}.png"
        rows = [[imgs_A[0], fake_B[0], reconstr_A[0]], [imgs_B[0], fake_A[0], reconstr_B[0]]]
        save_grid(path, rows, titles=["Original", "Translated", "Reconstructed"])
        return path


def normalize(x):
    """InstanceNormalization, but not of a 1x1 map: of that it would leave nothing."""
    return x if tuple(x.shape[1:3]) == (1, 1) else InstanceNormalization()(x)


def unet_depth(height, width):
    """How often both sides can be halved, seven times at most. Fewer than three times is an error."""
    depth = 0
    while depth < 7 and height % 2 ** (depth + 1) == 0 and width % 2 ** (depth + 1) == 0:
        depth += 1
    if depth < 3 or min(height, width) < 8:
        near = "x".join(str(max(8, round(side / 8) * 8)) for side in (height, width))
        raise BadValueError(
            f"image size {height}x{width} cannot be halved three times: "
            f"height and width must be multiples of 8, such as {near}."
        )
    return depth


if __name__ == "__main__":
    cli.run(DiscoGAN, arguments)
