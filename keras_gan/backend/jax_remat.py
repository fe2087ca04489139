"""Rematerialisation on JAX: what layers compute is not kept for their gradient, but computed once more.

As `jax.checkpoint`, with a barrier between the two computations. For CPUs, XLA removes barriers and then takes the
second computation for the first, so `jax.checkpoint` saves nothing there. `nothing_after` keeps them apart.
"""

from collections.abc import Callable

import jax
import keras

from keras_gan.backend.later import nothing_after


def computed_again(function: Callable) -> Callable:
    """A pure function of (list of inputs, lists of values...) whose gradient computes it once more."""

    def forward(*arguments):
        return function(*arguments), arguments

    def backward(arguments, upstream):
        arguments, upstream = jax.lax.optimization_barrier((arguments, upstream))
        inputs, *values = arguments
        if jax.default_backend() == "cpu":  # on several devices the first value of a batch would have to travel
            later = nothing_after(jax.tree.leaves(upstream)[0])
            inputs = [x + later.astype(x.dtype) if keras.backend.is_float_dtype(x.dtype) else x for x in inputs]
        return jax.vjp(function, inputs, *values)[1](upstream)

    again = jax.custom_vjp(function)
    again.defvjp(forward, backward)
    return again
