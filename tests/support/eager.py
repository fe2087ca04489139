"""TensorFlow without tracing: tracing a small model takes ten times as long as a few eager steps."""

import contextlib
import warnings

import keras
import pytest

#: The marks of a module that runs eagerly as a whole. pytest sets filters anew for each test, so this one is repeated.
EAGERLY = [
    pytest.mark.usefixtures("one_by_one"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config:UserWarning"),
]


@contextlib.contextmanager
def running_eagerly():
    """Runs TensorFlow eagerly in a context; does nothing on JAX."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        with warnings.catch_warnings():
            # TensorFlow warns that the input pipeline of `fit()` is compiled anyway.
            warnings.filterwarnings("ignore", "Even though the `tf.config", UserWarning)
            yield
    finally:
        tf.config.run_functions_eagerly(False)
