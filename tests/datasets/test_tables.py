"""Labels from a table: classes and attributes of the pictures in a folder."""

import numpy as np
import pytest
from PIL import Image
from support.toy import Toy

from keras_gan import CGAN, generate, generators
from keras_gan.datasets.conditions import Conditions
from keras_gan.datasets.labelled import find_labelled, find_pictures
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.images.sources import source

ATTRIBUTES = "file,Hat,Smile\n" + "".join(f"{n}.png,{n % 2},{'1' if n % 3 else '-1'}\n" for n in range(12))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with pictures 0.png to 11.png, as the working directory's `pictures`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    for number in range(12):
        Image.new("L", (16, 16), 20 * number).save(tmp_path / "pictures" / f"{number}.png")
    return tmp_path


def table(folder, text, name="table.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def classes_of(found):
    """{file: class} of both splits."""
    return {source(p).stem: found.classes[p.label] for p in [*found.train, *found.test]}


def rows(join=",", end=".png", head=""):
    return head + "".join(f"{n}{end}{join}{'odd' if n % 2 else 'even'}\n" for n in range(12))


@pytest.mark.parametrize(
    "text",
    [
        rows(),
        rows(head="file,class\n"),
        rows(";"),
        rows("\t", head="image_id\tbreed\n"),
        rows(end=""),  # without extensions
        rows(head="\ufeffFilename,Label\n"),
        "id,x,label\n" + "".join(f"./{n}.png,{n},{'odd' if n % 2 else 'even'}\n\n" for n in range(12)),
        "".join(f'"{n}.png", {"odd" if n % 2 else "even"}\n' for n in range(12)),
    ],
)
def test_a_table_gives_each_picture_its_class(folder, text):
    found = find_labelled("pictures", table=table(folder, text))
    assert found.classes == ["even", "odd"]
    assert classes_of(found) == {str(n): "odd" if n % 2 else "even" for n in range(12)}
    assert len(found.test) == 2 and found.is_held_out  # one of each class


def test_classes_are_in_natural_order_and_splits_are_kept(folder):
    for split, numbers in (("train", range(9)), ("test", range(9, 12))):
        (folder / "pictures" / split).mkdir()
        for number in numbers:
            (folder / "pictures" / f"{number}.png").rename(folder / "pictures" / split / f"{number}.png")
    text = "".join(f"{n}.png,kind {10 if n % 2 else 2}\n" for n in range(12))
    found = find_labelled("pictures", table=table(folder, text))
    assert found.classes == ["kind 2", "kind 10"]
    assert (len(found.train), len(found.test)) == (9, 3) and not found.is_held_out
    with pytest.raises(BadValueError, match="class 'new' is in .*test but not in .*train"):
        find_labelled("pictures", table=table(folder, text.replace("11.png,kind 10", "11.png,new")))


def test_what_is_missing_on_either_side_is_said(folder, capsys):
    text = rows().replace("3.png,odd\n", "").replace("5.png,odd\n", "") + "lost.png,odd\n"
    found = find_labelled("pictures", table=table(folder, text))
    assert len(found.train) + len(found.test) == 10
    said = capsys.readouterr().out
    assert "10 pictures with labels of" in said and "it has no header" in said
    assert "does not name them: 2 pictures: 3.png, 5.png" in said
    assert "but not in pictures: 1 picture: lost.png" in said


def test_pictures_of_one_name_are_told_apart_by_their_folders(folder):
    for place in ("a", "b"):
        (folder / "pictures" / place).mkdir()
        for number in range(2):
            Image.new("L", (16, 16)).save(folder / "pictures" / place / f"{number}.jpg")
    text = "".join(f"{place}/{number}.jpg,{place}\n" for place in "ab" for number in range(2))
    found = find_labelled("pictures", table=table(folder, text))
    assert {source(p).parent.name: found.classes[p.label] for p in found.train} == {"a": "a", "b": "b"}
    with pytest.raises(BadValueError, match=r"line 5: '0.jpg' may be .*a/0.jpg or .*b/0.jpg: write the path"):
        find_labelled("pictures", table=table(folder, text + "0.jpg,a\n"))


def test_attributes_are_zeros_and_ones(folder):
    found = find_labelled("pictures", table=table(folder, ATTRIBUTES), attributes="all")
    assert found.classes == ["Hat", "Smile"] and found.are_attributes
    assert {source(p).stem: p.label for p in [*found.train, *found.test]} == {
        str(n): (n % 2, int(n % 3 > 0)) for n in range(12)
    }
    some = find_labelled("pictures", table=table(folder, ATTRIBUTES), attributes="Smile")
    assert some.classes == ["Smile"] and {p.label for p in some.train} == {(0,), (1,)}


FAULTS = {
    "a missing column": ("file,class\n0.png,a\n1.png\n", None, "line 3: it has 1 column; expected file name and class"),
    "one column": ("0.png\n1.png\n", None, "line 1: it has 1 column; expected file name and class"),
    "no class": ("0.png,a\n1.png,\n", None, "line 2: no class"),
    "nothing": ("\n", None, "it is empty; expected file name and class"),
    "a header only": ("file,class\n", None, "line 1: it has a header and no more"),
    "no picture of the folder": ("a,b\nc,d\n", None, "it names none of 12 pictures to train in pictures"),
    "two classes for one": ("0.png,a\n0.png,b\n", None, "line 2: '0.png' has another class in a line before"),
    "attributes that were not asked for": (ATTRIBUTES, None, "none of them, or several, are called class or label"),
    "an unknown attribute": (ATTRIBUTES, "Hat,Wig", "no column 'Wig', its columns are Hat, Smile"),
    "an attribute twice": (ATTRIBUTES, "Hat,Hat", "attributes must be different columns"),
    "another value": (ATTRIBUTES.replace("-1", "2", 1), "all", "line 2: Smile is '2'; an attribute is 1, or 0 or -1"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_table_that_cannot_be_used_is_named_in_one_line(folder, fault):
    text, attributes, message = FAULTS[fault]
    with pytest.raises(BadValueError) as refused:
        find_labelled("pictures", table=table(folder, text), attributes=attributes)
    assert message in str(refused.value) and str(refused.value).startswith(f"labels '{folder}")
    assert "\n" not in str(refused.value)


def test_what_is_no_table_is_refused(folder):
    (folder / "latin.csv").write_bytes("0.png,groß\n".encode("latin-1"))
    for name, error, message in (
        ("nowhere.csv", NotFoundError, "no table of labels 'nowhere.csv'"),
        ("pictures", NotFoundError, "no table of labels 'pictures'"),
        ("latin.csv", BadValueError, "it cannot be read as a CSV file in UTF-8"),
        ("pictures/0.png", BadValueError, "it cannot be read as a CSV file in UTF-8"),
    ):
        with pytest.raises(error, match=message):
            find_labelled("pictures", table=name)
    for name, message in ((None, "no data set is named"), ("drawn_digits", "'drawn_digits' is none")):
        with pytest.raises(BadValueError, match=f"labels 'x.csv' are for a folder of pictures, and {message}"):
            find_labelled(name, table="x.csv")
    with pytest.raises(BadValueError, match="attributes 'all' are columns of a table of labels: name it"):
        find_labelled("pictures", attributes="all")


def test_models_without_labels_take_the_pictures_of_the_table(folder):
    found = find_pictures("pictures", table=table(folder, "".join(f"{n}.png,a,b\n" for n in range(5))))
    assert {source(p).stem for p in [*found.train, *found.test]} == set("01234") and found.classes == ["pictures"]
    gan = Toy(dataset_name="pictures", labels=table(folder, "0.png,a\n1.png,b\n"))
    assert len(gan.data_loader.train) == len(gan.data_loader.test) == 1


def test_conditions():
    kinds = Conditions(["Hat", "Smile"], are_attributes=True)
    for asked in ("Hat", ["Hat"], {"Hat"}, [1, 0], np.array([1, 0]), "Hat, Hat"):
        assert kinds.label(asked) == (1, 0)
    assert kinds.label("none") == kinds.label([]) == (0, 0) and kinds.label("Smile,Hat") == (1, 1)
    assert [kinds.title(label) for label in ((0, 0), (1, 1))] == ["none", "Hat,Smile"]
    assert kinds.every() == [(1, 0), (0, 1)] and kinds.array([(0, 1)]).dtype == "float32"
    for asked in ("Wig", ["Hat", "Wig"], 7):
        with pytest.raises(BadValueError, match="unknown attribute .* the attributes are Hat, Smile, or none"):
            kinds.label(asked)
    assert Conditions(["cat", "dog"]).typed("1") == 1 and Conditions(["2", "1"]).typed("1") == 1


@pytest.fixture
def faces(folder):
    """Makes a tiny CGAN of the attributes."""
    table(folder, ATTRIBUTES)
    options = {"img_shape": (16, 16, 1), "gf": 2, "df": 2, "latent_dim": 3, "seed": 0, "output": "run"}
    return CGAN(dataset_name="pictures", labels="table.csv", attributes="all", **options)


def test_a_cgan_of_attributes_makes_and_shows_sets_of_them(faces):
    assert faces.generate(["Hat", ["Smile", "Hat"], [0, 0]]).shape == (3, 16, 16, 1)
    assert set(faces.fixed_sample().captions) == {"none", "Hat", "Smile", "Hat,Smile"}
    imgs, labels = faces.data_loader.load_data(3)
    assert labels.shape == (3, 2) and labels.dtype == "float32" and len(imgs) == 3


@pytest.mark.slow
def test_a_cgan_of_attributes_trains_resumes_and_makes_pictures(faces):
    faces.train(epochs=1, batch_size=4, steps_per_epoch=2, quiet=True)
    again = CGAN.resume("run", epochs=2)
    assert int(again.iteration) == 4 and again.classes == ["Hat", "Smile"]
    generator = generators.find("run")
    assert generator.kind == "labelled" and generator.classes == 2 and generator.are_attributes
    made = generate("run", 2, classes=["Hat", "Hat,Smile"])
    assert made.shape == (2, 16, 16, 1) and made.dtype == "uint8"
