"""Pictures inside of larger files: members of tar archives and rows of Parquet files, read from where they lie."""

import io
import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

from keras_gan.machine.memory import fault_of

BLOCK = 512  # bytes that everything in a tar archive is a multiple of
MAGIC = b"ustar"
ROW_GROUPS = 2**28  # bytes of Parquet files that are kept in memory: a group is read as a whole
ROWS = 2**16  # rows that are kept: more than the windows hold in which the rows of two sides are shuffled
GROUPS = 16  # that may be kept whatever their rows


class TarMember(NamedTuple):
    """A member of a tar archive that is not compressed."""

    path: Path
    place: int  # its number in the data set
    start: int  # of its content in the archive
    size: int
    suffix: str  # in small letters, such as .png

    def content(self) -> bytes:
        """Its bytes. Raises ValueError if it is not there any more, OSError if the archive cannot be read."""
        if fault := fault_of(self.size):
            raise ValueError(fault)
        with open(self.path, "rb") as archive:
            archive.seek(self.start - BLOCK)
            header, content = archive.read(BLOCK), archive.read(self.size)
        if not is_header(header) or size_in(header) != self.size:
            raise ValueError("it is not there any more: its shard has changed or is damaged")
        if len(content) < self.size:
            raise ValueError("its shard is cut short within it")
        return content

    def __str__(self) -> str:
        try:
            with open(self.path, "rb") as archive:
                archive.seek(self.start - BLOCK)
                return f"{self.path}/{name_in(archive.read(BLOCK))}"
        except OSError:
            return f"{self.path}, byte {self.start}"


class Cell(NamedTuple):
    """A picture in a row of a Parquet file."""

    path: Path
    place: int  # its number in the data set
    number: int  # of the row in the file
    group: int  # of rows
    row: int  # in the group
    column: str
    suffix: str = ""  # a row tells no kind: Pillow finds it

    def content(self) -> bytes:
        """Its bytes. Raises ValueError if there are none, OSError or ValueError if the file cannot be read."""
        value = row_groups.column(self.path, self.group, self.column)[self.row].as_py()
        content = value.get("bytes") if isinstance(value, dict) else value
        if not content:
            elsewhere = isinstance(value, dict) and value.get("path")
            raise ValueError(f"the row has no picture{f', but the path {elsewhere}' if elsewhere else ''}")
        return content

    def __str__(self) -> str:
        return f"{self.path}, {self.column} of row {self.number}"


Member = TarMember | Cell


class RowGroups:
    """The columns of row groups that were read last, up to a number of bytes and of rows. Thread-safe.

    Rows are shuffled within windows, so groups that were read long before are not wanted until the next epoch.
    """

    def __init__(self, most: int = ROW_GROUPS, rows: int = ROWS, groups: int = GROUPS) -> None:
        self._most, self._most_rows, self._least = most, rows, groups
        self._used = self._rows = 0
        self._columns: OrderedDict[tuple, Any] = OrderedDict()
        self._lock = threading.Lock()

    def column(self, path: Path, group: int, name: str) -> Any:
        """A column of a row group, a `pyarrow.ChunkedArray`."""
        import pyarrow.parquet as pq

        status = os.stat(path)
        key = path, group, name, status.st_size, status.st_mtime_ns
        with self._lock:  # also while reading: threads want rows of the same group
            if key not in self._columns:
                with pq.ParquetFile(path) as file:
                    self._columns[key] = file.read_row_group(group, columns=[name], use_threads=False).column(0)
                self._count(self._columns[key], 1)
                while self._are_too_many():
                    self._count(self._columns.popitem(last=False)[1], -1)
            self._columns.move_to_end(key)
            return self._columns[key]

    def _count(self, column: Any, sign: int) -> None:
        self._used += sign * column.nbytes
        self._rows += sign * len(column)

    def _are_too_many(self) -> bool:
        kept = len(self._columns)
        return (self._used > self._most and kept > 1) or (self._rows > self._most_rows and kept > self._least)


row_groups = RowGroups()


def file_of(path: Any) -> Any:
    """What libraries can open: the bytes of a member as a file in memory; other files as they are."""
    return io.BytesIO(path.content()) if isinstance(path, Member) else path


def suffix_of(path: Any) -> str:
    """The ending of a file's name, of a member too, in small letters."""
    return path.suffix if isinstance(path, Member) else os.path.splitext(str(path))[1].lower()


def is_header(block: bytes) -> bool:
    """Whether these 512 bytes are the header of a member, with the right checksum."""
    try:
        return len(block) == BLOCK and int(block[148:156].strip(b" \0"), 8) == sum(block) - sum(block[148:156]) + 256
    except ValueError:
        return False


def size_in(header: bytes) -> int:
    """The size of a member. Raises ValueError if the header tells none in octal digits."""
    return int(header[124:136].strip(b" \0") or b"0", 8)


def name_in(header: bytes) -> str:
    """The name of a member, as far as its header has it."""
    name, prefix = header[:100].partition(b"\0")[0], header[345:500].partition(b"\0")[0]
    is_whole = header[257:262] == MAGIC and header[262:263] == b"\0"  # GNU's headers have other things there
    return (prefix + b"/" + name if prefix and is_whole else name).decode(errors="surrogateescape")
