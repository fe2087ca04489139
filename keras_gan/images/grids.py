"""Saves grids and sheets of pictures, to inspect a model during and after training.

Pictures with more than three channels show the first three as RGB; those with two show the first as gray.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_gan.files import write_bytes

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
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=100)
    write_bytes(path, content.getvalue())


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
    content = io.BytesIO()
    sheet.save(content, format="png")
    write_bytes(path, content.getvalue())


def pixels(picture: np.ndarray, value_range: Range) -> np.ndarray:
    """Converts a picture for display: uint8 (height, width, 1 or 3)."""
    return as_uint8(np.asarray(picture)[..., : 3 if np.shape(picture)[-1] >= 3 else 1], value_range)


def as_uint8(pictures: np.ndarray, value_range: Range) -> np.ndarray:
    """Converts pictures with any channels to uint8; what is outside of black and white is clipped."""
    black, white = value_range
    values = np.asarray(pictures, "float32")
    return np.clip(255 * (values - black) / (white - black) + 0.5, 0, 255).astype("uint8")
