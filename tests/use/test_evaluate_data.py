"""What `keras_gan.evaluate` reads and builds: no more than it needs, and of few pictures too."""

import numpy as np
import pytest
from PIL import Image
from support.models import slow
from support.runs import TINY, copy_run

from keras_gan import evaluate
from keras_gan.errors import BadValueError
from keras_gan.evaluate import pictures
from keras_gan.evaluate.__main__ import main, text_of
from keras_gan.images import metrics, readers
from keras_gan.training import run_folder

pytest.importorskip("skimage", reason="needs scikit-image (extra metrics)")
pytestmark = pytest.mark.usefixtures("opening_once")


def colours(pictures):
    """A small extractor: the mean colours, (batch, 3)."""
    return pictures.mean(axis=(1, 2)) / 255


def some_pictures(folder, count, size=(64, 32)):
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (count, *size[::-1], 3), "uint8")
    for i, picture in enumerate(pixels):
        Image.fromarray(picture).save(folder / f"{i}.png")


@pytest.fixture
def opened(monkeypatch):
    """The files that are read, each as often as it is."""
    read, found = readers.open_picture, []

    def noted(picture, *arguments):
        found.append(picture)
        return read(picture, *arguments)

    monkeypatch.setattr(readers, "open_picture", noted)
    return found


def test_of_the_training_pictures_no_more_are_read_than_are_compared(saved, tmp_path, opened):
    some_pictures(tmp_path / "pairs" / "train", 40)
    some_pictures(tmp_path / "pairs" / "val", 3)
    run = copy_run(saved("pix2pix")[1], tmp_path / "run", dataset_name=str(tmp_path / "pairs"))
    _, figures = evaluate.evaluate(run, extractor=colours)
    assert figures["directions"]["AtoB"]["heaps"]["real against real (of training)"]["pictures"] == [3, 3]
    assert {path.name for path in opened if path.parent.name == "train"} == {"0.png", "20.png", "39.png"}


@pytest.mark.parametrize(
    ("broken", "most", "expected"),
    [
        ((), 3, [0, 4, 9]),
        ((4,), 3, [0, 5, 9]),
        ((4, 5, 9), 3, [0, 1, 6]),
        ((0, 1, 2, 3, 4, 5, 6, 7), 3, [8, 9]),
        (range(10), 3, []),
        ((1,), None, [0, 2, 3, 4, 5, 6, 7, 8, 9]),
        ((1,), 10, [0, 2, 3, 4, 5, 6, 7, 8, 9]),
    ],
)
def test_in_place_of_a_broken_picture_comes_the_next(broken, most, expected):
    class Loader:
        read = []

        def _decoded(self, stream, picture):
            self.read.append(picture)
            return None if picture in broken else np.zeros((2, 2, 3))

    class Numbers:
        pictures = list(range(10))

    loader = Loader()
    loader.read = []
    assert pictures.readable(loader, Numbers, most) == expected
    assert len(loader.read) == len(set(loader.read))  # each once
    assert most in (None, 10) or len(loader.read) <= most + len(broken)


@pytest.mark.parametrize("name", TINY)
def test_the_data_are_opened_without_building_networks(saved, monkeypatch, name):
    gan, folder = saved(name)
    config = run_folder.read_config(folder)
    for method in ("build_generator", "build_discriminator", "build_combined"):
        monkeypatch.setattr(type(gan), method, None, raising=False)
    loader = evaluate.loader_of(config)
    assert type(loader) is type(gan.data_loader) and loader.value_range == gan.data_loader.value_range
    found, expected = (next(one.load_batch(2, is_testing=True)) for one in (loader, gan.data_loader))
    found, expected = (batch if isinstance(batch, tuple) else (batch,) for batch in (found, expected))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_class_without_data_is_named():
    class Without:
        def __init__(self, seed=None):
            self.seed = seed

    with pytest.raises(BadValueError, match="the run's class 'Without' has no data_loader"):
        evaluate.data_of(Without, {"seed": 1})


@pytest.mark.parametrize("count", [2, 3, 11])
def test_other_classes_than_the_generator_knows_are_one_line(saved, tmp_path, monkeypatch, capsys, count):
    monkeypatch.setattr(evaluate, "inception", lambda: (None, "not here"))
    for number in range(count):
        some_pictures(tmp_path / "photos" / f"kind {number}", 2, (28, 28))
    run = copy_run(saved("cgan")[1], tmp_path / "run")
    with pytest.raises(SystemExit) as stop:
        main([str(run), "--data", str(tmp_path / "photos")])
    said = capsys.readouterr().err
    assert stop.value.code == 2 and said.count("\n") == 1
    assert f"knows 10 classes, and 'photos' has {count} (kind 0, kind 1" in said


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", slow("discogan paper"), "dcgan"])
def test_few_held_out_pictures(saved, tmp_path, name, count):
    some_pictures(tmp_path / "few" / "train", 4)
    some_pictures(tmp_path / "few" / "val", count)
    run = copy_run(saved(name)[1], tmp_path / "run", dataset_name=str(tmp_path / "few"))
    folder, figures = evaluate.evaluate(run, extractor=colours)
    assert f"{count} held-out pictures" in text_of(figures)
    for part in figures["directions"].values():
        assert part["pictures"] == count
        for heap in part["heaps"].values():
            assert (heap["FID"] is None) == (heap["KID"] is None) == (min(heap["pictures"]) < 2)
    assert (folder / "figures.json").exists()


def test_few_held_out_pictures_of_classes(saved, tmp_path):
    for number in range(10):
        some_pictures(tmp_path / "few" / "train" / str(number), 1, (28, 28))
        some_pictures(tmp_path / "few" / "test" / str(number), 1, (28, 28))
    run = copy_run(saved("cgan")[1], tmp_path / "run", dataset_name=str(tmp_path / "few"))
    assert "10 held-out pictures" in text_of(evaluate.evaluate(run, extractor=colours)[1])


@pytest.mark.parametrize("features", [1, 2, 12])
@pytest.mark.parametrize("counts", [(2, 2), (2, 3), (3, 3), (3, 2)])
def test_distances_of_few_pictures_are_finite(counts, features):
    x, y = (np.random.default_rng(count).random((count, features)) for count in counts)
    found = metrics.distances(x, y)
    assert np.isfinite([found["FID"], found["KID"]]).all()


@pytest.mark.parametrize(
    ("counts", "most", "subsets"), [((5, 5), 9, 1), ((5, 5), 5, 1), ((5, 6), 9, 100), ((5, 5), 4, 100)]
)
def test_subsets_that_are_all_equal_are_computed_once(monkeypatch, counts, most, subsets):
    monkeypatch.setattr(metrics, "KID_SUBSET", most)
    kernel, calls = metrics.kernel, []
    monkeypatch.setattr(metrics, "kernel", lambda one, other: calls.append(one is other) or kernel(one, other))
    metrics.kernel_distance(*(np.random.default_rng(count).random((count, 3)) for count in counts))
    of_sets = 2 if subsets == 1 else {(5, 6): 101, (5, 5): 200}[counts]  # 5 of 5 are the same each time
    assert (calls.count(False), calls.count(True)) == (subsets, of_sets)


@pytest.mark.parametrize("side", [1, 2, 3, 4, 6, 7])
def test_similarity_of_small_pictures(side):
    images = np.random.default_rng(0).random((2, side, 9, 3)).astype("float32")
    found = metrics.ssim_each(images, images, (0, 1))
    assert np.isnan(found).all() if side < 3 else np.allclose(found, 1)
