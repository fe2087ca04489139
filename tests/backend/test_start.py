"""Starting on JAX: initial weights drawn on the host, and programs kept between starts."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops
from support.toy import Toy

from keras_gan import backend

only_jax = pytest.mark.skipif(keras.backend.backend() != "jax", reason="TensorFlow compiles nothing to make weights")
START = """
import collections, sys
import jax
events = collections.Counter()
jax.monitoring.register_event_listener(lambda event, **more: events.update([event.rpartition("/")[2]]))
from support.toy import Toy
import keras
gan = Toy(seed=0, output=sys.argv[1])
gan.train(epochs=1, steps_per_epoch=3, quiet=True)
print(events["cache_hits"], events["cache_misses"])
print(jax.config.jax_compilation_cache_dir)
assert "tensorflow" not in sys.modules
print(keras.ops.sum(gan.combined.trainable_variables[0]), gan.history.history["g_loss"])
"""


@only_jax
@pytest.mark.parametrize(
    ("initializer", "mean", "deviation", "most"),
    [
        (keras.initializers.RandomNormal(0.5, 0.02, seed=1), 0.5, 0.02, np.inf),
        (keras.initializers.TruncatedNormal(0.0, 0.02, seed=1), 0.0, 0.02 * 0.8796, 0.04),
        (keras.initializers.RandomUniform(-0.03, 0.05, seed=1), 0.01, 0.08 / 12**0.5, 0.05),
        (keras.initializers.GlorotUniform(seed=1), 0.0, (6 / 500) ** 0.5 / 3**0.5, (6 / 500) ** 0.5),
    ],
)
def test_weights_drawn_on_the_host_have_keras_distribution(initializer, mean, deviation, most):
    with backend.drawn_on_host():
        values, again = (np.asarray(initializer((200, 300))) for _ in range(2))
    of_keras = np.asarray(initializer((200, 300)))
    assert values.dtype == np.float32 and np.array_equal(values, again)
    for drawn in (values, of_keras):
        assert drawn.mean() == pytest.approx(mean, abs=deviation / 50)
        assert drawn.std() == pytest.approx(deviation, rel=0.02)
        assert abs(drawn).max() <= most * (1 + 1e-6)


@only_jax
def test_other_seeds_draw_other_weights():
    with backend.drawn_on_host():
        one, other = (np.asarray(keras.initializers.RandomNormal(seed=seed)((50,))) for seed in (1, 2))
        generator = keras.random.SeedGenerator(3)
        first, second = (np.asarray(keras.initializers.RandomNormal(seed=generator)((50,))) for _ in range(2))
    assert not np.array_equal(one, other) and not np.array_equal(first, second)


@only_jax
def test_layers_of_the_user_are_drawn_as_before():
    keras.utils.set_random_seed(0)
    before = np.asarray(keras.layers.Dense(3).build((None, 4)) or keras.initializers.RandomNormal(seed=1)((4,)))
    Toy(seed=0)
    assert np.array_equal(before, np.asarray(keras.initializers.RandomNormal(seed=1)((4,))))


def test_the_same_seed_gives_the_same_networks():
    one, other = Toy(seed=5), Toy(seed=5)
    for a, b in zip(one.combined.trainable_variables, other.combined.trainable_variables, strict=True):
        assert np.array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))


def start(tmp_path, name, **environment):
    """Trains in a new process; returns (cache hits, cache misses, the cache folder, its figures, its warnings)."""
    tests = Path(__file__).resolve().parents[1]
    others = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    others = [path for path in others if not path.endswith("without_tensorflow")]  # it is there, and not loaded
    paths = os.pathsep.join([str(tests), str(tests.parent), *others])
    variables = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}  # the suite's own
    variables |= {"PYTHONPATH": paths, "XDG_CACHE_HOME": str(tmp_path / "cache")} | environment
    command = [sys.executable, "-c", START, str(tmp_path / name)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    counts, folder, figures = done.stdout.splitlines()[-3:]
    lines = [line for line in done.stderr.splitlines() if line.startswith("warning")]
    return *map(int, counts.split()), folder, figures, lines


@only_jax
def test_a_second_start_compiles_nothing_and_trains_the_same(tmp_path):
    folder = tmp_path / "cache" / "keras_gan" / "jax"
    _, missed, used, figures, _ = start(tmp_path, "first")
    assert missed > 0 and used == str(folder)
    hits, missed, _, again, said = start(tmp_path, "second")
    assert hits > 0 and missed == 0 and again == figures and not said

    for path in folder.glob("*-cache"):  # damaged: one line, and compiled again
        path.write_bytes(b"no program")
    _, _, _, again, said = start(tmp_path, "third")
    assert again == figures and len(said) == 1 and "compiling again" in said[0]
    assert not any(path.read_bytes() == b"no program" for path in folder.glob("*-cache"))


@pytest.fixture
def settings(monkeypatch, tmp_path):
    """JAX's settings of the cache, as in a new process; restored afterwards."""
    import jax

    names = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = {name: getattr(jax.config, name) for name in names}
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    jax.config.update("jax_compilation_cache_dir", None)
    yield jax.config
    for name, value in before.items():
        jax.config.update(name, value)


def kept(settings):
    """Where programs are kept after the start of a model."""
    from keras_gan.backend import jax_cache

    jax_cache.keep_compiled.__wrapped__()
    return settings.jax_compilation_cache_dir


@only_jax
def test_the_users_settings_come_first(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GAN_COMPILE_CACHE", "0")
    assert kept(settings) is None
    monkeypatch.delenv("KERAS_GAN_COMPILE_CACHE")
    settings.update("jax_compilation_cache_dir", str(tmp_path / "own"))
    assert kept(settings) == str(tmp_path / "own")
    settings.update("jax_compilation_cache_dir", None)
    assert kept(settings) == str(tmp_path / "cache" / "keras_gan" / "jax")


@only_jax
def test_a_cache_folder_that_cannot_be_made_costs_one_line(settings, tmp_path, capsys):
    (tmp_path / "cache").write_text("a file")
    assert kept(settings) is None
    assert capsys.readouterr().err.count("\n") == 1


@only_jax
def test_the_cache_is_bounded(tmp_path, monkeypatch):
    from keras_gan.backend import jax_cache

    monkeypatch.setattr(jax_cache, "LIMIT", 2500)
    for number in range(4):
        path = tmp_path / f"{number}-cache"
        path.write_bytes(bytes(1000))
        os.utime(path, (number, number))
    jax_cache.prune(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2-cache", "3-cache"]
