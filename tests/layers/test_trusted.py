"""Model files that run code when Keras opens them are refused, here and by Keras itself. Others open."""

import functools
import json
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest

from keras_gan import generators
from keras_gan.errors import BadValueError
from keras_gan.layers import Conv2D, trusted

L = keras.layers


def function(module, name):
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def thing(module, class_name, /, **config):
    return {"module": module, "class_name": class_name, "config": config, "registered_name": None}


LAMBDA = {"class_name": "__lambda__", "config": {"code": "4wAAAAA=", "defaults": None, "closure": None}}
LAYER = thing("keras.layers", "Lambda", name="c", function=LAMBDA)
GET_FILE = {"function": function("keras.utils", "get_file"), "arguments": {"origin": "http://localhost:9/x"}}
UNSAFE = {"function": function("keras.config", "enable_unsafe_deserialization"), "arguments": {}}

# name: (the argument of the convolution that is replaced, or None for the layer itself; by what; the name refused)
HOSTILE = {
    "a lambda": (None, LAYER, "__lambda__"),
    "a lambda as Keras 2 saved it": (
        None,
        {"class_name": "Lambda", "config": {"function": ["4wAAAAA=", None]}},
        "Lambda",
    ),
    "a lambda in a wrapper": (None, thing("keras.layers", "TimeDistributed", layer=LAYER), "__lambda__"),
    "a lambda in a bidirectional layer": (None, thing("keras.layers", "Bidirectional", layer=LAYER), "__lambda__"),
    "a lambda in a model": (None, thing("keras", "Sequential", layers=[LAYER]), "__lambda__"),
    "a lambda as an activation": ("activation", LAMBDA, "__lambda__"),
    "a lambda as an initializer": ("kernel_initializer", LAMBDA, "__lambda__"),
    "a layer that downloads": (None, thing("keras.layers", "Lambda", **GET_FILE), "get_file"),
    "a layer that allows all": (None, thing("keras.layers", "Lambda", **UNSAFE), "enable_unsafe_deserialization"),
    "a function of a module": ("activation", function("os", "system"), "system"),
    "a function of Python": ("activation", function("builtins", "exec"), "exec"),
    "a function of Keras that reads": ("activation", function("keras.saving", "load_model"), "load_model"),
    "a function of NumPy": ("activation", function("numpy", "load"), "load"),
    "a class of a module": (None, thing("subprocess", "Popen", args=["true"]), "Popen"),
    "a class with the name of a layer": (None, thing("subprocess", "Dense", units=2), "Dense"),
    "a dtype of a module": ("dtype", thing("subprocess", "Popen", args=["true"]), "Popen"),
    "a cell of a module": (None, thing("keras.layers", "RNN", cell=thing("subprocess", "Popen")), "Popen"),
    "a pickle": (None, thing("keras.layers", "TorchModuleWrapper", module="Y29zCg=="), "TorchModuleWrapper"),
    "a saved model elsewhere": (None, thing("keras.layers", "TFSMLayer", filepath="/tmp/x"), "TFSMLayer"),
    "a text file elsewhere": (None, thing("keras.layers", "StringLookup", vocabulary="/etc/passwd"), "StringLookup"),
}


@functools.cache
def plain():
    image = keras.Input((4, 4, 3))
    return keras.Model(image, L.Conv2D(3, 1, activation="tanh", name="c")(image))


@pytest.fixture(scope="module")
def plain_files(tmp_path_factory):
    """A harmless network as .keras and as .h5, by ending."""
    paths = {ending: tmp_path_factory.mktemp("plain") / f"plain{ending}" for ending in (".keras", ".h5")}
    for path in paths.values():
        plain().save(path)
    return paths


def replaced(config, argument, by):
    layer = next(layer for layer in config["config"]["layers"] if layer["class_name"] == "Conv2D")
    if argument:
        layer["config"][argument] = by
    else:
        kept = {key: layer[key] for key in ("name", "inbound_nodes") if key in layer}
        layer.clear()
        layer.update(by, **kept)
        layer["config"] = {"name": "c", **layer["config"]}
    return json.dumps(config)


def rewritten(source, path, argument, by):
    """A copy of a model file, with this in its configuration."""
    if path.suffix == ".h5":
        shutil.copy(source, path)
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"] = replaced(json.loads(file.attrs["model_config"]), argument, by)
        return path
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, replaced(json.loads(content), argument, by) if name == "config.json" else content)
    return path


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_model_file_is_refused_by_name(plain_files, tmp_path, case, ending):
    argument, by, name = HOSTILE[case]
    path = rewritten(plain_files[ending], tmp_path / f"x{ending}", argument, by)
    with pytest.raises(BadValueError, match=r"x\.(keras|h5)' names '\w+', which is not registered") as refused:
        generators.opened(path)
    assert repr(name) in str(refused.value) or repr("Lambda") in str(refused.value)
    with pytest.raises(Exception):  # noqa: B017 (of many types) by Keras itself, from our lower bound on
        keras.saving.load_model(path, compile=False)


@pytest.mark.parametrize("kind", ["link", "storage"])
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_weights_from_other_files_are_refused(plain_files, tmp_path, kind, ending):
    (tmp_path / "secret").write_bytes(bytes(1000))
    weights, path = tmp_path / "weights.h5", tmp_path / f"x{ending}"
    with zipfile.ZipFile(plain_files[".keras"]) as file:
        weights.write_bytes(plain_files[ending].read_bytes() if ending == ".h5" else file.read("model.weights.h5"))
        with h5py.File(weights, "r+") as inside:
            found = []
            inside.visititems(lambda name, item: found.append(name) if getattr(item, "ndim", 0) == 4 else None)
            shape = inside[found[0]].shape
            del inside[found[0]]
            if kind == "link":
                inside[found[0]] = h5py.ExternalLink(str(tmp_path / "other.h5"), "w")
                h5py.File(tmp_path / "other.h5", "w").create_dataset("w", shape, "float32")
            else:
                inside.create_dataset(found[0], shape, "float32", external=[(tmp_path / "secret", 0, 1000)])
        with zipfile.ZipFile(path, "w") as new:
            for name in file.namelist():
                new.writestr(name, weights.read_bytes() if name == "model.weights.h5" else file.read(name))
    with pytest.raises(BadValueError, match="cannot be opened as a Keras model"):
        generators.opened(shutil.copy(weights, path) if ending == ".h5" else path)


def test_a_file_that_unpacks_to_gigabytes_is_refused(plain_files, tmp_path, monkeypatch):
    monkeypatch.setattr(trusted, "MAX_EXTRA", 1000)
    with zipfile.ZipFile(shutil.copy(plain_files[".keras"], tmp_path / "x.keras"), "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("assets/zeros", bytes(2_000_000))
    with pytest.raises(BadValueError, match="unpacks to far more"):
        generators.opened(tmp_path / "x.keras")


def test_what_keras_and_this_package_have_opens(tmp_path):
    image = keras.Input((4, 4, 3))
    seed = keras.random.SeedGenerator(3)
    x = Conv2D(4, 3, padding="same", kernel_initializer=keras.initializers.RandomNormal(seed=seed))(image)
    x = L.Conv2D(4, 1, activation=keras.ops.relu, kernel_regularizer="l2", kernel_constraint="max_norm")(x)
    x = L.Activation(keras.activations.tanh)(x[:, ::-1] * 2 + keras.ops.mean(x, axis=1, keepdims=True))
    inner = keras.Sequential([keras.Input((4, 4, 4)), L.Conv2D(3, 1, activation=L.LeakyReLU(0.2))])
    inner.compile(keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(1e-3, 9, 0.5)), "mse", ["mae"])
    inner.optimizer.build(inner.trainable_variables)
    model = keras.Model(image, inner(x))
    model.save(tmp_path / "x.keras")
    pictures = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    again = generators.opened(tmp_path / "x.keras")
    np.testing.assert_array_equal(again.predict(pictures, verbose=0), model.predict(pictures, verbose=0))


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_registered_objects_open(tmp_path, ending):
    class Mine(L.Conv2D):
        pass

    path = tmp_path / f"x{ending}"
    keras.Sequential([keras.Input((4, 4, 3)), Mine(3, 1, name="c")]).save(path)
    with keras.saving.custom_object_scope({"Mine": Mine}):
        assert type(generators.opened(path).get_layer("c")) is Mine
    with pytest.raises(BadValueError, match="names 'Mine'"):
        generators.opened(path)
