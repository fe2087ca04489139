"""What a training step needs of TensorFlow: one update, one choice."""

import os

import tensorflow as tf

from keras_gan.backend.tensorflow_optimizers import apply_gradients, prepare
from keras_gan.backend.tensorflow_taps import gradients_of, times_taps
from keras_gan.backend.tensorflow_xla import in_training
from keras_gan.errors import BadValueError

__all__ = ["prepare", "times_taps"]


def optimizers(model):
    """None: the optimizers' variables are updated in place."""


def as_train_step(play):
    """`play` as it is: `fit()` compiles (model, batch) to logs, and variables are assigned in place."""
    return play


@in_training()
def update(model, part, forward):
    """See `keras_gan.backend.update`."""
    with tf.GradientTape() as tape:
        loss, result = forward(tape.stop_recording)
    apply_gradients(part, gradients_of(loss, part.trainable_variables, tape))
    return result


@in_training()
def either(condition, this, that, variables):
    """See `keras_gan.backend.either`. The variables are assigned in place."""
    tf.cond(condition, this, that)


def device():
    """See `keras_gan.backend.device`."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return f"TensorFlow on {tf.config.experimental.get_device_details(gpus[0]).get('device_name', 'GPU')}"
    return "TensorFlow on CPU" + (" without oneDNN (import keras_gan before Keras)" if came_first() else "")


def came_first():
    """Whether TensorFlow was imported before keras_gan could ask for oneDNN, where it must be asked for."""
    try:
        from tensorflow.python.util._pywrap_util_port import IsMklEnabled
    except ImportError:  # no part of the public interface
        return False
    return os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "1" and not IsMklEnabled()


def use_devices(count):
    """See `keras_gan.backend.use_devices`: one. `MirroredStrategy` does not know several optimizers in one step."""
    if count not in (1, "all"):
        raise BadValueError(f"TensorFlow trains on one device here, not {count}: set KERAS_BACKEND=jax for several.")


def hosts():
    return 0, 1


def version():
    return tf.__version__


def make_deterministic():
    """See `keras_gan.backend.make_deterministic`."""
    tf.config.experimental.enable_op_determinism()
