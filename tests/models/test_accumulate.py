"""Gradient accumulation: a step on parts of a batch equals a step on the whole batch."""

import functools

import keras
import numpy as np
import pytest
from keras import ops
from support.models import set_float, tensors, weights, without_dropout
from support.toy import Toy

from keras_gan import DCGAN, GAN, CycleGAN, CycleGANPaper, DiscoGAN, DiscoGANPaper, Pix2Pix, networks
from keras_gan.adversarial import accumulate, step
from keras_gan.errors import BadValueError

SHOES = {"dataset_name": "drawn_shoes", "seed": 3}
MODELS = {
    "discogan": lambda **options: DiscoGAN((16, 16, 3), gf=4, df=4, **SHOES, **options),
    "discogan, r1": lambda **options: DiscoGAN((16, 16, 3), gf=4, df=4, r1=10.0, **SHOES, **options),
    "cyclegan": lambda **options: CycleGAN((16, 16, 3), gf=4, df=4, pool_size=3, **SHOES, **options),
    "cyclegan paper": lambda **options: CycleGANPaper(
        (24, 24, 3), gf=4, df=4, pool_size=3, generator="unet", **SHOES, **options
    ),
    "pix2pix": lambda **options: Pix2Pix((24, 24, 3), gf=4, df=4, norm="instance", **SHOES, **options),
    "dcgan": lambda **options: DCGAN((28, 28, 3), gf=4, df=4, d_norm="layer", **SHOES, **options),
}


@pytest.fixture
def float64(monkeypatch):
    """Float64, also in the means of Keras on JAX, which are of float32 otherwise."""
    set_float("float64")
    if keras.backend.backend() == "jax":
        from jax import numpy as jnp

        def mean(x, axis=None, keepdims=False):
            return jnp.mean(ops.convert_to_tensor(x), axis=axis, keepdims=keepdims)

        monkeypatch.setattr("keras.src.backend.jax.numpy.mean", mean)
    yield
    set_float("float32")


def played(gan, parts, steps=3, size=8):
    """The figures of some steps on noise, in so many parts, and the weights then."""
    gan.accumulate = parts
    rng = np.random.default_rng(0)
    example = next(gan.data_loader.load_batch(1))
    shapes = [x.shape[1:] for x in (example if isinstance(example, tuple) else (example,))]
    figures = [gan.train_on_batch(*(rng.uniform(-1, 1, (size, *shape)) for shape in shapes)) for _ in range(steps)]
    return np.array(figures), weights(gan)


def made(model):
    """A model with SGD: other optimizers divide by gradients, which makes rounding errors of small ones large."""
    sgd = keras.optimizers.SGD(1e-2)
    return without_dropout(MODELS[model](g_optimizer=sgd, d_optimizer=sgd))


def assert_same(ours, expected, to=1e-11):
    np.testing.assert_allclose(ours[0], expected[0], rtol=to)
    for name, before in expected[1].items():
        for a, b in zip(ours[1][name], before, strict=True):
            np.testing.assert_allclose(a, b, atol=to, err_msg=name)


@functools.cache
def played_whole(model):
    """The same for all numbers of parts. Eagerly, since a few steps take less time than to trace them."""
    gan = made(model)
    gan.run_eagerly = keras.backend.backend() == "tensorflow"
    return played(gan, 1)


@pytest.mark.slow
@pytest.mark.parametrize("parts", [2, 4])
@pytest.mark.parametrize("model", MODELS)
def test_parts_equal_the_whole_batch(model, parts, float64, monkeypatch):
    """DCGAN's generator gets layer normalization here: batch normalization sees parts, so it is another model.

    On JAX, Keras computes some of that layer in float32.
    """
    monkeypatch.setattr(networks, "batch_norm", networks.layer_norm)
    is_rounded = model == "dcgan" and keras.backend.backend() == "jax"
    assert_same(played(made(model), parts), played_whole(model), 1e-7 if is_rounded else 1e-11)


def test_two_parts_equal_the_whole_batch_of_a_toy(float64):
    """Its discriminator has two updates, and sees past fakes."""

    def toy():
        sgd = keras.optimizers.SGD(1e-2)
        return without_dropout(Toy(seed=0, norm=False, g_optimizer=sgd, d_optimizer=sgd))

    assert_same(played(toy(), 2), played(toy(), 1))


@pytest.mark.slow
def test_the_generators_are_trained_on_the_fakes_that_the_discriminators_saw(eagerly):
    gan = DiscoGAN((8, 8, 3), gf=2, df=2, dropout=0.5, **SHOES)
    gan.make_train_function()
    gan.accumulate, seen = 2, []
    batch = tensors(np.random.default_rng(0).uniform(-1, 1, (2, 4, 8, 8, 3)).astype("float32"))
    before = [np.array(state) for state in gan.random_states]
    fakes = step.train_generators(gan, batch, batch, between=seen.extend)
    for first, again in zip(seen, fakes, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(first), ops.convert_to_numpy(again))
    assert any((np.array(state) != value).any() for state, value in zip(gan.random_states, before, strict=True))


def test_parts_are_equal_shares_of_each_device_and_put_together_again():
    x = np.arange(12.0).reshape(6, 2)
    parts = accumulate.parts_of([x], 3)
    assert parts[0].shape == (3, 2, 2)
    assert ops.convert_to_numpy(parts[0][1, :, 0]).tolist() == [2, 8]  # pictures 1 and 4
    np.testing.assert_array_equal(ops.convert_to_numpy(accumulate.whole(parts)[0]), x)


@pytest.mark.slow
@pytest.mark.parametrize("make", [DiscoGANPaper, GAN])
def test_models_with_batch_normalization_are_trained_in_parts(make):
    gan = make(**SHOES | ({"dataset_name": "drawn_digits"} if make is GAN else {"gf": 4, "df": 4}))
    assert gan.mixes_batch
    figures, _ = played(gan, 2, steps=4)
    assert np.isfinite(figures).all()


def test_a_batch_that_cannot_be_divided_is_refused(tmp_path):
    gan = Toy(seed=0, output=tmp_path / "run")
    with pytest.raises(BadValueError, match="batch_size 4 cannot be divided by accumulate=3: use a multiple of 3"):
        gan.train(epochs=1, batch_size=4, accumulate=3)
    with pytest.raises(BadValueError, match="accumulate must be a whole number of at least 1, not 0"):
        gan.train(epochs=1, accumulate=0)
    gan.accumulate = 2
    with pytest.raises(BadValueError, match="a batch of 3 cannot be divided into accumulate=2 parts"):
        gan.train_on_batch(np.zeros((3, 8, 8, 1), "float32"))
    relative = Toy(seed=0, relativistic=True)
    with pytest.raises(BadValueError, match="accumulate=2: relativistic losses compare each verdict"):
        relative.train(epochs=1, batch_size=4, accumulate=2)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_resumed_run_in_parts_ends_with_the_same_bits(tmp_path):
    def train(name, epochs):
        return Toy(seed=0, output=tmp_path / name).train(epochs=epochs, batch_size=4, accumulate=2) and tmp_path / name

    whole, halves = train("whole", 2), train("halves", 1)
    gan = Toy.resume(halves, epochs=2)
    assert gan.accumulate == 2 and int(gan.iteration) == 6
    for name in ("generator", "discriminator"):
        a, b = (keras.saving.load_model(run / "models" / f"{name}.keras").get_weights() for run in (whole, halves))
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True)), name
