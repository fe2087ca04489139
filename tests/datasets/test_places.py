"""Where a data set may lie: links, archives, files of unknown kinds, and names that mean no data set."""

import subprocess
import sys
import types
import warnings
from pathlib import Path

import pytest
from PIL import Image
from support.numbered import picture, write

from keras_gan import datasets
from keras_gan.datasets import layouts
from keras_gan.datasets.folders import files, locate
from keras_gan.datasets.labelled import find_labelled, find_pictures
from keras_gan.errors import BadValueError
from keras_gan.images.sources import read_picture

# Links:


def test_links_to_folders_and_files_are_followed(tmp_path):
    pool = write(tmp_path / "pool", 41)
    write(tmp_path / "cars" / "train", 5)
    (tmp_path / "cars" / "train" / "more").symlink_to(pool)
    (tmp_path / "cars" / "train" / "linked.png").symlink_to(pool / "00.png")
    (tmp_path / "cars" / "test").symlink_to(write(tmp_path / "held", 3))
    found = find_pictures(tmp_path / "cars")
    assert (len(found.train), len(found.test)) == (47, 3)
    (tmp_path / "pets").mkdir()
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).symlink_to(write(tmp_path / f"all-{name}", 3))
    assert find_labelled(tmp_path / "pets").classes == ["cat", "dog"]
    (tmp_path / "alias").symlink_to(tmp_path / "cars")
    assert len(find_pictures(tmp_path / "alias").train) == 47


def test_loops_of_links_end_and_no_folder_counts_twice(tmp_path):
    folder = write(tmp_path / "cars", 3)
    write(folder / "old", 2)
    for name, target in (("self", "."), ("up", ".."), ("old/back", ".."), ("twice", "old"), ("gone", "nowhere")):
        (folder / name).symlink_to(target, target_is_directory=True)
    write(tmp_path, 9)
    assert [path.relative_to(folder).as_posix() for path in files(folder)] == [
        *("00.png", "01.png", "02.png", "old/00.png", "old/01.png")
    ]


def test_a_link_does_not_bring_test_pictures_into_training(tmp_path):
    write(tmp_path / "cars" / "test", 2)
    write(tmp_path / "cars", 4)
    (tmp_path / "cars" / "a link").symlink_to("test")
    found = find_pictures(tmp_path / "cars")
    assert (len(found.train), len(found.test)) == (4, 2)
    write(tmp_path / "cars" / "train", 3)
    (tmp_path / "cars" / "train" / "all").symlink_to("..")
    assert len(find_pictures(tmp_path / "cars").train) == 3


# Names:


@pytest.mark.parametrize("name", ["", " ", "  \t"])
@pytest.mark.parametrize("find", [datasets.find, datasets.find_unpaired, find_labelled, find_pictures, locate])
def test_an_empty_name_is_an_error(tmp_path, monkeypatch, name, find):
    monkeypatch.chdir(write(tmp_path / "here", 3))
    with pytest.raises(BadValueError, match="the data set has the empty name .*: name a folder of pictures"):
        find(name)


def test_places_that_hold_more_than_a_data_set(tmp_path, monkeypatch):
    for place in ("here/datasets/cars", "home/cars"):
        write(tmp_path / place, 3)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("/", ".", "datasets", "datasets/..", Path("."), Path.home(), tmp_path / "here"):
        with pytest.raises(BadValueError, match="which is no data set: name a folder of pictures in it"):
            find_pictures(name)
    monkeypatch.chdir(tmp_path / "here" / "datasets" / "cars")
    assert len(find_pictures(".").train) == 2  # a folder of pictures, named by its path


def test_the_second_name_may_not_be_empty_either(tmp_path):
    with pytest.raises(BadValueError, match="empty name"):
        datasets.find_unpaired(write(tmp_path / "a", 3), "")


def test_a_picture_is_no_folder(tmp_path):
    with pytest.raises(BadValueError, match=r"00.png is a picture: name the folder that it lies in"):
        datasets.find(write(tmp_path / "a", 3) / "00.png")


# Files of unknown kinds:


def fill(folder, **counts):
    folder.mkdir(parents=True, exist_ok=True)
    for kind, count in counts.items():
        for number in range(count):
            (folder / f"{number}.{kind}").write_bytes(b"what only another program reads")
    return folder


@pytest.mark.parametrize("place", ["", "train"])
@pytest.mark.parametrize("find", [datasets.find, find_labelled, find_pictures, layouts.detect])
def test_what_is_there_instead_of_pictures_is_named(tmp_path, monkeypatch, place, find):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    fill(tmp_path / "phone" / place, HEIC=12, txt=1)
    with pytest.raises(BadValueError, match=r'but 12 \.heic, 1 \.txt files \(.*: python -m pip install "\.\[heic\]"'):
        find(tmp_path / "phone")


@pytest.mark.parametrize("names", [("sides",), ("phone", "cars"), ("cars", "phone"), ("gray2colour:phone",)])
def test_what_is_there_instead_of_the_pictures_of_a_side(tmp_path, monkeypatch, names):
    monkeypatch.chdir(tmp_path)
    for place in ("sides/trainA", "sides/trainB", "phone"):
        fill(tmp_path / place, mov=3)
    write(tmp_path / "cars", 3)
    with pytest.raises(BadValueError, match=r"has no pictures in .*, but 3 \.mov files; expected"):
        datasets.find_unpaired(*names)


def test_other_pictures_beside_readable_ones_are_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    find_pictures(fill(write(tmp_path / "phone", 3), heic=40, txt=2))
    assert 'not used: 40 .heic files (to read HEIC: python -m pip install ".[heic]" in ' in capsys.readouterr().out


def test_pillow_heif_is_registered_if_it_is_installed(tmp_path, monkeypatch):
    kinds, readers, names = dict(Image.EXTENSION), dict(Image.OPEN), list(Image.ID)

    def register():
        Image.register_open("HEIF", None)
        Image.register_extension("HEIF", ".heic")

    monkeypatch.setitem(sys.modules, "pillow_heif", types.SimpleNamespace(register_heif_opener=register))
    try:
        assert len(files(fill(tmp_path / "phone", HEIC=3))) == 3
    finally:
        for known, before in ((Image.EXTENSION, kinds), (Image.OPEN, readers)):
            known.clear()
            known.update(before)
        Image.ID[:] = names


# Pillow's warnings:


def test_corrupt_exif_data_is_silent(tmp_path):
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x05\x00\x0f\x01\x02\x00\xff\x00\x00\x00\x10\x00\x00\x00"
    picture(1).save(tmp_path / "1.jpg", exif=exif)
    with warnings.catch_warnings(record=True) as loud:
        warnings.simplefilter("always")
        read_picture(tmp_path / "1.jpg")
    assert any("Corrupt EXIF data" in str(warning.message) for warning in loud)
    code = "from keras_gan.datasets import files; from keras_gan.images.sources import read_picture; "
    code += f"import warnings; read_picture({str(tmp_path / '1.jpg')!r}); warnings.warn('another')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "another" in done.stderr and "EXIF" not in done.stderr
