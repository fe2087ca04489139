"""What a job on a cluster has written so far, so that it can go on where it stopped.

While it runs, OUTPUT/.job holds the network, the listing of a folder and, for each source, the parts that are done: a
note on each and, where the results are shards, an archive of its pictures. A source whose parts are all done becomes a
shard and one note. A note is written last, so what has one is whole.
"""

import errno
import hashlib
import itertools
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from keras_gan.errors import BadValueError
from keras_gan.files import write_bytes
from keras_gan.translate.packing import packed, unpacked, write_shard
from keras_gan.translate.shards import FILES, Source, is_here, listing, opened, state_of

SKIPPED = "skipped.jsonl"
PER_SHARD = 1000  # pictures of a folder, or a few more
LISTED = pa.schema([("below", pa.binary()), ("stem", pa.binary())])  # not all names of files are texts
UNFIT = errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EILSEQ  # of a name, not of the disk
COUNTED = "done", "cut", "made", "kept"  # pictures, in a note


class Job(NamedTuple):
    """A job, as all machines know it.

    Attributes:
        output: address of the folder of the results.
        form: FILES, TAR or PARQUET.
        facts: what decoding needs to know of the generator.
        options: the other arguments of `keras_gan.translate.pipeline.Flow`.
        side: of pairs, see `keras_gan.translate.halves.Halves`.
        deep: whether all results have 16 bits.
        size: of a part, in pictures.
        is_resumed: whether another process began it.
    """

    output: str
    form: str
    facts: Any
    options: dict[str, Any]
    side: str | None
    deep: bool
    size: int
    is_resumed: bool = False

    def at(self, *names: str) -> str:
        """The address of something below the output."""
        return "/".join([self.output.rstrip("/"), *names])

    def begun(self, network: bytes, inputs: list[str]) -> "Job":
        """The job, begun or taken up again.

        Raises:
            BadValueError: if the output holds something else, or cannot be written.
        """
        told = {"inputs": inputs, "form": self.form, "options": self.options, "size": self.size}
        told["network"] = hashlib.sha256(network).hexdigest()
        text = json.dumps(told, sort_keys=True).encode()
        fs, path = opened(self.output)
        try:
            there = fs.ls(path, detail=False) if fs.exists(path) else []
            if before := read(self.at(".job", "job.json")):
                if before != json.loads(text):
                    raise BadValueError(
                        f"output {self.output!r} holds a job that is not done, of other inputs, options or another "
                        "network: name another output, or remove it."
                    )
                return self._replace(is_resumed=True)
            if [name for name in there if os.path.basename(name.rstrip("/")) != ".job"]:
                raise BadValueError(f"output {self.output!r} exists: name another one; nothing is replaced.")
            put(self.at(".job", self.facts.file), network)
            put(self.at(".job", "job.json"), text)
        except BadValueError:
            raise
        except Exception as error:  # file systems raise errors of their own kinds
            raise BadValueError(f"output {self.output!r} cannot be written: {error or type(error).__name__}") from error
        return self

    def is_seen(self) -> bool:
        """Whether the job is there, as this process sees the output."""
        return read(self.at(".job", "job.json")) is not None

    def forget(self) -> None:
        """Removes the job, unless another process began it."""
        if not self.is_resumed:
            remove(self.at(".job"))

    # The listing of a folder

    @property
    def listed(self) -> str:
        return self.at(".job", "listing.parquet")

    def list_folder(self, folder: str) -> list[Source]:
        """Lists the pictures of a folder, unless that was done, and returns the sources: some of its files each.

        Raises:
            BadValueError: if there are none.
        """
        fs, path = opened(self.listed)
        if not fs.exists(path):
            rows = -(-PER_SHARD // self.size) * self.size
            with tempfile.NamedTemporaryFile() as file:
                with pq.ParquetWriter(file.name, LISTED) as writer:
                    pairs = listing(folder, self.output)
                    while group := [map(os.fsencode, pair) for pair in itertools.islice(pairs, rows)]:
                        writer.write_table(pa.table(list(zip(*group, strict=True)), LISTED), row_group_size=rows)
                put(self.listed, Path(file.name).read_bytes())
        with fs.open(path, "rb") as file:
            groups = pq.ParquetFile(file).num_row_groups
        if not groups:
            raise BadValueError(f"no pictures in {folder!r}; shards are named, such as {folder.rstrip('/')}/*.tar.")
        return [Source(FILES, f"{number:05}", folder, number) for number in range(groups)]

    # Parts

    def check_same(self, source: Source) -> None:
        """Notes the size and age of a shard that is first read. Raises BadValueError if they are others by now.

        Parts that are done would be of another shard than the rest.
        """
        if source.kind == FILES:
            return
        noted, now = self.at(".job", "read", f"{source.name}.json"), state_of(source.address)
        before = read(noted) if self.is_resumed else None
        if before and now and before != now:
            raise BadValueError(
                f"{source.address} has changed since the job began: put it back, or name another output"
            )
        if not before:
            put(noted, json.dumps(now).encode())

    def done_parts(self, source: str) -> set[int]:
        """The numbers of the parts of a source that are done."""
        return {int(name) for name in names(self.at(".job", "parts", source)) if name.isdecimal()}

    def place(self, source: Source, name: str) -> str:
        """The address of a picture, where the results are files."""
        return self.at(name) if source.kind == FILES else self.at(source.name, name)

    def is_there(self, source: Source, name: str) -> bool:
        """Whether a picture was written by a process that died before the part was done."""
        if not self.is_resumed or self.form != FILES:
            return False
        fs, path = opened(self.place(source, name))
        return fs.isfile(path)

    def save_part(
        self,
        source: Source,
        number: int,
        pictures: list[tuple[str, bytes]],
        note: dict[str, Any],
        given: Mapping[str, str] = {},
    ) -> None:
        """Writes the pictures of a part, (name, content), and then its note.

        A picture whose name the file system does not take is moved to those that were skipped: the others are no worse
        for it. There it has the name of the input, by its own in `given`.
        """
        refused: list[dict[str, str]] = []
        if self.form == FILES:
            for name, content in pictures:
                try:
                    put(self.place(source, name), content)
                except OSError as error:
                    if error.errno not in UNFIT:
                        raise
                    reason = f"the result cannot have the name {name!r}: {error.strerror}"
                    refused.append({"input": given.get(name, name), "reason": reason})
        elif pictures:
            put(self.at(".job", "parts", source.name, f"{number:06}.tar"), packed(pictures))
        note = note | {"done": note["done"] - len(refused), "skipped": note["skipped"] + refused}
        put(self.at(".job", "parts", source.name, f"{number:06}.json"), json.dumps(note).encode())

    # Sources

    def done_sources(self) -> set[str]:
        """The names of the sources that are done."""
        return names(self.at(".job", "done"))

    def note(self, source: str) -> dict[str, Any]:
        """The note on a source that is done."""
        return read(self.at(".job", "done", f"{source}.json")) or {}

    def finish_source(self, source: Source, count: int) -> None:
        """Makes a shard of the parts of a source, and one note of theirs, unless that was done."""
        if source.name in self.done_sources():
            return
        parts = [self.at(".job", "parts", source.name, f"{number:06}") for number in range(count)]
        notes = [read(f"{part}.json") or {} for part in parts]
        if self.form != FILES and any(note["done"] for note in notes):
            packs = (f"{part}.tar" for part, note in zip(parts, notes, strict=True) if note["done"])
            write_shard(self.at(f"{source.name}.{self.form}"), self.form, unpacked(packs))
        whole: dict[str, Any] = {name: sum(note[name] for note in notes) for name in COUNTED}
        whole["skipped"] = [line for note in notes for line in note["skipped"]]
        whole["brightest"] = max(note["brightest"] for note in notes)
        put(self.at(".job", "done", f"{source.name}.json"), json.dumps(whole).encode())
        remove(self.at(".job", "parts", source.name))

    def finish(self, sources: Iterable[Source]) -> dict[str, Any]:
        """Writes `skipped.jsonl`, if anything was skipped, and removes what only the job needed. Returns the sums."""
        sums: dict[str, Any] = dict.fromkeys((*COUNTED, "skipped", "brightest"), 0)
        with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as lines:
            for source in sources:
                note = self.note(source.name)
                for line in note["skipped"]:
                    lines.write(json.dumps(line) + "\n")
                sums |= {name: sums[name] + note[name] for name in COUNTED}
                sums["skipped"] += len(note["skipped"])
                sums["brightest"] = max(sums["brightest"], note["brightest"])
            lines.flush()
            if sums["skipped"]:
                put(self.at(SKIPPED), Path(lines.name).read_bytes())
        remove(self.at(".job", "job.json"))  # first: without it, nobody takes the job up again
        remove(self.at(".job"))
        return sums


def put(address: str, content: bytes) -> None:
    """Writes a file whole, as object stores do with every object."""
    fs, path = opened(address)
    if is_here(fs):
        write_bytes(path, content)
    else:
        fs.pipe_file(path, content)


def read(address: str) -> Any:
    """The content of a JSON file; None if it is missing or half-written."""
    fs, path = opened(address)
    try:
        return json.loads(fs.cat_file(path))
    except (FileNotFoundError, ValueError):
        return None


def names(folder: str) -> set[str]:
    """The names of the JSON files in a folder, without the ending."""
    fs, path = opened(folder)
    try:
        found = [os.path.basename(name) for name in fs.ls(path, detail=False)]
    except FileNotFoundError:
        return set()
    return {name.removesuffix(".json") for name in found if name.endswith(".json") and not name.startswith(".")}


def remove(folder: str) -> None:
    fs, path = opened(folder)
    if fs.exists(path):
        fs.rm(path, recursive=True)
