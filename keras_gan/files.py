"""Writing files so that a half-written one is never seen under its final name."""

import contextlib
import functools
import os
import platform
import re
import time
import zlib
from pathlib import Path

ABANDONED_AFTER = 24 * 3600  # seconds without a change: what a program left of which nobody knows whether it still runs
UNFINISHED = re.compile(r"\.unfinished\.([0-9a-f]{8})-([0-9]+)-[0-9a-f]{8}\.")  # machine, process, and a number drawn
_looked_through = {}  # folders, and when they may be looked through again


@contextlib.contextmanager
def write_whole(path):
    """Gives a path to write to, an empty file; on leaving, it takes its final name, replacing what was there.

    If the body fails, the unfinished file is removed and the old one stays as it was. Several may write one file at
    the same time: the last to leave is who wrote it. What killed programs left unfinished in this folder is removed.
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


def make_unfinished(path):
    """Makes an empty file beside this one, of a name that nobody else has; returns its path."""
    while True:
        mark = f"{machine()}-{os.getpid()}-{os.urandom(4).hex()}"
        unfinished = path.with_name(f".unfinished.{mark}.{path.name[-50:]}")  # 50: names have up to 255 bytes
        with contextlib.suppress(FileExistsError):
            os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))  # exclusive: follows no link
            return unfinished


@functools.cache
def machine():
    """What tells this machine from others that see the same folder, in a container this container: 8 letters."""
    try:
        processes = os.readlink("/proc/self/ns/pid")  # where the numbers of processes count
    except OSError:
        processes = ""
    return f"{zlib.crc32(f'{platform.node()} {processes}'.encode()):08x}"


def remove_abandoned(folder):
    """Removes the unfinished files of programs that are gone. At most a fiftieth of the time is spent on looking."""
    begin = time.monotonic()
    if begin < _looked_through.get(folder, begin):
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = UNFINISHED.match(entry.name)
            with contextlib.suppress(OSError):  # others remove them too
                if found and is_abandoned(entry, *found.groups()):
                    os.unlink(entry)
    end = time.monotonic()
    _looked_through[folder] = end + 50 * (end - begin)


def is_abandoned(entry, of_machine, process):
    """Whether nobody writes to this file any more: its process is gone or, where that cannot be known, it is old."""
    if time.time() - entry.stat(follow_symlinks=False).st_mtime > ABANDONED_AFTER:
        return True
    if of_machine != machine() or os.name != "posix":
        return False
    try:
        os.kill(int(process), 0)  # only asks
    except ProcessLookupError:
        return True
    return False


def sync(path):
    """Returns when what was written to this file, or the names in this folder, are on the disk."""
    try:
        handle = os.open(path, os.O_RDONLY if Path(path).is_dir() else os.O_RDWR)
    except PermissionError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
