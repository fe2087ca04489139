"""Data sets of single pictures with labels: idx files as those of MNIST, and a folder a class."""

import gzip

import numpy as np

from support.numbered import write


def idx(array):
    """The bytes of an idx file."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype("uint8").tobytes()


def idx_arrays(train=20, test=10, classes=10, seed=0):
    """What the four files hold, by their names."""
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
    """The folder, now with the four files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in idx_arrays(**options).items():
        name = name.replace("-idx", f"{mark}idx") + ".gz" * packed
        (folder / name).write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    return folder


def write_classes(folder, **counts):
    """The folder, now with so many pictures of each class."""
    for name, count in counts.items():
        write(folder / name, count)
    return folder
