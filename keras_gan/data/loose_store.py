"""Caches decoded pictures of different sizes, of which random crops are taken: in memory, then one file each."""

import math
import shutil
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.data import stores
from keras_gan.data.order import Stream
from keras_gan.files import user_cache_folder, write_bytes
from keras_gan.images.sources import is_in_file

SHAPE = struct.Struct("<5I")  # bytes of a value, and the shape, ending with zeros


class LooseStore:
    """Caches pictures as long as memory has room, then as files in a folder, as long as half of the free disk has.

    Thread-safe. Files are written atomically, and valid as records of `keras_gan.data.stores.FileStore` are.

    Args:
        stream: the pictures.
        take_memory: takes so many bytes of the loader's memory, and returns whether they were free.
    """

    def __init__(self, stream: Stream, take_memory: Callable[[int], bool]) -> None:
        self._stream, self._take_memory = stream, take_memory
        self._memory = stores.MemoryStore()
        self._verified: dict[Path, bytes] = {}
        self._lock = threading.Lock()
        self._free = math.inf  # bytes of the disk, once the folder is begun
        self._is_full = not is_in_file(stream.pictures[0])
        self._common = Path() if self._is_full else stores.common_folder(stream.pictures)
        stem = stores.file_name(stream).removesuffix(".u8")
        self._folder = self._common / stores.FOLDER / stem
        self._instead = user_cache_folder() / stores.file_name(stream, self._common).removesuffix(".u8")

    def get(self, picture: Any, stamp: Any) -> np.ndarray | None:
        """The pixels of a picture, or None if they are not cached under this stamp."""
        cached = self._memory.get(picture, stamp)
        if cached is not None or not is_in_file(picture):
            return cached
        key = stores.cache_key(picture, self._common)
        return next((found for path in self._places(key) if (found := self._read(path, key, stamp)) is not None), None)

    def put(self, picture: Any, stamp: Any, pixels: np.ndarray) -> None:
        """Keeps a picture while there is room; then it says so and keeps no more."""
        if self._memory.get(picture, stamp) is not None:
            return
        if self._take_memory(pixels.nbytes):
            self._memory.put(picture, stamp, pixels)
        elif not self._is_full:
            self._save(picture, stamp, pixels)

    def _save(self, picture: Any, stamp: Any, pixels: np.ndarray) -> None:
        pixels, key = np.ascontiguousarray(pixels), stores.cache_key(picture, self._common)
        head = SHAPE.pack(pixels.itemsize, *pixels.shape, *[0] * (4 - pixels.ndim))
        content = stores.header(key, stamp, pixels) + head + pixels.tobytes()
        try:
            self._take_disk(len(content))
            write_bytes(self._places(key)[0], content)
        except OSError as error:
            self._stop(stores.reason(error))

    def _places(self, key: str) -> list[Path]:
        name = f"{stores.header(key, '', np.zeros(0))[:12].hex()}.u8"
        return [self._folder / name, self._instead / name]

    def _read(self, path: Path, key: str, stamp: Any) -> np.ndarray | None:
        """The pixels in a file; None if there is none, or it is damaged or of another picture."""
        try:
            content = b"" if path.is_symlink() or not path.is_file() else path.read_bytes()
        except OSError:
            return None
        start = stores.HEADER + SHAPE.size
        if len(content) < start:
            return None
        size, *lengths = SHAPE.unpack(content[stores.HEADER : start])
        shape = [length for length in lengths if length]
        if size not in (1, 2) or math.prod(shape) * size != len(content) - start:
            return None
        pixels = np.frombuffer(content, f"u{size}", offset=start).reshape(shape)
        if self._verified.get(path) != content[:start]:
            if content[: stores.HEADER] != stores.header(key, stamp, pixels):
                return None
            self._verified[path] = content[:start]
        elif content[: stores.HEADER - 4] != stores.header(key, stamp, pixels[:0])[:-4]:
            return None  # the picture has changed since
        return pixels

    def _take_disk(self, needed: int) -> None:
        """Takes bytes of the disk. OSError if there are too few, or neither folder can be made."""
        with self._lock:
            if self._free == math.inf:
                self._begin()
            if needed > self._free:
                raise OSError("they would take more than half of the free disk space")
            self._free -= needed

    def _begin(self) -> None:
        """Makes the folder beside the pictures, or else in the user's cache folder."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            self._instead.mkdir(parents=True, exist_ok=True)
            self._folder = self._instead
        self._free = shutil.disk_usage(self._folder).free / 2
        print(f"Caching decoded pictures in {self._folder}; you can delete it at any time.")

    def _stop(self, why: str) -> None:
        with self._lock:
            if not self._is_full:
                self._is_full = True
                print(f"no longer caching pictures: {why}; decoding them instead", file=sys.stderr)
