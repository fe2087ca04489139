"""Photos become what a run was trained on: gray, or edges, as `datasets pairs` made them."""

import json
import shutil
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from support.commands import translate_here as command
from support.pictures import opened
from support.runs import TINY, copy_run

from keras_gan import Pix2Pix, generators, translate
from keras_gan.datasets import make_pairs
from keras_gan.datasets.preparation import Preparation, gray
from keras_gan.errors import BadValueError
from keras_gan.images.drawn_shoes import draw_pair
from keras_gan.images.pixels import halves
from keras_gan.training.network_files import input_of
from keras_gan.translate.preparing import Prepared

pytestmark = pytest.mark.usefixtures("opening_once")


@pytest.fixture
def run(saved):
    return saved("pix2pix")[1]


@pytest.fixture
def trained_on(monkeypatch):
    """Makes all generators tell that they were trained on pictures that were made so."""
    return lambda *how: monkeypatch.setattr(generators.Generator, "preparation", Preparation(*how))


def shoe(index=0, size=32):
    """(line drawing, coloured shoe) of this size, by default that of the network."""
    return [np.asarray(half) for half in halves(Image.fromarray(draw_pair(seed=0, index=index, size=size)))]


def as_gray(pixels):
    return np.asarray(gray(Image.fromarray(pixels)).convert("RGB"))


def translated(run, pixels, **options):
    return translate(run, pixels[np.newaxis], **options)[0]


def of_command(run, tmp_path, pixels, *options):
    """What the command makes of a picture."""
    Image.fromarray(pixels).save(tmp_path / "in.png")
    assert command(run, tmp_path / "in.png", "--output", tmp_path / "out", *options) == 0
    return np.asarray(opened(tmp_path / "out" / "in.png"))


def same(found, expected):
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_colour_becomes_gray_for_a_run_of_gray_pictures(run, trained_on, tmp_path, capsys):
    colours = shoe()[1]
    expected = translated(run, as_gray(colours))
    assert np.abs(expected.astype(int) - translated(run, colours)).max() > 1
    trained_on("gray")
    same(of_command(run, tmp_path, colours), expected)
    line = "1 picture was made gray, as in training ({}gray or nothing decides for all)."
    assert line.format("--prepare ") in capsys.readouterr().out
    same(translated(run, colours), expected)
    assert line.format("prepare=") in capsys.readouterr().out
    same(translated(run, as_gray(colours)), expected)
    assert not capsys.readouterr().out


def test_edges_of_photos_but_not_of_drawings(run, trained_on, tmp_path, capsys):
    line, photo = shoe()
    as_it_is = translated(run, line)
    made = np.asarray(make_pairs.KINDS["edges"](Image.fromarray(photo)).convert("RGB"))
    expected = translated(run, made)
    trained_on("edges")
    same(of_command(run, tmp_path, photo), expected)
    assert "1 picture was made into edges, as in training" in capsys.readouterr().out
    same(translated(run, line), as_it_is)
    assert "1 picture was taken as it is, as in training (prepare=edges or nothing" in capsys.readouterr().out


@pytest.mark.parametrize("how", ["uint16", "float32"])
@pytest.mark.parametrize("kind", ["gray", "edges"])
def test_16_bits_and_floats_are_prepared_alike(run, trained_on, how, kind):
    trained_on(kind)
    photo = shoe()[1]
    expected = translated(run, photo) / 255
    given = photo.astype("uint16") * 257 if how == "uint16" else photo.astype("float32") / 127.5 - 1
    found = translated(run, given)
    assert found.dtype == given.dtype
    np.testing.assert_allclose(found / 65535 if how == "uint16" else (found + 1) / 2, expected, atol=0.02)


def test_floats_of_the_loader_are_left_as_they_are(run, trained_on):
    floats = as_gray(shoe()[1]).astype("float32") / 127.5 - 1
    before = translated(run, floats)
    trained_on("gray")
    np.testing.assert_array_equal(translated(run, floats), before)


@pytest.mark.parametrize("kind", ["gray", "edges", "nothing"])
def test_the_option_decides_for_all(run, trained_on, tmp_path, kind):
    line, photo = shoe()
    plain = {name: translated(run, pixels) for name, pixels in (("line", line), ("photo", photo))}
    makes = {**make_pairs.KINDS, "nothing": lambda image: image}[kind]
    expected = [translated(run, np.asarray(makes(Image.fromarray(given)).convert("RGB"))) for given in (line, photo)]
    trained_on("edges" if kind != "edges" else "gray")
    for given, wanted in zip((line, photo), expected, strict=True):
        same(translated(run, given, prepare=kind), wanted)
    same(of_command(run, tmp_path, photo, "--prepare", kind), expected[1])
    assert kind != "nothing" or np.array_equal(expected[1], plain["photo"])


def test_photos_are_cut_as_the_pairs_were(run, trained_on, tmp_path):
    """Of 48x32, cropped to 24x24 and made into edges there; `--size` makes edges at that size."""
    trained_on("edges", (24, 24), "crop")
    photo = shoe(size=48)[1][:32]
    Image.fromarray(photo).save(tmp_path / "photo.png")
    make_pairs.make_pairs("edges", copied(tmp_path, 2), tmp_path / "pairs", (24, 24), "crop")
    half, _ = halves(opened(tmp_path / "pairs" / "train" / "1.png"))
    half = np.asarray(half.resize((32, 32), Image.Resampling.BICUBIC))
    assert command(run, tmp_path / "photo.png", "--output", tmp_path / "small") == 0
    same(np.asarray(opened(tmp_path / "small" / "photo.png")), translated(run, half, prepare="nothing"))
    assert of_command(run, tmp_path, photo, "--size", "original").shape == photo.shape


def copied(tmp_path, count):
    """A folder with copies of photo.png."""
    (tmp_path / "photos").mkdir()
    for number in range(count):
        shutil.copy(tmp_path / "photo.png", tmp_path / "photos" / f"{number}.png")
    return tmp_path / "photos"


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_network_of_one_channel_takes_colour(dtype):
    """As CycleGAN's on gray2colour."""
    about = {"shape": (32, 32, 1), "value_range": (0, 1), "preparation": Preparation("gray")}
    photo = shoe()[1]
    given = photo if dtype == "uint8" else photo.astype("float32") / 255
    taken = Prepared(SimpleNamespace(**about)).take_array(given, 0)
    assert taken.shape == (32, 32, 1) and taken.dtype == given.dtype
    expected = as_gray(photo)[..., :1] / (1 if dtype == "uint8" else 255)
    np.testing.assert_allclose(taken, expected, atol=0 if dtype == "uint8" else 0.003)


def test_pairs_give_their_drawn_half(run, trained_on, tmp_path):
    line, photo = shoe()
    before = translated(run, line)
    trained_on("edges")
    same(of_command(run, tmp_path, np.hstack([line, photo])), before)


def test_a_wrong_choice_is_named(run, capsys, tmp_path):
    with pytest.raises(BadValueError, match="prepare must be one of gray, edges, nothing, not 'sepia'"):
        translate(run, np.zeros((1, 32, 32, 3), "uint8"), prepare="sepia")


# What files of networks tell:


def commented(path, text):
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = text.encode()


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_the_network_that_takes_what_was_made_says_so(saved, tmp_path, direction):
    """Also alone, without its run; and only this one."""
    make_pairs.make_pairs("gray", photos_in(tmp_path / "photos"), tmp_path / "pairs")
    kind, options = TINY["pix2pix"]
    gan = kind(**options | {"dataset_name": str(tmp_path / "pairs"), "direction": direction}, output=tmp_path / "run")
    gan.save_networks()
    shutil.copy(gan.run_folder / "models" / "generator.keras", tmp_path / "alone.keras")
    found = generators.Generator(gan.generator, tmp_path / "alone.keras").preparation
    assert found == (Preparation("gray") if direction == "AtoB" else None)
    with zipfile.ZipFile(gan.run_folder / "models" / "discriminator.keras") as archive:
        assert b"input" not in archive.comment


def photos_in(folder):
    folder.mkdir()
    for index in range(4):
        Image.fromarray(shoe(index)[1]).save(folder / f"{index}.png")
    return folder


def test_of_two_generators_one_takes_what_was_made(saved, tmp_path):
    gan, folder = saved("discogan")
    for turned, name in (("AtoB", "g_AB"), ("BtoA", "g_BA")):
        run = copy_run(folder, tmp_path / turned, direction=turned)

        class Turned:  # as the model, with these data
            data_loader = type("Loader", (), {"preparation": Preparation("gray")})
            constructor_arguments = {"direction": turned}
            combined = gan.combined

        told = {network.name: input_of(network, Turned) for network in gan.networks}
        assert [network for network, text in told.items() if text] == [name]
        commented(run / "models" / f"{name}.keras", f"keras_gan: iteration 3, weights as trained{told[name]}")
        path = run / "models" / f"{name}.keras"
        assert generators.Generator(gan.g_AB, path, run).preparation == Preparation("gray")


@pytest.mark.parametrize("comment", ["", "keras_gan: iteration 3, weights as trained", "x, input {}", "x, input [[["])
def test_other_files_prepare_nothing(run, tmp_path, comment):
    shutil.copy(run / "models" / "generator.keras", tmp_path / "g.keras")
    commented(tmp_path / "g.keras", comment)
    assert generators.find(tmp_path / "g.keras").preparation is None


def test_the_record_of_the_run_says_what_was_made(tmp_path):
    make_pairs.make_pairs("edges", photos_in(tmp_path / "photos"), tmp_path / "pairs", (32, 32), "crop")
    gan = Pix2Pix((32, 32, 3), gf=2, df=2, dataset_name=str(tmp_path / "pairs"), output=tmp_path / "run")
    gan.run.begin({"epochs": 1, "keep": 2, "save_every": 0, "best_by": None}, parts=1)
    record = json.loads((tmp_path / "run" / "config.json").read_text())["dataset"]["preparation"]
    assert record == {"kind": "edges", "size": [32, 32], "fit": "crop"}
