"""Everything that differs between TensorFlow and JAX: gradients and updates, devices, hosts."""

import contextlib
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import keras

from keras_gan.errors import BadValueError
from keras_gan.machine import installation

BACKENDS = ("tensorflow", "jax")
installation.say_backend()  # once, when Keras is loaded


def check() -> None:
    """Raises BadValueError if this package cannot train on the Keras backend. On JAX, keeps compiled programs."""
    name = keras.backend.backend()
    if name not in BACKENDS:
        raise BadValueError(f"KERAS_BACKEND must be {' or '.join(BACKENDS)} for keras_gan, not {name!r}.")
    keep_compiled()


def keep_compiled() -> None:
    """Keeps the programs that JAX compiles in the user's cache folder; does nothing on other backends."""
    if keras.backend.backend() == "jax":
        from keras_gan.backend import jax_cache

        jax_cache.keep_compiled()


def alone() -> contextlib.AbstractContextManager[None]:
    """Within it, Keras on JAX does not load TensorFlow. Does nothing on TensorFlow."""
    if keras.backend.backend() != "jax":
        return contextlib.nullcontext()
    from keras_gan.backend.jax_alone import alone

    return alone()


def current() -> ModuleType:
    """The module of this package for the Keras backend."""
    return import_module(f"keras_gan.backend.{keras.backend.backend()}")


def version() -> str:
    """The version of TensorFlow or JAX."""
    return current().version()


def device() -> str:
    """The device in words, such as "JAX on CPU"."""
    return current().device()


def use_devices(count: int | str) -> None:
    """Makes models built from now on train data-parallel on several devices.

    Weights are replicated, gradients are summed and BatchNormalization uses the statistics of the whole batch, so
    results equal training on one device. If the environment defines several hosts (JAX_COORDINATOR_ADDRESS,
    JAX_NUM_PROCESSES, JAX_PROCESS_ID), their devices count too.

    Args:
        count: number of devices, or "all".

    Raises:
        BadValueError: for more devices than exist, or more than one on TensorFlow.
    """
    check()
    current().use_devices(count)


def replicas() -> int:
    """The number of devices that share a batch."""
    distribution = keras.distribution.distribution()
    return distribution.device_mesh.devices.size if distribution else 1


def hosts() -> tuple[int, int]:
    """(index of this host, number of hosts) in multi-host training."""
    return current().hosts()


def watched_hosts(on_lost: Callable[[], None]) -> contextlib.AbstractContextManager[None]:
    """A context in which a thread calls `on_lost` if another host falls silent, as one without power does."""
    return current().watched_hosts(on_lost) if hosts()[1] > 1 else contextlib.nullcontext()


def agreed(value: int) -> int:
    """Broadcasts the first host's `value`, below 2**32, to all hosts."""
    return current().agreed(value) if hosts()[1] > 1 else value


def same_on_all_hosts(value: int) -> bool:
    """Whether all hosts pass the same `value`, below 2**32."""
    return current().same_on_all_hosts(value) if hosts()[1] > 1 else True


def exchanged(text: str) -> list[str]:
    """The text that each host passes, in their order. All must call it, and wait while the others live."""
    return current().exchanged(text) if hosts()[1] > 1 else [text]


def give_signs() -> None:
    """Lets the other hosts know from now on that this one lives, for those that wait in `exchanged`."""
    if hosts()[1] > 1:
        current().give_signs()


def broadcast(arrays: list[Any]) -> list[Any]:
    """The first host's arrays on all hosts, which pass arrays of the same shapes and types."""
    return current().broadcast(arrays) if hosts()[1] > 1 else arrays


@contextlib.contextmanager
def undivided() -> Iterator[None]:
    """Disables data parallelism in a context: batches may have any size, and hosts do not wait for each other.

    For example, Keras creates temporary variables when it saves; with several hosts, all would have to take part.
    """
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


def make_deterministic() -> None:
    """Makes all operations of this process reproducible bit by bit; slower on a GPU."""
    current().make_deterministic()


def as_test_step(judge: Callable[[Any, Any], Any]) -> Callable:
    """Converts `judge`, a function of (model, batch), to the `test_step` that this backend's `evaluate()` calls."""
    return current().as_test_step(judge)


def as_train_step(play: Callable[[Any, Any], Any]) -> Callable:
    """Converts `play`, a function (model, batch) to logs, to the backend's form of Keras' `train_step`."""
    return current().as_train_step(play)


def update(model: Any, part: Any, forward: Callable[[Callable], tuple[Any, Any]]) -> Any:
    """Updates the trainable variables of a part of a model by one optimizer step.

    Args:
        model: the `AdversarialModel`.
        part: one of its compiled models.
        forward: a function that returns (loss to differentiate, result). Its argument `pause` returns a context
            manager; operations in that context are excluded from the gradient.

    Returns:
        The result.
    """
    gradients, result = current().gradients_of_part(model, part, forward)
    current().apply_gradients(part, gradients)
    return result


def gradients_of_part(model: Any, part: Any, forward: Callable[[Callable], tuple[Any, Any]]) -> tuple[list[Any], Any]:
    """(the gradients that `update` would apply, the result): one for each trainable variable, or None."""
    return current().gradients_of_part(model, part, forward)


def apply_gradients(part: Any, gradients: list[Any]) -> None:
    """One optimizer step of a part with these gradients of its trainable variables."""
    current().apply_gradients(part, gradients)


def scan(body: Callable, carry: list[Any], xs: Any, variables: list[Any]) -> tuple[list[Any], Any]:
    """Calls a function on each element of `xs`, in turn, as one loop of the compiled step.

    Args:
        body: a function (carry, element of xs) to (carry, results), both nested lists of tensors.
        carry: tensors that one call hands over to the next.
        xs: nested list of tensors (count, ...).
        variables: all variables that the function reads or assigns.

    Returns:
        (the last carry, the results, each (count, ...)).
    """
    return current().scan(body, carry, xs, variables)


def remat(layer: Any, function: Callable, inputs: list[Any]) -> Any:
    """A function of tensors; within `update`, its gradient computes it once more instead of keeping what it computed.

    Args:
        layer: whose variables it reads and assigns. Those that are not trained may change in it.
        function: a function of the list `inputs` that returns nested lists of tensors.
        inputs: list of tensors.

    Returns:
        What the function returns.
    """
    return current().remat(layer, function, inputs)


def gradients(function: Callable, inputs: list[Any], variables: list[Any]) -> list[Any]:
    """The gradients of the sum of a function's result. They can be differentiated again, within `update`, too.

    Args:
        function: a function of the list `inputs` that returns a tensor.
        inputs: list of tensors.
        variables: all variables that the function reads or assigns.

    Returns:
        The gradient of each input, of its shape.
    """
    return current().gradients(function, inputs, variables)


def compiled(action: Callable, variables: list[Any]) -> Callable:
    """Compiles a function that reads and assigns variables, so that it takes one call of the device.

    Args:
        action: a function of tensors; returns tensors, or None.
        variables: all variables that it reads or assigns.

    Returns:
        The compiled function.
    """
    return current().compiled(action, variables)


def drawn_on_host() -> contextlib.AbstractContextManager[None]:
    """A context in which initial weights are drawn without compiling programs for the device."""
    if keras.backend.backend() == "jax":
        from keras_gan.backend import jax_weights

        return jax_weights.drawn_on_host()
    return contextlib.nullcontext()


def predict(network: Any, images: Any) -> Any:
    """`network.predict_on_batch(images)`, without the seconds that TensorFlow takes to trace a network for that."""
    return current().predict(network, images)


def in_numbers(figures: list[Any]) -> list[float]:
    """Reads scalars from the device; waits for it once, not for each."""
    return current().in_numbers(figures)


def prepare(optimizer: Any) -> None:
    """Creates what updates need besides the optimizer's slots; call it after the optimizer is built."""
    current().prepare(optimizer)


def either(condition: Any, this: Callable[[], None], that: Callable[[], None], variables: list[Any]) -> None:
    """Calls `this` if the condition is true, else `that`, within a compiled step.

    Args:
        condition: a boolean tensor.
        this, that: functions without arguments that return None.
        variables: all variables that either function reads or assigns.
    """
    current().either(condition, this, that, variables)


def with_gradient(forward: Callable, backward: Callable, *arguments: Any) -> Any:
    """Computes a function whose gradient is given. On TensorFlow the gradient is used in training steps only.

    Args:
        forward: a function of the arguments that returns (result, saved).
        backward: a function of (saved, gradient of the result) that returns the gradients of all arguments.

    Returns:
        The result.
    """
    return current().with_gradient(forward, backward, *arguments)
