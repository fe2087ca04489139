"""The training step on TensorFlow."""

import atexit
import gc
import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_gan.backend import tensorflow_xla
from keras_gan.backend.tensorflow_gradients import own_gradient
from keras_gan.backend.tensorflow_optimizers import apply_gradients, prepare
from keras_gan.backend.tensorflow_remat import in_order, remat
from keras_gan.backend.tensorflow_taps import gradients_of, times_taps
from keras_gan.backend.tensorflow_xla import in_training
from keras_gan.errors import BadValueError

__all__ = ["apply_gradients", "prepare", "remat", "times_taps"]

# Keras leaves the data set of a `fit()` in a reference cycle. Collected only when Python has ended, it could not be
# closed, and TensorFlow would say so.
atexit.register(gc.collect)


def as_test_step(judge: Callable) -> Callable:
    """See `keras_gan.backend.as_test_step`."""
    return judge


def as_train_step(play: Callable[[Any, Any], Any]) -> Callable:
    """Returns `play` unchanged: it assigns variables in place."""
    return play


@in_training()
def gradients_of_part(model: Any, part: Any, forward: Callable[[Callable], tuple[Any, Any]]) -> tuple[list[Any], Any]:
    """See `keras_gan.backend.gradients_of_part`."""
    with tf.GradientTape() as tape:
        loss, result = forward(tape.stop_recording)
    with in_order():
        return gradients_of(loss, part.trainable_variables, tape), result


@in_training()
def scan(body: Callable, carry: list[Any], xs: Any, variables: list[Any]) -> tuple[list[Any], Any]:
    """See `keras_gan.backend.scan`. The variables are assigned in place.

    The first call is outside of the loop: it shows which results there are.
    """
    flat = tf.nest.flatten(xs)
    carry, first = body(carry, tf.nest.map_structure(lambda x: x[0], xs))
    results = [
        tf.TensorArray(y.dtype, flat[0].shape[0], element_shape=y.shape).write(0, y) for y in tf.nest.flatten(first)
    ]

    def step(number, carry, results):
        carry, ys = body(carry, tf.nest.map_structure(lambda x: tf.gather(x, number), xs))
        return number + 1, carry, [all.write(number, y) for all, y in zip(results, tf.nest.flatten(ys), strict=True)]

    start = tf.constant(1), carry, results
    _, carry, results = tf.while_loop(lambda number, *_: number < flat[0].shape[0], step, start, parallel_iterations=1)
    return carry, tf.nest.pack_sequence_as(first, [each.stack() for each in results])


def gradients(function: Callable, inputs: list[Any], variables: list[Any]) -> list[Any]:
    """See `keras_gan.backend.gradients`."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        total = tf.reduce_sum(function(inputs))
    return tape.gradient(total, inputs)


@in_training()
def either(condition: Any, this: Callable[[], None], that: Callable[[], None], variables: list[Any]) -> None:
    """See `keras_gan.backend.either`. The variables are assigned in place."""
    tf.cond(condition, this, that)


def with_gradient(forward: Callable, backward: Callable, *arguments: Any) -> Any:
    """See `keras_gan.backend.with_gradient`.

    Elsewhere TensorFlow differentiates itself: it can do so twice, and exported networks hold no functions.
    """
    if not tensorflow_xla.training:
        return forward(*arguments)[0]

    @own_gradient
    def function(*arguments):
        result, saved = forward(*arguments)
        return result, lambda upstream: backward(saved, upstream)

    return function(*arguments)


def leaky_relu(x: Any, slope: float) -> Any:
    """See `keras_gan.backend.operations.leaky_relu`.

    In training its gradient is computed from the result, which has the sign of x. TensorFlow's own gradient needs x:
    then a convolution, its bias and this function cannot become one operation. TensorFlow tries that nevertheless,
    fails ("remapper failed: Mutation::Apply error"), and leaves the whole step without such fusions.
    """
    if not tensorflow_xla.training or slope <= 0:
        return tf.nn.leaky_relu(x, slope)

    @own_gradient
    def function(x):
        result = tf.nn.leaky_relu(x, slope)
        return result, lambda upstream: tf.raw_ops.LeakyReluGrad(gradients=upstream, features=result, alpha=slope)

    return function(x)


def compiled(action: Callable, variables: list[Any]) -> Callable:
    """See `keras_gan.backend.compiled`. The variables are assigned in place."""
    return tf.function(action, autograph=False)


def predict(network: Any, images: Any) -> Any:
    """See `keras_gan.backend.predict`."""
    return network(tf.convert_to_tensor(images), training=False).numpy()


def in_numbers(figures: list[Any]) -> list[float]:
    """See `keras_gan.backend.in_numbers`."""
    return tf.stack([tf.cast(figure, tf.float32) for figure in figures]).numpy().tolist()


def device() -> str:
    """See `keras_gan.backend.device`."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return f"TensorFlow on {tf.config.experimental.get_device_details(gpus[0]).get('device_name', 'GPU')}"
    return "TensorFlow on CPU" + (" without oneDNN (import keras_gan before Keras)" if missed_onednn() else "")


def missed_onednn() -> bool:
    """Whether TensorFlow runs without oneDNN because it was imported before keras_gan, which enables oneDNN."""
    try:
        from tensorflow.python.util._pywrap_util_port import IsMklEnabled
    except ImportError:  # a private interface
        return False
    return os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "1" and not IsMklEnabled()


def use_devices(count: int | str) -> None:
    """See `keras_gan.backend.use_devices`. One only: `MirroredStrategy` lacks steps with several optimizers."""
    if count not in (1, "all"):
        raise BadValueError(f"TensorFlow trains on one device here, not {count}: set KERAS_BACKEND=jax for several.")


def hosts() -> tuple[int, int]:
    return 0, 1


def version() -> str:
    return tf.__version__


def make_deterministic() -> None:
    """See `keras_gan.backend.make_deterministic`."""
    tf.config.experimental.enable_op_determinism()
