"""Lets Keras 3 rebuild layers from the configurations that Keras 2 wrote into `.h5` files.

Keras 2 saved arguments that a layer of Keras 3 does not take, such as the groups of a transposed convolution. Each had
one value that changes nothing. `accept_keras_2` drops arguments with this value and refuses others by name.

It replaces `from_config` of `keras.layers.Layer` and of recurrent layers. Names in Keras' custom objects would do for
`.h5` files, too, but they would win against the `custom_objects` of the caller.
"""

import inspect
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

#: The packages whose layers are meant. Others may look for their arguments in other ways.
OURS = "keras", "keras_gan"
#: Arguments that Keras 3 no longer takes in some layers, and their values that change nothing.
NEUTRAL: dict[str, tuple] = {
    "groups": (1,),
    "trainable": (True,),
    "noise_shape": (None,),
    "time_major": (False,),
    "fused": (None, False, True),
    "renorm": (False,),
    "virtual_batch_size": (None,),
    "adjustment": (None,),
    "ragged": (False,),
    "input_dtype": (None, "float32"),
}
#: Arguments that Keras 2 saved and never used: the layer has no such weight or takes any length.
UNUSED = "kernel_initializer", "kernel_regularizer", "kernel_constraint", "input_length"
#: The old and the new names of arguments, by layer.
RENAMED = {"LeakyReLU": ("alpha", "negative_slope")}


def accept_keras_2() -> None:
    """Makes `from_config` of Keras' layers accept configurations of Keras 2. Further calls change nothing."""
    recurrent = (
        "SimpleRNN",
        "LSTM",
        "GRU",
        "ConvLSTM1D",
        "ConvLSTM2D",
        "ConvLSTM3D",
    )  # have a from_config of their own
    for cls in (keras.layers.Layer, *(getattr(keras.layers, name) for name in recurrent)):
        usual: Any = cls.from_config
        if usual.__func__.__module__ != __name__:
            cls.from_config = classmethod(reader(usual.__func__))


def reader(usual: Callable) -> Callable:
    """A `from_config` that translates the configuration of a layer of `OURS` for the `usual` one."""

    def from_config(cls: type, config: dict[str, Any]) -> Any:
        if cls.__module__.partition(".")[0] not in OURS:
            return usual(cls, config)
        given = translated(cls, config)
        shape = given.pop("input_shape", None) if "input_shape" not in arguments(cls) else None
        layer = usual(cls, given)
        if shape is not None:
            layer._input_shape_arg = tuple(shape[1:])  # where a Sequential looks; Keras 2 saved it with the batch
        return layer

    return from_config


def translated(cls: type, config: dict[str, Any]) -> dict[str, Any]:
    """A configuration for this layer class without the arguments that only Keras 2 had.

    Raises:
        ValueError: if such an argument has a value that would change the result.
    """
    taken, found = arguments(cls), {}
    old, new = RENAMED.get(cls.__name__, ("", ""))
    for key, value in config.items():
        if key == old and new in taken:
            found[new] = value
        elif key in taken or key not in (*NEUTRAL, *UNUSED):
            found[key] = in_keras_3(key, value)
            if value == "hard_sigmoid" and "DTypePolicy" not in str(config.get("dtype")):  # which Keras 3 writes there
                found[key] = hard_sigmoid
        elif key in NEUTRAL and value not in NEUTRAL[key]:
            means = f"only {NEUTRAL[key][0]} means the same there"
            raise ValueError(f"the {cls.__name__} of Keras 3 takes no {key}, but the file has {key}={value}: {means}.")
    return found


def in_keras_3(key: str, value: Any) -> Any:
    """The value of an argument: mixed precision by its name, initializers without the dtype that Keras 3 ignores."""
    settings = value.get("config") if isinstance(value, dict) else None
    if not isinstance(settings, dict):
        return value
    if key == "dtype" and str(value.get("class_name")).startswith("Policy"):
        return settings["name"]
    if key.endswith("_initializer") and "dtype" in settings:
        return value | {"config": {name: setting for name, setting in settings.items() if name != "dtype"}}
    return value


@keras.saving.register_keras_serializable("keras_gan")
def hard_sigmoid(x: Any) -> Any:
    """The one of Keras 2, with a slope of 1/5: that of Keras 3 has 1/6."""
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def arguments(cls: type) -> set[str]:
    """The names of the arguments that a layer class takes, with those that it passes to its base classes."""
    names: set[str] = set()
    for base in cls.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
        names |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if base is keras.layers.Layer or not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return names
