"""Unpacks untrusted archives safely: rejects paths outside the folder, links, zip bombs and damage."""

import bz2
import gzip
import lzma
import shutil
import stat
import tarfile
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any, cast

from keras_gan.datasets.catalogue import readable
from keras_gan.errors import BadValueError

#: An archive may unpack to MAX_RATIO times its size plus MAX_EXTRA bytes. Pictures hardly compress: expect about 1;
#: but each of MNIST's 70,000 digits takes a block.
MAX_RATIO, MAX_EXTRA = 4, 300_000_000
BLOCK = 4096  # bytes that a file or a folder takes on disk at least
DEEPEST, LONGEST = 50, 1000  # folders inside each other, and characters of a name with them
CHUNK = 1 << 20
#: What compressed files begin with, and what opens them.
COMPRESSED = {b"\x1f\x8b": gzip, b"BZh": bz2, b"\xfd7zXZ\0": lzma}
JUNK = "__MACOSX"  # macOS adds this folder to archives
TAR = 257, b"ustar"  # where a .tar file has these bytes


def unpack(path: Path, folder: Path) -> None:
    """Unpacks a .zip or a .tar file, also a compressed one.

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
        start = file.read(TAR[0] + len(TAR[1]))
    is_tar = start[TAR[0] :] == TAR[1] or start.startswith(tuple(COMPRESSED))
    if not (is_tar or start.startswith(b"PK")):
        raise BadValueError(f"the archive starts with {start[:2]!r}: it is neither a .zip nor a .tar.gz file.")
    members = tar_members if is_tar else zip_members
    space = Space(folder, limit)
    try:
        for name, size, content in members(path, limit):
            place = safe_path(folder, name)
            if JUNK in place.parts:
                continue
            space.take(place, size)
            write(place, size is None, content)
    except BadValueError:
        raise
    except Exception as error:  # on damaged archives, the modules raise various types
        raise BadValueError(f"the archive cannot be unpacked ({error or type(error).__name__}).") from error


class Space:
    """The space on the disk that an archive takes, with the folders in its names."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folders, self.limit, self.total = {folder}, limit, 0

    def take(self, place: Path, size: int | None) -> None:
        """Counts a file of this size, or a folder (None), before it is written; an error beyond the limit."""
        self.total += BLOCK if size is None else max(BLOCK, size)
        inner = place if size is None else place.parent
        while inner not in self.folders:
            self.folders.add(inner)
            self.total += BLOCK
            inner = inner.parent
        check_size(self.total, self.limit)


def zip_members(path: Path, limit: int) -> Iterator[tuple[str, int | None, Any]]:
    """Yields (name, size or None for a folder, readable file) for each member of a .zip file."""
    with zipfile.ZipFile(path) as archive:
        # A member with more data than it declares here fails its checksum.
        check_size(sum(max(BLOCK, info.file_size) for info in archive.infolist()), limit)
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise not_a_file(info.filename)
            with archive.open(info) as content:
                yield info.filename, None if info.is_dir() else info.file_size, content


def tar_members(path: Path, limit: int) -> Iterator[tuple[str, int | None, Any]]:
    """Yields (name, size or None for a folder, readable file) for each member of a .tar file, even compressed."""
    with open(path, "rb") as file:
        start = file.read(6)
    opener: Any = next((module for magic, module in COMPRESSED.items() if start.startswith(magic)), None)
    with opener.open(path) if opener else open(path, "rb") as stream:
        limited = cast(Any, Limited(stream, limit))
        with cast(Any, tarfile.open(fileobj=limited, mode="r|")) as archive:
            while (info := archive.next()) is not None:
                if not (info.isdir() or info.type in (tarfile.REGTYPE, tarfile.AREGTYPE)):
                    raise not_a_file(info.name)
                is_folder = info.isdir()
                yield info.name, None if is_folder else info.size, None if is_folder else archive.extractfile(info)
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
    """The path of a member. Raises BadValueError for one outside the folder on any system, or that no picture has."""
    if len(name) > LONGEST or name.count("/") + name.count("\\") > DEEPEST:
        raise BadValueError(f"the archive has a name that is too long: {name[:40]!r}... of {len(name)} characters.")
    if any(unicodedata.category(character) == "Cc" for character in name):  # which would command the terminal
        raise BadValueError(f"the archive has a name with control characters: {name!r}.")
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
