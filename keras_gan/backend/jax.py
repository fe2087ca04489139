"""The training step on JAX.

JAX differentiates and compiles pure functions, and Keras' `fit()` passes the values of all variables through the train
step. This package's training step reads and assigns variables. `functional` converts it to a pure function, with a
`keras.StatelessScope`.
"""

import contextlib
import importlib.metadata
import os
import warnings
from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

from keras_gan.backend import jax_hosts, operations, replicas
from keras_gan.backend.jax_exchange import broadcast, exchanged, give_signs
from keras_gan.backend.jax_gpu import as_variables_lie
from keras_gan.backend.jax_remat import computed_again
from keras_gan.errors import BadValueError

__all__ = ["broadcast", "exchanged", "give_signs"]

# The only fork, ffmpeg for videos, calls exec at once, so it cannot deadlock with JAX's threads.
warnings.filterwarnings("ignore", r"os\.fork\(\) was called", RuntimeWarning)


def as_train_step(play: Callable[[Any, Any], Any]) -> Callable:
    """See `keras_gan.backend.as_train_step`.

    Returns:
        A function (model, state, batch) to (logs, new state). The state has four lists of values: trainable,
        non-trainable, optimizer and metrics variables.
    """

    return stateless(play, lambda model: model.step_variables)


def as_test_step(judge: Callable[[Any, Any], Any]) -> Callable:
    """See `keras_gan.backend.as_test_step`. The state has three lists: it lacks the optimizers' variables."""
    return stateless(judge, lambda model: model.test_variables)


def stateless(action: Callable[[Any, Any], Any], variables_of: Callable[[Any], list[Any]]) -> Callable:
    """Converts an action of (model, batch) to a function (model, state, batch) to (logs, new state)."""

    def step(model, state, data):
        values = [value for part in state for value in part]
        logs, values = functional(variables_of(model), lambda: action(model, data))(values)
        new = iter(values)
        return logs, tuple([next(new) for _ in part] for part in state)

    return step


scopes: list[keras.StatelessScope] = []  # of the pure functions that run now, one in another


def functional(variables: list[Any], action: Callable[[], Any]) -> Callable[[list[Any]], tuple[Any, list[Any]]]:
    """Converts an action that reads and assigns variables to a pure function: values to (result, new values)."""

    def call(values):
        with keras.StatelessScope(list(zip(variables, values, strict=True))) as scope:
            scopes.append(scope)
            try:
                result = action()
            finally:
                scopes.pop()
        return result, [scope.get_current_value(variable) for variable in variables]

    return call


def compiled(action: Callable, variables: list[Any]) -> Callable:
    """See `keras_gan.backend.compiled`."""
    names = None

    @jax.jit
    def pure(values, *arguments):
        nonlocal names
        result, values = functional(variables, lambda: action(*arguments))(values)
        if isinstance(result, dict):  # of which jit would sort the keys
            names, result = list(result), list(result.values())
        return result, values

    def call(*arguments):
        result, values = pure(values_of(variables), *arguments)
        assign(variables, values)
        return dict(zip(names, result, strict=True)) if names else result

    return call


def predict(network: Any, images: Any) -> Any:
    """See `keras_gan.backend.predict`. Outside a compiled function, JAX would compile each operation by itself."""
    return network.predict_on_batch(images)


def in_numbers(figures: list[Any]) -> list[float]:
    """See `keras_gan.backend.in_numbers`."""
    return [float(figure) for figure in jax.device_get(figures)]


def values_of(variables: list[Any]) -> list[Any]:
    return [variable.value for variable in variables]


def assign(variables: list[Any], values: list[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def gradients_of_part(model: Any, part: Any, forward: Callable[[Callable], tuple[Any, Any]]) -> tuple[list[Any], Any]:
    """See `keras_gan.backend.gradients_of_part`. `pause` does nothing here: `play` stops gradients itself."""
    trained = part.trainable_variables
    own = {id(variable) for variable in trained}
    others = [variable for variable in model.step_variables if id(variable) not in own]

    def loss_of(values, other_values):
        call = functional(trained + others, lambda: forward(contextlib.nullcontext))
        (loss, result), after = call(values + other_values)
        return loss, (result, after[len(values) :])

    values = values_of(trained)
    (_, (result, after)), gradients = jax.value_and_grad(loss_of, has_aux=True)(values, values_of(others))
    assign(others, after)
    return gradients, result


def apply_gradients(part: Any, gradients: list[Any]) -> None:
    """See `keras_gan.backend.apply_gradients`."""
    trained, optimizer = part.trainable_variables, part.optimizer
    gradients = as_variables_lie(gradients) if operations.on_gpu() else gradients
    values, slots = optimizer.stateless_apply(values_of(optimizer.variables), gradients, values_of(trained))
    assign(trained, values)
    assign(optimizer.variables, slots)


def scan(body: Callable, carry: list[Any], xs: Any, variables: list[Any]) -> tuple[list[Any], Any]:
    """See `keras_gan.backend.scan`."""

    def step(state, x):
        values, carry = state
        (carry, results), values = functional(variables, lambda: body(carry, x))(values)
        return (values, carry), results

    (values, carry), results = jax.lax.scan(step, (values_of(variables), carry), xs)
    assign(variables, values)
    return carry, results


def remat(layer: Any, function: Callable, inputs: list[Any]) -> Any:
    """See `keras_gan.backend.remat`."""
    trained, others = layer.trainable_variables, layer.non_trainable_variables

    def pure(inputs, trained_values, values):
        call = functional(trained + others, lambda: function(inputs))
        result, after = call(trained_values + values)
        return result, after[len(trained) :]

    result, after = computed_again(pure)(inputs, stored(trained), stored(others))
    assign(others, after)
    return result


def stored(variables: list[Any]) -> list[Any]:
    """The values of variables in a pure function. Not `value`, which may be in half precision within a network."""
    return [scopes[-1].get_current_value(variable) for variable in variables]


def gradients(function: Callable, inputs: list[Any], variables: list[Any]) -> list[Any]:
    """See `keras_gan.backend.gradients`."""

    def total(inputs):
        return functional(variables, lambda: keras.ops.sum(function(inputs)))(values_of(variables))

    found, after = jax.grad(total, has_aux=True)(inputs)
    assign(variables, after)
    return found


def with_gradient(forward: Callable, backward: Callable, *arguments: Any) -> Any:
    """See `keras_gan.backend.with_gradient`."""
    function = jax.custom_vjp(lambda *arguments: forward(*arguments)[0])
    function.defvjp(forward, backward)
    return function(*map(keras.ops.convert_to_tensor, arguments))


def conv_transpose(x: Any, kernel: Any, strides: int | tuple[int, int], padding: str) -> Any:
    """See `keras_gan.backend.operations.conv_transpose`.

    The gradients are computed with the convolution that this is the transpose of. JAX's own kernel gradient convolves
    pixels with zeros between them, which XLA does slowly: 2.4 s instead of 0.09 on a CPU.
    """

    def conv(x, kernel):
        return keras.ops.conv(x, kernel, strides, padding, data_format="channels_last")

    def forward(x, kernel):
        outputs = keras.ops.conv_transpose(x, kernel, strides, padding, data_format="channels_last")
        return outputs, (x, kernel)

    def backward(saved, upstream):
        x, kernel = saved
        x_gradient, vjp = jax.vjp(conv, upstream, kernel)
        return x_gradient, vjp(x)[1]

    return with_gradient(forward, backward, x, kernel)


def either(condition: Any, this: Callable[[], None], that: Callable[[], None], variables: list[Any]) -> None:
    """See `keras_gan.backend.either`."""
    branches = [functional(variables, action) for action in (this, that)]
    _, values = jax.lax.cond(condition, *branches, values_of(variables))
    assign(variables, values)


def prepare(optimizer: Any) -> None:
    """Does nothing: updates need only Keras' own slots."""


def device() -> str:
    """See `keras_gan.backend.device`."""
    name, count = jax.devices()[0].device_kind, replicas()
    return f"JAX on {name if name != 'cpu' else 'CPU'}" + (f", {count} devices" if count > 1 else "")


def use_devices(count: int | str) -> None:
    """See `keras_gan.backend.use_devices`."""
    jax_hosts.join()
    names = keras.distribution.list_devices()
    count = len(names) if count == "all" else int(count)
    if not 1 <= count <= len(names):
        raise BadValueError(f"devices must be 1 to {len(names)} or all, not {count}: JAX sees {', '.join(names)}.")
    if jax.process_count() > 1 and count < len(names):
        raise BadValueError(f"with several hosts, devices must be all {len(names)}, not {count}.")
    if count > 1:
        # No automatic sharding: the loaders give each host its share.
        distribution = keras.distribution.DataParallel(devices=names[:count], auto_shard_dataset=False)
        keras.distribution.set_distribution(distribution)


def hosts() -> tuple[int, int]:
    """See `keras_gan.backend.hosts`."""
    return jax.process_index(), jax.process_count()


def watched_hosts(on_lost: Callable[[], None]) -> contextlib.AbstractContextManager[None]:
    """See `keras_gan.backend.watched_hosts`."""
    return jax_hosts.watched(on_lost)


def agreed(value: int) -> int:
    """See `keras_gan.backend.agreed`."""
    return int(multihost_utils.broadcast_one_to_all(np.uint32(value)))


def same_on_all_hosts(value: int) -> bool:
    """See `keras_gan.backend.same_on_all_hosts`."""
    return len(set(multihost_utils.process_allgather(np.uint32(value)).tolist())) == 1


def version() -> str:
    return importlib.metadata.version("jax")


def make_deterministic() -> None:
    """See `keras_gan.backend.make_deterministic`. XLA reads its flags only once, before the first array is made."""
    flag = "--xla_gpu_deterministic_ops=true"
    if jax.default_backend() == "gpu" and flag not in os.environ.get("XLA_FLAGS", ""):
        raise BadValueError(f"deterministic training on a GPU with JAX needs XLA_FLAGS={flag} set beforehand.")
