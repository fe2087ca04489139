"""Rematerialisation changes no number, and no saved network."""

import keras
import numpy as np
import pytest
from support.models import set_float, weights
from support.toy import Toy

from keras_gan import CycleGANPaper, DiscoGAN
from keras_gan.adversarial import remat

SHOES = {"dataset_name": "drawn_shoes", "seed": 3}
#: Dropout, moving statistics and a pool are state that a network changes while it is computed.
MODELS = {
    "toy": lambda: Toy(seed=0),
    "discogan": lambda: DiscoGAN((16, 16, 3), gf=4, df=4, dropout=0.3, **SHOES),
    "cyclegan paper": lambda: CycleGANPaper(
        (32, 32, 3), gf=4, df=4, pool_size=0, norm="batch", generator="unet", **SHOES
    ),
}


def played(model, parts, is_on):
    gan = MODELS[model]()
    gan.save_memory(parts, is_on)
    shapes = [gan.img_shape] if isinstance(gan, Toy) else [gan.shape_A, gan.shape_B]
    rng = np.random.default_rng(0)
    figures = [gan.train_on_batch(*(rng.uniform(-1, 1, (4, *shape)) for shape in shapes)) for _ in range(3)]
    return np.array(figures), [np.array(state) for state in gan.random_states], weights(gan)


SLOW = ("toy", 2), ("discogan", 1), ("discogan", 2), ("cyclegan paper", 1)


@pytest.mark.parametrize(
    ("model", "parts"), [("toy", 1), *(pytest.param(*row, marks=pytest.mark.slow) for row in SLOW)]
)
def test_rematerialised_networks_are_trained_to_the_same_weights(model, parts):
    set_float("float64")
    try:
        plain, again = (played(model, parts, is_on) for is_on in (False, True))
    finally:
        set_float("float32")
    np.testing.assert_allclose(again[0], plain[0], rtol=1e-12)
    assert all(np.array_equal(a, b) for a, b in zip(again[1], plain[1], strict=True))
    for name, before in plain[2].items():
        for a, b in zip(again[2][name], before, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12, err_msg=name)


def test_networks_are_computed_twice_only_while_generators_learn(monkeypatch):
    rematerialised = []
    monkeypatch.setattr(remat.backend, "remat", lambda network, run, flat: rematerialised.append(network) or run(flat))
    gan = Toy(seed=0)
    gan.save_memory(1, True)
    gan.train_on_batch(np.zeros((2, 8, 8, 1), "float32"))
    assert rematerialised == [gan.generator, gan.discriminator]
    gan.generate(gan.sample_noise(2))
    gan.test_on_batch(np.zeros((2, 8, 8, 1), "float32"))
    assert len(rematerialised) == 2


def test_a_saved_network_does_not_know_of_it(tmp_path):
    gan = Toy(seed=0, output=tmp_path / "run")
    gan.train(epochs=1, remat=True)
    opened = keras.saving.load_model(tmp_path / "run" / "models" / "generator.keras")
    noise = gan.sample_noise(3)
    np.testing.assert_array_equal(opened.predict(noise, verbose=0), gan.generate(noise))
    assert "call" not in vars(opened)
