"""Which pictures a tar shard has and where: read from the headers of its members, many at a time."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_gan.datasets.folders import counted, is_visible, picture_extensions
from keras_gan.datasets.tar_bytes import (
    MAGIC_AT,
    MAGIC_BYTES,
    ODD,
    SIDE_A,
    SIDE_B,
    cut_out,
    ends_of,
    last,
    path_told,
    sides_told,
    swept,
    what_instead,
)
from keras_gan.datasets.unpack import LONGEST, safe_path
from keras_gan.images.members import BLOCK, is_header, name_in, size_in

#: An entry of an index: where its picture lies, or picture A and picture B, and its class.
ENTRY = np.dtype([("start", "<u8", 2), ("size", "<u8", 2), ("suffix", "u1", 2), ("label", "<i4")])
CHUNK = 2**12  # members to take apart at a time: larger arrays would be given back to the system each time
READ, SMALL = 2**19, 2**14  # bytes to read at a time while members have less than so many, else header by header
REGULAR, LINKS = (0, ord("0"), ord("7")), tuple(b"12346S")
FOLDER, PAX, LONG_NAME = ord("5"), ord("x"), ord("L")  # the last two: what stands before a member with a long name
LABEL, LABEL_SIZE, SUFFIX = ".cls", 200, 8  # the last: bytes of the longest ending
CUT = "it is cut short"


class Index(NamedTuple):
    """What a shard has: its entries (an array of `ENTRY`), the endings and classes that they number, and faults."""

    entries: np.ndarray
    suffixes: list[str]
    classes: list[str]
    are_pairs: bool
    faults: list[str]


class Members(NamedTuple):
    """The members of a shard that are pictures or classes, one behind the other."""

    start: np.ndarray
    size: np.ndarray
    suffix: np.ndarray  # its number in `suffixes`
    side: np.ndarray  # SIDE_A, SIDE_B or 0
    same: np.ndarray  # whether the name but for ending and side is that of the one before


class Listing:
    """Lists an archive by its headers. `tarfile` takes 12 times as long, see docs/decisions.md.

    Args:
        archive: open for reading, without a buffer.
        length: of the archive in bytes.
    """

    def __init__(self, archive: Any, length: int) -> None:
        self.archive, self.length = archive, length
        self.suffixes, self.classes = [LABEL], dict[str, int]()
        self.faults: list[str] = []
        self._refused: list[str] = []  # names of members, with the reason
        self._long_name: bytes | None = None  # of the next member
        self._last_key = b""
        self._known = picture_extensions()

    def index(self) -> Index:
        """Goes through the archive."""
        position, end, parts = 0, None, []
        while end is None:
            heads, places, sizes, position, end = self.walk(position)
            rows = np.frombuffer(heads, "u1").reshape(-1, BLOCK)
            whole = self.whole_rows(rows)
            if whole < len(rows):
                end, rows = "a header is damaged", rows[:whole]
            parts.append(self.members(rows, np.array(places[:whole], "u8"), np.array(sizes[:whole], "u8")))
        members = Members(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
        is_whole = members.start + members.size <= self.length
        if end and is_whole.sum() == 1:
            is_whole &= members.side == 0  # else it is cut within its first pair, and no shard of single pictures
        members = Members(*(column[is_whole] for column in members))
        entries, are_pairs = self.entries(members)
        if end and not position:
            self.archive.seek(0)
            self.faults.append(what_instead(self.archive.read(BLOCK)))
        elif end:
            self.faults.append(f"{end}: only its first {counted(len(entries), 'picture')} can be used")
        if self._refused:
            more = f" and {len(self._refused) - 1} more" if len(self._refused) > 1 else ""
            self.faults.append(f"not used: {self._refused[0]}{more}")
        return Index(entries, self.suffixes, list(self.classes), are_pairs, self.faults)

    def walk(self, position: int) -> tuple[bytearray, list[int], list[int], int, str | None]:
        """Goes from header to header, from this position on.

        Returns:
            (the headers one behind the other, their places, the sizes of members, the position of the next header,
            None if there may be more, "" at the end of the archive, or what is wrong).
        """
        buffer = bytearray(READ)
        view, heads, size, end = memoryview(buffer), bytearray(), 0, None
        places: list[int] = []
        sizes: list[int] = []
        while len(places) < CHUNK and end is None:
            self.archive.seek(position)
            length = self.archive.readinto(view[: READ if size < SMALL else BLOCK])
            if length < BLOCK:
                return heads, places, sizes, position, CUT
            found = swept(view[: length // BLOCK * BLOCK]) if length > BLOCK else None
            if found is not None:
                rows, offsets, of_members = found
                heads += rows.tobytes()
                places += (position + offsets).tolist()
                sizes += of_members.tolist()
            else:
                end = self.step(view[:BLOCK], position, heads, places, sizes)
            if end is None:
                size = sizes[-1]
                position = places[-1] + BLOCK + ((size + BLOCK - 1) & -BLOCK)
        return heads, places, sizes, position, end

    def step(
        self, block: memoryview, position: int, heads: bytearray, places: list[int], sizes: list[int]
    ) -> str | None:
        """Adds the header in a block. Returns "" if it is the end of the archive, or what is wrong, else None."""
        header = bytes(block)
        if not any(header):
            return ""
        if not is_header(header):
            return "a header is damaged"
        try:
            size = size_in(header)
        except ValueError:
            return "a member has no size, or one of more than 8 GB"
        heads += header
        places.append(position)
        sizes.append(size)
        return None

    def whole_rows(self, rows: np.ndarray) -> int:
        """How many of these rows are headers, up to the first one that is none."""
        odd = np.flatnonzero((rows[:, MAGIC_AT] != MAGIC_BYTES).any(1))
        return next((int(row) for row in odd if not is_header(rows[row].tobytes())), len(rows))

    def members(self, rows: np.ndarray, places: np.ndarray, sizes: np.ndarray) -> Members:
        """The pictures and classes among these headers."""
        names, kept = self.names(rows, places, sizes)
        rows, places, sizes = rows[kept], places[kept], sizes[kept]
        columns = np.arange(names.shape[1])
        length = ends_of(names)
        is_dot = names == ord(".")
        base = last(names == ord("/")) + 1
        dot = last(is_dot)
        suffix = self.suffix_numbers(names, dot, length)
        is_used = (suffix >= 0) & (dot > base) & (names[np.arange(len(names)), base] != ord("."))
        is_used[self.odd(names)] = False
        before = last(is_dot & (columns < dot[:, None]))
        side = sides_told(names, np.where(before > base, before, dot), dot)
        side[suffix == 0] = 0
        key = np.where(columns < np.where(side > 0, before, dot)[:, None], names, 0)[is_used]
        same = np.zeros(len(key), bool)
        if len(key):
            same[1:] = (key.view("u8")[1:] == key.view("u8")[:-1]).all(1)
            same[0] = key[0].tobytes().rstrip(b"\0") == self._last_key
            self._last_key = key[-1].tobytes().rstrip(b"\0")
        start = places + np.uint64(BLOCK)
        return Members(start[is_used], sizes[is_used], suffix[is_used], side[is_used], same)

    def names(self, rows: np.ndarray, places: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(names of the regular files, uint8 (n, width) ending with zeros, which rows these are).

        Members that are links or devices are noted if they are named like pictures.
        """
        kinds = rows[:, 156]
        is_regular = np.isin(kinds, REGULAR)
        has_prefix = (rows[:, 345] > 0) & is_regular & (rows[:, 262] == 0)
        is_odd = ~is_regular | has_prefix
        is_odd[1:] |= ~is_regular[:-1]  # it may have its name from the one before
        is_odd[:1] |= self._long_name is not None
        longer: dict[int, bytes] = {}
        for row in np.flatnonzero(is_odd).tolist():
            kind, told = kinds[row], name_in(rows[row].tobytes())
            if kind in (PAX, LONG_NAME):
                self._long_name = self.long_name(int(places[row]), int(sizes[row]), kind) or self._long_name
            elif kind in (*REGULAR, *LINKS, FOLDER):
                if kind in REGULAR and (self._long_name is not None or has_prefix[row]):
                    longer[row] = self._long_name or told.encode(errors="surrogateescape")
                if kind in LINKS and os.path.splitext(told)[1].lower() in self._known:
                    self._refused.append(f"{told}, since it is a link, a device or the like")
                self._long_name = None
        kept = np.flatnonzero(is_regular)
        longest = int(np.flatnonzero(rows[:, :100].any(0)).max(initial=0)) + 1
        width = max([longest, *(min(len(name), LONGEST + 1) for name in longer.values())]) + 1
        names = np.zeros((len(rows), -(-width // 8) * 8), "u1")
        names[:, :longest] = rows[:, :longest]
        for row, name in longer.items():
            names[row] = 0
            names[row, : min(len(name), width - 1)] = np.frombuffer(name[: width - 1], "u1")
        return np.ascontiguousarray(names[kept]), kept

    def long_name(self, place: int, size: int, kind: int) -> bytes | None:
        """The name that an extended header tells for the next member, or None."""
        if size > 2**20:
            return None
        self.archive.seek(place + BLOCK)
        content = self.archive.read(size)
        return content.rstrip(b"\0") if kind == LONG_NAME else path_told(content)

    def suffix_numbers(self, names: np.ndarray, dot: np.ndarray, length: np.ndarray) -> np.ndarray:
        """The numbers in `suffixes` of the endings of names; -1 for endings that no picture and no class has."""
        told, which = np.unique(cut_out(names, dot, length, SUFFIX).view("u8")[:, 0], return_inverse=True)
        numbers = []
        for word in told:
            suffix = word.tobytes().rstrip(b"\0").decode(errors="replace").lower()
            if suffix in self._known and suffix not in self.suffixes:
                self.suffixes.append(suffix)
            numbers.append(self.suffixes.index(suffix) if suffix in self.suffixes else -1)
        return np.array(numbers, "i2")[which]

    def odd(self, names: np.ndarray) -> list[int]:
        """The rows of names that no picture may have; notes them if they are named like pictures."""
        is_odd = ODD[names].any(1) | (names[:, 0] == ord("/"))
        is_odd |= ((names[:, 1:] == ord(".")) & (names[:, :-1] == ord("."))).any(1)
        is_odd |= ends_of(names) > LONGEST
        found = []
        for row in np.flatnonzero(is_odd).tolist():
            name = names[row].tobytes().rstrip(b"\0").decode(errors="surrogateescape")
            try:
                safe_path(Path(), name)
            except ValueError as error:
                found.append(row)
                if os.path.splitext(name)[1].lower() in self._known and is_visible(os.path.basename(name)):
                    self._refused.append(str(error).removesuffix(".").replace("the archive has a name", "a name"))
        return found

    def entries(self, members: Members) -> tuple[np.ndarray, bool]:
        """(the entries that members make, whether they are pairs of members)."""
        group = np.cumsum(~members.same)
        is_class = members.suffix == 0
        labels = np.full(int(group[-1]) + 1 if len(group) else 1, -1, "i4")
        for row in np.flatnonzero(is_class).tolist():
            labels[group[row]] = self.label(int(members.start[row]), int(members.size[row]))
        start, size, suffix, side, group = (
            column[~is_class] for column in (members.start, members.size, members.suffix, members.side, group)
        )
        is_first = np.zeros(len(start), bool)
        is_first[:-1] = (group[:-1] == group[1:]) & (side[:-1] + side[1:] == SIDE_A + SIDE_B) & (side[:-1] != side[1:])
        is_first[:-1] &= side[:-1] * side[1:] > 0
        is_first[1:] &= ~is_first[:-1]
        are_pairs = bool(is_first.any())
        chosen = np.flatnonzero(is_first) if are_pairs else np.arange(len(start))
        alone = len(start) - 2 * len(chosen) if are_pairs else 0
        if alone:
            self._refused.append(f"{counted(alone, 'picture')} without the other side of the pair")
        entries = np.zeros(len(chosen), ENTRY)
        entries["label"] = labels[group[chosen]]
        swap = (side[chosen] == SIDE_B) & are_pairs
        for place in range(1 + are_pairs):
            of_side = chosen + (swap if place == 0 else ~swap) if are_pairs else chosen
            for name, values in (("start", start), ("size", size), ("suffix", suffix)):
                entries[name][:, place] = values[of_side]
        return entries, are_pairs

    def label(self, start: int, size: int) -> int:
        """The number of the class that a member tells."""
        self.archive.seek(start)
        text = self.archive.read(min(size, LABEL_SIZE)).decode(errors="replace").strip()
        return self.classes.setdefault(text, len(self.classes))
