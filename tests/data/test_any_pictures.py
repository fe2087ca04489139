"""Property tests of the loaders on random folders: any kind of picture, in any layout."""

import io
import os
import random
import string

import numpy as np
import pytest
import tifffile
from PIL import Image

from keras_gan import DataLoader, ImageLoader, UnpairedDataLoader
from keras_gan.images.pixels import FITS
from keras_gan.images.readers import ReadWhole
from keras_gan.images.sources import UNREADABLE

SEEDS = range(12)


@pytest.fixture(autouse=True)
def nothing_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


def noise(rng, height, width, channels=3, dtype="uint8"):
    if dtype == "float32":
        return rng.random((height, width, channels), "float32")
    return rng.integers(0, np.iinfo(dtype).max + 1, (height, width, channels), dtype)


def by_pillow(mode, **options):
    """A function that writes noise in this Pillow mode."""

    def write(path, rng, height, width):
        image = Image.fromarray(noise(rng, height, width, 4), "RGBA" if mode == "RGBA" else None)
        image = image if mode == "RGBA" else image.convert("RGB").convert("L").convert(mode)
        image.save(path, **options)

    return write


def deep_png(path, rng, height, width):
    Image.fromarray(noise(rng, height, width, 1, "uint16")[..., 0]).save(path)


def turned(path, rng, height, width):
    exif = Image.Exif()
    exif[0x0112] = rng.integers(1, 9).item()
    Image.fromarray(noise(rng, height, width)).save(path, exif=exif)


def npy(channels, dtype):
    def write(path, rng, height, width):
        values = noise(rng, height, width, channels, dtype)
        np.save(path, values[..., 0] if channels == 1 and rng.random() < 0.5 else values)

    return write


def tiff(channels, dtype, **options):
    def write(path, rng, height, width):
        values = noise(rng, height, width, channels, dtype)
        kind = "rgb" if channels == 3 else "minisblack"
        tifffile.imwrite(path, values if channels > 1 else values[..., 0], photometric=kind, **options)

    return write


READABLE = [
    *((ending, by_pillow("RGB")) for ending in (".jpg", ".PNG", ".bmp", ".gif", ".webp", ".tif", ".ppm", ".JPEG")),
    *((".png", by_pillow(mode)) for mode in ("1", "L", "LA", "P", "RGBA")),
    *((".tiff", by_pillow(mode)) for mode in ("CMYK", "L", "RGBA", "YCbCr", "LAB")),
    *((".png", deep_png), (".jpg", turned), (".TIF", by_pillow("RGB", compression="tiff_lzw"))),
    *((".npy", npy(channels, dtype)) for channels in (1, 3) for dtype in ("uint8", "uint16", "float32")),
    *((".tif", tiff(channels, dtype)) for channels in (1, 3) for dtype in ("uint8", "uint16", "float32")),
    (".tif", tiff(3, "uint16", compression="zlib")),
]
LITTER = [".DS_Store", "Thumbs.db", "._1.png", "desktop.ini", "notes.txt", "__MACOSX/a.png", ".hidden/b.png"]


def name(rng):
    """A random file name with unusual characters, without extension."""
    odd = string.ascii_letters + string.digits + " -_.äéß漢#%&()[]{}~'+,;=@!$"
    return "x" + "".join(rng.choice(list(odd), rng.integers(1, 12))) + "x"


def random_folder(folder, rng, count=14):
    """Writes random pictures and junk files to a folder and subfolders. Returns the pictures' paths."""
    paths = []
    for number in range(count):
        place = folder / rng.choice(["", "a", "a/b c", "10"])
        place.mkdir(parents=True, exist_ok=True)
        ending, write = READABLE[rng.integers(len(READABLE))]
        paths.append(place / f"{name(rng)}{number}{ending}")
        write(paths[-1], rng, *rng.integers(2, 50, 2).tolist())
    for litter in LITTER:
        (folder / litter).parent.mkdir(exist_ok=True)
        (folder / litter).write_bytes(b"litter")
    return paths


@pytest.mark.parametrize("seed", SEEDS)
def test_every_readable_picture_gets_the_requested_shape_and_range(tmp_path, seed, capsys):
    rng = np.random.default_rng(seed)
    paths = random_folder(tmp_path / "flat", rng)
    (tmp_path / "flat" / "broken.png").write_bytes(b"no picture")
    for channels in (1, 3):
        height, width = rng.integers(1, 40, 2).tolist()
        low, fit = rng.choice([-1, 0]).item(), rng.choice(FITS).item()
        loader = ImageLoader(tmp_path / "flat", shape=(height, width, channels), value_range=(low, 1), fit=fit, seed=0)
        assert {p for split in (loader.train, loader.test) for p, _ in split} == {
            *paths,
            tmp_path / "flat/broken.png",
        }
        loader = loader.batches(4)
        assert [path.name for path in loader.skipped] == ["broken.png"]
        batches = [loader[i][0] for i in range(len(loader))] + list(loader.load_batch(4, is_testing=True))
        assert sum(map(len, batches)) == len(paths)
        for imgs in batches:
            assert imgs.shape[1:] == (height, width, channels) and imgs.dtype == np.float32
            assert low <= imgs.min() <= imgs.max() <= 1
    assert capsys.readouterr().err.count("\n") == 2  # the broken one, once per loader


# Pairs: red is a ramp from left to right, the same in A and B; green is the number of the pair, blue tells A from B.

WRITERS = {
    ".png": lambda path, pixels: Image.fromarray(pixels).save(path),
    ".bmp": lambda path, pixels: Image.fromarray(pixels).save(path),
    ".TIF": lambda path, pixels: Image.fromarray(pixels).save(path, format="tiff"),
    ".npy": lambda path, pixels: np.save(path, pixels),
    ".tiff": lambda path, pixels: tifffile.imwrite(path, pixels * np.uint16(257), photometric="rgb"),
}


def half(number, is_B, height, width):
    ramp = np.linspace(20, 230, width).astype("uint8")
    columns = np.stack([ramp, np.full(width, 10 * number), np.full(width, 200 * is_B)], axis=-1).astype("uint8")
    return np.broadcast_to(columns, (height, width, 3)).copy()


def write_pairs(tmp_path, rng, layout, counts):
    """Writes random pairs in this layout. `counts`: (train, test). Returns the arguments for the loader."""
    number, endings = 0, list(WRITERS)
    for split, count in zip(("train", "test"), counts, strict=True):
        for _ in range(count):
            size = rng.integers(2, 30, 2).tolist()
            A, B = (half(number, is_B, *size) for is_B in (False, True))
            stem = f"{rng.choice(['', 'sub/', 'sub/deep/'])}{name(rng)}{number}"
            places = {"halves": [split], "flat": ["."], "folders": [f"A/{split}", f"B/{split}"], "flat folders": "AB"}
            for place, pixels in zip(
                places.get(layout) or [f"{split}A", f"{split}B"],
                [np.hstack([A, B])] if layout in ("halves", "flat") else [A, B],
                strict=True,
            ):
                ending = endings[rng.integers(len(endings))]
                path = tmp_path / "pairs" / place / f"{stem}{ending}"
                path.parent.mkdir(parents=True, exist_ok=True)
                WRITERS[ending](path, pixels)
            number += 1
    if "folders" in layout:
        return {"dataset_name": tmp_path / "pairs" / "A", "dataset_B": tmp_path / "pairs" / "B"}
    return {"dataset_name": tmp_path / "pairs"}


def told(imgs):
    """For each picture: its number, whether it is B, and whether it is mirrored."""
    values = np.rint((imgs + 1) * 127.5)
    assert (np.ptp(values[..., 1:], axis=(1, 2)) <= 1).all()
    mirrored = values[:, 0, 0, 0] > values[:, 0, -1, 0]
    return [(round(g / 10), b > 100, bool(m)) for (g, b), m in zip(values[:, 0, 0, 1:], mirrored, strict=True)]


@pytest.mark.parametrize("layout", ["halves", "flat", "sides", "folders", "flat folders"])
@pytest.mark.parametrize("seed", range(4))
def test_halves_never_mix_and_flips_are_shared(tmp_path, layout, seed):
    rng = np.random.default_rng(seed)
    names = write_pairs(tmp_path, rng, layout, (9, 3))
    back = bool(rng.random() < 0.5)
    options = {"direction": "BtoA" if back else "AtoB", "fit": rng.choice(["resize", "crop"]).item(), "seed": seed}
    loader = DataLoader(**names, img_res=(16, 20), augment=bool(rng.random() < 0.5), **options).batches(2)
    flips, seen = set(), []
    for _ in range(3):  # decoded, and kept
        for i in range(len(loader)):
            of_A, of_B = map(told, loader[i])
            assert [(n, not is_B, flip) for n, is_B, flip in of_A] == of_B and all(is_B == back for _, is_B, _ in of_A)
            flips |= {flip for _, _, flip in of_A}
            seen += [n for n, _, _ in of_A]
        loader.on_epoch_end()
    testing = [n for A, _ in loader.load_batch(2, is_testing=True) for n, _, _ in told(A)]
    assert flips == {False, True} and sorted(seen[::1]) == sorted(3 * list(set(seen)))
    assert sorted({*seen, *testing}) == list(range(12)) and not set(seen) & set(testing)
    assert len(testing) == (2 if "flat" in layout else 3)


def test_an_unreadable_side_b_is_named_and_its_pair_skipped(tmp_path, capsys):
    names = write_pairs(tmp_path, np.random.default_rng(0), "flat folders", (9, 3))
    broken = sorted(path for path in (tmp_path / "pairs" / "B").rglob("*") if path.is_file())[3]
    broken.write_bytes(b"no picture")
    loader = DataLoader(**names, img_res=(8, 8), seed=0).batches(4)
    assert f"its partner {broken} cannot be used: " in capsys.readouterr().err
    pairs = [*(loader[i] for i in range(len(loader))), *loader.load_batch(4, is_testing=True)]
    assert sum(len(A) for A, _ in pairs) == 11
    assert all([n for n, _, _ in told(A)] == [n for n, _, _ in told(B)] for A, B in pairs)


def test_a_changed_side_b_is_read_again(tmp_path, monkeypatch):
    """The cache, in memory and in a file, checks the stamps of both files of a pair."""
    for memory in (2**30, 0):
        monkeypatch.setattr("keras_gan.data.cache.MEMORY", memory)
        folder = tmp_path / str(memory)
        for side in "AB":
            (folder / side).mkdir(parents=True)
            for number in (1, 2):
                np.save(folder / side / f"{number}.npy", half(number, side == "B", 8, 8))
        monkeypatch.setattr("keras_gan.data.cache.SETTLED", -1)
        loader = DataLoader(folder / "A", dataset_B=folder / "B", img_res=(8, 8), seed=0)
        for other in (2, 7):
            np.save(folder / "B" / "2.npy", half(other, True, 8, 8))
            os.utime(folder / "B" / "2.npy", (other, other))  # different times, whatever the clock's resolution
            assert [told(imgs)[0][0] for imgs in loader[0]] == [2, other]


# Damaged files:


def formats():
    """(extension, bytes) of a small picture in many formats."""
    rng = np.random.default_rng(0)
    image, exif = Image.fromarray(noise(rng, 24, 32)), Image.Exif()
    exif[0x0112] = 6
    kinds = {ending: {} for ending in ("png", "gif", "bmp", "webp", "tga", "jp2", "ppm")}
    kinds |= {"jpg": {"exif": exif}, "tif": {"compression": "tiff_lzw"}}
    for ending, options in kinds.items():
        file = io.BytesIO()
        image.save(file, Image.registered_extensions()[f".{ending}"], **options)
        yield ending, file.getvalue()
    for ending, values in (("npy", noise(rng, 24, 32, 5, "uint16")), ("5.tif", noise(rng, 24, 32, 5, "uint16"))):
        file = io.BytesIO()
        if ending == "npy":
            np.save(file, values)
        else:
            tifffile.imwrite(file, values, photometric="minisblack", planarconfig="contig")
        yield ending, file.getvalue()


FORMATS = dict(formats())


@pytest.mark.parametrize("count", [100, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("ending", FORMATS)
def test_damaged_pictures_give_a_picture_or_a_named_error(tmp_path, ending, count, capfd):
    """Half are truncated, the others have a flipped bit, half of these in the first 200 bytes."""
    whole, rng, path, refused = FORMATS[ending], random.Random(0), tmp_path / f"x.{ending}", 0
    channels = 5 if ending in ("npy", "5.tif") else 3
    for number in range(count):
        damaged = bytearray(whole)
        if number % 2:
            del damaged[rng.randrange(len(whole)) :]
        else:
            damaged[rng.randrange(len(whole) if number % 4 else 200)] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            assert ReadWhole(channels)(path, 16, 20).shape == (16, 20, channels)
        except UNREADABLE as error:
            refused += 1
            assert str(error)
    assert refused > count / 4
    capfd.readouterr()  # messages of libtiff


def test_unpaired_pictures_of_all_kinds(tmp_path):
    rng = np.random.default_rng(1)
    for side in ("trainA", "trainB", "testA", "testB"):
        random_folder(tmp_path / "data" / side, rng, count=5)
    loader = UnpairedDataLoader(tmp_path / "data", shape_A=(9, 7, 1), shape_B=(9, 7, 3), fit="pad", seed=0)
    for A, B in loader.load_batch(3):
        assert A.shape[1:] == (9, 7, 1) and B.shape[1:] == (9, 7, 3)
        assert max(abs(A).max(), abs(B).max()) <= 1
