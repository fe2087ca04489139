"""Grids, strips and animations of pictures, to look at while a model trains and afterwards.

Of pictures of more than three channels the first three are shown, as red, green and blue; of two the first, as gray.
"""

from pathlib import Path

import numpy as np

from keras_gan.files import write_whole


def save_grid(path, rows, titles, value_range=(-1, 1)):
    """Saves a titled grid of pictures as a PNG file.

    Args:
        path: the file to write; it appears only when it is whole.
        rows: list of rows, each a list of pictures (height, width, channels).
        titles: one title per column, written above each picture.
        value_range: the values of black and white.
    """
    # The object interface: no window system, no global state, nothing left behind in memory.
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


def save_sheet(path, rows, value_range=(-1, 1), captions=None, titles=None, least=64):
    """Saves many small pictures as a PNG file, side by side.

    Args:
        path: the file to write; it appears only when it is whole.
        rows: list of rows, each a list of pictures (height, width, channels), all of one size.
        value_range: the values of black and white.
        captions: a word per row, written to its left; None: none.
        titles: a few words per column, written above it; None: none.
        least: pixels of a picture's shorter side; smaller ones are enlarged.
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


def save_animation(path, pictures, value_range=(-1, 1), seconds=0.1, last=None):
    """Saves pictures (height, width, channels), all of one size, as an animation.

    Args:
        path: the file to write; an endless GIF or, if it ends in `.mp4`, a film, which needs imageio-ffmpeg.
        pictures: in their order.
        value_range: the values of black and white.
        seconds: how long each is shown.
        last: how long the last one is; None: as long as the others.
    """
    frames = np.stack([pixels(picture, value_range) for picture in pictures])
    frames = np.broadcast_to(frames, (*frames.shape[:-1], 3))
    last = seconds if last is None else last
    with write_whole(path) as unfinished:
        if Path(path).suffix == ".mp4":
            save_film(unfinished, frames, seconds, last)
        else:
            save_gif(unfinished, frames, [*[1000 * seconds] * (len(frames) - 1), 1000 * last])


def save_gif(path, frames, durations):
    """Saves uint8 frames (height, width, 3) as a GIF that shows each for so many milliseconds.

    Pillow by itself looks for the best 256 colours ten times as long.
    """
    from PIL import Image

    first, *others = (
        Image.fromarray(frame).quantize(method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE) for frame in frames
    )
    first.save(path, "GIF", save_all=True, append_images=others, duration=durations, loop=0)


def save_film(path, frames, seconds, last):
    """Saves uint8 frames as MP4."""
    import imageio.v3 as imageio

    frames = np.concatenate([frames, *[frames[-1:]] * (round(last / seconds) - 1)])
    frames = np.pad(frames, ((0, 0), *((0, side % 2) for side in frames.shape[1:3]), (0, 0)), mode="edge")  # even sides
    imageio.imwrite(path, frames, extension=".mp4", plugin="FFMPEG", fps=1 / seconds, macro_block_size=2)


def pixels(picture, value_range):
    """What is shown of a picture, uint8 (height, width, 1 or 3)."""
    black, white = value_range
    picture = np.asarray(picture, "float32")
    picture = picture[..., : 3 if picture.shape[-1] >= 3 else 1]
    return np.clip(255 * (picture - black) / (white - black) + 0.5, 0, 255).astype("uint8")
