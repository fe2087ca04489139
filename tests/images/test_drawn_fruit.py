import numpy as np
import pytest

from keras_gan.images.drawn import DrawnFruit
from keras_gan.images.drawn_fruit import draw_fruit
from keras_gan.images.sources import open_picture


@pytest.fixture(scope="module")
def fifty():
    return np.stack([draw_fruit(0, index, 64) for index in range(50)])


def fruits(half):
    """Where fruit is, in pictures (n, height, width, 3): there blue is weak beside red."""
    return half[..., 0].astype(int) - half[..., 2] > 60


def test_a_pair_is_apples_beside_oranges(fifty):
    assert fifty.shape == (50, 64, 128, 3) and fifty.dtype == np.uint8
    apples, oranges = fifty[:, :, :64], fifty[:, :, 64:]
    green = [(half[..., 1] / half[..., 0].clip(1))[fruits(half)].mean() for half in (apples, oranges)]
    assert green[0] < 0.4 < 0.5 < green[1] < 0.75  # red, and orange


def test_both_halves_show_the_same_scene(fifty):
    """The cloth is the same but for stems, leaves and edges; apples lie where oranges lie."""
    apples, oranges = fifty[:, :, :64], fifty[:, :, 64:]
    here, there = fruits(apples), fruits(oranges)
    assert (here & there).sum() > 0.85 * (here | there).sum()
    cloth = ~(here | there)
    assert (np.abs(apples.astype(int) - oranges)[cloth].max(axis=-1) < 3).mean() > 0.93


def test_seed_and_index_determine_the_scene(fifty):
    assert np.array_equal(draw_fruit(0, 7, 64), fifty[7])
    assert not np.array_equal(draw_fruit(1, 7, 64), fifty[7])
    assert len({picture.tobytes() for picture in fifty}) == 50


def test_there_are_one_to_three_fruits_of_several_sizes(fifty):
    shares = fruits(fifty[:, :, 64:]).mean(axis=(1, 2))
    assert shares.min() > 0.1 and shares.max() < 0.5 and np.ptp(shares) > 0.15


def test_another_size_shows_the_same_scene():
    for index in range(5):
        small, large = (draw_fruit(0, index, size).astype(float) for size in (64, 128))
        assert np.abs(large.reshape(64, 2, 128, 2, 3).mean(axis=(1, 3)) - small).mean() < 4


def test_the_smallest_size_has_colours_too():
    assert fruits(draw_fruit(0, 0, 16)[None]).mean() > 0.1


def test_drawn_fruit_opens_as_a_picture():
    assert str(DrawnFruit(1003)) == "drawn fruit 1003"
    np.testing.assert_array_equal(np.asarray(open_picture(DrawnFruit(1003), 3, 32)), draw_fruit(0, 1003, 32))
    assert open_picture(DrawnFruit(1003), 1, 32).mode == "L"


@pytest.mark.parametrize(("arguments", "named"), [((-1, 0), "seed"), ((0, -2), "index"), ((0, 0, 8), "size")])
def test_invalid_arguments_are_refused(arguments, named):
    with pytest.raises(ValueError, match=f"{named} must be a whole number of at least"):
        draw_fruit(*arguments)
