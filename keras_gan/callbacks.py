"""What happens around the steps of `fit()`: progress, sample grids, saved networks."""

import sys
import time

import keras


class Progress(keras.callbacks.ProgbarLogger):
    """Progress of an epoch with time left and the figures that fit on a line.

    A terminal or a notebook gets Keras' progress bar; anything else, a log file say, one plain line
    every half minute and at the end of each epoch.
    """

    SHOWN = ("d_loss", "d_acc", "g_loss")
    SECONDS_PER_LINE = 30

    def on_train_begin(self, logs=None):
        self.plain = not (sys.stdout.isatty() or "ipykernel" in sys.modules)
        if not self.plain:
            super().on_train_begin(logs)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch_number = epoch + 1
        self.started = self.printed = time.monotonic()
        if not self.plain:
            super().on_epoch_begin(epoch, logs)

    def on_train_batch_end(self, batch, logs=None):
        if not self.plain:
            super().on_train_batch_end(batch, self._shown(logs))
        elif time.monotonic() - self.printed > self.SECONDS_PER_LINE:
            self._print(batch + 1, logs)

    def on_epoch_end(self, epoch, logs=None):
        if self.plain:
            self._print(self.target, logs)
        else:
            super().on_epoch_end(epoch, self._shown(logs))

    def _shown(self, logs):
        return {name: logs[name] for name in self.SHOWN if name in (logs or {})}

    def _print(self, done, logs):
        self.printed = time.monotonic()
        spent = self.printed - self.started
        figures = "  ".join(f"{name} {value:.4f}" for name, value in self._shown(logs).items())
        print(
            f"epoch {self.epoch_number}/{self.epochs}  iteration {done}/{self.target}  "
            f"{spent:.0f} s, {spent / done * (self.target - done):.0f} s left  {figures}",
            flush=True,
        )


class SampleImages(keras.callbacks.Callback):
    """Calls `model.sample_images(epoch, batch_i)` every `interval` batches and after the last one."""

    def __init__(self, interval):
        super().__init__()
        self.interval = interval

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.batch = batch
        if batch % self.interval == 0:
            self.sample()

    def on_train_end(self, logs=None):
        if self.batch % self.interval:
            self.sample()

    def sample(self):
        with self.model.averaged():
            self.model.sample_images(self.epoch, self.batch)


class SaveNetworks(keras.callbacks.Callback):
    """Calls `model.save_networks()` at the end of every epoch."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.save_networks()
