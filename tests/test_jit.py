"""The step compiled by XLA, as `--jit on` or `gan.jit_compile = True` have it, even where there is only a CPU."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from test_models import MODELS, pictures, without_dropout

FAST = ("gan", "cgan", "discogan")


@pytest.fixture
def same_numbers(monkeypatch):
    """Random floats made of random integers, which alone are the same for XLA from the same seed."""

    def uniform(shape, seed):
        return keras.random.randint(shape, 0, 2**20, seed=seed) / 2**20

    monkeypatch.setattr(keras.random, "uniform", uniform)
    monkeypatch.setattr(keras.random, "normal", uniform)


@pytest.mark.parametrize("model", [pytest.param(m, marks=[] if m in FAST else pytest.mark.slow) for m in MODELS])
def test_steps_compiled_by_xla_give_the_same_losses(model, batch, same_numbers):
    """Also of a shorter last batch; of the second step, which shows what the first one made of the weights."""
    options = {"pool_size": 1} if model == "cyclegan resnet" else {}  # that past fakes are swapped in
    usual, compiled = (without_dropout(MODELS[model](seed=3, **options)) for _ in range(2))
    compiled.jit_compile = True
    for step, size in enumerate((2, 1)):
        imgs = pictures(usual, batch, size=size, seed=step)
        np.testing.assert_allclose(compiled.train_on_batch(*imgs), usual.train_on_batch(*imgs), rtol=1e-4)


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


def test_a_pool_is_compiled_once_whatever_is_in_it(tmp_path):
    """XLA takes for constant what a program indexes by, and compiles anew when it is another number."""
    environment = os.environ | {"XLA_FLAGS": f"--xla_dump_to={tmp_path}"}
    subprocess.run([sys.executable, "-c", IN_A_POOL], check=True, env=environment)
    assert len(list(tmp_path.glob("*before_optimizations.txt"))) == 1
