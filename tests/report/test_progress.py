import sys
from types import SimpleNamespace

import pytest
from support.toy import Toy

from keras_gan.adversarial.model import AdversarialModel
from keras_gan.report.curves import duration
from keras_gan.report.progress import Progress


@pytest.fixture
def gan(tmp_path, eagerly):
    return Toy(output=tmp_path / "run", seed=0)


def train(gan, **options):
    AdversarialModel.train(gan, epochs=2, batch_size=4, sample_interval=2, steps_per_epoch=3, **options)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.6, "1:00 min"), (754, "12:34 min"), (3599.7, "1:00:00 h"), (90_010, "25:00:10 h")],
)
def test_duration_format(seconds, text):
    assert duration(seconds) == text


def test_a_log_gets_complete_plain_lines(gan, capsys, monkeypatch):
    monkeypatch.setattr(Progress, "SECONDS_PER_LINE", 0)
    train(gan)
    printed = capsys.readouterr().out
    assert printed.replace("\n", "").isprintable()  # no control characters
    first, compiling, *lines = printed.splitlines()
    assert compiling == "Compiling the first step: about 2 s."
    assert first.startswith("Training on drawn_digits") and len(lines) == 2 * 3
    assert "left in the epoch" in lines[1] and "left in all" in lines[1] and "pictures/s" in lines[1]
    assert lines[2].startswith("epoch 1/2  iteration 3/3  ") and " s left" in lines[2]
    assert lines[-1].startswith("epoch 2/2  iteration 3/3  ") and "left" not in lines[-1]
    assert str(gan.run_folder / "images" / "1_2.png") in lines[-1]
    for figure in ("d_loss", "d_acc", "g_loss"):
        assert f"{figure} " in lines[-1]


def test_a_terminal_gets_one_updated_line_that_never_wraps(gan, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(Progress, "SECONDS_PER_UPDATE", 0)
    monkeypatch.setenv("COLUMNS", "60")
    train(gan)
    _, _, *lines, _ = capsys.readouterr().out.split("\n")
    assert len(lines) == 2  # one an epoch stays
    for line in lines:
        *passing, last = line.split("\r")[1:]
        assert len(passing) == 2 and all(len(text) <= 59 for text in passing)
        assert "newest grid" in last and len(last) >= len(passing[-1])  # nothing of the line before is left over


@pytest.mark.reports
def test_quiet_prints_only_the_run_folder(gan, capsys):
    train(gan, quiet=True)
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 1 and str(gan.run_folder) in printed.out and not printed.err


def test_time_left_uses_the_speed_of_this_process():
    """In a resumed run, iterations of the earlier process do not count."""
    progress = Progress()
    progress.set_params({"epochs": 3, "steps": 100})
    progress.set_model(SimpleNamespace(iteration=150, jit_compile=True))
    progress.on_train_begin()
    progress.on_epoch_begin(1)
    for batch in range(50, 60):
        progress.on_train_batch_end(batch)
    assert (progress.iteration, progress.total, progress.left_in_epoch) == (160, 300, 40)
    progress.per_iteration = 2.0
    assert "1:20 min left in the epoch, 4:40 min left in all" in list(progress.parts({}))
