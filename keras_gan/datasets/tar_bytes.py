"""Headers of a tar shard, and names of its members, as arrays of bytes: uint8 (n, width), filled with zeros."""

import numpy as np

from keras_gan.datasets.hub_columns import FIRST, SECOND
from keras_gan.datasets.unpack import COMPRESSED
from keras_gan.images.members import BLOCK, MAGIC

MAGIC_AT, SIZE_AT = slice(257, 262), slice(124, 135)  # in a header
MAGIC_BYTES, OCTAL = np.frombuffer(MAGIC, "u1"), 8 ** np.arange(10, -1, -1)
ZSTD = b"\x28\xb5\x2f\xfd"  # what files compressed by it begin with
SIDE_A, SIDE_B = 1, 2
WORD = 16  # bytes of the longest word that tells a side
#: Whether a byte in a name is a control character, a backslash or a colon.
ODD = np.array([0 < byte < 32 or byte == 127 or chr(byte) in "\\:" for byte in range(256)])


def swept(blocks: memoryview) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The headers in blocks of 512 bytes, the first of which is one, all at once.

    Returns:
        (uint8 (n, 512), their offsets in bytes, the sizes of their members), or None if they do not follow on each
        other: then a picture has what looks like a header, or there is none.
    """
    rows = np.frombuffer(blocks, "u1").reshape(-1, BLOCK)
    found = np.flatnonzero((rows[:, MAGIC_AT] == MAGIC_BYTES).all(1))
    rows = rows[found]
    digits = rows[:, SIZE_AT] - np.uint8(ord("0"))
    if not len(found) or found[0] or (digits > 7).any():
        return None
    sizes = digits @ OCTAL
    following = found + 1 + -(-sizes // BLOCK)
    if (following[:-1] != found[1:]).any():
        return None
    return rows, found * BLOCK, sizes


def what_instead(start: bytes) -> str:
    """What a file is that has no member of a tar archive, by its first bytes."""
    if not start:
        return "it is empty"
    is_compressed = start.startswith(tuple(COMPRESSED)) or start.startswith(ZSTD)
    return "it is compressed" if is_compressed else "it is no tar archive"


def path_told(content: bytes) -> bytes | None:
    """The name in the content of an extended header: records such as b"21 path=photos/1.jpg\\n"; or None."""
    while content:
        length, _, _ = content.partition(b" ")
        if not length.isdigit() or not 0 < int(length) <= len(content):
            return None
        record, content = content[len(length) + 1 : int(length) - 1], content[int(length) :]
        if record.startswith(b"path="):
            return record[5:]
    return None


def ends_of(names: np.ndarray) -> np.ndarray:
    """The lengths of names, (n, width) with a zero behind each."""
    return (names == 0).argmax(1)


def last(is_there: np.ndarray) -> np.ndarray:
    """The last column of each row where something is there; -1 if it is nowhere."""
    return np.where(is_there.any(1), is_there.shape[1] - 1 - is_there[:, ::-1].argmax(1), -1)


def cut_out(names: np.ndarray, start: np.ndarray, stop: np.ndarray, width: int) -> np.ndarray:
    """The bytes of names from `start` to `stop`, (n, width) filled with zeros; all zero if there are more."""
    columns = np.maximum(start, 0)[:, None] + np.arange(width)
    inside = (columns < stop[:, None]) & (stop - start <= width)[:, None] & (start >= 0)[:, None]
    found = np.take_along_axis(names, np.minimum(columns, names.shape[1] - 1), 1)
    return np.ascontiguousarray(np.where(inside, found, 0))


def sides_told(names: np.ndarray, before: np.ndarray, dot: np.ndarray) -> np.ndarray:
    """SIDE_A or SIDE_B if the word between the last two dots tells it, as in 1.input.png and 1.target.png, else 0."""
    sides = np.zeros(len(names), "u1")
    rows = np.flatnonzero(before < dot)
    words = cut_out(names[rows], before[rows] + 1, dot[rows], WORD).view(f"S{WORD}")[:, 0]
    told, which = np.unique(words, return_inverse=True)
    lower = [word.decode(errors="replace").lower() for word in told]
    numbers = [SIDE_A if word in FIRST else SIDE_B if word in SECOND else 0 for word in lower]
    sides[rows] = np.array(numbers, "u1")[which] if len(rows) else 0
    return sides
