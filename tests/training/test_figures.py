"""Figures that stay on the device: who gets them, when, and what is noticed late."""

from types import SimpleNamespace

import keras
import pytest
from keras import ops
from support.toy import Toy

from keras_gan import backend
from keras_gan.errors import NotFiniteError
from keras_gan.report.csv_log import read_rows
from keras_gan.training import fit
from keras_gan.training.checkpoints import names

STEPS = 25


@pytest.fixture
def slow_clock(monkeypatch):
    """Time stands still, so that only the number of iterations makes figures due."""
    monkeypatch.setattr(fit, "time", SimpleNamespace(monotonic=lambda: 0.0))


@pytest.fixture
def reads(monkeypatch):
    """The number of times that figures were read from the device."""
    calls, read = [], backend.in_numbers
    monkeypatch.setattr(backend, "in_numbers", lambda figures: calls.append(len(figures)) or read(figures))
    return calls


class Ends(keras.callbacks.Callback):
    """Looks at epochs only."""

    def on_epoch_end(self, epoch, logs=None):
        self.logs = logs


class Batches(keras.callbacks.Callback):
    """Keeps the logs of every batch."""

    def __init__(self):
        super().__init__()
        self.logs = []

    def on_train_batch_end(self, batch, logs=None):
        self.logs.append(logs)


def train(tmp_path, *callbacks, **options):
    gan = Toy(seed=0, output=tmp_path / "run")
    gan.train(epochs=1, steps_per_epoch=STEPS, sample_interval=STEPS, callbacks=callbacks, quiet=True, **options)
    return gan


def test_nothing_is_read_between_two_rows(tmp_path, slow_clock, reads):
    ends = Ends()
    gan = train(tmp_path, ends)
    rows = read_rows(gan.run_folder / "history.csv")
    assert [row["iteration"] for row in rows] == [10, 20, STEPS]
    assert len(reads) == 2 + 2 * len(rows)  # the logs at 10 and 20; totals and figures of each row
    assert list(ends.logs) == sorted(ends.logs) and all(isinstance(figure, float) for figure in ends.logs.values())


def test_a_callback_that_looks_at_batches_gets_the_figures_of_every_batch(tmp_path, slow_clock):
    batches = Batches()
    gan = train(tmp_path, batches)
    assert len(batches.logs) == STEPS
    assert len({logs["g_loss"] for logs in batches.logs}) == STEPS
    row = read_rows(gan.run_folder / "history.csv")[0]  # averages over ten iterations, as the logs are by then
    assert {name: batches.logs[9][name] for name in batches.logs[9]} == pytest.approx(
        {name: row[name] for name in batches.logs[9]}, rel=1e-5
    )
    assert batches.logs[-1]["g_loss"] == gan.history.history["g_loss"][0]


def test_slow_steps_show_their_figures_at_once(tmp_path, monkeypatch, reads):
    seconds = iter(range(10**6))
    monkeypatch.setattr(fit, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
    train(tmp_path)
    assert len(reads) >= STEPS


def test_a_loss_that_is_not_finite_ends_the_run_at_the_next_row(tmp_path, slow_clock):
    class Spoil(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 12:  # iteration 13
                weight = self.model.combined.trainable_variables[0]
                weight.assign(weight * float("nan"))

    with pytest.raises(NotFiniteError, match=r"g_loss is nan.* at iteration 20.*last checkpoint is from iteration 10"):
        train(tmp_path, Spoil(), checkpoint_interval=10)
    assert [path.name for path in names(tmp_path / "run" / "checkpoints")] == ["10"]


def test_a_checkpoint_that_falls_due_in_between_is_not_written(tmp_path, slow_clock):
    class Spoil(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 5:
                weight = self.model.combined.trainable_variables[0]
                weight.assign(weight * float("nan"))

    with pytest.raises(NotFiniteError, match="weights of .* are not finite at iteration 7"):
        train(tmp_path, Spoil(), checkpoint_interval=7)
    assert names(tmp_path / "run" / "checkpoints") == []


def test_weights_are_looked_through_once_at_the_end_of_an_epoch(tmp_path, monkeypatch):
    from keras_gan.training import checkpoints, saving

    looks, look = [], checkpoints.check_weights
    for module in (checkpoints, saving):
        monkeypatch.setattr(module, "check_weights", lambda model: looks.append(1) or look(model))
    train(tmp_path)
    assert len(looks) == 1


def test_metrics_are_reset_in_one_call():
    gan = Toy(seed=0)
    gan.make_train_function()
    for variable in gan.metrics_variables:
        variable.assign(variable + 3)
    gan.reset_metrics()
    assert all(float(ops.convert_to_numpy(variable)) == 0 for variable in gan.metrics_variables)


def test_models_share_no_compiled_calls():
    one, other = Toy(seed=0), Toy(seed=0)
    one.reset_metrics()
    assert other._compiled is None
