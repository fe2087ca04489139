"""How the bundled generator is made."""

import numpy as np
import pytest

from keras_gan.demo.train import SIZE, by_hand, compact, train


def hand(number, size=SIZE):
    return by_hand(np.random.default_rng([4, number]), size)


@pytest.fixture(scope="module")
def hands():
    """Thirty drawings with their shoes."""
    return [hand(number) for number in range(30)]


def test_drawings_are_reproducible(hands):
    for number in range(15):
        for image, again in zip(hands[number], hand(number), strict=True):
            assert np.array_equal(image, again)


def test_strokes_have_the_colour_of_the_shoe_below(hands):
    coloured_ones = 0
    for drawing, picture in hands:
        assert drawing.size == picture.size == (SIZE, SIZE) and drawing.mode == "RGB"
        pixels, shoe = np.asarray(drawing, int), np.asarray(picture, int)
        coloured = np.ptp(pixels, axis=2) > 60
        if coloured.sum() > 30:
            coloured_ones += 1
            assert np.median(np.abs(pixels - shoe)[coloured]) < 60
    assert coloured_ones >= 5


def test_blank_drawings_stay_blank():
    pairs = [hand(number, size=32) for number in range(100)]
    empty = [pair for pair in pairs if np.asarray(pair[0]).min() == 255]
    assert 1 <= len(empty) <= 12
    assert all(np.asarray(picture).min() == 255 for _, picture in empty)


def test_a_compact_file_opens_as_the_same_network(tmp_path):
    import keras

    from keras_gan.layers import UpsampleConv2D

    network = keras.Sequential([keras.Input((8, 8, 3)), UpsampleConv2D(64, 3), UpsampleConv2D(3, 3)])
    network.save(tmp_path / "large.keras")
    compact(tmp_path / "large.keras", tmp_path / "small.keras")
    images = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 3)).astype("float32")
    small = keras.saving.load_model(tmp_path / "small.keras")
    np.testing.assert_allclose(small.predict(images, verbose=0), network.predict(images, verbose=0), atol=2e-3)
    assert (tmp_path / "small.keras").stat().st_size < 0.9 * (tmp_path / "large.keras").stat().st_size
    assert sorted(path.name for path in tmp_path.iterdir()) == ["large.keras", "small.keras"]


@pytest.mark.slow
def test_the_script_makes_a_generator(tmp_path):
    from keras_gan import generators

    train(tmp_path / "out", pairs=12, epochs=1, filters=4)
    assert generators.find(tmp_path / "out" / "shoes.keras").shape == (SIZE, SIZE, 3)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["run", "shoes.keras"]
