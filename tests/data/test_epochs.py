"""Epochs go on counting from one training to the next, and what the arguments of loaders may be."""

import numpy as np
import pytest
from support.labelled import write_classes
from support.numbered import epoch_of, loaded, numbers, write_sides

from keras_gan.data.options import checked_range, checked_shape
from keras_gan.data.paired import DataLoader
from keras_gan.data.single import ImageLoader
from keras_gan.data.unpaired import UnpairedDataLoader
from keras_gan.errors import BadValueError, check_at_least


def shoes():
    """A loader of single pictures; of a few, since drawing takes time."""
    loader = ImageLoader("drawn_shoes", shape=(8, 8, 3), seed=3)
    del loader.train[10:]
    return loader


KINDS = {
    "pairs": lambda folder: DataLoader(folder, (8, 8), seed=3),
    "sides": lambda folder: UnpairedDataLoader(folder, shape_A=(8, 8, 3), shape_B=(8, 8, 3), seed=3),
    "single": lambda folder: shoes(),
}


def epochs(batches, count):
    """All batches of so many epochs, as `fit()` asks for them."""
    found = []
    for _ in range(count):
        found += [np.asarray(batches[i]) for i in range(len(batches))]
        batches.on_epoch_end()
    return found


def alike(some, others):
    return len(some) == len(others) and all(map(np.array_equal, some, others))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [None, 2])
def test_a_second_training_goes_on_where_the_first_ended(paired_folder, kind, steps):
    make = KINDS[kind]
    loader = make(paired_folder)
    first, second = (epochs(loader.batches(2, steps), count) for count in (2, 1))
    assert alike(first + second, epochs(make(paired_folder).batches(2, steps), 3))
    assert not alike(first[: len(second)], second)
    assert loader.batches(2, steps).epoch == 3


def test_another_batch_size_or_length_repeats_nothing(tmp_path):
    folder = write_sides(tmp_path, 12, 12, 1, 1)
    loader = loaded(folder)
    short = loader.batches(2, 4)
    seen = [numbers(batch[0]) for batch in (short[i] for i in range(4))]
    short.on_epoch_end()
    assert loader.batches(2, 4).epoch == 1  # the rest of the pass
    whole = loader.batches(3)
    assert (whole.epoch, len(whole)) == (1, 4)
    assert sorted(epoch_of(whole)[0]) == list(range(12)) and len(sum(seen, [])) == 8
    assert loader.batches(2, 4).epoch == 3  # 3 x 4 batches of two are two passes


def test_epochs_of_load_batch_count(tmp_path):
    loader = loaded(write_sides(tmp_path, 6, 6, 1, 1))
    before = sum((numbers(A) for A, _ in loader.load_batch(2)), [])
    batches = loader.batches(2)
    assert batches.epoch == 1 and before != epoch_of(batches)[0]


def test_a_resumed_run_sets_the_place_and_counts_on(tmp_path):
    folder = write_sides(tmp_path, 6, 6, 1, 1)
    whole = loaded(folder).batches(2)
    expected = [epoch_of(whole) for _ in range(6)]
    loader = loaded(folder)
    batches = loader.batches(2)
    batches.epoch, batches.played = 4, 1
    assert len(batches) == 2 and [numbers(batches[i][0]) for i in range(2)] == [
        expected[4][0][2:4],
        expected[4][0][4:6],
    ]
    batches.on_epoch_end()
    again = loader.batches(2)
    assert (again.epoch, again.played) == (5, 0) and epoch_of(again) == expected[5]


# Arguments:


@pytest.mark.parametrize(
    "shape", [(64, 64), 64, (64,), (64, 64, 3, 1), "64x64", None, (0, 4, 3), (4, 4.0, 3), (True, 4, 3)]
)
def test_bad_shapes_are_named(shape):
    for make in (
        lambda: checked_shape("shape", shape),
        lambda: ImageLoader("drawn_digits", shape=shape),
        lambda: UnpairedDataLoader("drawn_shoes", shape_B=shape),
    ):
        with pytest.raises(BadValueError, match="shape.* must be "):
            make()


@pytest.mark.parametrize("size", [64, (64,), (64, 64, 3), None, "64", (0, 4), (4, False)])
def test_bad_sizes_of_pairs_are_named(size):
    with pytest.raises(BadValueError, match=r"img_res must be "):
        DataLoader("drawn_shoes", size)


def test_numbers_of_numpy_are_numbers():
    assert checked_shape("shape", np.array([8, 9, 3])) == (8, 9, 3)
    assert all(type(length) is int for length in checked_shape("shape", tuple(np.array([8, 9, 3]))))
    loader = DataLoader("drawn_shoes", (np.int64(8), 8), np.int32(1), batch_size=np.int64(2), seed=np.uint8(1))
    assert loader.batches(np.int64(2), np.int16(3))[0][0].shape == (2, 8, 8, 1)
    assert type(loader.seed) is type(loader.batch_size) is type(loader.channels) is int
    check_at_least(1, n=np.int64(1))


@pytest.mark.parametrize("value", [True, False, np.True_, 1.0, "1", None, np.float32(2)])
def test_what_is_no_whole_number(value, tmp_path):
    with pytest.raises(BadValueError, match="n must be a whole number of at least 0, not "):
        check_at_least(0, n=value)
    folder = write_classes(tmp_path, cat=2, dog=2)
    for name in ("batch_size", "workers", *(["seed", "steps_per_epoch"] if value is not None else [])):
        with pytest.raises(BadValueError, match=f"{name} must be a whole number of at least "):
            ImageLoader(folder, **{name: value})


@pytest.mark.parametrize("value_range", [None, 1, "01", (0, 2), np.array([0, 1])])
def test_bad_value_ranges(value_range):
    with pytest.raises(BadValueError, match="value_range must be"):
        checked_range(value_range)
