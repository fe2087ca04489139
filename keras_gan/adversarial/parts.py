"""Helpers for compiled parts, the discriminators and `combined`: their optimizers and first-step variables."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_gan import backend


def fresh(optimizer: Any) -> Any:
    """Returns a new optimizer with the same settings: two compiled parts cannot share one."""
    optimizer = keras.optimizers.get(optimizer)
    return type(optimizer).from_config(optimizer.get_config())


def chosen(optimizer: Any) -> Callable[[Any], Any]:
    """Returns a function of a default optimizer. It returns a fresh copy of `optimizer`, or of the default if None.

    (A plain optimizer attribute would be saved by Keras as part of the model.)
    """
    return lambda default: fresh(optimizer or default)


def create_variables(part: Any) -> None:
    """Creates the optimizer slots and metrics of a compiled part before its first step, so the step is traced once."""
    zeros = keras.tree.map_structure(lambda output: ops.zeros((1, *output.shape[1:])), part.output)
    part.compute_loss(y=zeros, y_pred=zeros)
    part.compute_metrics(None, zeros, zeros)
    part.reset_metrics()
    if not part.optimizer.built:
        part.optimizer.build(part.trainable_variables)
    backend.prepare(part.optimizer)
