"""The fixed sample over time: a bounded number of small PNG frames, and their animation."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.images.grids import save_animation, save_sheet
from keras_gan.report.csv_log import Table

MOST = 60  # frames to keep


class Frames:
    """The folder `frames/` of a run, with files `ITERATION.png`, and `held_out.csv`.

    Args:
        run_folder: the run's folder.
        iteration: frames and figures after this one are deleted; a resumed run makes them again.
    """

    def __init__(self, run_folder: Path, iteration: int) -> None:
        self.folder = run_folder / "frames"
        self.table = Table(run_folder / "held_out.csv")
        self.table.open(iteration)
        for path in frame_paths(self.folder):
            if int(path.stem) > iteration:
                path.unlink()

    def add(self, iteration: int, model: Any) -> dict[str, float]:
        """Saves the model's fixed sample as a frame; returns its held-out figures."""
        rows, titles, captions, figures = model.fixed_sample()
        path = self.folder / f"{iteration:07}.png"
        save_sheet(path, rows, model.data_loader.value_range, captions, titles, least=96 if titles else 64)
        if figures:
            self.table.append({"iteration": iteration} | figures)
        thin(self.folder)
        return figures


def frame_paths(folder: Path) -> list[Path]:
    """The frames in a folder, ordered by iteration."""
    return sorted((path for path in folder.glob("*.png") if path.stem.isdecimal()), key=lambda path: int(path.stem))


def thin(folder: Path, most: int = MOST) -> None:
    """Deletes frames, closest neighbours first, until `most` remain; keeps the first and the last."""
    paths = frame_paths(folder)
    while len(paths) > most:
        at = [int(path.stem) for path in paths]
        gaps = [after - before for before, after in zip(at[:-2], at[2:], strict=True)]
        paths.pop(1 + gaps.index(min(gaps))).unlink()


def animate(run_folder: Path, width: int = 640) -> Path | None:
    """Saves the frames as `samples.mp4` if imageio-ffmpeg is installed, else as `samples.gif`.

    Returns the path, or None if there are fewer than two frames.
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
