import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from support.runs import TINY, copy_run

from keras_gan import generators
from keras_gan.errors import BadValueError, NotFoundError

pytestmark = pytest.mark.usefixtures("opening_once")


@pytest.mark.parametrize("name", TINY)
def test_every_generator_is_found_and_matches_its_model(saved, name):
    gan, folder = saved(name)
    for path in generators.generators_of(folder).values():
        generator = generators.find(path)
        network = next(net for net in gan.networks if net.name == path.stem)
        assert generator.value_range == gan.data_loader.value_range  # told by the file alone
        assert generator.name == gan.name and generator.run == folder
        for weight, expected in zip(generator.model.get_weights(), network.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, expected)
    rng = np.random.default_rng(0)
    inputs = [rng.uniform(-1, 1, (2, *shape[1:])).astype("float32") for shape in generators.inputs_of(network)]
    if generator.kind == "labelled":
        inputs[1] = np.array([3, 7], "int32")
    images = generator(*inputs)
    assert images.dtype == "float32" and images.shape == (2, *generator.out_shape)
    expected = network(inputs if len(inputs) > 1 else inputs[0], training=False)
    np.testing.assert_allclose(images, expected, atol=1e-5)


def test_kinds_and_sizes(generator_of):
    cgan, dcgan, pix2pix = map(generator_of, ("cgan", "dcgan", "pix2pix"))
    assert (cgan.kind, cgan.latent_dim, cgan.classes, cgan.shape) == ("labelled", 100, 10, (28, 28, 1))
    assert (dcgan.kind, dcgan.latent_dim, dcgan.classes, dcgan.out_shape) == ("latent", 100, 0, (32, 32, 3))
    assert (pix2pix.kind, pix2pix.latent_dim, pix2pix.direction) == ("translation", None, None)


def test_the_direction_picks_the_generator(saved, capsys):
    gan, folder = saved("cyclegan")
    for way, network in (("AtoB", gan.g_AB), ("BtoA", gan.g_BA)):
        generator = generators.find(folder, way)
        assert generator.path.stem == network.name and generator.direction == way
        np.testing.assert_array_equal(generator.model.get_weights()[0], network.get_weights()[0])
    assert not capsys.readouterr().err
    assert generators.find(folder).direction == "AtoB"
    said = capsys.readouterr().err
    assert "translates both ways: taking AtoB; name the direction BtoA" in said and said.count("\n") == 1
    assert generators.find(folder / "models" / "g_BA.keras").direction == "BtoA"
    generators.find(saved("pix2pix")[1])
    assert not capsys.readouterr().err
    with pytest.raises(BadValueError, match="no generator BtoA: it has generator.keras"):
        generators.find(saved("pix2pix")[1], "BtoA")
    with pytest.raises(BadValueError, match="direction must be one of AtoB, BtoA, not 'up'"):
        generators.find(folder, "up")


def test_a_file_or_a_model_alone_is_enough(saved, tmp_path):
    gan, folder = saved("pix2pix")
    copy = tmp_path / "mine.keras"
    copy.write_bytes((folder / "models" / "generator.keras").read_bytes())
    alone = generators.find(copy)
    assert (alone.name, alone.run, alone.fit, alone.value_range) == ("mine", None, "resize", (-1, 1))
    same = generators.find(gan.generator)
    assert same.path is None and generators.find(same) is same


def test_the_fit_is_taken_from_training(saved, tmp_path):
    _, folder = saved("pix2pix")
    assert generators.find(folder).fit == "resize"
    assert generators.find(copy_run(folder, tmp_path / "run", fit="pad")).fit == "pad"


@pytest.mark.parametrize(("name", "multiple"), [("discogan", 32), ("cyclegan paper", 4), ("cyclegan", 8)])
def test_a_generator_at_another_size_has_the_same_weights(generator_of, name, multiple):
    generator = generator_of(name, "AtoB")
    assert generator.multiple == multiple
    height, width = generator.shape[0] + multiple, generator.shape[1] + 2 * multiple
    larger = generator.at(height, width)
    assert larger(np.zeros((1, height, width, 3), "float32")).shape == (1, height, width, 3)
    assert generator.at(*generator.shape[:2]) is generator and generator.at(height, width) is larger
    assert [w.path for w in larger.model.weights] == [w.path for w in generator.model.weights]


def test_other_networks_are_refused_in_one_line(saved, tmp_path):
    _, folder = saved("pix2pix")
    (tmp_path / "text.keras").write_text("no model")
    (tmp_path / "picture.png").touch()
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(tmp_path / "foreign.keras")
    image = keras.Input((8, 8, 3))
    keras.Model(image, keras.layers.Conv2D(3, 3, padding="same")(image)).save(tmp_path / "linear.keras")
    faults = {
        folder / "models" / "discriminator.keras": "not a generator but a discriminator",
        saved("gan")[1] / "models" / "discriminator.keras": "not a generator but a discriminator",
        saved("cyclegan")[1] / "models" / "d_A.keras": "not a generator but a discriminator",
        tmp_path / "text.keras": "cannot be opened as a Keras model",
        tmp_path / "picture.png": "is not a model: name a .keras file",
        tmp_path / "foreign.keras": "is not a generator of this package",
        tmp_path / "linear.keras": "its output is not a picture",
        tmp_path: "is not the folder of a run",
    }
    for path, message in faults.items():
        with pytest.raises(BadValueError, match=message) as caught:
            generators.find(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(NotFoundError, match="there is no such file"):
        generators.find(tmp_path / "nowhere.keras")
    with pytest.raises(BadValueError, match="not 3"):
        generators.find(3)


def test_a_run_without_networks_yet(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"class": "Pix2Pix", "model": "pix2pix", "arguments": {}}))
    with pytest.raises(NotFoundError, match="has no generator yet"):
        generators.find(tmp_path)


def test_wrong_input_shapes_are_reported(generator_of):
    generator = generator_of("pix2pix")
    with pytest.raises(BadValueError, match=r"takes inputs of shape \(None, 32, 32, 3\), not \(1, 32, 32, 1\)"):
        generator(np.zeros((1, 32, 32, 1), "float32"))


def test_a_missing_file_is_reported_without_loading_a_framework(tmp_path):
    script = (
        "import sys; from pathlib import Path; from keras_gan import generators\n"
        "try: generators.find('nowhere')\n"
        "except FileNotFoundError: assert not {'keras', 'tensorflow', 'jax'} & set(sys.modules)\n"
        "else: raise AssertionError"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, timeout=60)
