"""Decoded pictures, kept as pixels of 8 or 16 bits: in memory, or in a file beside them where that is too much."""

import errno
import hashlib
import inspect
import os
import shutil
import sys
import tempfile
import threading
import time
import weakref
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import features

from keras_gan.images import arrays, pixels, sources
from keras_gan.images.sources import Labelled, Sides, source

#: Bytes of pixels that one loader keeps in memory: 10,900 pairs at 128x128, 2,700 at 256x256. Training takes about as
#: much in any case. It is no share of the free memory, which is another one at every start and not a container's own.
MEMORY = 2**30
FOLDER = ".keras_gan-cache"  # hidden, so that no pictures are looked for in it
MADE = "made in memory"
CHECK = 32  # bytes before the pixels of a picture in a file: 28 tell what they show, 4 are their checksum
SETTLED = 3e9  # ns after which a file written once more has another time of change: FAT counts in steps of 2 s


class Cache:
    """The decoded pictures of one loader, for any number of threads.

    A picture is kept when it is first asked for, as it is read: before cropping and flipping. Splits
    are kept in memory as long as they fit as a whole, files of pictures otherwise in an `InFile`;
    drawings and `Pixels` need none. A file whose size or time of change is another one by now is
    decoded again, and so is one that was written in the last seconds, which may change unnoticed.
    """

    def __init__(self):
        self._stores = {}
        self._free = MEMORY
        self._lock = threading.Lock()

    def pixels(self, stream, picture):
        """The pixels of a picture of this `Stream`: what its `read` gives, not to be written to.

        Raises:
            One of `keras_gan.images.sources.UNREADABLE`, if it is a file that is no picture or a damaged one.
        """
        key = stream.split, stream.side, stream.read, stream.read_size
        stamp = stamp_of(picture)
        store = self._stores.get(key)
        if stamp is not None and store is not None:
            kept = store.get(picture, stamp)
            if kept is not None:
                return kept
        pixels = stream.read(picture, *stream.read_size)
        pixels.flags.writeable = False
        if stamp is not None:
            self._store(key, stream, pixels).put(picture, stamp, pixels)
        return pixels

    def _store(self, key, stream, pixels):
        """Where the pictures of this stream are kept, all of them as large as these pixels."""
        with self._lock:
            if key not in self._stores:
                needed = len(stream.pictures) * pixels.nbytes
                if needed <= self._free:
                    self._free -= needed
                    self._stores[key] = InMemory()
                elif isinstance(source(stream.pictures[0]), Path):
                    self._stores[key] = in_file(stream, pixels)
                else:
                    self._stores[key] = Nowhere()
            return self._stores[key]


class Nowhere:
    """Keeps nothing."""

    def get(self, picture, stamp):
        return None

    def put(self, picture, stamp, pixels):
        pass


class InMemory:
    """Keeps pictures in memory."""

    def __init__(self):
        self._kept = {}

    def get(self, picture, stamp):
        """The pixels of a picture that has this stamp, or None."""
        kept = self._kept.get(picture)
        return kept[1] if kept is not None and kept[0] == stamp else None

    def put(self, picture, stamp, pixels):
        self._kept[picture] = stamp, pixels


class InFile:
    """Keeps pictures in a file, each in a record at the place that its number in the split gives.

    A record says which picture it shows, of which stamp, and has a checksum. One that was never
    written (a hole, which takes no room), that a killed process left half-written, that was damaged
    or cut off, or whose place belongs to another picture since some were added, is no record: the
    picture is decoded and written again. So there is no unfinished file that could be taken for a
    finished one, and processes fill and read a file together without knowing of each other. The
    checksum is computed when a record is first read, and again when it has another beginning.

    It is read and written by position. Mapped into memory, a full disk or a file cut short by others
    would end the process by a signal; the system keeps the pages of either in memory that is spare.

    Raises:
        OSError: if the file cannot be opened or would take more than half of the disk's free room.
    """

    def __init__(self, path, pictures, folder, like):
        self._shape, self._depth = like.shape, like.dtype
        self._record = CHECK + like.nbytes
        self._places = {picture: (i, told(picture, folder)) for i, picture in enumerate(pictures)}
        self._proved = {}  # the checks of the records that were read, by place
        self._lock = threading.Lock()
        self._writes = True
        self.path = path
        self.size = len(pictures) * self._record
        check_room(path, self.size)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        weakref.finalize(self, os.close, self._file)

    def get(self, picture, stamp):
        """The pixels of a picture that has this stamp, or None."""
        number, name = self._places.get(picture, (None, None))
        if number is None:
            return None
        try:
            record = os.pread(self._file, self._record, number * self._record)
        except OSError:
            return None
        if len(record) != self._record:
            return None
        pixels = np.frombuffer(record, self._depth, offset=CHECK)
        proof = stamp, record[:CHECK]
        if self._proved.get(number) != proof:
            if record[:CHECK] != check(name, stamp, pixels):
                return None
            self._proved[number] = proof
        return pixels.reshape(self._shape)

    def put(self, picture, stamp, pixels):
        """Writes a picture; where that fails, says so once and writes no more."""
        number, name = self._places.get(picture, (None, None))
        if number is None or not self._writes:
            return
        pixels = np.ascontiguousarray(pixels)
        record = check(name, stamp, pixels) + pixels.tobytes()
        try:
            if os.pwrite(self._file, record, number * self._record) < len(record):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            with self._lock:
                if self._writes:
                    self._writes = False
                    print(f"no more pictures are kept in {self.path}: {reason(error)}; decoding them", file=sys.stderr)


def in_file(stream, like):
    """An `InFile` for pictures of a stream that are like these pixels, beside them or else in the user's cache folder.

    `Nowhere` if neither can be.
    """
    failures = []
    if hasattr(os, "pread"):  # Windows has none
        folder = common_folder(stream.pictures)
        for place, also in ((folder / FOLDER, ""), (user_folder(), folder)):
            try:
                store = InFile(place / file_name(stream, also), stream.pictures, folder, like)
            except OSError as error:
                failures.append(reason(error))
            else:
                print(f"Keeping decoded pictures, up to {store.size / 1e9:.1f} GB, in {store.path}; delete it at will.")
                return store
    why = "; ".join(failures) or "this system reads no files by position"
    print(f"the {stream.split}ing pictures are decoded anew in every epoch: {why}", file=sys.stderr)
    return Nowhere()


def file_name(stream, *also):
    """The name of a stream's file: another one for whatever else makes other pixels."""
    libraries = PIL.__version__, features.version("jpg"), features.version("libjpeg_turbo")
    code = [inspect.getsource(module) for module in (sources, pixels, arrays)]
    whatever = stream.split, stream.side, stream.read, stream.read_size, libraries, code, also
    digest = hashlib.blake2b(repr(whatever).encode(errors="surrogateescape"), digest_size=6).hexdigest()
    return "{}-{}x{}-{}.u8".format(stream.split, *stream.read_size, digest)


def common_folder(files):
    """The deepest folder that has all of these pictures in it."""
    return Path(os.path.commonpath({os.path.dirname(os.path.abspath(source(picture))) for picture in files}))


def user_folder():
    """Where programs of this user keep what can be made again."""
    home = os.path.expanduser("~/.cache")  # still with the ~ where the user has no home
    home = home if os.path.isabs(home) else tempfile.gettempdir()
    return Path(os.environ.get("XDG_CACHE_HOME") or home, "keras_gan")


def check_room(path, size):
    """Raises OSError if a file grown to this size takes more than half of the room that is free now."""
    there = path.stat().st_blocks * 512 if path.exists() else 0
    free = shutil.disk_usage(next(folder for folder in path.parents if folder.exists())).free
    if size - there > free / 2:
        raise OSError(f"{size / 1e9:.1f} GB in {path.parent} would be more than half of the free disk")


def reason(error):
    """An error in words, without its number."""
    place = f" ({error.filename})" if getattr(error, "filename", None) else ""
    return f"{getattr(error, 'strerror', None) or error}{place}"


def stamp_of(picture):
    """What changes when the file of a picture does, or None if there is none or it may change unnoticed."""
    if isinstance(picture, Sides):
        stamps = stamp_of(picture.picture), stamp_of(picture.partner)
        return None if None in stamps else stamps
    path = source(picture)
    if not isinstance(path, str | Path):
        return MADE
    try:
        status = os.stat(path)
    except OSError:
        return None
    settled = abs(time.time_ns() - status.st_mtime_ns) > SETTLED
    return (status.st_size, status.st_mtime_ns) if settled else None


def told(picture, folder):
    """What tells a picture from all others made of files in this folder, wherever the folder is."""
    kinds = []
    while hasattr(picture, "picture"):
        if isinstance(picture, Sides):
            kinds.append(told(picture.partner, folder))
        elif not isinstance(picture, Labelled):  # its number changes when a class is added, its pixels do not
            kinds.append((type(picture).__name__, *picture[1:]))
        picture = picture.picture
    return f"{kinds} {os.path.abspath(picture).removeprefix(str(folder))}"


def check(name, stamp, pixels):
    """The first bytes of a record: what it shows, and the checksum of its pixels."""
    shows = hashlib.blake2b(f"{name} {stamp}".encode(errors="surrogateescape"), digest_size=CHECK - 4).digest()
    return shows + zlib.crc32(pixels).to_bytes(4, "little")
