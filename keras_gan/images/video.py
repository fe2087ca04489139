"""Reads and writes animations and videos frame by frame. Only a GIF is held in memory as a whole, to write it."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageSequence

from keras_gan.errors import BadValueError
from keras_gan.files import write_whole
from keras_gan.images.grids import pixels, save_gif
from keras_gan.images.sources import over_white

ANIMATIONS = ".gif", ".webp", ".apng"
VIDEOS = ".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv"


def is_animation(path: Path) -> bool:
    """Whether a file is a GIF, WebP or APNG with more than one frame."""
    if path.suffix.lower() not in ANIMATIONS:
        return False
    try:
        with Image.open(path) as image:
            return getattr(image, "n_frames", 1) > 1
    except (OSError, SyntaxError, ValueError):
        return False  # it is read, and skipped, as an image


def is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEOS


def check_videos(paths: list[Path]) -> None:
    """Raises BadValueError if imageio-ffmpeg, which reads and writes videos, is not installed."""
    try:
        import imageio_ffmpeg  # noqa: F401
    except ModuleNotFoundError:
        raise BadValueError(f"videos, such as {paths[0]}, need a package: pip install 'keras-gan[video]'.") from None


class Film:
    """A reader of an animation or a video.

    Args:
        path: the file.

    Attributes:
        fps: frames per second of a video; None for an animation.
        durations: milliseconds of each frame read so far of an animation.
    """

    def __init__(self, path: Path):
        self.path = path
        self.fps: float | None = None
        self.durations: list[float] = []

    def frames(self) -> Iterator[Image.Image]:
        """Yields the frames in mode RGB.

        Raises:
            One of `keras_gan.images.sources.UNREADABLE`, if the file is damaged or of another kind.
        """
        yield from self._video() if is_video(self.path) else self._animation()

    def _animation(self) -> Iterator[Image.Image]:
        with Image.open(self.path) as image:
            for frame in ImageSequence.Iterator(image):
                self.durations.append(frame.info.get("duration") or 100)  # the default of browsers
                yield over_white(frame).convert("RGB")

    def _video(self) -> Iterator[Image.Image]:
        import imageio.v3 as imageio

        try:
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
        self.writer: Any = None
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
            self._append(frame)
        except Exception as error:  # ffmpeg's errors have no common base class
            self.failed = True
            raise BadValueError(f"{str(self.path)!r} cannot be written: {error}.") from error

    def _append(self, frame: np.ndarray) -> None:
        import imageio.v2 as imageio

        if self.writer is None:
            unfinished = self.open.enter_context(write_whole(self.path))
            options: Any = {"fps": self.film.fps, "macro_block_size": 2, "ffmpeg_log_level": "error"}
            self.writer = self.open.enter_context(imageio.get_writer(unfinished, format="FFMPEG", mode="I", **options))
        even = ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0))  # H.264 needs even sides
        self.writer.append_data(np.pad(frame, even, mode="edge"))

    def close(self, is_whole: bool = True) -> None:
        """Waits until the file is complete (or deleted, if `is_whole` is False or writing failed)."""
        self.thread.shutdown()
        frames, self.gif_frames = self.gif_frames, []
        if self.failed or not is_whole:
            incomplete = ValueError("the video is incomplete")
            self.open.__exit__(type(incomplete), incomplete, None)
            return
        self.open.close()
        if frames:
            with write_whole(self.path) as unfinished:
                save_gif(unfinished, frames, self.film.durations[: len(frames)])
