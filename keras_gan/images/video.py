"""Animations and videos, frame by frame. Of a video a few frames are in memory, of a GIF all that are written."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageSequence

from keras_gan.errors import BadValueError
from keras_gan.files import write_whole
from keras_gan.images.grids import pixels, save_gif
from keras_gan.images.sources import over_white

ANIMATIONS = ".gif", ".webp", ".apng"
VIDEOS = ".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv"


def is_animation(path):
    """Whether a file is a GIF or the like of more than one picture."""
    if path.suffix.lower() not in ANIMATIONS:
        return False
    try:
        with Image.open(path) as image:
            return getattr(image, "n_frames", 1) > 1
    except (OSError, SyntaxError, ValueError):
        return False  # it will be read, and skipped, as a picture


def is_video(path):
    return path.suffix.lower() in VIDEOS


def check_videos(paths):
    """Raises BadValueError for videos where the package that reads and writes them is missing."""
    try:
        import imageio_ffmpeg  # noqa: F401
    except ModuleNotFoundError:
        raise BadValueError(f"videos, such as {paths[0]}, need a package: pip install 'keras-gan[video]'.") from None


class Film:
    """A moving picture that is read.

    Args:
        path: an animation or a video.

    Attributes:
        fps: frames a second, of a video; None for an animation.
        durations: milliseconds that each frame read so far is shown, of an animation.
    """

    def __init__(self, path):
        self.path, self.fps, self.durations = path, None, []

    def frames(self):
        """Yields the frames, `PIL.Image.Image` in mode RGB.

        Raises:
            OSError, ValueError and others of `keras_gan.images.sources.UNREADABLE`: if it is none, or is damaged.
        """
        yield from self._video() if is_video(self.path) else self._animation()

    def _animation(self):
        with Image.open(self.path) as image:
            for frame in ImageSequence.Iterator(image):
                self.durations.append(frame.info.get("duration") or 100)  # what browsers take none for
                yield over_white(frame).convert("RGB")

    def _video(self):
        import imageio.v3 as imageio

        try:
            with imageio.imopen(self.path, "r", plugin="FFMPEG") as file:
                self.fps = file.metadata().get("fps") or 25
                for frame in file.iter():
                    yield Image.fromarray(frame)
        except (OSError, IndexError, RuntimeError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise ValueError(f"it is no video or a damaged one ({reason or type(error).__name__})") from error


class FilmWriter:
    """Writes the frames of a film one after the other, in a thread of its own; the file appears when it is whole.

    Args:
        path: the file, .gif or .mp4.
        film: the `Film` that it is made of, whose pace it keeps.
    """

    def __init__(self, path, film):
        self.path, self.film = path, film
        self.thread = ThreadPoolExecutor(1)
        self.open = contextlib.ExitStack()
        self.still, self.writer, self.failed = [], None, False

    def add(self, frame, value_range=(0, 255)):
        """Has a frame written, (height, width, channels); returns the `Future` of that."""
        return self.thread.submit(self._add, pixels(frame, value_range))

    def _add(self, frame):
        frame = np.broadcast_to(frame, (*frame.shape[:2], 3))
        if self.film.fps is None:
            self.still.append(frame)
            return
        try:
            self._append(frame)
        except Exception as error:  # ffmpeg's have no base in common
            self.failed = True
            raise BadValueError(f"{str(self.path)!r} cannot be written: {error}.") from error

    def _append(self, frame):
        import imageio.v2 as imageio

        if self.writer is None:
            unfinished = self.open.enter_context(write_whole(self.path))
            options = {"fps": self.film.fps, "macro_block_size": 2, "ffmpeg_log_level": "error"}
            self.writer = self.open.enter_context(imageio.get_writer(unfinished, format="FFMPEG", mode="I", **options))
        even = ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0))  # sides, which the format demands
        self.writer.append_data(np.pad(frame, even, mode="edge"))

    def close(self, is_whole=True):
        """Returns when the file is whole or, where the film is not, gone; does nothing where there were no frames."""
        self.thread.shutdown()
        frames, self.still = self.still, []
        if self.failed or not is_whole:
            stopped = ValueError("the film is not whole")
            self.open.__exit__(type(stopped), stopped, None)
            return
        self.open.close()
        if frames:
            with write_whole(self.path) as unfinished:
                save_gif(unfinished, frames, self.film.durations[: len(frames)])
