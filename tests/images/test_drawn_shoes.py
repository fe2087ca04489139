import numpy as np
import pytest

from keras_gan.images.drawn_shoes import draw, draw_pair, shoe


@pytest.fixture(scope="module")
def fifty():
    return np.stack([draw_pair(0, index, 64) for index in range(50)])


def test_a_pair_is_a_line_drawing_beside_a_coloured_shoe(fifty):
    assert fifty.shape == (50, 64, 128, 3) and fifty.dtype == np.uint8
    drawing, shoe = fifty[:, :, :64].astype(int), fifty[:, :, 64:].astype(int)
    assert (np.ptp(drawing, axis=-1) == 0).all()  # gray
    assert (drawing.min(axis=(1, 2, 3)) < 100).all()
    assert (np.ptp(shoe, axis=-1) > 40).any(axis=(1, 2)).mean() > 0.5  # many are colourful


def test_seed_and_index_determine_the_shoe(fifty):
    assert np.array_equal(draw_pair(0, 7, 64), fifty[7])
    assert not np.array_equal(draw_pair(1, 7, 64), fifty[7])
    assert len({picture.tobytes() for picture in fifty}) == 50


def test_another_size_shows_the_same_shoe():
    """Compares the coloured halves only: lines are one pixel wide at every size."""
    small, large = (draw_pair(0, 3, size)[:, size:].astype(float) for size in (64, 128))
    shrunk = large.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - small).mean() < 0.1 * np.abs(255 - small).mean()


def test_colour_stays_inside_the_outline(fifty):
    """Columns and rows that are white in the drawing are white in the shoe."""
    for picture in fifty:
        drawing, shoe = picture[:, :64].min(axis=-1) < 250, picture[:, 64:].min(axis=-1) < 250
        for axis in (0, 1):
            assert not (shoe.any(axis=axis) & ~drawing.any(axis=axis)).any()


def test_nothing_touches_the_border(fifty):
    halves = np.concatenate([fifty[:, :, :64], fifty[:, :, 64:]])
    border = [halves[:, 0], halves[:, -1], halves[:, :, 0], halves[:, :, -1]]
    assert min(side.min() for side in border) == 255


def test_shoes_are_of_several_kinds_and_all_have_different_shapes(fifty):
    silhouettes = fifty[:, :, 64:].min(axis=-1) < 250
    height, width = (silhouettes.any(axis=axis).sum(axis=-1) for axis in (2, 1))
    low, high = np.percentile(height / width, (10, 90))
    assert high > 1.5 * low  # flats and boots
    for number, one in enumerate(silhouettes):
        for other in silhouettes[:number]:
            assert (one & other).sum() < 0.99 * (one | other).sum()


def test_the_same_shoe_comes_in_several_materials():
    """Neighbouring pixels differ more in rough or glossy materials than in others, by more than noise."""
    parts, colours = shoe(np.random.default_rng(0))
    shoes = np.stack([draw(parts, colours, np.random.default_rng(number), 64)[:, 64:] for number in range(20)])
    inside = (shoes.max(axis=-1) < 250).all(axis=0)
    steps = np.abs(np.diff(shoes.astype(float).mean(axis=-1), axis=2))[:, inside[:, 1:]].mean(axis=1)
    assert np.ptp(steps) > 1


@pytest.mark.parametrize(("arguments", "named"), [((-1, 0), "seed"), ((0, -2), "index"), ((0, 0, 8), "size")])
def test_invalid_arguments_are_refused(arguments, named):
    value = arguments[-1] if named != "seed" else -1
    with pytest.raises(ValueError, match=f"{named} must be a whole number of at least .*, not {value}"):
        draw_pair(*arguments)
