"""Comparison of backends: both train the same model from the same weights. As a program, runs one backend's parts.

Each line of its standard input, separated by tabs, is one part; it answers with a line when the part is done. There
TensorFlow runs eagerly, since it takes few steps of each model.

record MODEL FOLDER    trains, and saves the results
go_on MODEL FOLDER     continues from saved results
"""

import functools
import operator
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from support.eager import running_eagerly
from support.models import LOOPS, MODELS, ROWS, pictures, set_float, without_dropout

DONE = "The part is done."
STEPS = 5
# The rows of the model table; the widest network (in float64) is a slow test
TABLE = [pytest.param(row, marks=pytest.mark.slow) if row == "cyclegan" else row for row in ROWS]
# Past fakes are used; and few filters, since XLA's float64 convolutions are slow on a CPU
OPTIONS = {"cyclegan paper": {"pool_size": 3, "gf": 8, "df": 8}}
# TensorFlow takes some Python numbers as float32, JAX as float64: these are the same in both
HALVED = keras.optimizers.RMSprop(keras.optimizers.schedules.ExponentialDecay(1 / 4096, 1, 0.5))
OPTIONS |= {name: {"g_optimizer": HALVED, "d_optimizer": HALVED} for name in ("cyclegan", "cyclegan, gray and colour")}
EXACT = {"starting_rate": 1 / 64, "valid_weight": 0.125, "features_weight": 0.875}
OPTIONS |= {f"discogan {game}": EXACT for game in ("paper", "recongan", "gan")}


def same_numbers():
    """Replacements for functions of `keras.random` that draw the same numbers on both backends."""

    def integers(shape, seed):
        counter = ops.cast(seed.next()[1], "int32") % 1024
        n = functools.reduce(operator.mul, shape)  # a tensor if TensorFlow does not know the batch size
        return ops.reshape((ops.arange(n, dtype="int32") * 7919 + counter * 4729) % 4096, shape)

    def uniform(shape, seed=None, **kwargs):
        return ops.cast(integers(shape, seed), keras.config.floatx()) / 4096

    return {
        "uniform": uniform,
        "normal": lambda shape, seed=None, **kwargs: 3.4641 * (uniform(shape, seed) - 0.5),
        "randint": lambda shape, low, high, seed=None, **kwargs: low + integers(shape, seed) % (high - low),
    }


def same_constants(monkeypatch):
    """Makes Keras compute float64 alike on both backends, called on JAX.

    On JAX it computes mean, tanh and others in float32 for any input. On TensorFlow the slope of LeakyReLU and Python
    numbers that are cast, such as Adam's, are float32.
    """
    from keras.src import ops as used_by_layers
    from keras.src.backend.common import dtypes

    leaky_relu, cast = ops.leaky_relu, used_by_layers.cast

    def cast_as_tensorflow(x, dtype):
        return cast(np.float32(x) if isinstance(x, float) else x, dtype)

    monkeypatch.setitem(dtypes.BIT64_TO_BIT32_DTYPE, "float64", "float64")
    monkeypatch.setattr(ops, "leaky_relu", lambda x, slope: leaky_relu(x, float(np.float32(slope))))
    monkeypatch.setattr(used_by_layers, "cast", cast_as_tensorflow)


def tolerance(model):
    """How far, relatively, figures may differ: in float64 only by rounding, which the games amplify."""
    return 1e-10 if float_of(model) == "float64" else 1e-4


def float_of(model):
    """The dtype in which five steps agree between implementations: see `test_models.LOOPS`."""
    return LOOPS[model][1]


def make(model, seed, **options):
    return without_dropout(MODELS[model](seed=seed, **OPTIONS.get(model, {}) | options))


def batch(height=32, width=32, channels=3, size=2, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (2, size, height, width, channels)).astype(keras.config.floatx())


def play(gan, steps):
    """Runs these steps; returns their figures, (steps, figures)."""
    return np.array([gan.train_on_batch(*pictures(gan, batch, seed=step)) for step in steps])


def outputs(gan):
    """The outputs of each network for fixed noise, in inference mode."""
    rng, made = np.random.default_rng(1), {}
    for network in gan.networks:
        inputs = [
            rng.uniform(-1, 1, (2, *tensor.shape[1:])) if tensor.dtype.startswith("float") else np.arange(2)
            for tensor in network.inputs
        ]
        made[network.name] = network.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    return {name: keras.tree.flatten(made)[0] for name, made in made.items()}


def record(gan, folder):
    """Saves the weights, runs STEPS steps, saves the full state and the networks' outputs, and runs two more steps."""
    folder.mkdir(parents=True)
    np.savez(folder / "initial.npz", *[weight for network in gan.networks for weight in network.get_weights()])
    figures = play(gan, range(STEPS))
    gan.save_weights(folder / "all.weights.h5")
    made = outputs(gan)
    np.savez(folder / "record.npz", figures=figures, later=play(gan, range(STEPS, STEPS + 2)), **made)


def begin_with(gan, folder):
    """Sets the networks to the initial weights of a recording."""
    with np.load(folder / "initial.npz") as initial:
        weights = iter([initial[f"arr_{i}"] for i in range(len(initial.files))])
    for network in gan.networks:
        network.set_weights([next(weights) for _ in network.get_weights()])


def go_on(gan, folder, rtol):
    """Continues from a saved state: outputs and the figures of two more steps agree."""
    gan.make_train_function()
    gan.load_weights(folder / "all.weights.h5")
    recorded = np.load(folder / "record.npz")
    for name, made in outputs(gan).items():
        np.testing.assert_allclose(made, recorded[name], rtol=rtol / 10, atol=rtol / 10, err_msg=name)
    np.testing.assert_allclose(play(gan, range(STEPS, STEPS + 2)), recorded["later"], rtol=rtol, atol=rtol / 1000)


if __name__ == "__main__":
    vars(keras.random).update(same_numbers())
    with running_eagerly():
        for line in sys.stdin:
            action, model, folder = line.rstrip("\n").split("\t")
            set_float(float_of(model))
            gan, folder = make(model, seed=3), Path(folder)
            record(gan, folder) if action == "record" else go_on(gan, folder, tolerance(model))
            print(DONE, flush=True)
