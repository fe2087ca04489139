"""What the names of unpaired data sets mean."""

import keras
import numpy as np
import pytest
from PIL import Image
from support.numbered import SIZE, SPLITS, loaded, write, write_sides

from keras_gan import datasets
from keras_gan.data.unpaired import UnpairedDataLoader
from keras_gan.images.drawn import DrawnShoe
from keras_gan.images.sources import source

# Four folders:


def test_four_folders(tmp_path, monkeypatch):
    found = datasets.find_unpaired(write_sides(tmp_path, 3, 4, 1, 2))
    assert (found.name, *map(len, (found.train_A, found.train_B, found.test_A, found.test_B))) == ("sides", 3, 4, 1, 2)
    assert found.test_B == [tmp_path / "sides" / "testB" / f"0{i}.png" for i in range(2)]
    (tmp_path / "datasets").mkdir()
    (tmp_path / "sides").rename(tmp_path / "datasets" / "mine")
    monkeypatch.chdir(tmp_path)
    assert loaded("mine").dataset_name == "mine"


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("gone", [False, True])
def test_an_empty_side_is_named_with_its_folder(tmp_path, split, gone):
    folder = write_sides(tmp_path, 2, 2, 2, 2)
    for path in (folder / split).iterdir():
        path.rename(folder / f"{split}-{path.name}")
    if gone:
        (folder / split).rmdir()
    with pytest.raises(
        ValueError, match=rf"side {split[-1]} has no pictures in .*{split}; expected sides: docs/data.md"
    ):
        loaded(folder)


def test_a_link_to_the_other_side_is_the_same_folder(tmp_path):
    folder = write_sides(tmp_path, 2, 2, 2, 2)
    (folder / "trainB").rename(folder / "old")
    (folder / "trainB").symlink_to(folder / "trainA")
    with pytest.raises(ValueError, match="sides A and B are the same folder"):
        loaded(folder)


# Two folders:


def test_two_plain_folders_hold_out_every_tenth_picture(tmp_path, monkeypatch):
    write(tmp_path / "datasets" / "animals" / "train" / "cat", 21)
    dogs = write(tmp_path / "dog", 5)
    monkeypatch.chdir(tmp_path)
    loader = loaded("animals/train/cat", dogs)
    assert loader.dataset_name == "cat2dog"
    names = [[path.stem for path in s] for s in (loader.train_A, loader.test_A, loader.train_B, loader.test_B)]
    assert names[1:] == [["00", "10", "20"], ["01", "02", "03", "04"], ["00"]]
    assert len(names[0]) == 18 and not set(names[0]) & set(names[1])
    assert loader.train_B[0].parent == dogs


@pytest.mark.parametrize("test", ["test", "val"])
def test_two_folders_with_splits(tmp_path, test):
    for name, count in (("a", 11), ("b", 12)):
        write(tmp_path / name / "train", count)
        write(tmp_path / name / test, 2)
    write(tmp_path / "b", 3)  # beside train: not used
    loader = loaded(tmp_path / "a", tmp_path / "b")
    assert [len(s) for s in (loader.train_A, loader.train_B, loader.test_A, loader.test_B)] == [11, 12, 2, 2]


def test_the_rest_of_a_folder_with_only_a_test_split_is_for_training(tmp_path):
    write(tmp_path / "a" / "test", 2)
    found = datasets.find_unpaired(write(tmp_path / "a", 3), write(tmp_path / "b", 2))
    assert [path.parent.name for path in found.train_A + found.test_A] == ["a"] * 3 + ["test"] * 2


def test_both_sides_from_one_folder_are_refused(tmp_path):
    folder = write(tmp_path / "a", 4)
    (tmp_path / "link").symlink_to(folder)
    write(tmp_path / "c" / "train", 4)
    for pair in ((folder, folder), (folder, tmp_path / "link"), (folder, tmp_path / "b" / ".." / "a")):
        (tmp_path / "b").mkdir(exist_ok=True)
        with pytest.raises(ValueError, match=r"sides A and B are the same folder, .*name two different ones"):
            loaded(*pair)
    with pytest.raises(ValueError, match="same folder"):
        loaded(tmp_path / "c", tmp_path / "c" / "train")


def test_an_empty_side_or_one_with_a_single_picture_is_named(tmp_path):
    full, empty, lonely = write(tmp_path / "full", 3), write(tmp_path / "empty", 0), write(tmp_path / "lonely", 1)
    with pytest.raises(ValueError, match=r"side A has no pictures in .*empty or .*empty.train; expected"):
        loaded(empty, full)
    with pytest.raises(ValueError, match=r"side B has no pictures in .*empty or .*empty.train; expected"):
        loaded(full, empty)
    with pytest.raises(ValueError, match=r"side B has no pictures in .*empty"):
        loaded(f"gray2colour:{empty}")
    with pytest.raises(ValueError, match=r"side B has only .*lonely.00\.png: one is needed to train"):
        loaded(full, lonely)
    with pytest.raises(ValueError, match=r"the folder .*full' is for side B: name one for side A"):
        loaded(None, full)


@pytest.mark.parametrize("names", [("nowhere",), ("sides", "nowhere"), ("nowhere", "sides"), ("gray2colour:nowhere",)])
def test_a_missing_data_set_names_what_exists_and_the_layouts(tmp_path, monkeypatch, names):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "datasets" / "sides", 3)
    with pytest.raises(
        FileNotFoundError,
        match=r"no data set 'nowhere': available are datasets/sides, drawn_fruit, gray2colour; expected sides",
    ):
        loaded(*names)


def test_nothing_after_the_colon_is_an_error():
    with pytest.raises(FileNotFoundError, match="no data set 'gray2colour:'"):
        loaded("gray2colour:")


# Gray to colour:


def random_colours(folder, count, seed=0):
    folder.mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), np.uint8)):
        Image.fromarray(pixels).save(folder / f"{number}.png")


def in_pairs(loader):
    """A and B of the test split, and the difference of A from the gray B, in levels of 255."""
    A, B = (np.concatenate(imgs) for imgs in zip(*loader.load_batch(2, is_testing=True), strict=True))
    gray = ((B + 1) * 127.5) @ [0.299, 0.587, 0.114]
    return A, B, np.abs((A + 1) * 127.5 - gray[..., np.newaxis]).max()


@pytest.mark.parametrize("channels", [1, 3])
def test_gray2colour_of_a_folder_tests_on_the_gray_versions_of_the_same_pictures(tmp_path, channels):
    for number, place in enumerate(["train/cat", "train/dog/puppy", "test/cat"]):
        random_colours(tmp_path / "zoo" / place, 3, seed=number)
    random_colours(tmp_path / "zoo" / "train" / ".cache", 2)
    (tmp_path / "zoo" / "train" / "._0.png").write_bytes(b"finder")
    loader = loaded(f"gray2colour:{tmp_path / 'zoo'}", shape_A=(8, 8, channels), shape_B=(8, 8, 3)).batches(6)
    assert loader.dataset_name == "gray2colour-zoo"
    assert (len(loader.train_A), len(loader.train_B), len(loader.test_A), len(loader.test_B)) == (6, 6, 3, 3)
    A, B, distance = in_pairs(loader)
    assert A.shape == (3, 8, 8, channels) and B.shape == (3, 8, 8, 3)
    assert distance <= 0.5 + 1e-3
    assert np.ptp(B, axis=-1).max() > 1  # there are colours


def test_gray2colour_trains_on_unpaired_pictures(tmp_path):
    random_colours(tmp_path / "zoo", 20)
    loader = loaded(f"gray2colour:{tmp_path / 'zoo'}", shape_A=(8, 8, 3), shape_B=(8, 8, 3), flip=False).batches(18)
    assert len(loader.test_A) == 2 and not {*loader.train_B} & {*loader.test_B}
    A, B = loader[0]
    gray = B @ np.array([0.299, 0.587, 0.114], "float32")
    partners = [np.abs(gray - a[..., 0]).max(axis=(1, 2)).argmin() for a in A]
    assert sorted(partners) == list(range(18))
    assert np.mean(np.equal(partners, range(18))) < 0.3


def test_gray2colour_keeps_test_sides_aligned_when_a_picture_is_broken(tmp_path, capsys):
    random_colours(tmp_path / "zoo" / "train", 4)
    random_colours(tmp_path / "zoo" / "val", 5, seed=1)
    (tmp_path / "zoo" / "val" / "1.png").write_bytes(b"no picture")
    loader = loaded(f"gray2colour:{tmp_path / 'zoo'}", shape_A=(8, 8, 1), shape_B=(8, 8, 3)).batches(1)
    assert capsys.readouterr().err.count("1.png: it is no picture (1 skipped so far)") == 1
    assert len(loader.test_A) == len(loader.test_B) == 4
    (tmp_path / "zoo" / "val" / "3.png").write_bytes(b"gone")
    A, _, distance = in_pairs(loader)
    assert len(A) == 4 and distance <= 0.5 + 1e-3


def test_gray2colour_never_trains_on_its_test_pictures(tmp_path):
    random_colours(tmp_path / "zoo" / "test" / "cat", 2)
    random_colours(tmp_path / "zoo" / "dog", 3)
    loader = loaded(f"gray2colour:{tmp_path / 'zoo'}")
    assert [path.parent.name for path in loader.train_B + loader.test_B] == ["dog"] * 3 + ["cat"] * 2


def test_gray2colour_without_a_folder_is_cifar10(monkeypatch):
    train, test = (np.random.default_rng(n).integers(0, 256, (n, 32, 32, 3), np.uint8) for n in (6, 4))
    monkeypatch.setattr(keras.datasets.cifar10, "load_data", lambda: ((train, None), (test, None)))
    loader = loaded("gray2colour", shape_A=(32, 32, 1)).batches(4)
    assert loader.dataset_name == "gray2colour" and loader.n_batches == 2 and not loader.skipped
    assert str(loader.test_B[2]) == "CIFAR-10 test picture 2"
    A, B, distance = in_pairs(loader)
    np.testing.assert_allclose(B, test / 127.5 - 1, atol=1e-6)
    assert A.shape == (4, 32, 32, 1) and distance <= 0.5 + 1e-3


def test_a_failed_download_of_cifar10_names_the_alternative(monkeypatch):
    def no_network():
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.datasets.cifar10, "load_data", no_network)
    with pytest.raises(FileNotFoundError, match=r"CIFAR-10 cannot be loaded .*URL fetch failure.*gray2colour:FOLDER"):
        loaded("gray2colour")


# Drawings and pairs:


def test_the_default_is_drawn_fruit_with_a_notice(capsys):
    loader = loaded(None)
    line = capsys.readouterr().out
    assert line.count("\n") == 1 and "drawn_fruit" in line and "trainA, trainB, testA and testB" in line
    assert loader.dataset_name == loaded("drawn_fruit").dataset_name == "drawn_fruit"
    assert not capsys.readouterr().out


def test_drawn_shoes_are_separated_for_training_and_complete_for_testing():
    loader = loaded("drawn_shoes").batches(4)
    A, B = ({source(half).index for half in side} for side in (loader.train_A, loader.train_B))
    assert set(range(0, 1000, 2)) == A and set(range(1, 1000, 2)) == B
    assert [source(half) for half in loader.test_A] == [DrawnShoe(i) for i in range(1000, 1100)]
    assert [source(half) for half in loader.test_A] == [source(half) for half in loader.test_B]
    for A, B in (loader[0], loader.load_data(4), next(loader.load_batch(4, is_testing=True))):
        assert A.shape == B.shape == (4, SIZE, SIZE, 3)
        assert np.ptp(A, axis=-1).max() < 1e-6 < np.ptp(B, axis=-1).max()  # lines are gray, shoes are not


def test_a_paired_folder_is_separated(paired_folder, capsys):
    loader = UnpairedDataLoader(paired_folder, shape_A=(16, 16, 3), shape_B=(16, 16, 3)).batches(3)
    assert capsys.readouterr().out.count("using its pictures as pairs") == 1
    assert loader.dataset_name == "pairs" and (len(loader.train_A), len(loader.train_B)) == (3, 2)
    A, B = loader[0]
    brightness = (sorted(np.rint((imgs[:, 0, 0, band] + 1) * 127.5)) for imgs, band in ((A, 0), (B, 2)))
    assert next(brightness) == [100, 140, 180] and set(next(brightness)) == {120, 160}
    A, B = next(loader.load_batch(2, is_testing=True))
    np.testing.assert_array_equal(A[..., 0], B[..., 2])
    assert (A[..., 1:] == -1).all() and (B[..., :2] == -1).all()


def test_an_odd_width_is_named_once_for_both_halves(paired_folder, capsys):
    Image.new("RGB", (31, 16)).save(paired_folder / "val" / "odd.png")
    loader = loaded(paired_folder).batches(1)
    assert capsys.readouterr().err.count("width of 31 is odd, so it has no two equal halves (1 skipped so far)") == 1
    assert len(loader.test_A) == len(loader.test_B) == 2


def test_a_folder_that_is_not_a_data_set_is_an_error_with_the_layouts(tmp_path, paired_folder):
    with pytest.raises(ValueError, match=r"no pictures in .*cat.train; expected sides: docs/data.md"):
        loaded(write(tmp_path / "cat", 3))
    for path in (paired_folder / "val").iterdir():
        path.unlink()
    with pytest.raises(ValueError, match=r"no pictures in .*val or .*test; expected sides: docs/data.md"):
        loaded(paired_folder)


def test_a_single_pair_cannot_be_separated(paired_folder):
    for number in range(1, 5):
        (paired_folder / "train" / f"{number}.png").unlink()
    with pytest.raises(ValueError, match=r"train has only one pair: side B needs another one"):
        loaded(paired_folder)
