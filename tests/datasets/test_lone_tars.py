"""A tar archive that is named alone: a shard is read where it lies, anything else is unpacked, and a line tells."""

import os

import pytest
from support import sharded
from support.labelled import write
from support.sharded import encoded, shards, tar, wide

from keras_gan.datasets import archives, check_name_is_known, find, find_unpaired, lone_tar, tar_listing
from keras_gan.datasets.check import check
from keras_gan.datasets.labelled import find_labelled, find_pictures
from keras_gan.errors import BadValueError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_opened", set())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def many(member, count=20):
    return sum(map(member, range(count)), [])


@pytest.mark.parametrize(
    ("name", "finds", "members"),
    [
        ("photos.tar", find, many(sharded.pairs)),
        ("photos.tar", find_labelled, many(sharded.labelled)),
        ("photos.tar", find_labelled, [("deep/" + name, content) for name, content in many(sharded.labelled)]),
        ("00000.tar", find, [(f"{number}.png", wide(number)) for number in range(20)]),
        ("train-00003-of-00007.tar", find_pictures, many(sharded.singles)),
        ("photos_3.tar", find_pictures, [(f"./all/{number}.png", encoded(number)) for number in range(20)]),
    ],
)
def test_a_shard_is_read_where_it_lies(tmp_path, capsys, name, finds, members):
    tar(tmp_path / "datasets" / name, members)
    for named in (name, f"datasets/{name}"):
        check_name_is_known(named)
        found = finds(named)
        assert (found.name, len(found.train), len(found.test)) == (name.removesuffix(".tar"), 18, 2)
        line = f"{found.name}: datasets/{name} is read where it lies, as a shard\n"
        assert capsys.readouterr().out == line
    assert os.listdir("datasets") == [name]


@pytest.mark.parametrize(
    ("name", "finds", "folders", "members"),
    [
        ("photos.tar", find_pictures, [""], many(sharded.singles)),  # as good as a folder, and no shard by its name
        ("00000.tar", find_labelled, ["cat/", "dog/"], many(sharded.singles)),
        ("00000.tar", find_unpaired, ["my/trainA/", "my/trainB/", "my/testA/", "my/testB/"], many(sharded.singles)),
        ("00000.tar", find_pictures, ["train/"], many(sharded.singles)),
        ("00000.tar", find_pictures, ["train/", "test/"], many(sharded.labelled)),
    ],
)
def test_an_archive_is_unpacked(tmp_path, capsys, name, finds, folders, members):
    tar(tmp_path / name, [(folder + member, content) for folder in folders for member, content in members])
    check_name_is_known(name)
    finds(name)
    assert f"Unpacked {name} to {name.removesuffix('.tar')}." in capsys.readouterr().out


def test_folders_are_seen_wherever_they_begin(tmp_path, monkeypatch):
    monkeypatch.setattr(tar_listing, "CHUNK", 3)
    monkeypatch.setattr(tar_listing, "READ", 2048)
    far = "x" * 120
    path = tar(tmp_path / "0.tar", [*many(sharded.singles, 10), (f"{far}/train/1.png", encoded(1))])
    told = [*lone_tar.folders_in(path, path.stat().st_size)]
    assert {*told} == {"", f"{far}/train"} and len(told) > 3
    assert not lone_tar.is_shard(path)


def test_hidden_and_other_files_and_damage_are_no_reason_to_unpack(tmp_path, capsys):
    path = tar(tmp_path / "0.tar", [("meta/list.json", b"{}"), ("test/._1.png", b""), *many(sharded.singles)])
    path.write_bytes(path.read_bytes()[:-12_000])
    assert len(find_pictures("0.tar").train) > 9
    assert "cut short" in capsys.readouterr().err and not (tmp_path / "0").exists()


def test_what_is_no_tar_is_told_in_one_line(tmp_path):
    (tmp_path / "0.tar").write_bytes(b"no archive" * 1000)
    with pytest.raises(BadValueError, match="starts with b'no': it is neither"):
        find_pictures("0.tar")
    assert not (tmp_path / "0").exists()


def test_an_unpacked_shard_does_not_hide_the_others(tmp_path, capsys):
    shards(tmp_path / "x", 3, 10, sharded.singles)
    write(tmp_path / "x" / "001" / "deep", 4)
    assert len(find_pictures("x").train) == 27
    assert "x: not used, since their shards are: x/001\n" in capsys.readouterr().out
    write(tmp_path / "x" / "other", 4)
    assert len(find_pictures("x").train + find_pictures("x").test) == 8


def test_a_folder_of_one_tar(tmp_path):
    tar(tmp_path / "pairs" / "photos.tar", many(sharded.pairs))
    tar(tmp_path / "sides" / "000.tar", [("A/1.png", encoded(1)), ("B/1.png", encoded(2))])
    assert len(find("pairs").train) == 18
    with pytest.raises(BadValueError, match="no pictures in sides"):
        find("sides")


def test_commands_that_take_folders_say_so(tmp_path):
    tar(tmp_path / "00000.tar", many(sharded.singles))
    with pytest.raises(BadValueError, match=r"'00000\.tar' .* check takes a folder"):
        check("00000.tar")
