"""Runs on shards, stopped and killed, go on to the same bits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import sharded
from support.commands import check_complaint, run_here
from support.eager import EAGERLY
from support.resuming import EVERY_STEP, check_same, cut_back, weights_in
from support.toy import Toy

from keras_gan.data import order
from keras_gan.datasets import shard_names
from keras_gan.errors import BadValueError
from keras_gan.training import checkpoints

pytestmark = EAGERLY
TESTS = Path(__file__).resolve().parents[1]
#: Trains in a process that dies in the middle of an epoch, or goes on with what that one left.
LIFE = """
import os, sys
import keras
from support.toy import Toy
from keras_gan.data import order

order.WINDOW = 7

class Die(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.iteration) == int(sys.argv[3]):
            os._exit(9)

run, data, _ = sys.argv[1:]
if os.path.exists(f"{run}/config.json"):
    Toy.resume(run, callbacks=[Die()])
else:
    Toy(dataset_name=data, seed=5, output=run).train(
        epochs=3, batch_size=3, steps_per_epoch=7, sample_interval=9, checkpoint_interval=2, callbacks=[Die()]
    )
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(order, "WINDOW", 7)
    order.windowed.cache_clear()
    yield
    order.windowed.cache_clear()


def test_a_resumed_run_equals_one_that_was_never_stopped(tmp_path):
    """Stopped in the second epoch, in the middle of a window; `steps_per_epoch` divides no pass."""
    name = sharded.shards(tmp_path / "x", 3, 5, sharded.singles)
    gan = Toy(dataset_name=name, seed=3, output=tmp_path / "run")
    gan.train(**EVERY_STEP)
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["dataset"]["pictures"] == {"train": 13, "test": 2}
    assert len(json.loads((tmp_path / "run/data.json").read_text())["train"]) == 3  # shards, not pictures
    check_same(gan, Toy.resume(cut_back(tmp_path / "run", tmp_path / "copy", iteration=4)))


def test_a_changed_shard_is_told_when_a_run_goes_on(tmp_path, capsys):
    name = sharded.shards(tmp_path / "x", 3, 5, sharded.singles)
    Toy(dataset_name=name, seed=3, output=tmp_path / "run").train(**EVERY_STEP | {"epochs": 1})
    os.utime(tmp_path / "x/001.tar", (1, 1))
    capsys.readouterr()
    with pytest.raises(BadValueError, match="is finished"):
        Toy.resume(tmp_path / "run")
    assert "0 added, 0 removed, 1 changed" in capsys.readouterr().err


@pytest.mark.timeout(400)
@pytest.mark.slow
def test_killed_runs_end_with_the_same_bits(tmp_path):
    """Killed twice between checkpoints, each time started again by a new process."""
    name = sharded.shards(tmp_path / "x", 4, 9, sharded.singles)

    def live(run, dies_at):
        command = [sys.executable, "-c", LIFE, str(run), name, str(dies_at)]
        places = os.pathsep.join([str(TESTS), *sys.path])
        return subprocess.run(command, env=os.environ | {"PYTHONPATH": places}, timeout=110).returncode

    assert live(tmp_path / "whole", -1) == 0
    assert [live(tmp_path / "killed", dies_at) for dies_at in (6, 15, -1)] == [9, 9, 0]
    for path in sorted((tmp_path / "whole/models").glob("*.keras")):
        for a, b in zip(weights_in(path), weights_in(tmp_path / "killed/models" / path.name), strict=True):
            np.testing.assert_array_equal(a, b)
    assert [path.name for path in checkpoints.names(tmp_path / "killed/checkpoints")][-1] == "21"


def names(folder):
    """What is in a folder, but for the user's cache."""
    return [path for path in sorted(folder.rglob("*")) if folder / "cache" not in (path, *path.parents)]


def test_a_range_counts_downwards_as_in_a_shell():
    assert shard_names.expanded("{02..0}.tar") == ["02.tar", "01.tar", "00.tar"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x/{000..003}.tar", "x/003.tar is missing, 1 of the 4 shards"),
        ("{x/000,p/0}.{tar,parquet}", "is missing"),
        ("x/{000..9999999999}.tar", "{000..9999999999} has more than 1,000,000 numbers: check both ends"),
        ("x/{000,001,000}.tar", "names x/000.tar more than once: name each shard once"),
        ("both", "shards of two kinds"),
        ("text", "has no pictures: its columns are words"),
        ("empty{0..1}.tar", "have no pictures to train"),
    ],
)
def test_bad_lists_are_refused_in_one_line_before_anything_is_written(tmp_path, monkeypatch, capsys, name, message):
    import pyarrow as pa
    import pyarrow.parquet as pq

    monkeypatch.chdir(tmp_path)
    sharded.shards(tmp_path / "x", 3, 5, sharded.singles)
    for number in range(2):
        sharded.tar(tmp_path / f"empty{number}.tar", [])
    sharded.tar(tmp_path / "both/0.tar", sharded.singles(1))
    for folder in ("both", "text"):
        (tmp_path / folder).mkdir(exist_ok=True)
        pq.write_table(pa.table({"words": ["a", "b"]}), tmp_path / folder / "0.parquet")
    before = names(tmp_path)
    with pytest.raises(SystemExit):
        run_here("dcgan", "--dataset", name, "--quick", "--epochs", "1")
    complaints = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("warning: empty")]
    check_complaint("\n".join(complaints), message)
    assert names(tmp_path) == before and not (tmp_path / "runs").exists()
