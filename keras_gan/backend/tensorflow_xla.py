"""XLA for parts of a training step on a CPU, where the whole step is not compiled."""

import contextlib
import functools
import sys
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops

compiled = functools.partial(tf.function, jit_compile=True, autograph=False)

training = False


@contextlib.contextmanager
def in_training() -> Iterator[None]:
    """Enables these parts while a training step is traced; inference and exports keep plain convolutions."""
    global training
    before, training = training, True
    try:
        with forgetting_gradients():
            yield
    finally:
        training = before


@contextlib.contextmanager
def forgetting_gradients() -> Iterator[None]:
    """On exit, removes gradients that `tf.custom_gradient` registered in this context from TensorFlow's global table.

    Each one references its graph, and so all weights of the model: trained models would never be freed. A traced step
    contains its gradients and does not look them up again.
    """
    registered = getattr(getattr(ops, "gradient_registry", None), "_registry", {})  # a private interface
    before = set(registered)
    try:
        yield
    finally:
        for name in registered.keys() - before:
            if name.startswith("CustomGradient-"):
                del registered[name]


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
