"""Runs killed at random moments, also while a checkpoint is written, resume to the same result.

Each part of a run is a new process. All are forked from one process that has only loaded TensorFlow, to save the
seconds that loading takes.
"""

import concurrent.futures
import json
import os
import random
import signal
import threading

import keras
import numpy as np
import pytest
from support.lives import die_after, starter
from support.resuming import history, weights_in
from support.toy import Toy

from keras_gan import DiscoGAN
from keras_gan.training import checkpoints

KILLS = 5
SMALL = {"img_shape": (16, 16, 3), "dataset_name": "drawn_shoes", "gf": 2, "df": 2, "dropout": 0.2}
RUNS = {  # class, options, and seconds within which it is killed, from its start and from its first step
    "discogan": (DiscoGAN, SMALL | {"seed": 11}, (6, 0.9)),
    "toy": (Toy, {"seed": 11}, (2, 0.45)),  # has past fakes, noise and moving statistics
}
#: 100 iterations. Checkpoints every third iteration take most of the time, so many kills hit them.
LENGTH = {"epochs": 4, "steps_per_epoch": 25, "batch_size": 2, "sample_interval": 20, "checkpoint_interval": 3}
LENGTH |= {"save_every": 2, "validation_interval": 1, "validation_pictures": 2}
BEST = {"discogan": {"best_by": "L1_A_to_B", "patience": 9}, "toy": {}}


class Diary(keras.callbacks.Callback):
    """Logs every figure with its epoch, batch and iteration; the first step starts the timer of the kill."""

    def __init__(self, path, seconds):
        super().__init__()
        self.path, self.seconds = path, seconds

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.seconds is not None:
            threading.Thread(target=die_after, args=(self.seconds,), daemon=True).start()
            self.seconds = None
        with open(self.path, "a") as file:
            file.write(json.dumps([int(self.model.iteration), self.epoch, batch, logs]) + "\n")


def live(name, run, seconds, at_once):
    """Starts or resumes a run, until it ends or is killed. Saves its weights at the end."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    if at_once:
        threading.Thread(target=die_after, args=(seconds,), daemon=True).start()
    diary = Diary(run.parent / f"{run.name}.diary", None if at_once else seconds)
    model, options, _ = RUNS[name]
    if (run / "config.json").exists():
        gan = model.resume(run, callbacks=[diary])
    else:
        gan = model(**options, output=run)
        gan.train(**LENGTH | BEST[name], callbacks=[diary])
    optimizers = [variable for part in gan.parts for variable in part.optimizer.variables]
    variables = [*gan.variables, *gan.random_states, *optimizers]
    np.savez(run.parent / f"{run.name}.npz", *[np.asarray(variable) for variable in variables])


@pytest.fixture(scope="module")
def process():
    """Runs `live` in a new process; returns its exit code."""
    return starter(live, ["keras_gan.discogan", "support.toy", "test_kill"])


def rows(path):
    """The logs by iteration. Repeated iterations must have the same logs."""
    told = {}
    for line in path.read_text().splitlines():
        if line.endswith("}]"):  # else a kill truncated the line
            iteration, *row = json.loads(line)
            assert told.setdefault(iteration, row) == row
    return told


@pytest.mark.timeout(900)
@pytest.mark.slow
def test_randomly_killed_runs_end_with_the_same_bits(process, tmp_path):
    """Tests both models in parallel, one per core."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for _ in pool.map(lambda name: check_kills(name, process, tmp_path / name), RUNS):
            pass


def check_kills(name, process, folder):
    folder.mkdir()
    whole, killed = folder / "whole", folder / "killed"
    assert process(name, whole, None, False) == 0
    *_, (from_start, from_first_step) = RUNS[name]
    seed = random.SystemRandom().randrange(2**32)
    print("kills of", name, "by seed", seed)
    chance = random.Random(seed)
    for number in range(KILLS):
        at_once = number % 5 == 4  # mostly while the model is built, restored or traced
        seconds = chance.uniform(0, from_start if at_once else from_first_step)
        assert process(name, killed, seconds, at_once) == -signal.SIGKILL, f"{name} ended before kill {number}"
        found = checkpoints.names(killed / "checkpoints")
        assert all(checkpoints.fault_of(path) is None for path in found)
        left = [path.name for path in (killed / "checkpoints").glob(".*")]
        print(f"{name}: {number + 1} kills, {[path.name for path in found]} kept, {left} left behind")
    assert process(name, killed, None, False) == 0
    with np.load(f"{whole}.npz") as expected, np.load(f"{killed}.npz") as found:
        assert len(expected.files) == len(found.files)
        for key in expected.files:
            np.testing.assert_array_equal(expected[key], found[key])
    np.testing.assert_equal(*(history(run) for run in (killed, whole)))
    assert (killed / "validation.csv").read_text() == (whole / "validation.csv").read_text()
    kept = [path.relative_to(whole) for path in sorted(whole.glob("models/*/*.keras"))]
    assert len({path.parent for path in kept}) == (3 if BEST[name] else 2)
    for path in kept:
        for a, b in zip(weights_in(killed / path), weights_in(whole / path), strict=True):
            np.testing.assert_array_equal(a, b)
    assert not list(killed.glob("models/*-before"))
    told, expected = (rows(folder / f"{run}.diary") for run in ("killed", "whole"))
    assert sorted(told) == list(range(1, 101)) and told == expected
