"""Packs results into shards: tar archives, or Parquet files with a column `image`."""

import io
import itertools
import os
import tarfile
import tempfile
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from keras_gan.files import write_whole
from keras_gan.translate.shards import ROWS, TAR, is_here, opened

RESULT = pa.schema([("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))])


def packed(members: Iterable[tuple[str, bytes]]) -> bytes:
    """An archive of these files, which is the same for the same files."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        add(archive, members)
    return content.getvalue()


def add(archive: tarfile.TarFile, members: Iterable[tuple[str, bytes]]) -> None:
    for name, content in members:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))


def unpacked(addresses: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """The files in these archives, one archive after the other."""
    for address in addresses:
        fs, path = opened(address)
        with tarfile.open(fileobj=io.BytesIO(fs.cat_file(path))) as archive:
            for info in archive:
                yield info.name, archive.extractfile(info).read()  # type: ignore[union-attr]


def write_shard(address: str, form: str, members: Iterator[tuple[str, bytes]]) -> None:
    """Writes a shard of these files whole: a tar archive, or a Parquet file with a column `image`."""
    fs, path = opened(address)
    if is_here(fs):
        with write_whole(path) as unfinished:
            fill(str(unfinished), form, members)
        return
    with tempfile.TemporaryDirectory() as folder:
        fill(os.path.join(folder, "shard"), form, members)
        fs.put_file(os.path.join(folder, "shard"), path)


def fill(path: str, form: str, members: Iterator[tuple[str, bytes]]) -> None:
    if form == TAR:
        with tarfile.open(path, "w") as archive:
            add(archive, members)
        return
    with pq.ParquetWriter(path, RESULT) as writer:
        while some := list(itertools.islice(members, ROWS)):
            texts = (os.fsencode(name).decode(errors="replace") for name, _ in some)
            rows = [{"image": {"bytes": each[1], "path": text}} for text, each in zip(texts, some, strict=True)]
            writer.write_table(pa.Table.from_pylist(rows, RESULT))
