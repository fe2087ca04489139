"""Commands that take RUN@best, RUN@12 and folders of networks, and `evaluate --all`."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from support.eager import EAGERLY
from support.runs import copy_run

from keras_gan import generators, translate
from keras_gan.demo.__main__ import opened
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.evaluate import epochs
from keras_gan.evaluate.__main__ import main
from keras_gan.training.kept_networks import keep

pytestmark = [pytest.mark.usefixtures("opening_once"), *EAGERLY]


@pytest.fixture
def run(saved, tmp_path):
    """A run of DiscoGAN with networks of epochs 2 and 10, which are the same, and best ones, which are others."""
    run = copy_run(saved("discogan")[1], tmp_path / "run")
    files = sorted((run / "models").glob("*.keras"))
    for name in ("epoch-2", "epoch-10", "best"):
        keep(files, run / "models" / name)
    shutil.copy(run / "models" / "g_BA.keras", run / "models" / "best" / "g_AB.keras")
    return run


def mean_colours(pictures):
    return pictures.mean(axis=(1, 2)) / 255


def test_all_commands_find_kept_networks(run, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), "uint8")
    last, best, second = (translate(f"{run}{mark}", images, "AtoB") for mark in ("", "@best", "@2"))
    assert (last == second).all() and (last != best).any()
    assert (translate(run / "models" / "best", images, "AtoB") == best).all()
    found = opened(f"{run}@best")
    assert set(found) == {"AtoB", "BtoA"} and found["AtoB"].path.parent.name == "best" and found["AtoB"].run == run
    assert generators.find(str(run / "models" / "best" / "g_AB.keras")).run == run
    with pytest.raises(NotFoundError, match="kept no networks of epoch 7: it has those of 2, 10 and best"):
        opened(f"{run}@7")


@pytest.fixture
def pairs(tmp_path):
    rng = np.random.default_rng(0)
    for split, count in (("train", 3), ("val", 3)):
        (tmp_path / "pairs" / split).mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 256, (32, 64, 3), "uint8")
            Image.fromarray(pixels).save(tmp_path / "pairs" / split / f"{number}.png")
    return tmp_path / "pairs"


@pytest.mark.slow
def test_evaluate_draws_the_figures_over_the_epochs(run, pairs):
    pytest.importorskip("skimage", reason="needs scikit-image (extra metrics)")
    folder, rows = epochs.evaluate_epochs(run, pairs, mean_colours)
    assert [row["epoch"] for row in rows] == [2, 10] and folder == run / "evaluation" / "pairs"
    assert {**rows[0], "epoch": 0} == {**rows[1], "epoch": 0}
    figures = json.loads((run / "evaluation" / "pairs@10" / "figures.json").read_text(encoding="utf-8"))
    of = figures["directions"]["BtoA"]
    assert rows[1]["BtoA L1 (in [-1, 1])"] == of["means"]["L1 (in [-1, 1])"]
    assert rows[1]["BtoA FID"] == of["heaps"]["translated against real"]["FID"]
    with open(folder / epochs.TABLE, newline="", encoding="utf-8") as file:
        assert next(csv.reader(file)) == list(rows[0])
    with Image.open(folder / epochs.PICTURE) as picture:
        assert picture.size[0] > 500
    assert (run / "evaluation" / "pairs@2" / "figures.json").exists() and not (folder / "figures.json").exists()
    first, *others, last = epochs.text_of(rows).splitlines()
    assert first.split()[0] == "epoch" and [line.split()[0] for line in others] == ["2", "10"] and "*" in last


def test_features_of_the_same_pictures_are_computed_once():
    calls = []
    extractor = epochs.Remembered(lambda pictures: calls.append(1) or mean_colours(pictures))
    black, white = np.zeros((2, 4, 4, 3), "uint8"), np.full((2, 4, 4, 3), 255, "uint8")
    assert (extractor(black) == extractor(black)).all() and (extractor(white) == 1).all() and len(calls) == 2


def test_all_epochs_need_a_run_that_kept_some(run, saved, capsys):
    with pytest.raises(BadValueError, match="all epochs are those of a run: name its folder, not "):
        epochs.evaluate_epochs(f"{run}@best")
    with pytest.raises(SystemExit):
        main([str(saved("pix2pix")[1]), "--all"])
    assert "kept the networks of no epoch: train with --save-every N." in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([f"{run}@7"])
    assert "it has those of 2, 10 and best." in capsys.readouterr().err
