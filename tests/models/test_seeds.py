"""Valid seeds work; invalid ones are named in an error before anything is built."""

import json

import numpy as np
import pytest
from support import commands

import keras_gan
from keras_gan import DataLoader, ImageLoader, UnpairedDataLoader
from keras_gan.errors import BadValueError

LAST = 2**32 - 1
BAD = [LAST + 1, -1, 1.5, 1.0, "x", True]


@pytest.mark.parametrize("seed", [0, LAST])
def test_the_first_and_the_last_seed_work(seed):
    gan = keras_gan.GAN(dataset_name="drawn_digits", seed=seed)
    assert gan.seed == gan.data_loader.seed == seed
    assert gan.generate(gan.sample_noise(1, seed)).shape == (1, 28, 28, 1)
    assert gan.data_loader.batches(2)[0][0].shape == (2, 28, 28, 1)


@pytest.mark.parametrize("model", commands.MODELS.values())
def test_invalid_seeds_are_refused_before_other_arguments(model):
    for seed in BAD:
        with pytest.raises(BadValueError, match=rf"^seed must be a whole number from 0 to {LAST}, not {seed!r}\.$"):
            getattr(keras_gan, model)(dataset_name="nowhere", seed=seed)


@pytest.mark.parametrize("loader", [DataLoader, UnpairedDataLoader, ImageLoader])
def test_loaders_accept_any_seed_from_0_up(loader):
    for seed in (0, 2**70, np.int64(3)):
        assert loader("drawn_shoes", seed=seed).seed == seed
    for seed in (-1, 1.5, "x", True):
        with pytest.raises(BadValueError, match=f"^seed must be a whole number of at least 0, not {seed!r}"):
            loader("drawn_shoes", seed=seed)


@pytest.fixture
def gan_of(tmp_path, monkeypatch):
    """Runs a short `python -m keras_gan.gan --seed=SEED` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    short = ["--dataset", "drawn_digits", "--epochs", "1", "--steps-per-epoch", "1", "--batch-size", "1", "--quiet"]
    return lambda seed: commands.run_here("gan", *short, f"--seed={seed}")


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("seed", [0, LAST])
def test_a_command_trains_with_the_first_and_the_last_seed(seed, gan_of, tmp_path):
    gan_of(seed)
    assert json.loads((tmp_path / "runs/gan-drawn_digits-1/config.json").read_text())["seed"] == seed


@pytest.mark.parametrize("seed", ["4294967296", "-1", "1.5", "x", ""])
def test_a_command_refuses_invalid_seeds_in_one_line(seed, gan_of, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        gan_of(seed)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and "seed" in line and seed in line
    assert not list(tmp_path.iterdir())
