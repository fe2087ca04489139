"""Data given from Python."""

import keras
import numpy as np
import pytest
from PIL import Image
from support.eager import EAGERLY
from support.resuming import SHORT, check_same, cut_back
from support.toy import Toy

from keras_gan import DataLoader, ImageLoader, Pix2Pix, UnpairedDataLoader
from keras_gan.datasets import given
from keras_gan.datasets.given import GivenData
from keras_gan.errors import BadValueError
from keras_gan.evaluate import evaluate
from keras_gan.report.page import commands
from keras_gan.training import run_folder
from keras_gan.translate.trained import is_side_by_side

pytestmark = EAGERLY
SIZE = (16, 16)
RNG = np.random.default_rng(0)
A, B = (RNG.integers(0, 256, (21, 16, 16, 3), dtype="uint8") for _ in "AB")
DIGITS = RNG.integers(0, 256, (12, 8, 8), dtype="uint8")
LABELS = np.arange(21) % 3


class Batches(keras.utils.PyDataset):
    """Batches of four of some arrays."""

    def __init__(self, *arrays):
        super().__init__()
        self.arrays = arrays

    def __len__(self):
        return -(-len(self.arrays[0]) // 4)

    def __getitem__(self, number):
        return tuple(array[4 * number : 4 * number + 4] for array in self.arrays)


class Endless(Batches):
    num_batches = None


class Unfinished(Batches):
    __len__ = property()  # Keras asks hasattr()


def tensorflow():
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    return tf.data.Dataset


def values_of(loader):
    """All batches of an epoch, and the held-out pictures."""
    loader.batch_size = 4
    return [*(loader[i] for i in range(loader.n_batches)), *loader.load_batch(4, is_testing=True)]


def check_equal(one, other):
    for batch, its in zip(values_of(one), values_of(other), strict=True):
        np.testing.assert_array_equal(np.stack(batch), np.stack(its))


def test_arrays_give_the_batches_of_files_bit_for_bit(tmp_path):
    for side, arrays in (("A", A), ("B", B)):
        (tmp_path / side).mkdir()
        for number, array in enumerate(arrays):
            Image.fromarray(array).save(tmp_path / side / f"{number}.png")
    options = {"img_res": (12, 12), "seed": 3, "augment": True}
    files, arrays = DataLoader(tmp_path, **options), DataLoader(GivenData((A, B)), **options)
    check_equal(arrays, files)
    assert (len(arrays.train), len(arrays.test), str(arrays.test[1].picture)) == (18, 3, "A 10")


FORMS = {
    "lists": lambda: (list(A), [Image.fromarray(picture) for picture in B]),
    "floats": lambda: (A / 255, (B / 255).astype("float32")),
    "PyDataset": lambda: Batches(A, B),
    "two of them": lambda: [Batches(A), Batches(B)],
    "tf.data": lambda: tensorflow().from_tensor_slices((A, B)).batch(5),
    "tf.data without batches": lambda: tensorflow().from_tensor_slices((A, B)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_pairs_is_the_same_data(form):
    found = UnpairedDataLoader(GivenData(FORMS[form]()), shape_A=(*SIZE, 3), shape_B=(*SIZE, 3), seed=0)
    for side, array in ((found.train_A, A), (found.train_B, B)):
        kept = [i for i in range(21) if i % 10]
        for picture, pixels in zip(side, array[kept], strict=True):
            shown = np.asarray(picture.image(3, 16))
            assert np.abs(shown / (1 if shown.dtype == "uint8" else 257) - pixels).max() < 0.01


def test_test_data_is_what_is_held_out():
    found = UnpairedDataLoader(GivenData((A, B[:5]), Batches(A[:4], B[:4])), seed=0)
    assert [len(side) for side in (found.train_A, found.train_B, found.test_A, found.test_B)] == [21, 5, 4, 4]
    assert str(found.test_B[3]) == "test B 3"


def test_labels_are_numbers_or_names():
    named = [["cat", "emu", "dog"][label] for label in LABELS]
    for labels, classes in ((LABELS, ["0", "1", "2"]), (named, ["cat", "dog", "emu"]), (LABELS[:, None] + 1.0, "123")):
        loader = ImageLoader(GivenData((A, labels)), shape=(*SIZE, 3), labelled=True, seed=0)
        assert loader.classes == list(classes) and (len(loader.train), len(loader.test)) == (18, 3)
    stream = Batches(A, LABELS)
    stream.class_names = ["zebra", "horse", "cow"]
    loader = ImageLoader(GivenData(stream), shape=(*SIZE, 3), labelled=True, seed=0)
    pixels = {picture.picture.array.tobytes(): loader.classes[picture.label] for picture in loader.train}
    assert pixels[A[5].tobytes()] == "cow" and ImageLoader(GivenData(stream), labelled=False).classes == ["arrays"]


def test_channels_and_ranges_are_the_models():
    five = RNG.random((20, *SIZE, 5))
    both = UnpairedDataLoader(GivenData((five, A)), shape_A=(*SIZE, 5), shape_B=(*SIZE, 3), seed=0)
    assert both[0][0].shape == (1, *SIZE, 5)
    signed = UnpairedDataLoader(GivenData((A / 127.5 - 1,) * 2), value_range_of_files=(-1, 1), shape_A=(*SIZE, 3))
    np.testing.assert_allclose(next(signed.load_batch(1, is_testing=True))[0][0], A[0] / 127.5 - 1, atol=1e-4)
    masks = ImageLoader(GivenData(DIGITS > 127), shape=(8, 8, 1))
    assert set(np.unique(masks.load_data(4))) == {-1, 1}
    auto = UnpairedDataLoader(GivenData((A / 100, B / 100)), value_range_of_files="auto")
    assert auto.value_range_of_files == (0, 2.55)


REFUSED = {
    "an array (21, 16, 16, 3) of uint8": lambda: DataLoader(GivenData(A)),
    "not a tuple of 3": lambda: DataLoader(GivenData((A, B, B))),
    "not 'photos'": lambda: DataLoader(GivenData("photos")),
    "A must be pictures": lambda: DataLoader(GivenData((A[0, 0], B))),
    "A 1 must be": lambda: DataLoader(GivenData(([A[0], A[0, 0, 0]], B))),
    "A has no pictures": lambda: DataLoader(GivenData((A[:0], B))),
    "A has 21 pictures and B 20": lambda: DataLoader(GivenData((A, B[1:]))),
    "one is needed to train": lambda: DataLoader(GivenData((A[:1], B[:1]))),
    "data has 21 pictures and 3 labels": lambda: ImageLoader(GivenData((A, LABELS[:3])), labelled=True),
    "labels must be": lambda: ImageLoader(GivenData((A, A)), labelled=True),
    "(pictures, labels)": lambda: ImageLoader(GivenData(A), labelled=True),
    "the class '2', which": lambda: ImageLoader(GivenData((A, LABELS % 2), (A, LABELS)), labelled=True),
    "A 1 cannot be used: it has 5 channels, not 3": lambda: DataLoader(GivenData((RNG.random((20, 8, 8, 5)), B[:20]))),
    "unless value_range=(LOW, HIGH) names": lambda: DataLoader(GivenData((A / 1.0, B / 1.0))),
    "Endless tells no number of batches": lambda: DataLoader(GivenData(Endless(A, B))),
    "Unfinished tells no number of batches": lambda: DataLoader(GivenData(Unfinished(A, B))),
    "Dataset never ends": lambda: DataLoader(GivenData(tensorflow().from_tensor_slices((A, B)).repeat())),
    "yields a dict": lambda: DataLoader(GivenData(tensorflow().from_tensor_slices({"A": A, "B": B}))),
    "yields a tuple of 1": lambda: DataLoader(GivenData(Batches(A))),
    "data and dataset_B 'shoes'": lambda: Pix2Pix(data=(A, B), dataset_B="shoes"),
    "test_data needs data": lambda: Pix2Pix(test_data=(A, B)),
}


@pytest.mark.parametrize("message", REFUSED)
def test_data_that_cannot_be_used_is_refused_by_name(message):
    with pytest.raises(BadValueError) as raised:
        REFUSED[message]()
    assert message in str(raised.value)


def test_a_data_set_that_is_too_large_is_refused_while_it_is_read(monkeypatch):
    monkeypatch.setattr(given, "SMALL", 4000)
    monkeypatch.setattr(given, "fault_of", lambda size: "it takes too much" if size > 10_000 else None)
    with pytest.raises(BadValueError, match="too large, it takes too much: save it as files, or use fit"):
        GivenData(Batches(A, B)).paired()


# Runs:


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of the toy on digits from Python."""
    gan = Toy(data=DIGITS, seed=0, output=tmp_path_factory.mktemp("given") / "run")
    gan.train(**SHORT, checkpoint_interval=2, keep=9, quiet=True)
    return gan


def test_a_run_resumes_on_the_same_arrays_to_the_same_bits(trained, tmp_path, capsys):
    run = cut_back(trained.run_folder, tmp_path / "run", 2)
    check_same(Toy.resume(run, data=DIGITS), trained)
    assert "the data set has changed" not in capsys.readouterr().err
    Toy.resume(cut_back(trained.run_folder, tmp_path / "other", 5), data=255 - DIGITS)
    assert "the data set has changed since this run was started: 0 added, 0 removed, 12" in capsys.readouterr().err


def test_a_run_says_that_its_data_must_be_given_again(trained, tmp_path, monkeypatch):
    with pytest.raises(BadValueError, match=r"is not kept: give the same again, as in resume\(run, data="):
        Toy.resume(trained.run_folder)
    with pytest.raises(BadValueError, match="was trained without test_data"):
        Toy.resume(trained.run_folder, data=DIGITS, test_data=DIGITS)
    with pytest.raises(BadValueError, match=r"Toy.resume\('.*run', data=..., epochs=4\)"):
        Toy.resume(trained.run_folder, data=DIGITS)
    assert commands(trained.run_folder, "toy", trained.run.config)["resume"].startswith("Toy.resume(")
    assert "python" not in trained.run.how_to_resume()
    with pytest.raises(BadValueError, match="was trained without data given from Python"):
        run_folder.check_given(tmp_path, {"data": None}, ["data"])


@pytest.mark.slow
def test_pairs_from_python_have_grids_figures_and_an_evaluation(tmp_path):
    pairs = Batches(A, B)
    gan = Pix2Pix(data=pairs, img_shape=(32, 32, 3), gf=2, df=2, seed=0, output=tmp_path / "run")
    gan.train(epochs=1, batch_size=2, steps_per_epoch=1, quiet=True)
    assert list((tmp_path / "run" / "images").glob("*.png"))
    assert "L1_A_to_B" in (tmp_path / "run" / "held_out.csv").read_text()
    folder, figures = evaluate(tmp_path / "run", data=pairs, extractor=lambda images: images[:, 0, 0])
    assert (folder.name, figures["directions"]["AtoB"]["pictures"]) == ("arrays", 3)
    with pytest.raises(BadValueError, match=r"evaluate\(run, data="):
        evaluate(tmp_path / "run", extractor=lambda images: images[:, 0, 0])
    found = type("Found", (), {"config": gan.run.config, "run": tmp_path / "run"})
    assert not is_side_by_side(found)
