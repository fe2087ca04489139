"""What of a training step is compiled by XLA on a CPU, where the step as a whole is not."""

import contextlib
import functools
import sys

import tensorflow as tf
from tensorflow.python.framework import ops

compiled = functools.partial(tf.function, jit_compile=True, autograph=False)

training = False


@contextlib.contextmanager
def in_training():
    """While a step of the game is traced: what is used and exported elsewhere has plain convolutions."""
    global training
    before, training = training, True
    try:
        with forgetting_gradients():
            yield
    finally:
        training = before


@contextlib.contextmanager
def forgetting_gradients():
    """Removes the gradients that `tf.custom_gradient` registers in here from TensorFlow's global table.

    Each refers to the graph that it was traced in, and so to all weights of the model: no model that was trained in
    this process would ever be freed. Once a step is traced, its gradients are part of it and not looked up again.
    """
    registered = getattr(getattr(ops, "gradient_registry", None), "_registry", {})  # no part of the public interface
    before = set(registered)
    try:
        yield
    finally:
        for name in registered.keys() - before:
            if name.startswith("CustomGradient-"):
                del registered[name]


def pays_for(x):
    """Whether a convolution of x may be computed by parts that are compiled here.

    In half precision their sums would lose too many digits, and the libraries of a GPU know such
    ways by themselves. TensorFlow compiles on Linux everywhere.
    """
    return (
        training
        and None not in x.shape[1:3]
        and x.dtype in (tf.float32, tf.float64)
        and sys.platform == "linux"
        and not tf.config.list_physical_devices("GPU")
    )
