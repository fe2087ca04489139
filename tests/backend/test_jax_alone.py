"""With JAX and without TensorFlow, a run trains, reports, saves and resumes: see `make test-jax`."""

import importlib.util
import subprocess
import sys

import keras
import pytest

from keras_gan import generators
from keras_gan.report.csv_log import read_rows

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "jax" or importlib.util.find_spec("tensorflow") is not None,
    reason="needs JAX and no TensorFlow: see `make test-jax`",
)

SMALL = [
    "--dataset",
    "drawn_shoes",
    "--image-size",
    "32",
    "--filters",
    "4",
    "--batch-size",
    "4",
    "--steps-per-epoch",
    "10",
]


def discogan(*arguments):
    done = subprocess.run([sys.executable, "-m", "keras_gan.discogan", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_a_run_completes_and_is_resumed(tmp_path):
    run = tmp_path / "run"
    assert "by JAX on CPU" in discogan(*SMALL, "--epochs", "1", "--output", str(run))
    assert {path.stem for path in (run / "models").iterdir()} == {"g_AB", "g_BA", "d_A", "d_B"}
    assert "from iteration 10" in discogan("--resume", str(run), "--epochs", "2")
    assert [row["iteration"] for row in read_rows(run / "history.csv")] == [10, 20]
    for name in ("report.html", "losses.png", "held_out.csv", "images/1_0.png", "checkpoints/20", "samples.*"):
        assert list(run.glob(name)), name
    assert len(list((run / "tensorboard").iterdir())) == 2


def test_a_network_is_opened_without_compiling(tmp_path):
    """Keras would compile a program for each shape of initial weights, which the file replaces."""
    import jax

    image = keras.Input((16, 16, 3))
    hidden = keras.layers.BatchNormalization()(keras.layers.Conv2D(5, 3, padding="same")(image))
    hidden = keras.layers.Conv2D(7, 3, padding="same", kernel_initializer="random_normal")(hidden)
    path = tmp_path / "network.keras"
    keras.Model(image, keras.layers.Conv2D(3, 3, padding="same", activation="tanh")(hidden)).save(path)
    jax.clear_caches()
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(lambda event, seconds, **_: compiled.append(event))
    generators.find(path)
    assert len([event for event in compiled if event.endswith("backend_compile_duration")]) <= 1  # of a conversion
