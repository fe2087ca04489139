"""Names that the output's encoding lacks, and such as are not valid UTF-8: printed escaped, and never the end."""

import contextlib
import csv
import io
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from support.runs import copy_run

from keras_gan import GAN, DataLoader, console, evaluate
from keras_gan.datasets.__main__ import main as datasets
from keras_gan.evaluate import __main__ as evaluation
from keras_gan.report.__main__ import main as report
from keras_gan.translate import __main__ as translation

NAMES = {"한국": "cp1252", "été": "ascii", "\U0001f45f": "ascii", "caf\udce9": "utf-8"}  # and an encoding


class Plain(io.TextIOWrapper):
    """Standard output as of Windows to a file: whatever its encoding lacks is an error."""

    def __init__(self, encoding):
        super().__init__(io.BytesIO(), encoding, errors="strict", write_through=True)

    def text(self):
        return self.buffer.getvalue().decode(self.encoding)


@contextlib.contextmanager
def saying(encoding):
    """Standard output and error, in an encoding."""
    out = Plain(encoding)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        yield out


@pytest.fixture(params=NAMES, ids=ascii)
def folder(request, tmp_path):
    """A folder of pairs, four to train on and four held out, and of a broken picture each."""
    place = tmp_path / request.param
    for split in ("train", "val"):
        try:
            (place / split).mkdir(parents=True)
        except (OSError, UnicodeError):
            pytest.skip("this file system has no such names")
        for number in range(4):
            pixels = np.random.default_rng(number).integers(0, 256, (32, 64, 3), "uint8")
            Image.fromarray(pixels).save(place / split / f"{request.param}{number}.png")
        (place / split / f"{request.param}.png").write_text("no picture")
    return place


def escaped(path, out):
    """A path as it is printed."""
    return str(path).encode(out.encoding, "backslashreplace").decode(out.encoding)


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("ascii", "\\xe9\\ud55c \\udcff\n"), ("cp1252", "é\\ud55c \\udcff\n"), ("utf-8", "é한 \\udcff\n")],
)
def test_streams_escape_what_they_lack(encoding, expected):
    with saying(encoding) as out:
        console.print_any_name()
        print("é한", "\udcff")
    assert out.text() == expected


@pytest.mark.parametrize("stream", [None, io.StringIO(), object()])
def test_other_streams_are_left_alone(monkeypatch, stream):
    monkeypatch.setattr(sys, "stdout", stream)
    console.print_any_name()
    closed = Plain("ascii")
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    console.print_any_name()


def test_a_choice_of_the_user_is_kept(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), "ascii", errors="replace")
    monkeypatch.setattr(sys, "stdout", stream)
    console.print_any_name()
    assert stream.errors == "replace"


def test_check_prints_any_name(folder, tmp_path):
    with saying(NAMES[folder.name]) as out:
        datasets(["check", str(folder), "--sheet", str(tmp_path / f"{folder.name}.png")])
    assert escaped(folder, out) in out.text()


@pytest.mark.usefixtures("opening_once")
def test_translate_prints_any_name(folder, saved):
    run = copy_run(saved("pix2pix")[1], folder / "run", dataset_name=str(folder))
    with saying(NAMES[folder.name]) as out:
        translation.main([str(run), str(folder / "val"), "--output", str(folder / "out"), "--grid"])
    assert f"to {escaped(folder / 'out', out)}, skipped 1." in out.text()
    assert len(list((folder / "out").iterdir())) == 5


@pytest.mark.usefixtures("opening_once")
def test_evaluate_prints_and_writes_any_name(folder, saved, monkeypatch):
    pytest.importorskip("skimage", reason="needs scikit-image (extra metrics)")
    monkeypatch.setattr(evaluate, "inception", lambda: (None, "not here"))
    run = copy_run(saved("pix2pix")[1], folder / "run", dataset_name=str(folder))
    with saying(NAMES[folder.name]) as out:
        evaluation.main([str(run)])
    assert escaped(run / "evaluation", out) in out.text()
    with open(run / "evaluation" / folder.name / "AtoB.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    name = str(folder / "val" / f"{folder.name}0.png").encode("utf-8", "backslashreplace").decode()
    assert rows[0]["picture"] == name


@pytest.mark.reports
@pytest.mark.parametrize("folder", ["한국", "caf\udce9"], indirect=True, ids=ascii)
def test_training_from_python_prints_and_writes_any_name(folder):
    with saying(NAMES[folder.name]) as out:
        gan = GAN(img_shape=(8, 8, 1), dataset_name=str(folder), seed=0, output=folder / "run")
    with saying(NAMES[folder.name]) as more:  # another stream by now
        gan.train(epochs=1, steps_per_epoch=1, batch_size=2)
        report([str(folder / "run")])
    assert escaped(folder / "run", more) in more.text() and "skipping" in out.text() + more.text()
    page = (folder / "run" / "report.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")


def test_a_loader_alone_prints_any_name(folder):
    with saying(NAMES[folder.name]) as out:
        DataLoader(folder, img_res=(16, 16)).check()
    assert f"skipping {escaped(folder / 'train', out)}" in out.text()


def test_a_command_of_its_own_prints_any_name(tmp_path):
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    for name in NAMES:
        command = [sys.executable, "-m", "keras_gan.translate", name, "x.png", "--output", "out"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, env=environment)
        assert done.returncode == 2 and done.stderr.startswith("error: no model") and done.stderr.count("\n") == 1
