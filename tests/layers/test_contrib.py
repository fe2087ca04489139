"""The InstanceNormalization of keras-contrib, in files that Keras 2 saved with it."""

import keras
import numpy as np
import pytest
from support.keras_2_files import (
    PLAIN,
    TWO,
    entrance,
    entry,
    expected_of,
    functional,
    generator_layers,
    generator_weights,
    random_weights,
    save,
    sequential,
)

from keras_gan import generators
from keras_gan.layers import ContribInstanceNormalization, InstanceNormalization

CONTRIB = {key: value for key, value in TWO.items() if key != "epsilon"} | {"epsilon": 1e-3}


def contrib(x, axis, epsilon, gamma, beta):
    """The formula of keras-contrib in plain NumPy."""
    axes = [i for i in range(1, x.ndim) if axis is None or i != axis % x.ndim]
    shape = [1] * x.ndim
    if axis is not None:
        shape[axis] = x.shape[axis]
    normed = (x - x.mean(tuple(axes), keepdims=True)) / (x.std(tuple(axes), keepdims=True) + epsilon)
    return normed * np.reshape(gamma, shape) + np.reshape(beta, shape)


@pytest.mark.parametrize("axis", [None, -1, 3, 1])
@pytest.mark.parametrize("epsilon", [1e-3, 0.5])
def test_contrib_instance_normalization_equals_its_formula(axis, epsilon, tmp_path):
    x = np.random.default_rng(0).normal(3, 2, (2, 6, 4, 5)).astype("float32")
    length = 1 if axis is None else x.shape[axis]
    gamma, beta = random_weights([(length,), (length,)])
    config = functional(
        entrance(x.shape[1:]),
        entry("InstanceNormalization", PLAIN | CONTRIB | {"axis": axis, "epsilon": epsilon}, "in"),
    )
    save(tmp_path / "old.h5", config, {"in": [], "x": [gamma, beta]})
    model = keras.models.load_model(tmp_path / "old.h5", compile=False)
    expected = contrib(x.astype("float64"), axis, epsilon, gamma, beta)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-5)
    model.save(tmp_path / "new.keras")
    again = keras.models.load_model(tmp_path / "new.keras")
    assert type(again.layers[-1]) is ContribInstanceNormalization
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("objects", [None, {"InstanceNormalization": InstanceNormalization}])
def test_a_generator_of_keras_contrib_opens_with_its_own_arithmetic(objects, tmp_path):
    layers = generator_layers(("InstanceNormalization", CONTRIB | {"axis": None}))
    weights, path = generator_weights() | {"norm": random_weights([(1,), (1,)], 2)}, tmp_path / "generator.h5"
    save(path, sequential(layers, with_input=True), weights, "Sequential")
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype("float32")
    expected = expected_of(x, weights, lambda y: contrib(y, None, 1e-3, *weights["norm"]))
    for model in (keras.models.load_model(path, objects, compile=False), generators.opened(path)):
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-5)


@pytest.mark.parametrize("missing", ["center", "scale"])
def test_contrib_layers_without_beta_or_gamma(missing):
    layer = InstanceNormalization.from_config(PLAIN | CONTRIB | {"axis": -1, missing: False})
    x = np.random.default_rng(0).normal(3, 2, (2, 6, 4, 5)).astype("float32")
    np.testing.assert_allclose(layer(x), contrib(x, -1, 1e-3, np.ones(5), np.zeros(5)), atol=1e-5)
    assert len(layer.weights) == 1


def test_configurations_of_addons_and_of_this_package_stay_ours():
    ours = InstanceNormalization(name="n")
    for config in (
        ours.get_config(),
        PLAIN | TWO | {"groups": -1, "axis": -1},
        PLAIN | TWO | {"groups": 8, "axis": -1},
    ):
        assert type(InstanceNormalization.from_config(config)) is InstanceNormalization


def test_other_layers_of_this_name_are_refused():
    with pytest.raises(ValueError, match="neither of tensorflow-addons nor of keras-contrib.*custom_object_scope"):
        InstanceNormalization.from_config(PLAIN | {"epsilon": 1e-5})


@pytest.mark.parametrize("axis", [0, -4, 4])
def test_contrib_layers_refuse_the_batch_and_axes_that_are_not_there(axis):
    with pytest.raises(ValueError, match=f"None or 1 to 3 for inputs of 4 axes, not {axis}"):
        ContribInstanceNormalization(axis=axis).build((None, 8, 8, 4))
