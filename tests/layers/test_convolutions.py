"""The faster convolutions equal Keras' own: values, gradients, weights, saved files."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gan.backend import operations, tensorflow_few_filters, tensorflow_winograd
from keras_gan.backend import tensorflow_taps as taps
from keras_gan.backend.tensorflow_xla import in_training
from keras_gan.layers import Conv2D, Conv2DTranspose, UpsampleConv2D, convolutions


@pytest.fixture
def by_taps(monkeypatch):
    """The plans of all convolutions computed by taps during the test."""
    calls, usual = [], convolutions.by_taps

    def noting(x, kernel, plan, **options):
        calls.append(plan)
        return usual(x, kernel, plan, **options)

    monkeypatch.setattr(convolutions, "by_taps", noting)
    return calls


def two_layers(filters, kernel_size, **kwargs):
    """The layers that UpsampleConv2D replaces."""
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


def check_equal(ours, theirs, x):
    """Compares values and gradients (of input and weights) for equal weights."""
    rng = np.random.default_rng(0)
    theirs(x), ours(x)
    weights = [rng.normal(size=w.shape).astype("float32") / 10 for w in theirs.get_weights()]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    assert ours(x).shape == ours.compute_output_shape(x.shape)
    found, expected = (
        value_and_gradients(layer, x, lambda layer=layer: [v.value for v in layer.trainable_variables])
        for layer in (ours, theirs)
    )
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5 * max(1, np.abs(b).max()))


KERNELS = [1, 2, 3, 4, 5, 7, (3, 4), (6, 3)]
SHAPES = [(1, 8, 8, 3), (8, 8, 8, 5), (2, 16, 9, 4), (3, 4, 6, 2), (1, 1, 1, 7), (8, 2, 1, 128), (1, 3, 2, 128)]


# Each kernel with three shapes, each shape with three or four kernels
@pytest.mark.parametrize(
    ("kernel_size", "shape"), [(kernel, SHAPES[(3 * i + j) % 7]) for i, kernel in enumerate(KERNELS) for j in range(3)]
)
def test_upsample_conv_equals_the_two_layers_forward_and_backward(kernel_size, shape):
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype("float32")
    ours, theirs = UpsampleConv2D(6, kernel_size, activation="tanh"), two_layers(6, kernel_size, activation="tanh")
    check_equal(ours, theirs, x)


def test_upsample_conv_without_bias_is_rebuilt_from_its_config():
    layer = UpsampleConv2D(2, 4, use_bias=False, activation="relu")
    copy = UpsampleConv2D.from_config(layer.get_config())
    x = np.random.default_rng(1).normal(size=(1, 8, 8, 3)).astype("float32")
    layer(x), copy(x)
    copy.set_weights(layer.get_weights())
    assert len(copy.get_weights()) == 1
    np.testing.assert_array_equal(layer(x), copy(x))


def test_upsample_conv_refuses_an_unknown_size():
    with pytest.raises(ValueError, match=r"fixed height and width, not \(None, None, None, 3\)"):
        UpsampleConv2D(2, 4)(keras.Input((None, None, 3)))


@pytest.mark.parametrize(
    ("kernel_size", "size", "batch"),
    [
        (kernel, size, (1, 8)[(i + j) % 2])
        for i, kernel in enumerate([1, 2, 3, 4, (3, 4), (6, 3)])
        for j, size in enumerate([(1, 1), (2, 1), (2, 3)])
    ],
)
def test_small_maps_of_many_channels_are_upsampled_by_taps(kernel_size, size, batch, by_taps):
    x = np.random.default_rng(0).normal(size=(batch, *size, 128)).astype("float32")
    options = {"activation": "relu", "use_bias": batch == 8}
    check_equal(UpsampleConv2D(6, kernel_size, **options), two_layers(6, kernel_size, **options), x)
    assert by_taps and all(plan.multiplies_first for plan in by_taps)


SETTINGS = {  # size, channels, filters, kernel, strides, padding
    "halving": ((4, 4), 3, 80, 4, 2, "same"),
    "halving, odd sizes": ((5, 3), 3, 80, 4, 2, "same"),
    "halving, odd kernel": ((4, 2), 3, 80, 3, 2, "same"),
    "to one pixel": ((2, 2), 3, 80, 4, 2, "same"),
    "unequal kernel and strides": ((6, 4), 2, 100, (3, 5), (3, 2), "same"),
    "without padding": ((5, 6), 2, 200, (3, 4), 2, "valid"),
    "output of a PatchGAN": ((4, 4), 80, 1, 4, 1, "same"),
    "kernel as large as the map": ((4, 4), 80, 80, 4, 1, "valid"),
}


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("setting", SETTINGS)
def test_convolutions_by_taps_equal_keras_forward_and_backward(setting, batch, by_taps):
    size, channels, filters, *settings = SETTINGS[setting]
    x = np.random.default_rng(0).normal(size=(batch, *size, channels)).astype("float32")
    theirs = keras.layers.Conv2D(filters, *settings, activation="tanh")
    check_equal(Conv2D(filters, *settings, activation="tanh"), theirs, x)
    assert by_taps


@pytest.mark.parametrize(("batch", "fast"), [(1, True), (16, True), (17, False)])
def test_on_a_gpu_taps_move_at_most_a_quarter_of_the_kernel(batch, fast, by_taps, monkeypatch):
    monkeypatch.setattr(operations, "on_gpu", lambda: True)
    x = np.random.default_rng(0).normal(size=(batch, 2, 1, 128)).astype("float32")
    check_equal(UpsampleConv2D(6, 4), two_layers(6, 4), x)  # a tap moves batch * 2 * 6 values, its kernel has 128 * 6
    assert bool(by_taps) == fast


TRANSPOSED = {  # size, channels, filters, kernel, strides
    "doubling": ((2, 2), 80, 3, 4, 2),
    "doubling, odd kernel": ((3, 2), 100, 2, 3, 2),
    "kernel below the strides": ((2, 2), 200, 2, 2, 3),
    "unequal kernel and strides": ((2, 1), 100, 2, (5, 4), (1, 2)),
}


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("setting", TRANSPOSED)
def test_transposed_convolutions_by_taps_equal_keras_forward_and_backward(setting, batch, by_taps):
    size, channels, filters, *settings = TRANSPOSED[setting]
    x = np.random.default_rng(0).normal(size=(batch, *size, channels)).astype("float32")
    settings += ["same"]
    theirs = keras.layers.Conv2DTranspose(filters, *settings, activation="tanh")
    check_equal(Conv2DTranspose(filters, *settings, activation="tanh"), theirs, x)
    assert by_taps


UNUSUAL = {
    "groups": {"groups": 2},
    "dilation": {"dilation_rate": 2},
    "large maps": {"shape": (1, 16, 16, 4)},
}


@pytest.mark.parametrize("what", UNUSUAL)
def test_other_convolutions_are_computed_by_keras(what, by_taps):
    options = {"shape": (1, 2, 2, 4), "padding": "same"} | UNUSUAL[what]
    x = np.random.default_rng(0).normal(size=options.pop("shape")).astype("float32")
    check_equal(Conv2D(200, 3, **options), keras.layers.Conv2D(200, 3, **options), x)
    assert not by_taps


def test_maps_of_unknown_size_are_computed_by_keras(by_taps):
    img = keras.Input((None, None, 3))
    model = keras.Model(img, Conv2DTranspose(4, 4, 2, "same")(Conv2D(80, 4, 2, "same")(img)))
    assert model.predict(np.zeros((1, 8, 8, 3)), verbose=0).shape == (1, 8, 8, 4)
    assert not by_taps


@pytest.mark.parametrize("layer", [Conv2D(80, 4, 2, "same"), Conv2DTranspose(4, 4, 2, "same"), UpsampleConv2D(4, 4)])
def test_saved_layers_load_with_the_same_class_and_output(layer, tmp_path):
    img = keras.Input((2, 2, 80))
    model = keras.Model(img, layer(img))
    model.save(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(1, 2, 2, 80)).astype("float32")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1]) is type(layer)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_gradients_of_a_kernel_used_twice_add_up(dtype, by_taps):
    """Compares `gradients_of`, which joins all uses of a kernel, with the tape's gradients."""
    layers = [Conv2D(80, 4, 2, "same", dtype=dtype), Conv2DTranspose(3, 4, 2, "same", dtype=dtype)]
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 2, 2, 3)).astype("float32"))

    def forward(x):
        for layer in [*layers, *layers]:
            x = layer(x)
        return x

    forward(x)
    variables = [variable for layer in layers for variable in layer.trainable_variables]
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_sum(tf.sin(tf.cast(forward(x), "float32")))
    expected = tape.gradient(loss, variables)
    found = taps.gradients_of(loss, variables, tape)
    assert len(by_taps) == 8 and taps.deferred is None
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype == "float32"
        np.testing.assert_allclose(a, b, atol=(1e-5 if dtype == "float32" else 2e-2) * np.abs(b).max())


def check_equal_in_training(layer, x, way, monkeypatch):
    """Compares a layer in a training step, computed by the backend module `way`, with the same layer elsewhere."""
    calls, usual = [], way.conv
    layer.build(x.shape)
    monkeypatch.setattr(way, "conv", lambda *arguments: calls.append(arguments) or usual(*arguments))
    expected = value_and_gradients(layer, x, lambda: [v.value for v in layer.trainable_variables])
    assert not calls
    with in_training():
        found = value_and_gradients(layer, x, lambda: [v.value for v in layer.trainable_variables])
    assert calls
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=(1e-5 if x.dtype == "float32" else 1e-13) * max(1, np.abs(b).max()))


@pytest.mark.parametrize(
    ("kernel_size", "shape", "dtype"),
    [
        (3, (1, 19, 19, 128), "float32"),
        pytest.param(4, (3, 20, 19, 128), "float32", marks=pytest.mark.slow),  # XLA compiles for seconds
        pytest.param(3, (1, 20, 19, 128), "float64", marks=pytest.mark.slow),
    ],
)
def test_winograd_convolutions_equal_plain_ones(shape, kernel_size, dtype, monkeypatch):
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    check_equal_in_training(Conv2D(130, kernel_size, dtype=dtype), x, tensorflow_winograd, monkeypatch)


@pytest.mark.parametrize(
    ("filters", "kernel_size", "shape"),
    [
        (3, 7, (2, 90, 93, 32)),
        (1, 4, (1, 33, 33, 256)),
        (4, (3, 2), (8, 64, 70, 64)),
        (2, 1, (1, 64, 64, 64)),
    ],
)
def test_convolutions_to_few_filters_equal_plain_ones(filters, kernel_size, shape, monkeypatch):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    check_equal_in_training(Conv2D(filters, kernel_size), x, tensorflow_few_filters, monkeypatch)


ORDINARY = {
    "another kernel": ({"kernel_size": 5}, (1, 20, 20, 128)),
    "unequal sides": ({"kernel_size": (3, 4)}, (1, 19, 19, 128)),
    "strides": ({"strides": 2}, (1, 18, 18, 128)),
    "padding": ({"padding": "same"}, (1, 18, 18, 128)),
    "small maps": ({}, (1, 17, 17, 128)),
    "few channels": ({}, (1, 18, 18, 64)),
    "few filters, small maps": ({"filters": 3}, (1, 30, 30, 128)),
    "few filters, few channels": ({"filters": 3}, (1, 128, 128, 31)),
    "few filters, with strides": ({"filters": 3, "strides": 2}, (1, 128, 128, 32)),
    "half precision": ({"dtype": "mixed_bfloat16"}, (1, 18, 18, 128)),
}


@pytest.mark.parametrize("what", ORDINARY)
def test_other_convolutions_in_training_are_computed_by_keras(what, monkeypatch):
    options, shape = ORDINARY[what]
    monkeypatch.setattr(tensorflow_winograd, "conv", None)
    monkeypatch.setattr(tensorflow_few_filters, "conv", None)
    with in_training():
        Conv2D(**{"filters": 128, "kernel_size": 3} | options)(np.zeros(shape, "float32"))
