"""Random crops of the original pixels, the size before them, and their cache."""

import os

import numpy as np
import pytest
from PIL import Image
from support.numbered import levels, loaded, picture, write, write_sides

from keras_gan.data import cache, stores
from keras_gan.data.paired import DataLoader
from keras_gan.data.single import ImageLoader
from keras_gan.errors import BadValueError
from keras_gan.images.readers import ReadPair

CROP = {"img_res": (8, 8), "fit": "random-crop", "seed": 0}


@pytest.fixture(autouse=True)
def nothing_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(cache, "SETTLED", -1)


@pytest.fixture
def sides(tmp_path):
    """Two folders of 20 pictures of the same names and of several sizes: B's blue is 100 more than A's."""
    for number in range(20):
        height, width = 20 + number, 30 - number // 2
        pixels = np.asarray(picture(number, height, width))
        for name in "AB":
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(pixels + np.uint8([0, 0, 100 * (name == "B")])).save(tmp_path / name / f"{number}.png")
    return str(tmp_path / "A"), str(tmp_path / "B")


def pairs(sides, **options):
    return DataLoader(sides[0], dataset_B=sides[1], **CROP | options)


def corners(imgs):
    """The place of each crop in its picture, and the picture's number: (down, across, number)."""
    assert all((np.diff(levels(img)[..., 1], axis=0) == 1).all() for img in imgs)  # original pixels, none left out
    return [(int(green), int(red), int(blue)) for red, green, blue in levels(imgs)[:, 0, 0]]


def test_both_halves_show_the_same_part_of_the_original_pixels(sides):
    loader = pairs(sides, flip="none")
    seen = set()
    for A, B in loader.load_batch(6):
        assert [(down, across, number + 20) for down, across, number in corners(A)] == corners(B)
        seen |= set(corners(A))
    assert len({(down, across) for down, across, _ in seen}) > 10 and len(seen) == 18
    for down, across, number in seen:
        assert down <= 20 + number - 8 and across <= 30 - number // 2 - 8


def test_another_epoch_shows_other_parts_and_the_seed_gives_all_of_them(sides):
    first, again = (pairs(sides, flip="none").batches(18) for _ in range(2))
    epochs = [corners(first[0][0])]
    first.on_epoch_end()
    epochs.append(corners(first[0][0]))
    assert epochs[0] == corners(again[0][0]) and not set(epochs[0]) & set(epochs[1])


@pytest.mark.parametrize("augment", [False, True])
def test_held_out_pictures_show_their_middle(sides, augment):
    A, _ = next(pairs(sides, augment=augment).load_batch(2, is_testing=True))
    assert corners(A) == [(6, 11, 0), (11, 9, 10)]
    again, _ = pairs(sides, augment=augment).load_data(2, is_testing=True)
    assert sorted(corners(again)) == [(6, 11, 0), (11, 9, 10)]


def test_the_shorter_side_is_resized_before(sides):
    loader = pairs(sides, load_size=10, flip="none")
    read = loader._streams(False)[0].read
    assert read(loader.train[0], 8, 8).shape == (2, 10, round(10 * 30 / 21), 3)  # of 21x30
    A, B = loader.load_data(4)
    assert A.shape == B.shape == (4, 8, 8, 3)


def test_halves_of_other_sizes_need_a_size(tmp_path, sides, capsys):
    for number in range(20):
        Image.open(f"{sides[1]}/{number}.png").resize((40, 40)).save(f"{sides[1]}/{number}.png")
    with pytest.raises(BadValueError, match=r"its partner is 40x40, not 21x30 as it is \(--load-size N resizes both\)"):
        pairs(sides).check()
    A, B = pairs(sides, load_size=16).load_data(3)
    assert A.shape == B.shape


def test_small_pictures_are_named_and_left_out(tmp_path, capsys):
    write(tmp_path / "photos", 30, height=20, width=20)
    picture(1, 6, 20).save(tmp_path / "photos" / "01.png")
    loader = ImageLoader(tmp_path / "photos", shape=(8, 8, 3), fit="random-crop").batches(4)
    assert "01.png: it is 6x20, smaller than crops of 8x8 (--load-size 8 enlarges)" in capsys.readouterr().err
    assert len(loader.train) == 26 and loader[0][0].shape == (4, 8, 8, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fit": "crop", "load_size": 40}, "load_size=40 is for random crops: add fit 'random-crop', or leave it out"),
        ({"load_size": 7}, "load_size 7 is smaller than the crop of 8x8: enlarge it"),
        ({"load_size": 0}, "load_size must be a whole number of at least 1, not 0"),
    ],
)
def test_a_size_that_does_not_suit_is_refused(sides, options, message):
    with pytest.raises(BadValueError, match=message):
        pairs(sides, **options)


def test_unpaired_sides_are_cropped_independently(tmp_path):
    loader = loaded(write_sides(tmp_path, 9, 9, 1, 1, height=40, width=45), fit="random-crop", flip="none").batches(9)
    A, B = loader[0]
    assert not set(corners(A)) & set(corners(B))


@pytest.fixture
def decoded(monkeypatch):
    """The pairs decoded from now on."""
    seen, call = [], ReadPair.__call__

    def noting(self, picture, height, width):
        seen.append(picture)
        return call(self, picture, height, width)

    monkeypatch.setattr(ReadPair, "__call__", noting)
    return seen


def caches(sides):
    return [path for path in stores.common_folder([f"{sides[0]}/0.png"]).rglob("*.u8")]


@pytest.mark.parametrize("memory", [10**9, 20_000, 0])
def test_each_picture_is_decoded_once_in_memory_or_in_files(sides, decoded, monkeypatch, memory):
    monkeypatch.setattr(cache, "MEMORY", memory)
    loader = pairs(sides).batches(6)
    del decoded[:]
    for _ in range(3):
        batches = [loader[i] for i in range(len(loader))]
        loader.on_epoch_end()
    assert not decoded and len(batches) == 3  # the check before training has read all
    assert len(caches(sides)) == {10**9: 0, 20_000: 15, 0: 20}[memory]


def test_files_serve_another_run_unless_they_are_damaged_or_the_picture_has_changed(sides, decoded, monkeypatch):
    monkeypatch.setattr(cache, "MEMORY", 0)
    expected = [A.tobytes() for A, _ in pairs(sides).load_batch(9)]
    del decoded[:]
    assert [A.tobytes() for A, _ in pairs(sides).load_batch(9)] == expected and len(decoded) == 1  # opens the store
    first, second, *_ = sorted(caches(sides))
    first.write_bytes(first.read_bytes()[:-1])
    content = bytearray(second.read_bytes())
    content[-5] ^= 1
    second.write_bytes(content)
    os.utime(f"{sides[0]}/7.png", (1, 1))
    del decoded[:]
    assert [A.tobytes() for A, _ in pairs(sides).load_batch(9)] == expected
    assert 3 <= len(decoded) <= 4


def test_a_changed_picture_is_decoded_again_in_the_same_run(sides, monkeypatch):
    monkeypatch.setattr(cache, "MEMORY", 0)
    loader = pairs(sides, flip="none")
    assert len(list(loader.load_batch(9))) == 2
    Image.new("RGB", (30, 30), "white").save(f"{sides[0]}/7.png")
    Image.new("RGB", (30, 30), "white").save(f"{sides[1]}/7.png")
    assert sum(bool((A == 1).all()) for batch, _ in loader.load_batch(9) for A in batch) == 1


def test_no_more_than_half_of_the_free_disk_is_taken(sides, monkeypatch, capsys):
    monkeypatch.setattr(cache, "MEMORY", 0)
    monkeypatch.setattr("shutil.disk_usage", lambda place: type("Usage", (), {"free": 20_000}))
    assert len(list(pairs(sides).load_batch(9))) == 2
    shown = capsys.readouterr()
    assert shown.err.count("no longer caching pictures: they would take more than half of the free disk space") == 1
    assert 0 < sum(path.stat().st_size for path in caches(sides)) <= 10_000 and "Caching decoded" in shown.out
