"""XLA for parts of a training step on a CPU, where the whole step is not compiled."""

import contextlib
import functools
import sys
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

compiled = functools.partial(tf.function, jit_compile=True, autograph=False)

training = False


@contextlib.contextmanager
def in_training() -> Iterator[None]:
    """Enables these parts while a training step is traced; inference and exports keep plain convolutions."""
    global training
    before, training = training, True
    try:
        yield
    finally:
        training = before


def can_compile(x: Any) -> bool:
    """Whether a convolution of x may use compiled parts: in training, in float32 or float64, on Linux, without a GPU.

    Half precision would lose too many digits in the sums. GPU libraries have such algorithms themselves. Outside Linux,
    TensorFlow may lack XLA.
    """
    return (
        training
        and None not in x.shape[1:3]
        and x.dtype in (tf.float32, tf.float64)
        and sys.platform == "linux"
        and not tf.config.list_physical_devices("GPU")
    )
