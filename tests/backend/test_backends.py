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


TESTS = Path(__file__).parents[1]
PLACES = os.pathsep.join(map(str, (TESTS / "support" / "quick_start", TESTS, TESTS.parent)))
ENVIRONMENT = os.environ | {"KERAS_BACKEND": "tensorflow", "PYTHONPATH": PLACES}


@pytest.fixture(scope="module")
def on_tensorflow():
    """Runs a part of TensorFlow's (see `support.backends`), in one process for all models: loading takes seconds."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen([sys.executable, backends.__file__], env=ENVIRONMENT, **pipes)

    def run(*arguments):
        print(*arguments, sep="\t", file=process.stdin, flush=True)
        said = []
        for line in process.stdout:
            if line == backends.DONE + "\n":
                return
            said.append(line)
        raise AssertionError("".join(said)[-3000:])

    yield run
    process.kill()
    process.communicate()


@pytest.fixture
def same_numbers(monkeypatch):
    for name, function in backends.same_numbers().items():
        monkeypatch.setattr(keras.random, name, function)
    backends.same_constants(monkeypatch)
    yield
    backends.set_float("float32")


@pytest.mark.timeout(600)  # the widest network, in float64
@pytest.mark.parametrize("model", backends.TABLE)
def test_backends_give_the_same_losses_and_resume_each_other(model, same_numbers, on_tensorflow, tmp_path):
    theirs, ours = tmp_path / "tensorflow", tmp_path / "jax"
    on_tensorflow("record", model, theirs)
    backends.set_float(backends.float_of(model))
    gan = backends.make(model, seed=4)
    backends.begin_with(gan, theirs)
    backends.record(gan, ours)
    figures, expected = (np.load(folder / "record.npz")["figures"] for folder in (ours, theirs))
    rtol = backends.tolerance(model)
    np.testing.assert_allclose(figures, expected, rtol=rtol, atol=rtol / 1000)
    backends.play(gan, range(50, 53))  # diverge first
    backends.go_on(gan, theirs, rtol)
    on_tensorflow("go_on", model, ours)


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

    def train(epochs):
        command = [sys.executable, "-c", TRAIN, str(run), str(epochs)]
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]

    train(epochs=1)
    gan = GAN.resume(run, epochs=2)
    assert int(gan.iteration) == int(gan.combined.optimizer.iterations) == 6
    assert gan.jit_compile  # the default on JAX, whatever the run's setting was
    assert np.isfinite(gan.history.history["g_loss"]).all()
    train(epochs=3)
