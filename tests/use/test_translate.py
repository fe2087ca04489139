"""Translating pictures, animations and videos: names, sizes, frames, unreadable files.

That the same picture gets the same answer from the command and from all else is in test_same_answer.py.
"""

import itertools
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image
from support.commands import translate_here as command
from support.pictures import opened

import keras_gan.translate.__main__
from keras_gan import generators, translate
from keras_gan.errors import BadValueError
from keras_gan.images import video
from keras_gan.images.arrays import read_array
from keras_gan.translate import tiles

pytestmark = pytest.mark.usefixtures("opening_once")

#: The plugin of imageio leaves the pipes of ffmpeg to the garbage collector.
leaves_pipes = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def run_folder(saved):
    """The folder of a run of a tiny pix2pix: pictures of 32x32."""
    return saved("pix2pix")[1]


@pytest.fixture
def photos(tmp_path):
    """A folder of pictures of several kinds and sizes."""
    rng = np.random.default_rng(0)
    (tmp_path / "photos" / "more").mkdir(parents=True)
    for name, size in (("10.png", (32, 32)), ("2.jpg", (50, 40)), ("more/gray.png", (20, 30))):
        pixels = rng.integers(0, 255, (*size[::-1], 3), "uint8")
        image = Image.fromarray(pixels)
        (image.convert("L") if "gray" in name else image).save(tmp_path / "photos" / name)
    return tmp_path / "photos"


def noise(height, width, channels=3, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (height, width, channels)).astype("float32")


def test_names_order_and_subfolders_are_kept(run_folder, photos, tmp_path, capsys):
    assert command(run_folder, photos, "--output", tmp_path / "out", "--grid") == 0
    assert "Translated 3 of 3" in capsys.readouterr().out
    out = tmp_path / "out"
    assert {str(path.relative_to(out)) for path in out.rglob("*.png")} == {
        "2.png",
        "10.png",
        "more/gray.png",
        "grid.png",
    }
    for name in ("2.png", "10.png", "more/gray.png"):
        assert opened(out / name).size == (32, 32)  # as in training


@pytest.mark.parametrize(("size", "expected"), [("original", (50, 40)), (20, (25, 20)), (None, (32, 32))])
def test_sizes(run_folder, photos, tmp_path, size, expected):
    options = [] if size is None else ["--size", size]
    assert command(run_folder, photos / "2.jpg", "--output", tmp_path / "out", *options) == 0
    assert opened(tmp_path / "out" / "2.png").size == expected


def test_exif_and_alpha(run_folder, tmp_path):
    tall = Image.new("RGB", (32, 16), "black")
    exif = tall.getexif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    tall.save(tmp_path / "turned.jpg", exif=exif)
    Image.new("RGBA", (32, 32), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("RGB", (32, 32), "white").save(tmp_path / "white.png")
    given = [tmp_path / name for name in ("turned.jpg", "clear.png", "white.png")]
    assert command(run_folder, *given, "--output", tmp_path / "out", "--size", "original") == 0
    assert opened(tmp_path / "out" / "turned.png").size == (16, 32)
    clear, white = (np.asarray(opened(tmp_path / "out" / name)) for name in ("clear.png", "white.png"))
    np.testing.assert_array_equal(clear, white)


def test_globs_and_names_that_differ_by_their_endings(run_folder, photos, tmp_path):
    opened(photos / "2.jpg").save(photos / "2.png")
    assert command(run_folder, photos / "2.*", "--output", tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["2.jpg.png", "2.png.png"]


def test_broken_pictures_are_reported_and_skipped(run_folder, photos, tmp_path, capsys):
    (photos / "3.png").write_text("no picture")
    whole = (photos / "10.png").read_bytes()
    (photos / "4.png").write_bytes(whole[: len(whole) // 2])
    assert command(run_folder, photos, "--output", tmp_path / "out") == 0
    said = capsys.readouterr()
    assert "3.png: not a picture" in said.err and "4.png" in said.err
    assert "Translated 3 of 5" in said.out and "skipped 2" in said.out


def moving(path, count=5, size=(24, 16)):
    """An animation or a video of a black square moving over white; its position tells the frame."""
    frames = []
    for i in range(count):
        frame = np.full((*size[::-1], 3), 255, "uint8")
        frame[4:8, 4 * i : 4 * i + 4] = 0
        frames.append(frame)
    if path.suffix == ".gif":
        images = [Image.fromarray(frame) for frame in frames]
        images[0].save(path, save_all=True, append_images=images[1:], duration=[40, 80, 120, 160, 200][:count], loop=0)
    else:
        import imageio.v3 as imageio

        imageio.imwrite(path, np.stack(frames), extension=".mp4", plugin="FFMPEG", fps=10, macro_block_size=2)
    return frames


def test_animations_keep_frames_and_durations(run_folder, tmp_path):
    frames = moving(tmp_path / "walk.gif")
    assert command(run_folder, tmp_path / "walk.gif", "--output", tmp_path / "out", "--size", "original") == 0
    expected = translate(run_folder, frames)
    with Image.open(tmp_path / "out" / "walk.gif") as result:
        assert result.n_frames == 5 and result.size == (24, 16)
        for i, duration in enumerate([40, 80, 120, 160, 200]):
            result.seek(i)
            assert result.info["duration"] == duration
            shown = np.asarray(result.convert("RGB"), "float32")
            distances = [np.abs(shown - other).mean() for other in expected]
            assert np.argmin(distances) == i  # in order, up to the 256 colours of a GIF


@leaves_pipes
@pytest.mark.parametrize("name", ["walk.gif", "walk.mp4"])
def test_the_sheet_shows_the_first_frame(run_folder, tmp_path, monkeypatch, name):
    frames = moving(tmp_path / name)
    Image.fromarray(frames[2]).save(tmp_path / "z.png")
    shown = []
    save = keras_gan.translate.__main__.save_before_after
    monkeypatch.setattr(
        keras_gan.translate.__main__, "save_before_after", lambda path, pairs: (shown.extend(pairs), save(path, pairs))
    )
    given = [tmp_path / name, tmp_path / "z.png"]
    assert command(run_folder, *given, "--output", tmp_path / "out", "--grid", "--size", "original") == 0
    for (before, after), frame in zip(shown, (frames[0], frames[2]), strict=True):
        distances = [np.abs(before.astype(int) - other).mean() for other in frames]
        assert np.argmin(distances) == (0 if frame is frames[0] else 2)
        assert np.abs(after.astype(int) - translate(run_folder, before[np.newaxis])[0]).max() <= 1
    assert "first frame" in keras_gan.translate.__main__.parser().format_help()


@leaves_pipes
def test_videos_keep_frames_and_fps(run_folder, tmp_path):
    import imageio.v3 as imageio

    moving(tmp_path / "walk.mp4")
    assert command(run_folder, tmp_path / "walk.mp4", "--output", tmp_path / "out") == 0
    result = tmp_path / "out" / "walk.mp4"
    assert imageio.imread(result, plugin="FFMPEG").shape == (5, 32, 32, 3)
    assert imageio.immeta(result, plugin="FFMPEG")["fps"] == 10


@leaves_pipes
def test_a_video_without_frames_is_reported(run_folder, tmp_path, capfd):
    (tmp_path / "empty.mp4").write_bytes(b"")
    assert command(run_folder, tmp_path / "empty.mp4", "--output", tmp_path / "out") == 2
    said = capfd.readouterr().err
    assert "empty.mp4: it is damaged or not a video" in said and said.strip().splitlines()[-1].startswith(
        "error: none of 1 files"
    )
    assert not list((tmp_path / "out").iterdir())


@leaves_pipes
def test_a_video_that_cannot_be_written_leaves_no_file(tmp_path):
    moving(tmp_path / "walk.mp4")
    film = video.Film(tmp_path / "walk.mp4")
    writer = video.FilmWriter(tmp_path / "out" / "walk.mp4", film)
    frames = [np.asarray(frame) for frame in film.frames()]
    writer.add(frames[0]).result()
    with pytest.raises(BadValueError, match="walk.mp4' cannot be written"):
        writer.add(frames[0][:8]).result()  # of another size
    writer.close()
    assert not list((tmp_path / "out").iterdir())


def test_a_damaged_animation_is_skipped_and_leaves_no_file(run_folder, tmp_path, monkeypatch, capsys):
    def breaks_off(self):
        yield Image.new("RGB", (8, 8))
        yield Image.new("RGB", (8, 8))
        raise ValueError("it is damaged")

    moving(tmp_path / "walk.gif")
    monkeypatch.setattr(video.Film, "frames", breaks_off)
    assert command(run_folder, tmp_path / "walk.gif", "--output", tmp_path / "out") == 2
    assert "walk.gif: it is damaged" in capsys.readouterr().err and not list((tmp_path / "out").iterdir())


def test_videos_without_ffmpeg_name_the_extra(run_folder, tmp_path, monkeypatch, capsys):
    (tmp_path / "film.mp4").touch()
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    assert command(run_folder, tmp_path / "film.mp4", "--output", tmp_path / "out") == 2
    assert 'pip install ".[video]" in ' in capsys.readouterr().err


def test_bad_input_is_one_line(run_folder, photos, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "2.png").touch()
    (tmp_path / "other").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "other" / "2.jpg")
    out = ["--output", tmp_path / "out"]
    faults = {
        (run_folder / "models" / "discriminator.keras", photos, *out): "not a generator but a discriminator",
        (run_folder, photos, "--output", photos): "is also the input: name another one",
        (run_folder, photos / "2.jpg", "--output", tmp_path / "there"): "output files exist",
        (run_folder, photos / "2.jpg", tmp_path / "other" / "2.jpg", *out): "would both become",
        (run_folder, tmp_path / "empty", *out): "no pictures in",
        (run_folder, tmp_path / "no*.png", *out): "no match as a glob",
        (run_folder, photos, *out, "--size", "huge"): "'huge' is not a size",
        (run_folder, photos, *out, "--direction", "BtoA"): "has no generator BtoA",
        (tmp_path / "nowhere", photos, *out): "there is no such file or run folder",
        (run_folder, photos, "--output", photos / "2.jpg" / "out"): "cannot be written",
    }
    for arguments, message in faults.items():
        assert command(*arguments) == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ") and said.count("\n") == 1 and message in said
    assert (tmp_path / "there" / "2.png").read_bytes() == b""


def test_generators_from_noise_cannot_translate(saved, tmp_path, photos, capsys):
    assert command(saved("gan")[1], photos, "--output", tmp_path / "out") == 2
    assert "generates pictures from noise: it cannot translate" in capsys.readouterr().err


def test_arrays_of_other_channels(tmp_path):
    for name, channels, made in (("there", 5, 1), ("back", 1, 5)):
        image = keras.Input((32, 32, channels))
        result = keras.layers.Conv2D(made, 3, padding="same", activation="sigmoid")(image)
        keras.Model(image, result).save(tmp_path / f"{name}.keras")
    np.save(tmp_path / "five.npy", np.random.default_rng(0).integers(0, 65535, (40, 40, 5), "uint16"))
    Image.new("RGB", (8, 8)).save(tmp_path / "photo.png")
    given = [tmp_path / "five.npy", tmp_path / "photo.png"]
    assert command(tmp_path / "there.keras", *given, "--output", tmp_path / "out", "--grid") == 0
    assert opened(tmp_path / "out" / "five.png").mode == "I;16"
    assert not (tmp_path / "out" / "photo.png").exists()  # it has 3 channels
    assert command(tmp_path / "back.keras", tmp_path / "out" / "five.png", "--output", tmp_path / "back") == 0
    assert read_array(tmp_path / "back" / "five.tif").shape == (32, 32, 5)


def test_from_python_shapes_and_dtypes_are_kept(run_folder):
    generator = generators.find(run_folder)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 40, 50, 3), "uint8")
    result = translate(generator, pixels)
    assert result.shape == pixels.shape and result.dtype == "uint8"
    several = translate(generator, [pixels[0], pixels[1, :20]])
    assert [one.shape for one in several] == [(40, 50, 3), (20, 50, 3)]
    np.testing.assert_array_equal(several[0], result[0])
    for bad in (np.zeros((1, 32, 32, 1)), np.zeros((32, 32, 3)), np.zeros((1, 32, 32, 3), "int64")):
        with pytest.raises(BadValueError, match=r"pictures must be of shape \(height, width, 3\)"):
            translate(generator, bad)


class Doubling:
    """A stub of a generator: halves its input, and adds a different offset in each tile."""

    shape = out_shape = (64, 64, 3)
    multiple, value_range = 16, (-1, 1)

    def __init__(self, size=None, offset=0.0):
        self.shape = (*size, 3) if size else self.shape
        self.offset, self.sizes = offset, set()

    def at(self, height, width):
        self.sizes.add((height, width))
        other = Doubling((height, width), self.offset)
        return other

    def __call__(self, images):
        assert images.shape[1:] == self.shape
        self.offset += 0.1 if self.offset else 0  # each tile has its own brightness
        return 0.5 * images + self.offset


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (70, 33), (700, 40), (1030, 1300)])
def test_tiles_reassemble_every_pixel(size):
    picture = noise(*size)
    np.testing.assert_allclose(tiles.translate_any(Doubling(), picture), 0.5 * picture, atol=1e-6)


def test_overlapping_tiles_are_blended():
    result = tiles.translate_any(Doubling(offset=0.1), np.zeros((600, 1300, 3), "float32"))
    assert np.ptp(result) > 0.2  # they do differ
    steps = max(np.abs(np.diff(result, axis=axis)).max() for axis in (0, 1))
    assert steps < 0.5 / 128 * 1.5  # a difference between neighbours is spread over the pixels of an overlap


@pytest.mark.parametrize("length", [512, 513, 600, 1024, 6000])
def test_tiles_cover_everything_and_overlap_by_a_quarter(length):
    begins = tiles.starts(length, 512)
    assert begins[0] == 0 and begins[-1] == length - 512
    assert all(after - before <= 512 * 3 // 4 + 1 for before, after in itertools.pairwise(begins))
    assert (tiles.sum_at(begins, tiles.fade(512), length) > 0).all()


def test_translate_is_a_module_and_a_function():
    script = (
        "import sys, keras_gan; from keras_gan import translate\n"
        "assert not {'keras', 'tensorflow', 'jax'} & set(sys.modules)\n"
        "import keras_gan.translate; assert keras_gan.translate is translate is sys.modules['keras_gan.translate']\n"
        "assert callable(translate)\n"
        "try: translate('nowhere', [])\n"
        "except FileNotFoundError as error: assert 'nowhere' in str(error)\n"
        "else: raise AssertionError"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_help_needs_no_keras():
    script = (
        "import sys, runpy; sys.argv = ['translate', '--help']\n"
        "try: runpy.run_module('keras_gan.translate', run_name='__main__')\n"
        "finally: assert not {'keras', 'tensorflow', 'jax', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "--direction" in done.stdout and "--size" in done.stdout and "--grid" in done.stdout
