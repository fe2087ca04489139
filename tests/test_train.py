"""What `train()` does beside a step: again in the same run, and what `fit()` sees of it."""

import zipfile

import numpy as np
from support.toy import Toy

from keras_gan import checkpoints
from keras_gan.table import read_rows


def test_a_second_train_goes_on_in_the_same_run(tmp_path):
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
    for path in gan.network_paths:
        with zipfile.ZipFile(path) as archive:
            assert b"iteration 9" in archive.comment
