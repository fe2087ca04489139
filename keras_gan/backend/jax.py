"""One step of the game on JAX.

JAX differentiates and compiles functions of values, and Keras' `fit()` hands the values of all variables
through such a function, step by step. The game is written in terms of variables. `functional` makes
the one of the other: what an action reads and assigns are the values in a `keras.StatelessScope`.
"""

import contextlib
import importlib.metadata
import os
import warnings

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

from keras_gan.backend import replicas
from keras_gan.errors import BadValueError

# Those that are forked here, ffmpeg for films, become another program at once: they cannot wait for a thread of JAX.
warnings.filterwarnings("ignore", r"os\.fork\(\) was called", RuntimeWarning)


class Optimizers:
    """What `fit()` takes for the optimizer of an `AdversarialModel`: the variables of all its parts' optimizers."""

    built = True  # by `AdversarialModel.make_train_function`

    def __init__(self, model):
        self.model = model

    @property
    def variables(self):
        return [variable for part in self.model.parts for variable in part.optimizer.variables]


def optimizers(model):
    return Optimizers(model)


def as_train_step(play):
    """`play` as Keras' `fit()` calls it on JAX.

    Args:
        play: a function, (model, batch) to logs.

    Returns:
        A function of the model; state, lists of the values of its trainable, other, optimizers' and metrics'
        variables; and the batch. It returns (logs, state), the state as it is afterwards.
    """

    def train_step(model, state, data):
        values = [value for part in state for value in part]
        logs, values = functional(model.step_variables, lambda: play(model, data))(values)
        values = iter(values)
        return logs, tuple([next(values) for _ in part] for part in state)

    return train_step


def functional(variables, action):
    """An action, which reads and assigns these variables, as a function: values to (result, values afterwards)."""

    def call(values):
        with keras.StatelessScope(list(zip(variables, values, strict=True))) as scope:
            result = action()
        return result, [scope.get_current_value(variable) for variable in variables]

    return call


def values_of(variables):
    return [variable.value for variable in variables]


def assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def update(model, part, forward):
    """See `keras_gan.backend.update`. Nothing needs pausing: `play` stops gradients where it has to."""
    trained, optimizer = part.trainable_variables, part.optimizer
    own = {id(variable) for variable in trained}
    others = [variable for variable in model.step_variables if id(variable) not in own]

    def loss_of(values, other_values):
        call = functional(trained + others, lambda: forward(contextlib.nullcontext))
        (loss, result), after = call(values + other_values)
        return loss, (result, after[len(values) :])

    values = values_of(trained)
    (_, (result, after)), gradients = jax.value_and_grad(loss_of, has_aux=True)(values, values_of(others))
    assign(others, after)
    values, slots = optimizer.stateless_apply(values_of(optimizer.variables), gradients, values)
    assign(trained, values)
    assign(optimizer.variables, slots)
    return result


def conv_transpose(x, kernel, strides, padding):
    """See `keras_gan.backend.conv_transpose`.

    Its gradients are written as those of the convolution that it is the transpose of. By itself JAX takes the kernel's
    as a convolution of pixels with zeros between them, for which XLA has nothing fast: on a CPU 2.4 s, not 0.09.
    """

    def conv(x, kernel):
        return keras.ops.conv(x, kernel, strides, padding, data_format="channels_last")

    @jax.custom_vjp
    def transposed(x, kernel):
        return keras.ops.conv_transpose(x, kernel, strides, padding, data_format="channels_last")

    def forwards(x, kernel):
        return transposed(x, kernel), (x, kernel)

    def backwards(given, above):
        x, kernel = given
        below, gradients = jax.vjp(conv, above, kernel)
        return below, gradients(x)[1]

    transposed.defvjp(forwards, backwards)
    return transposed(*map(keras.ops.convert_to_tensor, (x, kernel)))


def either(condition, this, that, variables):
    """See `keras_gan.backend.either`."""
    branches = [functional(variables, action) for action in (this, that)]
    _, values = jax.lax.cond(condition, *branches, values_of(variables))
    assign(variables, values)


def prepare(optimizer):
    """Nothing: all that an update needs is among Keras' own slots."""


def device():
    """See `keras_gan.backend.device`."""
    name, count = jax.devices()[0].device_kind, replicas()
    return f"JAX on {name if name != 'cpu' else 'CPU'}" + (f", {count} of them" if count > 1 else "")


def use_devices(count):
    """See `keras_gan.backend.use_devices`."""
    join_hosts()
    names = keras.distribution.list_devices()
    count = len(names) if count == "all" else count
    if not 1 <= count <= len(names):
        raise BadValueError(f"devices must be 1 to {len(names)} or all, not {count}: JAX sees {', '.join(names)}.")
    if jax.process_count() > 1 and count < len(names):
        raise BadValueError(f"devices of several hosts must be all {len(names)}, not {count}.")
    if count > 1:
        # The loaders give each host its share by themselves.
        keras.distribution.set_distribution(
            keras.distribution.DataParallel(devices=names[:count], auto_shard_dataset=False)
        )


def join_hosts():
    """Meets the other hosts that the environment names, if it names any."""
    address = os.environ.get("JAX_COORDINATOR_ADDRESS")
    if not address or jax.distributed.is_initialized():
        return
    numbers = {name: os.environ.get(name, "") for name in ("JAX_NUM_PROCESSES", "JAX_PROCESS_ID")}
    for name, value in numbers.items():
        if not value.isdigit():
            raise BadValueError(f"JAX_COORDINATOR_ADDRESS is set; {name} must be a number then, not {value!r}.")
    jax.distributed.initialize(address, *map(int, numbers.values()))


def hosts():
    """See `keras_gan.backend.hosts`."""
    return jax.process_index(), jax.process_count()


def agreed(value):
    """See `keras_gan.backend.agreed`."""
    return int(multihost_utils.broadcast_one_to_all(np.uint32(value)))


def same_on_all_hosts(value):
    """See `keras_gan.backend.same_on_all_hosts`."""
    return len(set(multihost_utils.process_allgather(np.uint32(value)).tolist())) == 1


def version():
    return importlib.metadata.version("jax")


def make_deterministic():
    """See `keras_gan.backend.make_deterministic`. XLA reads its flags once, when the first array is made."""
    flag = "--xla_gpu_deterministic_ops=true"
    if jax.default_backend() == "gpu" and flag not in os.environ.get("XLA_FLAGS", ""):
        raise BadValueError(f"deterministic training on a GPU with JAX needs XLA_FLAGS={flag} set beforehand.")
