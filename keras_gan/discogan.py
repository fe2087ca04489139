"""DiscoGAN: learns to translate between two kinds of pictures, in both directions at once.

    python -m keras_gan.discogan                                  edges to shoes, as in the post
    python -m keras_gan.discogan --image-size 64 --filters 32     the same, small and quick
    python -m keras_gan.discogan --dataset PATH/TO/FOLDER --batch-size 4
    python -m keras_gan.discogan --recipe paper --image-size 64 --batch-size 64    as in the paper

Two generators, G_AB and G_BA, and a discriminator for each domain. The generators minimise

    (D_A(G_BA(B)) - 1)^2 + (D_B(G_AB(A)) - 1)^2             the fakes look real
    + |G_AB(A) - B| + |G_BA(B) - A|                         each is the partner of its original
    + |G_BA(G_AB(A)) - A| + |G_AB(G_BA(B)) - B|             and there and back is where one started

while D_A and D_B learn to tell real pictures (1) from fakes (0), patch by patch.

Kim et al., "Learning to Discover Cross-Domain Relations with Generative Adversarial Networks",
2017 (https://arxiv.org/abs/1703.05192), in the form of the Keras posts on it: U-Net generators,
least squares, and the pairs of the data set used as such. With `--translation-weight 0` the second
line goes and nothing is compared with its partner.

`--recipe paper` is the paper's own game, which uses no pairs: encoder-decoders, and

    (1 - r) (0.1 cross-entropy + 0.9 feature matching) + r squared error there and back

with r = 0.01 for 10,000 iterations and 0.5 from then on; in every third iteration D learns, else G.
`recongan` and `gan` are what the paper compares with: from A to B alone, with and without the way back.
"""

if __name__ == "__main__":  # --help and mistyped options are answered before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

import keras
from keras import layers, ops

from keras_gan.adversarial import losses
from keras_gan.adversarial.combined import Combined, once, unmoved
from keras_gan.adversarial.model import fresh
from keras_gan.adversarial.translation import TranslationModel, l1
from keras_gan.data.paired import DataLoader
from keras_gan.data.unpaired import UnpairedDataLoader
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.images.grids import save_grid
from keras_gan.layers import Conv2D, InstanceNormalization, UpsampleConv2D
from keras_gan.networks import encoder_decoder, feature_discriminator, full, unet_depth


class DiscoGAN(TranslationModel):
    """Two U-Nets that translate between domains A and B, and two PatchGANs that judge them.

    `d_A`, `d_B` and `combined` are compiled Keras models; `g_AB` and `g_BA` are what one trains for.

    Args:
        img_shape: (height, width, channels) of the pictures; height and width multiples of 8, for the
            paper's recipes of 16; other channels than 1 or 3 as the files have them.
        gf: filters in the first layer of a generator.
        df: filters in the first layer of a discriminator.
        recipe: post (the Keras posts), or of the paper: paper (DiscoGAN), recongan (A to B and back)
            or gan (A to B alone).
        dataset_name: data set, a folder below datasets/ or a path; default: datasets/edges2shoes
            where it exists, else drawn shoes. For the paper's recipes pairs are torn apart, and
            unpaired sets (trainA, trainB, testA, testB) do too.
        dataset_B: folder of domain B, where dataset_name is the folder of domain A; for the post's
            recipe of pictures of the same names.
        direction: AtoB or BtoA: which is domain A, the left half or the right one.
        fit: what becomes of pictures of another shape: resize (stretched), crop (to their middle) or pad
            (with white).
        adversarial_weight: weight of looking real.
        translation_weight: weight of matching the partner, 0 for none; recipe post alone.
        reconstruction_weight: weight of coming back to the original.
        adversarial_loss: mse or bce (cross-entropy); default: mse (post) or bce (paper).
        distance: of reconstructions: mae, mse, cosine or hinge; default: mae (post) or mse (paper).
        dropout: share dropped in the U-Net, below its second level and in the three innermost ups.
        average: whether all terms are averages over both directions, not sums.
        g_optimizer: Keras optimizer for the generators; None: Adam(2e-4, beta_1=0.5).
        d_optimizer: the same for the discriminators, of which each gets its own copy.
        seed: seeds the weights and the order of the data; default: another run each time.
        output: folder of this run's grids and networks; default: the next free runs/discogan-DATASET-N.

    Raises:
        BadValueError: (a ValueError) for sizes that cannot be halved so often, other values that
            cannot work, or a data set with an empty split.
        NotFoundError: (a FileNotFoundError) if there is no such data set.
    """

    # The paper's program: shares of the terms, and the rate of coming back before and after so many iterations
    SHARES = (("valid", 0.1), ("features", 0.9), ("reconstr", 1.0))
    RATES = (0.01, 0.5)
    CURRICULUM = 10_000

    def __init__(
        self,
        img_shape: tuple = (128, 128, 3),
        gf: int = 64,
        df: int = 64,
        recipe: str = "post",
        dataset_name: str | None = None,
        dataset_B: str | None = None,
        direction: str = "AtoB",
        fit: str = "resize",
        adversarial_weight: float = 1.0,
        translation_weight: float = 1.0,
        reconstruction_weight: float = 1.0,
        adversarial_loss: str | None = None,
        distance: str | None = None,
        dropout: float = 0.0,
        average: bool = False,
        g_optimizer=None,
        d_optimizer=None,
        seed: int | None = None,
        output: str | None = None,
    ):
        super().__init__(name="discogan", seed=seed, output=output)
        check_at_least(1, gf=gf, df=df)
        self.img_shape, self.gf, self.df = tuple(img_shape), gf, df
        self.recipe = losses.choose("recipe", recipe, {name: name for name in ("post", "paper", "recongan", "gan")})
        self.is_post, self.both_ways = recipe == "post", recipe in ("post", "paper")
        if not 0 <= dropout < 1:
            raise BadValueError(f"dropout must be at least 0 and below 1, not {dropout}.")
        self.dropout = dropout
        self.data_loader = self.open_data(
            dataset_name, dataset_B=dataset_B, direction=direction, fit=fit, seed=self.seed
        )

        adam = keras.optimizers.Adam(2e-4, beta_1=0.5)
        adversarial_loss = adversarial_loss or ("mse" if self.is_post else "bce")
        distance = losses.distance(distance or ("mae" if self.is_post else "mse"), self.value_range)

        # Build and compile the discriminators
        self.d_A = self.build_discriminator(name="d_A")
        self.d_B = self.build_discriminator(name="d_B")
        self.discriminators = [self.d_A, self.d_B] if self.both_ways else [self.d_B]
        for discriminator in self.discriminators:
            verdict_loss, accuracy = losses.adversarial_loss(adversarial_loss)
            discriminator.compile(loss=verdict_loss, optimizer=fresh(d_optimizer or adam), metrics=[accuracy])
        self.disc_patch = self.d_A.output_shape[1:]  # (H / 16, W / 16, 1) in the post

        # Build the generators, and compile the adversarial model that trains them
        self.g_AB = self.build_generator(name="g_AB")
        self.g_BA = self.build_generator(name="g_BA")
        self.combined = self.build_combined()
        half = 0.5 if average else 1.0
        weights = {"valid": adversarial_weight, "fake": translation_weight, "reconstr": reconstruction_weight}
        weights = {kind: half * weight for kind, weight in weights.items()}
        if not self.is_post:
            weights = self.start_curriculum(weights | {"features": half})
        loss = {"valid": verdict_loss, "fake": "mae", "reconstr": distance, "features": losses.feature_matching}
        kinds = [name.split("_")[0] for name in self.combined.output_names]
        self.combined.compile(
            loss=[loss[kind] for kind in kinds],
            loss_weights=[weights[kind] for kind in kinds],
            optimizer=fresh(g_optimizer or adam),
        )

    @property
    def value_range(self):
        """Of the pixels: the paper's generators end in a sigmoid, the post's in tanh."""
        return (-1, 1) if self.is_post else (0, 1)

    def open_data(self, dataset_name, **options):
        """Pairs for the post; for the paper, which knows none, torn pairs or data without any. Checks the size."""
        height, width, channels = self.img_shape
        if self.is_post:
            unet_depth(height, width, deepest=7)
            return DataLoader(dataset_name, (height, width), channels, **options)
        if height % 16 or width % 16 or min(height, width) < 16:
            raise BadValueError(
                f"image size {height}x{width} does not suit recipe {self.recipe!r}: "
                "height and width must be multiples of 16; the paper's are 64x64."
            )
        shapes = {"shape_A": self.img_shape, "shape_B": self.img_shape}
        return UnpairedDataLoader(dataset_name, **shapes, value_range=self.value_range, **options)

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
        # Discriminators determine validity of translated images (in the paper: and give their features)
        self.judge_A, self.judge_B = with_features(self.d_A), with_features(self.d_B)
        valid_A, *features_A = keras.tree.flatten(self.judge_A(fake_A))
        valid_B, *features_B = keras.tree.flatten(self.judge_B(fake_B))

        outputs = {"valid_A": valid_A, "valid_B": valid_B, "fake_B": fake_B, "fake_A": fake_A}
        outputs |= {"reconstr_A": reconstr_A, "reconstr_B": reconstr_B}
        outputs |= {f"features_A_{i}": tensor for i, tensor in enumerate(features_A, 1)}
        outputs |= {f"features_B_{i}": tensor for i, tensor in enumerate(features_B, 1)}
        if not self.is_post:  # no pairs: fakes are compared with nothing
            del outputs["fake_A"], outputs["fake_B"]
        if self.both_ways:
            return Combined([img_A, img_B], outputs, fakes=[fake_A, fake_B], trains=[self.g_AB, self.g_BA])
        one_way = ("valid_B", "features_B") if self.recipe == "gan" else ("valid_B", "features_B", "reconstr_A")
        outputs = {name: output for name, output in outputs.items() if name.startswith(one_way)}
        trains = [self.g_AB] if self.recipe == "gan" else [self.g_AB, self.g_BA]
        return Combined([img_A, img_B], outputs, fakes=[fake_B], trains=trains)

    def build_generator(self, name=None):
        """U-Net generator: (batch, *img_shape) to the same, values in [-1, 1]; in the paper an encoder-decoder."""
        if not self.is_post:
            return encoder_decoder(self.img_shape, self.gf, name=name)

        def conv2d(layer_input, filters, normalization=True, dropout=0.0):
            """Layers used during downsampling"""
            d = Conv2D(filters, kernel_size=4, strides=2, padding="same")(layer_input)
            d = layers.LeakyReLU(negative_slope=0.2)(d)
            d = normalize(d) if normalization else d
            return layers.Dropout(dropout)(d) if dropout else d

        def deconv2d(layer_input, skip_input, filters, dropout=0.0):
            """Layers used during upsampling"""
            u = UpsampleConv2D(filters, kernel_size=4, activation="relu")(layer_input)
            u = InstanceNormalization()(u)
            u = layers.Dropout(dropout)(u) if dropout else u
            return layers.Concatenate()([u, skip_input])

        d0 = keras.Input(self.img_shape)
        depth = unet_depth(*self.img_shape[:2], deepest=7)
        filters = [self.gf * multiple for multiple in (1, 2, 4, 8, 8, 8, 8)[:depth]]

        # Downsampling, to a map of 1x1 in the post: 128 / 2^7
        x = conv2d(d0, filters[0], normalization=False)
        skips = [x]
        for level, width in enumerate(filters[1:], 2):
            x = conv2d(x, width, dropout=self.dropout if level > 2 else 0.0)
            skips.append(x)

        # Upsampling, each level joined by the map of its size on the way down
        skips.pop()
        for number, width in enumerate(reversed(filters[:-1])):
            x = deconv2d(x, skips.pop(), width, dropout=self.dropout if number < 3 else 0.0)

        output_img = UpsampleConv2D(self.img_shape[2], kernel_size=4, activation="tanh", dtype=full())(x)
        return keras.Model(d0, output_img, name=name)

    def build_discriminator(self, name=None):
        """PatchGAN: (batch, *img_shape) to a verdict per patch, (batch, H / 16, W / 16, 1); in the paper to one."""
        if not self.is_post:
            return feature_discriminator(self.img_shape, self.df, name=name)

        def d_layer(layer_input, filters, normalization=True):
            """Discriminator layer"""
            d = Conv2D(filters, kernel_size=4, strides=2, padding="same")(layer_input)
            d = layers.LeakyReLU(negative_slope=0.2)(d)
            return normalize(d) if normalization else d

        img = keras.Input(self.img_shape)
        d1 = d_layer(img, self.df, normalization=False)
        d2 = d_layer(d1, self.df * 2)
        d3 = d_layer(d2, self.df * 4)
        d4 = d_layer(d3, self.df * 8)
        validity = Conv2D(1, kernel_size=4, strides=1, padding="same", dtype=full())(d4)
        return keras.Model(img, validity, name=name)

    def discriminator_batches(self, batch, fakes):
        """Each discriminator learns from the originals (real = 1), then from the translations (fake = 0)."""
        originals = batch[-len(fakes) :]  # one way: those of domain B
        valid = ops.ones((ops.shape(originals[0])[0], *self.disc_patch))
        fake = ops.zeros_like(valid)
        batches = []
        for discriminator, imgs, translations in zip(self.discriminators, originals, fakes, strict=True):
            batches += [(discriminator, imgs, valid), (discriminator, translations, fake)]
        return batches

    def generator_targets(self, batch):
        """What the generators want to see at the outputs of `combined`."""
        imgs_A, imgs_B = batch
        valid = ops.ones((ops.shape(imgs_A)[0], *self.disc_patch))
        targets = {"valid_A": valid, "valid_B": valid, "fake_B": imgs_B, "fake_A": imgs_A}
        targets |= {"reconstr_A": imgs_A, "reconstr_B": imgs_B}
        if not self.is_post:  # the features of the originals
            with unmoved(self.combined.statistics_of_discriminators()):
                sides = {"A": (self.judge_A, imgs_A), "B": (self.judge_B, imgs_B)}
                for side in "AB" if self.both_ways else "B":
                    judge, imgs = sides[side]
                    _, *features = keras.tree.flatten(judge(imgs, training=True))
                    targets |= {f"features_{side}_{i}": tensor for i, tensor in enumerate(features, 1)}
        return [targets[name] for name in self.combined.output_names]

    def start_curriculum(self, weights):
        """The paper's loss weights by kind of output: variables, which `play` sets."""
        self.discriminators_every = 3
        self.full_weights = {kind: share * weights[kind] for kind, share in self.SHARES}
        self.weights_now = {
            kind: keras.Variable(0.0, trainable=False, name=f"{kind}_weight") for kind, _ in self.SHARES
        }
        self.set_weights_now()
        return self.weights_now

    def set_weights_now(self):
        """At first there is little weight on coming back, later half of all."""
        rate = ops.where(self.iteration < self.CURRICULUM, *self.RATES) if self.recipe != "gan" else 0.0
        for kind, variable in self.weights_now.items():
            variable.assign(self.full_weights[kind] * (rate if kind == "reconstr" else 1 - rate))

    def before_step(self):
        if not self.is_post:
            self.set_weights_now()

    def train(
        self,
        epochs: int = 20,
        batch_size: int = 1,
        sample_interval: int = 200,
        steps_per_epoch: int | None = None,
        **options,
    ):
        """Trains, as `AdversarialModel.train` describes, which takes the options too."""
        return super().train(epochs, batch_size, sample_interval, steps_per_epoch, **options)

    def sample_images(self, epoch, batch_i):
        """Saves original, translation and reconstruction of a test pair as `images/{epoch}_{batch_i}.png`."""
        imgs_A, imgs_B = self.data_loader.load_data(batch_size=1, is_testing=True)
        first = [images[0] for images in self.translations(imgs_A, imgs_B).values()]
        titles = ["Original", "Translated", "Reconstructed"][: 1 + len(self.combined.trains)]
        rows = [first[start : start + len(titles)] for start in range(0, len(first), 3)]
        path = self.run_folder / "images" / f"{epoch}_{batch_i}.png"
        save_grid(path, rows, titles, self.value_range)
        return path

    def translations(self, imgs_A, imgs_B):
        # Translate images to the other domain, and back to original domain
        fake_B = self.g_AB.predict_on_batch(imgs_A)
        shown = {"A": imgs_A, "A to B": fake_B, "and back": self.g_BA.predict_on_batch(fake_B)}
        if not self.both_ways:  # what is not trained is not shown
            return dict(list(shown.items())[: 1 + len(self.combined.trains)])
        fake_A = self.g_BA.predict_on_batch(imgs_B)
        return shown | {"B": imgs_B, "B to A": fake_A, "and back again": self.g_AB.predict_on_batch(fake_A)}

    def held_out_figures(self, translations):
        """L1 of the translations where pictures have partners, and of the way there and back."""
        figures = {}
        if self.is_post:
            figures["L1_A_to_B"] = l1(translations["A to B"], translations["B"])
            figures["L1_B_to_A"] = l1(translations["B to A"], translations["A"])
        if "and back" in translations:
            figures["L1_A_and_back"] = l1(translations["and back"], translations["A"])
        if "and back again" in translations:
            figures["L1_B_and_back"] = l1(translations["and back again"], translations["B"])
        return figures


def normalize(x):
    """InstanceNormalization, but not of a 1x1 map: of that it would leave nothing."""
    return x if tuple(x.shape[1:3]) == (1, 1) else InstanceNormalization()(x)


def with_features(discriminator):
    """The discriminator with one more output for each of its layers that is named `features_...`."""
    features = [layer.output for layer in discriminator.layers if layer.name.startswith("features")]
    return keras.Model(discriminator.input, [discriminator.output, *features])


if __name__ == "__main__":
    cli.run(DiscoGAN, arguments)
