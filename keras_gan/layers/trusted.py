"""Model files name the classes that Keras makes when it opens them. Here is what a file may name.

Keras refuses lambdas and the like by itself (`safe_mode`), but each of its versions had gaps. So a file's configuration
is read before Keras sees it, and everything in it that is neither Keras' own nor registered in Python is refused.
"""

import inspect
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras

from keras_gan import backend
from keras_gan.errors import BadValueError

#: Where Keras' own objects are found by their names.
OWN = (
    keras.layers,
    keras.models,
    keras.initializers,
    keras.regularizers,
    keras.constraints,
    keras.dtype_policies,
    keras.random,
    keras.optimizers,
    keras.optimizers.schedules,
    keras.losses,
    keras.metrics,
)
FUNCTIONS = keras.activations, keras.losses, keras.metrics
#: Keras' own layers that run code or read files that a model file names.
UNSAFE = {
    *("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"),
    *("StringLookup", "IntegerLookup", "IndexLookup", "TextVectorization"),
}
#: Plain values, written like objects.
VALUES = {"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__"}
VALUES |= {"TensorShape"}
#: A file may unpack to MAX_RATIO times its size plus MAX_EXTRA bytes. Weights hardly compress: expect below 2.
MAX_RATIO, MAX_EXTRA = 20, 100_000_000


def load_model(path: Path) -> Any:
    """Opens a `.keras` or `.h5` file, uncompiled, if it names nothing but objects of Keras and registered ones.

    Raises:
        BadValueError: if it names anything else.
        Exception: of any type, if it is damaged.
    """
    check(config_of(path), repr(str(path)))
    backend.keep_compiled()
    with backend.drawn_on_host():  # Keras draws initial weights before it reads those of the file
        return keras.saving.load_model(path, compile=False, safe_mode=True)


def check(config: Any, title: str) -> None:
    """Raises BadValueError if a configuration names anything but objects of Keras and registered ones."""
    for found in objects_in(config):
        name = foreign_name(found)
        if name is not None:
            raise BadValueError(
                f"{title} names {name[:80]!r}, which is not registered, and not Keras' own or able to run code: if you "
                "trust it, open it in Python by keras.saving.load_model with custom_objects, and pass the model."
            )


def config_of(path: Path) -> Any:
    """The configuration in a file, without that of the last training, which is not opened."""
    if path.suffix == ".h5":
        with h5py.File(path) as file:
            return json.loads(file.attrs["model_config"])
    with zipfile.ZipFile(path) as file:
        if sum(info.file_size for info in file.infolist()) > MAX_RATIO * path.stat().st_size + MAX_EXTRA:
            raise BadValueError(f"{str(path)!r} unpacks to far more than networks do: it is damaged or hostile.")
        config = json.loads(file.read("config.json"))
    return {key: value for key, value in config.items() if key != "compile_config"}


def objects_in(config: Any) -> Iterator[dict[str, Any]]:
    """All configurations of objects inside a configuration."""
    waiting = [config]  # no recursion: files may nest deeper than Python's stack
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            if "class_name" in found:
                yield found
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)


def foreign_name(config: dict[str, Any]) -> str | None:
    """The name of an object that is neither Keras' own nor registered; None for all others."""
    name, module = config["class_name"], config.get("module")
    is_function = name == "function"
    name = config.get("config") if is_function else name
    registered = name if is_function else config.get("registered_name") or name
    if keras.saving.get_registered_object(registered) is not None or (name in VALUES and not is_function):
        return None
    is_keras = module is None or module == "keras" or str(module).startswith("keras.")
    if is_function and (is_keras or module == "builtins") and is_own_function(name):
        return None
    if not is_function and is_keras and name not in UNSAFE and (is_own_class(name) or is_operation(name, module)):
        return None
    return str(registered)


def is_own_class(name: Any) -> bool:
    return name == "Functional" or any(inspect.isclass(vars(place).get(name)) for place in (*OWN, keras))


def is_own_function(name: Any) -> bool:
    """Whether Keras has an activation, a loss or a metric of this name."""
    is_tool = name in ("get", "serialize", "deserialize")
    return not is_tool and any(inspect.isfunction(vars(place).get(name)) for place in FUNCTIONS)


def is_operation(name: Any, module: Any) -> bool:
    """Whether this is an operation in a graph, such as the addition of two tensors."""
    found = vars(sys.modules.get(str(module), keras)).get(name)
    return inspect.isclass(found) and str(module).startswith("keras.src.ops.") and issubclass(found, keras.Operation)
