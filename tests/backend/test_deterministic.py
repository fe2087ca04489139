"""`--deterministic`: every operation is reproducible bit by bit."""

import subprocess
import sys

import keras
import pytest
from support.commands import run_here
from support.toy import Toy

from keras_gan import backend
from keras_gan.errors import BadValueError

ON_JAX = keras.backend.backend() == "jax"


def test_only_the_option_enables_determinism(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(backend.current(), "make_deterministic", lambda: asked.append(True))
    monkeypatch.setattr("keras_gan.training.run.Run.fit", lambda *arguments, **options: None)
    monkeypatch.setattr("keras_gan.cli.print", lambda *words: None, raising=False)
    for words, expected in (([], []), (["--no-deterministic"], []), (["--deterministic"], [True])):
        with pytest.raises(IndexError):  # there is no grid: nothing was trained
            run_here(Toy, "--output", str(tmp_path / "-".join(["run", *words])), *words)
        assert asked == expected


# In a subprocess, since the setting is global. Each model trains a step twice from one seed; an operation without a
# deterministic version raises an error.
TWICE = """
import sys
sys.path.insert(0, sys.argv[1])
import keras_gan
import numpy as np
import tensorflow as tf
from support.models import MODELS, pictures
from keras_gan import backend

def batch(height, width):
    return np.random.default_rng(0).uniform(-1, 1, (2, 3, height, width, 3)).astype("float32")

backend.make_deterministic()
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
for name in sys.argv[2:]:
    figures = []
    for _ in range(2):
        gan = MODELS[name](seed=5)
        figures.append(gan.train_on_batch(*pictures(gan, batch)))
    assert figures[0] == figures[1], name
from tensorflow.python.framework import config
assert config.is_op_determinism_enabled()
print("same", len(sys.argv[2:]))
"""


@pytest.mark.slow
@pytest.mark.skipif(ON_JAX, reason="operations of JAX on a CPU are always deterministic")
def test_models_train_deterministically(request):
    names = ["discogan", "cyclegan paper", "pix2pix", "cgan"]  # these have every kind of layer
    command = [sys.executable, "-c", TWICE, str(request.config.rootpath / "tests"), *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0 and done.stdout == f"same {len(names)}\n", done.stderr


@pytest.mark.skipif(not ON_JAX, reason="only JAX needs XLA's flag")
def test_jax_on_a_gpu_names_the_flag_that_it_needs(monkeypatch):
    import jax

    backend.make_deterministic()  # on a CPU nothing is needed
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with pytest.raises(BadValueError, match="needs XLA_FLAGS=--xla_gpu_deterministic_ops=true set beforehand"):
        backend.make_deterministic()
    monkeypatch.setenv("XLA_FLAGS", "--xla_gpu_deterministic_ops=true")
    backend.make_deterministic()
