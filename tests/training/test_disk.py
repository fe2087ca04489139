"""Whether the disk has room for a run is asked before it begins."""

import shutil

import pytest
from support.toy import Toy

from keras_gan.errors import BadValueError
from keras_gan.training import network_files


def written(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_run_that_the_disk_cannot_hold_does_not_begin(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(network_files.shutil, "disk_usage", lambda path: usage._replace(free=20_000))
    gan = Toy(seed=0, output=tmp_path / "run", width=64)
    with pytest.raises(BadValueError, match=r"room: networks and 3 checkpoints take .* and 0.02 MB are free"):
        gan.train(quiet=True)
    assert not (tmp_path / "run" / "config.json").exists()
    monkeypatch.undo()
    gan.train(epochs=1, quiet=True)  # in the same folder, once there is room


def test_the_bytes_that_it_asks_for_are_those_that_it_writes(tmp_path):
    """But for the heads of the files."""
    gan = Toy(seed=0, output=tmp_path, width=512)
    gan.train(epochs=2, steps_per_epoch=1, ema=0.9, quiet=True)
    checkpoint, networks = network_files.sizes_of(gan)
    assert checkpoint <= written(tmp_path / "checkpoints") / 2 <= 1.1 * checkpoint + 300_000
    assert networks <= written(tmp_path / "models") <= 1.1 * networks + 300_000
