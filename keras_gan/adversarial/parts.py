"""Helpers for compiled parts, the discriminators and `combined`: their optimizers and first-step variables."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_gan import backend
from keras_gan.errors import BadValueError, check_share
from keras_gan.training.schedules import optimizer_of


def fresh(optimizer: Any, learning_rate: float | None = None, beta_1: float | None = None) -> Any:
    """Returns a new optimizer with the same settings: two compiled parts cannot share one.

    Args:
        optimizer: what Keras takes for an optimizer.
        learning_rate: another learning rate, or another one that its schedule begins with; None: its own.
        beta_1: another beta_1; None: its own.

    Raises:
        BadValueError: (a ValueError) if it has no such number.
    """
    optimizer = keras.optimizers.get(optimizer)
    settings = optimizer.get_config()
    schedule = settings["learning_rate"]
    of_rate = schedule["config"] if isinstance(schedule, dict) else settings
    rate = "initial_learning_rate" if isinstance(schedule, dict) else "learning_rate"
    for place, name, value in ((of_rate, rate, learning_rate), (settings, "beta_1", beta_1)):
        if value is not None and name not in place:
            kind = type(optimizer).__name__
            raise BadValueError(f"the optimizer here is {kind}, which has no {name}: leave {name}={value} out.")
        if value is not None:
            place[name] = float(value)
    return type(optimizer).from_config(settings)


def chosen(optimizer: Any, learning_rate: float | None = None, beta_1: float | None = None) -> Callable[[Any], Any]:
    """Returns a function of a default optimizer. It returns a fresh copy of `optimizer`, or of the default if None.

    (A plain optimizer attribute would be saved by Keras as part of the model.)

    Args:
        optimizer: what Keras takes for an optimizer, or None.
        learning_rate, beta_1: see `fresh`.

    Raises:
        BadValueError: (a ValueError) unless `optimizer` is None or one that Keras knows, and for numbers that cannot
            work or that it does not have.
    """
    if beta_1 is not None:
        check_share(beta_1=beta_1)
    if optimizer is None:
        return lambda default: fresh(default, learning_rate, beta_1)
    try:
        fresh(optimizer)
    except (AttributeError, KeyError, TypeError, ValueError):  # Keras' own, by what it is given
        raise BadValueError(f"{optimizer!r} is no optimizer of Keras, such as keras.optimizers.Adam(2e-4).") from None
    fresh(optimizer, learning_rate, beta_1)  # refuses numbers that it does not have
    return lambda default: fresh(optimizer, learning_rate, beta_1)


class PartsOptimizer:
    """The optimizers of all parts as one, for `fit()` and for Keras' callbacks.

    `learning_rate` is the generators' rate. Setting it multiplies the rates of all parts by the same factor.
    """

    built = True  # by `AdversarialModel.make_train_function`

    def __init__(self, model: Any) -> None:
        self.model = model

    @property
    def variables(self) -> list[Any]:
        return [variable for part in self.model.parts for variable in part.optimizer.variables]

    @property
    def iterations(self) -> Any:
        return self.model.iteration

    @property
    def learning_rate(self) -> float:
        return float(ops.convert_to_numpy(optimizer_of(self.model.combined).learning_rate))

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        rate, before = float(ops.convert_to_numpy(rate)), self.learning_rate
        for part in self.model.parts:
            optimizer = optimizer_of(part)
            if isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
                raise BadValueError(
                    f"the learning rate of {part.name} has a schedule: give optimizers of constant rate to set it."
                )
            optimizer.learning_rate = float(optimizer.learning_rate) * rate / before if before else rate


def create_variables(part: Any) -> None:
    """Creates the optimizer slots and metrics of a compiled part before its first step, so the step is traced once."""
    zeros = keras.tree.map_structure(lambda output: ops.zeros((1, *output.shape[1:])), part.output)
    part.compute_loss(y=zeros, y_pred=zeros)
    part.compute_metrics(None, zeros, zeros)
    part.reset_metrics()
    if not part.optimizer.built:
        with backend.drawn_on_host():
            part.optimizer.build(part.trainable_variables)
    backend.prepare(part.optimizer)


def tracked_loss(part: Any, x: Any, y: Any, outputs: Any, training: bool) -> Any:
    """The compiled loss of a part; updates its loss metric."""
    loss = part.compute_loss(x=x, y=y, y_pred=outputs, training=training)
    part._loss_tracker.update_state(loss, sample_weight=ops.shape(keras.tree.flatten(x)[0])[0])
    return loss


def scaled_loss(part: Any, x: Any, y: Any, outputs: Any) -> Any:
    """`tracked_loss` in training, scaled if the part's optimizer scales losses."""
    return part.optimizer.scale_loss(tracked_loss(part, x, y, outputs, training=True))
