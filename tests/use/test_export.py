"""Exports match Keras, carry metadata, and are deleted if they differ.

That every translation model's exports give the same answer is in test_same_answer.py.
"""

import functools
import json
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
from support.models import slow
from support.runs import copy_run, save_run

from keras_gan import export, generators
from keras_gan.errors import BadValueError, NotFoundError

pytestmark = [
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="Keras exports on TensorFlow"),
    pytest.mark.usefixtures("opening_once"),
]
for package in ("tf2onnx", "onnxruntime", "ai_edge_litert"):
    pytest.importorskip(package, reason="needs the extra export")


@pytest.fixture
def run(saved):
    """The folder of a run of a tiny, untrained model, by its name."""
    return lambda name: saved(name)[1]


def about(path, format):
    """The metadata of an export."""
    if format == "onnx":
        import onnx

        found = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
        return found | {key: json.loads(found[key]) for key in ("value_range", "inputs", "output")}
    if format == "tflite":
        return json.loads(zipfile.ZipFile(path).read("keras_gan.json"))
    return json.loads((path / "assets.extra" / "keras_gan.json").read_text())


@pytest.mark.parametrize("format", export.ENDINGS)
@pytest.mark.parametrize("name", [slow("dcgan"), "cgan", "gan"])  # each layer of dcgan is in one of the others
def test_exported_generators_from_noise_run_without_keras(generator_of, exported, name, format):
    generator = generator_of(name)
    z = np.random.default_rng(5).standard_normal((4, 100)).astype("float32")
    inputs = [z, np.array([9, 0, 3, 3], "int32")] if name == "cgan" else [z]
    images = export.RUNTIMES[format](exported(name, format))(*inputs)
    np.testing.assert_allclose(images, generator(*inputs), atol=1e-5)
    said = about(exported(name, format), format)
    assert (said["model"], said["kind"], said["value_range"]) == (name, generator.kind, [-1, 1])
    assert said["output"] == [None, *generator.out_shape]


@pytest.mark.parametrize("format", export.ENDINGS)
def test_exports_carry_range_size_and_direction(exported, format):
    said = about(exported("discogan paper", format), format)
    assert (said["direction"], said["value_range"], said["inputs"]) == ("BtoA", [0, 1], [[None, 32, 32, 3]])
    assert said["output"] == [None, 32, 32, 3] and said["model"] == "discogan_paper"


def test_onnx_runs_without_tensorflow_and_keras(generator_of, exported, tmp_path):
    images = np.random.default_rng(5).uniform(-1, 1, (2, 32, 32, 3)).astype("float32")
    np.save(tmp_path / "in.npy", images)
    script = """
import sys
for name in ("tensorflow", "keras", "jax", "keras_gan", "tf2onnx", "onnx"):
    sys.modules[name] = None  # importing it fails
import numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
assert session.get_modelmeta().custom_metadata_map["value_range"] == "[-1, 1]"
images = numpy.load(sys.argv[2])
numpy.save(sys.argv[3], session.run(None, {session.get_inputs()[0].name: images})[0])
"""
    arguments = [exported("discogan", "onnx"), tmp_path / "in.npy", tmp_path / "out.npy"]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), generator_of("discogan")(images), atol=1e-5)


@pytest.fixture(scope="module")
def half_run(tmp_path_factory):
    """The folder of a run of a tiny model, by model name and half-precision dtype."""

    @functools.cache
    def get(name, half):
        folder = tmp_path_factory.mktemp("half") / "run"
        keras.config.set_dtype_policy(f"mixed_{half}")
        try:
            save_run(folder, name)
        finally:
            keras.config.set_dtype_policy("float32")
        return folder

    return get


@pytest.mark.parametrize("name, half, direction", [slow("discogan", "float16", "AtoB"), ("dcgan", "bfloat16", None)])
def test_half_precision_is_exported_in_float32(half_run, tmp_path, name, half, direction):
    path = export.export(half_run(name, half), "onnx", tmp_path / "network.onnx", direction)
    generator = generators.find(half_run(name, half), direction)
    (inputs,) = export.examples(generator, 2)
    exported = export.onnx_runtime(path)(inputs)
    in_full = generators.Generator(export.in_full_precision(generator.model))
    np.testing.assert_allclose(exported, in_full(inputs), atol=1e-5)
    difference = export.root_mean_square(exported - generator(inputs))
    assert difference > 0 and (half == "bfloat16" or difference < 1e-2)  # 0: nothing was in half precision


def test_an_export_must_also_match_the_float16_network(half_run, tmp_path, monkeypatch):
    """A wrong float32 copy of the float16 network is detected, although the export equals the copy."""
    in_full_precision = export.in_full_precision

    def another(model):
        network = in_full_precision(model)
        network.set_weights([*network.get_weights()[:-1], network.get_weights()[-1] + 0.05])
        return network

    monkeypatch.setattr(export, "in_full_precision", another)
    with pytest.raises(BadValueError, match="as onnx differs from Keras by 0.0.*, more than 0.01: nothing is saved"):
        export.export(half_run("dcgan", "float16"), "onnx", tmp_path / "network.onnx")


@pytest.mark.parametrize("format", ["savedmodel", slow("onnx"), slow("tflite")])
def test_a_path_that_is_no_utf_8_is_exported_to(tmp_path, format):
    folder = tmp_path / "caf\udce9"
    try:
        folder.mkdir()
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    path = export.export(shifted(0), format, folder / "network")
    assert list(folder.iterdir()) == [path]
    assert about(path, format)["kind"] == "translation"


def shifted(amount):
    """A generator of one layer with its bias shifted."""
    image = keras.Input((8, 8, 3))
    initial = {"kernel_initializer": keras.initializers.GlorotUniform(seed=0)}
    initial |= {"bias_initializer": keras.initializers.Constant(amount)}
    layer = keras.layers.Conv2D(3, 3, padding="same", activation="tanh", **initial)
    return generators.Generator(keras.Model(image, layer(image)))


@pytest.mark.parametrize(
    "format, amount", [("savedmodel", 3e-4), ("onnx", 3e-4), ("tflite", 3e-4), ("savedmodel", np.nan)]
)
def test_an_export_that_differs_is_deleted(tmp_path, monkeypatch, format, amount):
    write, other = export.write, shifted(amount)
    monkeypatch.setattr(export, "write", lambda generator, *rest: write(other, *rest))
    with pytest.raises(BadValueError, match=f"as {format} differs from Keras by .*: nothing is saved"):
        export.export(shifted(0), format, tmp_path / "out" / "network")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_failing_converter_leaves_no_file_and_prints_one_line(run, tmp_path, monkeypatch):
    def write(generator, format, path):
        path.write_text("half")
        raise RuntimeError("no such operation\nand pages of traces")

    monkeypatch.setattr(export, "write", write)
    with pytest.raises(BadValueError, match="could not be written as onnx: RuntimeError: no such operation$"):
        export.export(run("pix2pix"), "onnx", tmp_path / "out" / "network.onnx")
    assert list((tmp_path / "out").iterdir()) == []


def test_bad_arguments_are_reported(run, tmp_path, monkeypatch):
    (tmp_path / "there.onnx").write_text("mine")
    for match, *arguments in (
        ("must be one of savedmodel, onnx, tflite, not 'torch'", run("pix2pix"), "torch"),
        ("exists: name another --output", run("pix2pix"), "onnx", tmp_path / "there.onnx"),
        ("cannot create the folder", run("pix2pix"), "onnx", tmp_path / "there.onnx" / "network.onnx"),
        ("not a generator but a discriminator", run("pix2pix") / "models" / "discriminator.keras", "onnx"),
    ):
        with pytest.raises(BadValueError, match=match):
            export.export(*arguments)
    assert (tmp_path / "there.onnx").read_text() == "mine"
    with pytest.raises(NotFoundError):
        export.export(tmp_path / "nowhere.keras", "onnx")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(BadValueError, match="set KERAS_BACKEND=tensorflow"):
        export.export(run("pix2pix"), "onnx", tmp_path / "network.onnx")


@pytest.mark.slow
def test_the_command_exports_beside_the_model(run, tmp_path):
    folder = copy_run(run("dcgan"), tmp_path / "run")
    command = [sys.executable, "-m", "keras_gan.export", str(folder), "--format", "tflite"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    path = folder / "models" / "generator.tflite"
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}\n", "")
    assert path.exists() and sorted(entry.name for entry in path.parent.glob(".*")) == []


WITHOUT_FRAMEWORKS = """
import importlib.util, json, sys
from keras_gan import export
find, missing = importlib.util.find_spec, None
importlib.util.find_spec = lambda name, *rest: None if name == missing else find(name, *rest)
for missing, *arguments in json.loads(sys.argv[1]):
    try:
        export.main(arguments)
    except SystemExit as done:
        print("code", done.code)
    print("loaded", {"keras", "tensorflow", "onnx"} & set(sys.modules))
"""


def test_missing_packages_and_help_load_no_framework(run):
    missing = {"tf2onnx": "onnx", "ai_edge_litert": "tflite"}
    calls = [["", "--help"], *([package, str(run("gan")), "--format", missing[package]] for package in missing)]
    command = [sys.executable, "-c", WITHOUT_FRAMEWORKS, json.dumps(calls)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    usage, *endings = done.stdout.split("code ")
    assert "--format" in usage and endings == [f"{code}\nloaded set()\n" for code in (0, 2, 2)]
    for line, package in zip(done.stderr.splitlines(), missing, strict=True):
        assert f"needs {package}: " in line and 'pip install ".[export]" in ' in line
