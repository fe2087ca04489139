"""Errors of commands: one line, which a terminal shows in lines that fit."""

import io
import sys

import pytest

from keras_gan import console, datasets
from keras_gan.errors import BadValueError, NoDataSetError, NotFoundError
from keras_gan.training import old_runs, run_folder

WIDTH = 100


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_a_long_error_is_one_line_in_a_file_and_fits_a_terminal(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream())
    path = "a/" + "long-" * 40 + "name"  # which stays whole, so that it can be copied
    assert console.fail(f"no pictures in {path}: " + "name another folder, " * 8) == 2
    lines = sys.stderr.getvalue().splitlines()
    assert lines[0].startswith("error: ") and any(path in line for line in lines)
    if stream is Terminal:
        assert len(lines) > 2 and all(line.startswith(" " * 7) for line in lines[1:])
        assert all(len(line) <= WIDTH for line in lines if path not in line)
    else:
        assert len(lines) == 1


@pytest.mark.parametrize("find", [datasets.find, datasets.find_unpaired])
@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_wrong_data_set_is_one_line_that_fits(tmp_path, monkeypatch, find, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty" / "train").mkdir(parents=True)
    with pytest.raises((NotFoundError, BadValueError)) as caught:
        find(name)
    assert len(f"error: {caught.value}") <= WIDTH and f"{name}" in str(caught.value)


def test_a_run_without_its_data_set_names_both_and_the_way_out():
    def lost():
        raise NoDataSetError("no data set 'shoes': ...", "shoes")

    message = "run 'runs/1' has lost its data set 'shoes': put it back, or train anew"
    with pytest.raises(NotFoundError, match=message), run_folder.reading_arguments("runs/1"):
        lost()
    with pytest.raises(NoDataSetError, match="^no data set"), run_folder.reading_arguments("runs/1", own_data=False):
        lost()  # another one was named


@pytest.mark.parametrize(
    ("named", "recorded", "now"),
    [
        (None, "drawn_shoes", "drawn_shoes"),  # and not said to be missing, or replaced by what lies there now
        (None, "edges2shoes", "edges2shoes"),
        (None, "the user's own loader", None),
        ("mine", "mine", "mine"),
    ],
)
def test_a_resumed_run_keeps_the_data_set_that_it_took_by_default(named, recorded, now):
    config = {"class": "DiscoGAN", "arguments": {"dataset_name": named, "gf": 4}, "dataset": {"name": recorded}}
    assert old_runs.upgraded(config)["arguments"] == {"dataset_name": now, "gf": 4}
