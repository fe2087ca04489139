import keras
import numpy as np
import pytest

from keras_gan.adversarial import losses


def test_adversarial_losses_are_least_squares_or_cross_entropy_of_logits():
    verdicts = np.array([[-1.0], [0.2], [0.7]], "float32")
    ones = np.ones_like(verdicts)
    loss, accuracy = losses.adversarial_loss("mse")
    np.testing.assert_allclose(loss(ones, verdicts), np.mean((1 - verdicts) ** 2), rtol=1e-6)
    assert float(accuracy(ones, verdicts)) == pytest.approx(1 / 3)  # above one half
    loss, accuracy = losses.adversarial_loss("bce")
    np.testing.assert_allclose(loss(ones, verdicts), np.mean(np.log(1 + np.exp(-verdicts))), rtol=1e-6)
    assert float(accuracy(ones, verdicts)) == pytest.approx(2 / 3)  # above zero
    assert accuracy.name == "accuracy"


def two_pictures(value_range):
    return np.random.default_rng(0).uniform(*value_range, (2, 3, 4, 4, 2)).astype("float32")


@pytest.mark.parametrize("value_range", [(-1, 1), (0, 1)])
def test_distances(value_range):
    a, b = two_pictures(value_range)
    low, high = value_range
    signed = [2 * (x - low) / (high - low) - 1 for x in (a, b)]
    cosines = [np.sum(x * y) / np.linalg.norm(x) / np.linalg.norm(y) for x, y in zip(a, b, strict=True)]
    expected = {
        "mae": np.abs(a - b).mean(),
        "mse": np.mean((a - b) ** 2),
        "cosine": np.mean(1 - np.array(cosines)),
        "hinge": np.maximum(0, 1 - signed[0] * signed[1]).mean(),
    }
    model = keras.Sequential([keras.layers.Identity()])
    for name, value in expected.items():
        model.compile(loss=losses.distance(name, value_range))
        np.testing.assert_allclose(model.compute_loss(y=a, y_pred=b), value, rtol=1e-5, err_msg=name)


def test_feature_matching_compares_batch_means():
    real = np.random.default_rng(0).normal(size=(4, 3, 3, 2)).astype("float32")
    assert float(losses.feature_matching(real, real[::-1])) < 1e-12
    np.testing.assert_allclose(losses.feature_matching(real, real + 2), 4, rtol=1e-5)


def test_an_unknown_name_gives_the_known_names():
    with pytest.raises(ValueError, match="distance must be one of mae, mse, cosine, hinge, not 'l3'"):
        losses.distance("l3")
    with pytest.raises(ValueError, match="adversarial loss must be one of mse, bce, not 'wgan'"):
        losses.adversarial_loss("wgan")
