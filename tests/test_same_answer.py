"""The same picture gets the same answer from Keras, `keras_gan.translate`, the page and every export."""

import http.client
import io
import socket
import threading

import keras
import numpy as np
import pytest
from PIL import Image
from test_generators import TINY, save_run
from test_models import slow

from keras_gan import export, generators
from keras_gan.pixels import scale
from keras_gan.translate import translate

for package in ("uvicorn", "starlette", "tf2onnx", "onnxruntime", "ai_edge_litert"):
    pytest.importorskip(package, reason="needs the extras demo and export")
pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="Keras exports on TensorFlow")

TRANSLATIONS = [name for name in TINY if name not in ("dcgan", "cgan", "gan")]


def from_the_page(found, way, data):
    """What the page's server makes of a file, float32."""
    import uvicorn

    from keras_gan.demo.server import NUMBERS, app_of

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app_of(found), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        connection = http.client.HTTPConnection(*listening.getsockname(), timeout=60)
        connection.request("POST", f"/translate/{way}", data, {"Accept": NUMBERS})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        server.should_exit = True
        thread.join()
    assert response.status == 200, body
    return np.load(io.BytesIO(body))


@pytest.mark.parametrize("name", [slow(name) if name == "cyclegan resnet" else name for name in TRANSLATIONS])
def test_the_same_picture_gets_the_same_answer(tmp_path, name):
    gan = save_run(tmp_path / "run", name)
    places = generators.generators_of(tmp_path / "run")
    way = list(places)[-1]
    network = next(network for network in gan.networks if network.name == places[way].stem)
    if name == "discogan paper":  # whose untrained networks make nothing but gray
        network.set_weights([3 * weight if weight.ndim == 4 else weight for weight in network.get_weights()])
        gan.save_networks()
    noise = np.random.default_rng(3).integers(0, 256, network.input_shape[1:], "uint8")
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    image = scale(noise[np.newaxis], gan.data_loader.value_range)
    expected = network.predict(image, verbose=0)
    assert np.ptp(expected) > 0.05  # there is something to tell apart

    answers = {format: export.export(tmp_path / "run", format, tmp_path / format, way) for format in export.ENDINGS}
    answers = {format: export.RUNTIMES[format](path)(image) for format, path in answers.items()}
    answers["translate"] = translate(tmp_path / "run", image, way)
    found = {way: generators.find(tmp_path / "run", way) for way in places}
    answers["page"] = from_the_page(found, way or "only", file.getvalue())
    for answer in answers.values():
        np.testing.assert_allclose(answer, expected, atol=1e-5)
