"""The networks and the objective of the PyTorch post. For its recorded results see test_golden.py."""

import keras
import numpy as np
import pytest
from support.scoring import scores

from keras_gan import DiscoGANPyTorch
from keras_gan.adversarial import losses

OUTPUTS = ["valid_A", "valid_B", "fake_B", "fake_A", "reconstr_A", "reconstr_B"]


def small(**options):
    return DiscoGANPyTorch((64, 64, 3), gf=2, df=2, dataset_name="drawn_shoes", **options)


def dropouts(network):
    """The sizes of the maps with dropout."""
    return [layer.output.shape[1] for layer in network.layers if isinstance(layer, keras.layers.Dropout)]


def test_the_networks_of_the_post():
    gan = DiscoGANPyTorch(dataset_name="drawn_shoes")
    assert gan.g_AB.count_params() == gan.g_BA.count_params() == 29_241_731
    assert gan.d_A.count_params() == gan.d_B.count_params() == 662_977
    assert gan.d_A.output_shape == (None, 8, 8, 1) and gan.g_AB.output_shape == (None, 64, 64, 3)
    assert dropouts(gan.g_AB) == [8, 4, 2, 1, 2, 4, 8] and not dropouts(gan.d_A)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("distance", ["mse", "mae", "cosine", "hinge"])
def test_terms_are_averaged_over_both_directions_and_use_the_same_distance(distance, batch):
    gan, (A, B) = small(distance=distance, dropout=0.0), batch(64, 64)
    figures = scores(gan, A, B)
    np.testing.assert_allclose(figures["loss"], sum(figures[f"{name}_loss"] for name in OUTPUTS) / 2, rtol=1e-5)
    score = keras.losses.get(losses.distance(distance))
    fake_B = gan.g_AB(A)
    for name, a, b in (("fake_B", B, fake_B), ("reconstr_A", A, gan.g_BA(fake_B))):
        np.testing.assert_allclose(figures[f"{name}_loss"], np.mean(score(a, b)), rtol=1e-4)


def test_the_weights_of_the_terms_are_arguments():
    gan = small(adversarial_weight=2.0, translation_weight=0.0, reconstruction_weight=4.0)
    assert gan.combined._compile_loss._user_loss_weights == [1, 1, 0, 0, 2, 2]


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(("name", "expected"), [("bce", np.log(2)), ("mse", 1.0)])
def test_the_adversarial_loss_is_an_argument(name, expected, batch):
    """With zero weights all verdicts are 0: undecided."""
    gan = small(adversarial_loss=name)
    for discriminator in gan.discriminators:
        discriminator.set_weights([0 * weight for weight in discriminator.get_weights()])
    figures = scores(gan, *batch(64, 64))
    assert figures["valid_A_loss"] == pytest.approx(expected, rel=1e-5)


def test_invalid_values_are_named():
    for options, message in (
        ({"distance": "l3"}, "distance must be one of mae, mse, cosine, hinge, not 'l3'"),
        ({"adversarial_loss": "w"}, "adversarial_loss must be one of mse, bce, hinge, wgan-gp, not 'w'"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1, not 1.0"),
    ):
        with pytest.raises(ValueError, match=message):
            small(**options)
    with pytest.raises(ValueError, match="image size 96x64: six halvings need multiples of 64"):
        DiscoGANPyTorch((96, 64, 3), dataset_name="drawn_shoes")
