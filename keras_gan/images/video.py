"""Reads and writes animations and videos frame by frame. Only a GIF is held in memory as a whole, to write it."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageSequence

from keras_gan.errors import BadValueError
from keras_gan.images.animations import open_video, save_gif
from keras_gan.images.grids import pixels
from keras_gan.images.opening import check_regular, named_damage, opened_image
from keras_gan.images.photos import over_white, stretched
from keras_gan.images.values import Range
from keras_gan.machine.installation import install

ANIMATIONS = ".gif", ".webp", ".apng"
VIDEOS = ".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv"

CUT_SHORT = b"ended prematurely", b"Packet corrupt", b"partial file"  # what ffmpeg says of such videos


def is_animation(path: Path) -> bool:
    """Whether a file is a GIF, WebP or APNG with more than one frame."""
    if path.suffix.lower() not in ANIMATIONS:
        return False
    try:
        with opened_image(path) as image:
            return getattr(image, "n_frames", 1) > 1
    except Exception:  # Pillow's errors on damaged files have no common base class
        return False  # it is read, and skipped, as an image


def is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEOS


def check_videos(paths: list[Path]) -> None:
    """Raises BadValueError if imageio-ffmpeg, which reads and writes videos, is not installed."""
    try:
        import imageio_ffmpeg  # noqa: F401
    except ModuleNotFoundError:
        raise BadValueError(f"{str(paths[0])!r} is a video: {install('video')}.") from None


def check_end(path: Path) -> None:
    """Raises ValueError if a video is cut short, as far as its packets tell (MP4, Matroska, WebM, MPEG).

    ffmpeg decodes what is left as if it were the whole.
    """
    import imageio_ffmpeg

    words = "-v", "warning", "-i", os.path.abspath(path), "-map", "0:v:0", "-c", "copy", "-f", "null", "-"
    done = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *words], stdin=subprocess.DEVNULL, capture_output=True)
    if any(words in done.stderr for words in CUT_SHORT):
        raise ValueError("it is cut short")


class Film:
    """A reader of an animation or a video.

    Args:
        path: the file.
        value_range: the values of black and white in the frames; None: 0 and 255.

    Attributes:
        fps: frames per second of a video; None for an animation.
        count: the number of frames of an animation, known with its first frame; 1 for a video.
        durations: milliseconds of each frame read so far of an animation.
    """

    def __init__(self, path: Path, value_range: Range = None):
        self.path, self.value_range = path, value_range
        self.fps: float | None = None
        self.count = 1
        self.durations: list[float] = []

    def frames(self) -> Iterator[Image.Image]:
        """Yields the frames in mode RGB.

        Raises:
            One of `keras_gan.images.sources.UNREADABLE`, if the file is damaged or of another kind.
        """
        with named_damage():
            check_regular(self.path)
            for frame in self._video() if is_video(self.path) else self._animation():
                frame = frame if self.value_range is None else stretched(frame, 255, self.value_range)
                yield over_white(frame).convert("RGB")

    def _animation(self) -> Iterator[Image.Image]:
        with opened_image(self.path) as image:
            self.count = getattr(image, "n_frames", 1)
            for frame in ImageSequence.Iterator(image):
                self.durations.append(frame.info.get("duration") or 100)  # the default of browsers
                yield frame

    def _video(self) -> Iterator[Image.Image]:
        import imageio.v3 as imageio

        try:
            check_end(self.path)
            options: Any = {"plugin": "FFMPEG"}
            with imageio.imopen(self.path, "r", **options) as file:
                self.fps = file.metadata().get("fps") or 25
                for frame in file.iter():
                    yield Image.fromarray(frame)
        except (OSError, IndexError, RuntimeError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise ValueError(f"it is damaged or not a video ({reason or type(error).__name__})") from error


class FilmWriter:
    """Writes frames to a file in a background thread, atomically.

    Args:
        path: the file, .gif or .mp4.
        film: the `Film` that the frames are made from, which gives their timing.
    """

    def __init__(self, path: Path, film: Film):
        self.path, self.film = path, film
        self.thread = ThreadPoolExecutor(1)
        self.open = contextlib.ExitStack()
        self.append: Callable[[np.ndarray], None] | None = None
        self.gif_frames: list[np.ndarray] = []
        self.failed = False

    def add(self, frame: np.ndarray, value_range: tuple[float, float] = (0, 255)) -> Future:
        """Schedules the writing of a frame (height, width, channels); returns its `Future`."""
        return self.thread.submit(self._add, pixels(frame, value_range))

    def _add(self, frame: np.ndarray) -> None:
        frame = np.broadcast_to(frame, (*frame.shape[:2], 3))
        if self.film.fps is None:
            self.gif_frames.append(frame)
            return
        try:
            if self.append is None:
                self.append = self.open.enter_context(open_video(self.path, self.film.fps))
            self.append(frame)
        except BaseException:
            self.failed = True
            raise

    def close(self, is_whole: bool = True) -> None:
        """Waits until the file is complete (or deleted, if `is_whole` is False or writing failed).

        Raises:
            OSError, BadValueError: if the file cannot be written.
        """
        self.thread.shutdown()
        frames, self.gif_frames = self.gif_frames, []
        if self.failed or not is_whole:
            with contextlib.suppress(IncompleteError), self.open:
                raise IncompleteError
        self.open.close()
        if frames and is_whole:
            save_gif(self.path, frames, self.film.durations[: len(frames)])


class IncompleteError(Exception):
    """A video is given up before its end."""
