"""Archives named as data sets."""

import errno
import os
import stat
import tarfile
import zipfile

import pytest
from support.labelled import write, write_classes

from keras_gan.datasets import archives, find, find_unpaired, make_pairs
from keras_gan.datasets.folders import files
from keras_gan.datasets.labelled import find_labelled, find_pictures
from keras_gan.errors import BadValueError


@pytest.fixture(autouse=True)
def another_process(monkeypatch, tmp_path):
    monkeypatch.setattr(archives, "_opened", set())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def zipped(folder, path, wrapper=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in files(folder):
            archive.write(file, wrapper + file.relative_to(folder).as_posix())
    return path


@pytest.mark.parametrize("wrapper", ["", "pets/", "pets-main/"])
def test_a_zip_is_unpacked_once_beside_itself(tmp_path, monkeypatch, capsys, wrapper):
    write_classes(tmp_path / "made" / "train", cat=3, dog=3)
    write_classes(tmp_path / "made" / "test", cat=1, dog=1)
    (tmp_path / "datasets").mkdir()
    zipped(tmp_path / "made", tmp_path / "datasets" / "pets.zip", wrapper)
    monkeypatch.chdir(tmp_path)
    for name, line in (("pets.zip", "Unpacked"), ("datasets/pets.zip", "was unpacked before")):
        archives._opened.clear()
        found = find_labelled(name)
        assert (found.name, found.classes, len(found.train), len(found.test)) == ("pets", ["cat", "dog"], 6, 2)
        assert line in capsys.readouterr().out
    assert sorted(os.listdir("datasets")) == ["pets", "pets.zip"]


def test_a_tar_of_one_split_keeps_its_folder(tmp_path):
    write(tmp_path / "made" / "train", 4)
    with tarfile.open(tmp_path / "cars.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "made" / "train", "train")
    found = find_pictures(tmp_path / "cars.tar.gz")
    assert len(found.train + found.test) == 4 and (tmp_path / "cars" / "train").is_dir()


def test_archives_that_cannot_be_opened(tmp_path):
    (tmp_path / "cars.zip").write_bytes(b"PK no archive")
    (tmp_path / "cars.rar").write_bytes(b"Rar!")
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("../out.png", b"x")
    for name, message in (
        ("cars.zip", "cannot be unpacked"),
        ("cars.rar", "unpack it and name its folder"),
        ("bad.zip", "leads out of its folder"),
    ):
        with pytest.raises(BadValueError, match=message):
            find_pictures(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.zip", "cars.rar", "cars.zip"]


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_every_kind_of_tar_has_the_layouts_of_folders(tmp_path, ending):
    for split, count in (("trainA", 3), ("trainB", 3), ("testA", 1), ("testB", 1)):
        write(tmp_path / "made" / split, count)
    with tarfile.open(tmp_path / f"sides.{ending}", f"w:{ending.partition('.')[2]}") as archive:
        archive.add(tmp_path / "made", "content/drive/MyDrive/sides")
    found = find_unpaired(tmp_path / f"sides.{ending}")
    assert [len(side) for side in (found.train_A, found.train_B, found.test_A, found.test_B)] == [3, 3, 1, 1]
    assert len(find(tmp_path / f"sides.{ending}").train) == 3


PARTS = "pets-20260131T120000Z-{:03}", "pets-20260131T120000Z-1-{:03}", "pets.part{}", "pets_part_{}"


@pytest.mark.parametrize("name", PARTS)
def test_all_parts_of_an_archive_are_unpacked_whichever_is_named(tmp_path, name, capsys):
    write_classes(tmp_path / "made", cat=4, dog=4)
    pictures = files(tmp_path / "made")
    for number in (1, 2, 3):
        with zipfile.ZipFile(tmp_path / f"{name.format(number)}.zip", "w") as archive:
            archive.writestr("__MACOSX/pets/cat/._0.png", b"junk")
            for file in pictures[number - 1 :: 3]:
                archive.write(file, f"pets/{file.relative_to(tmp_path / 'made').as_posix()}")
    found = find_labelled(tmp_path / f"{name.format(2)}.zip")
    assert (found.classes, len(found.train + found.test)) == (["cat", "dog"], 8)
    assert "and 2 more to" in capsys.readouterr().out


def test_a_missing_part_is_named(tmp_path):
    for number in (1, 3):
        zipped(tmp_path, tmp_path / f"pets-20260131T120000Z-{number:03}.zip")
    with pytest.raises(BadValueError, match=r"003.zip is part 3 of an archive, and part 2 is missing"):
        find_pictures(tmp_path / "pets-20260131T120000Z-001.zip")


def test_an_archive_in_a_folder_that_cannot_be_written_goes_to_the_cache(tmp_path, monkeypatch, capsys):
    write(tmp_path / "made", 5)
    zipped(tmp_path / "made", tmp_path / "photos.zip")
    make = archives.unfinished_folder

    def refuse(path):
        if path.parent == tmp_path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return make(path)

    monkeypatch.setattr(archives, "unfinished_folder", refuse)
    for _ in range(2):
        assert len(find_pictures(tmp_path / "photos.zip").train) == 4
    assert not (tmp_path / "photos").exists()
    assert capsys.readouterr().out.count(f"to {tmp_path / 'cache' / 'keras_gan' / 'archives'}") == 1


def test_hostile_parts_leave_nothing(tmp_path):
    zipped(tmp_path, tmp_path / "pets.part1.zip")
    with zipfile.ZipFile(tmp_path / "pets.part2.zip", "w") as archive:
        link = zipfile.ZipInfo("pets/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BadValueError, match="part2.zip: the archive has a link"):
        find_pictures(tmp_path / "pets.part1.zip")
    assert sorted(os.listdir(tmp_path)) == ["pets.part1.zip", "pets.part2.zip"]


@pytest.mark.parametrize("kind", ["bz2", "xz"])
def test_a_bomb_in_other_compressions_is_refused(tmp_path, kind, monkeypatch):
    monkeypatch.setattr("keras_gan.datasets.unpack.MAX_EXTRA", 1_000_000)
    (tmp_path / "zeros").write_bytes(bytes(30_000_000))
    with tarfile.open(tmp_path / f"bomb.tar.{kind}", f"w:{kind}") as archive:
        archive.add(tmp_path / "zeros", "1.png")
    with pytest.raises(BadValueError, match="unpacks to more than"):
        find_pictures(tmp_path / f"bomb.tar.{kind}")


def test_pairs_are_made_of_archives(tmp_path):
    write(tmp_path / "made", 5)
    zipped(tmp_path / "made", tmp_path / "photos.zip")
    assert make_pairs.make_pairs("gray", tmp_path / "photos.zip", tmp_path / "out")[1:] == (4, 1, 0)
