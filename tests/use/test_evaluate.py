"""Metrics compared with their formulas, and `keras_gan.evaluate` on runs."""

import contextlib
import csv
import functools
import importlib.util
import itertools
import json
import socket
import subprocess
import sys
import types
import urllib.error

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from support.pictures import opened
from support.runs import copy_run

from keras_gan import evaluate
from keras_gan.errors import BadValueError
from keras_gan.evaluate import held_out
from keras_gan.evaluate.__main__ import main, text_of
from keras_gan.images import metrics

pytest.importorskip("skimage", reason="needs scikit-image (extra metrics)")
pytestmark = pytest.mark.usefixtures("opening_once")

needs_fidelity = pytest.mark.skipif(
    importlib.util.find_spec("torch_fidelity") is None, reason="needs torch-fidelity (extra metrics)"
)


def noise(count, height=16, width=12, channels=3, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, height, width, channels)).astype("float32")


def colours(pictures):
    """A small extractor, the mean colours of the quarters: uint8 (batch, height, width, 3) to (batch, 12)."""
    assert pictures.dtype == np.uint8 and pictures.shape[3] == 3
    n, height, width, _ = pictures.shape
    quarters = pictures[:, : height // 2 * 2, : width // 2 * 2].reshape(n, 2, height // 2, 2, width // 2, 3)
    return quarters.mean(axis=(2, 4)).reshape(n, -1) / 255


def some_pictures(folder, count, seed, names="{}.png"):
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), "uint8")
    for i, picture in enumerate(pixels):
        Image.fromarray(picture).resize((32, 32)).save(folder / names.format(i))


@pytest.fixture
def unpaired(tmp_path):
    for seed, (split, count) in enumerate((("trainA", 6), ("trainB", 7), ("testA", 4), ("testB", 5))):
        some_pictures(tmp_path / "unpaired" / split, count, seed)
    return tmp_path / "unpaired"


@pytest.fixture
def labelled(tmp_path):
    """A data set of ten classes: two pictures of each to train on, one held out."""
    for number in range(10):
        some_pictures(tmp_path / "photos" / "train" / str(number), 2, seed=number)
        some_pictures(tmp_path / "photos" / "test" / str(number), 1, seed=10 + number)
    return tmp_path / "photos"


def ssim(x, y, full):
    """Wang et al., 2004, with a square window of 7x7, in plain NumPy."""
    x, y = (sliding_window_view(np.asarray(image, "float64"), (7, 7), axis=(0, 1)) for image in (x, y))
    mean_x, mean_y = x.mean(axis=(3, 4)), y.mean(axis=(3, 4))
    var_x, var_y = x.var(axis=(3, 4), ddof=1), y.var(axis=(3, 4), ddof=1)
    covariance = ((x - mean_x[..., None, None]) * (y - mean_y[..., None, None])).sum(axis=(3, 4)) / 48
    c1, c2 = (0.01 * full) ** 2, (0.03 * full) ** 2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return (similarity / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean()


@pytest.mark.parametrize("value_range", [(-1, 1), (0, 1)])
def test_pair_metrics_match_their_formulas(value_range):
    low, high = value_range
    images = (noise(4) + 1) / 2 * (high - low) + low
    others = np.clip(images + 0.1 * noise(4, seed=1), low, high)
    error = ((images - others) ** 2).mean(axis=(1, 2, 3))
    expected = [np.abs(a - b).mean() for a, b in zip(images, others, strict=True)]
    np.testing.assert_allclose(metrics.l1_each(images, others), expected, rtol=1e-5)
    np.testing.assert_allclose(
        metrics.psnr_each(images, others, value_range), 10 * np.log10((high - low) ** 2 / error), rtol=1e-5
    )
    expected = [ssim(a, b, high - low) for a, b in zip(images, others, strict=True)]
    np.testing.assert_allclose(metrics.ssim_each(images, others, value_range), expected, rtol=1e-4)
    assert np.isinf(metrics.psnr_each(images, images, value_range)).all()


def test_nearest_and_diversity():
    images = noise(20)
    found, l1 = metrics.nearest(images[::-1], images)
    assert found.tolist() == list(range(19, -1, -1)) and np.allclose(l1, 0)
    same = metrics.diversity(np.repeat(images[:1], 5, axis=0), (-1, 1), pairs=20)
    assert same == {"L1": 0, "SSIM": pytest.approx(1)}
    many = metrics.diversity(images, (-1, 1))
    assert many["L1"] == pytest.approx(2 / 3, abs=0.02) and abs(many["SSIM"]) < 0.1  # of uniform noise in [-1, 1]
    assert metrics.diversity(images[:1], (-1, 1)) == {"L1": None, "SSIM": None}


def heap_of(count, seed, low=-1.0, high=1.0):
    """Features of pictures of uniform noise between two values."""
    return metrics.features_of(colours, (noise(count, seed=seed) + 1) / 2 * (high - low) + low, (-1, 1))


def fid_by_root(x, y):
    """FID by Heusel et al., 2017, with the matrix square root of the product of the covariances."""
    from scipy.linalg import sqrtm

    here, there = np.cov(x.T.astype("float64")), np.cov(y.T.astype("float64"))
    apart = x.mean(axis=0, dtype="float64") - y.mean(axis=0, dtype="float64")
    return (apart**2).sum() + np.trace(here + there - 2 * sqrtm(here @ there).real)


def kid_by_pairs(x, y):
    """KID pair by pair: the unbiased estimate of Gretton et al., 2012, with the kernel of Binkowski et al., 2018."""

    def kernel(a, b):
        return (sum(float(i) * float(j) for i, j in zip(a, b, strict=True)) / len(a) + 1) ** 3

    within = [np.mean([kernel(a, b) for a, b in itertools.permutations(heap, 2)]) for heap in (x, y)]
    return sum(within) - 2 * np.mean([kernel(a, b) for a in x for b in y])


def test_fid_matches_its_formula():
    x, y = heap_of(60, seed=0), heap_of(50, seed=1, low=-0.9, high=0.4)
    found = metrics.distances(x, y)
    assert found["FID"] == pytest.approx(fid_by_root(x, y), rel=1e-6) and found["pictures"] == [60, 50]
    assert found["FID"] > 0.1 and metrics.distances(y, x)["FID"] == pytest.approx(found["FID"], rel=1e-6)
    assert metrics.distances(x, x)["FID"] == pytest.approx(0, abs=1e-6)


def test_fid_with_fewer_pictures_than_features():
    """For singular covariances the trace of the root is the sum of the singular values of their factors' product."""
    x, y = heap_of(7, seed=0), heap_of(5, seed=1, high=0.5)
    here, there = ((heap - heap.mean(axis=0)) / np.sqrt(len(heap) - 1) for heap in (x, y))
    apart = ((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum()
    root = np.linalg.svd(here @ there.T, compute_uv=False).sum()
    expected = apart + (here**2).sum() + (there**2).sum() - 2 * root
    assert metrics.distances(x, y)["FID"] == pytest.approx(expected, abs=1e-5)


def test_kid_of_equally_many_pictures_matches_its_formula():
    x, y = heap_of(9, seed=0), heap_of(9, seed=1, low=-0.9, high=0.4)
    assert metrics.distances(x, y)["KID"] == pytest.approx(kid_by_pairs(x, y), rel=1e-9)


@pytest.mark.parametrize("most", [1000, 4])
def test_kid_is_the_mean_over_a_hundred_subsets(monkeypatch, most):
    """The subset size is limited by the smaller set, or by `KID_SUBSET`."""
    assert metrics.KID_SUBSET == 1000  # of the paper
    monkeypatch.setattr(metrics, "KID_SUBSET", most)
    x, y, size = heap_of(7, seed=0), heap_of(5, seed=1, high=0.5), min(most, 5)
    random, expected = np.random.RandomState(2020), []
    for _ in range(100):
        of_x = x[random.choice(7, size, replace=False)]
        expected.append(kid_by_pairs(of_x, y[random.choice(5, size, replace=False)]))
    assert metrics.distances(x, y)["KID"] == pytest.approx(np.mean(expected), rel=1e-9)
    assert np.std(expected) > 1e-3  # they are not the same pictures each time


def test_fid_and_kid_need_two_pictures():
    x = heap_of(3, seed=0)
    for here, there, counts in ((x[:1], x, [1, 3]), (x, x[:1], [3, 1]), (x[:0], x, [0, 3])):
        assert metrics.distances(here, there) == {"FID": None, "KID": None, "pictures": counts}
    assert None not in metrics.distances(x[:2], x[1:]).values()


@needs_fidelity
def test_fid_and_kid_match_torch_fidelity():
    metrics.torch_fidelity()
    import torch
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

    x, y = heap_of(60, seed=0), heap_of(50, seed=1, low=-0.9, high=0.4)
    heaps = [torch.from_numpy(heap.astype("float64")) for heap in (x, y)]
    fid = fid_statistics_to_metric(*map(fid_features_to_statistics, heaps), verbose=False)[KEY_METRIC_FID]
    kid = kid_features_to_metric(*heaps, kid_subset_size=50, verbose=False)[KEY_METRIC_KID_MEAN]
    assert metrics.distances(x, y) == {
        "FID": pytest.approx(fid, rel=1e-9),
        "KID": pytest.approx(kid, rel=1e-9),
        "pictures": [60, 50],
    }


class Tensor:
    """A stub of a PyTorch tensor."""

    def __init__(self, array):
        assert all(stride > 0 for stride in array.strides) and array.flags.writeable  # it takes no others
        self.array = array

    def numpy(self):
        return self.array


@pytest.fixture
def torch_stand_in(monkeypatch):
    """Stubs of PyTorch and torch-fidelity.

    Returns:
        A namespace: `asked`, what the network was made of, and `fault`, an exception that making it raises. Its
        features are the pixels themselves: all of the first channel, row by row, then those of the next.
    """
    told = types.SimpleNamespace(asked=[], fault=None, seconds=[], records=True)

    class Network:
        def __init__(self, name, features_list):
            told.asked.append((name, features_list))
            told.seconds.append(socket.getdefaulttimeout())
            if told.fault:
                raise told.fault

        def __call__(self, tensor):
            assert not told.records  # gradients
            assert tensor.array.dtype == np.uint8 and tensor.array.ndim == 4 and tensor.array.shape[1] == 3
            flat = tensor.array.reshape(len(tensor.array), -1).astype("float32")
            return (Tensor(np.pad(flat, ((0, 0), (0, 2048 - flat.shape[1])))),)

    @contextlib.contextmanager
    def no_grad():
        told.records = False
        yield
        told.records = True

    modules = {name: types.ModuleType(name) for name in ("torch", "torch_fidelity")}
    modules["torch"].Tensor, modules["torch"].from_numpy, modules["torch"].no_grad = Tensor, Tensor, no_grad
    inner = "torch_fidelity.feature_extractor_inceptionv3"
    modules["torch_fidelity"].FeatureExtractorInceptionV3 = Network
    modules[inner] = types.ModuleType(inner)
    modules[inner].URL_INCEPTION_V3 = "https://weights.example"
    for name, module in (modules | {"triton": None}).items():
        monkeypatch.setitem(sys.modules, name, module)
    return told


def as_channels_first(pictures):
    """uint8 (batch, height, width, 3) pixel by pixel as (batch, 3, height, width)."""
    batch, height, width, _ = pictures.shape
    found = np.zeros((batch, 3, height, width), "uint8")
    for number, row, column, channel in np.ndindex(pictures.shape):
        found[number, channel, row, column] = pictures[number, row, column, channel]
    return found


def test_inception_gets_rgb_and_returns_2048_features(torch_stand_in):
    extractor = metrics.Inception()
    assert torch_stand_in.asked == [("inception-v3-compat", ["2048"])]
    assert torch_stand_in.seconds == [30] and socket.getdefaulttimeout() is None
    pictures = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), "uint8")
    features = extractor(pictures)
    assert features.shape == (2, 2048) and features.dtype == np.float32
    np.testing.assert_array_equal(features[:, :105].reshape(2, 3, 5, 7), as_channels_first(pictures))
    gray = metrics.features_of(extractor, pictures[..., :1] / np.float32(255), (0, 1))
    assert gray.shape == (2, 2048) and gray.dtype == np.float32
    np.testing.assert_array_equal(
        gray[:, :105].reshape(2, 3, 5, 7), as_channels_first(np.repeat(pictures[..., :1], 3, axis=3))
    )


@needs_fidelity
def test_inception_matches_torch_fidelity_with_downloaded_weights(monkeypatch):
    """The weights are on the web: random ones replace them, from a network made by the library alone."""
    metrics.torch_fidelity()
    import torch
    import torch_fidelity.feature_extractor_inceptionv3 as module

    torch.manual_seed(0)
    with monkeypatch.context() as patch:
        patch.setattr(module, "load_state_dict_from_url", lambda url, **_: None)
        patch.setattr(torch.nn.Module, "load_state_dict", lambda self, state: None)
        reference = module.FeatureExtractorInceptionV3("reference", ["2048"])
    for kernel in (weight for weight in reference.parameters() if weight.ndim == 4):
        torch.nn.init.kaiming_normal_(kernel)  # so that a picture can be told by its features
    asked = []
    fetched = lambda url, **_: asked.append(url) or reference.state_dict()  # noqa: E731
    monkeypatch.setattr(module, "load_state_dict_from_url", fetched)
    extractor = metrics.Inception()
    assert asked == [module.URL_INCEPTION_V3]
    pictures = np.random.default_rng(0).integers(0, 256, (2, 10, 15, 3), "uint8")
    (expected,) = reference(torch.from_numpy(as_channels_first(pictures)))
    features = extractor(pictures)
    assert features.shape == (2, 2048) and features.dtype == np.float32
    np.testing.assert_allclose(features, expected.numpy(), rtol=1e-4, atol=1e-6)
    assert not np.allclose(extractor(pictures[..., ::-1]), features, rtol=0.01, atol=1e-4)


def test_torch_fidelity_can_be_imported_after_tensorflow(tmp_path):
    """Importing triton would crash the process: a stub exits at once."""
    (tmp_path / "triton.py").write_text("import os\nos._exit(99)\n")
    (tmp_path / "torch_fidelity.py").write_text("try:\n    import triton\nexcept ImportError:\n    pass\n")
    (tmp_path / "tensorflow.py").touch()
    for script, status in (
        ("import tensorflow, torch_fidelity", 99),
        ("import tensorflow\nfrom keras_gan.images import metrics\nprint(metrics.torch_fidelity().__name__)", 0),
    ):
        run = [sys.executable, "-c", f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n{script}"]
        assert subprocess.run(run, timeout=60).returncode == status


def check_left_out(capsys):
    assert evaluate.inception()[0] is None
    said = capsys.readouterr().err
    assert "FID and KID are left out" in said and "no network" in said and said.count("\n") == 1


def test_a_failed_download_of_weights_is_reported(torch_stand_in, capsys):
    for torch_stand_in.fault in (urllib.error.URLError("no network"), RuntimeError("no network: half a file")):
        check_left_out(capsys)
    assert socket.getdefaulttimeout() is None


@needs_fidelity
def test_a_failed_download_in_torch_fidelity_is_reported(monkeypatch, capsys):
    metrics.torch_fidelity()
    import torch_fidelity.feature_extractor_inceptionv3 as module

    def fails(url, **_):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(module, "load_state_dict_from_url", fails)
    check_left_out(capsys)


def test_missing_packages_name_the_extra(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    assert evaluate.inception()[0] is None
    assert 'pip install ".[metrics]" in ' in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(BadValueError, match=r'needs scikit-image: python -m pip install "\.\[metrics\]"'):
        metrics.check_metrics()


def no_inception(monkeypatch):
    monkeypatch.setattr(evaluate, "inception", lambda: (None, "not here"))


def test_pairs_are_scored_against_their_targets(saved, tmp_path, paired_folder, monkeypatch):
    no_inception(monkeypatch)
    gan, folder = saved("discogan")
    run = copy_run(folder, tmp_path / "run", dataset_name=str(paired_folder))
    folder, figures = evaluate.evaluate(run)
    assert folder == run / "evaluation" / "pairs"
    A, B = -np.ones((2, 2, 32, 32, 3), "float32")
    for i, brightness in enumerate((100, 120)):  # the flat red and blue halves
        A[i, ..., 0] = B[i, ..., 2] = brightness / 127.5 - 1
    for way, network, sources, targets in (("AtoB", gan.g_AB, A, B), ("BtoA", gan.g_BA, B, A)):
        expected = np.abs(network.predict(sources, verbose=0) - targets).mean(axis=(1, 2, 3))
        with open(folder / f"{way}.csv") as file:
            rows = list(csv.DictReader(file))
        np.testing.assert_allclose([float(row["L1"]) for row in rows], expected, rtol=1e-4)
        assert [row["picture"][-5:] for row in rows] == ["0.png", "1.png"] and set(rows[0]) >= {"PSNR", "SSIM"}
        part = figures["directions"][way]
        assert part["pictures"] == 2 and part["means"]["L1 (in [-1, 1])"] == pytest.approx(expected.mean(), rel=1e-4)
        assert opened(folder / f"{way}.png").width > 3 * 128
    kept = json.loads((folder / "figures.json").read_text())
    assert kept["FID and KID left out"] == "not here" and kept["directions"] == figures["directions"]
    assert "iteration 0" in kept["networks"]["g_AB.keras"]
    assert "AtoB: 2 held-out pictures of pairs" in text_of(figures)


def test_unpaired_pictures_are_scored_by_their_cycle(saved, tmp_path, unpaired):
    gan, folder = saved("cyclegan")
    run = copy_run(folder, tmp_path / "run", dataset_name=str(unpaired))
    (unpaired / "testB" / "broken.png").write_text("no picture")
    _, figures = evaluate.evaluate(run, extractor=colours)
    both = figures["directions"]
    assert (both["AtoB"]["pictures"], both["BtoA"]["pictures"]) == (4, 5)
    images = np.stack([np.asarray(opened(unpaired / "testA" / f"{i}.png")) for i in range(4)]) / np.float32(255)
    there = gan.g_AB.predict(images, verbose=0)
    back = gan.g_BA.predict(there, verbose=0)
    assert both["AtoB"]["means"]["L1 there and back (in [0, 1])"] == pytest.approx(
        np.abs(back - images).mean(), rel=1e-4
    )
    heaps = both["AtoB"]["heaps"]
    assert heaps["translated against real"]["pictures"] == [4, 5]
    assert heaps["real against real (of training)"]["pictures"] == [5, 5]
    targets = np.stack([np.asarray(opened(unpaired / "testB" / f"{i}.png")) for i in range(5)])
    for name, pictures in (("source against real", images), ("translated against real", there)):
        expected = metrics.distances(colours((255 * pictures).round().astype("uint8")), colours(targets))
        assert heaps[name]["FID"] == pytest.approx(expected["FID"], rel=1e-3)
        assert heaps[name]["KID"] == pytest.approx(expected["KID"], rel=1e-3)


@pytest.mark.parametrize(("name", "data"), [("discogan", "paired_folder"), ("cyclegan", "unpaired")])
def test_pieces_of_the_work_give_the_same_figures(name, data, saved, tmp_path, request, monkeypatch):
    """One piece has a damaged picture alone, the last is shorter."""
    data = request.getfixturevalue(data)
    place = data / "val" if name == "discogan" else data / "testA"
    wide = 64 if name == "discogan" else 32
    for number in range(4):
        Image.new("RGB", (wide, 32), (60 * number, 0, 255)).save(place / f"more{number}.png")
    (place / "middle.png").write_text("no picture")  # sorted before those
    run = copy_run(saved(name)[1], tmp_path / "run", dataset_name=str(data))
    _, whole = evaluate.evaluate(run, extractor=colours)
    tables = {path.name: path.read_text() for path in (run / "evaluation").rglob("*.csv")}
    for span in (1, 3):
        monkeypatch.setattr(held_out.Here, "span", span)
        _, figures = evaluate.evaluate(run, extractor=colours)
        for way, part in whole["directions"].items():
            other = figures["directions"][way]
            assert other["pictures"] == part["pictures"]
            assert other["means"] == pytest.approx(part["means"], rel=1e-5)
            for title, distances in part["heaps"].items():
                if "training" not in title:  # of which other ones are chosen
                    assert other["heaps"][title]["KID"] == pytest.approx(distances["KID"], rel=1e-4, abs=1e-9), title
                assert other["heaps"][title]["pictures"] == distances["pictures"]
        for path in (run / "evaluation").rglob("*.csv"):
            assert [line.split(",")[0] for line in path.read_text().splitlines()] == [
                line.split(",")[0] for line in tables[path.name].splitlines()
            ]


def test_no_held_out_picture_can_be_read(saved, tmp_path, unpaired):
    run = copy_run(saved("cyclegan")[1], tmp_path / "run", dataset_name=str(unpaired))
    for path in (unpaired / "testB").iterdir():
        path.write_text("no picture")
    with pytest.raises(BadValueError, match="none of the 5 held-out pictures can be read"):
        evaluate.evaluate(run, extractor=colours)


@pytest.mark.parametrize("name", ["dcgan", "cgan"])
def test_generators_from_noise_are_scored(name, saved, tmp_path, labelled, monkeypatch):
    monkeypatch.setattr(held_out, "diversity", functools.partial(metrics.diversity, pairs=30))
    run = copy_run(saved(name)[1], tmp_path / "run", dataset_name=str(labelled))
    folder, figures = evaluate.evaluate(run, extractor=colours)
    part = figures["directions"]["pictures of noise"]
    assert part["pictures"] == 10 and part["heaps"]["pictures of noise against real"]["pictures"] == [10, 10]
    assert set(part["heaps"]) > {"real against real (of training)", "mere noise against real"}
    assert part["means"]["L1 of two of these"] < part["means"]["L1 of two of real"]  # untrained: gray all over
    assert (folder / "pictures_of_noise.png").exists() and (folder / "pictures_of_noise.csv").exists()
    again = evaluate.evaluate(run, extractor=colours)[1]
    assert again == figures  # the same noise


def test_other_data_and_bad_input(saved, tmp_path, paired_folder, monkeypatch, capsys):
    no_inception(monkeypatch)
    copy_run(saved("pix2pix")[1], tmp_path / "run", dataset_name=str(paired_folder))
    paired_folder.rename(tmp_path / "moved")
    main([str(tmp_path / "run"), "--data", str(tmp_path / "moved")])
    said = capsys.readouterr().out
    folder = tmp_path / "run" / "evaluation" / "moved"
    assert "AtoB: 2 held-out pictures of moved" in said
    assert said.endswith(f" pictures: tables and sheets are in {folder}.\n")
    assert (folder / "figures.json").exists()
    for arguments, message in (
        ([tmp_path / "nowhere"], "there is no such folder"),
        ([tmp_path / "moved"], "is not the folder of a run"),
        ([tmp_path / "run", "--data", "nowhere"], "no data set 'nowhere'"),
        ([tmp_path / "run", "--data", "a", "b", "c"], "takes at most 2 data set(s), not 3"),
    ):
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr().err
        assert stop.value.code == 2 and said.count("\n") == 1 and message in said


def test_help_needs_no_keras():
    script = (
        "import sys, runpy; sys.argv = ['evaluate', '--help']\n"
        "try: runpy.run_module('keras_gan.evaluate', run_name='__main__')\n"
        "finally: assert not {'keras', 'tensorflow', 'jax', 'torch', 'skimage'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "--data" in done.stdout, done.stderr
