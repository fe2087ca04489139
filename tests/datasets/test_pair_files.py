"""Whether pictures are pairs: the same verdict for `check` and for training, and no pair is ever refused."""

import re

import numpy as np
import pytest
from PIL import Image
from support.numbered import write
from support.pictures import pair

from keras_gan.data.paired import DataLoader
from keras_gan.data.unpaired import UnpairedDataLoader
from keras_gan.datasets import layouts, make_pairs
from keras_gan.datasets.pair_files import is_pair, judged, looks_paired, surely_single
from keras_gan.errors import BadValueError


def scene(number, height=64, width=64):
    """A drawn photo: discs and boxes of many colours on a shaded ground."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:height, :width]
    canvas = (y / height)[..., None] * rng.uniform(40, 200, 3) + rng.uniform(0, 50, 3)
    for _ in range(12):
        top, left, size = rng.integers(0, height), rng.integers(0, width), rng.integers(4, 20)
        shape = (
            np.hypot(y - top, x - left) < size if rng.random() < 0.5 else (abs(y - top) < size) & (abs(x - left) < 9)
        )
        canvas[shape] = rng.uniform(0, 255, 3)
    return Image.fromarray((canvas + rng.normal(0, 3, canvas.shape)).clip(0, 255).astype("uint8"))


def photos(folder, count, **size):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        scene(number, **size).save(folder / f"{number:02}.png")
    return folder


@pytest.mark.parametrize("place", ["", "train"])
@pytest.mark.parametrize("size", [{}, {"width": 96}, {"height": 96}, {"width": 114}])
def test_photos_are_no_pairs_for_check_and_for_training(tmp_path, place, size):
    photos(tmp_path / "cars" / place, 20, **size)
    loader = DataLoader(tmp_path / "cars", (16, 16))
    message = (
        r"'cars' has single pictures, not pairs .*keras_gan.datasets pairs --from edges .*cars OUT .or --from gray"
    )
    with pytest.raises(BadValueError, match=message):
        loader.batches(2)
    found = layouts.detect(tmp_path / "cars")
    assert found.layout == layouts.SINGLE
    if place:
        with pytest.raises(BadValueError, match="has single pictures, not pairs"):
            UnpairedDataLoader(tmp_path / "cars", shape_A=(16, 16, 3), shape_B=(16, 16, 3)).batches(2)


@pytest.mark.parametrize("size", [(64, 64), (48, 64), (90, 60)])
@pytest.mark.parametrize("kind", ["gray", "edges"])
def test_pairs_of_any_shape_are_taken_without_a_word(tmp_path, capsys, kind, size):
    made = make_pairs.make_pairs(kind, photos(tmp_path / "photos", 20), tmp_path / "out", size=size)
    DataLoader(made.folder, (16, 16)).batches(2)
    for path in sorted(made.folder.rglob("*.png")):  # and as squares
        with Image.open(path) as image:
            image.resize((64, 64)).save(path)
    DataLoader(made.folder, (16, 16)).batches(2)
    assert not capsys.readouterr().err
    assert layouts.detect(made.folder).layout == layouts.PAIRS


@pytest.mark.parametrize("count", [3, 5, 8])
def test_a_few_photos_are_only_warned_of(tmp_path, capsys, count):
    DataLoader(photos(tmp_path / "cars", count), (16, 16)).batches(1)
    (line,) = capsys.readouterr().err.splitlines()
    assert re.match(r"warning: data set .cars. may have single pictures, not pairs: [01] of ", line)


@pytest.mark.parametrize(
    "image", [Image.new("RGB", (64, 64), "white"), Image.new("L", (8, 8)), scene(0).resize((4, 4))]
)
def test_flat_and_tiny_pictures_tell_nothing(image):
    assert is_pair(image) is None


def test_flat_drawn_pictures_are_never_refused(tmp_path, paired_folder):
    DataLoader(paired_folder, (16, 16)).batches(1)
    DataLoader(write(tmp_path / "shades", 30), (16, 16)).batches(1)
    (tmp_path / "narrow").mkdir()
    for number in range(20):
        pair(20 + 10 * number, height=32, width=12).save(tmp_path / "narrow" / f"{number}.png")
    DataLoader(tmp_path / "narrow", (16, 16)).batches(1)


def test_twice_as_wide_is_a_pair_or_a_panorama(tmp_path, capsys):
    assert is_pair(Image.new("RGB", (128, 64))) and is_pair(scene(0, 64, 122).resize((12, 6)))
    assert is_pair(scene(0, 64, 122)) is None and is_pair(scene(0, 64, 118)) is False
    DataLoader(photos(tmp_path / "views", 20, width=128), (16, 16)).batches(2)
    assert "warning: data set 'views' may have single pictures, not pairs" in capsys.readouterr().err
    assert layouts.detect(tmp_path / "views").layout == layouts.SINGLE
    assert is_pair(scene(0, 64, 129)) is False  # no equal halves


REAL = {
    "edges2shoes/val": True,
    "facades/val": True,
    "horse2zebra/testA": False,
    "horse2zebra/testB": False,
    "apple2banana/testA": False,
    "cars64": False,
    "cifar10/test/cat": False,
    "cifar10/test/ship": False,
}


@pytest.mark.parametrize("name", REAL)
def test_real_pictures(shared, name):
    paths = sorted(shared(f"data/{name}").iterdir())
    found = judged(paths)
    assert (looks_paired(found), surely_single(found)) == (REAL[name], not REAL[name])
    if REAL[name]:
        for size in ((64, 64), (256, 384)):
            assert sum(is_pair(Image.open(path).resize(size)) or False for path in paths[::20]) > 0.9 * len(paths[::20])
