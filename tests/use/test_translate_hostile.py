"""Translating what is damaged, endless or too large: skipped by name, or refused in one line."""

import os
import socket

import keras
import numpy as np
import pytest
from PIL import Image
from support.commands import check_complaint
from support.commands import translate_here as command
from support.pipes import collected_pipes, leaves_pipes  # noqa: F401

from keras_gan import generators, translate
from keras_gan.errors import BadValueError
from keras_gan.images import video
from keras_gan.machine import memory
from keras_gan.translate import tiles

pytestmark = pytest.mark.usefixtures("opening_once")


@pytest.fixture
def run_folder(saved):
    return saved("pix2pix")[1]


@pytest.fixture
def little_memory(monkeypatch):
    """A machine with 200 MB of free memory."""
    monkeypatch.setattr(memory, "available", lambda: 2e8)


def frames(count=3, size=(32, 24)):
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), "uint8")) for _ in range(count)]


def save(path, **options):
    """Saves an animation or a video."""
    if path.suffix == ".mp4":
        import imageio.v3 as imageio

        imageio.imwrite(path, np.stack(frames()), extension=".mp4", plugin="FFMPEG", fps=10, macro_block_size=2)
    else:
        first, *others = frames()
        first.save(path, save_all=True, append_images=others, duration=100, **options)
    return path.read_bytes()


def vast(content):
    """The content of a GIF with the size of its screen and of its frames set to 65,535 x 65,535."""
    side = (32).to_bytes(2, "little") + (24).to_bytes(2, "little")
    return content.replace(side, b"\xff\xff\xff\xff")


def of_zeros(content):
    """The content with zeros in the second half."""
    return content[: len(content) // 2] + bytes(len(content) // 2)


DAMAGE = {
    "cut": lambda content: content[: len(content) // 2],
    "cut at the end": lambda content: content[:-40],
    "vast": vast,
    "zeros": of_zeros,
    "ones": lambda content: content[: len(content) // 3] + b"\xff" * 500 + content[len(content) // 3 + 500 :],
    "header": lambda content: content[:13],
}


@leaves_pipes
@pytest.mark.parametrize(
    "name", ["film.gif", "film.webp", "film.apng", pytest.param("film.mp4", marks=pytest.mark.slow)]
)
def test_damaged_animations_are_skipped_by_name(name, run_folder, tmp_path, capsys):
    """What can still be read as a whole may also be translated."""
    given = tmp_path / "given"
    given.mkdir()
    whole = save(given / name)
    for number, damage in enumerate(DAMAGE.values()):
        (given / f"{number}{name}").write_bytes(damage(whole))
    frames()[0].save(given / "a.png")
    assert command(run_folder, given, "--output", tmp_path / "out") == 0
    said = capsys.readouterr()
    skipped = [line.split(": ")[0].removeprefix("skipping ") for line in said.err.splitlines()]
    assert 0 < len(skipped) < 7 and len(set(skipped)) == len(skipped)
    assert f"Translated {8 - len(skipped)} of 8" in said.out
    made = {path.stem for path in (tmp_path / "out").iterdir()}
    kept = {path.stem for path in given.iterdir() if str(path) not in skipped}
    assert made == kept >= {"a", "film"}
    for path in (tmp_path / "out").glob("*.gif"):
        with Image.open(path) as result:
            assert result.n_frames == 3


@leaves_pipes
@pytest.mark.parametrize("name", ["film.mkv", "film.mp4"])
def test_a_video_that_is_cut_short_is_skipped(name, tmp_path):
    import imageio.v3 as imageio

    path = tmp_path / name
    options = {"output_params": ["-movflags", "+faststart"]} if name == "film.mp4" else {}
    pictures = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), "uint8")
    imageio.imwrite(path, pictures, extension=path.suffix, plugin="FFMPEG", fps=10, macro_block_size=2, **options)
    assert len(list(video.Film(path).frames())) == 20
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(ValueError, match="it is cut short"):
        list(video.Film(path).frames())


def fifo(path):
    os.mkfifo(path)


def endless(path):
    path.symlink_to("/dev/zero")


def listening(path):
    before = os.getcwd()
    os.chdir(path.parent)  # names of sockets are short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


KINDS = {"fifo": fifo, "endless": endless, "socket": listening}
ENDINGS = "png", "jpg", "tif", "npy", "gif", "webp", "mp4", "pgm"


@leaves_pipes
@pytest.mark.parametrize("kind", KINDS)
def test_only_regular_files_are_read(kind, run_folder, tmp_path, capsys):
    given = tmp_path / "given"
    given.mkdir()
    for ending in ENDINGS:
        KINDS[kind](given / f"hostile.{ending}")
    frames()[0].save(given / "a.png")
    (given / "link.png").symlink_to(given / "a.png")
    assert command(run_folder, given, "--output", tmp_path / "out") == 0
    said = capsys.readouterr()
    lines = {f"skipping {given / 'hostile'}.{ending}: it is not a regular file" for ending in ENDINGS}
    assert set(said.err.splitlines()) == lines and f"Translated 2 of {len(ENDINGS) + 2}" in said.out
    assert command(run_folder, given / "hostile.png", "--output", tmp_path / "other") == 2
    check_complaint(capsys.readouterr().err, "hostile.png' is neither a file nor a folder but a device or the like")


@pytest.mark.parametrize("size", ["99999999", "9999999999999", "20000"])
def test_a_size_beyond_memory_is_refused(size, run_folder, tmp_path, capsys, little_memory):
    frames()[0].save(tmp_path / "a.png")
    assert command(run_folder, tmp_path / "a.png", "--size", size, "--output", tmp_path / "out") == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: none of 1 files could be translated; the first failed, ")
    assert f" x {size} pixels it takes " in line and "B of memory, and 200 MB are free: choose a smaller --size" in line
    assert not list((tmp_path / "out").iterdir())


def test_a_size_beyond_any_memory_is_refused(run_folder, tmp_path, capsys):
    frames()[0].save(tmp_path / "a.png")
    assert command(run_folder, tmp_path / "a.png", "--size", "99999999", "--output", tmp_path / "out") == 2
    assert "choose a smaller --size" in capsys.readouterr().err.splitlines()[-1]


def test_a_vast_picture_is_skipped_by_name(run_folder, tmp_path, capsys, little_memory):
    Image.new("L", (16_000_000, 2)).save(tmp_path / "long.png")
    frames()[0].save(tmp_path / "a.png")
    given = tmp_path / "long.png", tmp_path / "a.png"
    assert command(run_folder, *given, "--size", "original", "--output", tmp_path / "out") == 0
    said = capsys.readouterr()
    assert said.err.startswith(f"skipping {tmp_path / 'long.png'}: it takes 384 MB of memory, and 200 MB are free")
    assert "Translated 1 of 2" in said.out


def test_a_long_animation_is_skipped_by_name(run_folder, tmp_path, capsys, little_memory):
    save(tmp_path / "film.gif")
    words = ["--size", "2000", "--output", tmp_path / "out"]
    assert command(run_folder, tmp_path / "film.gif", *words) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "film.gif: at 2667 x 2000 pixels and 3 frames it takes" in line and "choose a smaller --size" in line


def test_arrays_beyond_memory_are_refused(generator_of, little_memory):
    array = np.broadcast_to(np.uint8(0), (2, 16_000_000, 3))
    with pytest.raises(BadValueError, match=r"of 16000000 x 2 pixels is too large, it takes .* take a smaller one\.$"):
        tiles.translate_any(generator_of("pix2pix"), array)


def test_a_lack_of_memory_in_the_network_is_one_line(run_folder, tmp_path, capsys, monkeypatch):
    def lacking(self, *inputs):
        raise MemoryError

    monkeypatch.setattr(generators.Generator, "__call__", lacking)
    frames()[0].save(tmp_path / "a.png")
    assert command(run_folder, tmp_path / "a.png", "--output", tmp_path / "out") == 2
    check_complaint(capsys.readouterr().err, "the machine has too little memory: end other programs, or take smaller")


def test_a_lack_of_memory_for_a_picture_skips_it(run_folder, tmp_path, capsys, monkeypatch):
    def lacking(*arguments):
        raise MemoryError

    monkeypatch.setattr("keras_gan.translate.pipeline.as_pixels", lacking)
    frames()[0].save(tmp_path / "a.png")
    assert command(run_folder, tmp_path / "a.png", "--output", tmp_path / "out") == 2
    assert capsys.readouterr().err.splitlines()[0].endswith("a.png: there is too little memory for it")


@pytest.fixture
def network():
    image = keras.Input((8, 8, 3))
    return keras.Model(image, keras.layers.Conv2D(3, 1, activation="tanh")(image))


def test_a_network_that_is_not_finite_is_refused(network, tmp_path, capsys):
    kernel, bias = network.get_weights()
    network.set_weights([kernel, np.full_like(bias, np.nan)])
    with pytest.raises(BadValueError, match="makes pictures that are not finite .* train again"):
        translate(network, np.zeros((1, 8, 8, 3), "uint8"))
    network.save(tmp_path / "g.keras")
    frames()[0].save(tmp_path / "a.png")
    assert command(tmp_path / "g.keras", tmp_path / "a.png", "--output", tmp_path / "out") == 2
    check_complaint(capsys.readouterr().err, "g.keras' has weights that are not finite (NaN or infinity)")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
