"""Which files of a folder count, in which order, under which names; and pairs in two files."""

import numpy as np
import pytest
from PIL import Image
from support import commands
from support.numbered import picture, write

from keras_gan import DataLoader, datasets
from keras_gan.datasets import check, layouts, make_pairs
from keras_gan.datasets.folders import files, locate, name_of
from keras_gan.datasets.labelled import find_labelled
from keras_gan.errors import NotFoundError
from keras_gan.images.sources import Sides, source


def put(folder, *names):
    """The folder, with pictures of these names; the first is number 0."""
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(folder / name, format="png")
    return folder


def names(paths, folder):
    return [source(path).relative_to(folder).as_posix() for path in paths]


# Files:


def test_files_are_in_natural_order_without_junk(tmp_path):
    wanted = ["1.png", "2.PNG", "10.JpEg", "a/b/3.png", "a 2/1.png", "a 10/1.png", "x.npy", "y.TIFF"]
    litter = [".DS_Store", "Thumbs.db", "desktop.ini", "._1.png", ".a/1.png", "__MACOSX/1.png", "a/__MACOSX/1.png"]
    put(tmp_path, *wanted, *litter, "notes.txt", "scan.pdf", "png", ".png")
    assert sorted(names(files(tmp_path), tmp_path)) == sorted(wanted)
    assert names(files(tmp_path), tmp_path)[:3] == wanted[:3]
    assert [name for name in names(files(tmp_path), tmp_path) if "a " in name] == ["a 2/1.png", "a 10/1.png"]
    assert names(files(tmp_path, deep=False), tmp_path) == ["1.png", "2.PNG", "10.JpEg", "x.npy", "y.TIFF"]


def test_every_tenth_is_held_out_in_natural_order(tmp_path):
    put(tmp_path, *(f"{number}.png" for number in range(1, 22)))
    assert names(datasets.find(tmp_path).test, tmp_path) == ["1.png", "11.png", "21.png"]


def test_junk_is_no_class(tmp_path):
    put(tmp_path / "pets", "cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png", "__MACOSX/1.png", ".git/1.png")
    assert find_labelled(tmp_path / "pets").classes == ["cat", "dog"]


def test_backslashes_are_slashes(tmp_path, monkeypatch):
    put(tmp_path / "datasets" / "my" / "pairs", "1.png", "2.png")
    monkeypatch.chdir(tmp_path)
    assert locate("my\\pairs") == tmp_path.joinpath("datasets/my/pairs").relative_to(tmp_path)
    assert len(datasets.find("datasets\\my\\pairs").train) == 1
    assert locate(".\\datasets\\my") and not locate("my\\other")


def test_names_are_valid_on_windows(tmp_path):
    folder = put(tmp_path / 'a: "b" <c>|d?*\\e', "1.png", "2.png")
    assert name_of(folder) == "a_ _b_ _c__d___e" == datasets.find(folder).name
    assert name_of(tmp_path.__class__("/")) == "data"


# Nested folders:


def test_pictures_in_subfolders_are_found_in_every_layout(tmp_path):
    put(tmp_path / "pairs", "train/a/1.png", "train/b/c/1.png", "val/a/1.png")
    found = datasets.find(tmp_path / "pairs")
    assert (len(found.train), len(found.test)) == (2, 1)
    put(tmp_path / "sides", *(f"{side}/a/{n}.png" for side in ("trainA", "trainB", "testA", "testB") for n in (1, 2)))
    assert [len(s) for s in vars(datasets.find_unpaired(tmp_path / "sides")).values() if isinstance(s, list)] == [2] * 4
    put(tmp_path / "cats", "a/1.png", "2.png", "val/a/3.png")
    put(tmp_path / "dogs", "train/a/1.png", "test/2.png", "other/3.png")
    found = datasets.find_unpaired(tmp_path / "cats", tmp_path / "dogs")
    assert names(found.train_A, tmp_path / "cats") == ["2.png", "a/1.png"]
    assert names(found.test_A, tmp_path / "cats") == ["val/a/3.png"]
    assert names(found.train_B + found.test_B, tmp_path / "dogs") == ["train/a/1.png", "test/2.png"]


def test_pairs_are_made_of_nested_photos_of_equal_names(tmp_path):
    put(tmp_path / "photos", "2019/1.png", "2020/1.png", "2020/june/1.jpg", "1.png")
    made = make_pairs.make_pairs("gray", tmp_path / "photos", tmp_path / "out")
    assert (made.train, made.val) == (3, 1)
    assert names(files(tmp_path / "out" / "train"), tmp_path / "out") == [
        f"train/{name}" for name in ("2019/1.png", "2020/1.png", "2020/june/1.png")
    ]
    assert len(DataLoader(tmp_path / "out").train) == 3


def test_a_failure_leaves_no_subfolders_behind(tmp_path):
    put(tmp_path / "photos", "a/b/1.png", "c/2.png")
    (tmp_path / "photos" / "c" / "2.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="no picture for"):
        make_pairs.make_pairs("gray", tmp_path / "photos", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("fit", "white"), [("pad", True), ("crop", False), ("resize", False)])
def test_pairs_are_made_to_fit(tmp_path, fit, white):
    for name in ("1.png", "2.png"):
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.new("RGB", (60, 20), "black").save(tmp_path / "photos" / name)
    make_pairs.make_pairs("gray", tmp_path / "photos", tmp_path / "out", size=(30, 30), fit=fit)
    with Image.open(tmp_path / "out" / "train" / "2.png") as pair:
        pixels = np.asarray(pair)
    assert pixels.shape == (30, 60, 3) and (pixels[0] == 255).all() == white and (pixels[15] == 0).all()
    with pytest.raises(ValueError, match="fit must be one of resize, crop, pad, not 'cut'"):
        make_pairs.make_pairs("gray", tmp_path / "photos", tmp_path / "more", fit="cut")


# Pairs in two files:


def test_two_folders_of_equal_names_are_pairs(tmp_path):
    put(tmp_path / "A", *(f"{n}.png" for n in range(12)), "sub/1.tif")
    put(tmp_path / "B", *(f"{n}.JPG" for n in range(12)), "sub/1.gif")
    found = datasets.find(tmp_path / "A", tmp_path / "B")
    assert found.name == "A2B" and (len(found.train), len(found.test)) == (11, 2)
    for pair in found.train + found.test:
        assert isinstance(pair, Sides)
        A, B = (path.relative_to(tmp_path / side).with_suffix("") for path, side in zip(pair, "AB", strict=True))
        assert A == B
    assert names(found.test, tmp_path / "A") == ["0.png", "10.png"]


def test_sides_with_equal_names_can_be_pairs(tmp_path):
    put(tmp_path / "maps", "trainA/1.png", "trainA/2.png", "trainB/2.jpg", "trainB/1.jpg")
    found = datasets.find(tmp_path / "maps")
    assert [(A.name, B.name) for A, B in found.train + found.test] == [("2.png", "2.jpg"), ("1.png", "1.jpg")]
    put(tmp_path / "maps", "testA/5.png", "testB/5.png")
    found = datasets.find(tmp_path / "maps")
    assert [(A.name, B.name) for A, B in found.train + found.test] == [
        *(("1.png", "1.jpg"), ("2.png", "2.jpg"), ("5.png", "5.png"))
    ]


@pytest.mark.parametrize(
    ("A", "B", "message"),
    [
        (["1.png", "2.png"], ["1.png", "3.png"], r"pictures without a match of the same name, 2 in all: .*2\.png"),
        (["1.png", "1.jpg"], ["1.png"], r"1\.jpg and .*1\.png would become the same file"),
        (["train/1.png", "val/2.png"], ["1.png", "2.png"], "has a test split .val or test. and .* has none"),
        (["1.png"], ["1.png"], "has only 1: one is needed to train and another one to test"),
        (["1.txt"], ["1.png"], "no pictures in .*A or .*train"),
    ],
)
def test_two_folders_that_are_not_pairs(tmp_path, A, B, message):
    put(tmp_path / "A", *A)
    put(tmp_path / "B", *B)
    with pytest.raises(ValueError, match=message):
        datasets.find(tmp_path / "A", tmp_path / "B")


def test_a_missing_or_identical_second_folder(tmp_path):
    put(tmp_path / "A", "1.png", "2.png")
    with pytest.raises(NotFoundError, match="no data set '.*B': .*; expected pairs: docs/data.md"):
        datasets.find(tmp_path / "A", tmp_path / "B")
    with pytest.raises(ValueError, match="is for side B: name one for side A"):
        datasets.find(None, tmp_path / "A")
    with pytest.raises(ValueError, match="A and B are the same folder"):
        datasets.find(tmp_path / "A", tmp_path / "A")


# `check`:


def checked(capsys, *arguments):
    check.check(*map(str, arguments[:1]), name_B=arguments[1] if arguments[1:] else None)
    return capsys.readouterr().out


@pytest.mark.parametrize("divided", [False, True])
def test_check_detects_two_folders(tmp_path, capsys, monkeypatch, divided):
    monkeypatch.chdir(tmp_path)
    for side, shift in (("A", 0), ("B", 1)):
        put(
            tmp_path / side, *(f"{place}{n}.png" for place in (["train/", "val/"] if divided else [""]) for n in (1, 2))
        )
        put(tmp_path / "C", *(f"{n + 10 * shift}.png" for n in (1, 2)))
    out = checked(capsys, "A", "B")
    assert out.startswith(f"A and B: {layouts.PAIRED_SIDES}\n")
    assert "pix2pix --dataset A --dataset-B B\n" in out and "cyclegan --dataset A --dataset-B B\n" in out
    assert (tmp_path / "A2B-check.png").is_file()
    out = checked(capsys, "A", "C")
    assert layouts.UNPAIRED in out and "pix2pix" not in out


def test_check_detects_sides_that_are_pairs(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "maps", *(f"{split}{side}/{n}.png" for split in ("train", "test") for side in "AB" for n in (1, 2)))
    out = checked(capsys, "maps")
    assert layouts.PAIRED_SIDES in out and "pix2pix --dataset maps" in out and "cyclegan --dataset maps" in out


def test_check_detects_arrays(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for split in ("train", "val"):
        (tmp_path / "deep" / split).mkdir(parents=True)
        for number in range(3):
            A = np.random.default_rng(number).random((32, 32, 5)) / 2
            np.save(tmp_path / "deep" / split / f"{number}.npy", np.hstack([A, 1 - A]))
    np.save(tmp_path / "deep" / "train" / "bad.npy", np.full((4, 4), 7.0))
    out = checked(capsys, "deep")
    assert layouts.PAIRS in out and "array of 5 channels 6" in out
    assert "bad.npy: its values range from 7 to 7; floats must be in [0, 1]" in out
    assert "pix2pix --dataset deep --image-size 64x64x5" in out
    with Image.open("deep-check.png") as sheet:
        assert np.asarray(sheet.convert("RGB")).std() > 20


@pytest.mark.usefixtures("eagerly")
def test_a_command_trains_on_two_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "left", 4)
    write(tmp_path / "right", 4)
    small = ["--image-size", "32", "--filters", "4", "--epochs", "1", "--steps-per-epoch", "1"]
    commands.run_here(
        "pix2pix", "--dataset", "left", "--dataset-B", "right", *small, "--fit", "crop", "--direction", "BtoA"
    )
    assert (tmp_path / "runs" / "pix2pix-left2right-1" / "images" / "0_0.png").is_file()
