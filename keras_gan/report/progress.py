"""How far training is: how fast, how much time is left, where the newest sample grid lies."""

import shutil
import sys
import time

import keras

from keras_gan.report.curves import duration


class Pace(keras.callbacks.Callback):
    """Counts iterations and seconds; the base of those callbacks that tell of them.

    Has `iteration`, of all training; `total`, what it will be at the end; `epoch`, from 1; `done`, in
    this epoch; `per_iteration`, seconds, of this process without its first iteration, which compiles.
    """

    def on_train_begin(self, logs=None):
        self.iteration = int(self.model.iteration)
        self.total, self.first = self.iteration, None
        self.epoch = self.done = 0
        self.per_iteration = None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.done = epoch + 1, 0

    def on_train_batch_end(self, batch, logs=None):
        self.iteration += 1
        self.done = batch + 1
        if self.first is None:
            self.first = self.iteration, time.monotonic()
            self.total = self.iteration + self.left_in_epoch + (self.epochs - self.epoch) * self.steps
        else:
            first, began = self.first
            self.per_iteration = (time.monotonic() - began) / (self.iteration - first)

    @property
    def epochs(self):
        return self.params["epochs"]

    @property
    def steps(self):
        """Iterations of an epoch."""
        return self.params["steps"]

    @property
    def left_in_epoch(self):
        """Iterations."""
        return self.steps - self.done


class Progress(Pace):
    """Says how far training is, on one line: time left, pictures a second, the figures that fit, the newest grid.

    In a terminal or a notebook the line is written over and over; anything else, a log file say, gets a
    new line every half minute and at the end of each epoch, without any control characters.

    Args:
        batch_size: pictures (or pairs) per iteration; None: do not speak of pictures.
        samples: the `SampleImages` that knows the newest grid; None: do not speak of it.
    """

    SHOWN = ("d_loss", "d_acc", "g_loss")
    SECONDS_PER_LINE = 30
    SECONDS_PER_UPDATE = 0.3

    def __init__(self, batch_size=None, samples=None):
        super().__init__()
        self.batch_size, self.samples = batch_size, samples

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.plain = not (sys.stdout.isatty() or "ipykernel" in sys.modules)
        self.wide = 0

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self.began = self.said = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        pause = self.SECONDS_PER_LINE if self.plain else self.SECONDS_PER_UPDATE
        if time.monotonic() - self.said > pause:
            self.say(logs, last=self.plain)

    def on_epoch_end(self, epoch, logs=None):
        self.say(logs, last=True)

    def say(self, logs, last):
        """Prints the line; `last`: it stays and is printed whole, else the next one takes its place."""
        self.said = time.monotonic()
        text = "  ".join(self.parts(logs or {}))
        if self.plain:
            print(text, flush=True)
            return
        if not last:
            text = text[: shutil.get_terminal_size().columns - 1]
        print("\r" + text.ljust(self.wide), end="\n" if last else "", flush=True)
        self.wide = 0 if last else len(text)

    def parts(self, logs):
        """What there is to say, most important first."""
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
                yield f"{name} {float(logs[name]):.4f}"
        if self.samples and self.samples.newest:
            yield f"newest grid {self.samples.newest}"
