"""Caches decoded pictures as 8- or 16-bit pixels: in memory, or in a file next to them if they do not fit."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.data.loose_store import LooseStore
from keras_gan.data.order import Stream
from keras_gan.data.stores import MemoryStore, NoStore, open_file_store, slots_of
from keras_gan.images.members import Member
from keras_gan.images.sources import files_of, is_in_file, source

#: Bytes of pixels that one loader keeps in memory: 10,900 pairs at 128x128 or 2,700 at 256x256. Training itself takes
#: about as much. It is a constant, not a share of free memory, which varies and in a container is the host's.
MEMORY = 2**30
IN_MEMORY = "made in memory"  # the stamp of pictures without a file
SETTLED = 3e9  # ns after which another write surely changes the modification time: FAT has a resolution of 2 s


class Cache:
    """The decoded pictures of one loader. Thread-safe.

    A picture is cached when it is first read, before cropping and flipping. A split that fits into
    memory as a whole is kept there; otherwise picture files go to a `FileStore`, and pictures made
    in memory are not cached. Pictures for random crops, which differ in size, have a `LooseStore`.
    A picture is decoded again if the size or modification time of its file changed. Files modified in
    the last seconds are not cached, since a further change could go unnoticed.
    """

    def __init__(self) -> None:
        self._stores: dict[tuple, Any] = {}
        self._free = MEMORY
        self._lock = threading.Lock()

    def pixels(self, stream: Stream, picture: Any) -> np.ndarray:
        """The pixels of a picture, as `stream.read` returns them, read-only.

        Raises:
            One of `keras_gan.images.sources.UNREADABLE`, if the file is damaged or not a picture.
        """
        key = stream.split, stream.side, stream.read, stream.read_size
        stamp = stamp_of(picture)
        store = self._stores.get(key)
        if stamp is not None and store is not None:
            cached = store.get(picture, stamp)
            if cached is not None:
                return cached
        pixels = stream.read(picture, *stream.read_size)
        pixels.flags.writeable = False
        if stamp is not None:
            self._store(key, stream, pixels).put(picture, stamp, pixels)
        return pixels

    def _store(self, key, stream, pixels):
        """The store of this stream, created on first use. But for random crops, all are as large as `pixels`."""
        with self._lock:
            if key not in self._stores and stream.read.is_loose:
                self._stores[key] = LooseStore(stream, self._take)
            if key not in self._stores:
                needed = slots_of(stream.pictures) * pixels.nbytes
                if needed <= self._free:
                    self._free -= needed
                    self._stores[key] = MemoryStore()
                elif is_in_file(stream.pictures[0]):
                    self._stores[key] = open_file_store(stream, pixels)
                else:
                    self._stores[key] = NoStore()
            return self._stores[key]

    def _take(self, needed: int) -> bool:
        """Takes bytes of memory; returns whether they were free."""
        with self._lock:
            is_free = needed <= self._free
            self._free -= needed * is_free
            return is_free


def stamp_of(picture: Any) -> Any:
    """(size, modification time) of a picture's file or shard, or None if it is missing or was modified just now."""
    files = files_of(picture)
    if len(files) > 1:
        stamps = tuple(map(stamp_of, files))
        return None if None in stamps else stamps
    path = source(picture)
    path = path.path if isinstance(path, Member) else path
    if not isinstance(path, str | Path):
        return IN_MEMORY
    try:
        status = os.stat(path)
    except OSError:
        return None
    settled = abs(time.time_ns() - status.st_mtime_ns) > SETTLED
    return (status.st_size, status.st_mtime_ns) if settled else None
