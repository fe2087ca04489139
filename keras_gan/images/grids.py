"""Saves grids, sheets and animations of pictures, to inspect a model during and after training.

Pictures with more than three channels show the first three as RGB; those with two show the first as gray.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_gan.files import write_whole

File = str | Path
Pictures = Sequence[np.ndarray]
Rows = Sequence[Pictures]
Texts = Sequence[str] | None
Range = tuple[float, float]  # the values of black and white


def save_grid(path: File, rows: Rows, titles: Sequence[str], value_range: Range = (-1, 1)) -> None:
    """Saves a grid of pictures with titles as a PNG file, atomically.

    Args:
        path: the file to write.
        rows: list of rows, each a list of pictures (height, width, channels).
        titles: one title per column, written above each picture.
        value_range: the values of black and white.
    """
    # Matplotlib's object interface: needs no display, keeps no global state and leaks no memory.
    from matplotlib.figure import Figure

    height, width = rows[0][0].shape[:2]
    figure = Figure(figsize=(2.2 * len(titles), (2.2 * height / width + 0.3) * len(rows)), layout="constrained")
    for row, row_axes in zip(rows, figure.subplots(len(rows), len(titles), squeeze=False), strict=True):
        for picture, title, axes in zip(row, titles, row_axes, strict=True):
            axes.imshow(pixels(picture, value_range), cmap="gray", vmin=0, vmax=255)
            axes.set_title(title)
            axes.axis("off")
    with write_whole(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=100)


def save_sheet(
    path: File, rows: Rows, value_range: Range = (-1, 1), captions: Texts = None, titles: Texts = None, least: int = 64
) -> None:
    """Saves many small pictures side by side as a PNG file, atomically.

    Args:
        path: the file to write.
        rows: list of rows, each a list of pictures (height, width, channels), all the same size.
        value_range: the values of black and white.
        captions: one word per row, written to its left; None: no captions.
        titles: a few words per column, written above it; None: no titles.
        least: minimum length of a picture's shorter side, in pixels; smaller pictures are enlarged.
    """
    from PIL import Image, ImageDraw, ImageFont

    height, width = np.shape(rows[0][0])[:2]
    factor = -(-least // min(height, width))
    tall, wide, gap = height * factor, width * factor, 2
    margin = 10 + 6 * max(map(len, captions)) if captions else 0
    head = 18 if titles else 0
    size = (margin + max(map(len, rows)) * (wide + gap) - gap, head + len(rows) * (tall + gap) - gap)
    sheet = Image.new("RGB", size, "white")
    for x, title in enumerate(titles or []):
        middle = (margin + x * (wide + gap) + wide // 2, 9)
        ImageDraw.Draw(sheet).text(middle, title, fill="black", anchor="mm", font=ImageFont.load_default(12))
    for y, row in enumerate(rows):
        if captions:
            ImageDraw.Draw(sheet).text((4, head + y * (tall + gap) + tall // 2 - 6), captions[y], fill="black")
        for x, picture in enumerate(row):
            tile = Image.fromarray(np.broadcast_to(pixels(picture, value_range), (height, width, 3)))
            tile = tile.resize((wide, tall), Image.Resampling.NEAREST)
            sheet.paste(tile, (margin + x * (wide + gap), head + y * (tall + gap)))
    with write_whole(path) as unfinished:
        sheet.save(unfinished, format="png")


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
    """
    frames = np.stack([pixels(picture, value_range) for picture in pictures])
    frames = np.broadcast_to(frames, (*frames.shape[:-1], 3))
    last = seconds if last is None else last
    with write_whole(path) as unfinished:
        if Path(path).suffix == ".mp4":
            save_film(unfinished, frames, seconds, last)
        else:
            save_gif(unfinished, frames, [*[1000 * seconds] * (len(frames) - 1), 1000 * last])


def save_gif(path: File, frames: Pictures | np.ndarray, durations: Sequence[float]) -> None:
    """Saves uint8 frames (height, width, 3) as an endless GIF; durations in milliseconds, one per frame.

    Pillow quantises RGBA by octree, up to 20 times faster than RGB by median cut: hence the opaque alpha channel.
    """
    import imageio.v3 as imageio

    opaque = np.full((*frames[0].shape[:2], 1), 255, "uint8")
    file = imageio.imopen(path, "w", extension=".gif", plugin="pillow")
    with file:
        for frame in frames:
            file.write(np.dstack([frame, opaque]), duration=durations, loop=0, save_all=True)


def save_film(path: File, frames: np.ndarray, seconds: float, last: float) -> None:
    """Saves uint8 frames (n, height, width, 3) as MP4, repeating the last one for `last` seconds."""
    import imageio.v3 as imageio

    frames = np.concatenate([frames, *[frames[-1:]] * (round(last / seconds) - 1)])
    frames = np.pad(frames, ((0, 0), *((0, side % 2) for side in frames.shape[1:3]), (0, 0)), mode="edge")  # even sides
    imageio.imwrite(path, frames, extension=".mp4", plugin="FFMPEG", fps=1 / seconds, macro_block_size=2)


def pixels(picture: np.ndarray, value_range: Range) -> np.ndarray:
    """Converts a picture for display: uint8 (height, width, 1 or 3)."""
    black, white = value_range
    picture = np.asarray(picture, "float32")
    picture = picture[..., : 3 if picture.shape[-1] >= 3 else 1]
    return np.clip(255 * (picture - black) / (white - black) + 0.5, 0, 255).astype("uint8")
