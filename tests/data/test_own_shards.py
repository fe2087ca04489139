"""Loaders of which each of several hosts reads its own shards: what they read together, and errors that all see."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support import sharded
from support.hosts import Hosts
from support.sharded import encoded, shards, tar

from keras_gan.data import cache, order
from keras_gan.data.paired import DataLoader
from keras_gan.data.single import ImageLoader
from keras_gan.data.unpaired import UnpairedDataLoader
from keras_gan.datasets import shards as shards_module
from keras_gan.errors import BadValueError
from keras_gan.training.data_files import pictures_of
from keras_gan.training.hosts import in_own_order


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(order, "WINDOW", 7)
    order.windowed.cache_clear()
    yield
    order.windowed.cache_clear()


@pytest.fixture
def opened(monkeypatch):
    """The shards that each host opened, once there are hosts: {number: names}."""
    found = {}

    def with_hosts(hosts):
        open_shard = shards_module.shard_of

        def noting(path):
            if hasattr(hosts.place, "number"):
                found.setdefault(hosts.number, set()).add(path.name)
            return open_shard(path)

        monkeypatch.setattr(shards_module, "shard_of", noting)
        monkeypatch.setattr(shards_module, "ThreadPoolExecutor", InTurn)
        return found

    return with_hosts


class InTurn:
    """A pool that stays in its thread, which tells the host."""

    def __init__(self, count):
        self.map = map

    def __enter__(self):
        return self

    def __exit__(self, *of_error):
        pass


def single(name, **options):
    return ImageLoader(
        name, **{"shape": (16, 16, 3), "batch_size": 4, "seed": 3, "flip": "both", "own_shards": True} | options
    )


def values(images):
    """The numbers that pictures were made of."""
    red, green, _ = np.rint((images[:, 0, 0] + 1) * 127.5).astype(int).T
    return (red + 256 * green).tolist()


def epochs(batches, count=1, side=0):
    """The numbers of `count` epochs, each a list of batches."""
    found = []
    for _ in range(count):
        found.append([values(batches[number][side]) for number in range(len(batches))])
        batches.on_epoch_end()
    return found


def flat(batches):
    return sum(batches, [])


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("kind", ["tar", "parquet"])
def test_hosts_read_their_own_shards_and_together_all(tmp_path, monkeypatch, opened, count, kind):
    """Six shards of ten pictures, of which every tenth is held out: nine for each host and shard, in parts of three."""
    if kind == "tar":
        name = shards(tmp_path / "x", 6, 10, sharded.singles)
    else:
        name = f"{tmp_path}/x/{{000..005}}.parquet"
        for shard in range(6):
            table(tmp_path / f"x/{shard:03}.parquet", range(10 * shard, 10 * shard + 10))
    hosts = Hosts(monkeypatch, count)
    found = opened(hosts)
    loaders = hosts(lambda number: single(name).batches(3 * count))
    shown = [epochs(loader, 2) for loader in loaders]
    for host, of_host in found.items():
        assert of_host == {f"{shard:03}.{kind}" for shard in range(host, 6, count)}
    for host, (first, second) in enumerate(shown):
        assert len(first) == len(second) == 18 // count and all(len(batch) == 3 for batch in first)
        assert {number // 10 % count for number in flat(first)} == {host}
        assert flat(first) != flat(second) and sorted(flat(first)) == sorted(flat(second))
    assert sorted(flat([flat(first) for first, _ in shown])) == [number for number in range(60) if number % 10]
    assert loaders[0].left_out_in_words() == "all 54 pictures are in each epoch"
    assert [pictures_of(loader) for loader in loaders] == [pictures_of(loaders[0])] * count
    assert pictures_of(loaders[0])[0] == {"train": 54, "test": 2 * (3 // count) + (count == 2) * 1}


def table(path, numbers, group=5, **more):
    path.parent.mkdir(exist_ok=True)
    rows = [
        {"image": {"bytes": encoded(number), "path": None}} | {name: of(number) for name, of in more.items()}
        for number in numbers
    ]
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=group)


def test_what_is_left_out_is_another_part_each_epoch(tmp_path, monkeypatch, capsys):
    """Host 0 has 9 + 9 pictures to train on, host 1 only 9, so an epoch has three batches of 3 + 3."""
    name = shards(tmp_path / "x", 3, 10, sharded.singles)
    hosts = Hosts(monkeypatch, 2)
    loaders = hosts(lambda number: single(name).batches(6))
    first, second = (epochs(loader, 8) for loader in loaders)
    assert {len(epoch) for epoch in first + second} == {3}
    assert all(sorted(flat(epoch)) == [*range(11, 20)] for epoch in second)
    assert all(len({*flat(epoch)}) == 9 for epoch in first)
    assert {*flat(flat(first))} == {*range(1, 10), *range(21, 30)}  # none is left out for ever
    assert loaders[1].left_out_in_words() == "9 of 27 pictures are left out of each epoch, others each time"
    sizes = [loader.batches(18).n_batches for loader in loaders]
    assert sizes == [1, 1]


def test_the_order_depends_on_the_number_of_hosts_and_batches_can_be_asked_for_in_any_order(tmp_path, monkeypatch):
    name = shards(tmp_path / "x", 6, 10, sharded.singles)
    shown = {}
    for count in (2, 3):
        hosts = Hosts(monkeypatch, count)
        loaders = hosts(lambda number: single(name).batches(6))
        shown[count] = epochs(loaders[0], 2)
        again = hosts(lambda number: single(name).batches(6))[0]
        again.epoch, again.played = 1, 2
        assert values(again[1][0]) == shown[count][1][3]
    both = [[number for number in flat(shown[count][0]) if number < 10] for count in (2, 3)]
    assert sorted(both[0]) == sorted(both[1]) and both[0] != both[1]


def test_a_single_host_reads_what_it_reads_without_the_option(tmp_path, capsys):
    name = shards(tmp_path / "x", 3, 9, sharded.singles)
    one, other = single(name).batches(4), single(name, own_shards=False).batches(4)
    for number in range(len(one)):
        np.testing.assert_array_equal(one[number][0], other[number][0])
    assert len(one) == len(other) and not capsys.readouterr().out
    assert pictures_of(one) == pictures_of(other)


def test_the_same_pictures_are_held_out_as_on_one_host_and_the_first_one_shows_them_to_all(tmp_path, monkeypatch):
    name = shards(tmp_path / "x", 4, 10, sharded.singles)
    held_out = [0, 20]  # on one host 0, 10, 20 and 30: shards 1 and 3 are those of the other host
    hosts = Hosts(monkeypatch, 2)

    def look(number):
        loader = single(name)
        tested = [values(images) for images in loader.load_batch(1, is_testing=True)]
        return tested, values(loader.load_data(2, is_testing=True)), loader.counts(is_testing=True)

    for tested, chosen, counts in hosts(look):
        assert flat(tested) == held_out and sorted(chosen) == held_out and counts == [2]


def test_test_shards_are_those_of_the_first_host(tmp_path, monkeypatch, opened):
    for split, start, count in (("train", 0, 4), ("test", 100, 3)):
        for shard in range(count):
            numbers = range(start + 5 * shard, start + 5 * shard + 5)
            tar(tmp_path / f"x/{split}-{shard}.tar", flat([sharded.singles(number) for number in numbers]))
    hosts = Hosts(monkeypatch, 2)
    found = opened(hosts)
    name = f"{tmp_path}/x/*.tar"
    both = hosts(lambda number: [values(images) for images in single(name).load_batch(4, is_testing=True)])
    assert [flat(tested) for tested in both] == [[*range(100, 115)]] * 2
    assert found == {
        0: {"train-0.tar", "train-2.tar", "test-0.tar", "test-1.tar", "test-2.tar"},
        1: {"train-1.tar", "train-3.tar"},
    }


@pytest.mark.parametrize("form", ["members", "wide"])
def test_pairs(tmp_path, monkeypatch, form):
    of_each = sharded.pairs if form == "members" else lambda number: [(f"{number}.png", sharded.wide(number))]
    name = shards(tmp_path / "x", 4, 10, of_each)
    hosts = Hosts(monkeypatch, 2)
    for number, loader in enumerate(
        hosts(lambda number: DataLoader(name, (16, 16), seed=1, own_shards=True).batches(36))
    ):
        A, B = loader[0]
        assert [a % 256 for a in values(A)] == [b % 256 for b in values(B)]
        assert sorted(a % 256 for a in values(A)) == [n for n in range(40) if n % 10 and n // 10 % 2 == number]


def test_two_lists_are_two_sides(tmp_path, monkeypatch):
    """The shorter side starts over; each host has its own shards of both."""
    A = shards(tmp_path / "apples", 2, 10, sharded.singles)
    B = shards(tmp_path / "bananas", 4, 10, lambda number: sharded.singles(number + 100))
    hosts = Hosts(monkeypatch, 2)
    loaders = hosts(
        lambda number: UnpairedDataLoader(A, B, (16, 16, 3), (16, 16, 3), seed=1, own_shards=True).batches(6)
    )
    for number, loader in enumerate(loaders):
        both = [loader[at] for at in range(len(loader))]
        shown_A, shown_B = flat([values(a) for a, _ in both]), flat([values(b) for _, b in both])
        assert sorted(shown_A) == sorted(2 * [10 * number + n for n in range(1, 10)])
        assert sorted(shown_B) == [n for n in range(100, 140) if n % 10 and n // 10 % 2 == number]
        assert pictures_of(loader)[0] == {"train_A": 18, "train_B": 36, "test_A": 1, "test_B": 2}


@pytest.mark.parametrize("form", ["members", "wide", "gray2colour"])
def test_one_list_as_two_sides_has_the_sides_of_one_host(tmp_path, monkeypatch, form):
    name = sharded.one_list(tmp_path / "x", form, 4, 10)

    def sides(own):
        loader = UnpairedDataLoader(name, shape_A=(16, 16, 3), shape_B=(16, 16, 3), seed=1, own_shards=own)
        return [{number % 256 for number in values(loader._read_all(side))} for side in range(2)]

    monkeypatch.setattr(UnpairedDataLoader, "_read_all", all_of_side, raising=False)
    alone = sides(False)
    hosts = Hosts(monkeypatch, 2)
    both = hosts(lambda number: sides(True))
    assert [one | other for one, other in zip(*both, strict=True)] == alone
    colourful = slice(form == "gray2colour", 2)  # of gray pictures, several have the same value
    assert not any(one & other for one, other in zip(*(sides[colourful] for sides in both), strict=True))


def all_of_side(loader, side):
    stream = loader._streams(False)[side]
    return loader._load([(stream, stream.in_order(0, len(stream.pictures)))] * 2)[0]


@pytest.mark.parametrize("kind", ["tar", "parquet"])
def test_classes_have_the_same_numbers_on_all_hosts(tmp_path, monkeypatch, kind):
    """Even shards have the classes 0 and 2, odd ones 1 and 3."""
    told = lambda number: str(number % 2 * 2 + number // 10 % 2)  # noqa: E731
    if kind == "tar":
        members = lambda number: [(f"{number:05}.png", encoded(number)), (f"{number:05}.cls", told(number).encode())]  # noqa: E731
        name = shards(tmp_path / "x", 4, 10, members)
    else:
        name = f"{tmp_path}/x/{{000..003}}.parquet"
        for shard in range(4):
            table(tmp_path / f"x/{shard:03}.parquet", range(10 * shard, 10 * shard + 10), label=told)
    hosts = Hosts(monkeypatch, 2)
    for number, loader in enumerate(hosts(lambda number: single(name, labelled=True).batches(36))):
        images, labels = loader[0]
        assert loader.classes == ["0", "1", "2", "3"]
        assert labels.tolist() == [int(told(value)) for value in values(images)]
        assert {*labels.tolist()} == ({0, 2} if number == 0 else {1, 3})


def test_a_range_of_values_is_that_of_all(tmp_path, monkeypatch):
    content = lambda number: sharded.npy(np.full((16, 16), 100 + number, "uint16"))  # noqa: E731
    name = shards(tmp_path / "x", 2, 10, lambda number: [(f"{number}.npy", content(number))])
    hosts = Hosts(monkeypatch, 2)
    loaders = hosts(lambda number: single(name, shape=(16, 16, 1), value_range_of_files="auto"))
    assert [loader.value_range_of_files for loader in loaders] == [(101, 119)] * 2


def test_hosts_on_one_disk_have_caches_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "MEMORY", 0)
    name = shards(tmp_path / "x", 2, 10, sharded.singles)
    hosts = Hosts(monkeypatch, 2)
    for loader in hosts(lambda number: single(name).batches(6)):
        epochs(loader)
    stores = [path.name for path in (tmp_path / "x/.keras_gan-cache").iterdir()]
    assert len([name for name in stores if name.startswith("train")]) == 2


def test_another_number_of_hosts_is_told_and_a_shorter_epoch_keeps_a_batch_to_do(tmp_path, capsys):
    batches = single(shards(tmp_path / "x", 2, 10, sharded.singles)).batches(4)  # five batches
    before = {"step": 8, "data_epoch": 1}
    assert in_own_order(batches, before | {"config": {"own_hosts": 2}})["step"] == 4
    assert capsys.readouterr().out == "Shards were those of 2 hosts, now of 1: pictures come in another order.\n"
    for config in ({"own_hosts": 1}, {}):
        assert in_own_order(batches, before | {"config": config}) == before | {"config": config}
    assert not capsys.readouterr().out


# What is wrong on one host is told on all, in one line.


def complaints(hosts, make):
    errors = hosts(lambda number: make())
    assert all(isinstance(error, BadValueError) and "\n" not in str(error) for error in errors), errors
    return [str(error) for error in errors]


def test_a_missing_shard_of_a_host_is_told_on_all_and_one_that_is_not_its_own_is_not_missed(tmp_path, monkeypatch):
    name = shards(tmp_path / "x", 4, 10, sharded.singles)
    (tmp_path / "x/003.tar").unlink()
    hosts = Hosts(monkeypatch, 2)
    said = complaints(hosts, lambda: single(name))
    assert said == [said[0]] * 2
    assert said[0].startswith(f"host 1 of 2: {tmp_path}/x/003.tar is missing, 1 of the 2 shards of")


def test_fewer_shards_than_hosts(tmp_path, monkeypatch):
    name = shards(tmp_path / "x", 2, 10, sharded.singles)
    hosts = Hosts(monkeypatch, 3)
    for said in complaints(hosts, lambda: single(name)):
        assert "has 2 shards to train for 3 hosts" in said


def test_a_host_without_pictures(tmp_path, monkeypatch, capsys):
    name = shards(tmp_path / "x", 4, 10, sharded.singles)
    for shard in (1, 3):
        tar(tmp_path / f"x/00{shard}.tar", [])
    hosts = Hosts(monkeypatch, 2)
    for said in complaints(hosts, lambda: single(name)):
        assert said.startswith("host 1 of 2 has no pictures to train: its shards of")


def test_a_host_with_broken_pictures_alone(tmp_path, monkeypatch, capsys):
    name = shards(tmp_path / "x", 2, 10, lambda number: [(f"{number}.png", encoded(number) if number < 10 else b"no")])
    hosts = Hosts(monkeypatch, 2)
    for said in complaints(hosts, lambda: single(name).check()):
        assert said.startswith("host 1 of 2: 9 of 9 pictures cannot be used")


def test_classes_that_a_host_lacks(tmp_path, monkeypatch):
    members = lambda number: sharded.labelled(number)[: 1 if number == 17 else 2]  # noqa: E731
    name = shards(tmp_path / "x", 2, 10, members)
    hosts = Hosts(monkeypatch, 2)
    for said in complaints(hosts, lambda: single(name, labelled=True)):
        assert said.startswith("1 picture of the shards")


def test_other_names_on_another_host(tmp_path, monkeypatch):
    hosts = Hosts(monkeypatch, 2)
    for number in range(2):
        shards(tmp_path / f"{number}", 3 - number, 10, sharded.singles)
    errors = hosts(lambda number: single(f"{tmp_path}/{number}/*.tar"))
    assert all("the hosts see different shards" in str(error) and "(3, 2)" in str(error) for error in errors)


def test_data_that_is_not_in_shards_is_refused():
    with pytest.raises(BadValueError, match=r"own_shards is for data in shards .*'drawn_digits' is none: leave it out"):
        single("drawn_digits")


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (20, "batch_size 20 takes 10 pictures of each of 2 hosts, and the own shards of one have 9"),
        (3, "batch_size 3 cannot be divided over 2 hosts"),
        (1, "batch_size 1 cannot be divided over 2 hosts"),
    ],
)
def test_a_batch_that_hosts_cannot_fill(tmp_path, monkeypatch, size, message):
    name = shards(tmp_path / "x", 2, 10, sharded.singles)
    hosts = Hosts(monkeypatch, 2)
    for said in complaints(hosts, lambda: single(name).batches(size)):
        assert said.startswith(message)
