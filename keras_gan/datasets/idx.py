"""The idx files of MNIST: a header of big-endian numbers, then unsigned bytes."""

import gzip
import math
import zlib

import numpy as np

from keras_gan.errors import BadValueError, NotFoundError

CONTENTS = {1: "labels", 3: "images"}  # by the number of dimensions
TYPES = {8: "unsigned bytes", 9: "signed bytes", 11: "int16", 12: "int32", 13: "float32", 14: "float64"}
UNSIGNED_BYTES = 8


def read_idx_split(folder, split, classes=None):
    """The images and labels of a split, "train" or "t10k", from two files in a folder.

    Args:
        folder: a Path.
        split: what the names of the files begin with.
        classes: those that the labels number, if they are known.

    Returns:
        (images, labels), uint8 arrays (n, height, width) and (n,).

    Raises:
        NotFoundError: if a file is missing.
        BadValueError: if one is damaged or another than its name says, or both do not fit each other.
    """
    path_images, path_labels = idx_path(folder, split, 3), idx_path(folder, split, 1)
    images, labels = read_idx(path_images, 3), read_idx(path_labels, 1)
    if len(images) != len(labels):
        raise BadValueError(
            f"{path_images} holds {len(images)} images, but {path_labels} {len(labels)} labels: "
            "both must be of the same split, and whole."
        )
    if classes is not None and labels.max() >= len(classes):
        raise BadValueError(
            f"{path_labels} holds the label {labels.max()}; expected are those of {len(classes)} classes, "
            f"0 to {len(classes) - 1}."
        )
    return images, labels


def idx_path(folder, split, dimensions):
    """The path of an idx file, packed or not, or a NotFoundError."""
    stem, ending = f"{split}-{CONTENTS[dimensions]}", f"idx{dimensions}-ubyte"
    names = [f"{stem}{mark}{ending}{packed}" for mark in "-." for packed in ("", ".gz")]
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        there = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
        raise NotFoundError(f"no {' or '.join(names)} in {folder}: there is {there}.")
    return path


def read_idx(path, dimensions):
    """The unsigned bytes in an idx file of so many dimensions: uint8 (n,) or (n, height, width).

    Raises:
        BadValueError: if it holds something else, or more or less than its header says.
    """
    content = unpacked(path)
    wanted = f"{CONTENTS[dimensions]}, an idx file that starts with 00 00 {UNSIGNED_BYTES:02x} {dimensions:02x}"
    start = 4 + 4 * dimensions
    if not bytes([0, 0, UNSIGNED_BYTES, dimensions]).startswith(content[:4]):
        raise BadValueError(f"{path} starts with {content[:4].hex(' ')}: {idx_kind(content)}; expected are {wanted}.")
    if len(content) < start:
        raise BadValueError(f"{path} is truncated: it has {len(content)} bytes; expected are {wanted}.")
    shape = np.frombuffer(content, ">u4", dimensions, offset=4).tolist()
    size = " x ".join(map(str, shape))
    held, expected = len(content) - start, math.prod(shape)
    if held != expected:
        fault = "truncated" if held < expected else "longer than its header says"
        raise BadValueError(f"{path} is {fault}: {held} bytes after the header; expected are {expected} ({size}).")
    if not expected:
        raise BadValueError(f"{path} holds nothing: its header says {size}.")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def idx_kind(content):
    """What a file is that starts so."""
    if content[:2] == b"\x1f\x8b":
        return "it is packed, and needs the ending .gz"
    if content[:2] != b"\0\0" or len(content) < 4 or content[2] not in TYPES:
        return "it is no idx file"
    contents = CONTENTS.get(content[3], f"an array of {content[3]} dimensions")
    return f"it holds {contents} of {TYPES[content[2]]}"


def unpacked(path):
    """The bytes of a file, unpacked if its name ends in .gz."""
    if path.suffix != ".gz":
        return path.read_bytes()
    try:
        with gzip.open(path) as packed:
            return packed.read()
    except (OSError, EOFError, zlib.error) as error:
        raise BadValueError(
            f"{path} cannot be unpacked ({error}); expected is a whole gzip file, or one without .gz in its name."
        ) from error
