"""How training pictures are turned at random."""

import numpy as np
import pytest
from support.numbered import SIZE, levels, loaded, picture, write, write_sides

from keras_gan.data.options import checked_flip
from keras_gan.data.order import shuffled
from keras_gan.data.paired import DataLoader
from keras_gan.data.single import ImageLoader
from keras_gan.errors import BadValueError

#: The ways a picture may lie, as what its rows and columns encode.
LYING = {
    "as it is": lambda pixels: pixels,
    "mirrored": lambda pixels: pixels[:, ::-1],
    "upside down": lambda pixels: pixels[::-1],
    "turned by 180": lambda pixels: pixels[::-1, ::-1],
    "turned by 90": lambda pixels: np.rot90(pixels),
    "turned by 270": lambda pixels: np.rot90(pixels, 3),
    "transposed": lambda pixels: np.swapaxes(pixels, 0, 1),
    "about the other diagonal": lambda pixels: np.rot90(np.swapaxes(pixels, 0, 1), 2),
}
WAYS = {"none": 1, "horizontal": 2, "both": 4, "rotate": 8}  # the first of these that occur


def lying(pixels):
    """The way that a picture lies."""
    number = int(pixels[..., 2].max())
    original = levels(2 * np.asarray(picture(number), "float32")[np.newaxis] / 255 - 1)[0]
    return next(name for name, turned in LYING.items() if np.array_equal(turned(original), pixels))


@pytest.mark.parametrize("flip", WAYS)
def test_pictures_lie_in_each_way_equally_often(tmp_path, flip):
    loader = ImageLoader(write(tmp_path / "some", 40), shape=(SIZE, SIZE, 3), flip=flip, seed=0).batches(36)
    seen = []
    for _ in range(6):
        seen += [lying(pixels) for pixels in levels(loader[0][0])]
        loader.on_epoch_end()
    assert set(seen) == set(list(LYING)[: WAYS[flip]])
    assert all(abs(seen.count(name) / len(seen) - 1 / WAYS[flip]) < 0.1 for name in set(seen))
    assert {lying(pixels) for pixels in levels(loader.load_data(4, is_testing=True))} == {"as it is"}


def test_both_halves_are_turned_alike_and_both_sides_independently(tmp_path):
    A, B = (str(write(tmp_path / side, 20)) for side in "AB")
    halves = DataLoader(A, dataset_B=B, img_res=(SIZE, SIZE), flip="rotate", seed=0).load_data(18)
    np.testing.assert_array_equal(*halves)
    assert len({lying(pixels) for pixels in levels(halves[0])}) > 4
    sides = loaded(write_sides(tmp_path, 18, 18, 1, 1), flip="rotate").load_data(18)
    ways = [[lying(pixels) for pixels in levels(side)] for side in sides]
    assert ways[0] != ways[1] and all(len(set(of_side)) > 4 for of_side in ways)


def test_order_flips_and_crops_of_a_seed_are_those_of_earlier_versions():
    rng = np.random.default_rng([3, 7, 1])
    before = rng.permutation(9), rng.random(9) < 0.5, rng.random((9, 2))
    for now, then in zip(shuffled(3, (1,), 7, 9), before, strict=False):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize(("before", "now"), [(True, "horizontal"), (False, "none"), (np.True_, "horizontal")])
def test_whether_to_flip_is_how_to(before, now):
    assert checked_flip(before, (8, 16)) == now


@pytest.mark.parametrize("wrong", ["sideways", "", 1, 0.0, None, ["both"], "True"])
def test_other_flips_are_refused(wrong):
    with pytest.raises(BadValueError, match="flip must be one of none, horizontal, both, rotate, not "):
        checked_flip(wrong, (8, 8))


def test_what_is_not_square_cannot_be_turned_by_90_degrees():
    with pytest.raises(BadValueError, match="flip 'rotate' turns by 90 degrees: it needs square pictures, not 8x16"):
        checked_flip("rotate", (8, 16))
    assert checked_flip("both", (8, 16)) == "both"
