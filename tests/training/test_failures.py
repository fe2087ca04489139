"""Errors of files, disks and data while a run trains or is read: one line, and how to go on."""

import errno
import os
from types import SimpleNamespace

import keras
import pytest
from PIL import Image
from support.commands import check_complaint, run_here
from support.toy import Toy

from keras_gan import console
from keras_gan.errors import BadValueError
from keras_gan.evaluate import __main__ as evaluate
from keras_gan.report import __main__ as report
from keras_gan.training.failures import explained_errors

ERRORS = errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EISDIR, errno.ENOTDIR, errno.EIO


def error_of(number):
    return OSError(number, os.strerror(number), "runs/x/history.csv")


@pytest.fixture
def run(tmp_path):
    return SimpleNamespace(folder=tmp_path, how_to_resume=lambda: "python -m keras_gan.toy --resume RUN")


@pytest.mark.parametrize("number", ERRORS)
def test_an_error_of_the_system_ends_training_in_one_line(number, run):
    with pytest.raises(BadValueError) as caught, explained_errors(run, [0]):
        raise error_of(number)
    text = str(caught.value)
    assert os.strerror(number) in text and "'runs/x/history.csv'" in text and "\n" not in text
    assert "then resume: python -m keras_gan.toy --resume RUN" in text
    assert ("make room" in text) == (number == errno.ENOSPC)


def test_a_full_disk_is_recognised_without_its_number(run):
    with pytest.raises(BadValueError, match="make room, then resume"), explained_errors(run, [0]):
        raise RuntimeError("Unable to flush file (errno = 28, error message = 'No space left on device')")


@pytest.mark.parametrize("error", [TypeError("a bug"), OSError("of a library"), RuntimeError("of a framework")])
def test_other_errors_keep_their_traceback(error, run):
    with pytest.raises(type(error)) as caught, explained_errors(run, [0]):
        raise error
    assert caught.value is error


def test_lost_pictures_are_named_whatever_wraps_the_error(run):
    class Lost:
        def __getitem__(self, index):
            raise BadValueError("none of the 5 pictures can be used.")

    for error in (RuntimeError("{{node PyFunc}} Traceback ..."), BadValueError("none of the 5 pictures can be used.")):
        told = pytest.raises(BadValueError, match=r"pictures can be used\. Put them back, then resume: python")
        with told, explained_errors(run, Lost()):
            raise error


@pytest.mark.parametrize("number", ERRORS)
def test_an_error_of_the_system_ends_a_command_in_one_line(number, capsys):
    with pytest.raises(SystemExit) as stop, console.one_line_errors():
        raise error_of(number)
    assert stop.value.code == 2
    printed = capsys.readouterr().err
    check_complaint(printed, f"{os.strerror(number)} in 'runs/x/history.csv': ")
    assert printed.endswith(".\n") and printed.count(":") > 1  # and what to do


def test_an_error_of_a_library_keeps_its_traceback():
    with pytest.raises(OSError, match="cannot identify"), console.one_line_errors():
        raise OSError("cannot identify image file")


def test_a_folder_in_place_of_the_report(tmp_path, capsys):
    (tmp_path / "report.html").mkdir()
    (tmp_path / "config.json").write_text('{"model": "gan"}')
    with pytest.raises(SystemExit) as stop:
        report.main([str(tmp_path)])
    assert stop.value.code == 2
    check_complaint(
        capsys.readouterr().err, f"Is a directory in '{tmp_path / 'report.html'}': a folder has the name of"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "report.html"]


def test_a_run_that_is_a_file(tmp_path, capsys):
    (tmp_path / "run").touch()
    for command in (report, evaluate):
        with pytest.raises(SystemExit) as stop:
            command.main([str(tmp_path / "run")])
        assert stop.value.code == 2
        check_complaint(capsys.readouterr().err, "run")


@pytest.mark.slow
@pytest.mark.usefixtures("no_reports")
def test_pictures_removed_while_training_are_named_alone(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "pictures" / "train"
    folder.mkdir(parents=True)
    for number in range(6):
        Image.new("L", (8, 8), 40 * number).save(folder / f"{number}.png")

    class Remove(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            for path in folder.iterdir():
                path.unlink()

    monkeypatch.setattr("keras_gan.training.run.SaveNetworks", lambda *arguments: Remove())
    words = ["--epochs", "3", "--batch-size", "2", "--steps-per-epoch", "40", "--quiet"]
    with pytest.raises(SystemExit) as stop:
        run_here(Toy, "--dataset", str(folder.parent), "--output", str(tmp_path / "run"), *words)
    assert stop.value.code == 2
    printed = capsys.readouterr().err
    check_complaint(printed, "error: none of the 5 pictures can be used")
    assert f"Put them back, then resume: python -m keras_gan.toy --resume {tmp_path / 'run'}" in printed
