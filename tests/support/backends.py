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
STABLE = {"cyclegan paper": 3}  # steps before rounding errors, amplified a thousandfold per step, exceed 1e-4
# The rows of the model table; the widest network (in float64) is a slow test
TABLE = [pytest.param(row, marks=pytest.mark.slow) if row == "cyclegan" else row for row in ROWS]
OPTIONS = {"cyclegan paper": {"pool_size": 3}}  # so that past fakes are used


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


def go_on(gan, folder):
    """Continues from a saved state: outputs agree to 1e-5, two more steps to 1e-4."""
    gan.make_train_function()
    gan.load_weights(folder / "all.weights.h5")
    recorded = np.load(folder / "record.npz")
    for name, made in outputs(gan).items():
        np.testing.assert_allclose(made, recorded[name], rtol=1e-5, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(play(gan, range(STEPS, STEPS + 2)), recorded["later"], rtol=1e-4, atol=1e-7)


if __name__ == "__main__":
    vars(keras.random).update(same_numbers())
    with running_eagerly():
        for line in sys.stdin:
            action, model, folder = line.rstrip("\n").split("\t")
            set_float(float_of(model))
            {"record": record, "go_on": go_on}[action](make(model, seed=3), Path(folder))
            print(DONE, flush=True)
