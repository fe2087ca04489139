"""Convolutions as one matrix product per tap of the kernel, and their gradients.

A generator runs twice in a step, so every kernel gets two gradients, or three. `gradients_of` joins them into one
product.
"""

from typing import NamedTuple

import keras
import tensorflow as tf

# The uses of each kernel in `times_taps`, by id, while `gradients_of` goes backwards; else None.
noted = None


class Use(NamedTuple):
    """One product of `times_taps`, as its gradient is taken."""

    x: tf.Tensor
    above: tf.Tensor  # the gradient of the product
    transpose: bool

    @property
    def kind(self):
        """Uses of the same kind can be joined: of one type, the same way round, with pixels for one tap or for all."""
        return self.x.dtype, self.transpose, self.x.shape[0]


def times_taps(x, kernel, transpose=False):
    """See `keras_gan.backend.times_taps`. Its gradient leaves that of the kernel to `gradients_of`, if that asks."""

    @tf.custom_gradient
    def multiplied(x, taps):
        def backwards(above):
            below = tf.matmul(above, taps, transpose_b=not transpose)
            if x.shape[0] == 1:
                below = tf.reduce_sum(below, axis=0, keepdims=True)
            if noted is None or not isinstance(kernel, keras.Variable):
                return below, kernel_gradient(x, above, transpose)
            noted.setdefault(id(kernel), []).append(Use(x, above, transpose))
            return below, None

        return tf.matmul(x, taps, transpose_b=transpose), backwards

    return multiplied(x, tf.reshape(kernel, (-1, *kernel.shape[2:])))


def kernel_gradient(x, above, transpose):
    """The gradient of the taps that x was multiplied by, where `above` is that of the product."""
    return tf.matmul(above, x, transpose_a=True) if transpose else tf.matmul(x, above, transpose_a=True)


def gradients_of(loss, variables, tape):
    """The gradients of these variables; None for one that the loss does not reach.

    A generator runs twice in a step. Where its kernels are large and its maps small, the gradient of
    a kernel is little work and much memory, written for each run and read again to be added up. So
    what makes them is collected first, and each is made at once. What reaches a kernel by another
    way (a regulariser, a layer of the user's, a map for which Keras' own convolution is faster) is
    in the tape's gradient, and added.
    """
    global noted
    noted = {}
    try:
        gradients = tape.gradient(loss, variables)
        for i, variable in enumerate(variables):
            others = [] if gradients[i] is None else [tf.convert_to_tensor(gradients[i])]
            joined = [joined_gradient(uses, variable) for uses in kinds_of(noted.get(id(variable), []))]
            if joined:
                gradients[i] = tf.add_n(joined + others)
        return gradients
    finally:
        noted = None


def kinds_of(uses):
    """Lists of uses of the same kind."""
    kinds = {}
    for use in uses:
        kinds.setdefault(use.kind, []).append(use)
    return kinds.values()


def joined_gradient(uses, variable):
    """The gradient of a kernel by uses of one kind."""
    xs, aboves, (transpose, *_) = zip(*uses, strict=True)
    gradient = kernel_gradient(tf.concat(xs, axis=1), tf.concat(aboves, axis=1), transpose)
    return tf.cast(tf.reshape(gradient, variable.shape), variable.dtype)
