"""`ImageLoader`: batches of single pictures, each with its own label."""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from PIL import Image
from support.numbered import SIZE, flipped, levels, numbers, picture, write

from keras_gan.data.single import ImageLoader

CLASSES = {"cat": range(5), "dog": range(5, 9), "emu": range(9, 13)}


@pytest.fixture
def zoo(tmp_path):
    """Class folders in train and test. The number of a picture determines its class."""
    for split in ("train", "test"):
        for name, inside in CLASSES.items():
            folder = tmp_path / "zoo" / split / name
            folder.mkdir(parents=True)
            for number in inside:
                picture(number).save(folder / f"{number:02}.png")
    return tmp_path / "zoo"


def loaded(folder, **options):
    return ImageLoader(folder, **{"shape": (SIZE, SIZE, 3), "seed": 0, "labelled": True} | options)


def class_of(number):
    return next(label for label, inside in enumerate(CLASSES.values()) if number in inside)


def check_labels(imgs, labels):
    assert labels.dtype == np.int32 and labels.shape == (len(imgs),)
    assert labels.tolist() == [class_of(number) for number in numbers(imgs)]


def epoch_of(loader):
    """The numbers of all pictures of one epoch, read like `fit` does."""
    batches = [loader[i] for i in range(len(loader))]
    loader.on_epoch_end()
    for imgs, labels in batches:
        check_labels(imgs, labels)
    return sum((numbers(imgs) for imgs, _ in batches), [])


def test_an_epoch_holds_every_picture_with_its_label_once_in_another_order_each_time(zoo):
    loader = loaded(zoo).batches(5)
    assert (loader.dataset_name, loader.classes, loader.n_classes) == ("zoo", list(CLASSES), 3)
    assert len(loader) == loader.n_batches == 3
    assert [len(loader[i][0]) for i in range(3)] == [len(loader[i][1]) for i in range(3)] == [5, 5, 3]
    epochs = [epoch_of(loader) for _ in range(6)]
    assert all(sorted(epoch) == list(range(13)) for epoch in epochs)
    assert len({str(epoch) for epoch in epochs}) == 6


def test_without_labels_batches_are_pictures_alone(zoo):
    loader = loaded(zoo, labelled=False).batches(5)
    (imgs,) = loader[0]
    np.testing.assert_array_equal(imgs, loaded(zoo).batches(5)[0][0])
    for imgs in (loader.load_data(4), loader.load_data(4, True), *loader.load_batch(5), *loader.load_batch(5, True)):
        assert isinstance(imgs, np.ndarray) and imgs.shape[1:] == (SIZE, SIZE, 3) and imgs.dtype == np.float32


@pytest.mark.parametrize("is_testing", [False, True])
def test_load_data_gives_pictures_with_their_labels(zoo, is_testing):
    one, two = loaded(zoo), loaded(zoo)
    seen = set()
    for _ in range(4):
        (imgs, labels), again = one.load_data(6, is_testing), two.load_data(6, is_testing)
        check_labels(imgs, labels)
        assert len(set(numbers(imgs))) == 6
        np.testing.assert_array_equal(imgs, again[0])
        seen |= set(numbers(imgs))
    assert len(seen) > 8
    assert len(one.load_data(50)[1]) == 50


def test_load_batch_yields_what_fit_sees_and_tests_in_order(zoo):
    fit, post = loaded(zoo, flip=True).batches(5), loaded(zoo, flip=True)
    for _ in range(2):
        expected = [fit[i] for i in range(len(fit))]
        fit.on_epoch_end()
        for (imgs, labels), wanted in zip(post.load_batch(5), expected, strict=True):
            np.testing.assert_array_equal(imgs, wanted[0])
            np.testing.assert_array_equal(labels, wanted[1])
    batches = list(post.load_batch(5, is_testing=True))
    assert [numbers(imgs) for imgs, _ in batches] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 12]]
    assert [labels.tolist() for _, labels in batches] == [[0] * 5, [1] * 4 + [2], [2] * 3]


def test_the_seed_gives_order_and_flips(zoo):
    first, again, other = (loaded(zoo, flip=True, seed=seed).batches(13)[0] for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_any_thread_may_ask_for_any_batch_in_any_order(zoo):
    loader = loaded(zoo, flip=True).batches(4)
    forward = [loader[i] for i in range(4)]
    with ThreadPoolExecutor(4) as pool:
        anyhow = list(pool.map(lambda i: loader[i % 4], reversed(range(40))))
    for i, batch in zip(reversed(range(40)), anyhow, strict=True):
        for a, b in zip(batch, forward[i % 4], strict=True):
            np.testing.assert_array_equal(a, b)


def test_shorter_epochs_continue_where_the_last_one_stopped(zoo):
    loader = loaded(zoo).batches(5, steps_per_epoch=1)
    assert len(loader) == 1
    seen = sum((epoch_of(loader) for _ in range(3)), [])
    assert sorted(seen) == list(range(13))


@pytest.mark.parametrize("flip", [False, True])
def test_flip_mirrors_half_of_the_training_pictures(zoo, flip):
    loader = loaded(zoo, flip=flip).batches(13)
    flips = []
    for _ in range(8):
        imgs, _ = loader[0]
        loader.on_epoch_end()
        flips += flipped(imgs)
        for pixels, mirrored in zip(levels(imgs), flipped(imgs), strict=True):
            expected = np.asarray(picture(pixels[0, 0, 2])) // 5
            np.testing.assert_array_equal(pixels, expected[:, ::-1] if mirrored else expected)
    assert 0.35 < np.mean(flips) < 0.65 if flip else not any(flips)
    assert not any(flipped(loader.load_data(13, is_testing=True)[0]))


def test_fit_accepts_the_loader(zoo):
    class Count(keras.Model):
        def __init__(self):
            super().__init__()
            self.seen = []

        def train_step(self, data):
            self.seen.append([tuple(part.shape) for part in data])
            return {"loss": 0.0}

    for labelled in (False, True):
        model = Count()
        model.compile(run_eagerly=True)
        model.fit(loaded(zoo, labelled=labelled, batch_size=8), epochs=2, verbose=0, shuffle=False)
        expected = [[(n, SIZE, SIZE, 3), (n,)][: 1 + labelled] for n in (8, 5)]
        assert model.seen == expected * 2


# Pixels.


@pytest.mark.parametrize("low", [-1, 0])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_and_ranges(tmp_path, low, channels):
    for number in range(2):
        image = Image.new("RGB", (4, 8), "white")
        image.paste("black", (0, 0, 4, 4))
        image.save(tmp_path / f"{number}.png")
    loader = ImageLoader(tmp_path, shape=(8, 12, channels), value_range=(low, 1))
    assert loader.value_range == (low, 1)
    for imgs in (loader[0][0], loader.load_data(), loader.load_data(1, True), loader.load_img(tmp_path / "0.png")):
        assert imgs.shape == (1, 8, 12, channels) and imgs.dtype == np.float32
        assert (imgs[:, :2] == low).all() and (imgs[:, 6:] == 1).all()


def test_drawn_digits_are_the_default(capsys):
    loader = ImageLoader(shape=(28, 28, 1), labelled=True, seed=0).batches(20)
    assert (loader.dataset_name, loader.n_classes, loader.n_batches) == ("drawn_digits", 10, 500)
    assert capsys.readouterr().out.count("\n") == 1
    imgs, labels = next(loader.load_batch(20, is_testing=True))
    assert labels.tolist() == [*range(10), *range(10)]
    assert imgs.shape == (20, 28, 28, 1) and (imgs.max(axis=(1, 2, 3)) == 1).all() and imgs.mean() < -0.6


def test_drawn_shoes_without_labels():
    (imgs,) = ImageLoader("drawn_shoes", shape=(32, 32, 3), batch_size=3, seed=0)[0]
    assert imgs.shape == (3, 32, 32, 3) and np.ptp(imgs, axis=-1).max() > 0.1


def test_real_digits_load(shared):
    loader = ImageLoader("mnist", shared("data/mnist"), (28, 28, 1), labelled=True, seed=0).batches(64)
    imgs, labels = loader[937]
    assert imgs.shape == (32, 28, 28, 1) and labels.shape == (32,)
    assert len(loader) == 938 and loader.classes == list("0123456789")


# Errors.


def test_a_replacement_for_a_broken_picture_has_its_own_label(zoo, capsys):
    loader = loaded(zoo).batches(13)
    (zoo / "train" / "cat" / "04.png").write_bytes(b"gone")  # the next one is a dog
    assert sorted(epoch_of(loader)) == [0, 1, 2, 3, 5, 5, 6, 7, 8, 9, 10, 11, 12]
    (zoo / "test" / "emu" / "12.png").write_bytes(b"gone")  # the next one is the first cat
    imgs, labels = next(loader.load_batch(13, is_testing=True))
    check_labels(imgs, labels)
    assert numbers(imgs)[-1] == 0 and labels[-1] == 0
    assert capsys.readouterr().err.count("it is no picture") == 2


def test_broken_pictures_are_named_and_removed_before_training(zoo, capsys):
    (zoo / "train" / "dog" / "05.png").write_bytes(b"no picture")
    picture(0, height=1, width=9).save(zoo / "train" / "emu" / "thin.png")
    loader = loaded(zoo).batches(4)
    complaints = capsys.readouterr().err
    assert f"{zoo / 'train' / 'dog' / '05.png'}: it is no picture (1 skipped so far)" in complaints
    assert "thin.png: it is only 9 x 1 pixels (2 skipped so far)" in complaints
    assert len(loader.train) == 12 and loader.n_batches == 3
    assert sorted(epoch_of(loader)) == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12]


def test_more_than_half_broken_is_an_error_before_training(zoo):
    for path in sorted((zoo / "train").rglob("*.png"))[:7]:
        path.write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"7 of 13 pictures cannot be used, the first of them .*cat.00\.png: "):
        loaded(zoo).batches(4)


def test_labels_of_a_flat_folder_are_an_error(tmp_path):
    folder = write(tmp_path / "cars", 4)
    assert loaded(folder, labelled=False).classes == ["cars"]
    with pytest.raises(ValueError, match="no class folders in .*cars, only 4 pictures .*expected a folder per class"):
        loaded(folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": (32, 32)}, r"shape must be \(height, width, channels\), not \(32, 32\)"),
        ({"shape": (32, 0, 3)}, "width of shape must be a whole number of at least 1, not 0"),
        ({"value_range": (0, 255)}, r"value_range must be \(-1, 1\) or \(0, 1\), not \(0, 255\)"),
        ({"shape": (32, 32, 5)}, "drawn_digits has pictures of 1 or 3 channels, not 5"),
        ({"fit": "squeeze"}, "fit must be one of resize, crop, pad, random-crop, not 'squeeze'"),
        ({"batch_size": 0}, "batch_size must be .* not 0"),
        ({"steps_per_epoch": 0}, "steps_per_epoch must be .* not 0"),
        ({"workers": 0}, "workers must be .* not 0"),
        ({"data_dir": "files"}, "'drawn_digits' is named by itself: data_dir 'files' is for the idx files"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        loaded("drawn_digits", **options)
