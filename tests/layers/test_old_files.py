"""Models that Keras 2 saved as .h5, written here by hand: configurations of Keras 2.15 and weights in its layout."""

import keras
import numpy as np
import pytest
from support.keras_2_files import (
    CONV,
    DEPTH,
    KERNEL,
    MOVING,
    NO_KERNEL,
    PLAIN,
    POINT,
    TWO,
    ZEROS,
    batch_normalized,
    entrance,
    entry,
    expected_of,
    functional,
    generator_layers,
    generator_weights,
    random_weights,
    save,
    sequential,
    stored,
)
from support.models import slow

import keras_gan.layers  # noqa: F401 (opens old files, as the README promises)
from keras_gan import generators

CHANNELS_LAST = {"data_format": "channels_last"}
L = keras.layers

# kind: (configuration of Keras 2.15, the layer of Keras 3, shapes of the weights)
LAYERS = {
    "Conv2D": (CONV, L.Conv2D(5, 4, 2, "same"), [(4, 4, 3, 5), (5,)]),
    "Conv2D in groups": (CONV | {"groups": 3, "filters": 6}, L.Conv2D(6, 4, 2, "same", groups=3), [(4, 4, 1, 6), (6,)]),
    "Conv2DTranspose": (
        CONV | {"output_padding": None},
        L.Conv2DTranspose(5, 4, 2, "same"),
        [(4, 4, 5, 3), (5,)],
    ),
    "Conv2DTranspose with output padding": (
        CONV | {"output_padding": [1, 1], "padding": "valid"},
        L.Conv2DTranspose(5, 4, 2, "valid", output_padding=1),
        [(4, 4, 5, 3), (5,)],
    ),
    "DepthwiseConv2D": (
        {key: value for key, value in CONV.items() if key not in NO_KERNEL} | DEPTH,
        L.DepthwiseConv2D(4, 2, "same"),
        [(4, 4, 3, 1), (3,)],
    ),
    "SeparableConv2D": (
        CONV | DEPTH | POINT,
        L.SeparableConv2D(5, 4, 2, "same"),
        [(4, 4, 3, 1), (1, 1, 3, 5), (5,)],
    ),
    "UpSampling2D": (CHANNELS_LAST | {"size": [2, 2], "interpolation": "nearest"}, L.UpSampling2D(), []),
    "BatchNormalization": (TWO | MOVING | {"axis": [3]}, L.BatchNormalization(), [(3,)] * 4),
    "LayerNormalization": (TWO | {"axis": [3]}, L.LayerNormalization(epsilon=1e-3), [(3,)] * 2),
    "LeakyReLU": ({"alpha": 0.20000000298023224}, L.LeakyReLU(0.2), []),
    "ReLU": ({"max_value": None, "negative_slope": 0.0, "threshold": 0.0}, L.ReLU(), []),
    "PReLU": (
        {"alpha_initializer": ZEROS, "alpha_regularizer": None, "alpha_constraint": None, "shared_axes": [1, 2]},
        L.PReLU(shared_axes=[1, 2]),
        [(1, 1, 3)],
    ),
    "Activation": ({"activation": "tanh"}, L.Activation("tanh"), []),
    "Dropout": ({"rate": 0.5, "noise_shape": None, "seed": None}, L.Dropout(0.5), []),
    "SpatialDropout2D": (
        CHANNELS_LAST | {"rate": 0.5, "noise_shape": None, "seed": None},
        L.SpatialDropout2D(0.5),
        [],
    ),
    "GaussianNoise": ({"stddev": 0.1}, L.GaussianNoise(0.1), []),
    "Concatenate": ({"axis": -1}, L.Concatenate(), []),
    "Add": ({}, L.Add(), []),
    "ZeroPadding2D": (CHANNELS_LAST | {"padding": [[1, 2], [3, 4]]}, L.ZeroPadding2D(((1, 2), (3, 4))), []),
    "Cropping2D": (CHANNELS_LAST | {"cropping": [[1, 2], [2, 1]]}, L.Cropping2D(((1, 2), (2, 1))), []),
    "AveragePooling2D": (
        CHANNELS_LAST | {"pool_size": [2, 2], "padding": "same", "strides": [2, 2]},
        L.AveragePooling2D(2, padding="same"),
        [],
    ),
    "Reshape": ({"target_shape": [16, 12]}, L.Reshape((16, 12)), []),
    "Flatten": (CHANNELS_LAST, L.Flatten(), []),
    "Dense": (KERNEL | {"units": 7, "activation": "relu"}, L.Dense(7, "relu"), [(3, 7), (7,)]),
    "Dense of TensorFlow 1": (
        KERNEL
        | {"units": 7, "activation": "relu"}
        | {
            "kernel_initializer": {
                "class_name": "RandomNormal",
                "config": {"mean": 0.0, "stddev": 0.02, "seed": None, "dtype": "float32"},
            },
            "bias_initializer": {"class_name": "Zeros", "config": {"dtype": "float32"}},
        },
        L.Dense(7, "relu"),
        [(3, 7), (7,)],
    ),
    "Conv2DTranspose in mixed precision": (
        CONV | {"output_padding": None, "dtype": {"class_name": "Policy", "config": {"name": "mixed_float16"}}},
        L.Conv2DTranspose(5, 4, 2, "same", dtype="mixed_float16"),
        [(4, 4, 5, 3), (5,)],
    ),
    "Embedding": (
        {
            "batch_input_shape": [None, 1],
            "input_dim": 10,
            "output_dim": 4,
            "embeddings_initializer": stored("RandomUniform", minval=-0.05, maxval=0.05, seed=None),
            "embeddings_regularizer": None,
            "activity_regularizer": None,
            "embeddings_constraint": None,
            "mask_zero": False,
            "input_length": 1,
        },
        L.Embedding(10, 4),
        [(10, 4)],
    ),
}
SEVERAL = "Concatenate", "Add"


def test_hard_sigmoid_has_the_slope_of_keras_2(tmp_path):
    layer = entry("Activation", PLAIN | {"name": "it", "activation": "hard_sigmoid"}, "in")
    save(tmp_path / "old.h5", functional(entrance((3,)), layer), {"in": [], "it": []})
    x = np.array([[-3, 0.7, 2.8]], "float32")
    model = keras.saving.load_model(tmp_path / "old.h5", compile=False)
    np.testing.assert_allclose(model([x]), np.clip(x / 5 + 0.5, 0, 1), rtol=1e-6)
    model.save(tmp_path / "new.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "new.keras")([x]), model([x]))
    usual = keras.Sequential([keras.Input((3,)), L.Activation("hard_sigmoid")])
    np.testing.assert_array_equal(keras.models.clone_model(usual)(x), usual(x))  # of Keras 3: 1/6


#: Those whose configuration Keras 3 does not take as it is.
CHANGED = {"Conv2D in groups", "Conv2DTranspose", "Conv2DTranspose with output padding", "DepthwiseConv2D", "Dropout"}
CHANGED |= {"SeparableConv2D", "BatchNormalization", "LeakyReLU", "Dense of TensorFlow 1", "Embedding", "Concatenate"}
CHANGED |= {"Conv2DTranspose in mixed precision"}


@pytest.mark.parametrize("kind", [kind if kind in CHANGED else slow(kind) for kind in LAYERS])
def test_layers_of_keras_2_load_with_the_same_output(kind, tmp_path):
    config, layer, shapes = LAYERS[kind]
    class_name = kind.partition(" ")[0]
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype("float32")
    if class_name == "Embedding":
        x = np.array([[3], [7]], "float32")
    elif class_name == "Reshape":
        x = x.reshape(2, 4, 16, 3)
    inputs = ["in"] * (2 if class_name in SEVERAL else 1)
    path, weights = tmp_path / "old.h5", random_weights(shapes)
    save(path, functional(entrance(x.shape[1:]), entry(class_name, PLAIN | config, *inputs)), {"in": [], "x": weights})
    model = keras.models.load_model(path, compile=False)
    given = [x, x] if class_name in SEVERAL else x
    layer = type(layer).from_config(layer.get_config())
    layer(given)
    layer.set_weights(weights)
    np.testing.assert_allclose(model.predict(x, verbose=0), layer(given), atol=1e-6)
    model.save(tmp_path / "new.keras")
    again = keras.models.load_model(tmp_path / "new.keras")
    assert type(again.layers[-1]) is type(layer)  # what was loaded is an ordinary layer
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


UNLIKE = {
    "Conv2DTranspose": (CONV | {"output_padding": None, "groups": 2}, "takes no groups, but the file has groups=2"),
    "DepthwiseConv2D": (CONV | DEPTH | {"groups": 3}, "takes no groups, but the file has groups=3"),
    "SpatialDropout2D": ({"rate": 0.5, "noise_shape": [1, 2]}, r"takes no noise_shape, .* noise_shape=\[1, 2\]"),
    "LSTM": ({"units": 3, "time_major": True}, "takes no time_major, but the file has time_major=True"),
}


@pytest.mark.parametrize("class_name", UNLIKE)
def test_arguments_that_would_change_the_result_are_refused_by_name(class_name, tmp_path):
    config, message = UNLIKE[class_name]
    save(tmp_path / "old.h5", functional(entrance((8, 8, 3)), entry(class_name, PLAIN | config, "in")), {})
    with pytest.raises(ValueError, match=message):
        keras.models.load_model(tmp_path / "old.h5", compile=False)
    with pytest.raises(ValueError, match=message):
        generators.opened(tmp_path / "old.h5")


def test_recurrent_layers_of_keras_2_load():
    layer = keras.layers.LSTM.from_config({"units": 3, "time_major": False, "implementation": 2})
    assert layer(np.ones((1, 2, 3), "float32")).shape == (1, 3)


class Foreign(keras.layers.Layer):
    """A layer that takes an argument out of its keywords."""

    def __init__(self, **kwargs):
        self.groups = kwargs.pop("groups", 1)
        super().__init__(**kwargs)


def test_layers_of_other_packages_get_their_configuration_unchanged():
    assert Foreign.from_config({"groups": 2, "name": "f"}).groups == 2


def test_keras_own_configurations_are_read_as_ever():
    layer = keras.layers.Conv2D(4, 3, groups=2, dtype="mixed_bfloat16", name="c")
    copy = keras.layers.Conv2D.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config() and copy.groups == 2
    with pytest.raises(TypeError, match="unknown"):
        keras.layers.Dense.from_config({"units": 2, "unknown": 1})


@pytest.mark.parametrize("kind", ["Functional", "Model", "Sequential", "Sequential of Keras 2.3"])
def test_generators_of_keras_2_open(kind, tmp_path):
    layers, weights, path = generator_layers(), generator_weights(), tmp_path / "generator.h5"
    if "Sequential" in kind:
        config = sequential(layers, with_input=kind == "Sequential")
    else:
        names = ["in", *(settings["name"] for _, settings in layers)]
        calls = [entry(name, settings, names[i]) for i, (name, settings) in enumerate(layers)]
        config = functional(entrance((8, 8, 3)), *calls)
    save(path, config, weights, kind.partition(" ")[0])
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype("float32")
    expected = expected_of(x, weights, batch_normalized(weights["norm"]))
    for model in (keras.models.load_model(path, compile=False), generators.opened(path)):
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-5)
    assert generators.find(path).kind == "translation"


def test_models_inside_models_load(tmp_path):
    """A Sequential of Keras 2 as the last layer of a functional model."""
    weights = generator_weights()
    inside = {"class_name": "Sequential", "config": sequential(generator_layers(), with_input=True)}
    inside |= {"name": "sequential", "inbound_nodes": [[["in", 0, 0, {}]]]}
    arrays = [array for layer in weights.values() for array in layer]
    arrays = arrays[:4] + arrays[6:] + arrays[4:6]  # Keras 2 put the moving averages last
    save(tmp_path / "old.h5", functional(entrance((8, 8, 3)), inside), {"in": [], "sequential": arrays})
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype("float32")
    expected = expected_of(x, weights, batch_normalized(weights["norm"]))
    model = keras.models.load_model(tmp_path / "old.h5", compile=False)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-5)
