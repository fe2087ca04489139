"""A fixed sample over time: one small picture file per sampling, a bounded number of them, and an animation."""

import importlib.util

import numpy as np

from keras_gan.images.grids import save_animation, save_sheet
from keras_gan.report.csv_log import Table

MOST = 60  # frames that are kept


class Frames:
    """The folder `frames/` of a run, of files `ITERATION.png`, and `held_out.csv` beside it.

    Args:
        run_folder: the run's folder, a `pathlib.Path`.
        iteration: frames and figures after this one are dropped: a resumed run makes them again.
    """

    def __init__(self, run_folder, iteration):
        self.folder = run_folder / "frames"
        self.table = Table(run_folder / "held_out.csv")
        self.table.open(iteration)
        for path in frame_paths(self.folder):
            if int(path.stem) > iteration:
                path.unlink()

    def add(self, iteration, model):
        """Saves what the model's fixed sample is now; returns its figures, a dict."""
        rows, titles, captions, figures = model.fixed_sample()
        path = self.folder / f"{iteration:07}.png"
        save_sheet(path, rows, model.data_loader.value_range, captions, titles, least=96 if titles else 64)
        if figures:
            self.table.append({"iteration": iteration} | figures)
        thin(self.folder)
        return figures


def frame_paths(folder):
    """The frames of a folder in the order of their iterations."""
    return sorted((path for path in folder.glob("*.png") if path.stem.isdecimal()), key=lambda path: int(path.stem))


def thin(folder, most=MOST):
    """Removes frames until there are no more than `most`, those first that leave the smallest gap; never the ends."""
    paths = frame_paths(folder)
    while len(paths) > most:
        at = [int(path.stem) for path in paths]
        gaps = [after - before for before, after in zip(at[:-2], at[2:], strict=True)]
        paths.pop(1 + gaps.index(min(gaps))).unlink()


def animate(run_folder, width=640):
    """Saves the frames as `samples.mp4` where imageio-ffmpeg is installed, else as `samples.gif`; returns the path.

    None if there are fewer than two frames.
    """
    from PIL import Image

    paths = frame_paths(run_folder / "frames")
    if len(paths) < 2:
        return None
    pictures = []
    for path in paths:
        with Image.open(path) as image:
            image.thumbnail((width, 2 * width))
            pictures.append(np.asarray(image.convert("RGB")))
    kind = "mp4" if importlib.util.find_spec("imageio_ffmpeg") else "gif"
    path = run_folder / f"samples.{kind}"
    save_animation(path, pictures, (0, 255), seconds=0.15, last=1.5)
    return path
