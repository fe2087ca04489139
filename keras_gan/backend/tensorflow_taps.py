"""Convolutions as one matrix product per tap of the kernel, and their gradients.

A generator runs twice in a step, so every kernel gets two or three gradients. `gradients_of` computes them in one
product.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from keras_gan.backend.tensorflow_gradients import own_gradient

# While `gradients_of` runs: the uses of kernels in `times_taps`, each (x, gradient of the product). Uses of the same
# key can be joined: (id of the kernel, transpose, dtype of x, number of taps in x). Otherwise None.
deferred: dict[tuple, list[tuple[Any, Any]]] | None = None


def times_taps(x: Any, kernel: Any, transpose: bool = False) -> Any:
    """See `keras_gan.backend.operations.times_taps`. Within `gradients_of`, it defers the gradient of the kernel."""

    @own_gradient
    def multiplied(x, taps):
        def backward(upstream):
            x_gradient = tf.matmul(upstream, taps, transpose_b=not transpose)
            if x.shape[0] == 1:
                x_gradient = tf.reduce_sum(x_gradient, axis=0, keepdims=True)
            if deferred is None or not isinstance(kernel, keras.Variable):
                return x_gradient, kernel_gradient(x, upstream, transpose)
            deferred.setdefault((id(kernel), transpose, x.dtype, x.shape[0]), []).append((x, upstream))
            return x_gradient, None

        return tf.matmul(x, taps, transpose_b=transpose), backward

    return multiplied(x, tf.reshape(kernel, (-1, *kernel.shape[2:])))


def kernel_gradient(x: Any, upstream: Any, transpose: bool) -> Any:
    """The gradient of the taps, from x and the gradient of the product (`upstream`)."""
    return tf.matmul(upstream, x, transpose_a=True) if transpose else tf.matmul(x, upstream, transpose_a=True)


def gradients_of(loss: Any, variables: list[Any], tape: Any) -> list[Any]:
    """The gradients of these variables; None for variables that do not affect the loss.

    With large kernels and small maps, a kernel's gradient takes little work but much memory traffic: the tape would
    write it once per use and then read all of them to sum them. Here the uses are collected first, then each gradient
    is computed in one product. Gradients from other operations on a kernel (a regulariser, a user's layer, a map
    convolved by Keras) are in the tape's gradient, which is added.
    """
    global deferred
    deferred = {}
    try:
        gradients = tape.gradient(loss, variables)
        for i, variable in enumerate(variables):
            others = [] if gradients[i] is None else [tf.convert_to_tensor(gradients[i])]
            mine = [(key[1], uses) for key, uses in deferred.items() if key[0] == id(variable)]
            joined = [joined_gradient(uses, transpose, variable) for transpose, uses in mine]
            if joined:
                gradients[i] = tf.add_n(joined + others)
        return gradients
    finally:
        deferred = None


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """A context in which `times_taps` computes each gradient at once: deferred ones keep what they are computed of."""
    global deferred
    before, deferred = deferred, None
    try:
        yield
    finally:
        deferred = before


def joined_gradient(uses: list[tuple[Any, Any]], transpose: bool, variable: Any) -> Any:
    """The gradient of a kernel from uses that can be joined."""
    xs, upstreams = zip(*uses, strict=True)
    gradient = kernel_gradient(tf.concat(xs, axis=1), tf.concat(upstreams, axis=1), transpose)
    return tf.cast(tf.reshape(gradient, variable.shape), variable.dtype)
