"""Pictures that show a pair side by side, as a model was trained on: the half that it takes is translated."""

import shutil

import numpy as np
import pytest
from PIL import Image
from support.commands import translate_here as command
from support.pictures import opened
from support.runs import copy_run

from keras_gan import generators, translate
from keras_gan.files import write_json

pytestmark = pytest.mark.usefixtures("opening_once")


def noise(folder, width=64, height=32, name="0.png"):
    """A picture of noise: its file and its pixels."""
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), "uint8")
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / name)
    return folder / name, pixels


def check(path, run, pixels, direction=None):
    """That a file is the translation of these pixels, resized to the network's size."""
    shape = generators.find(run, direction).shape
    resized = np.asarray(Image.fromarray(pixels).resize(shape[1::-1], Image.Resampling.BICUBIC))
    expected = translate(run, resized[np.newaxis], direction)[0]
    assert np.abs(np.asarray(opened(path), int) - expected).max() <= 1


@pytest.mark.parametrize(
    ("name", "trained", "direction", "half"),
    [
        ("pix2pix", "AtoB", None, "A"),
        ("pix2pix", "BtoA", None, "B"),
        ("discogan", "AtoB", "AtoB", "A"),
        ("discogan", "AtoB", "BtoA", "B"),
        ("discogan", "BtoA", "AtoB", "B"),
        ("discogan", "BtoA", "BtoA", "A"),
        ("cyclegan", "AtoB", "BtoA", "B"),  # it tears the pairs of drawn_shoes apart
        ("discogan paper", "BtoA", "AtoB", "B"),
    ],
)
def test_the_half_that_the_direction_needs_is_translated(saved, tmp_path, capsys, name, trained, direction, half):
    run = copy_run(saved(name)[1], tmp_path / "run", direction=trained)
    path, pixels = noise(tmp_path / "in")
    options = ["--direction", direction] if direction else []
    assert command(run, path, "--output", tmp_path / "out", *options) == 0
    check(tmp_path / "out" / "0.png", run, pixels[:, :32] if half == "A" else pixels[:, 32:], direction)
    told = [line for line in capsys.readouterr().out.splitlines() if "half (" in line]
    side = {"A": "left half (A)", "B": "right half (B)"}[half]
    assert len(told) == 1 and side in told[0] and "--half whole" in told[0]


def test_pairs_and_other_pictures_may_be_mixed(saved, tmp_path, capsys):
    run = saved("pix2pix")[1]
    _, pair = noise(tmp_path / "in", 256, 128, "1.png")
    _, nearly = noise(tmp_path / "in", 122, 64, "2.png")
    _, wide = noise(tmp_path / "in", 48, 32, "3.png")
    _, odd = noise(tmp_path / "in", 63, 32, "4.png")
    assert command(run, tmp_path / "in", "--output", tmp_path / "out", "--grid") == 0
    for name, pixels in (("1", pair[:, :128]), ("2", nearly[:, :61]), ("3", wide), ("4", odd)):
        check(tmp_path / "out" / f"{name}.png", run, pixels)
    assert "Of 2 pictures the left half" in capsys.readouterr().out


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset_name": "a", "dataset_B": "b"},
        {"dataset_name": "sides"},  # trainA and trainB
        {"dataset_name": "sides gone"},
    ],
)
@pytest.mark.parametrize("name", ["pix2pix", "cyclegan"])
def test_runs_of_whole_pictures_take_whole_pictures(saved, tmp_path, monkeypatch, capsys, name, changes):
    monkeypatch.chdir(tmp_path)
    run = copy_run(saved(name)[1], tmp_path / "run", **changes)
    for side in ("trainA", "trainB"):
        noise(tmp_path / "sides" / side)
    write_json(run / "data.json", {"train": {"datasets/gone/trainA/1.png": "1 1"}})
    path, pixels = noise(tmp_path / "in")
    direction = None if name == "pix2pix" else "AtoB"
    options = ["--direction", direction] if direction else []
    assert command(run, path, "--output", tmp_path / "out", *options) == 0
    check(tmp_path / "out" / "0.png", run, pixels, direction)
    assert "half (" not in capsys.readouterr().out


def test_a_file_without_a_run_and_gray2colour_take_whole_pictures(saved, tmp_path):
    path, pixels = noise(tmp_path / "in")
    alone = tmp_path / "alone.keras"
    shutil.copy(saved("pix2pix")[1] / "models" / "generator.keras", alone)
    assert command(alone, path, "--output", tmp_path / "1") == 0
    check(tmp_path / "1" / "0.png", alone, pixels)
    run = copy_run(saved("cyclegan")[1], tmp_path / "run", dataset_name="gray2colour:photos")
    assert command(run, path, "--output", tmp_path / "2", "--direction", "AtoB") == 0
    check(tmp_path / "2" / "0.png", run, pixels, "AtoB")


def test_pictures_of_the_run_itself_are_pairs_in_any_size(saved, tmp_path):
    run = copy_run(saved("pix2pix")[1], tmp_path / "run", dataset_name="gone")
    own, pixels = noise(tmp_path / "data", 96, 32)
    write_json(run / "data.json", {"train": {}, "test": {str(own): "1 1"}})
    other, _ = noise(tmp_path / "other", 96, 32, "1.png")
    assert command(run, own, other, "--output", tmp_path / "out") == 0
    check(tmp_path / "out" / "0.png", run, pixels[:, :48])
    check(tmp_path / "out" / "1.png", run, pixels)


@pytest.mark.parametrize(("half", "shown"), [("whole", slice(0, 64)), ("A", slice(0, 32)), ("B", slice(32, 64))])
def test_the_option_overrides(saved, tmp_path, half, shown):
    run = saved("pix2pix")[1]
    path, pixels = noise(tmp_path / "in")
    assert command(run, path, "--output", tmp_path / "out", "--half", half) == 0
    check(tmp_path / "out" / "0.png", run, pixels[:, shown])


def test_a_chosen_half_is_taken_of_everything(saved, tmp_path, capsys):
    """Of pictures of any shape, at any size, and of animations; an odd width is named."""
    run = saved("pix2pix")[1]
    _, pixels = noise(tmp_path / "in", 40, 40, "square.png")
    noise(tmp_path / "in", 31, 40, "odd.png")
    frames = [Image.fromarray(pixels), Image.fromarray(pixels[::-1])]
    frames[0].save(tmp_path / "in" / "two.gif", save_all=True, append_images=frames[1:])
    options = ["--half", "B", "--size", "original"]
    assert command(run, tmp_path / "in", "--output", tmp_path / "out", *options) == 0
    expected = translate(run, pixels[np.newaxis, :, 20:])[0]
    assert np.abs(np.asarray(opened(tmp_path / "out" / "square.png"), int) - expected).max() <= 1
    assert opened(tmp_path / "out" / "two.gif").size == (20, 40)
    said = capsys.readouterr()
    assert "odd.png: its width of 31 is odd" in said.err and "Of 2 pictures the right half (B) was taken." in said.out
    assert not (tmp_path / "out" / "odd.png").exists()
