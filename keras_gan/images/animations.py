"""Writes animations and videos. A file gets its name only once it is known to be whole."""

import contextlib
import io
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_gan.errors import BadValueError
from keras_gan.files import write_bytes, write_whole
from keras_gan.images.grids import File, Pictures, Range, pixels

PROBE = 2**16  # bytes; tells whether a file can grow


def save_animation(
    path: File, pictures: Pictures, value_range: Range = (-1, 1), seconds: float = 0.1, last: float | None = None
) -> None:
    """Saves an animation, atomically.

    Args:
        path: the file to write: `.mp4` for a video (needs imageio-ffmpeg), else an endless GIF.
        pictures: the frames (height, width, channels), all the same size.
        value_range: the values of black and white.
        seconds: duration of each frame.
        last: duration of the last frame; None: `seconds`.

    Raises:
        OSError: if the file cannot be written.
    """
    frames = np.stack([pixels(picture, value_range) for picture in pictures])
    frames = np.broadcast_to(frames, (*frames.shape[:-1], 3))
    last = seconds if last is None else last
    if Path(path).suffix != ".mp4":
        save_gif(path, frames, [*[1000 * seconds] * (len(frames) - 1), 1000 * last])
        return
    with open_video(Path(path), fps=1 / seconds) as add:
        for frame in (*frames, *[frames[-1]] * (round(last / seconds) - 1)):
            add(frame)


def save_gif(path: File, frames: Pictures | np.ndarray, durations: Sequence[float]) -> None:
    """Saves uint8 frames (height, width, 3) as an endless GIF, atomically; durations in milliseconds, one per frame.

    Pillow quantises RGBA by octree, up to 20 times faster than RGB by median cut: hence the opaque alpha channel.
    """
    opaque = np.full((*frames[0].shape[:2], 1), 255, "uint8")
    first, *others = (Image.fromarray(np.dstack([frame, opaque])) for frame in frames)
    content = io.BytesIO()
    first.save(content, "GIF", save_all=True, append_images=others, duration=list(durations), loop=0)
    write_bytes(path, content.getvalue())


@contextlib.contextmanager
def open_video(path: Path, fps: float) -> Iterator[Callable[[np.ndarray], None]]:
    """Yields a function that adds a uint8 frame (height, width, 3) to an MP4 file, written atomically.

    ffmpeg tells of no error at the end, such as on a full disk. So the finished file is read again.

    Raises:
        OSError: if the file cannot be written.
        BadValueError: if ffmpeg fails for another reason.
    """
    import imageio.v2 as imageio
    import imageio_ffmpeg

    count = 0
    options: Any = {"fps": fps, "macro_block_size": 2, "ffmpeg_log_level": "quiet"}
    with write_whole(path) as unfinished:
        file: Any = imageio.get_writer(unfinished, format="FFMPEG", mode="I", **options)
        with contextlib.closing(file) as writer:  # `with file` leaves ffmpeg running if the body raises

            def add(frame: np.ndarray) -> None:
                nonlocal count
                even = ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0))  # H.264 needs even sides
                try:
                    writer.append_data(np.pad(frame, even, mode="edge"))
                except Exception as error:  # those of ffmpeg have no common base class
                    raise failure(path, unfinished, str(error).partition("\n")[0]) from error
                count += 1

            yield add
        try:
            found = imageio_ffmpeg.count_frames_and_secs(unfinished)[0]
        except RuntimeError:  # it is no video
            found = 0
        if found < count or not ends_whole(unfinished):
            raise failure(path, unfinished, f"ffmpeg wrote {found} of {count} frames")


def ends_whole(path: Path) -> bool:
    """Whether an MP4 file ends where its last box does. Players may pass over an end that is cut."""
    end, at = path.stat().st_size, 0
    with open(path, "rb") as file:
        while at < end:
            file.seek(at)
            length, _, long = struct.unpack(">I4sQ", file.read(16).ljust(16, b"\0"))
            at += max(8, long if length == 1 else length)
    return at == end


def failure(path: Path, unfinished: Path, reason: str) -> Exception:
    """Why ffmpeg could not write a video: the error of the system if the file cannot grow, else a BadValueError."""
    try:
        with open(unfinished, "ab") as file:
            file.write(bytes(PROBE))
    except OSError as error:
        return OSError(error.errno, error.strerror, str(path))
    return BadValueError(f"{str(path)!r} cannot be written: {reason}.")
