"""The fixed sample over time: a bounded number of small PNG frames, and their animation."""

import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.images.animations import save_animation
from keras_gan.images.grids import save_sheet
from keras_gan.images.sources import UNREADABLE, read_picture
from keras_gan.report.csv_log import Table
from keras_gan.report.run_files import HELD_OUT, say, set_aside

MOST = 60  # frames to keep


class Frames:
    """The folder `frames/` of a run, with files `ITERATION.png`, and `held_out.csv`.

    Args:
        run_folder: the run's folder.
        iteration: frames and figures after this one are deleted; a resumed run makes them again. Damaged frames are
            set aside.
    """

    def __init__(self, run_folder: Path, iteration: int) -> None:
        self.folder = run_folder / "frames"
        self.table = Table(run_folder / HELD_OUT)
        self.table.open(iteration)
        for path in frame_paths(self.folder):
            if int(path.stem) > iteration:
                path.unlink()
            elif fault := fault_of(path):
                set_aside(path, fault, instead="it is left out")

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
    paths = (path for path in folder.glob("*.png") if path.stem.isdecimal() and path.is_file())
    return sorted(paths, key=lambda path: int(path.stem))


def fault_of(path: Path) -> str | None:
    """Describes the damage of a picture file; None if it is undamaged."""
    try:
        read_picture(path)
    except UNREADABLE as error:
        return str(error) or type(error).__name__
    return None


def thumbnails(paths: Iterable[Path], width: int) -> Iterator[tuple[Path, Any]]:
    """Yields the pictures, in mode RGB, downscaled to this width. Damaged files are left out, and reported."""
    for path in paths:
        try:
            image = read_picture(path)
        except UNREADABLE as error:
            say(f"{path} is damaged ({error}): it is left out")
            continue
        image.thumbnail((width, 2 * width))
        yield path, image


def thin(folder: Path, most: int = MOST) -> None:
    """Deletes frames, closest neighbours first, until `most` remain; keeps the first and the last."""
    paths = frame_paths(folder)
    while len(paths) > most:
        at = [int(path.stem) for path in paths]
        gaps = [after - before for before, after in zip(at[:-2], at[2:], strict=True)]
        paths.pop(1 + gaps.index(min(gaps))).unlink()


def animate(run_folder: Path, width: int = 640) -> Path | None:
    """Saves the frames as `samples.mp4` if imageio-ffmpeg is installed, else as `samples.gif`.

    Returns the path, or None if there are fewer than two frames. All have the size of the last one.
    """
    found = [image for _, image in thumbnails(frame_paths(run_folder / "frames"), width)]
    pictures = [np.asarray(image) for image in found if image.size == found[-1].size]
    if len(pictures) < 2:
        return None
    kind = "mp4" if importlib.util.find_spec("imageio_ffmpeg") else "gif"
    path = run_folder / f"samples.{kind}"
    save_animation(path, pictures, (0, 255), seconds=0.15, last=1.5)
    return path
