"""Functions with their own gradients, for TensorFlow."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import record  # a private interface, the one that `tf.custom_gradient` uses in eager mode


def own_gradient(function: Callable) -> Callable:
    """A decorator like `tf.custom_gradient`, for functions of tensors that read no variables.

    `tf.custom_gradient` adds a dozen operations to a graph for each use, and puts each gradient into a global table for
    graphs that are differentiated without a tape. That table would keep trained models in memory. A step has a tape.

    Args:
        function: takes tensors; returns a tensor and a function that maps its gradient to those of the arguments.

    Returns:
        A function of tensors that returns the tensor. It can be differentiated twice.
    """

    def differentiable(*arguments: Any) -> Any:
        inputs = [tf.convert_to_tensor(argument) for argument in arguments]
        result, backward = function(*inputs)
        result = tf.identity(result)  # a tensor of its own: the tape knows how the result itself was made
        record.record_operation(
            function.__name__, [result], inputs, lambda upstream: tf.nest.flatten(backward(upstream))
        )
        return result

    return differentiable
