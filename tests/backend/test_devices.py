"""Several devices give the same results as one. Only on JAX, with the CPU as two devices (see conftest.py)."""

import re
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from support import sharded
from support.backends import TABLE, make, play, same_constants
from support.many_hosts import Started, free_port, trained
from support.models import set_float, weights

from keras_gan import GAN, backend
from keras_gan.errors import BadValueError
from keras_gan.report.csv_log import read_rows

on_jax = pytest.mark.skipif(keras.backend.backend() != "jax", reason="TensorFlow trains on one device")


@pytest.fixture
def two_devices():
    yield lambda: backend.use_devices(2)
    keras.distribution.set_distribution(None)
    set_float("float32")


@on_jax
@pytest.mark.timeout(600)  # the widest network, in float64
@pytest.mark.parametrize("model", TABLE)
def test_two_devices_equal_one(model, two_devices, monkeypatch):
    """Each device has one picture of two; BatchNormalization and the pool of past fakes see both.

    With SGD, since Adam and RMSprop normalise gradients, which amplifies rounding errors of small ones.
    """
    same_constants(monkeypatch)
    set_float("float64")
    sgd = keras.optimizers.SGD(1e-3)
    one = make(model, seed=3, g_optimizer=sgd, d_optimizer=sgd)
    figures = play(one, range(5))
    two_devices()
    two = make(model, seed=3, g_optimizer=sgd, d_optimizer=sgd)
    assert len(two.combined.trainable_variables[0].value.devices()) == 2
    np.testing.assert_allclose(play(two, range(5)), figures, rtol=1e-9, atol=1e-12)
    for name, expected in weights(one).items():
        a, b = (np.concatenate([weight.ravel() for weight in of]) for of in (weights(two)[name], expected))
        assert np.abs(a - b).mean() < 1e-9, name


@on_jax
def test_a_last_batch_that_cannot_be_divided_is_dropped(two_devices, tmp_path):
    two_devices()
    gan = GAN(dataset_name="drawn_digits", seed=0, output=tmp_path / "run")
    del gan.data_loader.train[5:]
    gan.train(epochs=2, batch_size=2)  # 5 pictures: batches of 2 and 2
    assert int(gan.iteration) == 4
    assert gan.generate(gan.sample_noise(3)).shape == (3, 28, 28, 1)
    for size, message in (
        (3, "batch_size 3 cannot be divided over 2 devices: use a multiple of 2"),
        (8, "batch_size 8 is larger than the number of pictures"),
    ):
        with pytest.raises(BadValueError, match=message):
            gan.train(epochs=1, batch_size=size)


def test_too_many_devices_are_refused():
    if keras.backend.backend() == "jax":
        with pytest.raises(BadValueError, match="devices must be 1 to 2 or all, not 3: JAX sees cpu:0, cpu:1"):
            backend.use_devices(3)
    else:
        with pytest.raises(BadValueError, match="on one device here, not 2: set KERAS_BACKEND=jax for several"):
            backend.use_devices(2)
    assert backend.replicas() == 1


@pytest.mark.parametrize("devices", ["0", "two", "-1"])
def test_an_invalid_number_of_devices_is_refused_in_one_line(devices):
    command = [sys.executable, "-m", "keras_gan.gan", f"--devices={devices}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and "is not a number of devices; write 1, 2, ... or all" in done.stderr


@on_jax
def test_an_incomplete_definition_of_hosts_is_refused(monkeypatch):
    monkeypatch.setenv("JAX_COORDINATOR_ADDRESS", "localhost:1")
    monkeypatch.setenv("JAX_NUM_PROCESSES", "2")
    with pytest.raises(BadValueError, match="JAX_PROCESS_ID must be a number, not ''"):
        backend.use_devices("all")


@pytest.fixture
def host():
    """Starts `python -m keras_gan.gan` as one of several hosts, all on this machine."""
    with Started() as started:
        yield started


@on_jax
@pytest.mark.parametrize("data", ["digits", "shards"])
def test_two_hosts_equal_one_and_only_the_first_prints(host, tmp_path, data):
    port, options = free_port(), ["--steps-per-epoch", "3", "--epochs", "1", "--seed", "0", "--output"]
    if data == "shards":
        options = ["--dataset", sharded.shards(tmp_path / "x", 3, 9, sharded.singles), *options]
    hosts = [host(number, 2, port, *options, str(tmp_path / "two")) for number in range(2)]
    said = [process.communicate(timeout=300) for process in hosts]
    assert [process.returncode for process in hosts] == [0, 0], said
    alone = host(0, 1, free_port(), *options, str(tmp_path / "one"))
    assert alone.wait(timeout=300) == 0, alone.communicate()
    assert np.abs(trained(tmp_path / "one") - trained(tmp_path / "two")).mean() < 1e-5
    assert ["Networks:" in out and "Training on" in out for out, _ in said] == [True, False]


@on_jax
def test_hosts_with_different_options_are_refused(host, tmp_path):
    port = free_port()
    hosts = [
        host(number, 2, port, "--seed", str(number), "--epochs", "1", "--output", str(tmp_path / "run"))
        for number in range(2)
    ]
    for process in hosts:
        assert "error: the hosts have different arguments or pictures" in process.communicate(timeout=300)[1]
        assert process.returncode == 2


@on_jax
@pytest.mark.slow
@pytest.mark.timeout(600)  # two starts of two processes, and the rest of the steps
def test_a_killed_host_stops_the_others_with_one_line_and_the_run_can_be_resumed(host, tmp_path):
    run, port = tmp_path / "run", free_port()
    options = ["--epochs", "1", "--steps-per-epoch", "150", "--checkpoint-interval", "5", "--sample-interval", "1000"]
    hosts = [host(number, 2, port, *options, "--output", str(run)) for number in range(2)]
    while not list(run.glob("checkpoints/[0-9]*")) and hosts[0].poll() is None:
        time.sleep(0.1)
    hosts[1].kill()
    said = hosts[0].communicate(timeout=120)
    assert hosts[0].returncode == 2 and "error: another host has stopped" in said[1], said

    port = free_port()
    hosts = [host(number, 2, port, "--resume", str(run)) for number in range(2)]
    said = [process.communicate(timeout=300) for process in hosts]
    assert [process.returncode for process in hosts] == [0, 0], said
    assert [row["iteration"] for row in read_rows(run / "history.csv")] == list(range(10, 151, 10))


@on_jax
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_first_host_killed_before_training_ends_the_others_with_one_line(host, tmp_path):
    port = free_port()
    hosts = [host(number, 2, port, "--epochs", "1", "--output", str(tmp_path / "run")) for number in range(2)]
    assert "Rank 0 is connected" in hosts[0].stdout.readline()  # they have met, and build their networks
    hosts[0].kill()
    _, err = hosts[1].communicate(timeout=60)
    assert hosts[1].returncode == 2 and "Traceback" not in err, err
    (line,) = [line for line in err.splitlines() if "error: " in line]
    assert re.fullmatch("error: (another|the first) host has stopped: start all of them again.*", line)
