"""Two processes as hosts that have nothing but their own shards on their disks. Only on JAX."""

import re
import shutil
import time

import keras
import numpy as np
import pytest
from support import sharded
from support.many_hosts import Started, free_port, trained

from keras_gan.errors import LostHostError
from keras_gan.report.csv_log import read_rows

pytestmark = pytest.mark.skipif(keras.backend.backend() != "jax", reason="TensorFlow trains on one device")
DATA = ["--dataset", "x/{000..003}.tar", "--own-shards"]


@pytest.fixture
def host():
    with Started() as started:
        yield started


@pytest.fixture
def disks(tmp_path, monkeypatch):
    """The folders of two hosts, with two of four shards each, and one with all."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    sharded.shards(tmp_path / "all/x", 4, 10, sharded.singles)
    found = [tmp_path / "0", tmp_path / "1"]
    for shard in range(4):
        (found[shard % 2] / "x").mkdir(parents=True, exist_ok=True)
        shutil.copy2(tmp_path / f"all/x/{shard:03}.tar", found[shard % 2] / "x")
    return [*found, tmp_path / "all"]


def both(host, disks, *arguments):
    port = free_port()
    return [host(number, 2, port, *DATA, *arguments, cwd=disks[number]) for number in range(2)]


def ended(hosts, codes):
    said = [process.communicate(timeout=200) for process in hosts]
    assert [process.returncode for process in hosts] == codes, said
    return said


class Keeper:
    """Keeps no texts, but the signs of life of host 1."""

    def __init__(self, why, signs):
        self.why, self.signs = why, iter(signs)

    def blocking_key_value_get(self, name, milliseconds):
        time.sleep(0.02)
        raise RuntimeError(f"{self.why}: {name}")

    def key_value_dir_get(self, folder):
        return [(f"{folder}1", next(self.signs, "the last"))]


@pytest.mark.parametrize("why", ["DEADLINE_EXCEEDED", "UNAVAILABLE"])
def test_a_host_that_falls_silent_while_others_wait_for_it_is_missed(monkeypatch, why):
    """It is waited for while it gives signs of life, unless the first host, which keeps the texts, is lost."""
    from keras_gan.backend import jax_exchange

    monkeypatch.setattr(jax_exchange, "SILENCE", 0.1)
    signs = iter([str(number) for number in range(9)])
    with pytest.raises(LostHostError, match="host 1 or the first host has stopped"):
        jax_exchange.text_of(Keeper(why, signs), 0, 1)
    assert len([*signs]) == (0 if why == "DEADLINE_EXCEEDED" else 9)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_run_goes_on_to_the_same_bits_and_with_fewer_hosts_in_another_order(host, disks, tmp_path):
    """An epoch is nine batches of four; all hosts validate on the held-out pictures of the first one."""
    options = ["--epochs", "4", "--seed", "0", "--checkpoint-interval", "2", "--keep", "99", "--sample-interval", "20"]
    options += ["--validation-interval", "1"]
    ((out, _), _) = ended(both(host, disks, *options, "--output", str(tmp_path / "whole")), [0, 0])
    assert "2 hosts, each on its own shards: all 36 pictures are in each epoch." in out

    run = tmp_path / "killed"
    hosts = both(host, disks, *options, "--output", str(run))
    while not (run / "checkpoints/14").exists() and hosts[0].poll() is None:
        time.sleep(0.01)
    for process in hosts:
        process.kill()
        process.communicate()
    last = max(int(path.name) for path in (run / "checkpoints").iterdir() if path.name.isdigit())
    assert 14 <= last < 36
    shutil.copytree(run, tmp_path / "fewer")
    ended(both(host, disks, "--resume", str(run)), [0, 0])
    np.testing.assert_array_equal(trained(run), trained(tmp_path / "whole"))
    one, other = (read_rows(path / "validation.csv") for path in (run, tmp_path / "whole"))
    assert one == other and [row["epoch"] for row in one] == [1, 2, 3, 4]

    alone = host(0, 1, free_port(), *DATA, "--resume", str(tmp_path / "fewer"), cwd=disks[2])
    ((out, _),) = ended([alone], [0])
    assert "Shards were those of 2 hosts, now of 1: pictures come in another order." in out
    assert (tmp_path / "fewer/checkpoints/36").exists()


@pytest.mark.slow
def test_a_missing_shard_of_one_host_is_one_line_on_both(host, disks, tmp_path):
    (disks[1] / "x/003.tar").unlink()
    for out, err in ended(both(host, disks, "--output", str(tmp_path / "run")), [2, 2]):
        (line,) = re.findall("^error: .*$", err, re.MULTILINE)
        assert line.startswith("error: host 1 of 2: x/003.tar is missing") and "Traceback" not in err + out
    assert not (tmp_path / "run").exists()
