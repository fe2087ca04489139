import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gan.layers import InstanceNormalization, UpsampleConv2D


def two_layers(filters, kernel_size, **kwargs):
    """What UpsampleConv2D replaces."""
    return keras.Sequential(
        [keras.layers.UpSampling2D(2), keras.layers.Conv2D(filters, kernel_size, padding="same", **kwargs)]
    )


def value_and_gradients(layer, x, weights):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        loss = tf.reduce_sum(y * tf.cos(tf.range(tf.size(y), dtype="float32")).numpy().reshape(y.shape))
    return [y, *tape.gradient(loss, [x, *weights()])]


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 5, 7, (3, 4), (6, 3)])
@pytest.mark.parametrize("shape", [(1, 8, 8, 3), (8, 8, 8, 5), (2, 16, 9, 4), (3, 4, 6, 2), (1, 1, 1, 7)])
def test_upsample_conv_equals_the_two_layers_forward_and_backward(kernel_size, shape):
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype("float32")
    ours, theirs = UpsampleConv2D(6, kernel_size, activation="tanh"), two_layers(6, kernel_size, activation="tanh")
    theirs(x), ours(x)
    weights = [rng.normal(size=w.shape).astype("float32") / 10 for w in theirs.get_weights()]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    assert ours(x).shape == ours.compute_output_shape(x.shape)
    expected = value_and_gradients(theirs, x, lambda: [v.value for v in theirs.trainable_variables])
    for a, b in zip(
        value_and_gradients(ours, x, lambda: [v.value for v in ours.trainable_variables]), expected, strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-5 * max(1, np.abs(b).max()))


def test_upsample_conv_without_bias_survives_its_config():
    layer = UpsampleConv2D(2, 4, use_bias=False, activation="relu")
    copy = UpsampleConv2D.from_config(layer.get_config())
    x = np.random.default_rng(1).normal(size=(1, 8, 8, 3)).astype("float32")
    layer(x), copy(x)
    copy.set_weights(layer.get_weights())
    assert len(copy.get_weights()) == 1
    np.testing.assert_array_equal(layer(x), copy(x))


def test_upsample_conv_names_an_unknown_size():
    with pytest.raises(ValueError, match=r"fixed height and width, not \(None, None, None, 3\)"):
        UpsampleConv2D(2, 4)(keras.Input((None, None, 3)))


@pytest.mark.parametrize("options", [{}, {"center": False}, {"scale": False}])
def test_instance_normalization_is_group_normalization_with_a_group_a_channel(options):
    x = np.random.default_rng(0).normal(3, 2, (2, 5, 4, 6)).astype("float32")
    ours, keras_own = InstanceNormalization(**options), keras.layers.GroupNormalization(-1, epsilon=1e-3, **options)
    np.testing.assert_allclose(ours(x), keras_own(x), atol=1e-5)
    plain = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-3)
    np.testing.assert_allclose(ours(x), plain, atol=1e-5)


def test_instance_normalization_of_large_values_keeps_its_digits():
    x = (1000 + np.random.default_rng(0).normal(size=(1, 4, 4, 3))).astype("float32")
    exact = x.astype("float64")
    exact = (exact - exact.mean((1, 2), keepdims=True)) / np.sqrt(exact.var((1, 2), keepdims=True) + 1e-3)
    np.testing.assert_allclose(InstanceNormalization()(x), exact, atol=1e-3)


@pytest.mark.parametrize("options", [{"groups": 2}, {"axis": 1}])
def test_instance_normalization_refuses_to_be_another_layer(options):
    with pytest.raises(ValueError, match="groups=-1 and axis=-1"):
        InstanceNormalization(**options).build((None, 8, 8, 4))


LOAD = """
import sys, numpy as np, keras, keras_gan.layers
generator, discriminator, io = sys.argv[1:]
io = np.load(io)
for path, y in ((generator, io["g"]), (discriminator, io["d"])):
    model = keras.saving.load_model(path)
    error = np.abs(model.predict(io["x"], verbose=0) - y).max()
    assert error < 1e-4, error
"""


def test_models_saved_by_tensorflow_addons_open(shared):
    files = [shared(f"golden/{name}") for name in ("tfa_generator.h5", "tfa_discriminator.h5", "tfa_io.npz")]
    subprocess.run([sys.executable, "-c", LOAD, *map(str, files)], check=True)
