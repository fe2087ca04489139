"""Progress of training on one line: speed, time left, losses, newest sample grid."""

import math
import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any

import keras

from keras_gan.report.curves import duration


class Pace(keras.callbacks.Callback):
    """Counts iterations and time; base class of the callbacks that report progress.

    Attributes:
        iteration, total: iterations so far, and at the end of training.
        epoch, done: epoch (from 1), and iterations in this epoch.
        per_iteration: seconds per iteration in this process, without the first one, which compiles.
    """

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.iteration = int(self.model.iteration)
        self.total = self.iteration
        self.first: tuple[int, float] | None = None  # iteration, time
        self.epoch = self.done = 0
        self.per_iteration: float | None = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.epoch, self.done = epoch + 1, 0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.iteration += 1
        self.done = batch + 1
        if self.first is None:
            self.first = self.iteration, time.monotonic()
            self.total = self.iteration + self.left_in_epoch + (self.epochs - self.epoch) * self.steps
        else:
            first, began = self.first
            self.per_iteration = (time.monotonic() - began) / (self.iteration - first)

    @property
    def epochs(self) -> int:
        return self.params["epochs"]

    @property
    def steps(self) -> int:
        """Iterations per epoch."""
        return self.params["steps"]

    @property
    def left_in_epoch(self) -> int:
        """Iterations left in this epoch."""
        return self.steps - self.done


def compile_time(model: Any) -> str:
    """How long the first step of a model takes, in words."""
    if model.jit_compile or keras.backend.backend() == "jax":
        return "up to two minutes, later starts are faster"
    return f"about {math.ceil(sum(len(network.layers) for network in model.networks) / 6)} s"


class Progress(Pace):
    """Prints progress on one line: time left, pictures per second, losses, the newest sample grid.

    A terminal or a notebook updates the line in place. A log file gets a new line every 30 seconds and at the end of
    each epoch, without control characters.

    Args:
        batch_size: pictures (or pairs) per iteration; None: do not print pictures per second.
        samples: the `SampleImages` with the newest grid; None: do not print it.
    """

    SHOWN = ("d_loss", "d_acc", "g_loss")
    SECONDS_PER_LINE = 30
    SECONDS_PER_UPDATE = 0.3
    SECONDS_OF_ESTIMATE, LONG = 10, 3600  # measured before the time left is judged; what is long

    def __init__(self, batch_size: int | None = None, samples: Any = None) -> None:
        super().__init__()
        self.batch_size, self.samples = batch_size, samples

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        self.figures: dict[str, float] = {}  # the newest logs: not every batch has some
        self.plain = not (sys.stdout.isatty() or "ipykernel" in sys.modules)
        self.wide = 0
        self.is_judged = False  # whether the time left was compared with `LONG`
        print(f"Compiling the first step: {compile_time(self.model)}.", flush=True)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        super().on_epoch_begin(epoch, logs)
        self.began = self.said = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        self.figures = logs or self.figures
        self.advise()
        pause = self.SECONDS_PER_LINE if self.plain else self.SECONDS_PER_UPDATE
        if self.left_in_epoch and time.monotonic() - self.said > pause:  # the last one is said by `on_epoch_end`
            self.say(self.figures, last=self.plain)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.say(logs or {}, last=True)

    def advise(self) -> None:
        """Says once, as soon as the time left can be told, that a long run has a small version."""
        measured = time.monotonic() - self.first[1] if self.first else 0
        if self.is_judged or not self.per_iteration or measured < self.SECONDS_OF_ESTIMATE:
            return
        self.is_judged = True
        left, smaller = self.per_iteration * (self.total - self.iteration), smaller_than(self.model)
        if left > self.LONG and smaller:
            takes = f"This run takes about {left / 3600:.1f} h on this machine."
            self.write(f"{takes} A small one takes minutes: {smaller}", last=True)

    def say(self, logs: dict[str, float], last: bool) -> None:
        """Prints the line; if `last`, untruncated and followed by a newline, else to be overwritten."""
        self.said = time.monotonic()
        self.write("  ".join(self.parts(logs)), last)

    def write(self, text: str, last: bool) -> None:
        """Prints a line; see `say`."""
        if self.plain:
            print(text, flush=True)
            return
        if not last:
            text = text[: shutil.get_terminal_size().columns - 1]
        print("\r" + text.ljust(self.wide), end="\n" if last else "", flush=True)
        self.wide = 0 if last else len(text)

    def parts(self, logs: dict) -> Iterator[str]:
        """The parts of the line, most important first."""
        yield f"epoch {self.epoch}/{self.epochs}"
        yield f"iteration {self.done}/{self.steps}"
        if self.left_in_epoch == 0:
            yield f"{duration(time.monotonic() - self.began)} spent"
        if self.per_iteration and self.iteration < self.total:
            left = f"{duration(self.per_iteration * (self.total - self.iteration))} left"
            if self.left_in_epoch and self.epoch < self.epochs:
                left = f"{duration(self.per_iteration * self.left_in_epoch)} left in the epoch, {left} in all"
            yield left
        if self.per_iteration and self.batch_size:
            yield f"{self.batch_size / self.per_iteration:.3g} pictures/s"
        for name in self.SHOWN:
            if name in logs:
                yield f"{name} {logs[name]:.4f}"
        if self.samples and self.samples.newest:
            yield f"newest grid {self.samples.newest}"


def smaller_than(model: Any) -> str:
    """What to type for a quick run of the model, as a command or in Python; "" if this is one, or there is none."""
    kind = type(model)
    if model.run.smaller is not None or not kind.QUICK:
        return model.run.smaller or ""
    return f'{kind.__name__}(**{kind.__name__}.QUICK["model"]).train(**{kind.__name__}.QUICK["train"])'
