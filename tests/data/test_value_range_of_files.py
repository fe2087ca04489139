"""Loaders read files by one value range, which `auto` finds in the training pictures."""

import functools
import os

import numpy as np
import pytest
from PIL import Image

from keras_gan import DataLoader, ImageLoader, UnpairedDataLoader
from keras_gan.data import cache
from keras_gan.errors import BadValueError

SHAPE = (8, 8, 1)


@pytest.fixture
def cells(tmp_path, monkeypatch):
    """Makes a folder: `cells("train", "test")` of pictures of 12 bits, the pixel (0, 0) 4095, all others 0 to 2000."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))

    def make(*folders, width=8, kind="uint16"):
        for place, folder in enumerate(folders):
            (tmp_path / "cells" / folder).mkdir(parents=True)
            for number in range(4):
                values = np.random.default_rng([place, number]).integers(0, 2000, (8, width))
                values[0, 0], values[0, 1] = 4095, 0
                path = tmp_path / "cells" / folder / f"{number}.npy"
                np.save(path, values.astype(kind))
                os.utime(path, (1, 1))  # old enough for the cache
        return tmp_path / "cells"

    return make


def loaders(cells, **options):
    """{name: (loader, files of a batch)} of all loaders, for pictures of 12 bits."""
    return {
        "single": lambda: ImageLoader(cells("train", "test"), shape=SHAPE, seed=0, **options),
        "pairs": lambda: DataLoader(cells("train", "val", width=16), SHAPE[:2], channels=1, seed=0, **options),
        "sides": lambda: DataLoader(cells("A", "B"), SHAPE[:2], channels=1, seed=0, **options),
        "unpaired": lambda: UnpairedDataLoader(cells("trainA", "trainB"), None, SHAPE, SHAPE, seed=0, **options),
    }


def first_batch(loader):
    batch = next(loader.load_batch(2))
    return np.stack(batch) if isinstance(batch, tuple) else batch


@pytest.mark.parametrize("kind", ["uint16", "int32", "float32"])
@pytest.mark.parametrize("value_range", [(0, 4095), "auto"])
@pytest.mark.parametrize("name", ["single", "pairs", "sides", "unpaired"])
def test_every_loader_reads_by_the_value_range(name, value_range, kind, cells, capsys):
    of_kind = functools.partial(cells, kind=kind)
    loader = loaders(of_kind, value_range_of_files=value_range)[name]()
    assert loader.value_range_of_files == (0, 4095)
    assert ("Value range: 0 (black) to 4095 (white)" in capsys.readouterr().out) == (value_range == "auto")
    loader.check()
    assert not capsys.readouterr().err
    batch = first_batch(loader)
    assert batch.max() == 1 and batch.min() == -1
    path = (loader.train if hasattr(loader, "train") else loader.train_A)[0]
    path = getattr(path, "picture", path)
    shown = np.load(path)[..., np.newaxis].astype(float) / 4095
    if shown.shape[1] == 8:
        np.testing.assert_allclose((loader.load_img(path)[0] + 1) / 2, shown, atol=1e-4)
    np.testing.assert_allclose(loader.imread(path) / 255, shown, atol=1e-4) if hasattr(loader, "imread") else None


@pytest.mark.parametrize("name", ["single", "pairs", "sides", "unpaired"])
def test_training_says_once_that_values_make_nearly_black_pictures(name, cells, capsys):
    loader = loaders(cells)[name]()
    loader.check()
    said = capsys.readouterr().err.splitlines()
    assert len(said) == (2 if name in ("sides", "unpaired") else 1)
    for line in said:
        assert line.startswith("warning: the values in ") and " go from 0 to 4095, but white is 65535" in line
        assert line.endswith("so the pictures are nearly black: --value-range 0,4095 or auto")
    loader.check()
    loader.batches(2)
    assert not capsys.readouterr().err
    assert first_batch(loader).max() < -0.87


def test_refused_values_end_with_the_option_that_mends_it(cells):
    loader = ImageLoader(cells("train", "test", kind="float32"), shape=SHAPE)
    with pytest.raises(BadValueError, match="floats must be in .0, 1., unless --value-range LOW,HIGH names black"):
        loader.check()


@pytest.mark.parametrize("memory", [2**30, 0])
def test_the_cache_keeps_pictures_of_other_ranges_apart(memory, cells, monkeypatch):
    monkeypatch.setattr(cache, "MEMORY", memory)
    folder = cells("train", "test")
    batches = []
    for value_range in (None, (0, 4095), (0, 2000), (0, 4095)):
        loader = ImageLoader(folder, shape=SHAPE, seed=0, value_range_of_files=value_range)
        batches.append(next(loader.load_batch(4)))
    np.testing.assert_array_equal(batches[1], batches[3])
    for dark, bright, brighter in zip(*batches[:3], strict=True):  # the first picture is decoded in any case
        assert dark.max() < -0.8 and bright.max() == 1 and dark.mean() < bright.mean() < brighter.mean()


def test_photos_are_stretched_too(tmp_path):
    for split in ("train", "test"):
        (tmp_path / "photos" / split).mkdir(parents=True)
        for number in range(2):
            pixels = np.linspace(50, 150, 64).reshape(8, 8).round().astype("uint8")
            Image.fromarray(pixels).save(tmp_path / "photos" / split / f"{number}.png")
    batch = first_batch(ImageLoader(tmp_path / "photos", shape=SHAPE, value_range_of_files=(100, 150)))
    np.testing.assert_allclose(batch[0], np.stack([2 * np.clip((pixels - 100.0) / 50, 0, 1) - 1], -1), atol=2 / 255)


def test_pictures_without_files_take_no_range_and_loaders_name_the_other_range(tmp_path):
    for make in (ImageLoader, DataLoader, UnpairedDataLoader):
        with pytest.raises(BadValueError, match="has no picture files, so it takes no value range"):
            make("drawn_shoes", value_range_of_files="auto")
        with pytest.raises(BadValueError, match="value range of the files must be"):
            make("drawn_shoes", value_range_of_files="0,1")
        with pytest.raises(BadValueError, match="that of the files is value_range_of_files"):
            make("drawn_shoes", value_range=(0, 4095))
