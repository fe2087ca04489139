"""What `fit()` needs to begin in the middle of an epoch and to stop at a figure that is not finite."""

import math

import keras

from keras_gan.errors import NotFiniteError
from keras_gan.training import checkpoints


class Callbacks(keras.callbacks.CallbackList):
    """The callbacks of `fit()`, which may begin in the middle of an epoch.

    `fit()` always counts from the first batch of an epoch on. The batches that were played already
    are passed over: nothing is played and no callback hears of them, so that all others keep their numbers.

    A callback may compile a part of the model anew at the end of an epoch or the beginning of one.

    Args:
        callbacks, model, params: as Keras has them.
        played: batches of the first epoch that are not to be played.
    """

    def __init__(self, callbacks, model, played, **params):
        super().__init__(callbacks, add_history=True, model=model, **params)
        self.to_pass = played

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self.model.make_train_function()
        if self.to_pass and self.model.train_function != self.play_or_pass:
            self.play, self.model.train_function = self.model.train_function, self.play_or_pass

    def play_or_pass(self, *arguments):
        if not self.to_pass:
            return self.play(*arguments)
        *state, _ = arguments  # on JAX the values of all variables, which are returned beside the figures
        return ({}, *state) if state else {}

    def on_train_batch_begin(self, batch, logs=None):
        if not self.to_pass:
            super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        if self.to_pass:
            self.to_pass -= 1
        else:
            super().on_train_batch_end(batch, logs)

    def on_interrupted(self):
        """Tells those that want to know that training ends before its end."""
        for callback in self.callbacks:
            if hasattr(callback, "on_interrupted"):
                callback.on_interrupted()


class StayFinite(keras.callbacks.Callback):
    """Ends the run where a figure or, at the end of an epoch, a weight is not finite. It comes first of all callbacks.

    Keras has read the figures of a step for the callbacks anyway; what is not finite stays so in their average.
    """

    def on_train_batch_end(self, batch, logs=None):
        bad = [f"{name} is {value}" for name, value in (logs or {}).items() if not math.isfinite(value)]
        if bad:
            raise NotFiniteError(f"{', '.join(bad)} at iteration {int(self.model.iteration)}")

    def on_epoch_end(self, epoch, logs=None):
        checkpoints.check_weights(self.model)
