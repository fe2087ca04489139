"""The step compiled by XLA (`--jit on`, `gan.jit_compile = True`), also on a CPU."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from support.models import MODELS, pictures, slow, without_dropout

from keras_gan.backend.tensorflow_xla import in_training
from keras_gan.layers import Conv2D

FAST = ("gan",)
# The other rows are variants of these.
ROWS = [
    "discogan",
    "discogan paper",
    "discogan gan",
    "cyclegan",
    "cyclegan paper",
    "cut",
    "pix2pix",
    "dcgan",
    "cgan",
    "gan",
]


@pytest.fixture
def same_numbers(monkeypatch):
    """Draws random floats from random integers: only integers are the same with and without XLA."""

    def uniform(shape, seed):
        return keras.random.randint(shape, 0, 2**20, seed=seed) / 2**20

    monkeypatch.setattr(keras.random, "uniform", uniform)
    monkeypatch.setattr(keras.random, "normal", uniform)


@pytest.mark.parametrize("model", [row if row in FAST else slow(row) for row in ROWS])
def test_steps_compiled_by_xla_give_the_same_losses(model, batch, same_numbers):
    """Also in a second step, from the updated weights, and with a smaller last batch."""
    options, sizes = {}, (2, 2, 1) if model in FAST else (2, 2)
    if model == "cyclegan paper":  # uses past fakes; it amplifies rounding errors a hundredfold per step
        options, sizes = {"pool_size": 1}, (3,)
    usual, compiled = (without_dropout(MODELS[model](seed=3, **options)) for _ in range(2))
    usual.run_eagerly, compiled.jit_compile = True, True
    for step, size in enumerate(sizes):
        imgs = pictures(usual, batch, size=size, seed=step)
        np.testing.assert_allclose(compiled.train_on_batch(*imgs), usual.train_on_batch(*imgs), rtol=1e-4)


@pytest.mark.slow
def test_fast_convolutions_can_be_compiled_by_xla():
    layer, x = Conv2D(128, 3), tf.constant(np.random.default_rng(0).normal(size=(2, 18, 20, 128)).astype("float32"))
    layer.build(x.shape)

    def convolve(x):
        with in_training(), tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            loss = tf.reduce_sum(y**2)
        return y, *tape.gradient(loss, [x, layer.kernel.value])

    for a, b in zip(tf.function(convolve, jit_compile=True)(x), convolve(x), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5 * np.abs(b).max())


IN_A_POOL = """
import keras, numpy as np, tensorflow as tf
from keras_gan.layers import ImagePool
pool = ImagePool(4, seed=0)
compiled = tf.function(lambda x: pool(x), jit_compile=True, autograph=False)
pool.build((2, 8, 8, 3))
for _ in range(4):
    compiled(np.zeros((2, 8, 8, 3), "float32"))
assert pool.count == 4
"""


@pytest.mark.slow
def test_an_image_pool_is_compiled_only_once(tmp_path):
    """XLA treats indices as constants and would recompile for every new index."""
    dumped = {"XLA_FLAGS": f"--xla_dump_to={tmp_path}", "TF_XLA_FLAGS": ""}  # not kept from an earlier run
    environment = os.environ | dumped
    subprocess.run([sys.executable, "-c", IN_A_POOL], check=True, env=environment)
    assert len(list(tmp_path.glob("*before_optimizations.txt"))) == 1
