"""Where a cache keeps decoded pictures of one size: nowhere, in memory, or as the records of a file."""

import errno
import hashlib
import inspect
import os
import shutil
import sys
import threading
import weakref
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from PIL import features

from keras_gan.data.order import Stream
from keras_gan.datasets.entries import Entries
from keras_gan.files import user_cache_folder
from keras_gan.images import arrays, photos, pixels, readers, sources, stated, values
from keras_gan.images.members import Member
from keras_gan.images.sources import Labelled, Sides, Stack, source

FOLDER = ".keras_gan-cache"  # hidden, so that it is never searched for pictures
HEADER = 32  # bytes before the pixels of a record: a 28-byte hash of key and stamp, and a 4-byte checksum


class NoStore:
    """Caches nothing."""

    def get(self, picture: Any, stamp: Any) -> np.ndarray | None:
        return None

    def put(self, picture: Any, stamp: Any, pixels: np.ndarray) -> None:
        pass


class MemoryStore:
    """Caches pictures in memory."""

    def __init__(self) -> None:
        self._cached: dict[Any, tuple[Any, np.ndarray]] = {}

    def get(self, picture: Any, stamp: Any) -> np.ndarray | None:
        """The pixels of a picture, or None if they are not cached under this stamp."""
        cached = self._cached.get(picture)
        return cached[1] if cached is not None and cached[0] == stamp else None

    def put(self, picture: Any, stamp: Any, pixels: np.ndarray) -> None:
        self._cached[picture] = stamp, pixels


class FileStore:
    """Caches pictures in a file with one fixed-size record per picture, in the order of the split.

    The header of a record identifies its picture and stamp and holds a checksum of the pixels. A
    record is invalid if it was never written (a hole in a sparse file), is half-written or damaged,
    or belongs to another picture because the split changed; the picture is then decoded and written
    again. So the file is valid at any time, and several processes can share it without locks. The
    checksum is verified on the first read of a record, and again when its header changes.

    Records are read and written with pread and pwrite. With a memory-mapped file, a full disk or a
    truncation by another process would kill this one by a signal. The page cache helps either way.

    Raises:
        OSError: if the file cannot be opened or would take more than half of the free disk space.
    """

    def __init__(self, path: Path, pictures: list | Entries, folder: Path, like: np.ndarray) -> None:
        self._shape, self._depth = like.shape, like.dtype
        self._record = HEADER + like.nbytes
        self._slots, self._folder = Slots(pictures), folder
        self._verified = np.zeros(slots_of(pictures), "i8")  # hashes of stamp and header of verified records, by slot
        self._lock = threading.Lock()
        self._writable = True
        self.path = path
        self.size = slots_of(pictures) * self._record
        check_disk_space(path, self.size)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        weakref.finalize(self, os.close, self._file)

    def get(self, picture: Any, stamp: Any) -> np.ndarray | None:
        """The pixels of a picture, or None if they are not cached under this stamp."""
        if (slot := self._slots.of(picture)) is None:
            return None
        try:
            record = os.pread(self._file, self._record, slot * self._record)
        except OSError:
            return None
        if len(record) != self._record:
            return None
        pixels = np.frombuffer(record, self._depth, offset=HEADER)
        seen = hash((stamp, record[:HEADER]))
        if self._verified[slot] != seen:
            if record[:HEADER] != header(cache_key(picture, self._folder), stamp, pixels):
                return None
            self._verified[slot] = seen
        return pixels.reshape(self._shape)

    def put(self, picture: Any, stamp: Any, pixels: np.ndarray) -> None:
        """Writes a picture. After the first failure it warns and writes no more."""
        slot = self._slots.of(picture)
        if slot is None or not self._writable:
            return
        pixels = np.ascontiguousarray(pixels)
        record = header(cache_key(picture, self._folder), stamp, pixels) + pixels.tobytes()
        try:
            if os.pwrite(self._file, record, slot * self._record) < len(record):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            with self._lock:
                if self._writable:
                    self._writable = False
                    why = f"{reason(error)}; decoding them instead"
                    print(f"no longer caching pictures in {self.path}: {why}", file=sys.stderr)


class Slots:
    """The places of pictures in a split, as it was before broken ones were taken out. Shards know theirs."""

    def __init__(self, pictures: list | Entries) -> None:
        self.of: Callable[[Any], int | None]
        if isinstance(pictures, Entries):
            self.of = pictures.slot
        else:
            self.of = {picture: number for number, picture in enumerate(pictures)}.get


def slots_of(pictures: list | Entries) -> int:
    """The number of places for the pictures of a split."""
    return pictures.slots if isinstance(pictures, Entries) else len(pictures)


def open_file_store(stream: Stream, like: np.ndarray) -> FileStore | NoStore:
    """A `FileStore` next to the pictures, or else in the user's cache folder, or else a `NoStore`."""
    failures = []
    if hasattr(os, "pread"):  # not on Windows
        folder = common_folder(stream.pictures)
        for place, extra in ((folder / FOLDER, ""), (user_cache_folder(), folder)):
            try:
                store = FileStore(place / file_name(stream, extra), stream.pictures, folder, like)
            except OSError as error:
                failures.append(reason(error))
            else:
                gigabytes = f"up to {store.size / 1e9:.1f} GB"
                print(f"Caching decoded pictures ({gigabytes}) in {store.path}; you can delete it at any time.")
                return store
    why = "; ".join(failures) or "this system cannot read files at an offset"
    print(f"cannot cache the {stream.split}ing pictures, every epoch decodes them again: {why}", file=sys.stderr)
    return NoStore()


def file_name(stream: Stream, *extra: Any) -> str:
    """The file name of a stream's cache, with a hash of everything that affects the pixels, and of `extra`."""
    libraries = PIL.__version__, features.version("jpg"), features.version("libjpeg_turbo")
    code = [inspect.getsource(module) for module in (readers, sources, photos, pixels, arrays, stated, values)]
    hashed = stream.split, stream.side, stream.read, stream.read_size, libraries, code, extra
    digest = hashlib.blake2b(repr(hashed).encode(errors="surrogateescape"), digest_size=6).hexdigest()
    return "{}-{}x{}-{}.u8".format(stream.split, *stream.read_size, digest)


def common_folder(pictures: list | Entries) -> Path:
    """The deepest folder that contains all of these pictures, or their shards."""
    files = pictures.files if isinstance(pictures, Entries) else map(source, pictures)
    return Path(os.path.commonpath({os.path.dirname(os.path.abspath(file)) for file in files}))


def check_disk_space(path: Path, size: int) -> None:
    """Raises OSError if growing this file to `size` bytes would take more than half of the free disk space."""
    used = path.stat().st_blocks * 512 if path.exists() else 0
    free = shutil.disk_usage(next(folder for folder in path.parents if folder.exists())).free
    if size - used > free / 2:
        raise OSError(f"{size / 1e9:.1f} GB in {path.parent} would take more than half of the free disk space")


def reason(error: OSError) -> str:
    """The message of an error, without its number."""
    place = f" ({error.filename})" if getattr(error, "filename", None) else ""
    return f"{getattr(error, 'strerror', None) or error}{place}"


def cache_key(picture: Any, folder: Path) -> str:
    """A cache key for a picture in this folder. It survives moving the folder."""
    kinds: list[Any] = []
    while hasattr(picture, "picture"):
        if isinstance(picture, Sides):
            kinds.append(cache_key(picture.partner, folder))
        elif isinstance(picture, Stack):
            kinds += [picture.channels, *(cache_key(path, folder) for path in picture.others)]
        elif not isinstance(picture, Labelled):  # a new class changes labels, but no pixels
            kinds.append((type(picture).__name__, *picture[1:]))
        picture = picture.picture
    if isinstance(picture, Member):
        return f"{kinds} {picture[2:]} {cache_key(picture.path, folder)}"
    return f"{kinds} {os.path.abspath(picture).removeprefix(str(folder))}"


def header(key: str, stamp: Any, pixels: np.ndarray) -> bytes:
    """The header of a record: a hash of key and stamp, and a checksum of the pixels."""
    digest = hashlib.blake2b(f"{key} {stamp}".encode(errors="surrogateescape"), digest_size=HEADER - 4).digest()
    return digest + zlib.crc32(pixels.data).to_bytes(4, "little")
