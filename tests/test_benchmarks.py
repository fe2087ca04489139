"""That the benchmarks run; what they measure is theirs to say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
SMALL = {
    "speed": ["speed.py", "--tiny", "--rounds", "1", "--contestants", "loop", "ours", "ours-bfloat16"],
    "the toy experiment": ["learning_family.py", "toy", "--iterations", "0"],
}


@pytest.mark.slow
@pytest.mark.parametrize("benchmark", SMALL)
def test_a_benchmark_prints_its_table(benchmark, tmp_path):
    script, *arguments = SMALL[benchmark]
    command = [sys.executable, BENCHMARKS / script, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n|") >= 3


@pytest.fixture
def contestants(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS / "contestants")


def test_operations_are_those_of_a_convolution_and_its_gradients(contestants):
    import keras
    import tensorflow as tf
    from graph import flop

    from keras_gan.layers import UpsampleConv2D

    first, second = keras.layers.Conv2D(6, 3, padding="same"), UpsampleConv2D(5, 4)
    img = keras.Input((16, 16, 3))
    model = keras.Model(img, second(first(img)))

    def step(x):
        with tf.GradientTape() as tape:
            y = model(x, training=True)
        return y, tape.gradient(y, [layer.kernel.value for layer in (first, second)])

    of_first = 2 * 16 * 16 * 3 * 3 * 3 * 6
    of_second = 2 * 32 * 32 * 4 * 4 * 6 * 5 / 4
    batch = tf.zeros((2, 16, 16, 3))
    assert flop(model, batch) == 2 * (of_first + of_second)
    # Backwards the same twice over, but for the gradient of the pictures, which nobody asks for
    assert flop(step, batch) == 2 * (2 * of_first + 3 * of_second)
    # A call within the step counts, what leads nowhere does not
    assert flop(lambda x: (model(x) * 0, tf.function(model)(x))[1], batch) == flop(model, batch)
