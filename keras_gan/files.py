"""Atomic file writes: a half-written file never has its final name."""

import contextlib
import functools
import os
import platform
import re
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

ABANDONED_AFTER = 24 * 3600  # seconds without a change; for temporary files of processes that we cannot check
UNFINISHED = re.compile(r"\.unfinished\.([0-9a-f]{8})-([0-9]+)-[0-9a-f]{8}\.")  # machine, process ID, random number
_next_scan: dict[Path, float] = {}  # by folder: the earliest time of its next scan


@contextlib.contextmanager
def write_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields the path of an empty temporary file, and renames it to `path` on exit, replacing an old file.

    If the body raises, the temporary file is removed and the old file stays. Several processes and threads may write
    the same path at once: the last one to exit wins. Leftovers of killed processes in the folder are removed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path.parent)
    unfinished = make_unfinished(path)
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def make_unfinished(path: Path) -> Path:
    """Creates an empty file with a unique name in the folder of `path`; returns its path."""
    while True:
        mark = f"{machine_id()}-{os.getpid()}-{os.urandom(4).hex()}"
        unfinished = path.with_name(f".unfinished.{mark}.{path.name[-50:]}")  # 50: names have up to 255 bytes
        with contextlib.suppress(FileExistsError):
            os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))  # exclusive: follows no link
            return unfinished


@functools.cache
def machine_id() -> str:
    """Eight hex digits that differ between machines, and between containers, that share a folder."""
    try:
        processes = os.readlink("/proc/self/ns/pid")  # process IDs are unique within this namespace
    except OSError:
        processes = ""
    return f"{zlib.crc32(f'{platform.node()} {processes}'.encode()):08x}"


def remove_abandoned(folder: Path) -> None:
    """Removes temporary files of dead processes. Spends at most a fiftieth of the time on scanning."""
    begin = time.monotonic()
    if begin < _next_scan.get(folder, begin):
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = UNFINISHED.match(entry.name)
            with contextlib.suppress(OSError):  # another process may have removed it
                if found and is_abandoned(entry, found[1], int(found[2])):
                    os.unlink(entry)
    end = time.monotonic()
    _next_scan[folder] = end + 50 * (end - begin)


def is_abandoned(entry: os.DirEntry[str], machine: str, process: int) -> bool:
    """Whether the process that wrote this file is dead or, if that cannot be checked, the file is old."""
    if time.time() - entry.stat(follow_symlinks=False).st_mtime > ABANDONED_AFTER:
        return True
    if machine != machine_id() or os.name != "posix":
        return False
    try:
        os.kill(process, 0)  # signal 0 only checks that the process exists
    except ProcessLookupError:
        return True
    return False


def sync(path: str | os.PathLike[str]) -> None:
    """Waits until the contents of a file, or the names in a folder, are on the disk."""
    try:
        handle = os.open(path, os.O_RDONLY if Path(path).is_dir() else os.O_RDWR)
    except PermissionError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
