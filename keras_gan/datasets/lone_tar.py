"""What a tar archive is that is named alone: a shard, read where it lies, or a folder that somebody packed."""

import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from keras_gan.datasets.folders import FOLDER, ending, is_visible, picture_extensions
from keras_gan.datasets.roles import role_of
from keras_gan.datasets.tar_index import index_of
from keras_gan.datasets.tar_listing import Listing
from keras_gan.images.members import BLOCK

NUMBERED = re.compile(r"(^|[\W_])\d+($|[\W_])")


def shard_named(name: str | os.PathLike[str]) -> Path | None:
    """The file of a name, below `datasets/` or by path, if it is a tar archive that is a shard; else None."""
    if ending(os.fspath(name)) != ".tar":
        return None
    path = next((path for path in (FOLDER / name, Path(name)) if path.is_file()), None)
    return path if path and is_shard(path) else None


def is_numbered(path: Path) -> bool:
    """Whether the name has a number, as those of shards have: 00000.tar, train-00001-of-00002.tar."""
    return bool(NUMBERED.search(path.stem))


def is_shard(path: Path) -> bool:
    """Whether a tar archive is a shard. One that cannot be read is none.

    It is a shard if it has what only shards have, pairs (KEY.a.png and KEY.b.png) or classes (KEY.png and KEY.cls), or
    if its pictures lie together and its name has a number. Folders that mean something, such as train or A, make it an
    archive.
    """
    try:
        status = path.stat()
        return decided(path.absolute(), status.st_size, status.st_mtime_ns)
    except OSError:
        return False


@functools.lru_cache
def decided(path: Path, size: int, changed: int) -> bool:
    """The answer of `is_shard` on a file in this state."""
    folders = set()
    for folder in folders_in(path, size):
        if any(map(role_of, folder.split("/"))):
            return False
        folders.add(folder)
    index = index_of(path)
    return index.are_pairs or bool(index.classes) or (len(folders) == 1 and is_numbered(path))


def folders_in(path: Path, size: int) -> Iterator[str]:
    """The folders of the pictures in a tar archive, "" for those in none. Each may come several times."""
    known, position, end = picture_extensions(), 0, None
    with open(path, "rb", buffering=0) as archive:
        listing = Listing(archive, size)
        while end is None:
            heads, places, sizes, position, end = listing.walk(position)
            rows = np.frombuffer(heads, "u1").reshape(-1, BLOCK)
            names, _ = listing.names(rows, np.array(places, "u8"), np.array(sizes, "u8"))
            told = (name.tobytes().rstrip(b"\0").decode(errors="surrogateescape") for name in names)
            found = (name.rpartition("/") for name in told if ending(name) in known)
            yield from {folder.removeprefix("./").strip("/") for folder, _, base in found if is_visible(base)}
