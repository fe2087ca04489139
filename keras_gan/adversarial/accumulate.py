"""Gradient accumulation: a batch passes through the networks in parts, and each update is still that of the batch.

An update computes the gradients of one part after another, and applies their mean once. So the order of a step keeps
its meaning: all discriminators are updated on the whole batch before any part of it scores the generators. Only the
pictures and the verdicts of the whole batch are kept. The parts are calls of one loop of the compiled step.

A part has every n-th picture of a batch. So each device has an equal share of every part, and pictures need not move
between devices; a joined batch of originals and fakes has both in each part.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_gan import backend
from keras_gan.adversarial.combined import unmoved
from keras_gan.adversarial.remat import remat
from keras_gan.errors import BadValueError


def check_divisible(batch: list[Any], count: int) -> None:
    """Raises BadValueError if a batch of known size cannot be divided into so many equal parts."""
    size = batch[0].shape[0]
    if size is not None and size % count:
        raise BadValueError(f"a batch of {size} cannot be divided into accumulate={count} parts: use a multiple.")


def parts_of(batch: Any, count: int) -> Any:
    """Nested lists of tensors (batch, ...) as (count, batch / count, ...). Part i has the pictures i, i + count, ..."""
    return keras.tree.map_structure(
        lambda x: ops.swapaxes(ops.reshape(x, (-1, count, *x.shape[1:])), 0, 1),
        keras.tree.map_structure(ops.convert_to_tensor, batch),
    )


def whole(parts: Any) -> Any:
    """The reverse of `parts_of`."""
    return keras.tree.map_structure(lambda x: ops.reshape(ops.swapaxes(x, 0, 1), (-1, *x.shape[2:])), parts)


def update(model: Any, part: Any, forward: Callable, batch: list[Any]) -> Any:
    """`backend.update` of a model's part by its loss on a batch or, if the model accumulates, on the parts of it.

    Args:
        model: the `AdversarialModel`.
        part: one of its compiled models.
        forward: a function of the items of `batch` to (loss to differentiate, result).
        batch: list of nested lists of tensors (batch, ...).

    Returns:
        The result, of the whole batch.
    """
    if model.accumulate == 1:
        return backend.update(model, part, lambda pause: forward(*batch))
    return whole(update_by_parts(model, part, forward, parts_of(batch, model.accumulate)))


def update_by_parts(model: Any, part: Any, forward: Callable, parts: list[Any]) -> Any:
    """One update by the mean of the gradients of all parts, (count, ...) each; returns the results, (count, ...)."""
    missing: list[bool] = []

    def add(sums: list[Any], items: list[Any]) -> tuple[list[Any], Any]:
        found, result = backend.gradients_of_part(model, part, lambda pause: forward(*items))
        missing[:] = [gradient is None for gradient in found]
        return [total if one is None else total + one for total, one in zip(sums, found, strict=True)], result

    zeros = [ops.zeros(variable.shape, variable.dtype) for variable in part.trainable_variables]
    sums, results = backend.scan(add, zeros, parts, model.step_variables)
    means = [total / model.accumulate for total in sums]
    backend.apply_gradients(part, [None if no else mean for no, mean in zip(missing, means, strict=True)])
    return results


def generate(model: Any, inputs: list[Any]) -> tuple[list[Any], list[Any]]:
    """The fakes of a whole batch, made part by part, and the random states before each, (parts, ...). Trains nothing.

    The generators' moving statistics stay.
    """
    states = model.random_states

    def one(_: list[Any], inputs: list[Any]) -> tuple[list[Any], Any]:
        before = [ops.copy(state) for state in states]
        return [], (model.combined.generate(inputs, training=True), before)

    with unmoved(model.combined.statistics_of_generators()):
        _, (fakes, before) = backend.scan(one, [], parts_of(inputs, model.accumulate), model.step_variables)
    return whole(fakes), before


def generate_again(model: Any, inputs: list[Any], before: list[Any]) -> list[Any]:
    """The fakes of a part once more, with the random numbers that `generate` drew from these states."""
    states = model.random_states
    with unmoved(states):
        for state, value in zip(states, before, strict=True):
            state.assign(value)
        with remat(model.remat):
            return model.combined.generate(inputs, training=True)
