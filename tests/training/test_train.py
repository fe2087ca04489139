"""`train()` beyond a single step: repeated training in one run, and resuming every kind of model."""

import shutil
import zipfile

import keras
import numpy as np
import pytest
from support.models import MODELS, slow
from support.resuming import EVERY_STEP, Recorder, check_same, cut_back
from support.toy import Toy

from keras_gan.report.csv_log import read_rows
from keras_gan.training import checkpoints


def test_a_second_train_continues_the_same_run(tmp_path):
    gan = Toy(seed=0, output=tmp_path)
    first = gan.train(quiet=True).history
    rows, step = read_rows(tmp_path / "history.csv"), gan.train_function
    second = gan.train(epochs=1, quiet=True).history
    assert len(first["g_loss"]) == 2 and len(second["g_loss"]) == 1 and np.isfinite(second["g_loss"]).all()
    assert gan.train_function is step  # nothing is traced again
    assert int(gan.iteration) == int(gan.combined.optimizer.iterations) == 9
    assert int(gan.discriminator.optimizer.iterations) == 18
    now = read_rows(tmp_path / "history.csv")
    assert now[:2] == rows and [row["iteration"] for row in now] == [3, 6, 9]
    assert now[-1]["seconds"] > rows[-1]["seconds"]
    assert [path.name for path in checkpoints.names(tmp_path / "checkpoints")][-1] == "9"
    for path in gan.run.network_paths:
        with zipfile.ZipFile(path) as archive:
            assert b"iteration 9" in archive.comment


WHOLE = {  # each has other state besides weights and slots
    "toy": Toy,  # noise, dropout, past fakes, moving statistics
    "discogan": lambda **options: MODELS["discogan"](dropout=0.2, **options),  # order and flips of pairs
    "discogan paper": MODELS["discogan paper"],  # turns and a curriculum
    "pix2pix": MODELS["pix2pix"],  # crops
}


@pytest.mark.parametrize("model", [row if row == "toy" else slow(row) for row in WHOLE])
def test_a_resumed_run_ends_like_an_uninterrupted_one(model, tmp_path):
    """Resumes within an epoch in a new model, and at the end of an epoch in a model that trained further."""
    recorder, within, at_end = Recorder(), Recorder(), Recorder()
    gan = WHOLE[model](seed=7, output=tmp_path / "run")
    gan.train(**EVERY_STEP, callbacks=[recorder])
    keras.utils.set_random_seed(99)
    copy = cut_back(tmp_path / "run", tmp_path / "copy", iteration=2)
    other = type(gan).resume(copy, callbacks=[within])
    check_same(gan, other)
    assert within.rows == recorder.after(2, whole_epochs=0)
    assert {path.name for path in (copy / "images").iterdir()} == {"0_0.png", "0_2.png", "1_0.png", "1_2.png"}
    for path in checkpoints.names(copy / "checkpoints")[3:]:
        shutil.rmtree(path)
    other.run.is_resumed = True
    other.train(**EVERY_STEP, callbacks=[at_end])
    check_same(gan, other)
    assert at_end.rows == recorder.after(3, whole_epochs=1)
