"""What happens around the steps of `fit()`: sample grids, saved networks, learning rates."""

import keras

from keras_gan.errors import BadValueError
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

    def sample(self):
        """Saves both."""
        self.newest = self.model.sample_images(self.epoch, self.batch)
        figures = self.frames.add(self.iteration, self.model)
        if self.listen:
            self.listen(self.iteration, self.newest, figures)


class SaveNetworks(keras.callbacks.Callback):
    """Calls `model.save_networks()` at the end of every epoch."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.save_networks()


class LinearDecay(keras.callbacks.Callback):
    """Keeps the learning rates of a model's parts for some epochs, then lowers them to zero in a line.

    Args:
        model: the `AdversarialModel`.
        epochs: epochs at the full rate.
        decay_epochs: epochs after those; in the last one the rate is 1 / (decay_epochs + 1) of the full.

    Raises:
        BadValueError: if an optimizer has a schedule of its own.
    """

    def __init__(self, model, epochs, decay_epochs):
        super().__init__()
        self.epochs, self.decay_epochs = epochs, decay_epochs
        for part in model.parts:
            optimizer = getattr(part.optimizer, "inner_optimizer", part.optimizer)  # where the loss is scaled
            if isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
                raise BadValueError(
                    f"decay_epochs={decay_epochs} cannot lower the rate of {part.name}: its optimizer has a schedule "
                    "already. Give optimizers with a constant rate, or choose decay_epochs=0."
                )
        self.rates = {part: float(part.optimizer.learning_rate) for part in model.parts}

    def on_epoch_begin(self, epoch, logs=None):
        factor = 1 - max(0, epoch + 1 - self.epochs) / (self.decay_epochs + 1)
        for part, rate in self.rates.items():
            part.optimizer.learning_rate = rate * factor
