"""The base of both CycleGANs, with the notebook's and the paper's networks: losses, pools and data."""

from typing import Any

import keras
from keras import ops

from keras_gan import backend
from keras_gan.adversarial.combined import Combined, once
from keras_gan.adversarial.translation import TwoWayModel, join, verdicts
from keras_gan.errors import check_at_least
from keras_gan.layers import ImagePool

OUTPUTS = ("valid_A", "valid_B", "reconstr_A", "reconstr_B", "identity_A", "identity_B")


class CycleModel(TwoWayModel):
    """Base of the CycleGANs. A model's constructor calls `open_unpaired()`, then `build_game()`.

    A model defines `build_generator(shape, target_shape, name)` and `build_discriminator(shape, name)`. It sets `joins`
    to False if its networks normalise over a batch, so that no batch may hold two kinds of pictures.
    """

    joins = True

    def build_game(
        self, d_optimizer: Any, g_optimizer: Any, cycle_weight: float, identity_weight: float, pool_size: int
    ) -> None:
        """Builds and compiles the discriminators, the generators and the adversarial model that trains them."""
        check_at_least(0, pool_size=pool_size)
        of_generators = self.g_optimizer(g_optimizer)  # refuses a number that it lacks, before any work
        # Build and compile the discriminators
        self.d_A = self.build_discriminator(self.shape_A, name="d_A")
        self.d_B = self.build_discriminator(self.shape_B, name="d_B")
        self.discriminators = [self.d_A, self.d_B]
        for discriminator in self.discriminators:
            score = self.adversarial("mse")
            optimizer = self.d_optimizer(d_optimizer)
            discriminator.compile(loss=score.d_loss, optimizer=optimizer, metrics=[score.accuracy])
        # Pools of past fakes; the discriminators see some of them instead of new ones
        self.pool_size = pool_size
        self.pool_A, self.pool_B = (ImagePool(pool_size, self.seed, dtype=keras.config.floatx()) for _ in "AB")
        self.pool_A.build((None, *self.shape_A))
        self.pool_B.build((None, *self.shape_B))

        # Build the generators, and compile the adversarial model that trains them
        self.g_AB = self.coloured(self.build_generator(self.shape_A, self.drawn_shape, name="g_AB"))
        self.g_BA = self.build_generator(self.shape_B, self.shape_A, name="g_BA")
        self.combined = self.build_combined()
        terms = slice(len(self.combined.outputs))  # four without identity
        self.combined.compile(
            loss=[score.g_loss, score.g_loss, "mae", "mae", "mae", "mae"][terms],
            loss_weights=[1, 1, cycle_weight, cycle_weight, identity_weight, identity_weight][terms],
            optimizer=of_generators,
        )

    def build_combined(self) -> Combined:
        """The adversarial model: (A, B) to the verdicts on both fakes, their reconstructions and the identities."""
        img_A, img_B = keras.Input(self.shape_A), keras.Input(self.shape_B)
        if self.identity:
            # Pictures to translate, and pictures to keep (identity)
            fake_B, identity_B = map(once, self.of_both(self.g_AB, img_A, img_B))
            fake_A, identity_A = map(once, self.of_both(self.g_BA, img_B, img_A))
            fakes = [fake_A, fake_B, identity_A, identity_B]
        else:
            fakes = fake_A, fake_B = [once(self.g_BA(img_B)), once(self.g_AB(img_A))]
        verdicts = [self.d_A(self.shown(fake_A)), self.d_B(self.shown(fake_B))]
        reconstr = [self.g_BA(fake_B), self.g_AB(fake_A)]
        outputs = dict(zip(OUTPUTS, [*verdicts, *reconstr, *fakes[2:]], strict=False))
        return Combined([img_A, img_B], outputs, fakes, trains=[self.g_AB, self.g_BA])

    def of_both(self, generator: Any, first: Any, second: Any) -> list[Any]:
        """What a generator makes of two batches, joined if they may be."""
        return ops.split(generator(join(first, second)), 2) if self.joins else [generator(first), generator(second)]

    # One iteration, run by adversarial/step.py.

    def discriminator_batches(self, batch: list[Any], fakes: list[Any]) -> list[tuple[Any, Any, Any]]:
        """One update of each discriminator, on a joined batch of originals (1) and fakes (0), some from the pool.

        Two updates, if the batches may not be joined.
        """
        (imgs_A, imgs_B), (fake_A, fake_B), batches = batch, fakes[:2], []
        for discriminator, imgs, shown in (
            (self.d_A, imgs_A, self.pool_A(fake_A)),
            (self.d_B, imgs_B, self.pool_B(fake_B)),
        ):
            valid, fake = verdicts(discriminator, imgs)
            if self.joins:
                batches.append((discriminator, join(imgs, shown), join(valid, fake)))
            else:
                batches += [(discriminator, imgs, valid), (discriminator, shown, fake)]
        return batches

    def generator_targets(self, batch: list[Any]) -> list[Any]:
        """The targets of `combined`, in the order of its outputs."""
        imgs_A, imgs_B = batch
        valid_A, _ = verdicts(self.d_A, imgs_A)
        valid_B, _ = verdicts(self.d_B, imgs_B)
        return [valid_A, valid_B, imgs_A, imgs_B, *([imgs_A, imgs_B] if self.identity else [])]

    # Samples and held-out figures.

    def translations(self, imgs_A: Any, imgs_B: Any) -> dict[str, Any]:
        """Originals, translations, reconstructions and identities, both ways: {title: pictures}."""
        shown = list(super().translations(imgs_A, imgs_B).items())
        if self.identity:
            kept_A, kept_B = backend.predict(self.g_BA, imgs_A), backend.predict(self.g_AB, imgs_B)
            shown = [*shown[:3], ("A kept", kept_A), *shown[3:], ("B kept", kept_B)]
        return dict(shown)
