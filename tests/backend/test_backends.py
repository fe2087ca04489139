"""TensorFlow and JAX give the same results, and each resumes the other's checkpoints. Needs both; runs on JAX."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from support import backends

from keras_gan import GAN

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "jax" or not importlib.util.find_spec("tensorflow"),
    reason="compares JAX with TensorFlow, and needs both: see `make test-jax`",
)


def on_tensorflow(*arguments):
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, *map(str, arguments)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture
def same_numbers(monkeypatch):
    for name, function in backends.same_numbers().items():
        monkeypatch.setattr(keras.random, name, function)
    # Keras' own mean on JAX sums in float32 for any input.
    from jax import numpy as jnp

    monkeypatch.setattr(
        "keras.src.backend.jax.numpy.mean",
        lambda x, axis=None, keepdims=False: jnp.mean(keras.ops.convert_to_tensor(x), axis=axis, keepdims=keepdims),
    )
    yield
    backends.set_float("float32")


@pytest.mark.parametrize("model", backends.TABLE)
def test_backends_give_the_same_losses_and_resume_each_other(model, same_numbers, tmp_path):
    program, theirs, ours = backends.__file__, tmp_path / "tensorflow", tmp_path / "jax"
    on_tensorflow(program, "record", model, theirs)
    backends.set_float(backends.float_of(model))
    gan = backends.make(model, seed=4)
    backends.begin_with(gan, theirs)
    backends.record(gan, ours)
    steps = backends.STABLE.get(model, backends.STEPS)
    figures, expected = (np.load(folder / "record.npz")["figures"] for folder in (ours, theirs))
    np.testing.assert_allclose(figures[:steps], expected[:steps], rtol=1e-4, atol=1e-7)
    backends.play(gan, range(50, 53))  # diverge first
    backends.go_on(gan, theirs)
    on_tensorflow(program, "go_on", model, ours)


TRAIN = """
import sys
from keras_gan import GAN
run, epochs = sys.argv[1], int(sys.argv[2])
if epochs == 1:
    GAN(dataset_name="drawn_digits", seed=0, output=run).train(epochs=1, batch_size=4, steps_per_epoch=3)
else:
    assert int(GAN.resume(run, epochs=epochs).iteration) == 3 * epochs
"""


def test_a_run_is_resumed_on_the_other_backend_and_back(tmp_path):
    run = tmp_path / "run"
    on_tensorflow("-c", TRAIN, run, 1)
    gan = GAN.resume(run, epochs=2)
    assert int(gan.iteration) == int(gan.combined.optimizer.iterations) == 6
    assert gan.jit_compile  # the default on JAX, whatever the run's setting was
    assert np.isfinite(gan.history.history["g_loss"]).all()
    on_tensorflow("-c", TRAIN, run, 3)
