"""What the files of pairs tell of how their left halves were made, and what is taken for a photo."""

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from support.numbered import write

from keras_gan.data.paired import DataLoader
from keras_gan.data.single import ImageLoader
from keras_gan.data.unpaired import UnpairedDataLoader
from keras_gan.datasets import files, make_pairs
from keras_gan.datasets.__main__ import main
from keras_gan.datasets.edges import edges, is_drawing
from keras_gan.datasets.preparation import KEY, Preparation, preparation_of
from keras_gan.images.drawn_digits import draw_digit
from keras_gan.images.drawn_shoes import draw_pair
from keras_gan.images.pixels import halves

GRAY, EDGES = Preparation("gray"), Preparation("edges", (24, 32), "crop")


def pairs_of(folder, preparation=GRAY, count=12):
    """A folder of pairs made so, of new photos."""
    kind, size, fit = preparation
    return make_pairs.make_pairs(kind, write(folder / "photos", count), folder / "out", size, fit).folder


# What files tell:


@pytest.mark.parametrize("preparation", [GRAY, EDGES])
def test_loaders_know_how_the_pairs_were_made(tmp_path, preparation):
    out = pairs_of(tmp_path, preparation)
    assert DataLoader(out).preparation == DataLoader(out, direction="BtoA").preparation == preparation
    assert UnpairedDataLoader(out).preparation == preparation
    assert ImageLoader(out).preparation is None  # it shows whole pairs
    assert DataLoader(tmp_path / "out" / "train").preparation == preparation  # the files tell, wherever they lie


def test_gray2colour_makes_gray(tmp_path):
    name = f"gray2colour:{write(tmp_path / 'photos', 12)}"
    assert UnpairedDataLoader(name).preparation == UnpairedDataLoader(name, direction="BtoA").preparation == GRAY


def test_other_pairs_tell_nothing(tmp_path, paired_folder):
    for name in "AB":
        write(tmp_path / name, 12)
    out = make_pairs.join_folders(tmp_path / "A", tmp_path / "B", tmp_path / "joined").folder
    assert DataLoader(out).preparation is DataLoader(paired_folder).preparation is DataLoader("drawn_shoes").preparation
    assert DataLoader(out).preparation is None


def test_a_mixture_tells_nothing_unless_all_are_of_a_kind(tmp_path):
    gray, edged = (files(pairs_of(tmp_path / kind, Preparation(kind))) for kind in ("gray", "edges"))
    sized = files(pairs_of(tmp_path / "sized", Preparation("gray", (20, 20))))
    assert preparation_of([*gray, *edged]) is None
    assert preparation_of([*gray, *write(tmp_path / "others", 3).iterdir()]) is None
    assert preparation_of([*gray[:9], *sized[:3]]) == GRAY
    assert preparation_of([]) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "no JSON", "[" * 10**5, "null", "7", '["gray"]', "{}", '{"A": "gray"}'),
        *('{"A": ["gray"], "size": null, "fit": "crop"}', '{"A": "noise", "size": null, "fit": "crop"}'),
        *('{"A": "gray", "size": [0, 4], "fit": "crop"}', '{"A": "gray", "size": [4], "fit": "crop"}'),
        *('{"A": "gray", "size": [1e999, 4], "fit": "crop"}', '{"A": "gray", "size": 4, "fit": "crop"}'),
        '{"A": "gray", "size": null, "fit": "melt"}',
    ],
)
def test_any_other_text_tells_nothing(tmp_path, text):
    info = PngImagePlugin.PngInfo()
    info.add_text(KEY, text)
    Image.new("RGB", (8, 4)).save(tmp_path / "1.png", pnginfo=info)
    assert preparation_of([tmp_path / "1.png"]) is None


def test_damaged_files_tell_nothing(tmp_path):
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    assert preparation_of([tmp_path / "1.png", tmp_path / "gone.png"]) is None


def test_check_says_how_the_pairs_were_made(tmp_path, capsys):
    main(["check", str(pairs_of(tmp_path)), "--sheet", str(tmp_path / "sheet.png")])
    assert "note      side A is made of the photos in B: gray;" in capsys.readouterr().out


def test_what_is_made_equals_the_left_half(tmp_path):
    """Of a photo file, as `pairs` made it: the same pixels."""
    out = pairs_of(tmp_path, EDGES)
    with Image.open(tmp_path / "photos" / "01.png") as photo, Image.open(out / "train" / "01.png") as pair:
        made, is_photo = EDGES.prepared(photo.convert("RGB"), 3)
        np.testing.assert_array_equal(made, halves(pair.convert("RGB"))[0])
    assert is_photo
    again, is_photo = EDGES.prepared(made, 3)
    assert not is_photo and again is made


@pytest.mark.parametrize("kind", ["gray", "edges"])
@pytest.mark.parametrize("channels", [1, 3])
def test_arrays_of_16_bits_are_prepared_as_pictures_are(kind, channels):
    shoe = halves(Image.fromarray(draw_pair(seed=0, index=0, size=64)))[1]
    array = np.asarray(shoe).astype("uint16") * 257
    (of_image, _), (of_array, is_photo) = (Preparation(kind).prepared(given, channels) for given in (shoe, array))
    assert is_photo
    expected = np.asarray(of_image, int).reshape(64, 64, channels)
    found = np.asarray(of_array, int).reshape(64, 64, channels)
    assert np.abs(found / (257 if kind == "gray" else 1) - expected).max() <= 1


# What is a drawing:


@pytest.mark.parametrize("size", [64, 128, 300])
@pytest.mark.parametrize("index", range(2))
def test_drawn_shoes_and_their_lines_are_told_apart(index, size):
    line, shoe = halves(Image.fromarray(draw_pair(seed=1, index=index, size=size)))
    assert is_drawing(line) and not is_drawing(shoe)
    assert is_drawing(np.asarray(line).astype("uint16") * 257) and not is_drawing(np.asarray(shoe, "uint16") * 257)


def test_edges_are_a_drawing_in_any_size_and_so_is_an_empty_sheet():
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).resize((256, 256), Image.Resampling.BICUBIC)
    assert not is_drawing(photo)
    for side in (256, 300, 100, 64):
        assert is_drawing(edges(photo).resize((side, side), Image.Resampling.BICUBIC))
    assert is_drawing(Image.new("RGB", (40, 30), "white"))


@pytest.mark.parametrize("colour", ["navy", "red", "#3355aa", "black"])
def test_lines_of_any_colour_are_a_drawing(colour):
    line = halves(Image.fromarray(draw_pair(seed=0, index=0, size=128)))[0].convert("L")
    paper, ink = (Image.new("RGB", line.size, name) for name in ("#fdfaf4", colour))
    assert is_drawing(Image.composite(paper, ink, line))


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(draw_digit(seed=0, index=3, size=64)),  # white on black
        Image.new("RGB", (40, 40), (120, 120, 120)),
        Image.fromarray(np.tile(np.linspace(255, 205, 100).astype("uint8"), (100, 1))),  # a pale thing with shades
        Image.fromarray(np.pad(np.full((40, 40), 238, "uint8"), 30, constant_values=255)),  # a pale thing on white
    ],
)
def test_what_is_dark_shaded_or_broad_is_no_drawing(image):
    assert not is_drawing(image)
