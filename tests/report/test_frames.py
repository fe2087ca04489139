from pathlib import Path
from types import SimpleNamespace

import imageio.v3 as imageio
import numpy as np
import pytest
from PIL import Image, ImageSequence

from keras_gan.report import curves, frames
from keras_gan.report.callbacks import SampleImages, spacing
from keras_gan.report.frames import animate, frame_paths, thin

pytestmark = pytest.mark.reports


def make_frames(folder, iterations, size=(40, 31)):
    folder.mkdir(parents=True, exist_ok=True)
    for iteration in iterations:
        Image.new("RGB", size, (iteration % 256, 0, 0)).save(folder / f"{iteration:07}.png")


def test_frames_stay_few_and_evenly_spread(tmp_path):
    for iteration in range(1, 20_000, 50):
        make_frames(tmp_path, [iteration])
        thin(tmp_path, most=20)
    at = [int(path.stem) for path in frame_paths(tmp_path)]
    assert len(at) == 20 and at[0] == 1 and at[-1] == 19_951
    gaps = np.diff(at)
    assert gaps.max() <= 4 * gaps.min()


def test_frames_after_the_iteration_are_deleted(tmp_path):
    make_frames(tmp_path / "frames", [1, 201, 1_000_401])
    (tmp_path / "frames" / "mine.png").touch()
    frames.Frames(tmp_path, 201)
    assert [path.name for path in frame_paths(tmp_path / "frames")] == ["0000001.png", "0000201.png"]


@pytest.mark.usefixtures("eagerly")
def test_the_fixed_sample_is_computed_once_at_each_sampling(saved, tmp_path, monkeypatch):
    gan, _ = saved("cgan")
    monkeypatch.setattr(gan.run, "folder", tmp_path)
    counted, usual = [], gan.generator.predict
    monkeypatch.setattr(
        gan.generator, "predict", lambda *inputs, **options: counted.append(1) or usual(*inputs, **options)
    )
    samples = SampleImages(interval=1)
    samples.set_model(gan)
    samples.on_train_begin()
    samples.on_epoch_begin(0)
    samples.on_train_batch_end(0)
    assert samples.newest.exists() and len(frame_paths(tmp_path / "frames")) == 1
    assert len(counted) == 1  # of ten classes, for the grid and for the frame
    assert "fixed_sample" not in vars(gan)


@pytest.fixture
def no_ffmpeg(monkeypatch):
    monkeypatch.setattr(frames.importlib.util, "find_spec", lambda name: None)


def test_the_animation_shows_every_frame(tmp_path, no_ffmpeg):
    assert animate(tmp_path) is None
    make_frames(tmp_path / "frames", [1, 101, 201])
    path = animate(tmp_path)
    assert path.name == "samples.gif"
    with Image.open(path) as animation:
        reds = [frame.convert("RGB").getpixel((5, 5))[0] for frame in ImageSequence.Iterator(animation)]
    assert reds == [1, 101, 201]  # the last one stays for longer


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # ffmpeg's
def test_the_animation_is_an_mp4_if_ffmpeg_is_installed(tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    make_frames(tmp_path / "frames", [1, 101, 201])
    path = animate(tmp_path)
    assert path.name == "samples.mp4"
    film = imageio.imread(path, plugin="FFMPEG")
    assert len(film) >= 3 and film.shape[1:] == (32, 40, 3)  # even sides
    assert film[-1, 5, 5, 0] > film[0, 5, 5, 0] + 150


def test_columns_are_grouped_by_name():
    two = ["iteration", "d_A_learning_rate", "d_A_loss", "d_A_acc", "d_B_loss", "d_B_acc", "d_loss", "d_acc", "g_loss"]
    assert curves.groups([*two, "valid_A_loss"]) == {
        "Generators": ["g_loss", "valid_A_loss"],
        "Discriminators": ["d_A_loss", "d_B_loss", "d_loss"],
        "Discriminator accuracy": ["d_A_acc", "d_B_acc", "d_acc"],
        "Learning rates": ["d_A_learning_rate"],
    }
    one = ["discriminator_loss", "discriminator_acc", "d_loss", "d_acc", "g_loss"]
    assert curves.groups(one)["Discriminators"] == ["discriminator_loss"]
    assert curves.groups(one)["Generators"] == ["g_loss"]


def test_a_curve_is_downsampled_and_skips_nan():
    rows = [{"iteration": i, "g_loss": float("nan") if i == 3 else float(i)} for i in range(1, 2_001)]
    x, y = curves.curve(rows, "g_loss")
    assert len(x) == curves.MOST and np.isfinite(y).all()
    np.testing.assert_allclose(y, x)
    np.testing.assert_allclose(
        curves.smooth(3.0 * np.arange(100)), 3.0 * np.arange(100)
    )  # a line stays so, to its ends
    assert len(curves.smooth(np.ones(3))) == 3
    assert [len(part) for part in curves.curve(rows[2:3], "g_loss")] == [0, 0]


def test_losses_are_drawn_despite_nan_and_negative_values(tmp_path):
    nan = float("nan")
    for rows in (
        [{"iteration": 1, "d_loss": nan, "d_acc": nan, "g_loss": nan}],
        [{"iteration": i, "d_loss": -1.0, "d_acc": 0.5, "g_loss": -float(i)} for i in (10, 20)],
    ):
        curves.save_losses(tmp_path / "losses.png", rows)
        with Image.open(tmp_path / "losses.png") as image:
            assert image.size[0] > 500


@pytest.mark.parametrize("epochs", [1, 2, 20, 59, 60, 61, 200])
@pytest.mark.parametrize("steps", [1, 3, 157, 2000, 10**6])
def test_a_run_saves_60_grids_at_most_unless_asked_for_more(epochs, steps):
    interval, skip = spacing(epochs, steps, least=200)
    saved = len(range(0, epochs, skip)) * len(range(0, steps, interval))
    assert saved <= 59 and interval >= 200  # and the last one
    if epochs * len(range(0, steps, 200)) <= 29:
        assert (interval, skip) == (200, 1)


def sampled(epochs, steps, **options):
    """The (epoch, batch) of the grids of a run."""
    samples, found = SampleImages(**options), []
    samples.set_params({"epochs": epochs, "steps": steps})
    samples.set_model(SimpleNamespace(iteration=0, run_folder=Path("nowhere")))
    samples.sample = lambda: found.append((samples.epoch, samples.batch))
    samples.on_train_begin()
    for epoch in range(epochs):
        samples.on_epoch_begin(epoch)
        for batch in range(steps):
            samples.on_train_batch_end(batch)
    samples.on_train_end()
    return found


def test_the_users_own_interval_is_obeyed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(sampled(20, 2000, interval=200)) == 201
    assert sampled(20, 2000, interval=None, least=200)[:3] == [(0, 0), (0, 1000), (1, 0)]
    assert len(sampled(20, 2000, interval=None, least=200)) == 41
    assert sampled(100, 2, interval=None) == [*((epoch, 0) for epoch in range(0, 100, 2)), (99, 1)]
    assert sampled(2, 3, interval=None, least=2) == [(0, 0), (0, 2), (1, 0), (1, 2)]
