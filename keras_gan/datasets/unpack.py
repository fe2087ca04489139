"""Unpacks untrusted archives safely: rejects paths outside the folder, links, zip bombs and damage."""

import gzip
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any, cast

from keras_gan.datasets.catalogue import readable
from keras_gan.errors import BadValueError

#: An archive may unpack to MAX_RATIO times its size plus MAX_EXTRA bytes. Pictures hardly compress: expect about 1.
MAX_RATIO, MAX_EXTRA = 4, 100_000_000
BLOCK = 4096  # bytes that a file takes on disk at least
CHUNK = 1 << 20


def unpack(path: Path, folder: Path) -> None:
    """Unpacks a .zip or .tar.gz file.

    Args:
        path: the archive. Its first bytes determine its type.
        folder: an empty folder.

    Raises:
        BadValueError: if the archive is damaged, contains a link, a device or a path outside the
            folder, or exceeds the size limit; or if the folder cannot be written. Members unpacked
            before the error stay in the folder.
    """
    limit = MAX_RATIO * path.stat().st_size + MAX_EXTRA
    with open(path, "rb") as file:
        start = file.read(2)
    members = {b"PK": zip_members, b"\x1f\x8b": tar_members}.get(start)
    if members is None:
        raise BadValueError(f"the archive starts with {start!r}: it is neither a .zip nor a .tar.gz file.")
    try:
        for name, is_folder, content in members(path, limit):
            write(safe_path(folder, name), is_folder, content)
    except BadValueError:
        raise
    except Exception as error:  # on damaged archives, the modules raise various types
        raise BadValueError(f"the archive cannot be unpacked ({error or type(error).__name__}).") from error


def zip_members(path: Path, limit: int) -> Iterator[tuple[str, bool, Any]]:
    """Yields (name, is it a folder, readable file) for each member of a .zip file."""
    with zipfile.ZipFile(path) as archive:
        # A member with more data than it declares here fails its checksum.
        check_size(sum(max(BLOCK, info.file_size) for info in archive.infolist()), limit)
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise not_a_file(info.filename)
            with archive.open(info) as content:
                yield info.filename, info.is_dir(), content


def tar_members(path: Path, limit: int) -> Iterator[tuple[str, bool, Any]]:
    """Yields (name, is it a folder, readable file) for each member of a .tar.gz file."""
    with gzip.open(path) as stream:
        total, limited = 0, cast(Any, Limited(stream, limit))
        with cast(Any, tarfile.open(fileobj=limited, mode="r|")) as archive:
            while (info := archive.next()) is not None:
                total += max(BLOCK, info.size)
                check_size(total, limit)
                if not (info.isdir() or info.type in (tarfile.REGTYPE, tarfile.AREGTYPE)):
                    raise not_a_file(info.name)
                yield info.name, info.isdir(), None if info.isdir() else archive.extractfile(info)
                archive.members = []  # the list would grow with the archive
        rest = Limited(stream, limit)
        while rest.read(CHUNK):  # the checksum is at the end
            pass


class Limited:
    """A readable file that raises an error beyond a size limit, since headers can be bombs, too."""

    def __init__(self, stream: Any, limit: int) -> None:
        self.stream, self.limit, self.total = stream, limit, 0

    def read(self, size: int) -> bytes:
        piece = self.stream.read(size)
        self.total += len(piece)
        check_size(self.total, self.limit)
        return piece


def check_size(size: int, limit: int) -> None:
    if size > limit:
        raise BadValueError(f"the archive unpacks to more than {readable(limit)}, too much for pictures.")


def not_a_file(name: str) -> BadValueError:
    return BadValueError(f"the archive has a link, a device or the like: {name!r}.")


def safe_path(folder: Path, name: str) -> Path:
    """The path of a member. Raises BadValueError if it is outside the folder on any system."""
    path = PureWindowsPath(name)  # handles both kinds of slashes, and drives
    if path.anchor or ".." in path.parts:
        raise BadValueError(f"the archive has a name that leads out of its folder: {name!r}.")
    return folder.joinpath(*path.parts)


def write(path: Path, is_folder: bool, content: Any) -> None:
    """Writes a folder or a new file."""
    if is_folder:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "xb") as file:
        shutil.copyfileobj(content, file, CHUNK)
