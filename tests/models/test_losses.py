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


def test_hinge_and_wasserstein_losses_are_those_of_keras_and_of_the_papers():
    verdicts = np.array([[-1.5], [0.2], [0.7], [3.0]], "float32")
    for label in (0.0, 1.0):
        target, sign = np.full_like(verdicts, label), 2 * label - 1
        loss, accuracy = losses.adversarial_loss("hinge")
        np.testing.assert_allclose(loss(target, verdicts), np.maximum(0, 1 - sign * verdicts))
        np.testing.assert_allclose(np.mean(loss(target, verdicts)), keras.losses.Hinge()(target, verdicts), rtol=1e-6)
        assert float(accuracy(target, verdicts)) == (0.75 if label else 0.25)
        np.testing.assert_allclose(losses.wasserstein(target, verdicts), -sign * verdicts)


def test_only_the_target_of_originals_is_smoothed():
    verdicts, ones = np.array([[-1.0], [0.2]], "float32"), np.ones((2, 1), "float32")
    for name in ("mse", "bce"):
        plain, smooth = losses.adversarial_loss(name)[0], losses.OneSidedSmoothing(name, 0.1)
        np.testing.assert_allclose(smooth(ones, verdicts), plain(0.9 * ones, verdicts))
        np.testing.assert_allclose(smooth(0 * ones, verdicts), plain(0 * ones, verdicts))


@pytest.mark.parametrize("loss", [losses.OneSidedSmoothing("bce", 0.1), losses.RelativisticAverage("hinge")])
def test_compiled_losses_are_restored_from_a_file(loss):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss) and again.get_config() == loss.get_config()


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
    with pytest.raises(ValueError, match="adversarial loss must be one of mse, bce, hinge, wgan-gp, not 'wgan'"):
        losses.adversarial_loss("wgan")
