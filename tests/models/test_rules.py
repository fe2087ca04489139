"""The rules of a game that a user can change: losses of several verdicts, penalties, critic steps, spectral norms."""

import contextlib
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops
from support import commands
from support.models import MODELS, pictures, weights
from support.plain import noting
from support.resuming import EVERY_STEP, check_same, cut_back, everything
from support.toy import Toy

from keras_gan import DCGAN, CycleGANPaper, Pix2Pix, backend, layers
from keras_gan.adversarial import together
from keras_gan.adversarial.parts import create_variables
from keras_gan.adversarial.rules import Rules, check_discriminator, layers_of
from keras_gan.backend import operations
from keras_gan.errors import BadValueError

ON_JAX = keras.backend.backend() == "jax"
TOLERANCE = 1e-5 if ON_JAX else 1e-9  # of float64; on JAX, Keras takes means in float32


def noise(*shape, seed=0):
    return ops.convert_to_tensor(np.random.default_rng(seed).uniform(-1, 1, shape), keras.config.floatx())


def gradients_in_a_step(gan, loss):
    """The gradients of the first discriminator's variables, as an update takes them: a step of SGD at rate 1."""
    part = gan.discriminators[0]
    part.compile(optimizer=keras.optimizers.SGD(1.0), loss="mse")
    create_variables(part)
    before = [np.asarray(variable) for variable in part.trainable_variables]
    gan.forget_variables()
    variables = gan.step_variables
    backend.compiled(lambda: backend.update(gan, part, lambda pause: (loss(part), None)), variables)()
    return [a - np.asarray(b) for a, b in zip(before, part.trainable_variables, strict=True)]


@contextlib.contextmanager
def differentiated_by_the_framework(monkeypatch):
    """Keras' own convolutions, and no gradients of this package."""
    with monkeypatch.context() as patch:
        patch.setattr(layers.Conv2D, "convolution_op", keras.layers.Conv2D.convolution_op)
        patch.setattr(backend, "with_gradient", lambda forward, backward, *arguments: forward(*arguments)[0])
        patch.setattr(operations, "leaky_relu", ops.leaky_relu)
        yield


def plainly(network, x, penalty_of):
    """The gradients of the verdicts and a penalty, by a tape within a tape or by `jax.grad` within `jax.grad`."""
    if ON_JAX:
        import jax

        others = [variable.value for variable in network.non_trainable_variables]

        def verdict(x, values):
            y, _ = network.stateless_call(values, others, x, training=True)
            return ops.sum(ops.mean(ops.reshape(y, (len(y), -1)), axis=1))

        def penalty(values):
            return verdict(x, values) + penalty_of(jax.grad(verdict)(x, values))

        return jax.grad(penalty)([variable.value for variable in network.trainable_variables])
    import tensorflow as tf

    @tf.function(autograph=False)
    def gradients():
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = network(x, training=True)
                verdict = tf.reduce_sum(tf.reduce_mean(tf.reshape(y, (len(x), -1)), axis=1))
            penalty = verdict + penalty_of(inner.gradient(verdict, x))
        return outer.gradient(penalty, network.trainable_variables)

    return gradients()


def norms_at_one(gradient):
    return ops.mean((ops.sqrt(ops.sum(gradient**2, axis=(1, 2, 3)) + 1e-12) - 1) ** 2)


def squares(gradient):
    return ops.mean(ops.sum(gradient**2, axis=(1, 2, 3)))


DISCRIMINATORS = {
    "dcgan": (lambda **o: DCGAN(d_norm="layer", **o), 64, 2),
    "patchgan": (lambda **o: CycleGANPaper(generator="unet", gf=1, **o), 128, 1),
}
SMALL = {"dcgan": {"img_shape": (32, 32, 3), "gf": 4, "df": 4}, "patchgan": {"img_shape": (32, 32, 3), "df": 4}}
REAL = {"dcgan": {"img_shape": (64, 64, 3), "gf": 4}, "patchgan": {"img_shape": (144, 144, 3)}}
FAST_PATHS = {"dcgan": {"by taps"}, "patchgan": {"Winograd 4x4", "few filters"}}
SIZES = [*((kind, SMALL[kind]) for kind in SMALL), *(pytest.param(k, REAL[k], marks=pytest.mark.slow) for k in REAL)]


@pytest.mark.parametrize(("kind", "options"), SIZES)
def test_penalties_are_differentiated_twice_as_the_framework_does_it(kind, options, floatx, monkeypatch):
    """In float64, at real sizes too, where the convolutions of this package are taken."""
    floatx("float64")
    make, _, size = DISCRIMINATORS[kind]
    gan = make(dataset_name="drawn_shoes", seed=3, gradient_penalty=1.0, **options)
    network, x = gan.discriminators[0], noise(size, *options["img_shape"])
    # Between a picture and itself there is only that picture
    own = {
        norms_at_one: lambda d: together.gradient_penalty(d, x, x, gan.penalty_seed),
        squares: lambda d: together.r1(d, x),
    }
    for plain, penalty in own.items():
        with differentiated_by_the_framework(monkeypatch):
            expected = [np.asarray(gradient) for gradient in plainly(network, x, plain)]
        before = network.get_weights()
        with noting(monkeypatch) as taken:
            found = gradients_in_a_step(
                gan, lambda d, penalty=penalty: size * ops.mean(d(x, training=True)) + penalty(d)
            )
        network.set_weights(before)
        if options == REAL[kind] and not ON_JAX:
            assert set(taken) >= FAST_PATHS[kind]
        scale = max(np.abs(gradient).max() for gradient in expected)
        assert scale > 0
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=TOLERANCE * scale)


def linear(weights, shape=(2, 2, 1), **options):
    """A network whose verdict is a weighted sum of the pixels."""
    img = keras.Input(shape)
    network = keras.Model(img, keras.layers.Dense(1)(keras.layers.Flatten()(img)), **options)
    network.layers[-1].kernel.assign(np.reshape(weights, (-1, 1)))
    return network


def test_penalties_of_a_linear_discriminator_are_known():
    real, fake, seed = noise(3, 2, 2, 1), noise(3, 2, 2, 1, seed=1), keras.random.SeedGenerator(0)
    network = linear([3, 0, 0, 4])  # a gradient of length 5, everywhere
    assert float(together.r1(network, real)) == pytest.approx(25)
    assert float(together.gradient_penalty(network, real, fake, seed)) == pytest.approx(16)
    still = linear([0, 0, 0, 0])
    assert float(together.gradient_penalty(still, real, fake, seed)) == pytest.approx(1, abs=1e-4)
    patches = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Conv2D(1, 1, kernel_initializer="ones")])
    assert float(together.r1(patches, real)) == pytest.approx(4 * 0.25**2)  # of the mean over four patches


def test_points_between_originals_and_fakes_are_random_and_one_for_each_picture():
    """The gradient of the squared pixel is twice the pixel: the penalty tells the point."""
    img = keras.Input((1, 1, 1))
    network = keras.Model(img, ops.square(img))
    real, fake, seed = ops.zeros((64, 1, 1, 1)), ops.ones((64, 1, 1, 1)), keras.random.SeedGenerator(0)
    found = []
    for start in range(0, 64, 8):
        of_one = [
            together.gradient_penalty(network, real[i : i + 1], fake[i : i + 1], seed) for i in range(start, start + 8)
        ]
        found += [float(penalty) for penalty in of_one]  # (2 share - 1)^2
    assert np.mean(found) == pytest.approx(1 / 3, abs=0.12) and np.std(found) > 0.2
    assert float(together.gradient_penalty(network, real, fake, seed)) == pytest.approx(1 / 3, abs=0.12)


def test_labels_are_not_differentiated():
    img, label = keras.Input((2,)), keras.Input((), dtype="int32")
    verdict = keras.layers.Dense(1, kernel_initializer="ones")(img)
    network = keras.Model([img, label], verdict + keras.layers.Embedding(3, 1)(label))
    inputs = [noise(3, 2), ops.arange(3)]
    assert float(together.r1(network, inputs)) == pytest.approx(2)
    assert float(together.gradient_penalty(network, inputs, inputs, keras.random.SeedGenerator(0))) < 0.2


def softplus(x):
    return np.log1p(np.exp(x))


def hinge(x):
    return np.maximum(0, 1 - x)


RULES = {  # expected loss of the discriminator and of the generator, from verdicts on real and fake pictures
    "hinge": (
        {"adversarial_loss": "hinge"},
        lambda r, f: (0.5 * (hinge(r) + hinge(-f)).mean(), -f.mean()),
    ),
    "smooth": (
        {"label_smoothing": 0.1},
        lambda r, f: (0.5 * (0.9 * softplus(-r) + 0.1 * softplus(r) + softplus(f)).mean(), softplus(-f).mean()),
    ),
    "wgan-gp": (
        {"adversarial_loss": "wgan-gp", "critic_steps": 1},
        lambda r, f: (0.5 * (f - r).mean(), -f.mean()),  # the mean over originals and fakes
    ),
    "relativistic": (
        {"relativistic": True},
        lambda r, f: (
            (softplus(f.mean() - r) + softplus(f - r.mean())).mean(),
            (softplus(r.mean() - f) + softplus(r - f.mean())).mean(),
        ),
    ),
    "relativistic hinge": (
        {"relativistic": True, "adversarial_loss": "hinge"},
        lambda r, f: (
            (hinge(r - f.mean()) + hinge(r.mean() - f)).mean(),
            (hinge(f - r.mean()) + hinge(f.mean() - r)).mean(),
        ),
    ),
    "relativistic least squares": (
        {"relativistic": True, "adversarial_loss": "mse"},
        lambda r, f: (
            ((r - f.mean() - 1) ** 2 + (f - r.mean() + 1) ** 2).mean(),
            ((f - r.mean() - 1) ** 2 + (r - f.mean() + 1) ** 2).mean(),
        ),
    ),
}


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", RULES)
def test_the_losses_of_a_step_are_those_of_the_verdicts(name, batch):
    options, expected = RULES[name]
    still = {"g_optimizer": keras.optimizers.SGD(0.0), "d_optimizer": keras.optimizers.SGD(0.0)}
    gan, same = (MODELS["gan"](seed=1, **options, **still) for _ in range(2))
    (imgs,) = pictures(gan, batch)
    logs = gan.train_on_batch(imgs, return_dict=True)
    fakes = same.combined.generate(same.generator_inputs([ops.convert_to_tensor(imgs)]), training=True)
    verdicts = [np.asarray(same.discriminator(x)) for x in (imgs, fakes[0])]
    np.testing.assert_allclose([logs["d_loss"], logs["g_loss"]], expected(*verdicts), rtol=1e-5)
    judged = gan.evaluate(imgs, verbose=0, return_dict=True)
    assert judged.keys() == logs.keys() and ("d_penalty" in logs) == (name == "wgan-gp")


@pytest.mark.usefixtures("eagerly")
def test_verdicts_on_originals_move_neither_statistics_nor_past_fakes(batch):
    """The generators' relativistic loss asks for them; statistics move as by one pass on originals and one on fakes."""
    still = {"g_optimizer": keras.optimizers.SGD(0.0), "d_optimizer": keras.optimizers.SGD(0.0)}
    gan, other = (MODELS["dcgan"](seed=1, relativistic=True, **still) for _ in range(2))
    imgs = [ops.convert_to_tensor(x) for x in pictures(gan, batch)]
    gan.train_on_batch(*imgs)
    fakes = other.combined.generate(other.generator_inputs(imgs), training=True)
    for x in (*imgs, *fakes):
        other.discriminator(x, training=True)
    for a, b in zip(gan.discriminator.get_weights(), other.discriminator.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    toy = Toy(seed=1, relativistic=True)
    toy.train_on_batch(noise(2, 8, 8, 1))
    assert int(toy.pool.count) == 2


@pytest.mark.usefixtures("eagerly")
def test_a_joined_batch_is_taken_apart(batch):
    """CycleGAN trains on originals and fakes in one batch; with a penalty they are two."""
    gan = MODELS["cyclegan"](seed=0, r1=1.0)
    imgs = [ops.convert_to_tensor(x) for x in pictures(gan, batch)]
    fakes = gan.combined.generate(imgs)
    for (_, real, fake), x, y in zip(
        together.pairs_of(gan.discriminator_batches(imgs, fakes)), imgs, fakes, strict=False
    ):
        np.testing.assert_array_equal(real, x)
        np.testing.assert_array_equal(fake, y)


def test_the_generator_learns_in_the_last_of_the_critic_steps(batch):
    gan = MODELS["gan"](seed=1, critic_steps=3)
    (imgs,) = pictures(gan, batch)
    for step in range(1, 5):
        before = weights(gan)
        gan.train_on_batch(imgs)
        same = [np.array_equal(a, b) for a, b in zip(before["generator"], gan.generator.get_weights(), strict=True)]
        assert all(same) if step != 3 else not any(same)
        assert not np.array_equal(before["discriminator"][0], gan.discriminator.get_weights()[0])
        assert int(gan.discriminator.optimizer.iterations) == 2 * step


WHOLE = {"adversarial_loss": "wgan-gp", "critic_steps": 2, "r1": 0.5}


def test_a_run_with_critic_steps_and_penalties_resumes_to_the_same_bits(tmp_path):
    """Also with dropout in the discriminator, which the penalties run in training mode."""
    gan = Toy(seed=7, output=tmp_path / "run", **WHOLE)
    gan.train(**EVERY_STEP, ema=0.9, validation_interval=1, quiet=True)
    check_same(gan, Toy.resume(cut_back(tmp_path / "run", tmp_path / "copy", iteration=3)))


def test_judging_changes_no_state_but_metrics(batch):
    gan = MODELS["gan"](seed=1, **WHOLE, spectral_norm=True)
    (imgs,) = pictures(gan, batch)
    before = everything(gan)
    assert gan.evaluate(imgs, verbose=0, return_dict=True)["d_penalty"] > 0
    for a, b in zip(before, everything(gan), strict=True):
        np.testing.assert_array_equal(a, b)


def test_spectral_norms_become_one():
    layer = layers.SpectralNormalization(keras.layers.Dense(7, activation="tanh"))
    x = noise(5, 9)
    layer(x)
    layer.layer.bias.assign(np.arange(7) / 7)
    for _ in range(300):
        layer(x, training=True)
    kernel = np.asarray(layer.layer.kernel)
    largest = np.linalg.svd(kernel)[1][0]
    np.testing.assert_allclose(layer(x), np.tanh(np.asarray(x) @ kernel / largest + np.arange(7) / 7), atol=1e-5)


def test_gradients_flow_through_the_spectral_norm():
    """A kernel over its norm does not change with the kernel's length, so no gradient points along the kernel."""
    img = keras.Input((4, 4, 3))
    x = layers.SpectralNormalization(layers.Conv2D(5, 4, 2, "same"))(img)
    gan = MODELS["gan"](seed=1)
    gan.discriminators = [keras.Model(img, x)]
    before = np.asarray(gan.discriminators[0].trainable_variables[0])
    (found, _) = gradients_in_a_step(gan, lambda d: ops.sum(ops.sin(d(noise(2, 4, 4, 3), training=True))))
    assert np.abs(found).max() > 0.01 and abs((found * before).sum()) < 1e-4 * np.linalg.norm(found) * np.linalg.norm(
        before
    )


@pytest.mark.usefixtures("eagerly")
def test_a_generator_update_leaves_spectral_norms_and_a_file_keeps_them(batch, tmp_path):
    gan = MODELS["pix2pix"](seed=1, output=tmp_path, spectral_norm=True)
    kernels = [layer for layer in layers_of(gan.discriminator) if hasattr(layer, "kernel")]
    normalised = [layer.layer for layer in layers_of(gan.discriminator) if hasattr(layer, "u")]
    assert len(normalised) == 5 and not kernels
    imgs = [ops.convert_to_tensor(x) for x in pictures(gan, batch)]
    before = gan.discriminator.get_weights()
    gan.combined.train_on_batch(gan.generator_inputs(imgs), gan.generator_targets(imgs))
    for a, b in zip(before, gan.discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    gan.make_train_function()  # the slots of its optimizers
    gan.save_networks()
    loaded = keras.saving.load_model(tmp_path / "models/discriminator.keras")
    np.testing.assert_allclose(loaded(imgs), gan.discriminator(imgs), atol=1e-6)


@pytest.mark.slow
@pytest.mark.skipif(ON_JAX, reason="on JAX, XLA compiles every step")
@pytest.mark.parametrize(
    "options", [{"adversarial_loss": "wgan-gp", "critic_steps": 1, "spectral_norm": True}, {"relativistic": True}]
)
def test_a_step_compiled_by_xla_has_the_same_losses(options, batch, monkeypatch):
    """Points between originals and fakes, and noise, are the same only where they are made of integers."""

    def uniform(shape, seed):
        return keras.random.randint(shape, 0, 2**20, seed=seed) / 2**20

    monkeypatch.setattr(keras.random, "uniform", uniform)
    monkeypatch.setattr(keras.random, "normal", uniform)
    usual, compiled = (MODELS["cgan"](seed=3, d_norm="layer", **options) for _ in range(2))
    usual.run_eagerly, compiled.jit_compile = True, True
    for step in range(2):
        imgs = pictures(usual, batch, seed=step)
        np.testing.assert_allclose(compiled.train_on_batch(*imgs), usual.train_on_batch(*imgs), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_in_bfloat16_penalties_are_close(batch, policy):
    exact = MODELS["dcgan"](seed=0, d_norm="layer", **WHOLE)
    policy("mixed_bfloat16")
    gan = MODELS["dcgan"](seed=0, d_norm="layer", **WHOLE)
    (imgs,) = pictures(gan, batch)
    logs, expected = (each.train_on_batch(imgs, return_dict=True) for each in (gan, exact))
    for name, figure in expected.items():
        assert logs[name] == pytest.approx(figure, rel=0.1, abs=0.05), name


WRONG = {
    "adversarial_loss must be one of mse, bce, hinge, wgan-gp, not 'wgan'": {"adversarial_loss": "wgan"},
    "gradient_penalty must be a number of at least 0, not -1": {"gradient_penalty": -1},
    "r1 must be a number of at least 0, not nan": {"r1": float("nan")},
    "critic_steps must be a whole number of at least 1, not 0": {"critic_steps": 0},
    "label_smoothing must be at least 0 and below 1, not 1": {"label_smoothing": 1},
    "relativistic must be True or False, not 'no'": {"relativistic": "no"},
    "spectral_norm must be True or False, not 1": {"spectral_norm": 1},
    "relativistic changes nothing in wgan-gp": {"relativistic": True, "adversarial_loss": "wgan-gp"},
    "label_smoothing=0.1 needs labels, which hinge lacks: take bce": {
        "label_smoothing": 0.1,
        "adversarial_loss": "hinge",
    },
    "needs labels, which a relativistic loss lacks": {"label_smoothing": 0.1, "relativistic": True},
    "wgan-gp needs a bounded critic": {"adversarial_loss": "wgan-gp", "gradient_penalty": 0.0},
}


@pytest.mark.parametrize("message", WRONG)
def test_rules_that_cannot_work_are_refused_in_one_line(message):
    with pytest.raises(BadValueError, match=f"^[^\n]*{message}[^\n]*$"):
        Rules(**WRONG[message])


def test_a_loss_is_named_once():
    with pytest.raises(BadValueError, match="gan_loss=lsgan and adversarial_loss name two losses: leave gan_loss out"):
        Pix2Pix(gan_loss="lsgan", adversarial_loss="hinge", dataset_name="drawn_shoes")
    with pytest.raises(
        BadValueError, match=r"spectral_norm needs discriminator to be built by build_discriminator\(\)"
    ):
        Toy(spectral_norm=True).make_train_function()


def test_wgan_gp_has_the_numbers_of_its_paper():
    rules = Rules(adversarial_loss="wgan-gp")
    assert (rules.gradient_penalty, rules.critic_steps) == (10, 5)
    assert (Rules().gradient_penalty, Rules().critic_steps) == (0, 1) and not Rules().joins_updates
    assert Rules(adversarial_loss="wgan-gp", critic_steps=2, gradient_penalty=1.0).gradient_penalty == 1


COLUMNS = {  # of the table of docs/losses.md, the rules that they are about
    "losses": [{"adversarial_loss": name} for name in ("mse", "bce", "hinge")],
    "wgan-gp": [{"adversarial_loss": "wgan-gp"}],
    "gradient penalty, R1": [{"gradient_penalty": 10.0}, {"r1": 10.0}],
    "relativistic": [{"relativistic": True}],
    "label smoothing": [{"label_smoothing": 0.1}],
    "spectral norm": [{"spectral_norm": True}],
    "critic steps": [{"critic_steps": 5}],
}
LINES = (Path(__file__).parents[2] / "docs/losses.md").read_text(encoding="utf-8").splitlines()
TABLE = [line.strip("| ").split(" | ") for line in LINES if "| losses |" in line or "| yes |" in line]


def is_taken(model, rules):
    """Whether a model takes these rules, by what it says."""
    model.rules = Rules(**rules)
    try:
        for discriminator in model.discriminators:
            check_discriminator(model, discriminator)
    except BadValueError as refused:
        return str(refused)
    return True


@pytest.mark.slow
@pytest.mark.parametrize("row", TABLE[1:], ids=lambda row: row[0])
def test_the_table_of_losses_tells_which_model_takes_which(row):
    name, *cells = row
    make = MODELS[next(key for key, kind in commands.MODELS.items() if kind == name).replace("_", " ")]
    gan, others = make(), {}
    for column, cell in zip(TABLE[0][1:], cells, strict=True):
        option = cell.strip("`").removeprefix("--").replace("-", "_").split()
        for rules in COLUMNS[column]:
            found = is_taken(gan, rules)
            assert (found is True) == (cell == "yes"), (column, found)
            if len(option) == 2:
                assert "=".join(option) in found
                others.setdefault(cell, make(**dict([option])))
                assert is_taken(others[cell], rules) is True
    assert TABLE[0][1:] == list(COLUMNS) and len(TABLE) == 1 + len(commands.MODELS)
