"""Loaders of shards: each picture once in an epoch, batches that seed and number determine, faults in one line."""

import errno
import gzip
import itertools
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support import sharded
from support.sharded import encoded, shards, tar

from keras_gan.data import cache, loader, order
from keras_gan.data.paired import DataLoader
from keras_gan.data.single import ImageLoader
from keras_gan.data.unpaired import UnpairedDataLoader
from keras_gan.datasets import check_name_is_known, find, find_unpaired
from keras_gan.datasets.check import check
from keras_gan.datasets.entries import Entries
from keras_gan.datasets.labelled import find_labelled
from keras_gan.datasets.shard_names import split_of
from keras_gan.datasets.shards import opened
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.images.members import RowGroups
from keras_gan.images.readers import ReadWhole
from keras_gan.images.sources import source
from keras_gan.training.data_files import pictures_of


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def narrow(monkeypatch):
    """Windows of seven pictures."""
    monkeypatch.setattr(order, "WINDOW", 7)
    order.windowed.cache_clear()
    yield
    order.windowed.cache_clear()


def single(name, **options):
    return ImageLoader(name, **{"shape": (16, 16, 3), "batch_size": 4, "seed": 3, "flip": "both"} | options)


def values(images):
    """The numbers that pictures were made of."""
    red, green, _ = np.rint((images[:, 0, 0] + 1) * 127.5).astype(int).T
    return (red + 256 * green).tolist()


def epoch(batches):
    """The numbers of an epoch, as `fit()` asks for its batches."""
    found = [values(batches[number][0]) for number in range(len(batches))]
    batches.on_epoch_end()
    return sum(found, [])


def table(path, rows, group=5):
    """Writes rows as a Parquet file with groups of this size."""
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=group)
    os.utime(path, (sharded.LONG_AGO, sharded.LONG_AGO))


def rows(numbers, **more):
    of_each = {name: lambda number, value=value: value(number) for name, value in more.items()}
    return [
        {"image": {"bytes": encoded(number), "path": None}} | {name: value(number) for name, value in of_each.items()}
        for number in numbers
    ]


@pytest.mark.parametrize("kind", ["tar", "parquet"])
def test_an_epoch_shows_each_picture_once_in_a_new_order(tmp_path, narrow, kind):
    if kind == "tar":
        name = shards(tmp_path / "x", 5, 9, sharded.singles)
    else:
        for shard in range(5):
            table(tmp_path / f"x/{shard}.parquet", rows(range(9 * shard, 9 * shard + 9)))
        name = tmp_path / "x"
    batches = single(name).batches(4)
    first, second = epoch(batches), epoch(batches)
    expected = [number for number in range(45) if number % 10]
    of_shards = [number // 9 for number in first]
    assert len([*itertools.groupby(of_shards)]) > 5  # pictures of a shard are not all together
    assert sorted(first) == sorted(second) == expected and len({tuple(first), tuple(second), tuple(expected)}) == 3
    held_out = [values(images) for images in single(name).load_batch(2, is_testing=True)]
    assert sum(held_out, []) == [0, 10, 20, 30, 40]


def test_pictures_of_far_apart_shards_do_not_meet_in_a_window(tmp_path, narrow):
    """Within a window of seven lie pictures of at most three shards of nine less one held out."""
    batches = single(shards(tmp_path / "x", 8, 9, sharded.singles)).batches(7)
    for number in range(len(batches)):
        assert len({value // 9 for value in values(batches[number][0])}) <= 3


def test_shards_show_what_the_folder_shows_that_they_were_made_of(tmp_path):
    """The same pictures, to the same bits, are held out, and are shown in each epoch."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(23):
        (folder / f"{number:05}.png").write_bytes(encoded(number))
    name = shards(tmp_path / "x", 1, 23, sharded.singles)
    both = [single(str(name)) for name in (folder, name)]
    found = []
    for one in both:
        batches = one.batches(4)
        shown = np.concatenate([batches[number][0] for number in range(len(batches))])
        found.append((shown[np.argsort(values(shown))], *one.load_batch(3, is_testing=True)))
    for of_folder, of_shards in zip(*found, strict=True):
        np.testing.assert_array_equal(of_folder, of_shards)


def test_rounds_and_windows_have_orders_of_their_own(tmp_path, narrow):
    entries = opened(shards(tmp_path / "x", 8, 7, sharded.singles)).train
    count = len(entries)
    assert count == 50
    rounds = [[order.windowed(5, (), number, window, entries, count) for window in range(8)] for number in range(3)]
    shown = [np.concatenate([numbers for numbers, *_ in windows]) for windows in rounds]
    assert all(sorted(numbers) == [*range(count)] for numbers in shown)
    of_shards = [np.searchsorted(entries.bounds, numbers, "right").tolist() for numbers in shown]
    assert len({tuple(dict.fromkeys(numbers)) for numbers in [*of_shards, range(1, 9)]}) == 4  # other orders of shards
    assert len({tuple(flips) for windows in rounds for _, flips, *_ in windows}) > 15


@pytest.mark.parametrize("hosts", [2, 4])
def test_hosts_read_parts_of_the_same_batches(tmp_path, narrow, hosts):
    name = shards(tmp_path / "x", 4, 9, sharded.singles)
    whole = single(name).batches(4)
    parts = [single(name).batches(4) for _ in range(hosts)]
    for number, part in enumerate(parts):
        part.share = number, hosts
    for number in (5, 0, 3):
        together = np.concatenate([part[number][0] for part in parts])
        np.testing.assert_array_equal(together, whole[number][0])


def test_batches_can_be_asked_for_in_any_order(tmp_path, narrow):
    name = shards(tmp_path / "x", 4, 9, sharded.singles)
    one, other = single(name).batches(5), single(name).batches(5)
    other.epoch, other.played = 2, 3
    for _ in range(2):
        epoch(one)
    np.testing.assert_array_equal(one[3][0], other[0][0])


def test_pairs(tmp_path):
    name = shards(tmp_path / "x", 3, 9, sharded.pairs)
    A, B = DataLoader(name, (16, 16), seed=1).batches(24)[0]
    assert [a + 256 for a in values(A)] == values(B)
    A, B = DataLoader(name, (16, 16), seed=1, direction="BtoA").batches(24)[0]
    assert [b + 256 for b in values(B)] == values(A)
    wide = shards(tmp_path / "w", 3, 9, lambda number: [(f"{number}.png", sharded.wide(number))])
    A, B = DataLoader(wide, (16, 16), seed=1).batches(24)[0]
    assert {a % 256 for a in values(A)} == {b % 256 for b in values(B)} == {n for n in range(27) if n % 10}


def test_pairs_in_columns(tmp_path):
    both = [{"original_image": encoded(number), "edited_image": encoded(number + 256)} for number in range(12)]
    table(tmp_path / "x/0.parquet", both)
    A, B = DataLoader(tmp_path / "x", (16, 16), seed=1).batches(10)[0]
    assert [a + 256 for a in values(A)] == values(B)


def test_two_lists_are_two_sides(tmp_path):
    A = shards(tmp_path / "apples", 2, 9, sharded.singles)
    B = shards(tmp_path / "bananas", 3, 9, lambda number: sharded.singles(number + 100))
    sides = UnpairedDataLoader(A, B, (16, 16, 3), (16, 16, 3), seed=1)
    assert sides.dataset_name == "apples2bananas"
    batch = sides.batches(24)[0]
    assert {*values(batch[0])} <= {*range(18)} and {*values(batch[1])} <= {*range(100, 127)}
    with pytest.raises(BadValueError, match="same shards"):
        find_unpaired(A, A)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/1.png").write_bytes(encoded(1))
    with pytest.raises(BadValueError, match="both must be"):
        find_unpaired(A, tmp_path / "photos")
    with pytest.raises(BadValueError, match="are one list"):
        find(A, B)


@pytest.mark.parametrize("form", ["members", "wide", "gray2colour"])
def test_pairs_as_sides_without_pairs(tmp_path, capsys, form):
    name = sharded.one_list(tmp_path / "x", form, 3, 9)
    loader = UnpairedDataLoader(name, shape_A=(16, 16, 3), shape_B=(16, 16, 3), seed=1)
    A, B = loader.batches(24)[0]
    assert len(A) == len(B) == (24 if form == "gray2colour" else 12)
    if form != "gray2colour":
        assert not {value % 256 for value in values(A)} & {value % 256 for value in values(B)}
        assert "as pairs" in capsys.readouterr().out
    for A, B in loader.load_batch(3, is_testing=True):
        if form == "members":
            assert [a + 256 for a in values(A)] == values(B)


@pytest.mark.parametrize("kind", ["tar", "parquet"])
def test_classes(tmp_path, kind):
    if kind == "tar":
        name = shards(tmp_path / "x", 3, 9, sharded.labelled)
    else:
        name = tmp_path / "x"
        for shard in range(3):
            table(name / f"{shard}.parquet", rows(range(9 * shard, 9 * shard + 9), label=lambda number: number % 3))
    found = single(name, labelled=True)
    images, labels = found.batches(24)[0]
    assert found.classes == ["0", "1", "2"] and [value % 3 for value in values(images)] == labels.tolist()
    with pytest.raises(BadValueError, match=r"^4 pictures of .* without a class: each picture KEY\.png needs KEY\.cls"):
        find_labelled(shards(tmp_path / "y", 1, 4, sharded.singles))


def test_names_of_classes_that_the_hub_notes(tmp_path):
    noted = '{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}'
    made = pa.Table.from_pylist(rows(range(12), label=lambda number: number % 2))
    (tmp_path / "x").mkdir()
    pq.write_table(made.replace_schema_metadata({"huggingface": noted}), tmp_path / "x/0.parquet")
    assert single(tmp_path / "x", labelled=True).classes == ["cat", "dog"]


def test_splits_by_the_names_of_shards(tmp_path, capsys):
    for split, start in (("train", 0), ("val", 100), ("test", 200)):
        for shard in range(2):
            numbers = range(start + 5 * shard, start + 5 * shard + 5)
            table(tmp_path / f"x/{split}-{shard:05}-of-00002.parquet", rows(numbers))
    found = single(tmp_path / "x")
    assert sorted(epoch(found.batches(3))) == [*range(10)]
    assert sum((values(images) for images in found.load_batch(4, is_testing=True)), []) == [*range(100, 110)]
    assert "not used: test (2 shards)" in capsys.readouterr().out
    assert [split_of(tmp_path / name) for name in ("dev_1.tar", "a/validation/1.tar", "7.tar")] == ["val", "val", ""]


def test_arrays_keep_their_bits(tmp_path):
    content = sharded.npy(np.full((16, 16), 12345, "uint16"))
    name = shards(tmp_path / "x", 2, 6, lambda number: [(f"{number}.npy", content)])
    found = single(name, shape=(16, 16, 1))
    assert found.depth == "uint16"
    (images,) = found.batches(2)[0]
    np.testing.assert_allclose(images, 12345 / 65535 * 2 - 1, atol=1e-6)


def test_broken_pictures_are_named_and_replaced(tmp_path, monkeypatch, capsys, narrow):
    """Those found before training are left out; another one takes the place of those found later."""
    members = lambda number: [(f"{number}.png", b"broken" if number in (11, 12, 17) else encoded(number))]  # noqa: E731
    name = shards(tmp_path / "x", 3, 9, members)
    assert sorted(epoch(single(name).batches(4))) == sorted({*range(27)} - {0, 10, 20, 11, 12, 17})
    assert f"skipping {tmp_path}/x/001.tar/11.png: it is no picture" in capsys.readouterr().err
    monkeypatch.setattr(loader, "CHECKED_BEFORE_TRAINING", 5)
    shown = epoch(single(name).batches(4))
    assert len(shown) > 21 and {*shown} == {*range(27)} - {0, 10, 20, 11, 12, 17}


@pytest.mark.parametrize("fit", ["resize", "random-crop"])
def test_decoded_pictures_are_cached_beside_the_shards(tmp_path, monkeypatch, fit):
    monkeypatch.setattr(cache, "MEMORY", 0)
    name = shards(tmp_path / "x", 3, 9, sharded.singles)
    options = {"fit": fit, "shape": (8, 8, 3)}
    first = single(name, **options).batches(4)
    before = [first[number][0] for number in range(6)]
    assert list((tmp_path / "x/.keras_gan-cache").iterdir())
    decoded, read = [], ReadWhole.__call__
    monkeypatch.setattr(ReadWhole, "__call__", lambda *given: decoded.append(given) or read(*given))
    again = single(name, **options).batches(4)
    for number in range(6):
        np.testing.assert_array_equal(again[number][0], before[number])
    assert len(decoded) == 2  # the first of each split


def test_a_run_notes_shards_not_pictures(tmp_path):
    counts, files = pictures_of(single(shards(tmp_path / "x", 3, 9, sharded.singles)))
    assert counts == {"train": 24, "test": 3} and len(files["train"]) == 3
    assert f"{tmp_path}/x/000.tar" in files["train"]


def test_entries_say_where_they_are(tmp_path):
    entries = opened(shards(tmp_path / "x", 4, 7, sharded.singles)).train
    for split in (entries, entries.thinned(1, 2), entries.thinned(1, 2).thinned(0, 3), opened(tmp_path / "x").test):
        assert [split.slot(picture) for picture in split] == [*range(len(split))]
        bounds = split.bounds
        for number, shard in enumerate(split.shards):
            assert {picture.path for picture in split[bounds[number] : bounds[number + 1]]} <= {shard.path}
        assert bounds[-1] == len(split)
    gone = [entries[number] for number in (0, 1, 7, len(entries) - 1)]
    rest = [picture for picture in entries if picture not in gone]
    entries.discard(gone)
    assert [*entries] == rest and entries[-1] == rest[-1] and entries.bounds[-1] == len(rest)
    assert entries.slot(rest[0]) == 2 and entries.slot(opened(tmp_path / "x").test[0]) is None
    with pytest.raises(IndexError):
        entries[len(rest)]


def test_listing_makes_no_object_for_each_picture(tmp_path, monkeypatch):
    """Only those that are checked, 256 of each split, and those of a batch."""
    made = []
    monkeypatch.setattr(Entries, "__getitem__", counting(Entries.__getitem__, made))
    name = shards(tmp_path / "x", 4, 500, lambda number: [(f"{number:05}.png", SMALL)])
    monkeypatch.setattr(loader, "CHECKED_BEFORE_TRAINING", 20)
    single(name).batches(4)[0]
    assert len(made) < 200


SMALL = encoded(9)


def counting(get, made):
    """`get`, noting each picture."""

    def noted(self, at):
        made.extend([at] if isinstance(at, int) else [])
        return get(self, at)

    return noted


def test_groups_of_rows_stay_in_memory_up_to_a_limit(tmp_path):
    table(tmp_path / "x/0.parquet", rows(range(20)))
    read = lambda groups, number: groups.column(tmp_path / "x/0.parquet", number, "image")  # noqa: E731
    groups = RowGroups(most=1)
    first = read(groups, 0)
    assert read(groups, 0) is first
    read(groups, 1)
    assert read(groups, 0) is not first
    limits = {"rows": 9, "groups": 1}, {"rows": 14, "groups": 1}, {"rows": 1, "groups": 2}
    for options, are_kept in zip(limits, (1, 2, 2), strict=True):  # groups have five rows
        groups = RowGroups(**options)
        columns = [read(groups, number) for number in range(4)]
        newest = [read(groups, 3 - age) is columns[3 - age] for age in range(are_kept)]
        assert all(newest) and read(groups, 3 - are_kept) is not columns[3 - are_kept]


# Bad input, each told in one line.


def test_a_missing_part_is_refused_before_training(tmp_path):
    shards(tmp_path / "x", 4, 3, sharded.singles)
    (tmp_path / "x/002.tar").unlink()
    for refuses in (check_name_is_known, find, find_unpaired, find_labelled):
        with pytest.raises(BadValueError, match=r"002\.tar is missing, 1 of the 4 shards of '.*' in all"):
            refuses(f"{tmp_path}/x/{{000..003}}.tar")
    assert len(find(f"{tmp_path}/x/*.tar").train) == 8


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{a,b}.{tar,parquet}", "two kinds"),
        ("both", "two kinds"),
        ("c{0..1}.tar.gz", "not compressed"),
        ("c{0..1}.txt", "no shard to train on"),
        ("s3://bucket/{0..1}.tar", "not on this machine"),
        ("*.nothing", "nothing matches"),
        ("test_{0..0}.tar", "are for test: name others, too"),
        ("e{0..1}.tar", "no pictures to train"),
        ("one{0..0}.tar", "one picture"),
        ("{one0,pairs0}.tar", "name one kind"),
    ],
)
def test_lists_that_cannot_be_trained_on(tmp_path, name, message):
    for stem in ("a", "b"):
        tar(tmp_path / f"{stem}.tar", sharded.singles(1))
        table(tmp_path / f"{stem}.parquet", rows(range(3)))
        tar(tmp_path / f"both/{stem}1.tar", sharded.singles(1))
        table(tmp_path / f"both/{stem}.parquet", rows(range(3)))
    for number in range(2):
        (tmp_path / f"c{number}.tar.gz").write_bytes(b"")
        (tmp_path / f"c{number}.txt").write_bytes(b"")
        tar(tmp_path / f"e{number}.tar", [])
    tar(tmp_path / "one0.tar", sharded.singles(1))
    tar(tmp_path / "test_0.tar", sharded.singles(1))
    tar(tmp_path / "pairs0.tar", sharded.pairs(1) + sharded.pairs(2))
    with pytest.raises(BadValueError, match=message) as caught:
        find(name)
    assert "\n" not in str(caught.value)


def test_shards_cut_short_or_empty_or_hostile_are_named_and_the_rest_is_used(tmp_path, capsys):
    name = shards(tmp_path / "x", 4, 6, sharded.singles)
    path = tmp_path / "x/001.tar"
    path.write_bytes(path.read_bytes()[: 3 * 1024])
    tar(tmp_path / "x/002.tar", [])
    tar(tmp_path / "x/003.tar", [*sharded.singles(18), ("../19.png", encoded(19)), *sharded.singles(20)])
    found = single(name)
    lines = capsys.readouterr().err.splitlines()
    assert {*lines} == {
        f"warning: {path}: it is cut short: only its first 3 pictures can be used",
        f"warning: {tmp_path}/x/003.tar: not used: a name that leads out of its folder: '../19.png'",
        f"warning: {tmp_path}/x/002.tar has no pictures: it is left out",
    }
    assert sorted(epoch(found.batches(4))) == [*range(1, 9), 18]
    assert not (tmp_path / "19.png").exists()


def test_parquet_files_without_pictures_or_end(tmp_path):
    table(tmp_path / "x/0.parquet", [{"text": "no picture", "number": 3}])
    with pytest.raises(BadValueError, match=r"x/0\.parquet: hf:.*x has no pictures: its columns are text, number"):
        find(tmp_path / "x")
    table(tmp_path / "z/0.parquet", [{"one": encoded(1), "two": encoded(2)}])
    with pytest.raises(BadValueError, match=r"cannot be told: name them, hf:.*z,A=one,B=two"):
        find(tmp_path / "z")
    table(tmp_path / "y/0.parquet", rows(range(9)))
    path = tmp_path / "y/0.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadValueError, match=r"0\.parquet is damaged or cut short"):
        find(tmp_path / "y")


def test_without_pyarrow_one_line_says_what_to_install(tmp_path, monkeypatch):
    table(tmp_path / "x/0.parquet", rows(range(3)))
    monkeypatch.setattr("keras_gan.datasets.parquet_rows.is_there", lambda package: False)
    with pytest.raises(BadValueError, match=r"0\.parquet takes the package pyarrow to read: .*hub"):
        find(tmp_path / "x")


def test_damaged_labels_are_told(tmp_path):
    path = tmp_path / "x/0.parquet"
    table(path, rows(range(50), label=lambda number: f"class {number:032}"), group=50)
    whole = path.read_bytes()
    start = pq.read_metadata(path).row_group(0).column(2).dictionary_page_offset
    path.write_bytes(whole[:start] + bytes(40) + whole[start + 40 :])
    with pytest.raises(BadValueError, match=r"0\.parquet is damaged"):
        find_labelled(tmp_path / "x")


def test_a_shard_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    name = shards(tmp_path / "x", 2, 3, sharded.singles)
    monkeypatch.setattr("keras_gan.datasets.shards.index_of", unreadable)
    with pytest.raises(BadValueError, match=r"000\.tar cannot be read \(Permission denied\)"):
        find(name)


def unreadable(path):
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def test_rows_without_a_picture_are_skipped(tmp_path, capsys):
    table(tmp_path / "x/0.parquet", [*rows(range(9)), {"image": {"bytes": None, "path": "9.png"}}, *rows([10, 11])])
    assert sorted(epoch(single(tmp_path / "x").batches(4))) == [*range(1, 9), 11]
    assert "image of row 9: the row has no picture, but the path 9.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("https://host/x/000.tar", "an address; download what it has and name the file"),
        ("x/[0-9].tar", r"in lists of shards, \{000\.\.099\}, \{a,b\} and \* stand for several"),
        ("x/{0..1.tar", "in lists of shards"),
        ("~/x/{0..1}.tar", r"home/x/0\.tar is missing, 2 of the 2 shards of '~/x"),
    ],
)
def test_names_that_stand_for_nothing_here(tmp_path, monkeypatch, name, message):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises((BadValueError, NotFoundError), match=message) as caught:
        check_name_is_known(name)
    assert "\n" not in str(caught.value)


def test_home_is_known_in_quoted_names(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    shards(tmp_path / "x", 2, 3, sharded.singles)
    for name in ("~/x/{000..001}.tar", "~/x/*.tar"):
        assert len(find(name).train) == 5


def test_files_that_are_no_tar_are_told_apart(tmp_path, capsys):
    shards(tmp_path / "x", 4, 6, sharded.singles)
    path = tmp_path / "x/001.tar"
    (tmp_path / "x/000.tar").write_bytes(b"")
    path.write_bytes(gzip.compress(path.read_bytes()))
    (tmp_path / "x/002.tar").write_text("<html>not found</html>" * 99)
    (tmp_path / "x/004.tar.gz").write_bytes(b"")
    assert len(find(tmp_path / "x").train) == 5
    out, err = capsys.readouterr()
    assert err.splitlines() == [
        f"warning: {tmp_path}/x/000.tar: it is empty, so it is left out",
        f"warning: {path}: it is compressed, so it is left out",
        f"warning: {tmp_path}/x/002.tar: it is no tar archive, so it is left out",
    ]
    assert out == f"x: not used, since they are compressed: {tmp_path}/x/004.tar.gz\n"


def test_compressed_shards_alone_are_told(tmp_path):
    tar(tmp_path / "x/000.tar.gz", sharded.singles(1))
    with pytest.raises(BadValueError, match=r"1 \.gz file \(decompress these first\)"):
        find(tmp_path / "x")


def test_pictures_beside_shards_are_used_and_that_is_told_once(tmp_path, capsys):
    shards(tmp_path / "x", 3, 6, sharded.singles)
    for number in range(4):
        (tmp_path / f"x/{number}.png").write_bytes(sharded.wide(number))
    check_name_is_known(tmp_path / "x")
    assert len(find(tmp_path / "x").train) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"warning: {tmp_path}/x has pictures, so its 3 shards are not used: to use these, name them")


def test_what_is_no_list_of_shards(tmp_path):
    """One archive is unpacked, files may have braces in their names, `check` takes folders."""
    folder = tmp_path / "a{1..2}b"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(sharded.wide(number))
    assert len(find(folder).train) == 2
    tar(tmp_path / "photos.tar", [(f"{number}.png", sharded.wide(number)) for number in range(3)])
    assert isinstance(source(find(tmp_path / "photos.tar").train[0]), type(tmp_path))
    for name in ("photos", "edges2shoes"):
        tar(tmp_path / f"packed {name}/{name}.tar", sharded.singles(2))
        with pytest.raises(BadValueError, match="no pictures"):
            find(tmp_path / f"packed {name}")
    with pytest.raises(BadValueError, match="check takes a folder"):
        check(shards(tmp_path / "x", 2, 3, sharded.singles))
    with pytest.raises(NotFoundError):
        check_name_is_known(tmp_path / "nowhere")
    with pytest.raises(BadValueError, match="single pictures are needed"):
        single(shards(tmp_path / "p", 1, 3, sharded.pairs))
