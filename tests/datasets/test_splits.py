"""Splits and sides by all their usual names, for every kind of data set, and what is said of the rest."""

import pytest
from support.labelled import write_classes
from support.numbered import write

from keras_gan import datasets
from keras_gan.datasets import layouts, make_pairs
from keras_gan.datasets.labelled import find_labelled, find_pictures
from keras_gan.datasets.roles import Role, role_of, roles_of
from keras_gan.errors import BadValueError
from keras_gan.images.sources import source

SPELLINGS = [
    ("train", "test"),
    ("Train", "Test"),
    ("TRAIN", "TEST"),
    ("training", "testing"),
    ("train", "validation"),
    ("Training", "Valid"),
    ("train", "dev"),
    ("train", "eval"),
    ("trainset", "testset"),
    ("train_set", "test_set"),
    ("Training Set", "Validation Set"),
    ("train-images", "test-images"),
    ("train2017", "val2017"),
    ("train", "holdout"),
    ("cars_train", "cars_test"),
]
SPELLED = pytest.mark.parametrize(("train", "test"), SPELLINGS)
SIDED = [
    ("trainA", "trainB", "testA", "testB"),
    ("TrainA", "TrainB", "TestA", "TestB"),
    ("train_A", "train_B", "val_A", "val_B"),
    ("training-A", "training-B", "testing-A", "testing-B"),
    ("A_train", "B_train", "A_test", "B_test"),
    ("traina", "trainb", "validationa", "validationb"),
    ("train/A", "train/B", "test/A", "test/B"),
    ("Train/a", "Train/b", "Val/a", "Val/b"),
    ("A/train", "B/train", "A/test", "B/test"),
    ("A/Training", "B/Training", "A/Validation", "B/Validation"),
]


def counts(found):
    """The numbers of pictures in the lists of a data set."""
    return [len(pictures) for pictures in vars(found).values() if isinstance(pictures, list)]


def names(pictures):
    return {source(picture).parent.name for picture in pictures}


# Names:


@pytest.mark.parametrize(
    "name", ["trainer", "freight train", "protest", "testament", "valley", "boat", "data", "class a", "ab", "1", ""]
)
def test_other_names_tell_no_role(name):
    assert role_of(name) is None


def test_roles():
    assert role_of("Test_Set") == Role("test", "") and role_of("VAL b") == Role("val", "B")
    assert role_of("domainA") == Role("", "A") and role_of("images_train_B") == Role("train", "B")
    assert role_of("01_train") == role_of("1 train") == Role("train", "") and role_of("unseen").split == "test"
    assert roles_of(["cars_train", "cars_test"]) == {"cars_train": Role("train", ""), "cars_test": Role("test", "")}
    assert roles_of(["freight_train", "steam_train"]) == {}


# Splits:


@SPELLED
def test_classes_in_splits_of_any_name(tmp_path, train, test, capsys):
    write_classes(tmp_path / "pets" / train, cat=3, dog=2)
    write_classes(tmp_path / "pets" / test, cat=1, dog=1)
    for find in (find_labelled, find_pictures):
        found = find(tmp_path / "pets")
        assert (found.classes, len(found.train), len(found.test)) == (["cat", "dog"], 5, 2)
    found = layouts.detect(tmp_path / "pets")
    assert found.layout == layouts.CLASSES and counts(found)[0] == 2
    assert [len(inside) for inside in found.groups.values()] == [5, 2] and not found.remarks
    assert "not used" not in capsys.readouterr().out


@SPELLED
def test_pictures_in_splits_of_any_name(tmp_path, train, test):
    write(tmp_path / "cars" / train, 4)
    write(tmp_path / "cars" / test, 2)
    for found in (find_pictures(tmp_path / "cars"), datasets.find(tmp_path / "cars")):
        assert (len(found.train), len(found.test)) == (4, 2)
        assert names(found.train) == {train} and names(found.test) == {test}
    found = datasets.find_unpaired(f"gray2colour:{tmp_path / 'cars'}")
    assert (len(found.train_B), len(found.test_B)) == (4, 2)
    found = datasets.find_unpaired(tmp_path / "cars")  # as pairs, torn apart
    assert counts(found) == [2, 2, 2, 2]
    found = layouts.detect(tmp_path / "cars")
    assert [len(inside) for inside in found.groups.values()] == [4, 2] and layouts.NO_TEST_SPLIT not in found.remarks
    made = make_pairs.make_pairs("gray", tmp_path / "cars", tmp_path / "out")
    assert made[1:] == (4, 2, 0)


@SPELLED
def test_two_folders_with_splits_of_any_name(tmp_path, train, test):
    for side, count in (("capA", 4), ("capB", 4)):
        write(tmp_path / side / train, count)
        write(tmp_path / side / test, 2)
    assert counts(datasets.find_unpaired(tmp_path / "capA", tmp_path / "capB")) == [4, 4, 2, 2]
    assert counts(datasets.find(tmp_path / "capA", tmp_path / "capB")) == [4, 2]


def test_splits_inside_each_class(tmp_path):
    for name in ("cat", "dog"):
        write(tmp_path / "pets" / name / "Training", 3)
        write(tmp_path / "pets" / name / "Testing", 1)
    found = find_labelled(tmp_path / "pets")
    assert (found.classes, len(found.train), len(found.test)) == (["cat", "dog"], 6, 2)
    assert names(found.train) == {"Training"}


def test_folders_that_look_like_splits_are_no_classes(tmp_path):
    write(tmp_path / "flat" / "Training", 3)
    write(tmp_path / "flat" / "Testing", 2)
    with pytest.raises(ValueError, match="no class folders in .*Training, only 3 pictures without labels"):
        find_labelled(tmp_path / "flat")


# Sides:


@pytest.mark.parametrize("folders", SIDED)
@pytest.mark.parametrize("find", [datasets.find, datasets.find_unpaired])
def test_sides_of_any_name(tmp_path, folders, find, capsys):
    for name, count in zip(folders, (4, 4, 2, 2), strict=True):
        write(tmp_path / "data" / name, count)
    assert counts(find(tmp_path / "data")) == ([4, 2] if find is datasets.find else [4, 4, 2, 2])
    assert not capsys.readouterr().out
    found = layouts.detect(tmp_path / "data")
    assert found.layout == layouts.PAIRED_SIDES
    assert [len(inside) for inside in found.groups.values()] == [4, 4, 2, 2]


@pytest.mark.parametrize("folders", SIDED)
def test_single_pictures_of_sides_keep_their_splits(tmp_path, folders):
    for name, count in zip(folders, (4, 3, 2, 1), strict=True):
        write(tmp_path / "data" / name, count)
    for find in (find_labelled, find_pictures):
        found = find(tmp_path / "data")
        assert [name.upper() for name in found.classes] == ["A", "B"]
        assert (len(found.train), len(found.test)) == (7, 3)


@pytest.mark.parametrize(("A", "B"), [("A", "B"), ("a", "b"), ("sideA", "sideB"), ("domain_a", "domain_b")])
def test_two_bare_sides(tmp_path, A, B):
    for side in (A, B):
        write(tmp_path / "mine" / side, 11)
    pairs = datasets.find(tmp_path / "mine")
    assert counts(pairs) == [9, 2] and all(a.name == b.name for a, b in pairs.train)
    assert {a.parent.name for a, _ in pairs.train} == {A}
    assert counts(datasets.find_unpaired(tmp_path / "mine")) == [9, 9, 2, 2]
    assert find_labelled(tmp_path / "mine").classes == [A, B]
    (tmp_path / "mine" / B / "00.png").rename(tmp_path / "mine" / B / "other.png")
    with pytest.raises(ValueError, match="unpaired sides.*keras_gan.cyclegan.*without a match of the same name, 2"):
        datasets.find(tmp_path / "mine")
    assert layouts.detect(tmp_path / "mine").layout == layouts.UNPAIRED


def test_letters_are_classes(tmp_path):
    write_classes(tmp_path / "letters", A=3, B=3, C=3)
    assert find_labelled(tmp_path / "letters").classes == ["A", "B", "C"]
    assert layouts.detect(tmp_path / "letters").layout == layouts.CLASSES


@pytest.mark.parametrize("tests", [(), ("valA", "valB"), ("testA", "testB"), ("dev_A", "dev_B")])
def test_sides_without_tests_hold_out_every_tenth(tmp_path, tests):
    for name in ("trainA", "trainB", *tests):
        write(tmp_path / "data" / name, 11)
    expected = [11, 11, 11, 11] if tests else [9, 9, 2, 2]
    found = datasets.find_unpaired(tmp_path / "data")
    assert counts(found) == expected
    assert not {*found.train_A} & {*found.test_A} and not {*found.train_B} & {*found.test_B}
    assert layouts.detect(tmp_path / "data").layout == layouts.PAIRED_SIDES


@pytest.mark.parametrize("beside", ["", "labels/train", "annotations"])
def test_splits_in_the_only_folder_of_pictures(tmp_path, beside):
    write_classes(tmp_path / "download" / "images" / "train", cat=3, dog=3)
    write_classes(tmp_path / "download" / "images" / "val", cat=1, dog=1)
    (tmp_path / "download" / beside).mkdir(parents=True, exist_ok=True)
    found = find_labelled(tmp_path / "download")
    assert (found.classes, len(found.train), len(found.test)) == (["cat", "dog"], 6, 2)
    write(tmp_path / "pair" / "mine" / "A", 3)
    write(tmp_path / "pair" / "mine" / "B", 3)
    assert counts(datasets.find(tmp_path / "pair")) == [2, 1]


@pytest.mark.parametrize("names", ["trainCat testCat trainDog testDog", "dog_train dog_val cat_train cat_val"])
def test_splits_of_each_class_are_no_classes(tmp_path, names):
    folder = write_classes(tmp_path / "pets", **dict.fromkeys(names.split(), 3))
    with pytest.raises(BadValueError, match="no class folders in .*rain.*, only 3 pictures without labels"):
        find_labelled(folder)
    assert {path.parent.name for path in map(source, find_pictures(folder).test)} == {*names.split()[1::2]}
    assert roles_of(["trainer", "tester", "test_tube", "dev board"]) == {}


@pytest.mark.parametrize("train", ["train", "cars_train"])
def test_a_split_in_a_folder_of_its_own_name(tmp_path, train):
    for split in (train, train.replace("train", "test")):
        write_classes(tmp_path / "pets" / split / split, cat=2, dog=2)
    for find in (find_labelled, find_pictures):
        found = find(tmp_path / "pets")
        assert (found.classes, len(found.train), len(found.test), found.remarks) == (["cat", "dog"], 4, 4, ())


# Classes called like splits:


def test_a_class_called_train_beside_others_and_a_picture(tmp_path):
    write_classes(write(tmp_path / "traffic", 1), bus=3, car=3, train=3)
    assert len(find_labelled(tmp_path / "traffic").train) == 6
    assert len(find_pictures(tmp_path / "traffic").train) == 9


@pytest.mark.parametrize("name", ["train", "Train", "test", "dev"])
def test_a_class_called_like_a_split_beside_others(tmp_path, name):
    write_classes(tmp_path / "traffic", **{"bus": 3, "car": 3, name: 3})
    for find in (find_labelled, find_pictures):
        found = find(tmp_path / "traffic")
        assert sorted(found.classes) == sorted(["bus", "car", name]) and len(found.train) == 6
    assert layouts.detect(tmp_path / "traffic").layout == layouts.CLASSES


@pytest.mark.parametrize("tests", [["val"], ["Testing"], ["dev", "holdout"]])
def test_train_and_test_beside_others_are_splits_for_every_model(tmp_path, capsys, tests):
    folder = write_classes(tmp_path / "traffic", bus=3, car=4, train=5, **dict.fromkeys(tests, 2))
    with pytest.raises(BadValueError, match="no class folders in .*/train.*if it is a class, as bus, car beside it"):
        find_labelled(folder)
    assert len(find_pictures(folder).train) == 5
    assert "bus (3 pictures), car (4 pictures)" in said(capsys)[0]
    assert layouts.detect(folder).layout == layouts.SINGLE and len(layouts.detect(folder).groups["train"]) == 5


def test_a_class_called_train_may_have_subfolders(tmp_path):
    write_classes(tmp_path / "traffic", bus=3, car=3)
    write_classes(tmp_path / "traffic" / "train", steam=2, freight=2)
    assert find_labelled(tmp_path / "traffic").classes == ["bus", "car", "train"]


# What is not used:


def said(capsys):
    return [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines() if "not used" in line]


def test_what_is_not_used_is_said_in_one_line(tmp_path, capsys):
    for name, count in (("train", 4), ("test", 2), ("validation", 12), ("masks", 1)):
        write(tmp_path / "cars" / name, count)
    write(tmp_path / "cars", 2)
    find_pictures(tmp_path / "cars")
    assert said(capsys) == ["not used: beside the folders (2 pictures), masks (1 picture), validation (12 pictures)"]
    found = datasets.find(tmp_path / "cars")
    assert len(found.test) == 12
    assert said(capsys) == ["not used: beside the folders (2 pictures), masks (1 picture), test (2 pictures)"]
    found = layouts.detect(tmp_path / "cars")
    assert any(remark.startswith("not used: ") and "validation (12 pictures)" in remark for remark in found.remarks)


def test_unused_classes_sides_and_files_are_said(tmp_path, capsys):
    for split in ("train", "test", "val"):
        write_classes(tmp_path / "pets" / split, cat=2, dog=2)
    find_labelled(tmp_path / "pets")
    assert said(capsys) == ["not used: val (4 pictures)"]
    for name in ("trainA", "trainB", "testA", "testB", "valA", "valB"):
        write(tmp_path / "sides" / name, 3)
    datasets.find_unpaired(tmp_path / "sides")
    assert said(capsys) == ["not used: valA (3 pictures), valB (3 pictures)"]
    datasets.find(tmp_path / "sides")
    assert said(capsys) == ["not used: testA (3 pictures), testB (3 pictures)"]
    write(tmp_path / "two" / "train", 3)
    write(tmp_path / "two" / "extra", 2)
    datasets.find_unpaired(tmp_path / "two", write(tmp_path / "other", 3))
    assert [line for line in said(capsys) if "extra (2 pictures)" in line]
    (write(tmp_path / "phone", 12) / "1.cr2").touch()
    find_pictures(tmp_path / "phone")
    assert said(capsys) == ["not used: 1 .cr2 file"]
