"""CycleGAN: learns to translate between two kinds of pictures that have no partners.

    python -m keras_gan.cyclegan                                          drawings and other drawings' shoes
    python -m keras_gan.cyclegan --dataset gray2colour --image-size 32    colouring, as in the notebook
    python -m keras_gan.cyclegan --dataset horse2zebra --recipe resnet    as in the paper
    python -m keras_gan.cyclegan --dataset APPLES --dataset-B BANANAS     two folders of pictures

Two generators, G_AB and G_BA, and a discriminator for each domain. The generators minimise

    (D_A(G_BA(B)) - 1)^2 + (D_B(G_AB(A)) - 1)^2                      the fakes look real
    + 10 (|G_BA(G_AB(A)) - A| + |G_AB(G_BA(B)) - B|)                 there and back is where one started
    + w (|G_BA(A) - A| + |G_AB(B) - B|)                              what is there already stays

with w = 0.5 (unet) or 5 (resnet), while D_A and D_B learn to tell real pictures (1) from fakes (0).

Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", 2017
(https://arxiv.org/abs/1703.10593), in both of its lineages: `unet`, the networks and the loop of
the Keras notebooks on it, made for colouring CIFAR-10, and `resnet`, the paper's own.
"""

if __name__ == "__main__":  # --help and mistyped options are answered before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

import keras
from keras import ops

from keras_gan.adversarial.combined import Combined, once
from keras_gan.adversarial.model import fresh
from keras_gan.adversarial.translation import TranslationModel, l1
from keras_gan.data.unpaired import UnpairedDataLoader
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.images.grids import save_grid
from keras_gan.layers import ImagePool
from keras_gan.networks import patchgan_70, resnet, unet, unet_discriminator

OUTPUTS = ("valid_A", "valid_B", "reconstr_A", "reconstr_B", "identity_A", "identity_B")


class CycleGAN(TranslationModel):
    """Two generators that translate between domains A and B, and two discriminators that judge them.

    A is the source, B the target: `g_AB` makes B from A (the notebook's `g_target`), `g_BA` makes A
    from B (`g_source`); `d_A` judges A (`d_source`), `d_B` judges B (`d_target`); `combined` is its
    `adversarial`.

    Args:
        img_shape: (height, width, channels) of the pictures of both domains; height and width
            multiples of 8 (unet) or 4 (resnet); other channels than 1 or 3 as the files have them.
        shape_A: the same for domain A alone, where it differs, such as 32x32x1 for gray pictures.
        shape_B: the same for domain B alone.
        recipe: unet (the notebook: pictures in [0, 1], RMSprop) or resnet (the paper: pictures in
            [-1, 1], Adam, image pool).
        kernel_size: side of the kernels of the unet recipe.
        patchgan: whether the discriminators of the unet recipe judge patch by patch (True) or the
            picture as a whole (False).
        identity: whether the identity terms are on; default: where both domains have one shape.
        pool_size: past fakes kept for each discriminator; default: 0 (unet) or 50 (resnet).
        dataset_name: data set or folder; default: drawn shoes.
        dataset_B: folder of domain B, where dataset_name is the folder of domain A.
        fit: what becomes of pictures of another shape: resize (stretched), crop (to their middle) or pad
            (with white).
        augment: whether training pictures are enlarged by 286/256 and cropped at random.
        flip: whether training pictures are mirrored half of the time.
        g_optimizer: Keras optimizer for the generators; None: the recipe's.
        d_optimizer: the same for the discriminators, of which each gets its own copy.
        seed: seeds the weights and the order of the data; default: another run each time.
        output: folder of this run's grids and networks; default: the next free runs/cyclegan-DATASET-N.

    Raises:
        BadValueError: (a ValueError) for values that cannot work, or an empty side of the data.
        NotFoundError: (a FileNotFoundError) if there is no such data set.
    """

    def __init__(
        self,
        img_shape: tuple = (128, 128, 3),
        shape_A: tuple | None = None,
        shape_B: tuple | None = None,
        recipe: str = "unet",
        kernel_size: int = 3,
        patchgan: bool = True,
        identity: bool | None = None,
        pool_size: int | None = None,
        dataset_name: str | None = None,
        dataset_B: str | None = None,
        fit: str = "resize",
        augment: bool = False,
        flip: bool = True,
        g_optimizer=None,
        d_optimizer=None,
        seed: int | None = None,
        output: str | None = None,
    ):
        super().__init__(name="cyclegan", seed=seed, output=output)
        is_unet = recipe == "unet"
        self.shape_A, self.shape_B = tuple(shape_A or img_shape), tuple(shape_B or img_shape)
        self.recipe, self.kernel_size, self.patchgan = recipe, kernel_size, patchgan
        self.identity = self.shape_A == self.shape_B if identity is None else identity
        self.pool_size = (0 if is_unet else 50) if pool_size is None else pool_size
        self.check_arguments()
        shapes, value_range = (self.shape_A, self.shape_B), (0, 1) if is_unet else (-1, 1)
        options = {"augment": augment, "flip": flip, "fit": fit, "seed": self.seed}
        self.data_loader = UnpairedDataLoader(dataset_name, dataset_B, *shapes, value_range, **options)
        self.generators_first = not is_unet

        # Build and compile the discriminators
        self.d_A = self.build_discriminator(self.shape_A, name="d_A")
        self.d_B = self.build_discriminator(self.shape_B, name="d_B")
        self.discriminators = [self.d_A, self.d_B]
        for discriminator in self.discriminators:
            optimizer = fresh(d_optimizer or (rmsprop(2e-4, 6e-8) if is_unet else adam()))
            discriminator.compile(loss="mse", optimizer=optimizer, metrics=["accuracy"])
        # Past fakes, of which the discriminators see some in place of new ones
        self.pool_A, self.pool_B = (ImagePool(self.pool_size, self.seed, dtype=keras.config.floatx()) for _ in "AB")
        self.pool_A.build((None, *self.shape_A))
        self.pool_B.build((None, *self.shape_B))

        # Build the generators, and compile the adversarial model that trains them
        self.g_AB = self.build_generator(self.shape_A, self.shape_B, name="g_AB")
        self.g_BA = self.build_generator(self.shape_B, self.shape_A, name="g_BA")
        self.combined = self.build_combined()
        terms = slice(len(self.combined.outputs))  # four without identity
        self.combined.compile(
            loss=["mse", "mse", "mae", "mae", "mae", "mae"][terms],
            loss_weights=[1, 1, 10, 10, *([0.5, 0.5] if is_unet else [5, 5])][terms],
            optimizer=fresh(g_optimizer or (rmsprop(1e-4, 3e-8) if is_unet else adam())),
        )

    def check_arguments(self):
        check_at_least(1, kernel_size=self.kernel_size)
        check_at_least(0, pool_size=self.pool_size)
        if self.recipe not in ("unet", "resnet"):
            raise BadValueError(f"recipe must be 'unet' or 'resnet', not {self.recipe!r}.")
        multiple, least = (8, 16) if self.recipe == "unet" else (4, 24)
        for height, width, _ in (self.shape_A, self.shape_B):
            if height % multiple or width % multiple or min(height, width) < least:
                raise BadValueError(
                    f"image size {height}x{width} does not suit recipe {self.recipe!r}: "
                    f"height and width must be multiples of {multiple}, at least {least}."
                )
        if self.shape_A[:2] != self.shape_B[:2]:
            raise BadValueError(f"shape_A {self.shape_A} and shape_B {self.shape_B} must be of one height and width.")
        if self.identity and self.shape_A != self.shape_B:
            raise BadValueError(
                f"the identity terms need domains of as many channels, not {self.shape_A[2]} (A) and "
                f"{self.shape_B[2]} (B): turn identity off, or give both domains the same shape."
            )

    def build_generator(self, shape, target_shape, name=None):
        """Generator from pictures of one shape to pictures of another, in the value range of the recipe."""
        if self.recipe == "unet":
            return unet(shape, target_shape[2], self.kernel_size, name=name)
        return resnet(shape, target_shape[2], blocks=9 if min(shape[:2]) >= 256 else 6, name=name)

    def build_discriminator(self, shape, name=None):
        """Discriminator: pictures of this shape to a verdict per patch or, without patchgan, to one."""
        if self.recipe == "unet":
            return unet_discriminator(shape, self.kernel_size, self.patchgan, name=name)
        return patchgan_70(shape, name=name)

    def build_combined(self):
        """The adversarial model: (A, B) to the verdicts on both fakes, the way back and, with identity, what stays."""
        img_A, img_B = keras.Input(self.shape_A), keras.Input(self.shape_B)
        if self.identity:
            # Each generator translates the one domain and keeps the other in one joined batch
            fake_B, identity_B = (once(x) for x in ops.split(self.g_AB(join(img_A, img_B)), 2))
            fake_A, identity_A = (once(x) for x in ops.split(self.g_BA(join(img_B, img_A)), 2))
            fakes = [fake_A, fake_B, identity_A, identity_B]
        else:
            fakes = fake_A, fake_B = [once(self.g_BA(img_B)), once(self.g_AB(img_A))]
        verdicts = [self.d_A(fake_A), self.d_B(fake_B)]
        reconstr = [self.g_BA(fake_B), self.g_AB(fake_A)]
        outputs = dict(zip(OUTPUTS, [*verdicts, *reconstr, *fakes[2:]], strict=False))
        return Combined([img_A, img_B], outputs, fakes, trains=[self.g_AB, self.g_BA])

    def discriminator_batches(self, batch, fakes):
        """Each discriminator learns once, from the joined batch of originals (1) and fakes (0), some of them past."""
        (imgs_A, imgs_B), (fake_A, fake_B) = batch, fakes[:2]
        return [
            (self.d_A, join(imgs_A, self.pool_A(fake_A)), join(*self.verdicts(self.d_A, imgs_A))),
            (self.d_B, join(imgs_B, self.pool_B(fake_B)), join(*self.verdicts(self.d_B, imgs_B))),
        ]

    def generator_targets(self, batch):
        """What the generators want to see at the outputs of `combined`."""
        imgs_A, imgs_B = batch
        valid_A, _ = self.verdicts(self.d_A, imgs_A)
        valid_B, _ = self.verdicts(self.d_B, imgs_B)
        return [valid_A, valid_B, imgs_A, imgs_B, *([imgs_A, imgs_B] if self.identity else [])]

    @staticmethod
    def verdicts(discriminator, images):
        """The verdicts of this discriminator on as many pictures, if all were real (1) or fake (0)."""
        valid = ops.ones((ops.shape(images)[0], *discriminator.output_shape[1:]))
        return valid, ops.zeros_like(valid)

    def train(
        self,
        epochs: int = 100,
        decay_epochs: int = 0,
        batch_size: int = 1,
        sample_interval: int = 200,
        steps_per_epoch: int | None = None,
        **options,
    ):
        """Trains, as `AdversarialModel.train` describes, which takes the options too.

        Args:
            epochs: passes over the data at the full learning rate.
            decay_epochs: passes after that, over which the rate falls to zero in a line (the
                paper: 100 and 100); recipe resnet only.
            steps_per_epoch: iterations that count as an epoch; default: one pass over the longer side.

        Raises:
            BadValueError: also for a decay where the rate has a schedule already.
        """
        check_at_least(0, decay_epochs=decay_epochs)
        if decay_epochs and epochs == 0:
            raise BadValueError(f"decay_epochs={decay_epochs} needs constant epochs before it, not epochs=0.")
        options["decay_epochs"] = decay_epochs
        return super().train(epochs, batch_size, sample_interval, steps_per_epoch, **options)

    def sample_images(self, epoch, batch_i):
        """Saves test pictures, translated, brought back and kept, both ways, as `images/{epoch}_{batch_i}.png`."""
        imgs_A, imgs_B = self.data_loader.load_data(batch_size=1, is_testing=True)
        first = [images[0] for images in self.translations(imgs_A, imgs_B).values()]
        half = len(first) // 2
        path = self.run_folder / "images" / f"{epoch}_{batch_i}.png"
        titles = ["Original", "Translated", "Reconstructed", "Identity"][:half]
        save_grid(path, [first[:half], first[half:]], titles, self.data_loader.value_range)
        return path

    def translations(self, imgs_A, imgs_B):
        titles = [("A", "A to B", "and back", "A kept"), ("B", "B to A", "and back again", "B kept")]
        rows = [self.there_and_back(imgs_A, self.g_AB, self.g_BA), self.there_and_back(imgs_B, self.g_BA, self.g_AB)]
        return {title: images for pair in zip(titles, rows, strict=True) for title, images in zip(*pair, strict=False)}

    def held_out_figures(self, translations):
        """L1 of the way there and back: there are no partners to compare the translations with."""
        return {
            "L1_A_and_back": l1(translations["and back"], translations["A"]),
            "L1_B_and_back": l1(translations["and back again"], translations["B"]),
        }

    def there_and_back(self, images, there, back):
        """Originals, translations, reconstructions and, with identity, what is kept, of these pictures."""
        fake = there.predict_on_batch(images)
        row = [images, fake, back.predict_on_batch(fake)]
        if self.identity:
            row.append(back.predict_on_batch(images))
        return row


def join(first, second):
    """Two batches as one."""
    return ops.concatenate([first, second], axis=0)


def rmsprop(learning_rate, decay):
    """RMSprop whose rate falls by inverse time: rate / (1 + decay * step), as `decay` had it in Keras 2."""
    return keras.optimizers.RMSprop(keras.optimizers.schedules.InverseTimeDecay(learning_rate, 1, decay))


def adam():
    return keras.optimizers.Adam(2e-4, beta_1=0.5)


if __name__ == "__main__":
    cli.run(CycleGAN, arguments)
