"""Reads the idx files of MNIST: a header of big-endian numbers, then unsigned bytes."""

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.errors import BadValueError, NotFoundError

CONTENTS = {1: "labels", 3: "images"}  # by number of dimensions
TYPES = {8: "unsigned bytes", 9: "signed bytes", 11: "int16", 12: "int32", 13: "float32", 14: "float64"}
UNSIGNED_BYTES = 8
#: A file may promise MAX_RATIO times its size plus MAX_EXTRA bytes. MNIST compresses to a fifth.
MAX_RATIO, MAX_EXTRA = 50, 100_000_000
CHUNK = 1 << 20


def read_idx_split(folder: Path, split: str, classes: list | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Reads the images and labels of a split from two files in a folder.

    Args:
        folder: a Path.
        split: the prefix of the file names, "train" or "t10k".
        classes: the class names that labels refer to, if known.

    Returns:
        (images, labels), uint8 arrays (n, height, width) and (n,).

    Raises:
        NotFoundError: if a file is missing.
        BadValueError: if a file is damaged or not what its name says, or the two do not match.
    """
    path_images, path_labels = idx_path(folder, split, 3), idx_path(folder, split, 1)
    images, labels = read_idx(path_images, 3), read_idx(path_labels, 1)
    if len(images) != len(labels):
        raise BadValueError(
            f"{path_images} holds {len(images)} images, but {path_labels} {len(labels)} labels: "
            "both must be complete files of the same split."
        )
    if classes is not None and labels.max() >= len(classes):
        raise BadValueError(
            f"{path_labels} holds the label {labels.max()}; expected 0 to {len(classes) - 1}, "
            f"for {len(classes)} classes."
        )
    return images, labels


def idx_path(folder: Path, split: str, dimensions: int) -> Path:
    """The path of an idx file, gzipped or not. Raises NotFoundError if there is none."""
    stem, ending = f"{split}-{CONTENTS[dimensions]}", f"idx{dimensions}-ubyte"
    names = [f"{stem}{mark}{ending}{packed}" for mark in "-." for packed in ("", ".gz")]
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        there = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
        raise NotFoundError(f"no {' or '.join(names)} in {folder}, which has {there}.")
    return path


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Reads an idx file of unsigned bytes with this number of dimensions: uint8 (n,) or (n, height, width).

    Raises:
        BadValueError: if it has other contents, or more or less data than its header says.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            return read_array(path, file, dimensions)
    except (OSError, EOFError, zlib.error) as error:
        if path.suffix != ".gz":
            raise BadValueError(f"{path} cannot be read ({error}).") from error
        raise BadValueError(
            f"{path} cannot be unpacked ({error}); expected a complete gzip file, or one without .gz in its name."
        ) from error


def read_array(path: Path, file: Any, dimensions: int) -> np.ndarray:
    """What `read_idx` returns, from the open file. Reads hardly more than the header promises."""
    wanted = f"{CONTENTS[dimensions]}, an idx file that starts with 00 00 {UNSIGNED_BYTES:02x} {dimensions:02x}"
    start = 4 + 4 * dimensions
    content = file.read(start)
    if not bytes([0, 0, UNSIGNED_BYTES, dimensions]).startswith(content[:4]):
        raise BadValueError(f"{path} starts with {content[:4].hex(' ')}: {idx_kind(content)}; expected {wanted}.")
    if len(content) < start:
        raise BadValueError(f"{path} is truncated: it has {len(content)} bytes; expected {wanted}.")
    shape = np.frombuffer(content, ">u4", dimensions, offset=4).tolist()
    size = " x ".join(map(str, shape))
    expected = math.prod(shape)
    if expected > MAX_RATIO * path.stat().st_size + MAX_EXTRA:
        raise BadValueError(f"{path} is damaged: its header says {size}, far more than such a file can hold.")
    values = read_to(file, expected + CHUNK)
    if len(values) != expected:
        fault = "truncated" if len(values) < expected else "longer than its header says"
        raise BadValueError(f"{path} is {fault}: {len(values)} bytes after the header; expected {expected} ({size}).")
    if not expected:
        raise BadValueError(f"{path} is empty: its header says {size}.")
    return np.frombuffer(values, np.uint8).reshape(shape)


def read_to(file: Any, most: int) -> bytes:
    """The rest of a file, but at most this number of bytes, in pieces: memory is taken as they come."""
    pieces, left = [], most
    while left and (piece := file.read(min(left, CHUNK))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def idx_kind(content: bytes) -> str:
    """Describes the contents of a file by its first bytes."""
    if content[:2] == b"\x1f\x8b":
        return "it is gzipped, and needs the extension .gz"
    if content[:2] != b"\0\0" or len(content) < 4 or content[2] not in TYPES:
        return "it is not an idx file"
    contents = CONTENTS.get(content[3], f"an array of {content[3]} dimensions")
    return f"it holds {contents} of {TYPES[content[2]]}"
