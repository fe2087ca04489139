"""How learning rates change while a model trains."""

import math

import keras

from keras_gan.errors import BadValueError

#: Share of the full rate in epoch `epoch` (from 0) of `epochs + decay`, the rate being full for `epochs` of them.
SCHEDULES = {
    "constant": lambda epoch, epochs, decay: 1.0,
    "linear": lambda epoch, epochs, decay: 1 - max(0, epoch + 1 - epochs) / (decay + 1),
    "cosine": lambda epoch, epochs, decay: (1 + math.cos(math.pi * epoch / (epochs + decay))) / 2,
    "step": lambda epoch, epochs, decay: 0.1 ** sum(epoch >= share * (epochs + decay) for share in (0.5, 0.75)),
}


class Schedule(keras.callbacks.Callback):
    """Sets the learning rates of a model's parts at the beginning of each epoch, from its number alone.

    constant: no change; linear: the full rate, then in a line to zero, in the last epoch
    1 / (decay + 1) of the full; cosine: from the full rate to nearly zero along half a wave; step: a
    tenth after half of the epochs and a hundredth after three quarters.

    Args:
        model: the `AdversarialModel`; its rates now are the full ones.
        name: one of those above.
        epochs: all epochs or, for linear with `decay_epochs`, those at the full rate.
        decay_epochs: epochs of the fall after those; 0: the second half of `epochs`.

    Raises:
        BadValueError: if there is no such schedule, it does not go with `decay_epochs`, or an
            optimizer has a schedule of its own.
    """

    def __init__(self, model, name, epochs, decay_epochs=0):
        super().__init__()
        if name not in SCHEDULES:
            raise BadValueError(f"schedule must be one of {', '.join(SCHEDULES)}, not {name!r}.")
        if decay_epochs and name == "constant":
            name = "linear"
        if decay_epochs and name != "linear":
            raise BadValueError(f"decay_epochs={decay_epochs} is for schedule 'linear', not {name!r}.")
        if name == "linear" and not decay_epochs:
            decay_epochs = epochs // 2
            epochs -= decay_epochs
        self.epochs, self.decay_epochs = epochs, decay_epochs
        self.share = SCHEDULES[name]
        self.parts = model.parts if name != "constant" else []
        self.full_rates = {}  # by optimizer
        for part in self.parts:
            optimizer = optimizer_of(part)
            if isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
                asked = f"decay_epochs={decay_epochs}" if name == "linear" else f"schedule={name!r}"
                raise BadValueError(
                    f"{asked} cannot lower the rate of {part.name}: its optimizer has a schedule already. "
                    "Give optimizers with a constant rate, or choose decay_epochs=0 and schedule='constant'."
                )
            self.full_rates[optimizer] = float(optimizer.learning_rate)

    def on_epoch_begin(self, epoch, logs=None):
        for part in self.parts:
            optimizer = optimizer_of(part)
            full_rate = self.full_rates.setdefault(optimizer, float(optimizer.learning_rate))  # of one compiled since
            optimizer.learning_rate = full_rate * self.share(epoch, self.epochs, self.decay_epochs)


def optimizer_of(part):
    """The optimizer whose rate counts, also where another one scales the loss around it."""
    return getattr(part.optimizer, "inner_optimizer", part.optimizer)
