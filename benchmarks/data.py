"""Measures pairs per second, from files and from the cache, and how long `fit()` waits for batches.

    python benchmarks/data.py                                                  shoes drawn by code, as JPEG
    python benchmarks/data.py datasets/edges2shoes --image-size 128 --batch-size 1

The baseline is plain Pillow with NumPy. It does the same work for a batch as a loader: open a pair, convert it, cut
it, resize the halves, mirror every other pair, scale to float32. With two threads it shows what two threads can reach.
The loaders are used by two threads, too; each thread asks for every other batch. Loaders that decode are new in every
round. Loaders with a warm cache stay, as in the later epochs of a training run. The cache file goes to a temporary
folder, so nothing is written beside your pictures.
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
from keras_gan.data import cache, stores
from keras_gan.images.drawn_shoes import draw_pair

import keras
import numpy as np
import report
import tensorflow as tf
from machine import describe
from PIL import Image

THREADS = 2


def measure(contestants, rounds, warm_up=1):
    """Returns the median seconds of each contestant; they take turns."""
    seconds = {name: [] for name in contestants}
    for turn in range(warm_up + rounds):
        for name, iteration in contestants.items():
            start = time.perf_counter()
            iteration()
            if turn >= warm_up:
                seconds[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def plain_pillow(paths, size, batch_size):
    """Reads every pair once, with Pillow and NumPy only."""
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
    """Makes every batch of an epoch; each thread of the pool makes its share.

    Batches are not handed over one by one, as Keras does: this takes longer than making a batch from the cache.
    """

    def make(first):
        for batch_i in range(first, len(loader), THREADS):
            loader[batch_i]

    list(pool.map(make, range(THREADS)))
    loader.on_epoch_end()


class Steps(keras.Model):
    """A model whose step keeps all cores busy for a given time and records when it began and ended."""

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
    """Yields the same ready batch every time."""

    def __init__(self, batch, steps):
        super().__init__(workers=THREADS)
        self.batch, self.steps = batch, steps

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        return self.batch


def waiting(batches, seconds):
    """Returns the median and the longest seconds between two steps in one epoch of `fit()`."""
    model = Steps(seconds)
    model.compile(run_eagerly=True)
    model.fit(batches, verbose=0, shuffle=False)
    starts, ends = np.array(model.times).T
    gaps = starts[1:] - ends[:-1]
    return float(np.median(gaps)), float(gaps.max())


def copied(folder, temporary, count):
    """Copies the first pairs of a folder, with their times, to a temporary folder. Returns their paths."""
    paths = DataLoader(folder).train[:count]
    for split, chosen in (("train", paths), ("val", paths[:1])):
        (temporary / split).mkdir()
        for path in chosen:
            shutil.copy2(path, temporary / split)
    return [temporary / "train" / path.name for path in paths]


def drawn(temporary, count, side=256):
    """Draws pairs and saves them as JPEG files, as large as the ones of edges2shoes. Returns their paths."""
    pairs = [Image.fromarray(draw_pair(seed=0, index=number, size=side)) for number in range(count)]
    for split, chosen in (("train", pairs), ("val", pairs[:1])):
        (temporary / split).mkdir()
        for number, pair in enumerate(chosen):
            pair.save(temporary / split / f"{number:04}.jpg", quality=95)
    return sorted((temporary / "train").iterdir())


def contestants(folder, paths, size, batch_size, pool):
    """Returns {name: a function that makes one epoch of batches}."""

    def loader(memory=cache.MEMORY):
        cache.MEMORY, usual = memory, cache.MEMORY
        try:
            return DataLoader(folder, (size, size), batch_size=batch_size, seed=0)
        finally:
            cache.MEMORY = usual

    def filling_a_file():
        shutil.rmtree(folder / "train" / stores.FOLDER, ignore_errors=True)
        one_epoch(loader(memory=0), pool)

    in_memory, in_a_file = loader(), loader(memory=0)
    for kept in in_memory, in_a_file:
        one_epoch(kept, pool)
    return {
        "plain Pillow, one thread": lambda: plain_pillow(paths, size, batch_size),
        "plain Pillow, two threads": lambda: list(
            pool.map(lambda first: plain_pillow(paths[first::THREADS], size, batch_size), range(THREADS))
        ),
        "loader, decoding": lambda: one_epoch(loader(), pool),
        "loader, decoding and filling the cache file": filling_a_file,
        "loader, from the cache file": lambda: one_epoch(in_a_file, pool),
        "loader, from the cache in memory": lambda: one_epoch(in_memory, pool),
    }


def measure_all(args):
    """Returns all figures: the median seconds of each contestant for all pairs, and the waiting times of `fit()`."""
    size = (args.image_size,) * 2
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(THREADS) as pool:
        folder = Path(temporary)
        paths = copied(args.folder, folder, args.pictures) if args.folder else drawn(folder, args.pictures)
        racing = contestants(folder, paths, args.image_size, args.batch_size, pool)
        seconds = measure(racing, args.rounds)
        loader = DataLoader(folder, size, batch_size=args.batch_size, steps_per_epoch=30, seed=0)
        gaps = {"a loader, decoding": waiting(loader, args.step)}
        gaps["a loader, from the cache in memory"] = waiting(loader, args.step)
        gaps["ready batches"] = waiting(Ready(loader[0], 30), args.step)
    batches = f"{args.image_size}x{args.image_size}, batch {args.batch_size}, {THREADS} threads"
    figures = {"pairs": len(paths), "batches": batches, "seconds": seconds, "step": args.step, "gaps": gaps}
    return figures | {"machine": describe()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="a folder of pairs; default: drawn shoes")
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--step", type=float, default=0.15, help="seconds that a step of fit() takes")
    parser.add_argument("--json", action="store_true", help="print the figures as one line of JSON")
    args = parser.parse_args()

    with contextlib.redirect_stdout(io.StringIO()):
        figures = measure_all(args)
    print(json.dumps(figures) if args.json else report.loader_tables(figures))


if __name__ == "__main__":
    main()
