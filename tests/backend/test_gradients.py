"""Kernel gradients sum over all uses of the kernel, and updates equal those of Keras' own optimizers."""

import keras
import numpy as np
import pytest
from keras import ops
from support.plain import noting, plain

from keras_gan import backend as backends
from keras_gan.adversarial.combined import Combined, once
from keras_gan.adversarial.step import scaled_loss
from keras_gan.layers import Conv2D, Conv2DTranspose, UpsampleConv2D

tf = pytest.importorskip("tensorflow")
backend = pytest.importorskip("keras_gan.backend.tensorflow")
taps = pytest.importorskip("keras_gan.backend.tensorflow_taps")
pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's gradients")


def noise(*shape, seed=0, dtype="float32"):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def check_gradients(loss_of, variables, monkeypatch, atol=1e-5):
    """Compares the gradients with those of Keras' own layers."""
    with noting(monkeypatch) as taken, tf.GradientTape() as tape:
        loss = loss_of()
    with noting(monkeypatch) as joined:
        found = taps.gradients_of(loss, variables, tape)
    assert taken and joined["joined gradients"] and taps.deferred is None
    with plain(monkeypatch), tf.GradientTape() as tape:
        loss = loss_of()
    for a, b in zip(found, tape.gradient(loss, variables), strict=True):
        assert a.dtype == b.dtype and np.abs(b).max() > 0
        np.testing.assert_allclose(a, b, atol=atol * np.abs(b).max())
    return joined["joined gradients"]


def built(layer, *shape):
    layer.build((None, *shape))
    return layer


def summed(y):
    return ops.sum(ops.sin(ops.cast(y, "float32")))


def test_a_regulariser_and_a_custom_loss_on_the_weights(monkeypatch):
    layer = built(Conv2D(80, 4, 2, "same", kernel_regularizer="l2"), 2, 2, 3)
    x = noise(1, 2, 2, 3)

    def loss():
        auxiliary = ops.sum(ops.abs(layer.kernel)) + ops.sum(layer.bias**2)
        return summed(layer(x)) + 100 * sum(layer.losses) + auxiliary

    check_gradients(loss, layer.trainable_variables, monkeypatch)


def test_maps_of_several_sizes_by_taps_and_otherwise(monkeypatch):
    """By taps with the pixels multiplied before moving and after, and by Keras."""
    layer = built(Conv2D(30, 4, 2, "same"), None, None, 40)
    maps = [noise(2, side, side, 40) for side in (1, 2, 32)]
    joined = check_gradients(lambda: sum(summed(layer(x)) for x in maps), layer.trainable_variables, monkeypatch)
    assert joined == 2  # the two ways by taps


def test_a_kernel_shared_by_layers_of_two_kinds(monkeypatch):
    down, up = built(Conv2D(80, 4, 2, "same"), 1, 1, 80), built(Conv2DTranspose(80, 4, 2, "same"), 1, 1, 80)
    vars(up).update(kernel=down.kernel)
    x = noise(3, 1, 1, 80)
    assert check_gradients(lambda: summed(up(x)) + summed(down(x)), down.trainable_variables, monkeypatch) == 2


def test_a_kernel_used_in_full_and_in_half_precision(monkeypatch):
    layer = built(UpsampleConv2D(80, 4), 2, 2, 128)
    half = built(UpsampleConv2D(80, 4, dtype="mixed_bfloat16"), 2, 2, 128)
    vars(half).update(_kernel=layer._kernel, bias=layer.bias)
    x = noise(1, 2, 2, 128)
    check_gradients(lambda: summed(layer(x)) + summed(half(x)), layer.trainable_variables, monkeypatch, atol=2e-2)


# Whole updates: a compiled part, and its variables and slots afterwards.


def make_part(optimizer, constraint=None, lost=False):
    """A part that trains two networks with a shared layer, computed by taps."""
    img = keras.Input((2, 2, 8))
    common = Conv2D(80, 4, 2, "same", kernel_regularizer=keras.regularizers.L2(0.1), kernel_constraint=constraint)
    networks = [keras.Model(img, Conv2DTranspose(8, 4, 2, "same")(common(img)), name=name) for name in "ab"]
    if lost:
        networks[1].lost = networks[1].add_weight(name="lost", shape=(3,))
    fake = once(networks[0](img))
    combined = Combined([img], {"back": networks[1](fake)}, fakes=[fake], trains=networks)
    combined.compile(optimizer=optimizer, loss="mse")
    rng = np.random.default_rng(0)
    for variable in combined.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) / 10)
    combined.optimizer.build(combined.trainable_variables)
    backend.prepare(combined.optimizer)
    return combined


def updated(part):
    """The weights and optimizer variables after two updates."""
    for seed in range(2):
        x, y = (tf.constant(noise(3, 2, 2, 8, seed=number, dtype=keras.config.floatx())) for number in (seed, seed + 9))

        def forward(pause, x=x, y=y):
            return scaled_loss(part, x, y, part([x], training=True)[0]), None

        backends.update(None, part, forward)
    return [np.asarray(variable) for variable in [*part.trainable_variables, *part.optimizer.variables]]


OPTIMIZERS = {
    "Adam": keras.optimizers.Adam,
    "RMSprop": keras.optimizers.RMSprop,
    "Adam with decay": lambda rate: keras.optimizers.Adam(rate, weight_decay=0.1),
    "SGD": keras.optimizers.SGD,
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("constraint", [None, keras.constraints.MaxNorm(0.1)])
def test_updates_equal_those_of_keras(name, constraint, floatx, monkeypatch):
    floatx("float64")
    with noting(monkeypatch) as taken:
        found = updated(make_part(OPTIMIZERS[name](1e-2), constraint))
    assert taken["joined gradients"] and taken[name] == (2 if name in ("Adam", "RMSprop") else 0)
    with plain(monkeypatch):
        expected = updated(make_part(OPTIMIZERS[name](1e-2), constraint))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_a_layer_shared_by_two_networks_is_trained_and_regularised_once():
    combined = make_part(keras.optimizers.SGD(1.0))
    assert len(combined.trainable_variables) == 2 + 2 * 2 and len(combined.losses) == 1
    assert len(combined.non_trainable_variables) == len(combined.variables) - len(combined.trainable_variables)


def test_a_weight_without_gradient_is_named_in_a_warning_and_unchanged():
    part = make_part(keras.optimizers.Adam(1e-2), lost=True)
    before = np.asarray(part.trains[1].lost)
    with pytest.warns(UserWarning, match="lost"):
        updated(part)
    np.testing.assert_array_equal(part.trains[1].lost, before)
    assert int(part.optimizer.iterations) == 2
