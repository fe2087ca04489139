"""Learning rate schedules."""

import math
from collections.abc import Callable
from typing import Any

import keras

from keras_gan.errors import BadValueError

#: (epoch from 0, epochs, decay) to the share of the full rate, 0 to 1; a run has `epochs + decay` epochs.
SCHEDULES: dict[str, Callable[[int, int, int], float]] = {
    "constant": lambda epoch, epochs, decay: 1.0,
    "linear": lambda epoch, epochs, decay: 1 - max(0, epoch + 1 - epochs) / (decay + 1),
    "cosine": lambda epoch, epochs, decay: (1 + math.cos(math.pi * epoch / (epochs + decay))) / 2,
    "step": lambda epoch, epochs, decay: 0.1 ** sum(epoch >= share * (epochs + decay) for share in (0.5, 0.75)),
}


class Schedule(keras.callbacks.Callback):
    """Sets the learning rates of a model's parts at the beginning of each epoch. They depend on its number only.

    constant: no change; linear: the full rate, then a linear fall, in the last epoch to 1 / (decay + 1) of the full
    rate; cosine: from the full rate to nearly zero along half a cosine; step: a tenth after half of the epochs, a
    hundredth after three quarters.

    Args:
        model: the `AdversarialModel`; its current rates are the full rates.
        name: constant, linear, cosine or step.
        epochs: all epochs or, for linear with `decay_epochs`, the epochs at the full rate.
        decay_epochs: further epochs with a falling rate; 0: the rate falls in the second half of `epochs`.

    Raises:
        BadValueError: if there is no such schedule, it does not allow `decay_epochs`, or an optimizer has its own
            schedule.
    """

    def __init__(self, model: Any, name: str, epochs: int, decay_epochs: int = 0) -> None:
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
        self.full_rates: dict[Any, float] = {}  # by optimizer
        for part in self.parts:
            optimizer = optimizer_of(part)
            if isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
                asked = f"decay_epochs={decay_epochs}" if name == "linear" else f"schedule={name!r}"
                raise BadValueError(
                    f"{asked} cannot lower the rate of {part.name}: leave it out, or give optimizers of constant rate."
                )
            self.full_rates[optimizer] = float(optimizer.learning_rate)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        for part in self.parts:
            optimizer = optimizer_of(part)
            full_rate = self.full_rates.setdefault(optimizer, float(optimizer.learning_rate))  # if recompiled
            optimizer.learning_rate = full_rate * self.share(epoch, self.epochs, self.decay_epochs)

    def on_train_end(self, logs: dict | None = None) -> None:
        """The next `train()` starts at the full rates again. (The last checkpoint has the lowered ones.)"""
        for optimizer, full_rate in self.full_rates.items():
            optimizer.learning_rate = full_rate

    on_interrupted = on_train_end


def optimizer_of(part: Any) -> Any:
    """The optimizer with the learning rate of a part: the inner one of a loss-scaling optimizer."""
    return getattr(part.optimizer, "inner_optimizer", part.optimizer)
