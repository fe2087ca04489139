"""`UnpairedDataLoader`: which pictures of the two domains share a batch."""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from support.numbered import epoch_of, flipped, loaded, numbers, write_sides

from keras_gan.data.unpaired import UnpairedDataLoader


@pytest.mark.parametrize("counts", [(3, 8), (8, 3)])
def test_an_epoch_holds_the_longer_side_once_and_uses_the_shorter_one_equally(tmp_path, counts):
    loader = loaded(write_sides(tmp_path, *counts, 1, 1)).batches(3)
    assert len(loader) == loader.n_batches == 3
    assert [len(loader[i][side]) for i in range(3) for side in (0, 1)] == [3, 3, 3, 3, 2, 2]
    orders = set()
    for _ in range(8):
        epoch = epoch_of(loader)
        longer, shorter = (epoch[1], epoch[0]) if counts[0] < counts[1] else epoch
        assert sorted(longer) == list(range(8))
        assert sorted(shorter.count(number) for number in range(3)) == [2, 3, 3]
        assert sorted(shorter[:3]) == sorted(shorter[3:6]) == [0, 1, 2]
        orders |= {str(longer), str(shorter)}
    assert len(orders) > 10


def test_the_shorter_side_is_shuffled_again_when_it_starts_over(tmp_path):
    A, _ = epoch_of(loaded(write_sides(tmp_path, 5, 40, 1, 1)).batches(4))
    assert len({str(A[start : start + 5]) for start in range(0, 40, 5)}) > 4


def test_the_two_sides_are_shuffled_and_flipped_independently(tmp_path):
    loader = loaded(write_sides(tmp_path, 12, 12, 1, 1)).batches(12)
    same_place, same_flip = [], []
    for _ in range(10):
        A, B = loader[0]
        loader.on_epoch_end()
        same_place += [a == b for a, b in zip(numbers(A), numbers(B), strict=True)]
        same_flip += [a == b for a, b in zip(flipped(A), flipped(B), strict=True)]
    assert np.mean(same_place) < 0.25
    assert 0.3 < np.mean(same_flip) < 0.7


def test_the_same_seed_gives_the_same_batches_and_another_one_others(tmp_path):
    folder = write_sides(tmp_path, 5, 9, 3, 3)
    first, again, other = (
        [np.stack(batch) for batch in loaded(folder, seed=seed, augment=True).batches(4)] for seed in (3, 3, 4)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    one, two = (loaded(folder, seed=3, augment=True) for _ in range(2))
    for is_testing in (False, True):
        np.testing.assert_array_equal(one.load_data(3, is_testing), two.load_data(3, is_testing))


def test_any_thread_may_ask_for_any_batch_in_any_order(tmp_path):
    loader = loaded(write_sides(tmp_path, 5, 9, 1, 1), augment=True).batches(2)
    forward = [np.stack(loader[i]) for i in range(5)]
    with ThreadPoolExecutor(4) as pool:
        anyhow = list(pool.map(lambda i: np.stack(loader[i % 5]), reversed(range(50))))
    for i, batch in zip(reversed(range(50)), anyhow, strict=True):
        np.testing.assert_array_equal(batch, forward[i % 5])


def test_shorter_epochs_continue_where_the_last_one_stopped(tmp_path):
    folder = write_sides(tmp_path, 3, 8, 1, 1)
    whole, short = loaded(folder).batches(2), loaded(folder).batches(2, steps_per_epoch=3)
    assert (len(whole), len(short)) == (4, 3)
    expected = [epoch_of(whole) for _ in range(3)]
    seen = [epoch_of(short) for _ in range(4)]
    for side in (0, 1):
        assert sum((epoch[side] for epoch in seen), []) == sum((epoch[side] for epoch in expected), [])


def test_load_batch_yields_what_fit_sees(tmp_path):
    folder = write_sides(tmp_path, 3, 8, 1, 1)
    fit, post = loaded(folder).batches(3), loaded(folder)
    for _ in range(2):
        expected = [fit[i] for i in range(len(fit))]
        fit.on_epoch_end()
        for batch, wanted in zip(post.load_batch(3), expected, strict=True):
            np.testing.assert_array_equal(batch, wanted)


def test_fit_accepts_the_loader(tmp_path):
    class Count(keras.Model):
        def __init__(self):
            super().__init__()
            self.sizes = []

        def train_step(self, data):
            A, B = data
            assert A.shape[1:] == (16, 24, 3) and B.shape[1:] == (32, 32, 1)
            self.sizes.append(len(A))
            return {"loss": 0.0}

    model = Count()
    model.compile(run_eagerly=True)
    loader = UnpairedDataLoader(
        write_sides(tmp_path, 3, 5, 1, 1), shape_A=(16, 24, 3), shape_B=(32, 32, 1), batch_size=2
    )
    model.fit(loader, epochs=2, verbose=0, shuffle=False)
    assert model.sizes == [2, 2, 1] * 2


# Arguments.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape_A": (32, 32)}, r"shape_A must be \(height, width, channels\), not \(32, 32\)"),
        ({"shape_B": (32, 32, 2)}, "drawn_shoes has pictures of 1 or 3 channels, not 2"),
        ({"shape_B": (32, 32, 0)}, "channels of shape_B must be a whole number of at least 1, not 0"),
        ({"fit": "squeeze"}, "fit must be one of resize, crop, pad, random-crop, not 'squeeze'"),
        ({"direction": "BtoC"}, "direction must be one of AtoB, BtoA, not 'BtoC'"),
        ({"shape_B": (0, 32, 3)}, "height of shape_B must be a whole number of at least 1, not 0"),
        ({"shape_A": (32, 1.5, 3)}, "width of shape_A must be a whole number of at least 1, not 1.5"),
        ({"value_range": (0, 255)}, r"value_range must be \(-1, 1\) or \(0, 1\), not \(0, 255\)"),
        ({"batch_size": 0}, "batch_size must be .* not 0"),
        ({"steps_per_epoch": 0}, "steps_per_epoch must be .* not 0"),
        ({"workers": 0}, "workers must be .* not 0"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        loaded("drawn_shoes", **options)


@pytest.mark.parametrize("method", ["batches", "load_data", "load_batch"])
def test_empty_batches_are_refused(tmp_path, method):
    with pytest.raises(ValueError, match="batch_size must be .* not 0"):
        list(getattr(loaded(write_sides(tmp_path, 1, 1, 1, 1)), method)(0))
