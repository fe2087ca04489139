"""Atomic file writes: a half-written file or folder never has its final name."""

import contextlib
import functools
import json
import os
import platform
import re
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

INPUT = "input"  # in the comment of a network's file, before what its inputs are made like
COMPILE_CACHE = "KERAS_GAN_COMPILE_CACHE"  # 0 in this environment variable: keep no compiled programs
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
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(unfinished)):
            error.filename = str(path)  # users know no other name
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a file atomically.

    Libraries that encode straight into a file lose the reason if it cannot be written: let them encode in memory.
    """
    with write_whole(path) as unfinished:
        unfinished.write_bytes(content)


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file atomically, synced to disk."""
    with write_whole(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=1), encoding="utf-8")
        sync(unfinished)


@contextlib.contextmanager
def unfinished_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields an empty temporary folder beside `path`, and removes it on exit. Move what is finished out of it.

    Leftovers of killed processes beside `path` are removed.
    """
    path = Path(path)
    remove_abandoned(path.parent)
    folder = make_unfinished(path, Path.mkdir)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_file(path: Path) -> None:
    """Creates an empty file. Follows no link, and raises FileExistsError if anything has this name."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))


def make_unfinished(path: Path, make: Callable[[Path], None] = make_file) -> Path:
    """Creates an empty file, or what `make` makes, with a unique name in the folder of `path`; returns its path."""
    while True:
        mark = f"{machine_id()}-{os.getpid()}-{os.urandom(4).hex()}"
        unfinished = path.with_name(f".unfinished.{mark}.{path.name[-50:]}")  # 50: names have up to 255 bytes
        with contextlib.suppress(FileExistsError):
            make(unfinished)
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
    """Removes temporary files and folders of dead processes. Spends at most a fiftieth of the time on scanning."""
    begin = time.monotonic()
    if begin < _next_scan.get(folder, begin):
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = UNFINISHED.match(entry.name)
            with contextlib.suppress(OSError):  # another process may have removed it
                if found and is_abandoned(entry, found[1], int(found[2])):
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry, ignore_errors=True)
                    else:
                        os.unlink(entry)
    end = time.monotonic()
    _next_scan[folder] = end + 50 * (end - begin)


def is_abandoned(entry: os.DirEntry[str], machine: str, process: int) -> bool:
    """Whether the process that wrote this file or folder is dead or, if that cannot be checked, it is old."""
    inside = Path(entry).rglob("*") if entry.is_dir(follow_symlinks=False) else ()
    if time.time() - max(path.lstat().st_mtime for path in (Path(entry), *inside)) > ABANDONED_AFTER:
        return True
    if machine != machine_id() or os.name != "posix":
        return False
    try:
        os.kill(process, 0)  # signal 0 only checks that the process exists
    except ProcessLookupError:
        return True
    return False


def is_whole_zip(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a ZIP archive in which all checksums agree."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except Exception:  # zipfile raises errors of many kinds on damaged files
        return False


def comment_of(path: str | os.PathLike[str]) -> str:
    """The comment of a ZIP archive, such as a saved network; "" if there is none, or the file is no archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.comment.decode(errors="replace")
    except (OSError, zipfile.BadZipFile):
        return ""


def stamp(path: str | os.PathLike[str]) -> str:
    """What changes with the content of a file, its size and modification time; "gone" if it is missing."""
    try:
        status = os.stat(path)
    except OSError:
        return "gone"
    return f"{status.st_size} {status.st_mtime_ns}"


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


def user_cache_folder() -> Path:
    """The user's cache folder for this package."""
    home = os.path.expanduser("~/.cache")  # starts with ~ if the user has no home
    home = home if os.path.isabs(home) else tempfile.gettempdir()
    return Path(os.environ.get("XDG_CACHE_HOME") or home, "keras_gan")
