"""`check`, `pairs` and `join` on files that never end and pictures that have no room in memory."""

import os

import numpy as np
import pytest
from PIL import Image
from support.pictures import opened

from keras_gan.datasets import make_pairs
from keras_gan.datasets.__main__ import main
from keras_gan.datasets.check import digest_of
from keras_gan.errors import BadValueError
from keras_gan.images.arrays import read_array
from keras_gan.machine import memory

ENDINGS = "png", "tif", "npy", "gif"


@pytest.fixture
def photos(tmp_path):
    """Photos of which four are FIFOs and four links to an endless device."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(12):
        pixels = np.random.default_rng(number).integers(0, 256, (16, 20, 3), "uint8")
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    for ending in ENDINGS:
        os.mkfifo(folder / f"{ending} fifo.{ending}")
        (folder / f"{ending} zero.{ending}").symlink_to("/dev/zero")
    return folder


@pytest.fixture
def little_memory(monkeypatch):
    """A machine with 200 MB of free memory."""
    monkeypatch.setattr(memory, "available", lambda: 2e8)


def test_pairs_reads_regular_files_only(photos, tmp_path, capsys):
    main(["pairs", "--from", "gray", str(photos), str(tmp_path / "out")])
    said = capsys.readouterr()
    assert said.err.count(": it is not a regular file (") == 8 and len(said.err.splitlines()) == 8
    assert "Made 12 pairs" in said.out and "skipped 8 broken" in said.out


def test_check_reads_regular_files_only(photos, tmp_path, capsys):
    main(["check", str(photos), "--sheet", str(tmp_path / "sheet.png")])
    said = capsys.readouterr()
    assert "broken    8: " in said.out and "fifo.gif: it is not a regular file" in said.out
    assert opened(tmp_path / "sheet.png").size[0] > 100


def test_join_reads_regular_files_only(photos, tmp_path, capsys):
    main(["join", str(photos), str(copy_of(photos)), str(tmp_path / "out")])
    assert "Made 12 pairs" in capsys.readouterr().out


def copy_of(folder):
    """A folder with the regular files of another, and ordinary pictures for all others."""
    other = folder.with_name("other")
    other.mkdir()
    for path in folder.iterdir():
        Image.new("RGB", (20, 16)).save(other / f"{path.stem}.png")
    return other


@pytest.mark.parametrize("size", ["99999999", "20000x30000"])
def test_a_size_beyond_memory_is_refused_before_anything_is_written(size, photos, tmp_path, capsys, little_memory):
    for words in (["pairs", "--from", "edges", photos], ["join", photos, photos.parent]):
        with pytest.raises(SystemExit) as stop:
            main([*map(str, words), str(tmp_path / "out"), "--size", size])
        said = capsys.readouterr().err
        assert stop.value.code == 2 and len(said.splitlines()) == 1
        assert (
            f" x {size.split('x')[0]} pixels a half are too large, it takes " in said and "name a smaller one" in said
        )
    assert not (tmp_path / "out").exists()


def test_vast_pictures_are_skipped_by_name(tmp_path, capsys, little_memory):
    (tmp_path / "photos").mkdir()
    for number in range(4):
        Image.new("RGB", (8, 8), (9 * number, 0, 0)).save(tmp_path / "photos" / f"{number}.png")
    Image.new("L", (16_000_000, 2)).save(tmp_path / "photos" / "long.png")
    main(["pairs", "--from", "gray", str(tmp_path / "photos"), str(tmp_path / "out")])
    assert "long.png: it takes 384 MB of memory, and 200 MB are free (1 skipped" in capsys.readouterr().err
    main(["check", str(tmp_path / "photos"), "--sheet", str(tmp_path / "sheet.png")])
    assert "long.png: it takes 384 MB" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["deep.npy", "deep.tif"])
def test_a_vast_array_is_refused_before_it_is_read(name, tmp_path, little_memory):
    path, values = tmp_path / name, np.zeros((300, 300, 100), "uint8")
    if name.endswith(".npy"):
        np.save(path, values)
    else:
        import tifffile

        tifffile.imwrite(path, values, photometric="minisblack", planarconfig="contig")
    with pytest.raises(ValueError, match=r"^it takes 216 MB of memory, and 200 MB are free$"):
        read_array(path)


def test_a_lack_of_memory_while_drawing_skips_the_picture(tmp_path, capsys, monkeypatch):
    def lacking(image):
        if image.getpixel((0, 0))[0] == 9:
            raise MemoryError
        return image

    monkeypatch.setitem(make_pairs.KINDS, "gray", lacking)
    (tmp_path / "photos").mkdir()
    for number in range(4):
        Image.new("RGB", (8, 8), (9 * number, 0, 0)).save(tmp_path / "photos" / f"{number}.png")
    assert make_pairs.make_pairs("gray", tmp_path / "photos", tmp_path / "out").skipped == 1
    assert "1.png: there is too little memory for it" in capsys.readouterr().err


def test_files_are_hashed_in_parts(tmp_path):
    for size in (0, 5, 2**20, 2**20 + 1):
        (tmp_path / "file").write_bytes(bytes(size))
        assert len(digest_of(tmp_path / "file")) == 32


def test_a_full_folder_of_a_split_is_not_replaced(photos, tmp_path):
    (tmp_path / "out" / "train").mkdir(parents=True)
    make_pairs.make_pairs("gray", photos, tmp_path / "out")
    (tmp_path / "more" / "val").mkdir(parents=True)
    (tmp_path / "more" / "val" / "notes.txt").touch()
    with pytest.raises(BadValueError, match="val exists and is not empty"):
        make_pairs.make_pairs("gray", photos, tmp_path / "more")
    assert [path.name for path in (tmp_path / "more").rglob("*")] == ["val", "notes.txt"]
