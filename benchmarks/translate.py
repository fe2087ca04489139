"""Compares `python -m keras_gan.translate` with a bare `predict`, and measures the translation of a large picture.

    python benchmarks/translate.py speed           1,000 files of 256x256; Keras' predict on the same pictures in memory
    python benchmarks/translate.py tiles           one picture of 6000x4000 in tiles: memory, and steps at the seams

The generator is an untrained Pix2Pix at 256x256: time and memory do not depend on the weights. Seams do depend on
them, so they are also measured with the trained generator that comes with the demo.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_gan.demo.__main__ import BUNDLED

import numpy as np
from PIL import Image


def texture(height, width, seed):
    """Makes a picture with some structure, like a photo: colour patches and grain, uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    patches = Image.fromarray(rng.integers(0, 256, (12, 12, 3), "uint8")).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    grain = rng.normal(0, 4, (height, width, 1)).astype("float32")
    return np.clip(np.asarray(patches) + grain, 0, 255).astype("uint8")


def save_generator(path):
    from keras_gan import Pix2Pix

    import keras

    keras.utils.set_random_seed(0)
    Pix2Pix(dataset_name="drawn_shoes", df=4, seed=0).generator.save(path)


def speed(folder, count, batch_size=8):
    """Prints both rates and their ratio."""
    from keras_gan import generators
    from keras_gan.translate import inputs
    from keras_gan.translate.pipeline import Flow

    pictures = [texture(256, 256, seed) for seed in range(50)]
    (folder / "in").mkdir()
    for i in range(count):
        Image.fromarray(pictures[i % 50]).save(folder / "in" / f"{i}.png")
    generator = generators.find(folder / "generator.keras")
    images = np.stack([pictures[i % 50] for i in range(count)]).astype("float32") / 127.5 - 1
    generator.model.predict(images[: 2 * batch_size], batch_size=batch_size, verbose=0)  # compiles
    todo = inputs.gather([folder / "in"], folder / "warm")
    list(Flow(generator, todo[: 2 * batch_size]).run())
    began = time.perf_counter()
    generator.model.predict(images, batch_size=batch_size, verbose=0)
    bare = count / (time.perf_counter() - began)
    todo = inputs.gather([folder / "in"], folder / "out")
    began = time.perf_counter()
    done = sum(after is not None for _, _, after in Flow(generator, todo).run())
    rate = done / (time.perf_counter() - began)
    print(f"{count} pictures: predict {bare:.2f} per second, translate {rate:.2f} per second ({rate / bare:.1%})")


def tiled(generator, height=4000, width=6000):
    """Translates one large picture in a separate process; prints time, peak memory and steps at the seams."""
    from keras_gan.translate import tiles

    folder = Path(tempfile.mkdtemp(dir=generator.parent))
    Image.fromarray(texture(height, width, 0)).save(folder / "large.png", compress_level=1)
    command = [sys.executable, "-m", "keras_gan.translate", generator, folder / "large.png"]
    began = time.perf_counter()
    process = subprocess.Popen([*command, "--size", "original", "--output", folder / "out"])
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds, peak = time.perf_counter() - began, used.ru_maxrss / 2**20
    print(f"{generator.stem}, {width}x{height}: {seconds:.0f} s, peak memory of the process {peak:.2f} GiB")
    result = np.asarray(Image.open(folder / "out" / "large.png"), "float32")
    for axis, name in ((0, "down"), (1, "across")):
        steps = np.abs(np.diff(result, axis=axis)).mean(axis=(1 - axis, 2))  # between neighbouring rows, or columns
        begins = tiles.starts(result.shape[axis], tiles.TILE)
        borders = np.array(
            sorted({start - 1 for start in begins[1:]} | {start + tiles.TILE - 1 for start in begins[:-1]})
        )
        # The content differs from place to place, so each border is also compared with the lines beside it
        away = np.array([distance for distance in range(-16, 17) if abs(distance) > 2])
        beside = steps[borders[:, None] + away]
        # Inside: pixels from a single tile. Where two tiles are mixed, the grain of an untrained network averages out
        covered = tiles.sum_at(begins, np.ones(tiles.TILE, "float32"), result.shape[axis])
        inside = steps[(covered[:-1] == 1) & (covered[1:] == 1)]
        print(
            f"{name}: mean step at {len(borders)} borders of tiles {steps[borders].mean():.3f} of 255 (largest "
            f"{steps[borders].max():.3f}), beside them {beside.mean():.3f} (largest {beside.max():.3f}), "
            f"inside {inside.mean():.3f} (largest {inside.max():.3f})"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "tiles"))
    parser.add_argument("--count", type=int, default=1000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        save_generator(folder / "generator.keras")
        if given.what == "speed":
            speed(folder, given.count)
        else:
            for path in (folder / "generator.keras", Path(shutil.copy(BUNDLED, folder))):
                tiled(path)


if __name__ == "__main__":
    main()
