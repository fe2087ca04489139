"""Files that cannot be written to their end: none gets its name, and the error says what to do."""

import errno
import resource
import subprocess
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from support.pipes import collected_pipes, leaves_pipes  # noqa: F401

from keras_gan import console
from keras_gan.datasets import make_pairs
from keras_gan.errors import BadValueError
from keras_gan.files import write_whole
from keras_gan.images import animations, grids, video, writing

FRAMES = np.random.default_rng(0).integers(0, 256, (3, 16, 32, 3), "uint8")

pytestmark = leaves_pipes


def write_film(path):
    writer = video.FilmWriter(path, SimpleNamespace(fps=10, durations=[]))
    try:
        for frame in FRAMES:
            writer.add(frame).result()
    except BaseException:
        writer.close(is_whole=False)
        raise
    writer.close()


WRITERS = {
    "8 bits.png": lambda path: writing.save(path, FRAMES[0]),
    "16 bits.tif": lambda path: writing.save(path, FRAMES[0].astype("uint16") * 257, is_deep=True),
    "animation.gif": lambda path: animations.save_animation(path, FRAMES, (0, 255)),
    "sheet.png": lambda path: grids.save_sheet(path, [FRAMES], (0, 255)),
    "animation.mp4": lambda path: animations.save_animation(path, FRAMES, (0, 255)),
    "film.mp4": write_film,
}


@contextmanager
def at_most(size):
    """Files can grow to this size. The system's answer is that of a full disk but for its number."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def check_limits(name, folder, shares, ends=()):
    path = folder / name
    WRITERS[name](path)
    size = path.stat().st_size
    path.unlink()
    for limit in (*(int(share * size) for share in shares), *(size - end for end in ends)):
        with pytest.raises(OSError) as caught, at_most(limit):
            WRITERS[name](path)
        assert caught.value.errno == errno.EFBIG and caught.value.filename == str(path), limit
        assert "make room" in console.line_of(caught.value)
        assert not list(folder.iterdir()), limit


@pytest.mark.parametrize("name", list(WRITERS)[:4])
def test_a_picture_that_cannot_be_written_to_its_end_leaves_nothing(name, tmp_path):
    check_limits(name, tmp_path, np.linspace(0, 0.98, 20), ends=(8, 2, 1))


@pytest.mark.parametrize("name", list(WRITERS)[4:])
def test_a_video_that_cannot_be_written_to_its_end_leaves_nothing(name, tmp_path):
    check_limits(name, tmp_path, [0.9], ends=[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", list(WRITERS)[4:])
def test_a_video_that_cannot_be_written_at_any_byte_leaves_nothing(name, tmp_path):
    check_limits(name, tmp_path, np.linspace(0, 0.99, 20), ends=range(1, 40))


def test_ffmpeg_has_ended_before_the_file_of_a_video_that_is_given_up_is_removed(tmp_path, monkeypatch):
    started, ended = [], []

    class Started(subprocess.Popen):
        def __init__(self, *words, **options):
            super().__init__(*words, **options)
            started.append(self)

    @contextmanager
    def watched(path):
        with write_whole(path) as unfinished:
            try:
                yield unfinished
            finally:
                ended.extend(process.returncode is not None for process in started)

    monkeypatch.setattr(subprocess, "Popen", Started)
    monkeypatch.setattr(animations, "write_whole", watched)
    writer = video.FilmWriter(tmp_path / "film.mp4", SimpleNamespace(fps=10, durations=[]))
    writer.add(FRAMES[0]).result()
    writer.close(is_whole=False)
    assert ended == [True]
    assert not list(tmp_path.iterdir())


def test_what_fails_without_a_reason_of_the_system_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("imageio_ffmpeg.count_frames_and_secs", lambda path: (2, 0.2))
    with pytest.raises(BadValueError, match=r"^'.*animation.mp4' cannot be written: ffmpeg wrote 2 of 3 frames\.$"):
        WRITERS["animation.mp4"](tmp_path / "animation.mp4")
    assert not list(tmp_path.iterdir())


def test_the_boxes_of_a_video_tell_its_end(tmp_path):
    path = tmp_path / "film.mp4"
    box = b"\0\0\0\x10free" + bytes(8)
    long = b"\0\0\0\1mdat" + (40).to_bytes(8, "big") + bytes(24)
    for content in (box, box + long, long + box):
        path.write_bytes(content)
        assert animations.ends_whole(path)
        for cut in range(1, 16):
            path.write_bytes(content[:-cut])
            assert not animations.ends_whole(path), cut
        path.write_bytes(content + b"\0\0\0")
        assert not animations.ends_whole(path)


def test_pairs_that_cannot_be_written_to_their_end_leave_nothing(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, frame in enumerate(FRAMES):
        Image.fromarray(frame).save(photos / f"{number}.png")
    for limit in (0, 100, 1000, 2000):
        with pytest.raises(BadValueError, match=r"File too large: make room, or raise the limit"), at_most(limit):
            make_pairs.make_pairs("gray", photos, tmp_path / "new" / "out")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]
