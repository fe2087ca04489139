"""Rematerialisation on TensorFlow: what a network computes is not kept for its gradient, but computed once more.

`tf.recompute_grad`, which Keras' `RematScope` uses, assigns variables twice and draws other random numbers the second
time. Here a network is a function of its inputs and of the values of its variables.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.eager import record  # a private interface, see tensorflow_gradients.py

from keras_gan.backend import tensorflow_taps
from keras_gan.backend.tensorflow_xla import in_training


def remat(network: Any, function: Callable, inputs: list[Any]) -> Any:
    """See `keras_gan.backend.remat`."""
    trained, others = network.trainable_variables, network.non_trainable_variables
    before = [tf.identity(variable._value) for variable in others]  # not `value`, which may be in half precision here

    def pure(values: list[Any], inputs: list[Any]) -> tuple[Any, list[Any]]:
        pairs = [*zip(trained, values, strict=True), *zip(others, before, strict=True)]
        with keras.StatelessScope(pairs) as scope:
            result = function(inputs)
        return result, [scope.get_current_value(variable) for variable in others]

    arguments = [*inputs, *(tf.convert_to_tensor(variable._value) for variable in trained)]
    count = len(inputs)
    with record.stop_recording():
        result, after = pure(arguments[count:], inputs)
    results = [tf.identity(y) for y in tf.nest.flatten(result)]

    @in_training()
    def backward(*upstream: Any) -> list[Any]:
        later = nothing_after(upstream[0])
        again = [x + tf.cast(later, x.dtype) if x.dtype.is_floating else x for x in inputs] + arguments[count:]
        with tensorflow_taps.at_once(), tf.GradientTape() as tape:
            tape.watch([x for x in again if x.dtype.is_floating])
            result, _ = pure(again[count:], again[:count])
        return tape.gradient(tf.nest.flatten(result), again, output_gradients=list(upstream))

    record.record_operation("remat", results, arguments, backward)
    for variable, value in zip(others, after, strict=True):
        variable.assign(value)
    return tf.nest.pack_sequence_as(result, results)


def nothing_after(x: Any) -> Any:
    """0, known only after x. It keeps optimizers from taking the second computation for the first, as in TensorFlow."""
    first = tf.reduce_max(tf.reshape(x, [-1])[:1])
    is_there = tf.cast(first, tf.bool)
    return tf.where(is_there == is_there, 0.0, float("nan"))
