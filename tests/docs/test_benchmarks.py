"""That the benchmarks run; what they measure is theirs to say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
TINY = ["speed.py", "--tiny", "--rounds", "1", "--settings"]
SMALL = {  # of speed.py what needs no environment of its own
    "DiscoGAN's speed, and the loader": [*TINY, "discogan-1", "data", "--contestants", "loop", "ours"],
    "the others' speed": [*TINY, "cyclegan-unet", "cyclegan-resnet", "pix2pix", "--contestants", "ours"],
    "steps in fit()": ["fit.py", "pix2pix", "--steps", "4", "--tiny"],
    "readers of shards": ["shards.py", "--entries", "2000", "--contestants", "ours"],
    "the toy experiment": ["experiments.py", "toy", "--marks", "0"],
}


@pytest.mark.timeout(600)
@pytest.mark.slow
@pytest.mark.parametrize("benchmark", SMALL)
def test_a_benchmark_prints_its_table(benchmark, tmp_path):
    script, *arguments = SMALL[benchmark]
    command = [sys.executable, BENCHMARKS / script, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n|") >= 3


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS / "contestants")
    monkeypatch.syspath_prepend(BENCHMARKS)


@pytest.mark.timeout(600)
@pytest.mark.slow
def test_the_contestant_for_a_gpu_answers_without_one(tmp_path):
    import gpu
    import host

    setting = {"model": "discogan", "size": 32, "channels": [3, 3], "filters": 4, "batch": 2}
    found = gpu.race(setting | {"pairs": host.make_pairs(str(tmp_path), 32)}, ["keras_gan"], rounds=1, iterations=3)
    assert all(found["keras_gan"][measure] > 0 for measure in ("bare", "train()", "train_on_batch", "seconds"))


def test_contestants_with_other_networks_are_refused():
    from speed import check_parameters

    setting = {"model": "discogan", "filters": 64}
    counts = {"post": 41_834_499, "pytorch": 41_833_475, "ours": 41_833_475}
    check_parameters(setting, {name: {"parameters": {"g_AB": count}} for name, count in counts.items()})
    counts["pytorch"] = 41_834_499
    with pytest.raises(SystemExit, match="'pytorch': 41834499"):
        check_parameters(setting, {name: {"parameters": {"g_AB": count}} for name, count in counts.items()})


def test_what_is_not_measured_again_stays_on_the_page(tmp_path, monkeypatch):
    import report

    page = tmp_path / "benchmarks" / "README.md"
    page.parent.mkdir()
    for path in (page, tmp_path / "README.md"):
        path.write_text("before\n<!-- benchmark: begin -->\n<!-- benchmark: end -->\nafter\n")
    for name, path in (("HERE", page.parent), ("RESULTS", tmp_path / "results.json"), ("PLOT", tmp_path / "plot.png")):
        monkeypatch.setattr(report, name, path)

    def measured(seconds):
        ours = {"seconds": [9, seconds, 0], "memory": 2e9, "flop": 50e9, "versions": "Keras 3"}
        rates = {"float32": 200e9, "bfloat16": 400e9, "copy": 30e9}
        return {"contestants": {"ours": ours}, "rates": rates, "machine": "2 cores"}

    report.save({"settings": {"discogan-1": measured(1.0), "pix2pix": measured(2.0)}})
    report.save({"settings": {"discogan-1": measured(0.5)}})
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n")
    assert "| keras_gan | 0.500 |  |  | 2.00 GB | 50.0 | 100 | 50% |" in text
    assert "| keras_gan | 2.000 |" in text and "1.000" not in text
    assert "| Pix2Pix 256x256, batch 1 | 2.000 |" in (tmp_path / "README.md").read_text()
    assert report.PLOT.stat().st_size > 1000


def test_operations_are_those_of_a_convolution_and_its_gradients():
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


def test_the_table_of_an_experiment_has_means_and_ranges(tmp_path):
    import experiments
    from learning.experiment import Row

    rows = [Row("gray", "", 0, 0, {"L1": 0.5})]
    rows += [Row("post", "post", 1000, seed, {"L1": figure}) for seed, figure in enumerate((0.1, 0.3))]
    text = experiments.table(rows, {"L1": ".3f", "KID": ".1f"})
    assert text.splitlines()[2:] == ["| gray |  | 0.500 |  |", "| post | 1,000 | 0.200 (0.100 to 0.300) |  |"]
    page = tmp_path / "results.md"
    page.write_text("before\n<!-- toy: begin -->\nold\n<!-- toy: end -->\nafter\n")
    experiments.save("toy", text, tmp_path)
    assert page.read_text() == f"before\n<!-- toy: begin -->\n{text}\n<!-- toy: end -->\nafter\n"
    with pytest.raises(SystemExit, match="has marks for cars"):
        experiments.save("cars", text, tmp_path)
