"""Labelled data sets for tests: idx files like MNIST's, and one folder per class."""

import gzip

import numpy as np

from support.numbered import write


def idx(array):
    """The bytes of an idx file."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype("uint8").tobytes()


def idx_arrays(train=20, test=10, classes=10, seed=0):
    """The arrays of the four files, by file name."""
    rng = np.random.default_rng(seed)
    return {
        f"{split}-{what}-idx{dimensions}-ubyte": array
        for split, count in (("train", train), ("t10k", test))
        for what, dimensions, array in (
            ("images", 3, rng.integers(0, 256, (count, 6, 5), "uint8")),
            ("labels", 1, np.arange(count).astype("uint8") % classes),
        )
    }


def write_idx(folder, packed=False, mark="-", **options):
    """Writes the four files into a folder; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in idx_arrays(**options).items():
        name = name.replace("-idx", f"{mark}idx") + ".gz" * packed
        (folder / name).write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    return folder


def write_classes(folder, **counts):
    """Writes `count` pictures per class into a folder; returns the folder."""
    for name, count in counts.items():
        write(folder / name, count)
    return folder
