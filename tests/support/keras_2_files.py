"""Writes .h5 files as Keras 2 did: configurations of Keras 2.15, and weights in its layout."""

import json

import h5py
import keras
import numpy as np

NO = {f"{weight}_{kind}": None for weight in ("kernel", "bias") for kind in ("regularizer", "constraint")}
PLAIN = {"name": "x", "trainable": True, "dtype": "float32"}


def stored(name, **settings):
    """An initializer, as Keras 2.15 stored it."""
    return {"module": "keras.initializers", "class_name": name, "config": settings, "registered_name": None}


ZEROS, ONES, GLOROT = stored("Zeros"), stored("Ones"), stored("GlorotUniform", seed=None)
KERNEL = NO | {"use_bias": True, "kernel_initializer": GLOROT, "bias_initializer": ZEROS, "activity_regularizer": None}
CONV = KERNEL | {"strides": [2, 2], "padding": "same", "data_format": "channels_last", "dilation_rate": [1, 1]}
CONV |= {"filters": 5, "kernel_size": [4, 4], "groups": 1, "activation": "linear"}
NO_KERNEL = ("filters", "kernel_initializer", "kernel_regularizer", "kernel_constraint")
DEPTH = {"depth_multiplier": 1} | {f"depthwise_{kind}": None for kind in ("initializer", "regularizer", "constraint")}
POINT = {f"pointwise_{kind}": None for kind in ("initializer", "regularizer", "constraint")}
TWO = {f"{weight}_{kind}": None for weight in ("beta", "gamma") for kind in ("regularizer", "constraint")}
TWO |= {"center": True, "scale": True, "beta_initializer": ZEROS, "gamma_initializer": ONES, "epsilon": 1e-3}
MOVING = {"momentum": 0.99, "moving_mean_initializer": ZEROS, "moving_variance_initializer": ONES}


def save(path, config, weights, class_name="Functional"):
    """Writes a file of Keras 2: `config` of the model, `weights` {layer: [array]}."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": class_name, "config": config})
        file.attrs["keras_version"], file.attrs["backend"] = "2.15.0", "tensorflow"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [name.encode() for name in weights]
        group.attrs["keras_version"], group.attrs["backend"] = "2.15.0", "tensorflow"
        for layer, arrays in weights.items():
            inside = group.create_group(layer)
            names = [f"{layer}/weight_{number}:0" for number in range(len(arrays))]
            inside.attrs["weight_names"] = np.array([name.encode() for name in names]) if names else np.zeros(0)
            for name, array in zip(names, arrays, strict=True):
                inside[name] = array


def entry(class_name, config, *inputs):
    """A layer of a functional model."""
    calls = [[[name, 0, 0, {}] for name in inputs]] if inputs else []
    return {"class_name": class_name, "config": config, "name": config["name"], "inbound_nodes": calls}


def entrance(shape, name="in"):
    shape = [None, *shape]
    config = {"batch_input_shape": shape, "dtype": "float32", "sparse": False, "ragged": False, "name": name}
    return entry("InputLayer", config)


def functional(*layers):
    last = layers[-1]["name"]
    ends = {"input_layers": [["in", 0, 0]], "output_layers": [[last, 0, 0]]}
    return {"name": "model", "trainable": True, "layers": list(layers)} | ends


def random_weights(shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.1, 1, shape).astype("float32") for shape in shapes]


def generator_layers(normalization=("BatchNormalization", TWO | MOVING | {"axis": [3]})):
    """A small generator of pictures, (8, 8, 3) to the same, as [(class name, configuration)]."""
    name, settings = normalization
    up = CONV | {"output_padding": None, "filters": 3, "activation": "tanh"}
    return [
        ("Conv2D", PLAIN | CONV | {"name": "down"}),
        ("LeakyReLU", PLAIN | {"name": "leaky", "alpha": 0.2}),
        (name, PLAIN | settings | {"name": "norm"}),
        ("Conv2DTranspose", PLAIN | up | {"name": "up"}),
    ]


def generator_weights(count=4):
    down, up = random_weights([(4, 4, 3, 5), (5,)]), random_weights([(4, 4, 3, 5), (3,)], 1)
    return {"down": down, "leaky": [], "norm": random_weights([(5,)] * count, 2), "up": up}


def expected_of(x, weights, normalization):
    down, up = keras.layers.Conv2D(5, 4, 2, "same"), keras.layers.Conv2DTranspose(3, 4, 2, "same", activation="tanh")
    for layer, given, name in ((down, x, "down"), (up, np.zeros((1, 4, 4, 5), "float32"), "up")):
        layer(given)
        layer.set_weights(weights[name])
    y = np.asarray(down(x))
    return np.asarray(up(normalization(np.where(y < 0, np.float32(0.2) * y, y)).astype("float32")))


def batch_normalized(weights):
    gamma, beta, mean, variance = weights
    return lambda y: (y - mean) / np.sqrt(variance + 1e-3) * gamma + beta


def sequential(layers, with_input):
    """The configuration of a Sequential: of Keras 2.15 `with_input`, else of Keras 2.3."""
    layers = [{"class_name": name, "config": dict(config)} for name, config in layers]
    layers[0]["config"]["batch_input_shape"] = [None, 8, 8, 3]
    if not with_input:
        return {"name": "sequential", "layers": layers}
    entrance_config = entrance((8, 8, 3))["config"]
    return {"name": "sequential", "layers": [{"class_name": "InputLayer", "config": entrance_config}, *layers]}
