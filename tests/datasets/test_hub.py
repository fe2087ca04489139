"""Data sets of the hub's library, from files on this disk: no test needs a network."""

import errno
import importlib.util
import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_gan.datasets import check_name_is_known, find, find_unpaired, hub
from keras_gan.datasets.hub import Asked
from keras_gan.datasets.hub_columns import columns_of, sides_of
from keras_gan.datasets.labelled import find_labelled, find_pictures
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.translate.trained import located

needs_library = pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="the extra hub is not installed")


def picture(number, kind="PNG"):
    content = io.BytesIO()
    Image.fromarray(np.random.default_rng(number).integers(0, 256, (8, 8, 3), "uint8")).save(content, kind)
    return content.getvalue()


def pictures(count, kind="PNG", start=0):
    return [{"bytes": picture(start + number, kind), "path": None} for number in range(count)]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hub, "_opened", set())
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    return tmp_path


def table(path, columns, **types):
    """Writes a Parquet file, with the types of the library."""
    datasets = importlib.import_module("datasets")
    datasets.disable_progress_bars()
    features = datasets.Features({name: types.get(name) or datasets.Image() for name in columns})
    path.parent.mkdir(parents=True, exist_ok=True)
    datasets.Dataset.from_dict(columns, features=features).to_parquet(str(path))


def text():
    return importlib.import_module("datasets").Value("string")


def classes(*names):
    return importlib.import_module("datasets").ClassLabel(names=list(names))


@needs_library
def test_a_table_of_pairs_becomes_a_folder_of_pairs(here, capsys):
    columns = {"original_image": pictures(12, "JPEG"), "edit": ["x"] * 12, "edited_image": pictures(12, start=50)}
    table(here / "edits.parquet", columns, edit=text())
    for name in ("edits.parquet", "hf:edits.parquet"):
        found = find(name)
        assert (len(found.train), len(found.test)) == (10, 2)
    pair = found.train[0]
    assert (pair.picture.name, pair.partner.name) == ("0000001.jpg", "0000001.png")
    assert pair.picture.read_bytes() == picture(1, "JPEG") and pair.partner.read_bytes() == picture(51)
    assert len(find_unpaired("edits.parquet").train_A) == 10
    out = capsys.readouterr().out
    assert "(A: original_image, B: edited_image; not used: edit)." in out and out.count("Saved") == 1
    assert len(os.listdir("datasets")) == 1


@needs_library
def test_classes_and_splits(here):
    label = classes("T-shirt / top", "Boot")
    for split, count in (("train", 6), ("test", 4)):
        labels = [number % 2 for number in range(count - 1)] + [-1]
        table(here / "clothes" / f"{split}-00000.parquet", {"image": pictures(count), "label": labels}, label=label)
    found = find_labelled("hf:clothes")
    assert (sorted(found.classes), len(found.train), len(found.test)) == (["Boot", "T-shirt _ top"], 5, 3)
    assert len(find_pictures("hf:clothes,first=2,split=test").train) == 1
    with pytest.raises(BadValueError, match="hf:clothes has no split 'val': it has train, test"):
        find_pictures("hf:clothes,split=val")


@needs_library
def test_sides_named_by_a_label(here):
    table(here / "sides.parquet", {"image": pictures(8), "label": [0, 1] * 4}, label=classes("A", "B"))
    found = find_unpaired("sides.parquet")
    assert (len(found.train_A), len(found.train_B)) == (3, 3)


@needs_library
def test_an_image_folder_with_metadata(here):
    for side in "AB":
        for number in range(4):
            (here / "set" / side).mkdir(parents=True, exist_ok=True)
            (here / "set" / side / f"{number}.png").write_bytes(picture(number))
    rows = [json.dumps({"input_file_name": f"A/{i}.png", "target_file_name": f"B/{3 - i}.png"}) for i in range(4)]
    (here / "set" / "metadata.jsonl").write_text("\n".join(rows))
    found = find("hf:set")
    assert found.train[0].picture.read_bytes() == found.train[1].partner.read_bytes() == picture(1)


@needs_library
def test_what_the_library_has_saved_and_mere_bytes(here):
    datasets = importlib.import_module("datasets")
    rows = datasets.Dataset.from_dict({"photo": [picture(i) for i in range(5)], "text": ["x"] * 5})
    datasets.DatasetDict({"train": rows, "validation": rows, "extra": rows}).save_to_disk("disk")
    found = find_pictures("hf:disk")
    assert (len(found.train), len(found.test)) == (5, 5)


@needs_library
def test_a_changed_file_is_read_again(here):
    for count in (4, 6):
        table(here / "a.parquet", {"image": pictures(count)})
        found = find_pictures("a.parquet")
        assert len(found.train + found.test) == count


@needs_library
def test_a_run_finds_its_folder_and_fetches_nothing_to_translate(here):
    assert located("hf:some/set") is None
    table(here / "a.parquet", {"image": pictures(4)})
    check_name_is_known("hf:a.parquet")
    assert located("hf:a.parquet") == Path("datasets", *os.listdir("datasets"))


@needs_library
@pytest.mark.parametrize(
    ("columns", "name", "message"),
    [
        ({"left": 3, "up": 3}, "x.parquet", "which are A and B cannot be told: name them, hf:x.parquet,A=left,B=up"),
        ({"a": 3, "b": 3}, "hf:x.parquet,A=c", "has no column of pictures 'c': it has a, b"),
        ({"a": 3, "b": 3}, "hf:x.parquet,label=c", "has no column 'c': it has a, b"),
        ({"edit": 3}, "x.parquet", "has no pictures: its columns are edit"),
        ({"image": 0}, "x.parquet", "no rows|cannot be read"),
    ],
)
def test_columns_that_cannot_be_taken_leave_nothing(here, columns, name, message):
    types = {"edit": text()} if "edit" in columns else {}
    table(here / "x.parquet", {c: ["x"] * n if c == "edit" else pictures(n) for c, n in columns.items()}, **types)
    with pytest.raises((BadValueError, NotFoundError), match=message) as raised:
        find(name)
    assert "\n" not in str(raised.value) and not Path("datasets").exists()


@needs_library
def test_a_full_disk_leaves_nothing(here, monkeypatch):
    def write(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    table(here / "x.parquet", {"image": pictures(2)})
    monkeypatch.setattr("keras_gan.datasets.hub_pictures.write", write)
    with pytest.raises(OSError, match="No space left"):  # a line of the command line names the way out
        find_pictures("x.parquet")
    assert not Path("datasets").exists()


@needs_library
def test_damage_leaves_nothing(here):
    table(here / "x.parquet", {"image": pictures(200)})
    content = bytearray((here / "x.parquet").read_bytes())
    content[1000:9000] = bytes(8000)
    (here / "x.parquet").write_bytes(content)
    with pytest.raises(NotFoundError, match="hf:x.parquet cannot be read"):
        find_pictures("x.parquet")
    assert not Path("datasets").exists()


@needs_library
def test_names_that_the_hub_does_not_have_and_no_network(here, monkeypatch):
    errors = importlib.import_module("huggingface_hub.errors")
    httpx = type("Answer", (), {"headers": {}, "request": None, "status_code": 404})()

    def answer(*arguments, **options):
        raise answers[0][0]

    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", answer)
    answers = [
        (errors.RepositoryNotFoundError("404", response=httpx), "no data set 'no/such' on the hub, and no such file"),
        (errors.GatedRepoError("403", response=httpx), "hf:no/such is gated: accept its terms"),
        (OSError("[Errno -2] Name or service\nnot known"), "the hub cannot be reached .*Name or service not known"),
    ]
    while answers:
        with pytest.raises(NotFoundError, match=answers[0][1]) as refused:
            check_name_is_known("hf:no/such")
        assert "\n" not in str(refused.value) and not Path("datasets").exists()
        answers.pop(0)


def test_a_data_set_larger_than_the_disk_is_not_begun(capsys):
    with pytest.raises(
        BadValueError, match="has 1000000.0 GB on the hub, and .* are free: take some rows, hf:x,first=1000"
    ):
        hub.check_room(Asked.of("hf:x"), 10**15)
    hub.check_room(Asked.of("hf:x,first=9"), 10**15)
    assert "its pictures are fetched once" in capsys.readouterr().out


def test_names_taken_apart(tmp_path):
    asked = Asked.of("hf:huggan/facades,A=imageA,first=10")
    assert (asked.name, asked.options) == ("huggan/facades", {"A": "imageA", "first": "10"})
    assert Asked.of("hf:huggan/facades").folder(tmp_path) == tmp_path / "hf-huggan--facades"
    assert asked.folder(tmp_path) != Asked.of("hf:huggan/facades,first=10").folder(tmp_path)
    for name, message in (
        ("hf:", "names no data set"),
        ("hf:x,size=3", "has 'size': write hf:NAME,OPTION=VALUE with A, B"),
        ("hf:x,A=", "has 'A'"),
        ("hf:x,first=0", "number of rows"),
    ):
        with pytest.raises(BadValueError, match=message):
            Asked.of(name)


def test_the_extra_is_named_if_it_is_missing(here, monkeypatch):
    (here / "datasets").mkdir()  # which Python would take for a package
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: importlib.util.spec_from_loader(name, None))
    with pytest.raises(BadValueError, match=r'hf:a/b needs the library datasets: python -m pip install ".\[hub\]"'):
        find("hf:a/b")


def test_a_folder_of_arrow_files_says_how_to_read_it(here):
    (here / "set").mkdir()
    (here / "set" / "train-00000.arrow").write_bytes(b"ARROW1")
    with pytest.raises(BadValueError, match=r"but 1 .arrow file \(to read these: hf:set\)"):
        find_pictures("set")


NAMES = {
    "imageA imageB": "imageA imageB",
    "image_b image_a": "image_a image_b",
    "B A": "A B",
    "original_image edited_image": "original_image edited_image",
    "image conditioning_image": "conditioning_image image",
    "pixel_values label": "pixel_values label",
    "target_img source_img": "source_img target_img",
    "sketch photo": "sketch photo",
    "image mask": "image mask",
    "photo picture": None,
    "source_img mask_img target_img": None,
    "input output depthless": "input output",
}


@pytest.mark.parametrize("names", NAMES)
def test_sides_are_told_by_names(names):
    found = sides_of(names.split())
    assert (found and f"{found['A']} {found['B']}") == NAMES[names]


def test_columns_that_the_user_names():
    row = {"p": picture(0), "q": picture(1), "fine_label": 3, "label": 2, "class": 1}
    for wanted, expected in (
        ({"A": "q"}, {"A": "q", "B": "p"}),
        ({"B": "q", "A": "p"}, {"A": "p", "B": "q"}),
        ({"image": "q"}, {"image": "q"}),  # two labels: none
        ({"image": "q", "label": "fine_label"}, {"image": "q", "label": "fine_label"}),
    ):
        assert columns_of(None, row, wanted, "hf:x") == expected
    with pytest.raises(BadValueError, match="cannot be told"):
        columns_of(None, row, {"A": "q", "B": "q"}, "hf:x")


def test_a_hub_folder_is_used_without_library_and_network(here, monkeypatch, capsys):
    for number in range(3):
        folder = here / "datasets" / "hf-huggan--facades" / "train"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(picture(number))
    monkeypatch.setattr(hub, "fetch", None)
    assert len(find_pictures("hf:huggan/facades").train) == 2
    assert "was fetched before" in capsys.readouterr().out
    shutil.rmtree(here / "datasets")
