"""Keras, `keras_gan.translate`, the command, the page and every export give the same output."""

import functools
import io
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image
from support.models import slow
from support.pictures import opened
from support.runs import TRANSLATIONS
from support.serving import ask, served

import keras_gan.translate.__main__
from keras_gan import export, generators
from keras_gan.images.pixels import scale
from keras_gan.translate import translate

pytestmark = pytest.mark.usefixtures("opening_once")

# Those whose layers are among the others', and what takes longest, are exported in the slow tests.
EXPORTED = [name if name in ("discogan", "discogan paper") else slow(name) for name in TRANSLATIONS]


@pytest.fixture(scope="module")
def asked(saved):
    """By model name: three pictures and the network's own output for them."""

    @functools.cache
    def get(name):
        gan, folder = saved(name)
        places = generators.generators_of(folder)
        way = list(places)[-1]
        network = next(network for network in gan.networks if network.name == places[way].stem)
        pixels = np.random.default_rng(3).integers(0, 256, (3, *network.input_shape[1:]), "uint8")
        images = scale(pixels, gan.data_loader.value_range)
        expected = network.predict(images, verbose=0)
        assert np.ptp(expected) > 0.05 and np.ptp(expected, axis=0).max() > 1e-3  # there is something to tell apart
        of = {"folder": folder, "places": places, "way": way, "network": network}
        return SimpleNamespace(**of, pixels=pixels, images=images, expected=expected)

    return get


def close(answer, expected):
    np.testing.assert_allclose(answer, expected, atol=1e-5)


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_from_python_a_file_a_run_and_a_network_give_the_same_answer(asked, name):
    of = asked(name)
    close(translate(of.places[of.way], of.images), of.expected)
    close(translate(of.folder, of.images, of.way), of.expected)
    close(translate(of.network, of.images[:1])[0], of.expected[0])  # alone as among others


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_the_command_gives_the_same_answer_up_to_rounding(asked, name, tmp_path):
    of = asked(name)
    (tmp_path / "in").mkdir()
    for i, picture in enumerate(of.pixels):
        Image.fromarray(picture).save(tmp_path / "in" / f"{i}.png")
    arguments = (of.places[of.way], tmp_path / "in", "--output", tmp_path / "out")
    keras_gan.translate.__main__.main([str(argument) for argument in arguments])
    low, high = generators.find(of.places[of.way]).value_range
    for i in range(3):
        written = np.asarray(opened(tmp_path / "out" / f"{i}.png"), "float32")
        exact = (of.expected[i] - low) / (high - low) * 255
        assert np.abs(written - exact).max() <= 0.5 + 255e-5  # of rounding


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_the_page_gives_the_same_answer(asked, name):
    for package in ("uvicorn", "starlette"):
        pytest.importorskip(package, reason="needs the extra demo")
    from keras_gan.demo.server import NUMBERS

    of, file = asked(name), io.BytesIO()
    Image.fromarray(of.pixels[0]).save(file, "PNG")
    with served({way: generators.find(of.folder, way) for way in of.places}) as address:
        status, body, _ = ask(address, f"translate/{of.way or 'only'}", file.getvalue(), Accept=NUMBERS)
    assert status == 200, body
    close(np.load(io.BytesIO(body)), of.expected[:1])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="Keras exports on TensorFlow")
@pytest.mark.parametrize("format", export.ENDINGS)
@pytest.mark.parametrize("name", EXPORTED)
def test_every_export_gives_the_same_answer(asked, exported, name, format):
    for package in export.PACKAGES[format]:
        pytest.importorskip(package, reason="needs the extra export")
    of = asked(name)
    run = export.RUNTIMES[format](exported(name, format))
    close(run(of.images), of.expected)
    close(run(of.images[:1]), of.expected[:1])
