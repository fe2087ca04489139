"""What the names of data sets of single pictures mean, and what is wrong with them."""

import gzip

import keras
import numpy as np
import pytest
from support.labelled import idx, idx_arrays, write_classes, write_idx
from support.numbered import write

from keras_gan.datasets.labelled import CLASSES, find_labelled, find_pictures
from keras_gan.images.drawn import DrawnDigit, DrawnFruit, DrawnShoe
from keras_gan.images.sources import Half, Labelled, open_picture, source

BOTH = pytest.mark.parametrize("find", [find_labelled, find_pictures])


def labels(pictures):
    return [picture.label for picture in pictures]


def by_class(found):
    """(class, file) of the pictures of both splits."""
    return [[(found.classes[p.label], p.picture.name) for p in split] for split in (found.train, found.test)]


# Built in:


@BOTH
def test_drawn_digits(find, capsys):
    found = find("drawn_digits")
    assert not capsys.readouterr().out
    assert (found.name, len(found.train), len(found.test)) == ("drawn_digits", 10_000, 1_000)
    assert found.classes == list("0123456789")
    assert found.train[12] == Labelled(DrawnDigit(12), 2) and found.test[9] == Labelled(DrawnDigit(10_009), 9)
    assert labels(found.test) == list(range(10)) * 100


@BOTH
def test_the_default_is_drawn_digits_with_a_notice(find, capsys):
    assert find().name == "drawn_digits"
    line = capsys.readouterr().out
    assert line.count("\n") == 1 and "drawn_digits" in line and "docs/data.md" in line


def test_drawn_shoes_are_pictures_without_labels():
    found = find_pictures("drawn_shoes")
    assert (found.name, len(found.train), len(found.test), found.classes) == ("drawn_shoes", 1000, 100, ["shoe"])
    assert found.train[3] == Labelled(Half(DrawnShoe(3), True), 0) and source(found.test[0]) == DrawnShoe(1000)
    image = open_picture(found.train[3], 3, 32)
    assert image.size == (32, 32) and np.ptp(np.asarray(image).astype(int), axis=-1).max() > 5  # colours
    with pytest.raises(FileNotFoundError, match="no data set 'drawn_shoes' with labels: available are"):
        find_labelled("drawn_shoes")


@BOTH
def test_drawn_fruit_are_apples_and_oranges(find):
    found = find("drawn_fruit")
    assert (found.name, len(found.train), len(found.test)) == ("drawn_fruit", 2000, 200)
    assert found.classes == ["apple", "orange"]
    assert found.train[:2] == [Labelled(Half(DrawnFruit(0), side), int(side)) for side in (False, True)]
    assert source(found.test[-1]) == DrawnFruit(1099)
    apple, orange = (np.asarray(open_picture(picture, 3, 32)) for picture in found.train[:2])
    assert apple.shape == (32, 32, 3)
    assert orange[..., 1].mean() > apple[..., 1].mean() + 3  # more green makes red orange


@BOTH
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_sets_from_keras(find, name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    arrays = list(idx_arrays().values())
    module = getattr(keras.datasets, name)
    monkeypatch.setattr(module, "load_data", lambda: ((arrays[0], arrays[1]), (arrays[2], arrays[3])))
    found = find(name)
    assert (found.name, found.classes, len(found.classes)) == (name, CLASSES[name], 10)
    assert labels(found.train) == [*range(10), *range(10)] and labels(found.test) == list(range(10))
    np.testing.assert_array_equal(np.asarray(open_picture(found.test[4], 1, 16)), arrays[2][4])
    assert str(source(found.test[4])) == f"{name} test picture 4"


def test_the_class_names_of_fashion_mnist_are_in_order():
    """The order of the original data set, in any spelling."""
    words = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"]
    for name, word in zip(CLASSES["fashion_mnist"], words, strict=True):
        assert word in name.lower()
    assert len(set(CLASSES["fashion_mnist"])) == 10


@pytest.mark.parametrize(("name", "title"), [("mnist", "MNIST"), ("fashion_mnist", "Fashion-MNIST")])
def test_a_failed_download_names_the_alternative(name, title, monkeypatch, tmp_path):
    def no_network():
        raise Exception("URL fetch failure")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(getattr(keras.datasets, name), "load_data", no_network)
    with pytest.raises(
        FileNotFoundError, match=rf"^{title} cannot be loaded .*URL fetch failure.*four idx.*--data-dir"
    ):
        find_labelled(name)


@pytest.mark.parametrize(
    ("find", "shoes", "layout"),
    [(find_labelled, "", "a folder per class"), (find_pictures, ", drawn_shoes.*", "pictures: docs/data.md")],
)
def test_a_missing_data_set_names_what_exists_and_the_layout(find, shoes, layout, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_classes(tmp_path / "datasets" / "pets", cat=2)
    there = rf"datasets/pets, drawn_digits, drawn_fruit, mnist, fashion_mnist{shoes}"
    with pytest.raises(FileNotFoundError, match=rf"no data set 'nowhere'.*: available are {there}; .*{layout}"):
        find("nowhere")


# idx files:


@BOTH
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("mark", ["-", "."])
def test_idx_files_in_all_spellings(find, tmp_path, packed, mark):
    found = find("fashion_mnist", write_idx(tmp_path / "files", packed, mark))
    assert (found.name, found.classes) == ("fashion_mnist", CLASSES["fashion_mnist"])
    assert (len(found.train), len(found.test)) == (20, 10)
    for split, pictures in (("train", found.train), ("t10k", found.test)):
        images, numbers = (idx_arrays()[f"{split}-{what}-ubyte"] for what in ("images-idx3", "labels-idx1"))
        assert labels(pictures) == numbers.tolist()
        for picture, pixels in zip(pictures, images, strict=True):
            np.testing.assert_array_equal(np.asarray(open_picture(picture, 1, 16)), pixels)


def test_a_folder_of_idx_files_can_be_named_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_idx(tmp_path / "datasets" / "fashion_mnist")
    assert find_labelled("fashion_mnist").classes == CLASSES["fashion_mnist"]
    found = find_labelled(write_idx(tmp_path / "letters", classes=3))
    assert (found.name, found.classes, len(found.test)) == ("letters", ["0", "1", "2"], 10)


def test_data_dir_has_precedence_over_a_folder_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_classes(tmp_path / "datasets" / "mnist", zero=3)
    assert find_labelled("mnist").classes == ["zero"]
    assert find_labelled("mnist", str(write_idx(tmp_path / "files"))).classes == CLASSES["mnist"]


TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = idx_arrays()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (TRAIN_IMAGES, lambda b: b[:-1], r"is truncated: 599 bytes after the header; expected 600 \(20 x 6 x 5\)"),
        (TRAIN_IMAGES, lambda b: b[:9], r"is truncated: it has 9 bytes; expected images"),
        (TEST_LABELS, lambda b: b"", r"is truncated: it has 0 bytes; expected labels"),
        (TEST_LABELS, lambda b: b + b"12", r"is longer than its header says: 12 bytes .* expected 10 \(10\)"),
        (
            TRAIN_IMAGES,
            lambda b: idx(np.zeros(20)),
            r"starts with 00 00 08 01: it holds labels of .*expected images",
        ),
        (
            TEST_LABELS,
            lambda b: idx(np.zeros((9, 1, 1))),
            r"00 00 08 03: it holds images .*expected labels.* 08 01",
        ),
        (TEST_IMAGES, lambda b: b[:2] + b"\x0d" + b[3:], "starts with 00 00 0d 03: it holds images of float32"),
        (TEST_IMAGES, lambda b: idx(np.zeros((1, 2, 2, 3))), "an array of 4 dimensions of unsigned bytes"),
        (TEST_IMAGES, lambda b: b"\x89PNG" + b, "starts with 89 50 4e 47: it is not an idx file; expected images"),
        (TRAIN_LABELS, lambda b: gzip.compress(b), "starts with 1f 8b .*: it is gzipped, and needs the extension .gz"),
        (TRAIN_LABELS, lambda b: idx(np.zeros(0)), "is empty: its header says 0"),
        (TRAIN_LABELS, lambda b: idx(np.arange(20)), "holds the label 19; expected 0 to 9, for 10 classes"),
    ],
)
def test_a_damaged_idx_file_is_named(tmp_path, name, change, message):
    path = write_idx(tmp_path) / name
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=f"{path} .*{message}"):
        find_labelled("mnist", tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: gzip.decompress(b), "Not a gzipped file"),
        (lambda b: b[:-12], "ended before the end"),
        (lambda b: b[:10] + b"\xff" * 20 + b[30:], "Error -3"),
        (lambda b: b + b"and more", "Not a gzipped file"),
    ],
)
def test_a_damaged_gzip_file_is_named(tmp_path, change, message):
    path = write_idx(tmp_path, packed=True) / f"{TEST_IMAGES}.gz"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=rf"{path} cannot be unpacked \(.*{message}.*complete gzip file"):
        find_labelled("mnist", tmp_path)


@pytest.mark.parametrize("promised", [(10, 6, 5), (9999, 28, 28), (2**32 - 1, 2**32 - 1, 2**32 - 1)])
def test_a_bomb_is_read_no_further_than_its_header_promises(tmp_path, promised, monkeypatch):
    monkeypatch.setattr("keras_gan.datasets.idx.MAX_EXTRA", 1_000_000)
    read, packed = [], gzip.compress(idx(np.zeros((1, 1, 1)))[:4] + np.array(promised, ">u4").tobytes())
    path = write_idx(tmp_path, packed=True) / f"{TEST_IMAGES}.gz"
    path.write_bytes(packed + gzip.compress(bytes(2_000_000)) * 50)

    class Counted(gzip.GzipFile):
        def read(self, *size):
            read.append(super().read(*size))
            return read[-1]

    monkeypatch.setattr(gzip, "open", Counted)
    with pytest.raises(ValueError, match=rf"{path} is (longer than its header says|damaged: its header says)"):
        find_labelled("mnist", tmp_path)
    assert sum(map(len, read)) < 20_000_000


def test_labels_of_another_split_are_an_error(tmp_path):
    write_idx(tmp_path)
    (tmp_path / TRAIN_LABELS).write_bytes((tmp_path / TEST_LABELS).read_bytes())
    message = (
        f"{TRAIN_IMAGES} holds 20 images, but .*{TRAIN_LABELS} 10 labels: both must be complete files of the same split"
    )
    with pytest.raises(ValueError, match=message):
        find_labelled("mnist", tmp_path)


@pytest.mark.parametrize("name", [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS])
def test_a_missing_idx_file_is_named_with_its_folder(tmp_path, name):
    (write_idx(tmp_path) / name).rename(tmp_path / "other")
    message = rf"no {name} or {name}\.gz or {name.replace('-idx', '.idx')} or .* in {tmp_path}, which has other, "
    for find in (lambda: find_labelled("mnist", tmp_path), lambda: find_labelled(tmp_path)):
        with pytest.raises(FileNotFoundError, match=message):
            find()


def test_data_dir_is_for_idx_files_only(tmp_path):
    pets = write_classes(tmp_path / "pets", cat=2, dog=2)
    for name in (pets, "drawn_digits"):
        with pytest.raises(
            ValueError, match=f"{name}' is named by itself: data_dir '.*' is for the idx files of mnist"
        ):
            find_labelled(name, tmp_path)
    with pytest.raises(ValueError, match="no data set is named: data_dir '.*' is for .* mnist and fashion_mnist only"):
        find_pictures(None, tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder '.*nowhere' for the four idx files of mnist"):
        find_labelled("mnist", tmp_path / "nowhere")


@pytest.mark.slow
def test_real_mnist(shared):
    found = find_labelled("mnist", shared("data/mnist"))
    assert (len(found.train), len(found.test)) == (60_000, 10_000)
    assert labels(found.train[:5]) == [5, 0, 4, 1, 9]
    assert np.asarray(open_picture(found.train[0], 1, 28)).shape == (28, 28)


# Class folders:


@BOTH
def test_class_folders_hold_out_every_tenth_picture_of_each_class(find, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_classes(tmp_path / "datasets" / "pets", dog=11, cat=21, **{".cache": 3})
    found = find("pets")
    assert (found.name, found.classes) == ("pets", ["cat", "dog"])
    train, test = by_class(found)
    held_out = [("cat", "00.png"), ("cat", "10.png"), ("cat", "20.png"), ("dog", "00.png"), ("dog", "10.png")]
    assert test == held_out and len(train) == 27 and not set(train) & set(test)


@BOTH
@pytest.mark.parametrize("test", ["test", "val"])
def test_class_folders_below_train_and_test(find, tmp_path, test):
    write_classes(tmp_path / "pets" / "train", cat=3, dog=2)
    write_classes(tmp_path / "pets" / test, dog=1, cat=1)
    write(tmp_path / "pets" / "masks", 2)
    found = find(tmp_path / "pets")
    assert (found.classes, labels(found.train), labels(found.test)) == (["cat", "dog"], [0, 0, 0, 1, 1], [0, 1])
    assert {p.picture.parent.parent.name for p in found.test} == {test}


@BOTH
def test_without_a_test_folder_one_in_ten_below_train_is_held_out(find, tmp_path):
    write_classes(tmp_path / "pets" / "train", cat=3, dog=2)
    (tmp_path / "pets" / "test").mkdir()
    train, test = by_class(find(tmp_path / "pets"))
    assert train == [("cat", "01.png"), ("cat", "02.png"), ("dog", "01.png")]
    assert test == [("cat", "00.png"), ("dog", "00.png")]


def test_classes_are_in_natural_order_and_may_have_subfolders(tmp_path):
    names = ["class 10", "class 2", "class 1", "b", "10", "9", "09", "a10b2", "a10b10", "a2"]
    for name in names:
        write(tmp_path / name / "images", 2)
    order = ["09", "9", "10", "a2", "a10b2", "a10b10", "b", "class 1", "class 2", "class 10"]
    assert find_labelled(tmp_path).classes == order


@pytest.mark.parametrize("where", [".", "train", "test"])
def test_empty_classes_are_named(tmp_path, where):
    for place in {where, "train"} if where != "." else {where}:
        write_classes(tmp_path / place, cat=3, dog=3, emu=2)
    for name in ("cat", "emu"):
        for path in (tmp_path / where / name).iterdir():
            path.rename(path.with_suffix(".txt"))
    message = rf"no pictures of class 'cat', 'emu' in {(tmp_path / where).resolve()}, but 3 .txt files; expected"
    with pytest.raises(ValueError, match=message):
        find_labelled(tmp_path)


@pytest.mark.parametrize(
    ("place", "count", "message"),
    [
        (".", 4, "no class folders in {0}, only 4 pictures without labels"),
        (".", 0, "no class folders in {0}, and no pictures"),
        ("train", 4, "no class folders in {0}/train, only 4 pictures without labels"),
        ("test", 4, "no class folders in {0}/train, which does not exist"),
    ],
)
def test_pictures_without_classes_are_an_error_with_the_layout(tmp_path, place, count, message):
    write(tmp_path / place, count)
    with pytest.raises(ValueError, match=message.format(tmp_path) + "; expected a folder per class: docs/data.md"):
        find_labelled(tmp_path)


def test_test_pictures_without_classes_are_refused(tmp_path):
    write_classes(tmp_path / "train", cat=2, dog=2)
    write(tmp_path / "test", 3)
    with pytest.raises(ValueError, match="no class folders in .*test, only 3 pictures without labels"):
        find_labelled(tmp_path)
    assert len(find_pictures(tmp_path).test) == 3


def test_a_class_of_one_picture_cannot_be_split(tmp_path):
    with pytest.raises(ValueError, match=r"class 'dog' has only .*00\.png: one is needed to train and another one to"):
        find_labelled(write_classes(tmp_path, cat=2, dog=1))


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ({"cat": 1}, "class 'dog', 'emu' is in .*train but not in .*test"),
        ({"cat": 1, "dog": 1, "emu": 1, "yak": 1}, "class 'yak' is in .*test but not in .*train"),
    ],
)
def test_other_classes_in_the_test_split_are_named(tmp_path, test, message):
    write_classes(tmp_path / "train", cat=2, dog=2, emu=2)
    write_classes(tmp_path / "test", **test)
    with pytest.raises(ValueError, match=message):
        find_labelled(tmp_path)
    assert len(find_pictures(tmp_path).classes) == 1  # fine without labels


# Flat folders:


def test_a_flat_folder_is_one_class_and_one_in_ten_is_held_out(tmp_path):
    found = find_pictures(write(tmp_path / "cars", 21))
    assert (found.name, found.classes, set(labels(found.train))) == ("cars", ["cars"], {0})
    assert [p.picture.name for p in found.test] == ["00.png", "10.png", "20.png"]
    assert len(found.train) == 18 and not {*found.train} & {*found.test}


@pytest.mark.parametrize("test", ["test", "val"])
def test_a_flat_folder_with_splits(tmp_path, test):
    write(tmp_path / "cars" / "train", 11)
    write(tmp_path / "cars" / test, 2)
    found = find_pictures(tmp_path / "cars")
    assert (len(found.train), len(found.test), found.classes) == (11, 2, ["cars"])


def test_pictures_next_to_subfolders_are_one_class_with_them(tmp_path):
    found = find_pictures(write(write_classes(tmp_path / "cars", old=10), 10))
    assert (len(found.train), len(found.test), found.classes) == (18, 2, ["cars"])


def test_subfolders_that_cannot_be_classes_are_one_class(tmp_path):
    write_classes(tmp_path, faces=10, notes=0)
    found = find_pictures(tmp_path)
    assert (len(found.train), len(found.test)) == (9, 1)


def test_an_empty_folder_is_an_error_with_the_layouts(tmp_path):
    (tmp_path / "empty").mkdir()
    message = "data set 'empty' has no pictures in .*empty or .*train; expected pictures: docs/data.md"
    with pytest.raises(ValueError, match=message):
        find_pictures(tmp_path / "empty")
    with pytest.raises(ValueError, match="data set 'one' has only .*00.png: one is needed to train"):
        find_pictures(write(tmp_path / "one", 1))


def test_real_classes(shared):
    found = find_labelled(shared("data/cifar10"))
    assert (len(found.train), len(found.test), len(found.classes)) == (5000, 1000, 10)
    assert found.classes == sorted(found.classes) and np.bincount(labels(found.train)).tolist() == [500] * 10
    assert len(find_pictures(shared("data/cars64")).train) == 450
