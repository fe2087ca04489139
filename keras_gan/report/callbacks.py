"""Callbacks that monitor a run: progress, history, samples, TensorBoard, report."""

import contextlib
import functools
import math
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import keras

from keras_gan import backend
from keras_gan.backend.memory import giving_back
from keras_gan.report import loggers
from keras_gan.report.csv_log import read_rows
from keras_gan.report.curves import save_losses
from keras_gan.report.frames import MOST, Frames, animate
from keras_gan.report.history import History
from keras_gan.report.page import save_facts, write_report
from keras_gan.report.progress import Pace, Progress


def watching(
    batch_size: int, sample_interval: int | None, least: int, quiet: bool, log: str | None = None
) -> list[keras.callbacks.Callback]:
    """The monitoring callbacks of `AdversarialModel.train`; writers come before those that report on files.

    With several hosts only the first reports, but all compute samples, since the weights are distributed over them.

    Args:
        batch_size: pictures (or pairs) per iteration.
        sample_interval: iterations between sample grids; None: `least`, or more if a run would save too many.
        least: see `sample_interval`.
        quiet: whether to print no progress.
        log: see `keras_gan.report.loggers.checked`.
    """
    if backend.hosts()[0]:
        return [SampleImages(sample_interval, least=least)]
    listeners: list[Any] = [TensorBoard(), *(kind() for kind in loggers.checked(log))]
    history = History(each_of([listener.row for listener in listeners]))
    samples = SampleImages(sample_interval, each_of([listener.sample for listener in listeners]), least)
    progress = [] if quiet else [Progress(batch_size, samples)]
    return [history, samples, *listeners, *progress, Report(batch_size, samples)]


def each_of(functions: list[Callable]) -> Callable:
    """A function that calls all of these."""

    def call(*arguments: Any) -> None:
        for function in functions:
            function(*arguments)

    return call


class SampleImages(keras.callbacks.Callback):
    """Saves a sample grid and a frame of the fixed sample every `interval` batches and after the last one.

    Args:
        interval: batches between samples, counted from the first of each epoch; None: see `spacing`.
        listen: called with the iteration, the path of the grid, and the held-out figures, a dict.
        least: see `spacing`.

    Attributes:
        newest: path of the newest grid; None before the first.
    """

    def __init__(self, interval: int | None, listen: Callable | None = None, least: int = 1) -> None:
        super().__init__()
        self.interval, self.listen, self.least = interval, listen, least
        self.newest: Path | None = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        given = self.interval and (self.interval, 1)
        self.spacing = given or spacing(self.params["epochs"], self.params["steps"], self.least)
        self.iteration = int(self.model.iteration)
        self.batch: int | None = None
        self.frames = Frames(self.model.run_folder, self.iteration)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.batch = batch
        self.iteration += 1
        if self.is_due(batch):
            self.sample()

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.batch is not None and not self.is_due(self.batch):
            self.sample()

    def is_due(self, batch: int) -> bool:
        batches, epochs = self.spacing
        return self.epoch % epochs == 0 and batch % batches == 0

    @giving_back()
    def sample(self) -> None:
        """Saves the grid and the frame, generated with the EMA weights if there are any."""
        with self.model.averaged(), backend.undivided(), fixed_sample_once(self.model):
            self.newest = self.model.sample_images(self.epoch, self.batch)
            figures = self.frames.add(self.iteration, self.model)
        if self.listen:
            self.listen(self.iteration, self.newest, figures)


def spacing(epochs: int, steps: int, least: int) -> tuple[int, int]:
    """(batches between samples, epochs between those with samples) of a run that saves at most `MOST`.

    Args:
        epochs, steps: epochs of the run, and batches per epoch.
        least: the smallest number of batches; it is kept if that is not too many samples.
    """
    most = MOST - 1  # and the last one
    skip = math.ceil(epochs / most)
    per_epoch = most // math.ceil(epochs / skip)
    return max(least, math.ceil(steps / per_epoch)), skip


@contextlib.contextmanager
def fixed_sample_once(model: Any) -> Iterator[None]:
    """Within it the model computes its fixed sample once, for a grid that shows it and for the frame."""
    hidden = {name: value for name, value in vars(model).items() if name == "fixed_sample"}
    model.fixed_sample = functools.cache(model.fixed_sample)
    try:
        yield
    finally:
        del model.fixed_sample
        vars(model).update(hidden)


class TensorBoard(keras.callbacks.Callback):
    """Writes the history, the held-out figures and the sample grids to `tensorboard/`.

    Keras' own callback logs averages since the start of the epoch, restarts at iteration 0 in a resumed run, and needs
    TensorFlow.
    """

    def on_train_begin(self, logs: dict | None = None) -> None:
        from keras_gan.report.tensorboard import Summaries

        self.summaries = Summaries(self.model.run_folder / "tensorboard", int(self.model.iteration))

    def row(self, row: dict[str, Any]) -> None:
        figures = {name: figure for name, figure in row.items() if name != "iteration" and figure == figure}  # no NaN
        self.summaries.scalars(row["iteration"], figures)

    def sample(self, iteration: int, grid: Path, figures: dict[str, float]) -> None:
        self.summaries.scalars(iteration, figures)
        self.summaries.picture(iteration, "grid", grid.read_bytes())


class Report(Pace):
    """Writes `losses.png`, the animation and `report.html` after a sample and at the end.

    Between samples at least `SECONDS` pass, and writing takes at most `SHARE` of the time.
    """

    SECONDS = 60
    SHARE = 0.005

    def __init__(self, batch_size: int, samples: SampleImages) -> None:
        super().__init__()
        self.batch_size, self.samples = batch_size, samples

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        self.due = 0.0
        self.shown: Path | None = None
        self.pictures: dict[Path, str] = {}  # cache of encoded pictures
        self.networks = [summary(network) for network in self.model.networks]

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        began = time.monotonic()
        if self.samples.newest != self.shown and began >= self.due:
            self.write("running")
            spent = time.monotonic() - began
            self.due = began + spent + max(self.SECONDS, spent / self.SHARE)

    def on_train_end(self, logs: dict | None = None) -> None:
        self.write("finished" if self.iteration >= self.total else "stopped")

    def on_interrupted(self) -> None:
        self.write("stopped")

    @giving_back()
    def write(self, state: str) -> None:
        """Writes all three files; `state` is "running", "finished" or "stopped"."""
        self.shown = self.samples.newest
        run = self.model.run_folder
        rows = read_rows(run / "history.csv")
        facts = {"model": self.model.name, "dataset": self.model.data_loader.dataset_name, "state": state}
        facts |= {"iteration": self.iteration, "iterations": self.total, "epoch": self.epoch, "epochs": self.epochs}
        facts |= {"batch_size": self.batch_size, "seconds_per_iteration": self.per_iteration}
        facts |= {"updated": datetime.now().isoformat(" ", "seconds"), "networks": self.networks}
        save_facts(run, facts)
        if rows:
            save_losses(run / "losses.png", rows)
        animate(run)
        write_report(run, self.pictures)


def summary(network: keras.Model) -> dict[str, Any]:
    """A network's name, number of parameters, and layers as [name, type, output shape, parameters]."""
    return {
        "name": network.name,
        "parameters": network.count_params(),
        "layers": [
            [layer.name, type(layer).__name__, shapes(layer.output), layer.count_params()] for layer in network.layers
        ],
    }


def shapes(outputs: Any) -> str:
    """The output shapes of a layer as text, such as "128x128x3", without the batch axis."""
    return ", ".join("x".join(map(str, tensor.shape[1:])) for tensor in keras.tree.flatten(outputs)) or "1"
