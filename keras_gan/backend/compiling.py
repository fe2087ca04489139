"""What of a training step is compiled by XLA on a CPU, where the step as a whole is not."""

import contextlib
import functools
import sys

import tensorflow as tf

compiled = functools.partial(tf.function, jit_compile=True, autograph=False)

training = False


@contextlib.contextmanager
def in_training():
    """While a step of the game is traced: what is used and exported elsewhere has plain convolutions."""
    global training
    training = True
    try:
        yield
    finally:
        training = False


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
