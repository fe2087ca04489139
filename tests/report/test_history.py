"""The logs of a run: history and TensorBoard events."""

import keras
import numpy as np
import pytest
from support.toy import Toy
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event

from keras_gan.adversarial.handover import Handover
from keras_gan.report.csv_log import Table, read_rows
from keras_gan.report.history import History, figures_since_last_row
from keras_gan.report.tensorboard import Summaries

ROWS = [10, 20, 23, 30, 40, 46]  # of two epochs of 23 iterations


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two epochs of 23 iterations, and the logs of `fit()` after each: averages since the start of the epoch."""
    gan = Toy(d_optimizer=keras.optimizers.Adam(2e-4), seed=0, output=tmp_path_factory.mktemp("run"))
    usual = gan.fixed_sample
    gan.fixed_sample = lambda: usual()._replace(figures={"L1_A_to_B": 0.5})
    averages = []
    recorder = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: averages.append(dict(logs)))
    gan.train(epochs=2, batch_size=2, sample_interval=10, steps_per_epoch=23, quiet=True, callbacks=[recorder])
    return gan.run_folder, averages


def test_a_row_averages_the_iterations_since_the_previous_row(run):
    folder, averages = run
    rows = read_rows(folder / "history.csv")
    assert [row["iteration"] for row in rows] == ROWS
    for row, start in zip(rows, [0, *ROWS[:-1]], strict=True):
        stop, epoch = row["iteration"], start // 23
        for name in averages[0]:
            since_epoch = [averages[at - 1][name] * (at - 23 * epoch) if at > 23 * epoch else 0 for at in (start, stop)]
            expected = (since_epoch[1] - since_epoch[0]) / (stop - start)
            assert row[name] == pytest.approx(expected, rel=1e-4), (stop, name)
        assert row["epoch"] == epoch + 1 and row["g_learning_rate"] == row[
            "discriminator_learning_rate"
        ] == pytest.approx(2e-4)
    seconds = [row["seconds"] for row in rows]
    assert seconds == sorted(set(seconds)) and seconds[0] > 0


def events(folder):
    """(tag, kind of value, step) of all events of a folder."""
    found = []
    for path in sorted(folder.glob("events.*")):
        for record in RawEventFileLoader(str(path)).Load():
            event = Event.FromString(record)
            found += [(v.tag, v.WhichOneof("value"), event.step) for v in event.summary.value]
    return found


def test_tensorboard_events_hold_every_metric_and_the_grids(run):
    folder, averages = run
    found = events(folder / "tensorboard")
    for name in (*averages[0], "seconds", "g_learning_rate"):
        assert [step for tag, kind, step in found if tag == name and kind == "simple_value"] == ROWS, name
    for tag, kind in (("L1_A_to_B", "simple_value"), ("grid", "image")):
        assert [step for *named, step in found if named == [tag, kind]] == [1, 11, 21, 24, 34, 44, 46]


def test_tensorboard_reads_the_events(run):
    folder, _ = run
    read = EventAccumulator(str(folder / "tensorboard"), size_guidance={"images": 0}).Reload()  # all of them
    assert read.Images("grid")[0].encoded_image_string == (folder / "images" / "0_0.png").read_bytes()
    assert len(read.Scalars("g_loss")) == len(ROWS)


def test_events_after_the_iteration_and_incomplete_ones_are_deleted(tmp_path):
    first = Summaries(tmp_path, 0)
    for step in (10, 20, 30):
        first.scalars(step, {"g_loss": 1.0})
    (path,) = tmp_path.glob("events.*")
    with open(path, "ab") as file:
        file.write(b"torn")
    second = Summaries(tmp_path, 20)
    second.scalars(30, {"g_loss": 2.0})
    assert events(tmp_path) == [("g_loss", "simple_value", step) for step in (10, 20, 30)]


def rows_of(*iterations):
    return [{"iteration": iteration, "g_loss": iteration / 8} for iteration in iterations]


def test_rows_after_the_iteration_and_incomplete_ones_are_deleted(tmp_path):
    table = Table(tmp_path / "history.csv")
    assert table.open(0) == []
    for row in rows_of(10, 20, 30):
        table.append(row)
    before = table.path.read_text()
    for torn in ("40,", "40,5.2", "x", "40,5,5\n"):
        table.path.write_text(before + torn)
        assert Table(table.path).open(20) == rows_of(10, 20)
        assert table.path.read_text() == "".join(before.splitlines(keepends=True)[:3])
        table.path.write_text(before)
    again = Table(table.path)
    again.open(20)
    again.append(rows_of(30)[0])
    assert table.path.read_text() == before


@pytest.mark.parametrize("text", ["", "iterat", "iteration,g_loss", "\n", "g_loss\n1\n", "\x00\xff\n5\n"])
def test_a_damaged_table_has_no_rows(text, tmp_path):
    path = tmp_path / "history.csv"
    path.write_bytes(text.encode("latin-1"))
    assert read_rows(path) == [] and Table(path).open(20) == []


def test_a_new_run_starts_a_new_table(tmp_path):
    table = Table(tmp_path / "history.csv")
    table.append({"iteration": 10, "other": 1.0})
    assert table.open(0) == [] and not table.path.exists()
    table.append(rows_of(10)[0])
    assert read_rows(table.path) == rows_of(10)


class Averages(Handover):
    """A model with metrics only."""

    def __init__(self):
        super().__init__()
        self.often, self.rare = keras.metrics.Mean(), keras.metrics.Mean()
        self.totals_before = None

    @property
    def metrics(self):
        return [self.often, self.rare]

    def variables_of_kind(self, kind):
        return self.metrics_variables

    def get_metrics_result(self):
        return {"loss": self.often.result(), "rare": self.rare.result()}


def test_averages_resume_in_the_middle_of_a_row():
    model = Averages()
    for loss in (1.0, 2.0):
        model.often.update_state(loss)
    model.rare.update_state(7.0)
    assert figures_since_last_row(model) == {"loss": 1.5, "rare": 7.0}
    model.often.update_state(5.0)

    resumed = Averages()
    resumed.totals_before = model.totals_before
    for metric, restored in zip(model.metrics, resumed.metrics, strict=True):
        for variable, copy in zip(metric.variables, restored.variables, strict=True):
            copy.assign(variable)
    for average in (model, resumed):
        average.often.update_state(7.0)
        figures = figures_since_last_row(average)
        assert figures["loss"] == 6.0
        assert np.isnan(figures["rare"])  # nobody learned: no figure, rather than 0
        assert average.often.result() == 3.75  # the metrics themselves are left alone


def test_averages_restart_with_each_epoch():
    model = Averages()
    for _ in range(3):
        model.often.update_state(4.0)
    figures_since_last_row(model)
    model.often.reset_state()
    model.often.update_state(1.0)
    assert figures_since_last_row(model)["loss"] == 1.0


def test_the_middle_of_a_row_is_saved_with_the_weights(tmp_path):
    gan, other = Toy(), Toy()
    gan.save_weights(tmp_path / "none.weights.h5")
    gan.totals_before = np.arange(4.0)
    gan.save_weights(tmp_path / "some.weights.h5")
    other.load_weights(tmp_path / "some.weights.h5")
    np.testing.assert_array_equal(other.totals_before, np.arange(4.0))
    other.load_weights(tmp_path / "none.weights.h5")
    assert other.totals_before is None


def test_resumed_training_appends_without_gaps_or_duplicates(tmp_path):
    """Rows after the checkpoint are deleted before the resumed run writes them again."""
    gan = Toy(output=tmp_path / "run")
    batches = gan.data_loader.batches(1, 12)
    for iteration in (12, 24, 24):
        if iteration == int(gan.iteration):
            gan.iteration.assign(12)  # a checkpoint's
        gan.fit(batches, verbose=0, shuffle=False, callbacks=[History()])
        rows = read_rows(tmp_path / "run/history.csv")
        assert [row["iteration"] for row in rows] == [10, 12, 20, 24][: 2 if iteration == 12 else 4]
        seconds = [row["seconds"] for row in rows]
        assert seconds == sorted(seconds)
