import numpy as np
import pytest
from PIL import Image, ImageDraw

from keras_gan.datasets.idx import read_idx_split
from keras_gan.images.drawn import DrawnDigit
from keras_gan.images.drawn_digits import DIGITS, draw_digit
from keras_gan.images.sources import open_picture


@pytest.fixture(scope="module")
def thousand():
    return np.stack([draw_digit(0, index) for index in range(1000)])


def nearest(pictures, examples):
    """For each picture, the index of the example with the highest cosine similarity."""
    unit = [
        x.reshape(len(x), -1) / np.linalg.norm(x.reshape(len(x), -1), axis=1, keepdims=True)
        for x in (pictures.astype(float), examples.astype(float))
    ]
    return (unit[0] @ unit[1].T).argmax(axis=1)


def test_digits_are_white_strokes_on_black(thousand):
    assert thousand.shape == (1000, 28, 28) and thousand.dtype == np.uint8
    assert (thousand.max(axis=(1, 2)) == 255).all()
    border = [thousand[:, 0], thousand[:, -1], thousand[:, :, 0], thousand[:, :, -1]]
    assert max(side.max() for side in border) == 0
    assert 0.1 < thousand.mean() / 255 < 0.15  # MNIST: 0.13
    assert 0.05 < ((thousand > 20) & (thousand < 235)).mean() < 0.13  # smooth edges; MNIST: 0.09


def test_seed_and_index_determine_the_digit(thousand):
    assert np.array_equal(draw_digit(0, 17), thousand[17])
    assert not np.array_equal(draw_digit(1, 17), thousand[17])
    assert len({picture.tobytes() for picture in thousand}) == 1000


def test_the_last_figure_of_the_index_is_the_digit(thousand):
    """For nine of ten digits, the nearest among 900 others is of the same class."""
    assert (nearest(thousand[:100], thousand[100:]) % 10 == np.arange(100) % 10).mean() > 0.9


def holes(picture):
    """The number of black areas except the background."""
    image = Image.fromarray(picture).point(lambda level: 255 * (level > 127))
    areas = -1
    while 0 in (pixels := np.asarray(image)):
        row, column = np.argwhere(pixels == 0)[0].tolist()
        ImageDraw.floodfill(image, (column, row), 255)
        areas += 1
    return areas


def test_digits_have_the_right_number_of_holes():
    counts = np.array([holes(draw_digit(0, index, 64)) for index in range(100)]).reshape(10, 10)
    assert np.median(counts, axis=0)[[0, 1, 2, 3, 5, 6, 7, 8, 9]].tolist() == [1, 0, 0, 0, 0, 1, 0, 2, 1]
    assert set(counts[:, 4]) == {0, 1}  # open and closed


def test_real_digits_look_like_drawn_ones(thousand, shared):
    images, labels = read_idx_split(shared("data/mnist"), "t10k")
    assert (nearest(images[:1000], thousand) % 10 == labels[:1000]).mean() > 0.6


def test_digits_are_written_in_several_ways(thousand):
    assert len(DIGITS) == 10 and all(len(variants) >= 2 for variants in DIGITS)
    white_pixels = [(thousand[digit::10] > 127).sum(axis=(1, 2)) for digit in range(10)]
    assert all(counts.max() > 1.7 * counts.min() for counts in white_pixels)


def test_another_size_shows_the_same_digit():
    for index in range(10):
        small, large = (draw_digit(0, index, size).astype(float) for size in (28, 84))
        shrunk = large.reshape(28, 3, 28, 3).mean(axis=(1, 3))
        assert np.abs(shrunk - small).mean() < 0.15 * small.mean()


@pytest.mark.parametrize("size", [28, 100])
def test_a_drawn_digit_opens_as_a_picture(size):
    digit = DrawnDigit(10_003)
    assert digit.label == 3 and str(digit) == "drawn digit 10003"
    gray, colour = (np.asarray(open_picture(digit, channels, size)) for channels in (1, 3))
    np.testing.assert_array_equal(gray, draw_digit(0, 10_003, size))
    np.testing.assert_array_equal(colour, np.repeat(gray[..., None], 3, axis=2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 0), "seed must be a whole number of at least 0, not -1"),
        ((0, -2), "index must be a whole number of at least 0, not -2"),
        ((0, 0, 7), "size must be a whole number of at least 8, not 7"),
    ],
)
def test_invalid_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_digit(*arguments)
