"""Moving averages of the generators' weights."""

import zipfile

import keras
import numpy as np
import pytest
from support.models import noise_for
from support.resuming import SHORT, At
from support.toy import Toy


def test_training_goes_on_after_samples_of_the_averages(tmp_path):
    """On JAX, `predict` gives the buffers of its variables away: those of the averages must stay."""
    gan = Toy(seed=3, output=tmp_path)
    gan.train(**SHORT | {"epochs": 2, "steps_per_epoch": 2, "sample_interval": 1, "ema": 0.5})
    assert len(list((tmp_path / "images").iterdir())) == 4
    assert all(np.isfinite(np.asarray(average)).all() for average in gan.averages.averages)


def test_averages_follow_the_weights_and_are_used_for_samples_and_saved_networks(tmp_path):
    gan = Toy(seed=3, output=tmp_path)
    expected = np.array(gan.generator.trainable_variables[0])
    moved = []

    def follow(model):
        count = len(moved)
        moved.append(1 - min(0.8**10, (1 + count) / (10 + count)))
        expected[...] += moved[-1] * (np.asarray(model.generator.trainable_variables[0]) - expected)

    looks = [At(iteration, follow) for iteration in (1, 11, 21)]
    gan.train(**SHORT | {"epochs": 8, "ema": 0.8, "sample_interval": 99}, callbacks=looks)
    assert len(moved) == 3
    np.testing.assert_allclose(gan.averages.averages[0], expected, rtol=1e-5, atol=1e-7)
    noise = noise_for(gan.generator)
    raw = gan.generator.predict(noise, verbose=0)
    with gan.averaged():
        averaged = gan.generator.predict(noise, verbose=0)
    assert np.abs(averaged - raw).max() > 1e-4
    np.testing.assert_array_equal(gan.generator.predict(noise, verbose=0), raw)
    saved = keras.saving.load_model(tmp_path / "models/generator.keras")
    np.testing.assert_array_equal(saved.predict(noise, verbose=0), averaged)
    assert comment(tmp_path / "models/generator.keras") == "keras_gan: iteration 24, weights averaged, ema 0.8"
    assert comment(tmp_path / "models/discriminator.keras") == "keras_gan: iteration 24, weights as trained"
    gan.start_averages(0.0)
    gan.save_networks()
    saved = keras.saving.load_model(tmp_path / "models/generator.keras")
    np.testing.assert_array_equal(saved.predict(noise, verbose=0), raw)
    assert comment(tmp_path / "models/generator.keras") == "keras_gan: iteration 24, weights as trained"


def comment(path):
    with zipfile.ZipFile(path) as archive:
        return archive.comment.decode()


def test_grids_show_the_averages(tmp_path, monkeypatch):
    gan = Toy(seed=3, output=tmp_path)
    seen = []
    variable = gan.generator.trainable_variables[0]
    sample = gan.sample_images
    monkeypatch.setattr(gan, "sample_images", lambda *place: seen.append(np.asarray(variable)) or sample(*place))
    gan.train(**SHORT | {"epochs": 1, "steps_per_epoch": 1, "ema": 0.5})
    np.testing.assert_array_equal(seen[0], gan.averages.averages[0])
    assert np.abs(seen[0] - np.asarray(variable)).max() > 0


@pytest.mark.parametrize("ema", [1, -0.1])
def test_an_invalid_ema_is_refused(ema):
    with pytest.raises(ValueError, match=f"ema must be at least 0 and below 1, not {ema}"):
        Toy().train(ema=ema)
