"""What happens around the steps of `fit()`: sample grids, saved networks."""

import keras

from keras_gan import backend
from keras_gan.backend.memory import giving_back
from keras_gan.frames import Frames


class SampleImages(keras.callbacks.Callback):
    """Saves a grid and a frame of the fixed sample every `interval` batches and after the last one.

    Has `newest`, the path of the newest grid; None before the first.

    Args:
        interval: batches from one to the next.
        listen: called with the iteration, the path of the grid, and the held-out figures, a dict.
    """

    def __init__(self, interval, listen=None):
        super().__init__()
        self.interval, self.listen = interval, listen
        self.newest = None

    def on_train_begin(self, logs=None):
        self.iteration = int(self.model.iteration)
        self.batch = None
        self.frames = Frames(self.model.run_folder, self.iteration)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.batch = batch
        self.iteration += 1
        if batch % self.interval == 0:
            self.sample()

    def on_train_end(self, logs=None):
        if self.batch is not None and self.batch % self.interval:
            self.sample()

    @giving_back()
    def sample(self):
        """Saves both."""
        with self.model.averaged(), backend.undivided():
            self.newest = self.model.sample_images(self.epoch, self.batch)
            figures = self.frames.add(self.iteration, self.model)
        if self.listen:
            self.listen(self.iteration, self.newest, figures)


class SaveNetworks(keras.callbacks.Callback):
    """Calls `model.save_networks()` at the end of every epoch."""

    def on_epoch_end(self, epoch, logs=None):
        if backend.hosts()[0] == 0:
            self.model.save_networks()
