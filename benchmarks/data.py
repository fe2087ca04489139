"""Pictures per second from files and from what is kept of them, and how long `fit()` waits for batches.

    python benchmarks/data.py                                                  shoes drawn by code, as JPEG
    python benchmarks/data.py datasets/edges2shoes --image-size 128 --batch-size 1

Plain Pillow does, with NumPy, what a loader does for a batch: it opens a pair, converts it, cuts it, resizes the
halves, mirrors every other pair and scales to float32. What two threads of it do in the time of one is what two
threads can: the loaders are asked by two, each for every other batch. Those that decode are new in every round; those
that have decoded before are not, as in the later epochs of a training. Nothing is written beside the
pictures: the file of decoded ones goes to a temporary folder.
"""

import argparse
import contextlib
import io
import json
import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_gan import DataLoader
from keras_gan.data import cache
from keras_gan.images.drawn_shoes import draw_pair

import keras
import numpy as np
import report
import tensorflow as tf
from machine import describe
from PIL import Image

THREADS = 2


def measure(contestants, rounds, warm_up=1):
    """Median seconds of each contestant, taking turns."""
    seconds = {name: [] for name in contestants}
    for turn in range(warm_up + rounds):
        for name, iteration in contestants.items():
            start = time.perf_counter()
            iteration()
            if turn >= warm_up:
                seconds[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def plain_pillow(paths, size, batch_size):
    """One thread, nothing but Pillow and NumPy: every picture once."""
    for start in range(0, len(paths), batch_size):
        pairs = []
        for i, path in enumerate(paths[start : start + batch_size]):
            with Image.open(path) as opened:
                image = opened.convert("RGB")
            width, height = image.size
            boxes = (0, 0, width // 2, height), (width // 2, 0, width, height)
            halves = [image.crop(box).resize((size, size), Image.Resampling.BICUBIC) for box in boxes]
            if (start + i) % 2:
                halves = [half.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for half in halves]
            pairs.append([np.asarray(half) for half in halves])
        A, B = np.array(pairs).swapaxes(0, 1).astype("float32") / 127.5 - 1
        assert A.shape == B.shape


def one_epoch(loader, pool):
    """Every batch of an epoch; each thread of this pool makes a part of them.

    To hand them over one by one, as Keras does, takes longer than to make one of kept pictures.
    """

    def make(first):
        for batch_i in range(first, len(loader), THREADS):
            loader[batch_i]

    list(pool.map(make, range(THREADS)))
    loader.on_epoch_end()


class Steps(keras.Model):
    """A model whose step keeps all cores busy for this long, and that knows when its steps began and ended."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds
        self.times = []
        self.matrix = tf.random.normal((1024, 1024))

    def train_step(self, data):
        start = time.perf_counter()
        while time.perf_counter() < start + self.seconds:
            tf.linalg.matmul(self.matrix, self.matrix)[0, 0].numpy()
        self.times.append((start, time.perf_counter()))
        return {"loss": 0.0}


class Ready(keras.utils.PyDataset):
    """A batch that needs no making."""

    def __init__(self, batch, steps):
        super().__init__(workers=THREADS)
        self.batch, self.steps = batch, steps

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        return self.batch


def waiting(batches, seconds):
    """Median and longest seconds between two steps of an epoch of `fit()`."""
    model = Steps(seconds)
    model.compile(run_eagerly=True)
    model.fit(batches, verbose=0, shuffle=False)
    starts, ends = np.array(model.times).T
    gaps = starts[1:] - ends[:-1]
    return float(np.median(gaps)), float(gaps.max())


def copied(folder, temporary, count):
    """The first pictures of a paired folder, copied with their times into a folder where a file may be kept."""
    paths = DataLoader(folder).train[:count]
    for split, chosen in (("train", paths), ("val", paths[:1])):
        (temporary / split).mkdir()
        for path in chosen:
            shutil.copy2(path, temporary / split)
    return [temporary / "train" / path.name for path in paths]


def drawn(temporary, count, side=256):
    """As many drawn pairs, as JPEG files of the size of edges2shoes'."""
    pairs = [Image.fromarray(draw_pair(seed=0, index=number, size=side)) for number in range(count)]
    for split, chosen in (("train", pairs), ("val", pairs[:1])):
        (temporary / split).mkdir()
        for number, pair in enumerate(chosen):
            pair.save(temporary / split / f"{number:04}.jpg", quality=95)
    return sorted((temporary / "train").iterdir())


def contestants(folder, paths, size, batch_size, pool):
    """What makes one epoch of batches, by name."""

    def loader(memory=cache.MEMORY):
        cache.MEMORY, usual = memory, cache.MEMORY
        try:
            return DataLoader(folder, (size, size), batch_size=batch_size, seed=0)
        finally:
            cache.MEMORY = usual

    def filling_a_file():
        shutil.rmtree(folder / "train" / cache.FOLDER, ignore_errors=True)
        one_epoch(loader(memory=0), pool)

    in_memory, in_a_file = loader(), loader(memory=0)
    for kept in in_memory, in_a_file:
        one_epoch(kept, pool)
    return {
        "one thread of plain Pillow": lambda: plain_pillow(paths, size, batch_size),
        "as many of plain Pillow": lambda: list(
            pool.map(lambda first: plain_pillow(paths[first::THREADS], size, batch_size), range(THREADS))
        ),
        "from the files": lambda: one_epoch(loader(), pool),
        "from the files, keeping pixels in a file": filling_a_file,
        "from such a file": lambda: one_epoch(in_a_file, pool),
        "from memory": lambda: one_epoch(in_memory, pool),
    }


def measure_all(args):
    """The figures of all this: median seconds for all pairs, by what makes the batches, and the waits."""
    size = (args.image_size,) * 2
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(THREADS) as pool:
        folder = Path(temporary)
        paths = copied(args.folder, folder, args.pictures) if args.folder else drawn(folder, args.pictures)
        racing = contestants(folder, paths, args.image_size, args.batch_size, pool)
        seconds = measure(racing, args.rounds)
        loader = DataLoader(folder, size, batch_size=args.batch_size, steps_per_epoch=30, seed=0)
        gaps = {"of a loader, decoding": waiting(loader, args.step)}
        gaps["of a loader, its pictures kept"] = waiting(loader, args.step)
        gaps["that need no making"] = waiting(Ready(loader[0], 30), args.step)
    batches = f"{args.image_size}x{args.image_size}, batch {args.batch_size}, {THREADS} threads"
    figures = {"pairs": len(paths), "batches": batches, "seconds": seconds, "step": args.step, "gaps": gaps}
    return figures | {"machine": describe()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="a folder of paired pictures; default: drawn shoes")
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--step", type=float, default=0.15, help="seconds of a step of fit()")
    parser.add_argument("--json", action="store_true", help="the figures as a line of JSON")
    args = parser.parse_args()

    with contextlib.redirect_stdout(io.StringIO()):
        figures = measure_all(args)
    print(json.dumps(figures) if args.json else report.loader_tables(figures))


if __name__ == "__main__":
    main()
