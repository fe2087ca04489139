"""The game of CycleGAN, which the notebook's and the paper's networks play alike."""

import keras
from keras import ops

from keras_gan.adversarial.combined import Combined, once
from keras_gan.adversarial.translation import TwoWayModel, cycle_figures
from keras_gan.data.unpaired import UnpairedDataLoader
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.layers import ImagePool

OUTPUTS = ("valid_A", "valid_B", "reconstr_A", "reconstr_B", "identity_A", "identity_B")


class CycleModel(TwoWayModel):
    """Base of the CycleGANs. A constructor calls `open_data()` and `build_game()`.

    One has `build_generator(shape, target_shape, name)` and `build_discriminator(shape, name)`.
    """

    def open_data(self, shape_A, shape_B, identity, multiple, least, **options):
        """Checks shapes and identity, and opens the data.

        Args:
            shape_A, shape_B: (height, width, channels) of either domain.
            identity: whether the identity terms are on; None: if both domains have one shape.
            multiple, least: height and width are multiples of the one and not below the other.
            **options: of the `UnpairedDataLoader`.
        """
        self.shape_A, self.shape_B = tuple(shape_A), tuple(shape_B)
        for height, width, _ in (self.shape_A, self.shape_B):
            if height % multiple or width % multiple or min(height, width) < least:
                raise BadValueError(
                    f"image size {height}x{width}: height and width must be multiples of {multiple}, at least {least}."
                )
        if self.shape_A[:2] != self.shape_B[:2]:
            raise BadValueError(f"shape_A {self.shape_A} and shape_B {self.shape_B} must be of one height and width.")
        self.identity = self.shape_A == self.shape_B if identity is None else identity
        if self.identity and self.shape_A != self.shape_B:
            raise BadValueError(
                f"the identity terms need domains of as many channels, not {self.shape_A[2]} (A) and "
                f"{self.shape_B[2]} (B): turn identity off, or give both domains the same shape."
            )
        options |= self.data_options | {"shape_A": self.shape_A, "shape_B": self.shape_B}
        self.data_loader = UnpairedDataLoader(**options)

    def build_game(self, d_optimizer, g_optimizer, identity_weight, pool_size):
        """Builds and compiles the discriminators, the generators and the adversarial model that trains them."""
        check_at_least(0, pool_size=pool_size)
        # Build and compile the discriminators
        self.d_A = self.build_discriminator(self.shape_A, name="d_A")
        self.d_B = self.build_discriminator(self.shape_B, name="d_B")
        self.discriminators = [self.d_A, self.d_B]
        for discriminator in self.discriminators:
            optimizer = self.d_optimizer(d_optimizer)
            discriminator.compile(loss="mse", optimizer=optimizer, metrics=["accuracy"])
        # Past fakes, some of which the discriminators see instead of new ones
        self.pool_size = pool_size
        self.pool_A, self.pool_B = (ImagePool(pool_size, self.seed, dtype=keras.config.floatx()) for _ in "AB")
        self.pool_A.build((None, *self.shape_A))
        self.pool_B.build((None, *self.shape_B))

        # Build the generators, and compile the adversarial model that trains them
        self.g_AB = self.build_generator(self.shape_A, self.shape_B, name="g_AB")
        self.g_BA = self.build_generator(self.shape_B, self.shape_A, name="g_BA")
        self.combined = self.build_combined()
        terms = slice(len(self.combined.outputs))  # four without identity
        self.combined.compile(
            loss=["mse", "mse", "mae", "mae", "mae", "mae"][terms],
            loss_weights=[1, 1, 10, 10, identity_weight, identity_weight][terms],
            optimizer=self.g_optimizer(g_optimizer),
        )

    def build_combined(self):
        """The adversarial model: (A, B) to the verdicts on both fakes, their reconstructions and the identities."""
        img_A, img_B = keras.Input(self.shape_A), keras.Input(self.shape_B)
        if self.identity:
            # Each generator translates one domain and keeps the other in one joined batch
            fake_B, identity_B = (once(x) for x in ops.split(self.g_AB(join(img_A, img_B)), 2))
            fake_A, identity_A = (once(x) for x in ops.split(self.g_BA(join(img_B, img_A)), 2))
            fakes = [fake_A, fake_B, identity_A, identity_B]
        else:
            fakes = fake_A, fake_B = [once(self.g_BA(img_B)), once(self.g_AB(img_A))]
        verdicts = [self.d_A(fake_A), self.d_B(fake_B)]
        reconstr = [self.g_BA(fake_B), self.g_AB(fake_A)]
        outputs = dict(zip(OUTPUTS, [*verdicts, *reconstr, *fakes[2:]], strict=False))
        return Combined([img_A, img_B], outputs, fakes, trains=[self.g_AB, self.g_BA])

    # One iteration, played by adversarial/step.py.

    def discriminator_batches(self, batch, fakes):
        """Each discriminator learns once, from originals (1) and fakes (0) in one batch; some fakes are past ones."""
        (imgs_A, imgs_B), (fake_A, fake_B) = batch, fakes[:2]
        return [
            (self.d_A, join(imgs_A, self.pool_A(fake_A)), join(*self.verdicts(self.d_A, imgs_A))),
            (self.d_B, join(imgs_B, self.pool_B(fake_B)), join(*self.verdicts(self.d_B, imgs_B))),
        ]

    def generator_targets(self, batch):
        """What `combined` should output, in the order of its outputs."""
        imgs_A, imgs_B = batch
        valid_A, _ = self.verdicts(self.d_A, imgs_A)
        valid_B, _ = self.verdicts(self.d_B, imgs_B)
        return [valid_A, valid_B, imgs_A, imgs_B, *([imgs_A, imgs_B] if self.identity else [])]

    @staticmethod
    def verdicts(discriminator, images):
        """The verdicts of a discriminator on these pictures, if all were real (1) or fake (0)."""
        valid = ops.ones((ops.shape(images)[0], *discriminator.output_shape[1:]))
        return valid, ops.zeros_like(valid)

    # What a run shows.

    def translations(self, imgs_A, imgs_B):
        """Originals, translations, reconstructions and identities, both ways: {title: pictures}."""
        shown = list(super().translations(imgs_A, imgs_B).items())
        if self.identity:
            kept_A, kept_B = self.g_BA.predict_on_batch(imgs_A), self.g_AB.predict_on_batch(imgs_B)
            shown = [*shown[:3], ("A kept", kept_A), *shown[3:], ("B kept", kept_B)]
        return dict(shown)

    def held_out_figures(self, shown):
        """L1 after a round trip: there are no pairs to compare translations with."""
        return cycle_figures(shown)


def join(first, second):
    """Two batches as one."""
    return ops.concatenate([first, second], axis=0)
