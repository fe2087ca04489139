import csv
import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from test_generators import save_run
from test_translate import opened

from keras_gan import evaluate, scores
from keras_gan.errors import BadValueError

pytest.importorskip("skimage", reason="needs scikit-image (extra metrics)")

if importlib.util.find_spec("torch_fidelity"):
    scores.torch_fidelity()
needs_fidelity = pytest.mark.skipif(
    importlib.util.find_spec("torch_fidelity") is None, reason="needs torch-fidelity (extra metrics)"
)


def noise(count, height=16, width=12, channels=3, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, height, width, channels)).astype("float32")


def colours(pictures):
    """A small extractor: what the quarters of a picture are like. (batch, 12) of uint8 (batch, height, width, 3)."""
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
def test_figures_of_pairs_are_those_of_their_formulas(value_range):
    low, high = value_range
    images = (noise(4) + 1) / 2 * (high - low) + low
    others = np.clip(images + 0.1 * noise(4, seed=1), low, high)
    error = ((images - others) ** 2).mean(axis=(1, 2, 3))
    expected = [np.abs(a - b).mean() for a, b in zip(images, others, strict=True)]
    np.testing.assert_allclose(scores.l1_each(images, others), expected, rtol=1e-5)
    np.testing.assert_allclose(
        scores.psnr_each(images, others, value_range), 10 * np.log10((high - low) ** 2 / error), rtol=1e-5
    )
    expected = [ssim(a, b, high - low) for a, b in zip(images, others, strict=True)]
    np.testing.assert_allclose(scores.ssim_each(images, others, value_range), expected, rtol=1e-4)
    assert np.isinf(scores.psnr_each(images, images, value_range)).all()


def test_nearest_and_diversity():
    images = noise(20)
    found, l1 = scores.nearest(images[::-1], images)
    assert found.tolist() == list(range(19, -1, -1)) and np.allclose(l1, 0)
    assert scores.diversity(np.repeat(images[:1], 5, axis=0), (-1, 1)) == {"L1": 0, "SSIM": pytest.approx(1)}
    many = scores.diversity(images, (-1, 1))
    assert many["L1"] == pytest.approx(2 / 3, abs=0.02) and abs(many["SSIM"]) < 0.1  # of uniform noise in [-1, 1]
    assert scores.diversity(images[:1], (-1, 1)) == {"L1": None, "SSIM": None}


@needs_fidelity
def test_fid_and_kid_are_those_of_their_formulas():
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 6)), rng.normal(0.3, 1.5, size=(50, 6))
    found = scores.distances(x.astype("float32"), y.astype("float32"))
    sigma_x, sigma_y = np.cov(x.T), np.cov(y.T)
    root = sqrtm(sigma_x @ sigma_y).real
    fid = ((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum() + np.trace(sigma_x + sigma_y - 2 * root)
    assert found["FID"] == pytest.approx(fid, rel=1e-4) and found["pictures"] == [60, 50]
    # Of equal numbers every subset is the whole: the unbiased estimate of Gretton et al., pair by pair
    x = x[:50]
    kernel = lambda a, b: (a @ b / 6 + 1) ** 3  # noqa: E731
    within = [[kernel(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j] for z in (x, y)]
    across = [kernel(a, b) for a in x for b in y]
    kid = np.mean(within[0]) + np.mean(within[1]) - 2 * np.mean(across)
    assert scores.distances(x, y)["KID"] == pytest.approx(kid, rel=1e-4)
    assert scores.distances(x, x)["FID"] == pytest.approx(0, abs=1e-6)
    assert scores.distances(x[:1], y)["FID"] is None


@needs_fidelity
def test_inception_is_opened_and_asked_as_it_wants_to_be(monkeypatch):
    """Its weights are on the web: here it has random ones, through the same code."""
    import torch
    import torch_fidelity.feature_extractor_inceptionv3 as module

    asked = []
    monkeypatch.setattr(module, "load_state_dict_from_url", lambda url, **_: asked.append(url) or {})
    monkeypatch.setattr(torch.nn.Module, "load_state_dict", lambda self, state: None)
    extractor = scores.Inception()
    assert asked == [module.URL_INCEPTION_V3]
    images = noise(2, 20, 30, channels=1)
    features = scores.features_of(extractor, images, (-1, 1))
    assert features.shape == (2, 2048) and features.dtype == np.float32 and np.isfinite(features).all()
    pixels = torch.from_numpy(np.repeat(np.moveaxis(np.rint(255 * (images + 1) / 2).astype("uint8"), 3, 1), 3, axis=1))
    np.testing.assert_allclose(features, extractor.network(pixels)[0].numpy(), atol=1e-5)


def test_torch_fidelity_is_imported_beside_tensorflow(tmp_path):
    """Triton, which it asks for where there is one, would end the process: here one that does so at once."""
    (tmp_path / "triton.py").write_text("import os\nos._exit(99)\n")
    (tmp_path / "torch_fidelity.py").write_text("try:\n    import triton\nexcept ImportError:\n    pass\n")
    (tmp_path / "tensorflow.py").touch()
    for script, status in (
        ("import tensorflow, torch_fidelity", 99),
        ("import tensorflow\nfrom keras_gan import scores\nprint(scores.torch_fidelity().__name__)", 0),
    ):
        run = [sys.executable, "-c", f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n{script}"]
        assert subprocess.run(run, timeout=60).returncode == status


@needs_fidelity
def test_weights_that_cannot_be_fetched_are_said_so(monkeypatch, capsys):
    import urllib.error

    import torch_fidelity.feature_extractor_inceptionv3 as module

    def fails(url, **_):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(module, "load_state_dict_from_url", fails)
    assert evaluate.inception()[0] is None
    said = capsys.readouterr().err
    assert "FID and KID are left out" in said and "no network" in said and said.count("\n") == 1


def test_missing_packages_name_the_extra(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    assert evaluate.inception()[0] is None
    assert "pip install 'keras-gan[metrics]'" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(BadValueError, match=r"needs scikit-image: pip install 'keras-gan\[metrics\]'"):
        scores.check_metrics()


def no_inception(monkeypatch):
    monkeypatch.setattr(evaluate, "inception", lambda: (None, "not here"))


def test_pairs_are_scored_against_their_partners(tmp_path, paired_folder, monkeypatch):
    no_inception(monkeypatch)
    gan = save_run(tmp_path / "run", "discogan", dataset_name=str(paired_folder))
    folder, figures = evaluate.evaluate(tmp_path / "run")
    assert folder == tmp_path / "run" / "evaluation" / "pairs"
    A, B = next(gan.data_loader.load_batch(2, is_testing=True))
    for way, network, sources, targets in (("AtoB", gan.g_AB, A, B), ("BtoA", gan.g_BA, B, A)):
        expected = np.abs(network.predict(sources, verbose=0) - targets).mean(axis=(1, 2, 3))
        with open(folder / f"{way}.csv") as file:
            rows = list(csv.DictReader(file))
        np.testing.assert_allclose([float(row["L1"]) for row in rows], expected, rtol=1e-4)
        assert [row["picture"][-5:] for row in rows] == ["0.png", "1.png"] and set(rows[0]) >= {"PSNR", "SSIM"}
        part = figures["directions"][way]
        assert part["pictures"] == 2 and part["means"]["L1 (in [-1, 1])"] == pytest.approx(expected.mean(), rel=1e-4)
        assert opened(folder / f"{way}.png").width > 3 * 128
    saved = json.loads((folder / "figures.json").read_text())
    assert saved["FID and KID left out"] == "not here" and saved["directions"] == figures["directions"]
    assert "iteration 0" in saved["networks"]["g_AB.keras"]
    assert "AtoB: 2 held-out pictures of pairs" in evaluate.text_of(figures)


@needs_fidelity
def test_unpaired_pictures_go_there_and_back(tmp_path, unpaired):
    gan = save_run(tmp_path / "run", "cyclegan unet", dataset_name=str(unpaired))
    (unpaired / "testB" / "broken.png").write_text("no picture")
    _, figures = evaluate.evaluate(tmp_path / "run", extractor=colours)
    both = figures["directions"]
    assert (both["AtoB"]["pictures"], both["BtoA"]["pictures"]) == (4, 5)
    images = np.stack([np.asarray(opened(unpaired / "testA" / f"{i}.png")) for i in range(4)]) / np.float32(255)
    back = gan.g_BA.predict(gan.g_AB.predict(images, verbose=0), verbose=0)
    assert both["AtoB"]["means"]["L1 there and back (in [0, 1])"] == pytest.approx(
        np.abs(back - images).mean(), rel=1e-4
    )
    heaps = both["AtoB"]["heaps"]
    assert heaps["translated against real"]["pictures"] == [4, 5]
    assert heaps["real against real (of training)"]["pictures"] == [5, 5]
    targets = np.stack([np.asarray(opened(unpaired / "testB" / f"{i}.png")) for i in range(5)])
    sources = (255 * images).round().astype("uint8")
    expected = scores.distances(colours(sources), colours(targets))
    assert heaps["source against real"]["FID"] == pytest.approx(expected["FID"], rel=1e-3)


@needs_fidelity
@pytest.mark.parametrize("name", ["dcgan", "cgan"])
def test_pictures_of_noise(name, tmp_path):
    for seed, (split, count) in enumerate((("train", 6), ("test", 5))):
        for label in ("cat", "dog"):
            some_pictures(tmp_path / "photos" / split / label, count, seed)
    save_run(tmp_path / "run", name, dataset_name=str(tmp_path / "photos"), img_shape=(32, 32, 3))
    folder, figures = evaluate.evaluate(tmp_path / "run", extractor=colours)
    part = figures["directions"]["pictures of noise"]
    assert part["pictures"] == 10 and part["heaps"]["pictures of noise against real"]["pictures"] == [10, 10]
    assert set(part["heaps"]) > {"real against real (of training)", "mere noise against real"}
    assert part["means"]["L1 of two of these"] < part["means"]["L1 of two of real"]  # untrained: gray all over
    assert (folder / "pictures_of_noise.png").exists() and (folder / "pictures_of_noise.csv").exists()
    again = evaluate.evaluate(tmp_path / "run", extractor=colours)[1]
    assert again == figures  # the same noise


def test_other_data_and_bad_input(tmp_path, paired_folder, unpaired, monkeypatch, capsys):
    no_inception(monkeypatch)
    save_run(tmp_path / "run", "pix2pix", dataset_name=str(paired_folder))
    (paired_folder.rename(tmp_path / "moved"))
    folder, _ = evaluate.evaluate(tmp_path / "run", tmp_path / "moved")
    assert folder.name == "moved"
    for arguments, message in (
        ([tmp_path / "nowhere"], "there is no such folder"),
        ([tmp_path / "moved"], "is not the folder of a run"),
        ([tmp_path / "run", "--data", "nowhere"], "no data set 'nowhere'"),
        ([tmp_path / "run", "--data", "a", "b", "c"], "is 2 at most, not 3"),
    ):
        with pytest.raises(SystemExit) as stop:
            evaluate.main([str(argument) for argument in arguments])
        said = capsys.readouterr().err
        assert stop.value.code == 2 and said.count("\n") == 1 and message in said


def test_help_needs_no_keras():
    script = (
        "import sys, runpy; sys.argv = ['evaluate', '--help']\n"
        "try: runpy.run_module('keras_gan.evaluate', run_name='__main__')\n"
        "finally: assert not {'keras', 'tensorflow', 'jax', 'torch', 'skimage'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0 and "--data" in done.stdout, done.stderr
