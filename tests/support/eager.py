"""TensorFlow without tracing: a few steps of a small model take a tenth of the time of tracing one."""

import contextlib
import warnings

import keras


@contextlib.contextmanager
def running_eagerly():
    """Operations run one by one within it; on JAX nothing changes."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        with warnings.catch_warnings():
            # What feeds `fit()` is compiled all the same, and TensorFlow says so.
            warnings.filterwarnings("ignore", "Even though the `tf.config", UserWarning)
            yield
    finally:
        tf.config.run_functions_eagerly(False)
