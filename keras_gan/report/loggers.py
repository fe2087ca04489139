"""Logs of a run elsewhere: Weights & Biases and MLflow get what `history.csv` and the sample grids get.

Their own Keras callbacks do not do: that of wandb imports TensorFlow, also on JAX, and counts a resumed run from 0.
That of MLflow reads an optimizer as TensorFlow has it. Both log averages since the epoch began, and no pictures.
TensorBoard's event files are always written (`report/tensorboard.py`).
"""

import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras

from keras_gan.errors import BadValueError
from keras_gan.machine import installation
from keras_gan.report.run_files import LOGS, record, save_record

PROJECT = "keras_gan"  # the project of W&B and the experiment of MLflow, unless their environment variables name one


class Log(keras.callbacks.Callback):
    """Base of the logs. It has the methods `row` and `sample`, to be called as those of `callbacks.TensorBoard`.

    If the log fails while the run trains, it says so once, and the run goes on without it.

    A log defines
        start(folder, arguments, kept): begins the log of the run in a folder, or goes on with that named `kept`.
            Returns its name, to keep;
        write(iteration, figures): logs numbers;
        picture(iteration, grid): logs a picture file;
        finish(is_whole): ends the log.
    """

    NAME, HINT = "", ""
    is_on = False
    start: Callable[[Path, dict[str, Any], str | None], str]
    write: Callable[[int, dict[str, float]], None]
    picture: Callable[[int, Path], None]
    finish: Callable[[bool], None]

    def open(self, folder: Path, arguments: dict[str, Any]) -> None:
        """Begins the log, or goes on with it. Raises BadValueError if that fails."""
        kept = record(folder / LOGS)
        before = kept.get(self.NAME)
        try:
            name = self.start(folder, arguments, before if isinstance(before, str) else None)
        except Exception as error:  # of many kinds
            raise BadValueError(f"--log {self.NAME} does not work: {line_of(error)}. {self.HINT}") from error
        self.is_on = True
        save_record(folder / LOGS, kept | {self.NAME: name})

    def row(self, row: dict[str, Any]) -> None:
        figures = {name: figure for name, figure in row.items() if name != "iteration" and figure == figure}  # no NaN
        self.attempt(self.write, row["iteration"], figures)

    def sample(self, iteration: int, grid: Path, figures: dict[str, float]) -> None:
        if figures:
            self.attempt(self.write, iteration, figures)
        self.attempt(self.picture, iteration, grid)

    def on_train_end(self, logs: dict | None = None) -> None:
        self.attempt(self.finish, True)

    def on_interrupted(self) -> None:
        self.attempt(self.finish, False)

    def attempt(self, method: Callable, *arguments: Any) -> None:
        """Calls a method of the log, unless the log has failed."""
        if not self.is_on:
            return
        try:
            method(*arguments)
        except Exception as error:
            self.is_on = False
            print(f"warning: {self.NAME} fails, the run goes on without it: {line_of(error)}", file=sys.stderr)


class Wandb(Log):
    """Weights & Biases. `WANDB_PROJECT`, `WANDB_ENTITY` and `WANDB_MODE=offline` are observed."""

    NAME = "wandb"
    HINT = "Type wandb login once, or set WANDB_MODE=offline."

    def start(self, folder: Path, arguments: dict[str, Any], kept: str | None) -> str:
        import wandb

        project = os.environ.get("WANDB_PROJECT") or PROJECT
        options: dict[str, Any] = {"id": kept, "resume": "allow"} if kept else {}
        options["settings"] = wandb.Settings(silent=bool(arguments.get("quiet")))
        self.log = wandb.init(project=project, name=folder.name, dir=str(folder), config=arguments, **options)
        return self.log.id

    def write(self, iteration: int, figures: dict[str, float]) -> None:
        self.log.log(figures, step=iteration)

    def picture(self, iteration: int, grid: Path) -> None:
        import wandb

        self.log.log({"samples": wandb.Image(str(grid))}, step=iteration)

    def finish(self, is_whole: bool) -> None:
        self.log.finish(exit_code=0)


class MLflow(Log):
    """MLflow. `MLFLOW_TRACKING_URI` and `MLFLOW_EXPERIMENT_NAME` are observed."""

    NAME = "mlflow"
    HINT = "Set MLFLOW_TRACKING_URI to your server, or to a file such as sqlite:///mlflow.db."

    def start(self, folder: Path, arguments: dict[str, Any], kept: str | None) -> str:
        from mlflow import MlflowClient

        self.client = MlflowClient()
        if kept:
            self.client.update_run(kept, status="RUNNING")
            return self.use(kept)
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT
        found = self.client.get_experiment_by_name(name)
        experiment = found.experiment_id if found else self.client.create_experiment(name)
        made = self.client.create_run(experiment, run_name=folder.name).info.run_id
        for argument, value in arguments.items():
            self.client.log_param(made, argument, str(value)[:500])
        return self.use(made)

    def use(self, name: str) -> str:
        self.log = name
        return name

    def write(self, iteration: int, figures: dict[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        self.client.log_batch(self.log, [Metric(name, float(value), now, iteration) for name, value in figures.items()])

    def picture(self, iteration: int, grid: Path) -> None:
        from PIL import Image

        with Image.open(grid) as image:
            self.client.log_image(self.log, image, key="samples", step=iteration)

    def finish(self, is_whole: bool) -> None:
        self.client.set_terminated(self.log, "FINISHED" if is_whole else "KILLED")


LOGS_OF: dict[str, type[Log] | None] = {"wandb": Wandb, "mlflow": MLflow, "tensorboard": None}  # None: always written


def open_all(callbacks: Iterable[Any], folder: Path, arguments: dict[str, Any]) -> None:
    """Opens the logs among these callbacks, before a run begins: one that fails leaves no run."""
    for log in callbacks:
        if isinstance(log, Log):
            log.open(folder, arguments)


def checked(names: Any) -> list[type[Log]]:
    """The logs of the argument `log`, one name or several with commas.

    Raises:
        BadValueError: for an unknown name, or if the library is not installed.
    """
    found = names.split(",") if isinstance(names, str) else [] if names is None else [names]
    kinds = []
    for name in found:
        if not isinstance(name, str) or name not in LOGS_OF:
            raise BadValueError(f"log must be {', '.join(LOGS_OF)}, or several with commas, not {names!r}.")
        kind = LOGS_OF[name]
        if kind and not installation.is_there(name):
            raise BadValueError(f"--log {name} needs {name}: {installation.install(name)}.")
        kinds += [kind] if kind and kind not in kinds else []
    return kinds


def line_of(error: Exception) -> str:
    """An error as one line."""
    return " ".join(str(error).split())[:300].rstrip(".") or type(error).__name__
