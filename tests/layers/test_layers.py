import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops
from support.gradients import gradients

from keras_gan.backend import operations
from keras_gan.backend.operations import conv_transpose
from keras_gan.layers import ImagePool, InstanceNormalization, LeakyReLU, ReflectionPadding2D
from keras_gan.layers.instance_norm import instance_norm


@pytest.mark.parametrize("options", [{}, {"center": False}, {"scale": False}])
def test_instance_normalization_is_group_normalization_with_one_group_per_channel(options):
    x = np.random.default_rng(0).normal(3, 2, (2, 5, 4, 6)).astype("float32")
    ours, keras_own = InstanceNormalization(**options), keras.layers.GroupNormalization(-1, epsilon=1e-3, **options)
    np.testing.assert_allclose(ours(x), keras_own(x), atol=1e-5)
    plain = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-3)
    np.testing.assert_allclose(ours(x), plain, atol=1e-5)


def test_instance_normalization_of_large_values_is_accurate():
    x = (1000 + np.random.default_rng(0).normal(size=(1, 4, 4, 3))).astype("float32")
    exact = x.astype("float64")
    exact = (exact - exact.mean((1, 2), keepdims=True)) / np.sqrt(exact.var((1, 2), keepdims=True) + 1e-3)
    np.testing.assert_allclose(InstanceNormalization()(x), exact, atol=1e-3)


def plain_norm(x, gamma, beta, epsilon):
    centred = x - ops.mean(x, axis=(1, 2), keepdims=True)
    return centred * ops.rsqrt(ops.mean(centred * centred, axis=(1, 2), keepdims=True) + epsilon) * gamma + beta


@pytest.mark.parametrize(
    ("size", "on_gpu"), [((5, 4), False), ((1, 1), False), ((7, 1), False), ((32, 17), True), ((5, 4), True)]
)
def test_the_gradient_of_instance_normalization_is_what_differentiation_gives(size, on_gpu, monkeypatch):
    monkeypatch.setattr(operations, "on_gpu", lambda: on_gpu)
    rng = np.random.default_rng(0)
    x, weights = (rng.normal(2, 3, (3, *size, 6)).astype("float32") for _ in "xw")
    gamma, beta = rng.normal(size=(2, 6)).astype("float32")
    for closed, differentiated in zip(
        gradients(lambda *values: instance_norm(*values, 1e-3) * weights, x, gamma, beta),
        gradients(lambda *values: plain_norm(*values, 1e-3) * weights, x, gamma, beta),
        strict=True,
    ):
        np.testing.assert_allclose(closed, differentiated, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("slope", [0.2, 0.0])
def test_leaky_relu_has_the_results_and_the_gradient_of_keras(slope):
    x = np.array([[-3, -0.5, 0, 0.5, 4]], "float32")
    ours, of_keras = LeakyReLU(slope), keras.layers.LeakyReLU(slope)
    np.testing.assert_array_equal(ours(x), of_keras(x))
    np.testing.assert_array_equal(gradients(ours, x)[0], gradients(of_keras, x)[0])


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="TensorFlow uses the closed form in training steps only")
def test_instance_normalization_can_be_differentiated_twice():
    import jax

    x = np.random.default_rng(0).normal(size=(1, 3, 2, 2)).astype("float32")
    one, zero = np.ones(2, "float32"), np.zeros(2, "float32")

    def penalty(norm):  # as of a gradient penalty
        return lambda x: (jax.grad(lambda x: (norm(x, one, zero, 1e-3) ** 3).sum())(x) ** 2).sum()

    np.testing.assert_allclose(
        jax.grad(penalty(instance_norm))(x), jax.grad(penalty(plain_norm))(x), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("options", [{"groups": 2}, {"axis": 1}])
def test_instance_normalization_refuses_other_groups_and_axes(options):
    with pytest.raises(ValueError, match="groups=-1 and axis=-1"):
        InstanceNormalization(**options).build((None, 8, 8, 4))


@pytest.fixture
def saved_by_addons(shared):
    """The files of two models and of their inputs and outputs."""
    return [str(shared(f"golden/{name}")) for name in ("tfa_generator.h5", "tfa_discriminator.h5", "tfa_io.npz")]


@pytest.mark.filterwarnings("ignore:Argument `alpha` is deprecated:UserWarning")  # the files contain it
def test_models_saved_with_tensorflow_addons_load(saved_by_addons):
    *models, recorded = saved_by_addons
    with np.load(recorded) as recorded:
        for path, name in zip(models, "gd", strict=True):
            model = keras.saving.load_model(path)
            np.testing.assert_allclose(model.predict(recorded["x"], verbose=0), recorded[name], rtol=0, atol=1e-4)


LOAD = """
import sys, keras, keras_gan.layers
for path in sys.argv[1:]:
    keras.saving.load_model(path)
"""


@pytest.mark.slow
def test_importing_the_layers_is_enough_to_load_addons_models(saved_by_addons):
    subprocess.run([sys.executable, "-c", LOAD, *saved_by_addons[:2]], check=True, timeout=100)


def numbered(start, n):
    """One-pixel pictures with the values start, start + 1, ..."""
    return np.arange(start, start + n, dtype="float32").reshape(n, 1, 1, 1)


def run_pool(size, batches, seed=0):
    """Runs a compiled pool; returns the (inputs, outputs) of each batch as numbers, and the pool."""
    pool = ImagePool(size, seed=seed)
    pool.build((None, 1, 1, 1))
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        step = tf.function(pool, reduce_retracing=True)
    else:
        import jax

        from keras_gan.backend.jax import assign, functional, values_of

        compiled = jax.jit(lambda values, fakes: functional(pool.variables, lambda: pool(fakes))(values))

        def step(fakes):
            out, values = compiled(values_of(pool.variables), fakes)
            assign(pool.variables, values)
            return out

    shown, start = [], 0
    for n in batches:
        shown.append((np.arange(start, start + n), np.ravel(step(keras.ops.convert_to_tensor(numbered(start, n))))))
        start += n
    return shown, pool


@pytest.mark.parametrize("size", [1, 5, 50])
def test_pool_returns_new_or_stored_pictures_and_swaps_half_of_them(size):
    shown, pool = run_pool(size, [1, 3, 2, 7] * 150)
    new, out = (np.concatenate(side) for side in zip(*shown, strict=True))
    assert (out[:size] == new[:size]).all()  # filled first
    assert (out <= new).all()  # nothing from the future
    swapped = out != new
    assert 0.45 < swapped[size:].mean() < 0.55
    assert len(set(out[swapped])) == swapped.sum()  # swapped pictures leave the pool
    kept = np.ravel(pool.images)
    assert len(set(kept)) == size and int(pool.count) == size  # full, without duplicates
    assert not set(kept) & set(out[swapped])


def test_pool_draws_slots_uniformly():
    """Ages of swapped pictures are geometrically distributed with mean 2 N for a pool of N."""
    shown, _ = run_pool(10, [1] * 2000)
    ages = np.array([int(new[0] - out[0]) for new, out in shown[10:] if out[0] != new[0]])
    assert 17 < ages.mean() < 23


def test_pool_of_size_0_returns_its_inputs():
    shown, _ = run_pool(0, [2, 3])
    assert all((new == out).all() for new, out in shown)


def test_pool_refuses_a_negative_size():
    with pytest.raises(ValueError, match="at least 0, not -1"):
        ImagePool(-1)


def test_reflection_padding_does_not_repeat_the_edge():
    x = np.arange(9, dtype="float32").reshape(1, 3, 3, 1)
    padded = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    layer = ReflectionPadding2D(2)
    np.testing.assert_array_equal(layer(x), padded)
    assert ReflectionPadding2D.from_config(layer.get_config()).padding == 2


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="only JAX has its own gradient here")
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("kernel_size", "strides"), [(3, 1), (3, 2), (4, 2), (2, 3)])
def test_gradients_of_transposed_convolutions_equal_jax_own(kernel_size, strides, padding):
    import jax

    rng = np.random.default_rng(0)
    x, kernel = (rng.normal(size=shape).astype("float32") for shape in ((2, 5, 6, 3), (kernel_size, kernel_size, 4, 3)))
    above = np.cos(np.arange(10_000, dtype="float32"))

    def loss(convolve):
        def of(x, kernel):
            y = convolve(x, kernel, strides, padding)
            return (y * above[: y.size].reshape(y.shape)).sum()

        return of

    def usual(*arguments):
        return keras.ops.conv_transpose(*arguments, data_format="channels_last")

    found, expected = (jax.value_and_grad(loss(f), argnums=(0, 1))(x, kernel) for f in (conv_transpose, usual))
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
