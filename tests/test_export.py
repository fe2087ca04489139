"""What is exported gives Keras' pictures without Keras, says what it is, and is not left behind where it differs.

That every translation model's exports give the same answer is in test_same_answer.py.
"""

import json
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
from test_generators import save_run

from keras_gan import export, generators
from keras_gan.errors import BadValueError, NotFoundError

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="Keras exports on TensorFlow")
for package in ("tf2onnx", "onnxruntime", "ai_edge_litert"):
    pytest.importorskip(package, reason="needs the extra export")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run of this tiny, untrained model."""
    kept = {}

    def get(name):
        if name not in kept:
            kept[name] = tmp_path_factory.mktemp("run") / "run"
            save_run(kept[name], name)
        return kept[name]

    return get


def about(path, format):
    """What an exported network says of itself."""
    if format == "onnx":
        import onnx

        found = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
        return found | {key: json.loads(found[key]) for key in ("value_range", "inputs", "output")}
    if format == "tflite":
        return json.loads(zipfile.ZipFile(path).read("keras_gan.json"))
    return json.loads((path / "assets.extra" / "keras_gan.json").read_text())


@pytest.mark.parametrize("format", export.ENDINGS)
@pytest.mark.parametrize("name", ["dcgan", "cgan", "gan"])
def test_what_makes_pictures_of_noise_does_so_without_keras(run, tmp_path, name, format):
    generator = generators.find(run(name))
    path = export.export(run(name), format, tmp_path / "out" / "network")
    z = np.random.default_rng(5).standard_normal((4, 100)).astype("float32")
    inputs = [z, np.array([9, 0, 3, 3], "int32")] if name == "cgan" else [z]
    images = export.RUNTIMES[format](path)(*inputs)
    np.testing.assert_allclose(images, generator(*inputs), atol=1e-5)
    said = about(path, format)
    assert (said["model"], said["kind"], said["value_range"]) == (name, generator.kind, [-1, 1])
    assert said["output"] == [None, *generator.out_shape]


@pytest.mark.parametrize("format", export.ENDINGS)
def test_range_size_and_direction_travel_with_it(run, tmp_path, format):
    path = export.export(run("discogan paper"), format, tmp_path / "network", "BtoA")
    said = about(path, format)
    assert (said["direction"], said["value_range"], said["inputs"]) == ("BtoA", [0, 1], [[None, 32, 32, 3]])
    assert said["output"] == [None, 32, 32, 3] and said["model"] == "discogan"


def test_onnx_runs_where_there_is_neither_tensorflow_nor_keras(run, tmp_path):
    path = export.export(run("pix2pix"), "onnx", tmp_path / "network.onnx")
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
    arguments = [path, tmp_path / "in.npy", tmp_path / "out.npy"]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = generators.find(run("pix2pix"))(images)
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, atol=1e-5)


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_half_precision_is_exported_in_full(tmp_path, policy, half):
    policy(f"mixed_{half}")
    save_run(tmp_path / "run", "discogan")
    policy("float32")
    path = export.export(tmp_path / "run", "onnx", tmp_path / "network.onnx", "AtoB")
    generator = generators.find(tmp_path / "run", "AtoB")
    (images,) = export.examples(generator, 2)
    exported = export.onnx_runtime(path)(images)
    in_full = generators.Generator(export.in_full_precision(generator.model))
    np.testing.assert_allclose(exported, in_full(images), atol=1e-5)
    difference = export.root_mean_square(exported - generator(images))
    assert difference > 0 and (half == "bfloat16" or difference < 1e-2)  # 0: nothing was in half precision


def test_float16_may_round_but_not_be_another_network(tmp_path, policy, monkeypatch):
    """Where the network in full precision is not that in float16, the two of them agree with the file in vain."""
    policy("mixed_float16")
    save_run(tmp_path / "run", "discogan")
    policy("float32")
    in_full_precision = export.in_full_precision

    def another(model):
        network = in_full_precision(model)
        network.set_weights([*network.get_weights()[:-1], network.get_weights()[-1] + 0.05])
        return network

    monkeypatch.setattr(export, "in_full_precision", another)
    with pytest.raises(BadValueError, match="as onnx differs from Keras by 0.0.*, more than 0.01: nothing is kept"):
        export.export(tmp_path / "run", "onnx", tmp_path / "network.onnx", "AtoB")


@pytest.mark.parametrize("format", export.ENDINGS)
@pytest.mark.parametrize("amount", [3e-4, np.nan])
def test_what_differs_is_not_left_behind(run, tmp_path, monkeypatch, format, amount):
    def biased(model):
        network = keras.models.clone_model(model)
        network.set_weights([*model.get_weights()[:-1], model.get_weights()[-1] + amount])
        return network

    generator = generators.find(run("pix2pix"))
    write = export.write
    other = generators.Generator(biased(generator.model), generator.path)
    monkeypatch.setattr(export, "write", lambda generator, *rest: write(other, *rest))
    with pytest.raises(BadValueError, match=f"as {format} differs from Keras by .*: nothing is kept"):
        export.export(generator, format, tmp_path / "out" / "network")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_converter_that_fails_leaves_nothing_and_is_one_line(run, tmp_path, monkeypatch):
    def write(generator, format, path):
        path.write_text("half")
        raise RuntimeError("no such operation\nand pages of traces")

    monkeypatch.setattr(export, "write", write)
    with pytest.raises(BadValueError, match="could not be written as onnx: RuntimeError: no such operation$"):
        export.export(run("pix2pix"), "onnx", tmp_path / "out" / "network.onnx")
    assert list((tmp_path / "out").iterdir()) == []


def test_bad_arguments_are_named(run, tmp_path, monkeypatch):
    (tmp_path / "there.onnx").write_text("mine")
    for match, *arguments in (
        ("must be one of savedmodel, onnx, tflite, not 'torch'", run("pix2pix"), "torch"),
        ("exists: name another --output", run("pix2pix"), "onnx", tmp_path / "there.onnx"),
        ("is no folder that can be made", run("pix2pix"), "onnx", tmp_path / "there.onnx" / "network.onnx"),
        ("add --direction", run("discogan paper"), "onnx"),
        ("no generator but a discriminator", run("pix2pix") / "models" / "discriminator.keras", "onnx"),
    ):
        with pytest.raises(BadValueError, match=match):
            export.export(*arguments)
    assert (tmp_path / "there.onnx").read_text() == "mine"
    with pytest.raises(NotFoundError):
        export.export(tmp_path / "nowhere.keras", "onnx")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(BadValueError, match="set KERAS_BACKEND=tensorflow"):
        export.export(run("pix2pix"), "onnx", tmp_path / "network.onnx")


def command(*arguments, before=""):
    script = f"import sys\n{before}\nfrom keras_gan import export\nexport.main(sys.argv[1:])"
    return subprocess.run([sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True)


def test_the_command_writes_beside_the_model(run):
    done = command(run("gan"), "--format", "tflite")
    path = run("gan") / "models" / "generator.tflite"
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}\n", "")
    assert path.exists() and sorted(entry.name for entry in path.parent.glob(".*")) == []


@pytest.mark.parametrize("format, package", [("onnx", "tf2onnx"), ("tflite", "ai_edge_litert")])
def test_a_missing_package_is_named_with_its_extra_before_keras_is_loaded(run, format, package):
    block = (
        "import importlib.util as util; find = util.find_spec\n"
        f"util.find_spec = lambda name, *rest: None if name == '{package}' else find(name, *rest)\n"
        "import atexit; atexit.register(lambda: print('keras' in sys.modules))"
    )
    done = command(run("gan"), "--format", format, before=block)
    assert (done.returncode, done.stdout) == (2, "False\n")
    assert done.stderr.count("\n") == 1 and f"needs the package {package}" in done.stderr
    assert 'pip install "keras-gan[export]"' in done.stderr


def test_help_loads_no_framework():
    block = "import atexit; atexit.register(lambda: print({'keras', 'tensorflow', 'onnx'} & set(sys.modules)))"
    done = command("--help", before=block)
    assert done.returncode == 0 and done.stdout.endswith("set()\n") and "--format" in done.stdout
