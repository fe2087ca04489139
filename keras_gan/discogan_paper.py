"""The paper's DiscoGAN: learns to translate in both directions without pairs.

    python -m keras_gan.discogan_paper                              drawn shoes and edges, unpaired
    python -m keras_gan.discogan_paper --dataset horse2zebra
    python -m keras_gan.discogan_paper --game gan                   a baseline of the paper: gan or recongan

Two generators, G_AB and G_BA, and a discriminator for each domain. The generators minimise

    (1 - r) (0.1 cross-entropy + 0.9 feature matching) + r squared error of the round trip

with r = 0.01 for the first 10,000 iterations and 0.5 afterwards. Every third iteration trains only the discriminators,
all others only the generators.

Kim et al., "Learning to Discover Cross-Domain Relations with Generative Adversarial Networks", 2017
(https://arxiv.org/abs/1703.05192), as in its authors' program: encoder-decoders with sigmoid outputs, weight decay
1e-5. The Keras post's DiscoGAN is in discogan.py.
"""

if __name__ == "__main__":  # answer --help and bad options before Keras is loaded
    from keras_gan import cli

    arguments = cli.parse(__file__)

from typing import Any

import keras
from keras import layers, ops

from keras_gan import backend
from keras_gan.adversarial import Combined, TwoWayModel, losses, once, unmoved
from keras_gan.errors import check_at_least, check_share, check_weight
from keras_gan.layers import Conv2D, Conv2DTranspose, LeakyReLU
from keras_gan.networks import batch_norm, full, torch_uniform

#: The paper's three models: their loss uses the outputs of `combined` with names that begin with one of these.
GAMES = {
    "discogan": ("valid", "features", "reconstr"),
    "recongan": ("valid_B", "features_B", "reconstr_A"),
    "gan": ("valid_B", "features_B"),
}


class DiscoGANPaper(TwoWayModel):
    """Two encoder-decoders that translate between domains A and B, and two discriminators.

    `d_A`, `d_B` and `combined` are compiled Keras models; `g_AB` and `g_BA` are the result.

    Args:
        img_shape: (height, width, channels); height and width are multiples of 16.
        shape_A: shape of domain A, if it is not img_shape, such as 64x64x1 for gray pictures.
        shape_B: shape of domain B, if it is not img_shape.
        gf: filters in the generators' first layer.
        df: filters in the discriminators' first layer.
        game: discogan, or a baseline of the paper: recongan (A to B and back) or gan (A to B only).
        direction: AtoB or BtoA: whether domain A is the left or the right half of a pair, or folder A or B.
        valid_weight: weight of the cross-entropy of the verdicts.
        features_weight: weight of feature matching.
        starting_rate: r, the share of the round trip, up to iteration gan_curriculum.
        default_rate: r afterwards.
        gan_curriculum: iterations at the starting rate.
        **options: data, optimizers, seed and output, see `TranslationModel`; and the errors raised.
    """

    TRAIN = {"epochs": 20, "batch_size": 64, "sample_interval": 200}
    QUICK = {"model": {"gf": 32, "df": 32}, "train": {"epochs": 10, "steps_per_epoch": 200, "batch_size": 16}}

    def __init__(
        self,
        img_shape: tuple = (64, 64, 3),
        shape_A: tuple | None = None,
        shape_B: tuple | None = None,
        gf: int = 64,
        df: int = 64,
        game: str = "discogan",
        direction: str = "AtoB",
        valid_weight: float = 0.1,
        features_weight: float = 0.9,
        starting_rate: float = 0.01,
        default_rate: float = 0.5,
        gan_curriculum: int = 10_000,
        **options: Any,
    ) -> None:
        super().__init__(name="discogan_paper", **options)
        check_at_least(1, gf=gf, df=df)
        check_at_least(0, gan_curriculum=gan_curriculum)
        self.gf, self.df = gf, df
        self.scored_by = losses.choose("game", game, GAMES)
        self.both_ways, self.discriminators_every = game == "discogan", 3
        check_weight(valid_weight=valid_weight, features_weight=features_weight)
        self.shares = {"valid": valid_weight, "features": features_weight, "reconstr": 1.0}
        self.rates = check_share(starting_rate=starting_rate), check_share(default_rate=default_rate)
        self.curriculum = gan_curriculum
        both = img_shape, shape_A, shape_B
        self.open_unpaired(*both, False, 16, 16, direction=direction, value_range=(0, 1), augment=False)
        optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5)

        # Build and compile the discriminators
        self.d_A = self.build_discriminator(self.shape_A, name="d_A")
        self.d_B = self.build_discriminator(self.shape_B, name="d_B")
        self.discriminators = [self.d_A, self.d_B] if self.both_ways else [self.d_B]
        for discriminator in self.discriminators:
            score = self.adversarial("bce")
            discriminator.compile(loss=score.d_loss, optimizer=self.d_optimizer(optimizer), metrics=[score.accuracy])

        # Build the generators, and compile the adversarial model that trains them
        self.g_AB = self.build_generator(self.shape_A, self.shape_B, name="g_AB")
        self.g_BA = self.build_generator(self.shape_B, self.shape_A, name="g_BA")
        self.combined = self.build_combined()
        self.weights_now = {kind: keras.Variable(0.0, trainable=False, name=f"{kind}_weight") for kind in self.shares}
        self.before_step()
        loss = {"valid": score.g_loss, "features": losses.feature_matching, "reconstr": "mse"}
        kinds = [name.split("_")[0] for name in self.combined.output_names]
        weights = [self.weights_now[kind] for kind in kinds]
        chosen = [loss[kind] for kind in kinds]
        self.combined.compile(loss=chosen, loss_weights=weights, optimizer=self.g_optimizer(optimizer))

    def build_combined(self) -> Combined:
        """The adversarial model: (A, B) to the verdicts on the fakes, their features, and their reconstructions."""
        img_A, img_B = keras.Input(self.shape_A), keras.Input(self.shape_B)
        fake_B, fake_A = once(self.g_AB(img_A)), once(self.g_BA(img_B))
        reconstr_A, reconstr_B = self.g_BA(fake_B), self.g_AB(fake_A)
        self.judge_A, self.judge_B = with_features(self.d_A), with_features(self.d_B)
        valid_A, *features_A = self.judge_A(self.shown(fake_A))
        valid_B, *features_B = self.judge_B(self.shown(fake_B))
        outputs = {"valid_A": valid_A, "valid_B": valid_B, "reconstr_A": reconstr_A, "reconstr_B": reconstr_B}
        outputs |= {f"features_A_{i}": tensor for i, tensor in enumerate(features_A, 1)}
        outputs |= {f"features_B_{i}": tensor for i, tensor in enumerate(features_B, 1)}
        outputs = {name: output for name, output in outputs.items() if name.startswith(self.scored_by)}
        fakes = [fake_A, fake_B] if self.both_ways else [fake_B]
        trains = [self.g_AB, self.g_BA] if "reconstr_A" in outputs else [self.g_AB]
        return Combined([img_A, img_B], outputs, fakes, trains)

    def build_generator(self, shape: tuple, target_shape: tuple, name: str | None = None) -> Any:
        """Encoder-decoder: (batch, *shape) to (batch, *target_shape) in [0, 1], no skips; 5,513,856 parameters."""
        img = keras.Input(shape)
        x = LeakyReLU(negative_slope=0.2)(Conv2D(self.gf, 4, 2, "same", **convolution())(img))
        for multiple in (2, 4, 8):
            x = Conv2D(self.gf * multiple, 4, 2, "same", **convolution())(x)
            x = LeakyReLU(negative_slope=0.2)(batch_norm(x))
        for multiple in (4, 2, 1):
            x = Conv2DTranspose(self.gf * multiple, 4, 2, "same", **convolution())(x)
            x = layers.ReLU()(batch_norm(x))
        x = Conv2DTranspose(target_shape[2], 4, 2, "same", **convolution())(x)
        return keras.Model(img, layers.Activation("sigmoid", dtype=full())(x), name=name)

    def build_discriminator(self, shape: tuple, name: str | None = None) -> Any:
        """(batch, *shape) to one logit, (batch, 1, 1, 1). Features: layers `features_1` to `features_3`."""
        img = keras.Input(shape)
        x = LeakyReLU(negative_slope=0.2)(Conv2D(self.df, 4, 2, "same", **convolution())(img))
        for number, multiple in enumerate((2, 4, 8), 1):
            x = Conv2D(self.df * multiple, 4, 2, "same", **convolution())(x)
            x = LeakyReLU(negative_slope=0.2, name=f"features_{number}")(batch_norm(x))
        return keras.Model(img, Conv2D(1, x.shape[1:3], dtype=full(), **convolution())(x), name=name)

    # One iteration, run by adversarial/step.py.

    def before_step(self) -> None:
        """Sets the loss weights by the curriculum: the round trip has weight 0.01 at first, 0.5 later."""
        trains_back = any(name.startswith("reconstr") for name in self.combined.output_names)
        rate = ops.where(self.iteration < self.curriculum, *self.rates) if trains_back else 0.0
        for kind, variable in self.weights_now.items():
            variable.assign(self.shares[kind] * (rate if kind == "reconstr" else 1 - rate))

    def discriminator_batches(self, batch: list[Any], fakes: list[Any]) -> list[tuple[Any, Any, Any]]:
        """(discriminator, x, y) of each update: originals are real (1), translations fake (0)."""
        batches = []
        for discriminator, imgs, translations in zip(self.discriminators, batch[-len(fakes) :], fakes, strict=True):
            valid = ops.ones((ops.shape(imgs)[0], *discriminator.output_shape[1:]))
            batches += [(discriminator, imgs, valid), (discriminator, translations, ops.zeros_like(valid))]
        return batches

    def generator_targets(self, batch: list[Any]) -> list[Any]:
        """The targets of `combined`: the verdict "real", the features of the originals, the originals."""
        targets = {}
        with unmoved(self.combined.statistics_of_discriminators()):
            for side, judge, imgs in zip("AB", (self.judge_A, self.judge_B), batch, strict=True):
                if f"valid_{side}" in self.combined.output_names:
                    verdict, *features = keras.tree.flatten(judge(self.shown(imgs, training=True), training=True))
                    targets[f"valid_{side}"] = ops.ones_like(verdict)
                    targets |= {f"features_{side}_{i}": tensor for i, tensor in enumerate(features, 1)}
                targets[f"reconstr_{side}"] = imgs
        return [targets[name] for name in self.combined.output_names]

    def translations(self, imgs_A: Any, imgs_B: Any) -> dict[str, Any]:
        """The columns of a sample, {title: pictures}, made by the trained generators."""
        if self.both_ways:
            return super().translations(imgs_A, imgs_B)
        shown = {"A": imgs_A, "A to B": backend.predict(self.g_AB, imgs_A)}
        trains_back = self.g_BA in self.combined.trains
        return shown | ({"and back": backend.predict(self.g_BA, shown["A to B"])} if trains_back else {})


def convolution() -> dict[str, Any]:
    """Arguments of every convolution: PyTorch's initializer, no bias, weight decay 1e-5 (L2 with half the factor)."""
    decay = keras.regularizers.L2(0.5e-5)
    return {"use_bias": False, "kernel_initializer": torch_uniform(), "kernel_regularizer": decay}


def with_features(discriminator: Any) -> Any:
    """The discriminator with its `features_...` layers as additional outputs."""
    features = [layer.output for layer in discriminator.layers if layer.name.startswith("features")]
    return keras.Model(discriminator.input, [discriminator.output, *features])


if __name__ == "__main__":
    cli.run(DiscoGANPaper, arguments)
