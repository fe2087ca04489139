"""Rematerialisation on TensorFlow: what layers compute is not kept for their gradient, but computed once more.

`tf.recompute_grad`, which Keras' `RematScope` uses, assigns variables twice and draws other random numbers the second
time. Here layers are a function of their inputs and of the values of their variables.

TensorFlow runs whatever it can, so it would compute several parts once more at the same time, and keep what each of
them made. `in_order` makes each part wait until all gradients of the one before are there.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.eager import record  # a private interface, see tensorflow_gradients.py

from keras_gan.backend import tensorflow_taps
from keras_gan.backend.later import nothing_after
from keras_gan.backend.tensorflow_xla import in_training

done: list[Any] = []  # the gradients of the part that was computed once more last


@contextlib.contextmanager
def in_order() -> Iterator[None]:
    """Gradients that a tape computes within it are computed once more part by part."""
    done.clear()
    try:
        yield
    finally:
        done.clear()


def remat(layer: Any, function: Callable, inputs: list[Any]) -> Any:
    """See `keras_gan.backend.remat`."""
    trained, others = layer.trainable_variables, layer.non_trainable_variables
    count = len(inputs)

    def pure(arguments: list[Any], states: list[Any]) -> tuple[Any, list[Any]]:
        pairs = [*zip(trained, arguments[count:], strict=True), *zip(others, states, strict=True)]
        with keras.StatelessScope(pairs) as scope:
            result = function(arguments[:count])
        return result, [scope.get_current_value(variable) for variable in others]

    # Not `value` of variables, which may be in half precision here.
    arguments = [*inputs, *(tf.convert_to_tensor(variable._value) for variable in trained)]
    before = [tf.identity(variable._value) for variable in others]
    with record.stop_recording():
        result, after = pure(arguments, before)
    results = [tf.identity(y) for y in tf.nest.flatten(result)]

    @in_training()
    def backward(*upstream: Any) -> list[Any]:
        with tf.control_dependencies([*upstream, *done]):
            later = nothing_after(upstream[0])
            again, states = ([tf.identity(x) for x in xs] for xs in (arguments, before))
        again[:count] = [x + tf.cast(later, x.dtype) if x.dtype.is_floating else x for x in again[:count]]
        with tensorflow_taps.at_once(), tf.GradientTape() as tape:
            tape.watch([x for x in again if x.dtype.is_floating])
            result, _ = pure(again, states)
        found = tape.gradient(tf.nest.flatten(result), again, output_gradients=list(upstream))
        done[:] = [gradient for gradient in found if gradient is not None]
        return found

    record.record_operation("remat", results, arguments, backward)
    for variable, value in zip(others, after, strict=True):
        variable.assign(value)
    return tf.nest.pack_sequence_as(result, results)
