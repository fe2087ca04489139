"""Where the pictures of a tar shard lie: listed once, then read from the user's cache."""

import contextlib
import hashlib
import json
import os
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.datasets.folders import picture_extensions
from keras_gan.datasets.tar_listing import ENTRY, Index, Listing
from keras_gan.files import user_cache_folder, write_bytes

VERSION = 2  # of the files of indexes
SETTLED = 3e9  # ns after which another write surely changes the modification time
PIECE = 2**19  # bytes to check at a time


def index_of(path: Path) -> Index:
    """The index of a tar archive that is not compressed. The cached one, unless size or modification time differ.

    Entries of a cached index are mapped, so they take no memory until they are asked for.
    """
    status = os.stat(path)
    stamp = [VERSION, status.st_size, status.st_mtime_ns, sorted(picture_extensions())]
    digest = hashlib.blake2b(os.path.abspath(path).encode(errors="surrogateescape"), digest_size=12).hexdigest()
    place = user_cache_folder() / "shards" / f"{digest}.index"
    found = cached(place, stamp)
    if found is None:
        with open(path, "rb", buffering=0) as archive:
            found = Listing(archive, status.st_size).index()
        if abs(time.time_ns() - status.st_mtime_ns) > SETTLED:
            with contextlib.suppress(OSError):  # then it is listed again next time
                save(place, stamp, found)
                found = cached(place, stamp) or found
    return found


def save(place: Path, stamp: list[Any], index: Index) -> None:
    """Writes an index: a line of JSON, padded, and the entries."""
    told = {"stamp": stamp, "count": len(index.entries), "crc": zlib.crc32(index.entries.tobytes())}
    head = json.dumps(told | index._replace(entries=0)._asdict())  # type: ignore[arg-type]
    write_bytes(place, (head + " " * (-len(head) % 64 + 63) + "\n").encode() + index.entries.tobytes())


def cached(place: Path, stamp: list[Any]) -> Index | None:
    """The index in a file; None if it is missing, damaged or of another state of the shard."""
    try:
        with open(place, "rb") as file:
            told = json.loads(file.readline())
            start, crc = file.tell(), 0
            while piece := file.read(PIECE):
                crc = zlib.crc32(piece, crc)
        if told["stamp"] != stamp or crc != told["crc"]:
            return None
        count = told["count"]
        entries = np.memmap(place, ENTRY, "r", start, (count,)) if count else np.zeros(0, ENTRY)
        return Index(entries, told["suffixes"], told["classes"], told["are_pairs"], told["faults"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
