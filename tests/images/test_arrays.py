"""Pictures with any number of channels or more than 8 bits, and the three ways to fit another aspect ratio."""

import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image
from support import commands

from keras_gan import DataLoader, ImageLoader, UnpairedDataLoader
from keras_gan.images.arrays import ChannelsError, read_array
from keras_gan.images.pixels import FITS, shaped
from keras_gan.images.sources import read_picture


@pytest.fixture(autouse=True)
def empty_home_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


def values(channels, height=24, width=32, dtype="uint16", seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, np.iinfo(dtype).max + 1, (height, width, channels), dtype)


def write_pairs(folder, channels=5, count=4, size=16):
    """Pairs of arrays in train and val; B = 65535 - A."""
    for split in ("train", "val"):
        (folder / split).mkdir(parents=True)
        for number in range(count):
            A = values(channels, size, size, seed=number)
            np.save(folder / split / f"{number}.npy", np.hstack([A, 65535 - A]))
    return folder


# Values:


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (np.array([[0, 1, 255]], "uint8"), [0, 257, 65535]),
        (np.array([[0, 1, 65535]], "uint16"), [0, 1, 65535]),
        (np.array([[0, 1, 65535]], ">u2"), [0, 1, 65535]),
        (np.array([[0, 0.5, 1]], "float16"), [0, 32768, 65535]),
        (np.array([[0, 1 / 65535, 1]], "float32"), [0, 1, 65535]),
        (np.array([[0, 1 / 65535, 1]], "float64"), [0, 1, 65535]),
    ],
)
@pytest.mark.parametrize("ending", ["npy", "tif"])
def test_values_are_scaled_to_16_bits(tmp_path, stored, expected, ending):
    path = tmp_path / f"x.{ending}"
    np.save(path, stored) if ending == "npy" else tifffile.imwrite(path, stored, photometric="minisblack")
    if ending == "npy" or stored.dtype != "uint8":
        found = read_array(path)
        assert (found.shape, found.dtype) == ((1, 3, 1), np.uint16) and found.ravel().tolist() == expected
    np.testing.assert_array_equal(np.asarray(read_picture(path, 1)).ravel(), np.array(expected) // 257)


BAD = {
    "negative": (np.full((2, 2), -0.5), "its values range from -0.5 to -0.5; floats must be in"),
    "too large": (np.array([[0.0, 255]]), "its values range from 0 to 255; floats must be in"),
    "nan": (np.full((2, 2), np.nan), "its values range from nan to nan"),
    "signed": (np.zeros((2, 2), "int16"), "its values are int16; supported are uint8, uint16 and floats"),
    "flat": (np.zeros(4, "uint8"), r"its shape \(4,\) is neither"),
    "deep": (np.zeros((2, 2, 2, 2), "uint8"), r"its shape \(2, 2, 2, 2\) is neither"),
    "objects": (np.array([[None]]), "objects"),
}


@pytest.mark.parametrize("kind", BAD)
def test_unsupported_arrays_are_refused_with_the_reason(tmp_path, kind):
    stored, message = BAD[kind]
    np.save(tmp_path / "x.npy", stored)
    with pytest.raises(ValueError, match=message):
        read_array(tmp_path / "x.npy")


def test_a_header_that_claims_more_than_the_file_holds_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((10, 10), "uint8"))
    content = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(content.replace(b"(10, 10), }      ", b"(99999999, 10), }"))
    with pytest.raises(ValueError, match=r"mmap|pixels"):
        read_array(tmp_path / "x.npy")


def test_gray_and_colour_are_converted_and_other_channel_mismatches_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", values(5))
    with pytest.raises(
        ChannelsError, match=r"it has 5 channels, not 3 \(--image-size HEIGHTxWIDTHx5, or --shape-A, --shape-B\)"
    ):
        read_array(tmp_path / "x.npy", 3)
    colour = values(3)
    np.save(tmp_path / "rgb.npy", colour)
    gray = read_array(tmp_path / "rgb.npy", 1)
    np.testing.assert_allclose(gray[..., 0], colour @ [0.299, 0.587, 0.114], atol=0.5)
    np.save(tmp_path / "gray.npy", gray)
    np.testing.assert_array_equal(read_array(tmp_path / "gray.npy", 3), np.repeat(gray, 3, axis=2))


# Kinds of files:

TIFFS = {
    "samples of a pixel": (lambda v: v, {"planarconfig": "contig"}),
    "planes": (lambda v: np.moveaxis(v, 2, 0), {"planarconfig": "separate"}),
    "pages": (lambda v: np.moveaxis(v, 2, 0), {}),
    "of ImageJ": (lambda v: np.moveaxis(v, 2, 0), {"imagej": True, "metadata": {"axes": "CYX"}}),
    "packed": (lambda v: v, {"planarconfig": "contig", "compression": "zlib"}),
}


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("kind", TIFFS)
def test_tiff_layouts_and_compression(tmp_path, kind, dtype):
    arranged, options = TIFFS[kind]
    stored = values(5, dtype=dtype)
    tifffile.imwrite(tmp_path / "x.tif", arranged(stored), photometric="minisblack", **options)
    expected = stored * np.uint16(257) if dtype == "uint8" else stored
    np.testing.assert_array_equal(read_array(tmp_path / "x.tif", 5), expected)
    np.testing.assert_array_equal(read_array(tmp_path / "x.tif"), expected)
    with pytest.raises(ChannelsError, match="it has 5 channels, not 4"):
        read_array(tmp_path / "x.tif", 4)


def test_16_bit_colour_tiffs_keep_their_depth_and_8_bit_photos_are_left_to_pillow(tmp_path):
    tifffile.imwrite(tmp_path / "deep.tif", values(3), photometric="rgb")
    np.testing.assert_array_equal(read_array(tmp_path / "deep.tif", 3), values(3))
    image = Image.fromarray(values(3, dtype="uint8"))
    for mode in ("RGB", "L", "P", "CMYK", "RGBA"):
        image.convert(mode).save(tmp_path / "photo.tif")
        assert read_array(tmp_path / "photo.tif") is None is read_array(tmp_path / "photo.tif", 3)


def test_bands_of_a_photo_become_channels(tmp_path):
    pixels = values(4, dtype="uint8")
    Image.fromarray(pixels, "RGBA").save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_array(tmp_path / "x.png", 4), pixels * np.uint16(257))
    with pytest.raises(ChannelsError, match="it has 4 channels, not 5"):
        read_array(tmp_path / "x.png", 5)


# Loaders:


@pytest.mark.parametrize("memory", [2**30, 0], ids=["memory", "file"])
def test_arrays_keep_their_16_bits_through_every_loader_and_cache(tmp_path, memory, monkeypatch):
    monkeypatch.setattr("keras_gan.data.cache.MEMORY", memory)
    monkeypatch.setattr("keras_gan.data.cache.SETTLED", -1)
    folder = write_pairs(tmp_path / "pairs", count=3)
    loader = DataLoader(folder, (16, 16), channels=5, seed=0)
    for _ in "read", "kept":
        for number, (A, B) in enumerate(loader.load_batch(1, is_testing=True)):
            expected = values(5, 16, 16, seed=number) / 32767.5 - 1
            np.testing.assert_allclose(A[0], expected, atol=1e-6)
            np.testing.assert_allclose(B[0], -expected, atol=1e-6)
    single = ImageLoader(folder, shape=(16, 32, 5), seed=0)
    A = single.load_img(folder / "val" / "0.npy")[0, :, :16]
    np.testing.assert_allclose(A, values(5, 16, 16) / 32767.5 - 1, atol=1e-6)
    assert single.load_data(2, is_testing=True).shape == (2, 16, 32, 5)
    A, B = UnpairedDataLoader(folder, shape_A=(8, 8, 5), shape_B=(16, 16, 5), seed=0).load_data(2)
    assert A.shape == (2, 8, 8, 5) and B.shape == (2, 16, 16, 5)


def test_photos_have_the_same_brightness_next_to_arrays(tmp_path):
    (tmp_path / "train").mkdir()
    Image.new("RGB", (8, 8), (100, 150, 200)).save(tmp_path / "train" / "0.png")
    np.save(tmp_path / "train" / "1.npy", np.full((8, 8, 3), (100, 150, 200), "uint8"))
    np.save(tmp_path / "train" / "2.npy", np.full((8, 8, 3), 0.5))
    loader = ImageLoader(tmp_path, shape=(8, 8, 3), value_range=(0, 1), seed=0)
    imgs = np.concatenate([loader.load_data(1), loader.load_data(1), *(loader.load_batch(1, is_testing=True))])
    assert {tuple(np.rint(255 * img[0, 0]).tolist()) for img in imgs} <= {(100, 150, 200), (128, 128, 128)}


def test_arrays_are_downscaled_with_antialiasing(tmp_path):
    np.save(tmp_path / "x.npy", np.indices((64, 64)).sum(axis=0) % 2 * np.float32(1))
    found = ImageLoader("drawn_digits", shape=(16, 16, 1), value_range=(0, 1)).load_img(tmp_path / "x.npy")
    np.testing.assert_allclose(found, 0.5, atol=0.02)


def test_a_channel_mismatch_fails_before_training_and_names_both_numbers(tmp_path):
    with pytest.raises(ValueError, match=r"4 of 4 pictures .*0\.npy: it has 5 channels, not 3 \(--image-size"):
        DataLoader(write_pairs(tmp_path / "pairs"), (16, 16)).batches(1)


SHAPES = {
    "pix2pix": ["--image-size", "32x32x5", "--filters", "4"],
    "dcgan": ["--image-size", "32x32x5", "--filters", "4"],
    "discogan": ["--image-size", "32x32x5", "--filters", "4"],
    "cyclegan": ["--shape-A", "32x32x5", "--shape-B", "32x32x5"],
}
FAST = ("pix2pix", "dcgan")  # one with grids of translations, one with grids from noise


@pytest.mark.parametrize("model", [m if m in FAST else pytest.param(m, marks=pytest.mark.slow) for m in SHAPES])
@pytest.mark.usefixtures("eagerly")
def test_models_train_on_five_channels_and_draw_grids_in_colour(model, tmp_path, monkeypatch):
    write_pairs(tmp_path / "pairs", size=32)
    monkeypatch.chdir(tmp_path)
    short = ["--dataset", "pairs", "--epochs", "1", "--steps-per-epoch", "1", "--batch-size", "2"]
    commands.run_here(model, *SHAPES[model], *short)
    (run,) = (tmp_path / "runs").iterdir()
    with Image.open(run / "images" / "0_0.png") as grid:
        colours = np.ptp(np.asarray(grid.convert("RGB"), "int"), axis=-1).max()
    assert colours > 50 or model == "dcgan"  # its grid is still gray


# Shapes:


def striped(width, height):
    """Red is the column, green the row."""
    row, column = np.indices((height, width))
    return Image.fromarray(np.stack([column, row, 0 * row], axis=-1).astype("uint8"))


@pytest.mark.parametrize("size", [(200, 100), (100, 200)])
def test_crop_keeps_the_middle_and_pad_adds_white(size):
    image = striped(*size)
    cropped = np.asarray(shaped(image, 100, 100, "crop"))
    middle = (50, 0, 150, 100) if size[0] == 200 else (0, 50, 100, 150)
    np.testing.assert_array_equal(cropped, np.asarray(image.crop(middle)))
    padded = np.asarray(shaped(image, 100, 100, "pad"))
    if size[0] == 100:
        padded = padded.transpose(1, 0, 2)
    assert (padded[:25] == 255).all() and (padded[75:] == 255).all() and (padded[25:75, :, 2] == 0).all()
    assert shaped(image, 100, 100).size == (100, 100)


@pytest.mark.parametrize("size", [(2, 300), (300, 2), (3, 4), (1, 1)])
@pytest.mark.parametrize("fit", FITS)
def test_every_fit_gives_the_requested_size(size, fit):
    for mode in ("RGB", "L", "F"):
        assert shaped(Image.new(mode, size), 8, 16, fit).size == (16, 8)


def test_pad_adds_white_borders_to_halves_of_arrays(tmp_path):
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
        np.save(tmp_path / split / "0.npy", np.zeros((8, 32, 4), "float32"))
        Image.new("RGB", (32, 8)).save(tmp_path / split / "0.png")
    (tmp_path / "train" / "0.png").unlink()
    (tmp_path / "val" / "0.png").unlink()
    loader = DataLoader(tmp_path, (16, 16), channels=4, fit="pad", seed=0)
    for imgs in loader.load_data():
        assert (imgs[0, :4] == 1).all() and (imgs[0, 12:] == 1).all() and (imgs[0, 4:12] == -1).all()


def test_each_fit_has_its_own_cache_file(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_gan.data.cache.MEMORY", 0)
    monkeypatch.setattr("keras_gan.data.cache.SETTLED", -1)
    (tmp_path / "heap").mkdir()
    for number in range(3):
        striped(64, 32).save(tmp_path / "heap" / f"{number}.png")
    shown, again = (
        {fit: ImageLoader(tmp_path / "heap", shape=(32, 32, 3), fit=fit, seed=0)[0][0] for fit in FITS}
        for _ in ("read", "kept")
    )
    for fit, imgs in shown.items():
        np.testing.assert_array_equal(imgs, again[fit])
    assert len({imgs.tobytes() for imgs in shown.values()}) == 3


# Large ones:


def write_claim(path, width, height):
    """A small PNG file with a forged size in its header."""
    Image.new("1", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    struct.pack_into(">II", content, 16, width, height)
    struct.pack_into(">I", content, 29, zlib.crc32(content[12:29]))
    path.write_bytes(content)


def test_decompression_bombs_are_refused_and_large_photos_are_read_without_warnings(tmp_path):
    """In a subprocess, which has a user's warning filters."""
    Image.new("1", (9000, 10_000)).save(tmp_path / "large.png")
    write_claim(tmp_path / "bomb.png", 16_000, 12_000)
    script = (
        "import sys\n"
        "from keras_gan.images.readers import ReadWhole\n"
        "from keras_gan.images.sources import UNREADABLE\n"
        "for name in ('large.png', 'bomb.png'):\n"
        "    try: print(name, ReadWhole(1)(name, 8, 8).shape)\n"
        "    except UNREADABLE as error: print(name, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    read, refused = done.stdout.splitlines()
    assert read == "large.png (8, 8, 1)" and refused.startswith("bomb.png Image size (192000000 pixels) exceeds limit")
    assert done.stderr == ""


def test_absurdly_large_arrays_are_refused_before_they_are_read(tmp_path):
    with open(tmp_path / "bomb.npy", "wb") as file:  # a sparse file, which takes no disk space
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (20_000, 10_000)})
        file.truncate(file.tell() + 200_000_000)
    with pytest.raises(ValueError, match="it has 200000000 pixels, more than 178956970"):
        read_array(tmp_path / "bomb.npy")
