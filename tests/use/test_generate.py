"""Pictures from noise: `keras_gan.generate` and its command."""

import json

import numpy as np
import pytest
from PIL import Image
from support.commands import check_complaint
from support.runs import copy_run

import keras_gan
from keras_gan import generators
from keras_gan.errors import BadValueError
from keras_gan.generate import __main__ as command
from keras_gan.generate.series import STATIONS, STEPS, Series, truncated

pytestmark = pytest.mark.usefixtures("opening_once")


def here(*arguments):
    """Runs `python -m keras_gan.generate` in this process; returns its exit code."""
    try:
        command.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return stop.code
    return 0


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture
def run(saved):
    return lambda name: saved(name)[1]


@pytest.fixture
def renamed(saved, tmp_path):
    """Makes a copy of the run of CGAN, whose classes have these names."""

    def make(names):
        folder = copy_run(saved("cgan")[1], tmp_path / "renamed")
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"dataset": {"classes": names}}))
        return folder

    return make


@pytest.mark.parametrize("name", ["dcgan", "gan"])
def test_a_picture_is_the_same_however_many_are_made(name, run, tmp_path, capsys):
    assert here(run(name), "--count", 70, "--seed", 5, "--output", tmp_path / "many") == 0
    assert f"Made 70 pictures from seed 5 in {tmp_path / 'many'}" in capsys.readouterr().out
    assert len(list((tmp_path / "many").iterdir())) == 70
    assert here(run(name), "--first", 66, "--count", 1, "--seed", 5, "--output", tmp_path / "one") == 0
    [one] = (tmp_path / "one").iterdir()
    assert one.name == "seed5-000066.png"
    assert one.read_bytes() == (tmp_path / "many" / one.name).read_bytes()
    np.testing.assert_array_equal(keras_gan.generate(run(name), 1, seed=5, first=66)[0].squeeze(), read(one))
    assert len({path.read_bytes() for path in (tmp_path / "many").iterdir()}) == 70


def test_classes_take_turns_and_have_folders(run, tmp_path):
    """A picture of a class is the same alone and among others."""
    assert here(run("cgan"), "--count", 12, "--seed", 1, "--output", tmp_path / "all") == 0
    found = sorted(path.relative_to(tmp_path / "all").as_posix() for path in (tmp_path / "all").rglob("*.png"))
    assert found[:3] == ["0/seed1-000000-0.png", "0/seed1-000010-0.png", "1/seed1-000001-1.png"] and len(found) == 12
    assert here(run("cgan"), "--class", 7, "--count", 8, "--seed", 1, "--output", tmp_path / "7") == 0
    names = sorted(path.name for path in (tmp_path / "7").iterdir())
    assert names == [f"seed1-{number:06}-7.png" for number in range(8)]
    same = [folder / "seed1-000007-7.png" for folder in (tmp_path / "7", tmp_path / "all" / "7")]
    assert same[0].read_bytes() == same[1].read_bytes()
    np.testing.assert_array_equal(keras_gan.generate(run("cgan"), 8, seed=1, classes=["7"])[7][..., 0], read(same[0]))


def test_names_of_classes_come_from_the_run_and_are_safe_in_file_names(renamed, tmp_path):
    folder = renamed(["T-shirt/top", "all", "a:b", "a*b", *map(str, range(4, 10))])
    arguments = [folder, "--count", 2, "--seed", 0, "--output", tmp_path / "out"]
    assert here(*arguments, "--class", "T-shirt/top", "all") == 0  # "all" is one of its classes
    files = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert files == ["T-shirt_top/seed0-000000-T-shirt_top.png", "all/seed0-000001-all.png"]
    assert here(*arguments, "--class", "a:b", "--class", "a*b") == 0  # which would both be a_b
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"2-a_b", "3-a_b"}


def test_names_of_classes_of_older_runs_come_from_the_data_set(saved, tmp_path):
    clothes = copy_run(saved("cgan")[1], tmp_path / "run", dataset_name="fashion_mnist")
    assert Series(generators.find(clothes), 0).conditions.names[9] == "Ankle boot"
    for number, lost in enumerate(["gone", "drawn_shoes", None]):  # it is no more, has no classes, is not told
        folder = copy_run(saved("cgan")[1], tmp_path / str(number), dataset_name=lost)
        assert Series(generators.find(folder), 0).conditions.names == list(map(str, range(10)))


def test_a_number_is_the_place_of_a_class_with_a_name(renamed, tmp_path, capsys):
    folder = renamed([f"kind {number}" for number in range(10)])
    assert here(folder, "--count", 1, "--seed", 0, "--class", "3", "--output", tmp_path) == 0
    assert (tmp_path / "seed0-000000-kind 3.png").exists()
    assert here(folder, "--class", "elf", "--output", tmp_path) == 2
    check_complaint(capsys.readouterr().err, "unknown class 'elf': the classes are kind 0, kind 1")


def test_a_sheet_and_walks(run, tmp_path, capsys):
    arguments = ["--seed", 2, "--sheet", "--output", tmp_path]
    assert here(run("cgan"), "--count", 4, "--class", 3, "8", *arguments, "--walk") == 0
    assert f"Also:  {tmp_path / 'sheet-seed2-000000.png'}" in capsys.readouterr().out
    assert read(tmp_path / "sheet-seed2-000000.png").shape[0] == 2 * (84 + 2) - 2  # a row for each class
    for label in (3, 8):
        with Image.open(tmp_path / f"walk-seed2-000000-{label}.gif") as film:
            assert film.size == (28, 28) and film.n_frames > STATIONS  # Pillow joins equal ones
    assert here(run("dcgan"), "--count", 11, *arguments, "--walk", "frames", "--first", 1) == 0
    frames = sorted((tmp_path / "walk-seed2-000001").iterdir())
    assert len(frames) == STATIONS * STEPS and frames[-1].name == "0095.png"
    np.testing.assert_allclose(read(frames[STEPS]), read(tmp_path / "seed2-000002.png"), atol=1)


def test_a_walk_as_a_video(run, tmp_path):
    video = pytest.importorskip("imageio_ffmpeg")
    assert here(run("dcgan"), "--count", 1, "--seed", 2, "--walk", "mp4", "--output", tmp_path) == 0
    assert video.count_frames_and_secs(str(tmp_path / "walk-seed2-000000.mp4"))[0] == STATIONS * STEPS


def test_truncation_limits_codes_keeps_their_order_and_is_in_the_names(run, tmp_path):
    z = np.random.default_rng(0).standard_normal(1000)
    tame = truncated(z, 0.5)
    assert np.abs(tame).max() <= 0.5 and np.abs(tame).max() > 0.49
    np.testing.assert_array_equal(np.argsort(tame), np.argsort(z))
    np.testing.assert_allclose(truncated(z, 8.0), z, atol=1e-6)
    assert here(run("gan"), "--count", 1, "--seed", 2, "--truncation", 0.5, "--output", tmp_path) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["seed2-t0.5-000000.png"]


def test_without_a_seed_each_call_makes_others(run, tmp_path):
    for _ in range(2):
        assert here(run("gan"), "--count", 2, "--output", tmp_path) == 0
    assert len(list(tmp_path.iterdir())) == 4


FAULTS = {
    "no pictures": (["--count", 0], "count must be a whole number of at least 1, not 0"),
    "a place before the first": (["--first", -1], "first must be a whole number of at least 0, not -1"),
    "a seed below 0": (["--seed", -1], "seed must be a whole number of at least 0, not -1"),
    "a seed too large": (["--seed", 2**32], "seed must be below 2**32, not 4294967296"),
    "a truncation to nothing": (["--truncation", 0], "truncation must be a number above 0, not 0.0"),
    "a class of a DCGAN": (["--class", 7], "knows no classes, as only a CGAN does: leave the class out"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_one_line(fault, run, tmp_path, capsys):
    arguments, message = FAULTS[fault]
    assert here(run("dcgan"), "--output", tmp_path / "out", *arguments) == 2
    check_complaint(capsys.readouterr().err, message)
    assert not (tmp_path / "out").exists()


def test_nothing_is_replaced_and_a_file_is_no_folder(run, tmp_path, capsys):
    (tmp_path / "file").touch()
    arguments = run("gan"), "--count", 3, "--seed", 4
    assert here(*arguments, "--output", tmp_path / "file") == 2
    check_complaint(capsys.readouterr().err, "cannot be written")
    assert here(*arguments, "--output", tmp_path) == 0
    assert here(*arguments, "--output", tmp_path, "--sheet") == 2
    check_complaint(capsys.readouterr().err, "3 of 4 output files exist, the first is")
    assert not list(tmp_path.glob("sheet*"))
    assert here(tmp_path / "nowhere", "--output", tmp_path) == 2
    check_complaint(capsys.readouterr().err, "no model")


def test_a_translation_model_is_sent_to_translate(run, tmp_path, capsys):
    assert here(run("pix2pix"), "--output", tmp_path / "out") == 2
    complaint = "translates pictures and makes none from noise: python -m keras_gan.translate MODEL"
    check_complaint(capsys.readouterr().err, complaint)
    with pytest.raises(BadValueError, match="makes none from noise"):
        keras_gan.generate(run("pix2pix"))


def test_a_full_disk_is_one_line_and_leaves_whole_pictures(run, small_disk, capsys):
    folder = small_disk(1)
    assert here(run("dcgan"), "--count", 2000, "--seed", 0, "--output", folder) == 2
    check_complaint(capsys.readouterr().err, "make room, then try again")
    files = list(folder.iterdir())
    assert files and all(read(file).shape == (32, 32, 3) for file in files)


def test_networks_of_other_channels_make_tiff(run, tmp_path, monkeypatch):
    """PNG holds gray and RGB; more channels go to TIFF."""
    import tifffile

    generator = generators.find(run("dcgan"))
    monkeypatch.setattr(generator, "out_shape", (32, 32, 5))
    monkeypatch.setattr(type(generator), "__call__", lambda self, codes: np.zeros((len(codes), 32, 32, 5)))
    monkeypatch.setattr("keras_gan.generate.series.find", lambda model: generator)
    assert here(run("dcgan"), "--count", 1, "--seed", 0, "--output", tmp_path) == 0
    assert tifffile.imread(tmp_path / "seed0-000000.tif").shape == (32, 32, 5)
