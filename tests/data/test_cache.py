"""The cache of decoded pictures never changes a batch, whatever happens to its files."""

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
from keras_gan.data import cache, stores
from keras_gan.data.single import ImageLoader
from keras_gan.data.stores import FOLDER, HEADER
from keras_gan.images.pixels import mirrored, scale
from keras_gan.images.readers import ReadPair, ReadWhole
from keras_gan.images.sources import source

RECORD = HEADER + SIZE * SIZE * 3
MEMORY_OR_FILE = pytest.mark.parametrize("memory", [2**30, 0], ids=["memory", "file"])


@pytest.fixture(autouse=True)
def nothing_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


@pytest.fixture
def decoded(monkeypatch):
    """The pictures decoded from now on, in order."""
    seen = []
    for reads in (ReadWhole, ReadPair):

        def noting(self, picture, height, width, call=reads.__call__):
            seen.append(picture)
            return call(self, picture, height, width)

        monkeypatch.setattr(reads, "__call__", noting)
    return seen


def aged(folder, seconds=60):
    """Sets the modification times of a folder's files to the past. Returns the folder."""
    for path in Path(folder).rglob("*"):
        if path.is_file() and FOLDER not in path.parts:
            then = time.time() - seconds
            os.utime(path, (then, then))
    return folder


def flat(folder, count=8, memory=0, **options):
    """A loader of `count` numbered pictures in this folder, with `memory` bytes of cache in memory."""
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
    """The sorted numbers of the pictures of an epoch, after checking their pixels."""
    imgs = np.concatenate([batch[0] for batch in epoch(loader)])
    for pixels, number in zip(levels(imgs), numbers(imgs), strict=True):
        np.testing.assert_array_equal(pixels, np.asarray(picture(number)) // 5)
    return sorted(numbers(imgs))


def kept_file(folder):
    """The cache file of the training pictures."""
    (path,) = (folder / "train" / FOLDER).glob("train-*.u8")
    return path


def assert_same(batches, others):
    for batch, other in zip(batches, others, strict=True):
        for one, two in zip(batch, other, strict=True):
            np.testing.assert_array_equal(one, two, strict=True)


# The same batches.


@pytest.fixture
def sources(tmp_path, paired_folder):
    """{kind: function that makes a loader}."""
    sides = aged(write_sides(tmp_path, 5, 4, 2, 2))
    flat(tmp_path / "flat")
    drawn = {"seed": 3, "steps_per_epoch": 3}
    sizes = {"shape_A": (20, 24, 3), "shape_B": (24, 20, 1), "augment": True, "seed": 3, "batch_size": 2}
    return {
        "pairs": lambda: DataLoader(aged(paired_folder), (8, 12), augment=True, seed=3, batch_size=2),
        "gray pairs": lambda: DataLoader(paired_folder, (8, 12), channels=1, seed=3, batch_size=2, value_range=(0, 1)),
        "sides": lambda: UnpairedDataLoader(sides, **sizes),
        "unpaired": lambda: UnpairedDataLoader(paired_folder, **sizes),
        "colouring": lambda: UnpairedDataLoader(f"gray2colour:{tmp_path / 'flat'}", **sizes),
        "drawn pairs": lambda: DataLoader("drawn_shoes", (8, 12), augment=True, **drawn),
        "labelled": lambda: ImageLoader("drawn_digits", shape=(20, 20, 1), labelled=True, **drawn, batch_size=8),
    }


@pytest.mark.parametrize("kind", ["pairs", "gray pairs", "sides", "unpaired", "colouring", "drawn pairs", "labelled"])
def test_batches_are_the_same_to_the_last_bit(sources, kind, monkeypatch):
    def batches():
        loader = sources[kind]()
        first = epoch(loader)
        again = [*epoch(loader), *(loader.load_data(2, testing) for testing in (False, True, True))]
        loader.epoch = 0
        return first, again, epoch(loader)

    monkeypatch.setattr(stores.MemoryStore, "get", stores.NoStore.get)
    first, again, same = batches()
    assert_same(first, same)
    monkeypatch.undo()
    assert_same(first + again + same, sum(batches(), []))
    for _ in "filling", "reading":
        monkeypatch.setattr(cache, "MEMORY", 0)
        assert_same(first + again + same, sum(batches(), []))


def test_pictures_are_enlarged_once_and_cropped_anew_each_epoch(tmp_path, decoded):
    loader = UnpairedDataLoader(
        aged(write_sides(tmp_path, 1, 1, 1, 1)), shape_A=(SIZE, SIZE, 3), shape_B=(SIZE, SIZE, 3), augment=True, seed=0
    )
    assert len({loader[0][0].tobytes() for _ in range(30) if not loader.on_epoch_end()}) > 15
    assert len(decoded) == 2


@MEMORY_OR_FILE
def test_later_epochs_decode_nothing(tmp_path, decoded, memory):
    loader = flat(tmp_path / "flat", memory=memory)
    assert seen(loader) == list(range(8)) and len(decoded) == 8
    assert seen(loader) == seen(loader) == list(range(8)) and len(decoded) == 8
    assert (tmp_path / "flat" / "train" / FOLDER).exists() == (memory == 0)


def test_copies_for_fit_share_the_cache(tmp_path, decoded):
    loader = flat(tmp_path / "flat", memory=2**30)
    loader.batches(8)[0]
    loader.batches(3, 2)[0]
    assert len(decoded) == 8 + 2  # and the check of two test pictures


def test_drawings_are_cached_in_memory_only(decoded, monkeypatch, tmp_path):
    for memory, times in ((2**30, 1), (0, 2)):
        monkeypatch.setattr(cache, "MEMORY", memory)
        loader = DataLoader("drawn_shoes", (8, 8), seed=0, batch_size=3)
        decoded.clear()
        np.testing.assert_array_equal(loader[0], loader[0])
        assert len(decoded) == 3 * times
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(("room", "in_memory"), [(8 * (RECORD - HEADER), True), (8 * (RECORD - HEADER) - 1, False)])
def test_a_split_is_cached_in_memory_only_if_it_fits_completely(tmp_path, capsys, room, in_memory):
    loader = flat(tmp_path / "flat", memory=room)
    seen(loader)
    assert (tmp_path / "flat" / "train" / FOLDER).exists() != in_memory
    assert capsys.readouterr().out.count("Caching decoded pictures (up to 0.0 GB) in") == (not in_memory)
    loader.load_data(2, is_testing=True)
    assert (tmp_path / "flat" / "test" / FOLDER).exists() == in_memory  # the memory is used up, or large enough


def test_labels_stay_with_their_pictures(tmp_path):
    for number in range(9):
        write(tmp_path / "zoo" / "train" / "abc"[number // 3], 0)
        picture(number).save(tmp_path / "zoo" / "train" / "abc"[number // 3] / f"{number}.png")
    aged(tmp_path)
    loader = flat(tmp_path / "zoo", labelled=True)
    for _ in range(3):
        for imgs, labels in epoch(loader):
            assert labels.tolist() == [number // 3 for number in numbers(imgs)]


# Files that change.


@MEMORY_OR_FILE
def test_a_changed_picture_is_decoded_again(tmp_path, decoded, memory):
    loader = flat(tmp_path / "flat", memory=memory)
    seen(loader)
    path = tmp_path / "flat" / "train" / "05.png"
    picture(20).save(path)
    assert seen(loader) == [0, 1, 2, 3, 4, 6, 7, 20]
    aged(path.parent, seconds=30)  # other times, the same pictures
    decoded.clear()
    assert seen(loader) == seen(loader) == [0, 1, 2, 3, 4, 6, 7, 20] and len(decoded) == 8


@MEMORY_OR_FILE
def test_a_picture_just_written_is_not_trusted(tmp_path, decoded, memory):
    """A second write of the same size within the clock's resolution would go unnoticed."""
    loader = flat(tmp_path / "flat", memory=memory)
    path = tmp_path / "flat" / "train" / "05.png"
    now = time.time()
    for content in path.read_bytes(), path.with_name("06.png").read_bytes():
        path.write_bytes(content.ljust(10_000, b"\0"))
        os.utime(path, (now, now))
        numbers_seen = seen(loader)
    assert numbers_seen == [0, 1, 2, 3, 4, 6, 6, 7]


@pytest.mark.parametrize("change", ["added", "removed", "moved"])
def test_adding_removing_or_moving_pictures_mixes_none_up(tmp_path, change, monkeypatch):
    monkeypatch.setattr(cache, "stamp_of", lambda picture: (100, 100))  # as after unpacking an archive
    seen(flat(tmp_path / "flat"))
    folder = tmp_path / "flat"
    if change == "moved":
        folder = (tmp_path / "flat").rename(tmp_path / "elsewhere")
    elif change == "removed":
        (folder / "train" / "02.png").unlink()
    else:
        picture(9).save(folder / "train" / "015.png")  # in the middle, so that later pictures change slots
    expected = {"added": [*range(8), 9], "removed": [0, 1, 3, 4, 5, 6, 7], "moved": list(range(8))}[change]
    assert seen(flat(folder)) == seen(flat(folder)) == expected


def test_a_moved_folder_keeps_its_cache(tmp_path, decoded):
    seen(flat(tmp_path / "flat"))
    decoded.clear()
    assert seen(flat((tmp_path / "flat").rename(tmp_path / "elsewhere"))) == list(range(8)) and not decoded[1:]


def test_another_size_channels_or_pillow_version_has_its_own_cache_file(tmp_path, monkeypatch):
    names = set()
    for options in ({}, {"shape": (SIZE, SIZE, 1)}, {"shape": (SIZE, 16, 3)}):
        flat(tmp_path / "flat", **options)[0]
        names |= set(os.listdir(tmp_path / "flat" / "train" / FOLDER))
    monkeypatch.setattr(stores.PIL, "__version__", "99")
    flat(tmp_path / "flat")[0]
    assert len(names | set(os.listdir(tmp_path / "flat" / "train" / FOLDER))) == 4


@MEMORY_OR_FILE
def test_a_loader_whose_size_changed_reads_at_the_new_size(tmp_path, memory):
    loader = flat(tmp_path / "flat", memory=memory)
    for shape in (SIZE, SIZE, 3), (SIZE, 16, 3), (SIZE, SIZE, 1):
        loader.shape = shape
        assert loader[0][0].shape == loader[0][0].shape == (3, *shape)


# Broken pictures.


@MEMORY_OR_FILE
def test_broken_pictures_are_named_counted_and_skipped(tmp_path, capsys, memory):
    flat(tmp_path / "flat")
    (tmp_path / "flat" / "train" / "03.png").write_bytes(b"no picture")
    aged(tmp_path)
    loader = flat(tmp_path / "flat", memory=memory).batches(3)
    assert "03.png: it is no picture (1 skipped so far)" in capsys.readouterr().err
    for _ in range(3):
        assert seen(loader) == [0, 1, 2, 4, 5, 6, 7]
    (tmp_path / "flat" / "train" / "06.png").write_bytes(b"gone")
    (tmp_path / "flat" / "train" / "01.png").unlink()
    for _ in range(3):
        assert seen(loader) == [0, 2, 2, 4, 5, 7, 7]
    complaints = capsys.readouterr().err
    assert (
        complaints.count("\n") == 2 and "06.png: it is no picture" in complaints and "01.png: [Errno 2]" in complaints
    )


# Damaged cache files.


@pytest.mark.parametrize("harm", ["pixels", "check", "cut", "empty", "noise", "zeros", "exchanged"])
def test_a_damaged_cache_file_is_repaired_and_never_used(tmp_path, decoded, harm):
    seen(flat(tmp_path / "flat"))
    path = kept_file(tmp_path / "flat")
    data = bytearray(path.read_bytes())
    assert len(data) == 8 * RECORD
    noise = np.random.default_rng(0).bytes(len(data))
    if harm in ("pixels", "check"):
        data[3 * RECORD + (HEADER + 1000 if harm == "pixels" else 5)] ^= 255
    elif harm == "exchanged":
        data[:RECORD], data[RECORD : 2 * RECORD] = data[RECORD : 2 * RECORD], data[:RECORD]
    path.write_bytes(
        {"cut": data[: 5 * RECORD + 100], "empty": b"", "noise": noise, "zeros": bytes(len(data))}.get(harm, data)
    )
    decoded.clear()
    assert seen(flat(tmp_path / "flat")) == list(range(8))
    fresh = {"pixels": 1, "check": 1, "cut": 3, "exchanged": 2}.get(harm, 8)
    assert fresh <= len(set(decoded)) <= fresh + 1  # and one to learn the size, before the file is opened
    decoded.clear()
    assert seen(flat(tmp_path / "flat")) == list(range(8)) and len(decoded) == 1


def test_truncating_the_cache_file_in_use_does_no_harm(tmp_path):
    loader = flat(tmp_path / "flat")
    seen(loader)
    os.truncate(kept_file(tmp_path / "flat"), 100)
    assert seen(loader) == list(range(8)) and kept_file(tmp_path / "flat").stat().st_size == 8 * RECORD
    kept_file(tmp_path / "flat").unlink()
    assert seen(loader) == list(range(8))


def test_a_record_rewritten_by_another_loader_is_verified_again(tmp_path, decoded):
    """A verified record is trusted only while its header is unchanged."""
    loader = flat(tmp_path / "flat")
    for _ in "filling", "verifying", "trusting":
        assert seen(loader) == list(range(8))
    path = tmp_path / "flat" / "train" / "05.png"
    picture(20).save(path)
    os.utime(path, (1e9, 1e9))
    seen(flat(tmp_path / "flat"))  # the other loader, whose write is then damaged
    with kept_file(tmp_path / "flat").open("r+b") as file:
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
from keras_gan.images.readers import ReadWhole
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
    """Starts a process that reads the pictures of a folder in a loop. Returns it once it runs."""
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


def test_a_process_killed_while_writing_leaves_a_valid_cache(tmp_path, decoded, start):
    flat(tmp_path / "flat", count=40)
    filling = start(tmp_path / "flat", 0.02)
    wait_until(lambda: any((tmp_path / "flat" / "train").glob(f"{FOLDER}/*.u8")), "a file of decoded pictures")
    wait_until(lambda: kept_file(tmp_path / "flat").stat().st_size > 5 * RECORD, "some decoded pictures")
    kill(filling)
    with kept_file(tmp_path / "flat").open("r+b") as file:  # as if killed in the middle of a write
        written = file.read().rstrip(b"\0")
        file.truncate(len(written) // RECORD * RECORD + RECORD // 2)
    assert seen(flat(tmp_path / "flat")) == list(range(40))
    assert 0 < len(decoded) < 40
    decoded.clear()
    assert seen(flat(tmp_path / "flat")) == list(range(40)) and len(decoded) == 1


def test_processes_share_a_cache_file_while_pictures_change(tmp_path, start):
    flat(tmp_path / "flat", count=12)
    others = [start(tmp_path / "flat", 0) for _ in range(2)]
    loader = flat(tmp_path / "flat")
    for i in range(10):
        aged(tmp_path / "flat" / "train", seconds=100 + i)  # some process rewrites every record
        assert seen(loader) == list(range(12))
    assert all(process.poll() is None for process in others)
    assert len(list((tmp_path / "flat" / "train" / FOLDER).iterdir())) == 1


# Places that cannot be written.


def test_the_cache_of_read_only_data_is_in_the_user_cache_folder(tmp_path, decoded, capsys):
    flat(tmp_path / "flat")
    (tmp_path / "flat" / "train" / FOLDER).write_text("in the way, even of root")
    assert seen(flat(tmp_path / "flat")) == list(range(8))
    assert str(tmp_path / "home" / "keras_gan" / f"train-{SIZE}x{SIZE}-") in capsys.readouterr().out
    decoded.clear()
    assert seen(flat(tmp_path / "flat")) == list(range(8)) and len(decoded) == 1
    (tmp_path / "other").mkdir()
    (tmp_path / "flat" / "train").rename(tmp_path / "other" / "train")
    flat(tmp_path / "other", count=8)
    assert len(os.listdir(tmp_path / "home" / "keras_gan")) == 1
    seen(flat(tmp_path / "other"))
    assert len(os.listdir(tmp_path / "home" / "keras_gan")) == 2  # another folder, another file


def test_without_a_place_for_the_cache_pictures_are_decoded_with_a_warning(tmp_path, decoded, capsys):
    loader = flat(tmp_path / "flat")
    (tmp_path / "flat" / "train" / FOLDER).write_text("in the way")
    (tmp_path / "home").write_text("in the way")
    assert seen(loader) == seen(loader) == list(range(8)) and len(decoded) == 16
    out, err = capsys.readouterr()
    assert err.count("\n") == 1 and "cannot cache the training pictures, every epoch decodes them again: " in err
    assert "Caching" not in out


def test_a_cache_that_would_fill_the_disk_is_not_created(tmp_path, monkeypatch, capsys):
    usage = stores.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(stores.shutil, "disk_usage", lambda path: usage._replace(free=16 * RECORD - 1))
    loader = flat(tmp_path / "flat")
    assert seen(loader) == list(range(8))
    assert capsys.readouterr().err.count("would take more than half of the free disk space") == 2
    assert not list(tmp_path.rglob("*.u8")) and not list(tmp_path.rglob(FOLDER))
    monkeypatch.setattr(stores.shutil, "disk_usage", lambda path: usage._replace(free=16 * RECORD))
    assert seen(flat(tmp_path / "flat")) == list(range(8)) and kept_file(tmp_path / "flat")


@pytest.mark.parametrize("how", ["error", "short write"])
def test_a_full_disk_is_reported_once_and_pictures_are_decoded(tmp_path, monkeypatch, capsys, decoded, how):
    real, writes = os.pwrite, []

    def pwrite(file, data, offset):
        writes.append(offset)
        if len(writes) <= 3:
            return real(file, data, offset)
        if how == "error":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, data[:100], offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    loader = flat(tmp_path / "flat")
    assert seen(loader) == list(range(8)) and len(writes) == 4
    decoded.clear()
    assert seen(loader) == list(range(8)) and len(writes) == 4 and len(decoded) == 5
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "No space left on device; decoding them" in err
    assert not loader.skipped


def test_an_unreadable_cache_file_skips_no_picture(tmp_path, monkeypatch):
    loader = flat(tmp_path / "flat")
    seen(loader)

    def pread(file, size, offset):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "pread", pread)
    assert seen(loader) == list(range(8)) and not loader.skipped


def test_a_system_without_pread_decodes(tmp_path, monkeypatch, capsys):
    monkeypatch.delattr(os, "pread")
    assert seen(flat(tmp_path / "flat")) == list(range(8))
    assert "this system cannot read files at an offset" in capsys.readouterr().err


# Costs.


def test_cached_pixels_are_read_only(tmp_path):
    for memory in (0, 2**30):
        loader = flat(tmp_path / "flat", memory=memory)
        (stream,) = loader._streams(is_testing=False)
        for _ in "decoded", "kept":
            assert not loader._cache.pixels(stream, stream.pictures[0]).flags.writeable


def test_creating_a_loader_opens_no_picture(tmp_path, monkeypatch):
    flat(tmp_path / "flat")
    asked = []

    def noting(call):
        return lambda path, *more, **named: (asked.append(str(path)), call(path, *more, **named))[1]

    for name in ("stat", "open"):
        monkeypatch.setattr(os, name, noting(getattr(os, name)))
    flat(tmp_path / "flat")
    assert not [path for path in asked if path.endswith(".png")]


@pytest.mark.parametrize(("low", "half"), [(-1, True), (0, False)])
@pytest.mark.parametrize("depth", ["uint8", "uint16"])
def test_scaling_is_one_division_and_one_addition_with_or_without_out(depth, low, half):
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
