"""Measures readers of training data in shards: this package's, grain, webdataset and datasets.

    python benchmarks/shards.py                                    10,000 and 100,000 entries: some minutes
    python benchmarks/shards.py --entries 1000000 --folder /data   a million: 3 GB, which stay in that folder

The entries are small pictures (PNG, about 0.8 kB) in shards of up to 10,000, the pages of which the system has in
memory. Every reader hands out their bytes, shuffled from a seed and not decoded, from one thread. Each runs in a
process of its own. A reader whose library is missing is left out; `ours-parquet` reads Parquet files.

start     seconds from the name to the first entry; for keras_gan also the second time, when the shards are listed,
          and in brackets those of the processor
entries/s over the first 20,000 entries
resume    seconds from the name to the entry that follows the middle of the epoch, in a new process, with what the
          reader saves for this; webdataset saves nothing, so it reads the first half again
same      whether the 1000 entries after that are those of an epoch that was never stopped
memory    what the process has grown by from before the name to there, in MB
"""

import argparse
import contextlib
import importlib.util
import io
import itertools
import json
import os
import pickle
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

EACH, KINDS, AFTER, TIMED = 10_000, 64, 1000, 20_000
SEED, WINDOW = 7, 4096
CONTESTANTS = "ours", "ours-parquet", "grain", "webdataset", "datasets"
PACKAGES = {"ours-parquet": "pyarrow", "grain": "grain", "webdataset": "webdataset", "datasets": "datasets"}


def pictures():
    """Some small pictures, encoded."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(KINDS):
        content = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), "uint8")).save(content, "PNG")
        found.append(content.getvalue())
    return found


def make(folder, entries):
    """Writes the shards, as tar archives and, if its library is there, as ArrayRecord files for grain."""
    if (folder / "whole").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    contents = pictures()
    for shard in range(-(-entries // EACH)):
        numbers = range(shard * EACH, min((shard + 1) * EACH, entries))
        with open(folder / f"{shard:05}.tar", "wb") as archive:
            for number in numbers:
                info = tarfile.TarInfo(f"{number:08}.png")
                content = contents[number % KINDS]
                info.size = len(content)
                archive.write(info.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512))
            archive.write(bytes(10240))
        os.utime(folder / f"{shard:05}.tar", (1e9, 1e9))
        with contextlib.suppress(ImportError):
            save_parquet(folder / f"{shard:05}.parquet", [contents[number % KINDS] for number in numbers])
        try:
            from array_record.python.array_record_module import ArrayRecordWriter
        except ImportError:
            continue
        writer = ArrayRecordWriter(str(folder / f"{shard:05}.array_record"), "group_size:1")
        for number in numbers:
            writer.write(number.to_bytes(8, "little") + contents[number % KINDS])
        writer.close()
    (folder / "whole").touch()


def save_parquet(path, contents):
    """Writes a Parquet file with groups of 1000 rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"image": contents}), path, row_group_size=1000)


def list_of(folder, ending):
    count = len(list(folder.glob(f"*{ending}")))
    return f"{folder}/{{00000..{count - 1:05}}}{ending}"


# A reader yields (what tells an entry, its bytes, what to save) from the beginning, or after what was saved.


def ours(folder, saved, ending=".tar"):
    from keras_gan.data.order import Stream
    from keras_gan.datasets.shards import opened
    from keras_gan.images.readers import ReadWhole

    pictures = opened(list_of(folder, ending)).train
    stream = Stream(pictures, ReadWhole(3), (16, 16), SEED)
    for at in range(saved or 0, len(pictures)):
        picture = pictures[stream.in_round(0, at).number]
        yield picture.place, picture.content(), lambda at=at: at + 1


def ours_parquet(folder, saved):
    return ours(folder, saved, ".parquet")


def grain(folder, saved):
    from grain import MapDataset
    from grain.sources import ArrayRecordDataSource

    source = ArrayRecordDataSource(sorted(map(str, folder.glob("*.array_record"))))
    reader = iter(MapDataset.source(source).seed(SEED).shuffle().to_iter_dataset())
    if saved:
        reader.set_state(saved)
    for content in reader:
        yield content[:8], content[8:], reader.get_state


def webdataset(folder, saved):
    import webdataset as wds

    reader = wds.WebDataset(list_of(folder, ".tar"), shardshuffle=100, seed=SEED).shuffle(WINDOW, seed=SEED)
    for number, entry in enumerate(reader):
        if number >= (saved or 0):
            yield entry["__key__"], entry["png"], lambda number=number: number + 1


def datasets(folder, saved):
    import datasets

    files = sorted(map(str, folder.glob("*.tar")))
    reader = datasets.load_dataset("webdataset", data_files=files, split="train", streaming=True)
    reader = reader.cast_column("png", datasets.Image(decode=False)).shuffle(seed=SEED, buffer_size=WINDOW)
    if saved:
        reader.load_state_dict(saved)
    for entry in reader:
        yield entry["__key__"], entry["png"]["bytes"], reader.state_dict


def memory():
    """The memory of this process in MB, without pages of files."""
    told = Path("/proc/self/status").read_text()
    return int(told.partition("RssAnon:")[2].split()[0]) / 1000


def measure(contestant, folder, entries, saved):
    """What one process measures: from the beginning, or with what was saved."""
    own = ["keras_gan.data.order", "keras_gan.datasets.shards"]
    for name in own if contestant.startswith("ours") else [contestant]:
        __import__(name)
    before, start, of_processor = memory(), time.perf_counter(), time.process_time()
    reader = globals()[contestant.replace("-", "_")](folder, saved)
    first = next(reader, None)  # None: with what it saved, it is at the end
    found = {"start": time.perf_counter() - start, "of_processor": time.process_time() - of_processor}
    if saved is None:
        start = time.perf_counter()
        taken = sum(1 for _ in itertools.islice(reader, min(TIMED, entries // 4)))
        found["rate"] = taken / (time.perf_counter() - start)
        for _ in itertools.islice(reader, entries // 2 - taken - 2):
            pass
        *_, save = next(reader)
        found["saved"] = pickle.dumps(save()).hex()
        found["memory"] = memory() - before
        first = next(reader)
    entries = [first, *itertools.islice(reader, AFTER - 1)] if first else []
    found["after"] = [str(entry[0]) for entry in entries]
    found["memory"] = found.get("memory", memory() - before)
    return found


def in_process(contestant, folder, entries, cache, saved=""):
    """`measure` in a new process. None if the library is missing."""
    command = [sys.executable, __file__, "--one", contestant, str(folder), str(entries), str(saved)]
    places = os.pathsep.join([str(Path(__file__).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    variables = os.environ | {"XDG_CACHE_HOME": str(cache), "HF_HOME": str(cache), "PYTHONPATH": places}
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def rows(folder, entries, contestants):
    """The rows of the table for this number of entries."""
    make(folder, entries)
    for contestant in contestants:
        if contestant in PACKAGES and importlib.util.find_spec(PACKAGES[contestant]) is None:
            print(f"{contestant} is left out: {PACKAGES[contestant]} is not installed", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory() as cache:
            whole = in_process(contestant, folder, entries, cache)
            state = Path(cache, "state")
            state.write_text(whole["saved"])
            resumed = in_process(contestant, folder, entries, cache, state)
            starts = [whole, in_process(contestant, folder, entries, cache)] if contestant == "ours" else [whole]
        start = ", then ".join(f"{one['start']:.2f} ({one['of_processor']:.2f})" for one in starts)
        same = "yes" if whole["after"] == resumed["after"] else "no"
        figures = f"{whole['rate']:,.0f}", f"{resumed['start']:.2f}", same, f"{whole['memory']:.0f}"
        yield entries, contestant, start, *figures


def by_tarfile(path):
    with tarfile.open(path) as archive:
        return sum(1 for _ in archive)


def by_index(path):
    from keras_gan.datasets.tar_listing import Listing

    with open(path, "rb", buffering=0) as archive:
        return len(Listing(archive, path.stat().st_size).index().entries)


def listing(path):
    """A line: the seconds of the processor for listing one shard, by `tarfile` and by keras_gan."""
    seconds = []
    for lists in (by_tarfile, by_index, by_tarfile, by_index):
        start = time.process_time()
        count = lists(path)
        seconds.append(time.process_time() - start)
    tarfiles, ours = min(seconds[::2]), min(seconds[1::2])
    return f"{count} members listed in seconds of the processor: by tarfile {tarfiles:.3f}, by keras_gan {ours:.3f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entries", type=int, nargs="+", default=[10_000, 100_000], help="numbers of entries")
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=CONTESTANTS, help="readers")
    parser.add_argument("--folder", type=Path, help="where to keep the shards; default: nowhere")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        contestant, folder, entries, state = given.one
        saved = pickle.loads(bytes.fromhex(Path(state).read_text())) if state else None
        print(json.dumps(measure(contestant, Path(folder), int(entries), saved)))
        return
    titles = ["entries", "reader", "start", "entries/s", "resume", "same", "memory"]
    print("", "| " + " | ".join(titles) + " |", "|---" * len(titles) + "|", sep="\n")
    with tempfile.TemporaryDirectory() as temporary:
        for entries in given.entries:
            for row in rows((given.folder or Path(temporary)) / str(entries), entries, given.contestants):
                print("| " + " | ".join(map(str, row)) + " |", flush=True)
            print(listing((given.folder or Path(temporary)) / str(entries) / "00000.tar"), file=sys.stderr)


if __name__ == "__main__":
    main()
