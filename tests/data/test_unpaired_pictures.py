"""`UnpairedDataLoader`: how a picture file becomes pixels of a batch."""

import numpy as np
import pytest
from PIL import Image
from support.numbered import ENLARGED, SIZE, SPLITS, epoch_of, flipped, levels, loaded, numbers, picture, write_sides

from keras_gan.data.unpaired import UnpairedDataLoader


def test_augmented_pictures_are_enlarged_and_cropped_everywhere_within(tmp_path):
    loader = loaded(
        write_sides(tmp_path, 9, 9, 1, 1, height=ENLARGED, width=ENLARGED), augment=True, flip=False
    ).batches(9)
    corners = ([], [])
    for _ in range(12):
        for side, imgs in enumerate(loader[0]):
            assert imgs.shape == (9, SIZE, SIZE, 3)
            for pixels in levels(imgs):
                left, top, number = pixels[0, 0]
                corners[side].append((left, top))
                expected = np.asarray(picture(number, ENLARGED, ENLARGED))[top : top + SIZE, left : left + SIZE]
                np.testing.assert_array_equal(pixels, expected // 5)
        loader.on_epoch_end()
    for places in corners:
        assert {left for left, _ in places} == {top for _, top in places} == set(range(5))
        assert len(set(places)) > 20
    assert corners[0] != corners[1]


def test_each_side_is_cropped_to_its_own_size(tmp_path):
    options = {"shape_A": (32, 64, 3), "shape_B": (16, 8, 1), "augment": True}
    for A, B in (
        loaded(write_sides(tmp_path, 3, 3, 1, 1), **options).load_data(2),
        loaded(write_sides(tmp_path, 3, 3, 1, 1), **options)[0],
    ):
        assert A.shape[1:] == (32, 64, 3) and B.shape[1:] == (16, 8, 1)
        assert A.dtype == B.dtype == np.float32


def test_without_augmentation_pictures_are_only_flipped_half_of_the_time(tmp_path):
    loader = loaded(write_sides(tmp_path, 20, 20, 1, 1)).batches(20)
    flips = []
    for _ in range(5):
        for imgs in loader[0]:
            flips += flipped(imgs)
            for pixels, flip in zip(levels(imgs), flipped(imgs), strict=True):
                expected = np.asarray(picture(pixels[0, 0, 2])) // 5
                np.testing.assert_array_equal(pixels, expected[:, ::-1] if flip else expected)
        loader.on_epoch_end()
    assert 0.4 < np.mean(flips) < 0.6


def test_a_picture_is_flipped_and_cropped_differently_in_every_epoch(tmp_path):
    loader = loaded(write_sides(tmp_path, 1, 1, 1, 1), augment=True)
    seen = set()
    for _ in range(30):
        seen.add(loader[0][0].tobytes())
        loader.on_epoch_end()
    assert len(seen) > 15


@pytest.mark.parametrize("load", ["fit", "load_data"])
def test_no_flip_and_no_augmentation_leave_pictures_alone(tmp_path, load):
    loader = loaded(write_sides(tmp_path, 9, 9, 1, 1), flip=False).batches(9)
    for imgs in loader[0] if load == "fit" else loader.load_data(9):
        for pixels in levels(imgs):
            np.testing.assert_array_equal(pixels, np.asarray(picture(pixels[0, 0, 2])) // 5)


def test_load_data_flips_and_crops_in_training_too(tmp_path):
    loader = loaded(write_sides(tmp_path, 9, 9, 1, 1, height=ENLARGED, width=ENLARGED), augment=True)
    A, B = (np.concatenate(imgs) for imgs in zip(*(loader.load_data(9) for _ in range(9)), strict=True))
    for imgs in (A, B):
        assert 0.3 < np.mean(flipped(imgs)) < 0.7
        assert {top for top in levels(imgs)[:, 0, 0, 1]} == set(range(5))
    assert flipped(A) != flipped(B)
    assert sorted(numbers(A)[:9]) == sorted(numbers(B)[:9]) == list(range(9))
    assert numbers(A) != numbers(B)
    assert len(loader.load_data(50)[0]) == 50


def test_testing_changes_nothing_and_ends_with_the_shorter_side(tmp_path):
    loader = loaded(write_sides(tmp_path, 2, 2, 5, 3), augment=True)
    batches = list(loader.load_batch(2, is_testing=True))
    assert [(numbers(A), numbers(B)) for A, B in batches] == [([0, 1], [0, 1]), ([2], [2])]
    for imgs in (*sum(batches, ()), *loader.load_data(3, is_testing=True)):
        for pixels in levels(imgs):
            np.testing.assert_array_equal(pixels, np.asarray(picture(pixels[0, 0, 2])) // 5)
    assert loader.epoch == 0


@pytest.mark.parametrize("low", [-1, 0])
def test_value_ranges(tmp_path, low):
    for split in SPLITS:
        (tmp_path / split).mkdir()
        image = Image.new("RGB", (4, 4), "white")
        image.paste("black", (0, 0, 4, 2))
        image.save(tmp_path / split / "0.png")
    loader = UnpairedDataLoader(tmp_path, shape_A=(4, 4, 3), shape_B=(4, 4, 3), value_range=(low, 1))
    assert loader.value_range == (low, 1)
    path = tmp_path / "trainA" / "0.png"
    for imgs in (*loader[0], *loader.load_data(), *next(loader.load_batch(is_testing=True)), loader.load_img(path)):
        assert imgs.dtype == np.float32
        assert (imgs[:, :2] == low).all() and (imgs[:, 2:] == 1).all()
    assert loader.imread(path).max() == 255


def test_gray_pictures_become_colour_and_colour_pictures_gray(tmp_path):
    for split in SPLITS:
        (tmp_path / split).mkdir()
        image = Image.new("L", (4, 4), 100) if split.endswith("A") else Image.new("RGB", (4, 4), (200, 100, 50))
        image.save(tmp_path / split / "0.png")
    A, B = UnpairedDataLoader(tmp_path, shape_A=(4, 4, 3), shape_B=(4, 4, 1))[0]
    np.testing.assert_allclose(A, np.full((1, 4, 4, 3), 100 / 127.5 - 1), atol=1e-6)
    np.testing.assert_allclose(B, np.full((1, 4, 4, 1), (0.299 * 200 + 58.7 + 5.7) / 127.5 - 1), atol=0.5 / 127.5)


def test_load_img_and_imread(tmp_path):
    loader = loaded(write_sides(tmp_path, 1, 1, 1, 1, height=20, width=30), shape_A=(8, 12, 1), shape_B=(40, 50, 3))
    path = loader.train_A[0]
    assert loader.load_img(path).shape == (1, 8, 12, 1)
    assert loader.load_img(str(path), domain="B").shape == (1, 40, 50, 3)
    np.testing.assert_array_equal(loader.imread(path), np.asarray(picture(0, 20, 30)))
    with pytest.raises(ValueError, match='domain must be "A" or "B", not \'C\''):
        loader.load_img(path, domain="C")


# Broken pictures.


def test_small_pictures_are_enlarged_and_one_pixel_high_ones_skipped(tmp_path, capsys):
    folder = write_sides(tmp_path, 3, 3, 1, 1, height=2, width=2)
    picture(0, height=1, width=9).save(folder / "trainB" / "thin.png")
    loader = loaded(folder, augment=True).batches(3)
    assert loader[0][0].shape == (3, SIZE, SIZE, 3) and len(loader.train_B) == 3
    assert "thin.png: it is only 9 x 1 pixels (1 skipped so far)" in capsys.readouterr().err


def test_broken_pictures_of_every_split_are_named_counted_and_skipped(tmp_path, capsys):
    folder = write_sides(tmp_path, 3, 4, 3, 4)
    for split in SPLITS:
        (folder / split / "00.png").write_bytes(b"no picture")
    loader = loaded(folder).batches(2)
    complaints = capsys.readouterr().err
    for count, split in enumerate(SPLITS, 1):
        assert f"{folder / split / '00.png'}: it is no picture ({count} skipped so far)" in complaints
    assert [len(s) for s in (loader.train_A, loader.train_B, loader.test_A, loader.test_B)] == [2, 3, 2, 3]
    assert set(epoch_of(loader)[0]) == {1, 2} and loader.n_batches == 2


@pytest.mark.parametrize("split", SPLITS)
def test_more_than_half_broken_is_an_error_before_training(tmp_path, split):
    folder = write_sides(tmp_path, 3, 3, 3, 3)
    for number in (0, 2):
        (folder / split / f"0{number}.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=rf"2 of 3 pictures cannot be used, the first of them .*{split}.00\.png: "):
        loaded(folder).batches(1)


def test_a_picture_that_breaks_later_is_replaced_by_the_next(tmp_path, capsys):
    loader = loaded(write_sides(tmp_path, 3, 3, 1, 1)).batches(3)
    loader.train_A[1].write_bytes(b"gone")
    assert sorted(epoch_of(loader)[0]) == [0, 2, 2] and sorted(epoch_of(loader)[1]) == [0, 1, 2]
    write_sides(tmp_path, 3, 3, 1, 1)  # repaired, but a skipped picture stays skipped
    assert sorted(epoch_of(loader)[0]) == [0, 2, 2]
    assert capsys.readouterr().err.count("01.png") == 1


# Real pictures.


@pytest.mark.parametrize(
    ("name", "counts"), [("horse2zebra", (300, 300, 120, 140)), ("apple2banana", (75, 73, 19, 18))]
)
def test_real_unpaired_pictures_load(shared, name, counts):
    loader = loaded(shared(f"data/{name}"), augment=True)
    loader.check()
    assert tuple(map(len, (loader.train_A, loader.train_B, loader.test_A, loader.test_B))) == counts
    assert not loader.skipped
    A, B = loader.load_data(4)
    assert A.shape == B.shape == (4, SIZE, SIZE, 3) and A.std() > 0.1 < B.std()


def test_real_classes_and_the_colouring_job_load(shared):
    folder = shared("data/cifar10")
    loader = loaded(folder / "train" / "cat", folder / "train" / "dog").batches(4)
    assert (loader.dataset_name, len(loader.train_A), len(loader.test_B)) == ("cat2dog", 450, 50)
    assert loader[0][0].shape == (4, SIZE, SIZE, 3)
    loader = loaded(f"gray2colour:{folder}", shape_A=(32, 32, 1))
    assert (len(loader.train_A), len(loader.train_B), len(loader.test_A), len(loader.test_B)) == (
        5000,
        5000,
        1000,
        1000,
    )
    A, B = next(loader.load_batch(8, is_testing=True))
    np.testing.assert_allclose(A[..., 0], B @ np.array([0.299, 0.587, 0.114], "float32"), atol=1 / 127.5)
