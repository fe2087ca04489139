"""Grids of pictures, to look at while a model trains."""

import numpy as np

from keras_gan.files import write_whole


def save_grid(path, rows, titles, value_range=(-1, 1)):
    """Saves a titled grid of pictures as a PNG file.

    Args:
        path: the file to write; it appears only when it is whole.
        rows: list of rows, each a list of pictures (height, width, 1 or 3).
        titles: one title per column, written above each picture.
        value_range: the values of black and white.
    """
    # The object interface: no window system, no global state, nothing left behind in memory.
    from matplotlib.figure import Figure

    black, white = value_range
    height, width = rows[0][0].shape[:2]
    figure = Figure(figsize=(2.2 * len(titles), (2.2 * height / width + 0.3) * len(rows)), layout="constrained")
    for row, row_axes in zip(rows, figure.subplots(len(rows), len(titles), squeeze=False), strict=True):
        for picture, title, axes in zip(row, titles, row_axes, strict=True):
            picture = np.clip((np.asarray(picture) - black) / (white - black), 0, 1)
            axes.imshow(picture, cmap="gray", vmin=0, vmax=1)
            axes.set_title(title)
            axes.axis("off")
    with write_whole(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=100)
