"""Translating pictures of 16 bits, of 4 channels and of others: nothing of them is lost on the way."""

import struct
import zlib

import keras
import numpy as np
import pytest
import tifffile
from PIL import Image
from support.commands import translate_here as command
from support.pictures import opened
from support.runs import copy_run

from keras_gan import translate
from keras_gan.files import write_json
from keras_gan.images.arrays import read_array


@pytest.fixture
def network(tmp_path):
    """Makes the file of a generator that takes and makes so many channels of 16x16."""

    def make(taken, made):
        keras.utils.set_random_seed(0)
        image = keras.Input((16, 16, taken))
        result = keras.layers.Conv2D(made, 3, padding="same", activation="sigmoid")(image)
        keras.Model(image, result).save(tmp_path / f"{taken}to{made}.keras")
        return tmp_path / f"{taken}to{made}.keras"

    return make


def pixels_of(channels, dtype="uint16"):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (16, 16, channels), dtype, endpoint=True)


def save_png_16(path, pixels):
    """A PNG of 16 bits in colour, which Pillow cannot write."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
            file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


def save(path, pixels):
    if path.suffix == ".npy":
        np.save(path, pixels)
    elif path.suffix in (".tif", ".tiff"):
        kind, plan = ("rgb" if pixels.shape[2] == 3 else "minisblack"), ("contig" if pixels.shape[2] > 1 else None)
        tifffile.imwrite(path, pixels, photometric=kind, planarconfig=plan)
    else:
        Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(path)


@pytest.mark.parametrize("ending", [".png", ".pgm", ".tif", ".npy"])
def test_gray_of_16_bits_becomes_a_png_of_16_bits(network, tmp_path, ending):
    model, pixels = network(1, 1), pixels_of(1)
    save(tmp_path / f"x{ending}", pixels)
    assert command(model, tmp_path / f"x{ending}", "--output", tmp_path / "out", "--grid") == 0
    image = opened(tmp_path / "out" / "x.png")
    assert image.mode == "I;16"
    expected = translate(model, pixels[np.newaxis])[0, ..., 0].astype(int)
    assert np.abs(np.asarray(image).astype(int) - expected).max() <= 1
    assert (expected % 257 != 0).any()  # more than 8 bits


@pytest.mark.parametrize(("channels", "ending"), [(2, ".npy"), (3, ".tiff"), (3, ".npy"), (4, ".tif"), (5, ".npy")])
def test_other_channels_of_16_bits_become_tiff_of_16_bits(network, tmp_path, channels, ending):
    model, pixels = network(channels, channels), pixels_of(channels)
    save(tmp_path / f"x{ending}", pixels)
    assert command(model, tmp_path / f"x{ending}", "--output", tmp_path / "out") == 0
    made = tifffile.imread(tmp_path / "out" / "x.tif")
    assert made.dtype == "uint16"
    assert np.abs(made.astype(int) - translate(model, pixels[np.newaxis])[0]).max() <= 1
    np.testing.assert_array_equal(read_array(tmp_path / "out" / "x.tif", channels), made)  # as training reads it


def test_floats_are_of_more_than_8_bits(network, tmp_path):
    np.save(tmp_path / "x.npy", pixels_of(3) / 65535)
    assert command(network(3, 3), tmp_path / "x.npy", "--output", tmp_path / "out") == 0
    assert tifffile.imread(tmp_path / "out" / "x.tif").dtype == "uint16"


def test_gray_of_16_bits_for_a_network_of_colour_and_back(network, tmp_path):
    pixels = pixels_of(1)
    save(tmp_path / "x.png", pixels)
    assert command(network(3, 3), tmp_path / "x.png", "--output", tmp_path / "out") == 0
    expected = translate(network(3, 3), pixels.repeat(3, axis=2)[np.newaxis])[0].astype(int)
    assert np.abs(tifffile.imread(tmp_path / "out" / "x.tif") - expected).max() <= 1
    assert command(network(3, 1), tmp_path / "out" / "x.tif", "--output", tmp_path / "back") == 0
    assert opened(tmp_path / "back" / "x.png").mode == "I;16"


def test_a_png_of_16_bits_in_colour_becomes_a_tiff_of_16_bits(network, tmp_path):
    save_png_16(tmp_path / "x.png", pixels_of(3))
    assert command(network(3, 3), tmp_path / "x.png", "--output", tmp_path / "out") == 0
    made = tifffile.imread(tmp_path / "out" / "x.tif")
    expected = translate(network(3, 3), pixels_of(3)[np.newaxis])[0].astype(int)
    assert made.dtype == "uint16" and np.abs(made - expected).max() <= 257  # Pillow reads the upper bits


@pytest.mark.parametrize("ending", [".png", ".jpg", ".bmp", ".tif", ".npy"])
def test_8_bits_stay_8_bits(network, tmp_path, ending):
    save(tmp_path / f"x{ending}", pixels_of(3, "uint8"))
    save(tmp_path / f"gray{ending}", pixels_of(1, "uint8"))
    given = tmp_path / f"x{ending}", tmp_path / f"gray{ending}"
    assert command(network(3, 3), given[0], "--output", tmp_path / "out") == 0
    assert command(network(1, 1), given[1], "--output", tmp_path / "out") == 0
    assert opened(tmp_path / "out" / "x.png").mode == "RGB" and opened(tmp_path / "out" / "gray.png").mode == "L"


@pytest.mark.usefixtures("opening_once")
@pytest.mark.parametrize(
    ("files", "mode"),
    [
        ({"train": ["here/16.npy"]}, "deep"),
        ({"train": ["here/16.png"]}, "deep"),
        ({"train": ["gone/1.npy"]}, "deep"),
        ({"train": ["here/8.npy"]}, "plain"),
        ({"train": ["here/8.png", "here/8.png", "here/16.png"]}, "plain"),
        ({"train": ["gone/1.png"]}, "plain"),
        ({"train_A": ["here/8.png"], "train_B": ["here/16.npy"]}, "deep"),
        ({"train_A": ["here/16.npy"], "train_B": ["here/8.png"]}, "plain"),
    ],
)
def test_a_run_that_learned_16_bits_makes_16_bits(saved, tmp_path, files, mode):
    run = copy_run(saved("pix2pix")[1], tmp_path / "run", dataset_name="gone")
    (tmp_path / "here").mkdir()
    for bits in (8, 16):
        for ending in (".npy", ".png"):
            save(tmp_path / "here" / f"{bits}{ending}", pixels_of(1, f"uint{bits}"))
    listed = {split: {str(tmp_path / file): "" for file in inside} for split, inside in files.items()}
    write_json(run / "data.json", listed)
    save(tmp_path / "photo.jpg", pixels_of(3, "uint8"))
    assert command(run, tmp_path / "photo.jpg", "--output", tmp_path / "out") == 0
    made = [path.name for path in (tmp_path / "out").iterdir()]
    assert made == (["photo.tif"] if mode == "deep" else ["photo.png"])


def test_rgba_becomes_png_and_palettes_and_transparency_are_converted(network, tmp_path, capsys):
    model, pixels = network(4, 4), np.zeros((16, 16, 4), "uint8")
    pixels[:, :8] = (255, 0, 0, 255)  # and the right half is clear
    image = Image.fromarray(pixels)
    (tmp_path / "in").mkdir()
    image.save(tmp_path / "in" / "1.png")
    palette = image.convert("RGB").quantize(2)
    clear = palette.getpixel((15, 0))
    palette.save(tmp_path / "in" / "2.png", transparency=clear)
    image.convert("RGB").save(tmp_path / "in" / "3.png", transparency=(0, 0, 0))
    palette.save(tmp_path / "in" / "4.gif", transparency=clear)
    image.convert("LA").save(tmp_path / "in" / "5.png")
    palette.save(tmp_path / "in" / "6.png")  # opaque
    image.convert("RGB").save(tmp_path / "in" / "7.png")
    assert command(model, tmp_path / "in", "--output", tmp_path / "out", "--grid") == 0
    made = [opened(tmp_path / "out" / f"{number}.png") for number in range(1, 7)]
    assert {picture.mode for picture in made} == {"RGBA"}
    first, *same = (np.asarray(picture) for picture in made)
    assert np.abs(first.astype(int) - translate(model, pixels[np.newaxis])[0]).max() <= 1
    for picture in same[:3]:
        np.testing.assert_array_equal(picture, first)
    said = capsys.readouterr().err
    assert "7.png: it has 3 channels, not 4" in said and "--image-size" not in said


def test_four_channels_of_an_array_are_no_transparency(network, tmp_path):
    np.save(tmp_path / "x.npy", pixels_of(4, "uint8"))
    assert command(network(4, 4), tmp_path / "x.npy", "--output", tmp_path / "out") == 0
    made = tifffile.imread(tmp_path / "out" / "x.tif")
    assert made.shape == (16, 16, 4) and made.dtype == "uint8"


def test_other_channels_of_8_bits_become_tiff(network, tmp_path):
    save(tmp_path / "x.png", pixels_of(3, "uint8"))
    assert command(network(3, 5), tmp_path / "x.png", "--output", tmp_path / "out") == 0
    assert tifffile.imread(tmp_path / "out" / "x.tif").shape == (16, 16, 5)


def test_an_animation_for_a_network_of_4_channels_is_skipped_in_one_line(network, tmp_path, capsys):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert command(network(4, 4), tmp_path / "x.gif", "--output", tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert "x.gif: it has 3 channels, not 4" in said and "Traceback" not in said
    assert not list((tmp_path / "out").iterdir())


def test_damaged_files_are_named(network, tmp_path, capsys):
    save(tmp_path / "16.png", pixels_of(1))
    whole = (tmp_path / "16.png").read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.tif").write_text("no picture")
    (tmp_path / "text.npy").write_text("no picture")
    given = [tmp_path / name for name in ("16.png", "half.png", "text.tif", "text.npy")]
    assert command(network(1, 1), *given, "--output", tmp_path / "out") == 0
    said = capsys.readouterr().err
    assert all(f"{path.name}: " in said for path in given[1:]) and "Traceback" not in said
