"""What happens around the steps of `fit()`: progress, sample grids, saved networks."""

import keras


class Progress(keras.callbacks.ProgbarLogger):
    """Keras' progress bar with time left, reduced to the figures that fit on a line."""

    SHOWN = ("d_loss", "d_acc", "g_loss")

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, self._shown(logs))

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, self._shown(logs))

    def _shown(self, logs):
        return {name: logs[name] for name in self.SHOWN if name in (logs or {})}


class SampleImages(keras.callbacks.Callback):
    """Calls `model.sample_images(epoch, batch_i)` every `interval` batches and after the last one."""

    def __init__(self, interval):
        super().__init__()
        self.interval = interval
        self.last = None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.last = (self.epoch, batch)
        if batch % self.interval == 0:
            self.path = self.model.sample_images(self.epoch, batch)

    def on_train_end(self, logs=None):
        if self.last is not None and self.last[1] % self.interval:
            self.path = self.model.sample_images(*self.last)


class SaveNetworks(keras.callbacks.Callback):
    """Calls `model.save_networks()` at the end of every epoch."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.save_networks()
