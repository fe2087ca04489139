"""What is kept of decoded pictures changes no batch, and nothing wrong is ever used."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.numbered import SIZE, levels, numbers, picture, write, write_sides
from support.waiting import kill, line_from, wait_until

from keras_gan import DataLoader, UnpairedDataLoader
from keras_gan.data import cache
from keras_gan.data.cache import CHECK, FOLDER
from keras_gan.data.single import ImageLoader
from keras_gan.images.pixels import mirrored, scale
from keras_gan.images.sources import ReadPair, ReadWhole, source

RECORD = CHECK + SIZE * SIZE * 3
MEMORY_OR_FILE = pytest.mark.parametrize("memory", [2**30, 0], ids=["memory", "file"])


@pytest.fixture(autouse=True)
def nothing_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


@pytest.fixture
def decoded(monkeypatch):
    """The pictures that are decoded from now on, in order."""
    seen = []
    for reads in (ReadWhole, ReadPair):

        def noting(self, picture, height, width, call=reads.__call__):
            seen.append(picture)
            return call(self, picture, height, width)

        monkeypatch.setattr(reads, "__call__", noting)
    return seen


def aged(folder, seconds=60):
    """The folder, its files no longer new."""
    for path in Path(folder).rglob("*"):
        if path.is_file() and FOLDER not in path.parts:
            then = time.time() - seconds
            os.utime(path, (then, then))
    return folder


def heap(folder, count=8, memory=0, **options):
    """A loader of so many numbered pictures in this folder; without memory of its own, unless said otherwise."""
    if not folder.exists():
        for split, many in (("train", count), ("test", 2)):
            write(folder / split, many)
        aged(folder)
    loader = ImageLoader(folder, **{"shape": (SIZE, SIZE, 3), "seed": 0, "batch_size": 3} | options)
    loader._cache._free = memory
    return loader


def epoch(loader):
    batches = [loader[i] for i in range(len(loader))]
    loader.on_epoch_end()
    return batches


def seen(loader):
    """The numbers of the pictures of an epoch, sorted; that their pixels are right is checked."""
    imgs = np.concatenate([batch[0] for batch in epoch(loader)])
    for pixels, number in zip(levels(imgs), numbers(imgs), strict=True):
        np.testing.assert_array_equal(pixels, np.asarray(picture(number)) // 5)
    return sorted(numbers(imgs))


def kept_file(folder):
    """The file of decoded training pictures."""
    (path,) = (folder / "train" / FOLDER).glob("train-*.u8")
    return path


def assert_same(batches, others):
    for batch, other in zip(batches, others, strict=True):
        for one, two in zip(batch, other, strict=True):
            np.testing.assert_array_equal(one, two, strict=True)


# The same batches.


@pytest.fixture
def sources(tmp_path, paired_folder):
    """By name, what makes a loader of each kind."""
    sides = aged(write_sides(tmp_path, 5, 4, 2, 2))
    heap(tmp_path / "heap")
    drawn = {"seed": 3, "steps_per_epoch": 3}
    sizes = {"shape_A": (20, 24, 3), "shape_B": (24, 20, 1), "augment": True, "seed": 3, "batch_size": 2}
    return {
        "pairs": lambda: DataLoader(aged(paired_folder), (8, 12), augment=True, seed=3, batch_size=2),
        "gray pairs": lambda: DataLoader(paired_folder, (8, 12), channels=1, seed=3, batch_size=2, value_range=(0, 1)),
        "sides": lambda: UnpairedDataLoader(sides, **sizes),
        "torn pairs": lambda: UnpairedDataLoader(paired_folder, **sizes),
        "colouring": lambda: UnpairedDataLoader(f"gray2colour:{tmp_path / 'heap'}", **sizes),
        "drawn pairs": lambda: DataLoader("drawn_shoes", (8, 12), augment=True, **drawn),
        "labelled": lambda: ImageLoader("drawn_digits", shape=(20, 20, 1), labelled=True, **drawn, batch_size=8),
    }


@pytest.mark.parametrize("kind", ["pairs", "gray pairs", "sides", "torn pairs", "colouring", "drawn pairs", "labelled"])
def test_batches_are_the_same_to_the_last_bit(sources, kind, monkeypatch):
    def batches():
        loader = sources[kind]()
        first = epoch(loader)
        again = [*epoch(loader), *(loader.load_data(2, testing) for testing in (False, True, True))]
        loader.epoch = 0
        return first, again, epoch(loader)

    monkeypatch.setattr(cache.InMemory, "get", cache.Nowhere.get)
    first, again, same = batches()
    assert_same(first, same)
    monkeypatch.undo()
    assert_same(first + again + same, sum(batches(), []))
    for _ in "filling", "reading":
        monkeypatch.setattr(cache, "MEMORY", 0)
        assert_same(first + again + same, sum(batches(), []))


def test_pictures_are_enlarged_once_and_cropped_anew(tmp_path, decoded):
    loader = UnpairedDataLoader(
        aged(write_sides(tmp_path, 1, 1, 1, 1)), shape_A=(SIZE, SIZE, 3), shape_B=(SIZE, SIZE, 3), augment=True, seed=0
    )
    assert len({loader[0][0].tobytes() for _ in range(30) if not loader.on_epoch_end()}) > 15
    assert len(decoded) == 2


@MEMORY_OR_FILE
def test_later_epochs_decode_nothing(tmp_path, decoded, memory):
    loader = heap(tmp_path / "heap", memory=memory)
    assert seen(loader) == list(range(8)) and len(decoded) == 8
    assert seen(loader) == seen(loader) == list(range(8)) and len(decoded) == 8
    assert (tmp_path / "heap" / "train" / FOLDER).exists() == (memory == 0)


def test_copies_for_fit_share_what_is_kept(tmp_path, decoded):
    loader = heap(tmp_path / "heap", memory=2**30)
    loader.batches(8)[0]
    loader.batches(3, 2)[0]
    assert len(decoded) == 8 + 2  # those for testing were checked


def test_drawings_are_drawn_once_and_never_go_to_a_file(decoded, monkeypatch, tmp_path):
    for memory, times in ((2**30, 1), (0, 2)):
        monkeypatch.setattr(cache, "MEMORY", memory)
        loader = DataLoader("drawn_shoes", (8, 8), seed=0, batch_size=3)
        decoded.clear()
        np.testing.assert_array_equal(loader[0], loader[0])
        assert len(decoded) == 3 * times
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(("room", "in_memory"), [(8 * (RECORD - CHECK), True), (8 * (RECORD - CHECK) - 1, False)])
def test_a_split_is_kept_in_memory_only_as_a_whole(tmp_path, capsys, room, in_memory):
    loader = heap(tmp_path / "heap", memory=room)
    seen(loader)
    assert (tmp_path / "heap" / "train" / FOLDER).exists() != in_memory
    assert capsys.readouterr().out.count("Keeping decoded pictures, up to 0.0 GB, in") == (not in_memory)
    loader.load_data(2, is_testing=True)
    assert (tmp_path / "heap" / "test" / FOLDER).exists() == in_memory  # nothing was left, or enough


def test_labels_stay_with_their_pictures(tmp_path):
    for number in range(9):
        write(tmp_path / "zoo" / "train" / "abc"[number // 3], 0)
        picture(number).save(tmp_path / "zoo" / "train" / "abc"[number // 3] / f"{number}.png")
    aged(tmp_path)
    loader = heap(tmp_path / "zoo", labelled=True)
    for _ in range(3):
        for imgs, labels in epoch(loader):
            assert labels.tolist() == [number // 3 for number in numbers(imgs)]


# Files that change.


@MEMORY_OR_FILE
def test_a_changed_picture_is_decoded_again(tmp_path, decoded, memory):
    loader = heap(tmp_path / "heap", memory=memory)
    seen(loader)
    path = tmp_path / "heap" / "train" / "05.png"
    picture(20).save(path)
    assert seen(loader) == [0, 1, 2, 3, 4, 6, 7, 20]
    aged(path.parent, seconds=30)  # all other times, the same pictures
    decoded.clear()
    assert seen(loader) == seen(loader) == [0, 1, 2, 3, 4, 6, 7, 20] and len(decoded) == 8


@MEMORY_OR_FILE
def test_a_picture_just_written_is_not_trusted(tmp_path, decoded, memory):
    """Written twice within a tick of the file system's clock, to the same size, it would look unchanged."""
    loader = heap(tmp_path / "heap", memory=memory)
    path = tmp_path / "heap" / "train" / "05.png"
    now = time.time()
    for content in path.read_bytes(), path.with_name("06.png").read_bytes():
        path.write_bytes(content.ljust(10_000, b"\0"))
        os.utime(path, (now, now))
        numbers_seen = seen(loader)
    assert numbers_seen == [0, 1, 2, 3, 4, 6, 6, 7]


@pytest.mark.parametrize("change", ["added", "removed", "moved"])
def test_other_pictures_in_the_folder_change_no_picture(tmp_path, change, monkeypatch):
    monkeypatch.setattr(cache, "stamp_of", lambda picture: (100, 100))  # unpacked from one archive
    seen(heap(tmp_path / "heap"))
    folder = tmp_path / "heap"
    if change == "moved":
        folder = (tmp_path / "heap").rename(tmp_path / "elsewhere")
    elif change == "removed":
        (folder / "train" / "02.png").unlink()
    else:
        picture(9).save(folder / "train" / "015.png")  # in between, so that others change their places
    expected = {"added": [*range(8), 9], "removed": [0, 1, 3, 4, 5, 6, 7], "moved": list(range(8))}[change]
    assert seen(heap(folder)) == seen(heap(folder)) == expected


def test_a_moved_folder_keeps_what_was_decoded(tmp_path, decoded):
    seen(heap(tmp_path / "heap"))
    decoded.clear()
    assert seen(heap((tmp_path / "heap").rename(tmp_path / "elsewhere"))) == list(range(8)) and not decoded[1:]


def test_another_size_other_channels_and_another_pillow_have_files_of_their_own(tmp_path, monkeypatch):
    names = set()
    for options in ({}, {"shape": (SIZE, SIZE, 1)}, {"shape": (SIZE, 16, 3)}):
        heap(tmp_path / "heap", **options)[0]
        names |= set(os.listdir(tmp_path / "heap" / "train" / FOLDER))
    monkeypatch.setattr(cache.PIL, "__version__", "99")
    heap(tmp_path / "heap")[0]
    assert len(names | set(os.listdir(tmp_path / "heap" / "train" / FOLDER))) == 4


@MEMORY_OR_FILE
def test_a_loader_of_another_size_by_now_reads_at_that_size(tmp_path, memory):
    loader = heap(tmp_path / "heap", memory=memory)
    for shape in (SIZE, SIZE, 3), (SIZE, 16, 3), (SIZE, SIZE, 1):
        loader.shape = shape
        assert loader[0][0].shape == loader[0][0].shape == (3, *shape)


# Broken pictures.


@MEMORY_OR_FILE
def test_broken_pictures_are_named_counted_and_skipped_as_ever(tmp_path, capsys, memory):
    heap(tmp_path / "heap")
    (tmp_path / "heap" / "train" / "03.png").write_bytes(b"no picture")
    aged(tmp_path)
    loader = heap(tmp_path / "heap", memory=memory).batches(3)
    assert "03.png: it is no picture (1 skipped so far)" in capsys.readouterr().err
    for _ in range(3):
        assert seen(loader) == [0, 1, 2, 4, 5, 6, 7]
    (tmp_path / "heap" / "train" / "06.png").write_bytes(b"gone")
    (tmp_path / "heap" / "train" / "01.png").unlink()
    for _ in range(3):
        assert seen(loader) == [0, 2, 2, 4, 5, 7, 7]
    complaints = capsys.readouterr().err
    assert (
        complaints.count("\n") == 2 and "06.png: it is no picture" in complaints and "01.png: [Errno 2]" in complaints
    )


# Files of decoded pictures that are not as they should be.


@pytest.mark.parametrize("harm", ["pixels", "check", "cut", "empty", "noise", "zeros", "exchanged"])
def test_a_damaged_file_is_mended_and_never_used(tmp_path, decoded, harm):
    seen(heap(tmp_path / "heap"))
    path = kept_file(tmp_path / "heap")
    data = bytearray(path.read_bytes())
    assert len(data) == 8 * RECORD
    noise = np.random.default_rng(0).bytes(len(data))
    if harm in ("pixels", "check"):
        data[3 * RECORD + (CHECK + 1000 if harm == "pixels" else 5)] ^= 255
    elif harm == "exchanged":
        data[:RECORD], data[RECORD : 2 * RECORD] = data[RECORD : 2 * RECORD], data[:RECORD]
    path.write_bytes(
        {"cut": data[: 5 * RECORD + 100], "empty": b"", "noise": noise, "zeros": bytes(len(data))}.get(harm, data)
    )
    decoded.clear()
    assert seen(heap(tmp_path / "heap")) == list(range(8))
    fresh = {"pixels": 1, "check": 1, "cut": 3, "exchanged": 2}.get(harm, 8)
    assert fresh <= len(set(decoded)) <= fresh + 1  # and one that tells the size, before the file is opened
    decoded.clear()
    assert seen(heap(tmp_path / "heap")) == list(range(8)) and len(decoded) == 1


def test_a_file_cut_short_while_it_is_used_does_no_harm(tmp_path):
    loader = heap(tmp_path / "heap")
    seen(loader)
    os.truncate(kept_file(tmp_path / "heap"), 100)
    assert seen(loader) == list(range(8)) and kept_file(tmp_path / "heap").stat().st_size == 8 * RECORD
    kept_file(tmp_path / "heap").unlink()
    assert seen(loader) == list(range(8))


def test_a_record_that_another_loader_wrote_anew_is_proved_again(tmp_path, decoded):
    """What was proved once is trusted only as long as it has the same beginning."""
    loader = heap(tmp_path / "heap")
    for _ in "filling", "proving", "trusting":
        assert seen(loader) == list(range(8))
    path = tmp_path / "heap" / "train" / "05.png"
    picture(20).save(path)
    os.utime(path, (1e9, 1e9))
    seen(heap(tmp_path / "heap"))  # the other one, which breaks off
    with kept_file(tmp_path / "heap").open("r+b") as file:
        file.seek(6 * RECORD - 1000)
        file.write(bytes(1000))
    decoded.clear()
    assert seen(loader) == [0, 1, 2, 3, 4, 6, 7, 20] and [source(picture) for picture in decoded] == [path]


OTHER = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from keras_gan.data.cache import Cache
from keras_gan.images.pixels import mirrored
from keras_gan.images.sources import ReadWhole
files = sorted(Path(sys.argv[1], "train").glob("*.png"))
stream = SimpleNamespace(pictures=files, read=ReadWhole(3), read_size=(32, 32), split="train", side=())
right = [ReadWhole(3)(file, 32, 32) for file in files]
cache = Cache()
cache._free = 0
print("begun", flush=True)
while True:
    for file, pixels in zip(files, right):
        assert np.array_equal(cache.pixels(stream, file), pixels)
        time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def start():
    """Starts another process that asks for the pictures of a folder again and again; returns it when it has begun."""
    processes = []

    def begin(folder, pause):
        code = [sys.executable, "-c", OTHER, str(folder), str(pause)]
        process = subprocess.Popen(code, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        processes.append(process)
        assert line_from(process) == "begun"
        return process

    yield begin
    for process in processes:
        kill(process)


def test_a_process_killed_while_it_writes_leaves_nothing_wrong(tmp_path, decoded, start):
    heap(tmp_path / "heap", count=40)
    filling = start(tmp_path / "heap", 0.02)
    wait_until(lambda: any((tmp_path / "heap" / "train").glob(f"{FOLDER}/*.u8")), "a file of decoded pictures")
    wait_until(lambda: kept_file(tmp_path / "heap").stat().st_size > 5 * RECORD, "some decoded pictures")
    kill(filling)
    with kept_file(tmp_path / "heap").open("r+b") as file:  # as if the last write had been cut in its middle, too
        written = file.read().rstrip(b"\0")
        file.truncate(len(written) // RECORD * RECORD + RECORD // 2)
    assert seen(heap(tmp_path / "heap")) == list(range(40))
    assert 0 < len(decoded) < 40
    decoded.clear()
    assert seen(heap(tmp_path / "heap")) == list(range(40)) and len(decoded) == 1


def test_processes_fill_and_use_one_file_together_while_pictures_change(tmp_path, start):
    heap(tmp_path / "heap", count=12)
    others = [start(tmp_path / "heap", 0) for _ in range(2)]
    loader = heap(tmp_path / "heap")
    for i in range(10):
        aged(tmp_path / "heap" / "train", seconds=100 + i)  # every record is written anew, by whom it may be
        assert seen(loader) == list(range(12))
    assert all(process.poll() is None for process in others)
    assert len(list((tmp_path / "heap" / "train" / FOLDER).iterdir())) == 1


# Places that cannot be written.


def test_beside_read_only_data_the_file_goes_to_the_cache_folder(tmp_path, decoded, capsys):
    heap(tmp_path / "heap")
    (tmp_path / "heap" / "train" / FOLDER).write_text("in the way, even of root")
    assert seen(heap(tmp_path / "heap")) == list(range(8))
    assert str(tmp_path / "home" / "keras_gan" / f"train-{SIZE}x{SIZE}-") in capsys.readouterr().out
    decoded.clear()
    assert seen(heap(tmp_path / "heap")) == list(range(8)) and len(decoded) == 1
    (tmp_path / "other").mkdir()
    (tmp_path / "heap" / "train").rename(tmp_path / "other" / "train")
    heap(tmp_path / "other", count=8)
    assert len(os.listdir(tmp_path / "home" / "keras_gan")) == 1
    seen(heap(tmp_path / "other"))
    assert len(os.listdir(tmp_path / "home" / "keras_gan")) == 2  # another folder, another file


def test_where_no_file_can_be_pictures_are_decoded_and_one_line_says_so(tmp_path, decoded, capsys):
    loader = heap(tmp_path / "heap")
    (tmp_path / "heap" / "train" / FOLDER).write_text("in the way")
    (tmp_path / "home").write_text("in the way")
    assert seen(loader) == seen(loader) == list(range(8)) and len(decoded) == 16
    out, err = capsys.readouterr()
    assert err.count("\n") == 1 and "the training pictures are decoded anew in every epoch: " in err
    assert "Keeping" not in out


def test_a_file_that_would_fill_the_disk_is_not_begun(tmp_path, monkeypatch, capsys):
    usage = cache.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda path: usage._replace(free=16 * RECORD - 1))
    loader = heap(tmp_path / "heap")
    assert seen(loader) == list(range(8))
    assert capsys.readouterr().err.count("would be more than half of the free disk") == 2
    assert not list(tmp_path.rglob("*.u8")) and not list(tmp_path.rglob(FOLDER))
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda path: usage._replace(free=16 * RECORD))
    assert seen(heap(tmp_path / "heap")) == list(range(8)) and kept_file(tmp_path / "heap")


@pytest.mark.parametrize("how", ["error", "short write"])
def test_a_disk_that_becomes_full_is_reported_once_and_pictures_are_decoded(
    tmp_path, monkeypatch, capsys, decoded, how
):
    real, writes = os.pwrite, []

    def pwrite(file, data, offset):
        writes.append(offset)
        if len(writes) <= 3:
            return real(file, data, offset)
        if how == "error":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, data[:100], offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    loader = heap(tmp_path / "heap")
    assert seen(loader) == list(range(8)) and len(writes) == 4
    decoded.clear()
    assert seen(loader) == list(range(8)) and len(writes) == 4 and len(decoded) == 5
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "No space left on device; decoding them" in err
    assert not loader.skipped


def test_a_file_that_can_no_longer_be_read_skips_no_picture(tmp_path, monkeypatch):
    loader = heap(tmp_path / "heap")
    seen(loader)

    def pread(file, size, offset):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "pread", pread)
    assert seen(loader) == list(range(8)) and not loader.skipped


def test_a_system_without_reading_by_position_decodes(tmp_path, monkeypatch, capsys):
    monkeypatch.delattr(os, "pread")
    assert seen(heap(tmp_path / "heap")) == list(range(8))
    assert "this system reads no files by position" in capsys.readouterr().err


# Costs.


def test_pixels_kept_are_not_to_be_written_to(tmp_path):
    for memory in (0, 2**30):
        loader = heap(tmp_path / "heap", memory=memory)
        (stream,) = loader._streams(is_testing=False)
        for _ in "decoded", "kept":
            assert not loader._cache.pixels(stream, stream.pictures[0]).flags.writeable


def test_to_make_a_loader_opens_and_asks_no_picture(tmp_path, monkeypatch):
    heap(tmp_path / "heap")
    asked = []

    def noting(call):
        return lambda path, *more, **named: (asked.append(str(path)), call(path, *more, **named))[1]

    for name in ("stat", "open"):
        monkeypatch.setattr(os, name, noting(getattr(os, name)))
    heap(tmp_path / "heap")
    assert not [path for path in asked if path.endswith(".png")]


@pytest.mark.parametrize(("low", "half"), [(-1, True), (0, False)])
@pytest.mark.parametrize("depth", ["uint8", "uint16"])
def test_scaling_is_one_division_and_one_addition_wherever_it_writes(depth, low, half):
    values = np.arange(np.iinfo(depth).max + 1, dtype=depth).reshape(-1, 16, 1)
    steps = np.float32(values.max() / (2 if half else 1))
    expected = values.astype("float32") / steps + np.float32(low)
    assert expected.min() == low and expected.max() == 1
    batch = np.full((3, *values.shape), 7, "float32")
    scale(values, (low, 1), out=batch[1])
    for scaled in batch[1], scale(values, (low, 1)):
        np.testing.assert_array_equal(scaled, expected, strict=True)
    assert (batch[[0, 2]] == 7).all()


def test_mirroring_is_exact():
    rng = np.random.default_rng(0)
    for shape in ((2, 5, 7, 3), (4, 4, 1), (3, 6, 3)):
        pixels = rng.integers(0, 256, shape, "uint8")
        np.testing.assert_array_equal(mirrored(pixels), pixels[..., ::-1, :])
