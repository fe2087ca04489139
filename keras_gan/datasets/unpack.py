"""Unpacks archives from the web: nothing outside the folder, no links, no bombs, no damage unnoticed."""

import gzip
import shutil
import stat
import tarfile
import zipfile
from pathlib import PureWindowsPath

from keras_gan.datasets.catalogue import readable
from keras_gan.errors import BadValueError

#: Pictures are packed already: an archive of them unpacks to about its own size.
TIMES_AS_LARGE, AND_MORE = 4, 100_000_000
BLOCK = 4096  # what a file takes on a disk at least
PIECE = 1 << 20


def unpack(path, folder):
    """Unpacks a .zip or .tar.gz file.

    Args:
        path: the archive; what it is follows from its first bytes.
        folder: an empty folder.

    Raises:
        BadValueError: if the archive is damaged; if it has a link, a device or a name that leads out
            of the folder; if it unpacks to more than `TIMES_AS_LARGE` times its own size
            and `AND_MORE` bytes; or if it cannot be written. The folder then holds whatever came before.
    """
    limit = TIMES_AS_LARGE * path.stat().st_size + AND_MORE
    with open(path, "rb") as file:
        start = file.read(2)
    members = {b"PK": zip_members, b"\x1f\x8b": tar_members}.get(start)
    if members is None:
        raise BadValueError(f"the archive starts with {start!r}: it is no .zip and no .tar.gz.")
    try:
        for name, is_folder, content in members(path, limit):
            write(place(folder, name), is_folder, content)
    except BadValueError:
        raise
    except Exception as error:  # what the modules raise on damaged archives has no base in common
        raise BadValueError(f"the archive cannot be unpacked ({error or type(error).__name__}).") from error


def zip_members(path, limit):
    """Yields (name, whether it is a folder, file to read from) of a .zip file."""
    with zipfile.ZipFile(path) as archive:
        # A member yields no more than is said here; then its checksum is wrong.
        check_size(sum(max(BLOCK, info.file_size) for info in archive.infolist()), limit)
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise no_plain_file(info.filename)
            with archive.open(info) as content:
                yield info.filename, info.is_dir(), content


def tar_members(path, limit):
    """Yields (name, whether it is a folder, file to read from) of a .tar.gz file."""
    with gzip.open(path) as stream:
        total = 0
        with tarfile.open(fileobj=Limited(stream, limit), mode="r|") as archive:
            while (info := archive.next()) is not None:
                total += max(BLOCK, info.size)
                check_size(total, limit)
                if not (info.isdir() or info.type in (tarfile.REGTYPE, tarfile.AREGTYPE)):
                    raise no_plain_file(info.name)
                yield info.name, info.isdir(), None if info.isdir() else archive.extractfile(info)
                archive.members = []  # which would grow with the archive
        rest = Limited(stream, limit)
        while rest.read(PIECE):  # the checksum comes last
            pass


class Limited:
    """A file to read from that ends with an error: headers too can be bombs."""

    def __init__(self, stream, limit):
        self.stream, self.limit, self.total = stream, limit, 0

    def read(self, size):
        piece = self.stream.read(size)
        self.total += len(piece)
        check_size(self.total, self.limit)
        return piece


def check_size(size, limit):
    if size > limit:
        raise BadValueError(f"the archive unpacks to more than {readable(limit)}, which no pictures of its size do.")


def no_plain_file(name):
    return BadValueError(f"the archive has a link, a device or the like: {name!r}.")


def place(folder, name):
    """Where this member belongs, or a BadValueError if that is outside of the folder on any system."""
    path = PureWindowsPath(name)  # both kinds of slashes, and drives
    if path.anchor or ".." in path.parts:
        raise BadValueError(f"the archive has a name that leads out of its folder: {name!r}.")
    return folder.joinpath(*path.parts)


def write(path, is_folder, content):
    """Writes a folder or a new file."""
    if is_folder:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "xb") as file:
        shutil.copyfileobj(content, file, PIECE)
