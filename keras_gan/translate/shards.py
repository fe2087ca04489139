"""Pictures in folders, tar shards and Parquet files, on disk or at an address such as s3://, one after the other."""

import io
import os
import re
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from keras_gan.datasets.folders import ending, first_few, is_visible, picture_extensions, walk
from keras_gan.datasets.parquet_rows import are_files
from keras_gan.datasets.shard_names import FILES, PARQUET, TAR, expanded, kind_of
from keras_gan.datasets.unpack import safe_path
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.images import video
from keras_gan.images.opening import check_room

ROWS = 64  # of a Parquet file to read at a time
LOOKED_FOR = 1000  # shards, before a job begins
AGES = "ETag", "mtime", "LastModified", "updated"  # what file systems call the time or sum of what was written


class Source(NamedTuple):
    """A shard, or so many files of a folder as fill one."""

    kind: str  # FILES, TAR or PARQUET
    name: str  # of its results
    address: str  # of the shard or the folder
    group: int = 0  # of the listing, for FILES


class Record(NamedTuple):
    """A picture to translate, or a fault that is all there is."""

    given: str  # its name in messages
    stem: str  # path below the place of the results, without the ending
    content: bytes | str | None  # of the file, or its path on this disk
    fault: str | None = None


class Strict(tarfile.TarInfo):
    """Members of an archive that has a proper end. `tarfile` takes a damaged header, and no end at all, for the end."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Any:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error


def opened(address: str) -> tuple[Any, str]:
    """(file system, path) of an address, such as `s3://bucket/folder`, or of a path.

    Raises:
        BadValueError: if the kind of address is unknown, or the package for it is not installed.
    """
    try:
        return fsspec.core.url_to_fs(address, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise BadValueError(f"{address!r} cannot be opened: {error}") from error


def absolute(place: str) -> str:
    """The same place, wherever a process has its current folder: those of a cluster have that of its start."""
    return place if "://" in place else os.path.abspath(os.path.expanduser(place))


def is_here(fs: Any) -> bool:
    """Whether a file system is that of this machine."""
    return type(fs).__name__ == "LocalFileSystem"


def sources(inputs: Iterable[str]) -> list[Source]:
    """The shards that these inputs name, each with a name of its own, or [] if they name folders.

    Raises:
        BadValueError: if there is nothing, shards of two kinds, or two shards of the same name.
    """
    found: dict[str, Source] = {}
    places = [place for given in inputs for place in expanded(given, matching)]
    for place in places:
        kind = kind_of(place)
        if kind == FILES:
            if len(places) > 1:
                raise BadValueError(f"{place!r} is no shard: name one folder, or .tar or .parquet files.")
            return []
        name = re.sub(r"\.(tar|tar\.gz|tgz|parquet)$", "", os.path.basename(place), flags=re.IGNORECASE)
        if name in found:
            raise BadValueError(f"{found[name].address} and {place} would both become {name}: translate one at a time.")
        found[name] = Source(kind, name, place)
    if len({source.kind for source in found.values()}) > 1:
        raise BadValueError("the inputs are shards of two kinds, .tar and .parquet: translate one kind at a time.")
    return list(found.values())


def check_some(found: Sequence[Source], inputs: Sequence[str]) -> None:
    """Raises NotFoundError if none of these shards is there, as after a slip in the name. Some may be missing."""
    for source in found[: LOOKED_FOR + 1]:
        fs, path = opened(source.address)
        try:
            fs.info(path)
            return
        except FileNotFoundError:
            continue
        except Exception:  # of the file system's own kind: it is there, or reading it will tell more
            return
    if 0 < len(found) <= LOOKED_FOR:
        what = "it is missing" if len(found) == 1 else f"all {len(found)} shards are missing"
        raise NotFoundError(f"no input {first_few([*inputs])}: {what}.")


def state_of(address: str) -> list[str]:
    """What tells a file from another one of its name; [] if the file system does not say.

    fsspec's own `ukey` counts inode and owner, too, which another machine may see otherwise.
    """
    fs, path = opened(address)
    try:
        known = fs.info(path)
    except FileNotFoundError:
        return ["missing"]
    except Exception:  # file systems raise errors of their own kinds; reading it will tell more
        return []
    return [str(known[name]) for name in ("size", *AGES) if name in known]


def matching(given: str) -> list[str]:
    """What matches an address with `*`."""
    fs, pattern = opened(given)
    return [fs.unstrip_protocol(path) if "://" in given else path for path in sorted(fs.glob(pattern))]


def listing(folder: str, without: str) -> Iterator[tuple[str, str]]:
    """Yields (path below the folder, that without ending or, if other files share it, with) of pictures and videos.

    Memory holds the names of one folder at a time, in the order of which they come.
    """
    fs, top = opened(folder)
    known = picture_extensions().union(video.VIDEOS)
    places = walk(Path(top), without=[Path(opened(without)[1])]) if is_here(fs) else walk_far(fs, top, without)
    for place, names in places:
        pictures = sorted(name for name in names if ending(name) in known)
        often = Counter(os.path.splitext(name)[0] for name in pictures)
        below = os.path.relpath(place, top)
        for name in pictures:
            stem = os.path.splitext(name)[0]
            end = stem if often[stem] == 1 else name
            yield os.path.normpath(os.path.join(below, name)), os.path.normpath(os.path.join(below, end))


def walk_far(fs: Any, top: str, without: str) -> Iterator[tuple[str, list[str]]]:
    """Like `walk`, on any file system."""
    other = opened(without)[1].rstrip("/")
    for place, _, names in fs.walk(top):
        below = place.removeprefix(top)
        if all(map(is_visible, below.split("/"))) and not f"{place}/".startswith(f"{other}/"):
            yield place, [name for name in names if is_visible(name)]


def records(source: Source, listed: str) -> Iterator[Record]:
    """Yields what is in a source, in order. A fault of the source itself is its last record.

    Args:
        source: the source.
        listed: address of the listing, for FILES.
    """
    count = 0
    try:
        inside = {FILES: in_folder, TAR: in_tar, PARQUET: in_parquet}[source.kind]
        for record in inside(source, listed):
            yield record
            count += 1
    except FileNotFoundError:
        yield Record(source.address, "", None, "it is missing")
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:  # pyarrow's are OSErrors and ValueErrors
        what = "cut short or damaged, " * isinstance(error, tarfile.TarError)
        what += " ".join(str(error).split()) or type(error).__name__
        yield Record(source.address, "", None, f"{what}: what follows the first {count} pictures is lost")


def in_folder(source: Source, listed: str) -> Iterator[Record]:
    """The files of one group of the listing."""
    fs, top = opened(source.address)
    lists, path = opened(listed)
    with lists.open(path, "rb") as file:
        table = pq.ParquetFile(file).read_row_group(source.group)
    columns = (map(os.fsdecode, table.column(name).to_pylist()) for name in ("below", "stem"))
    for below, stem in zip(*columns, strict=True):
        place = f"{top.rstrip('/')}/{below}"
        given = f"{source.address.rstrip('/')}/{below}"
        try:
            yield Record(given, stem, place if is_here(fs) else fs.cat_file(place))
        except FileNotFoundError:
            yield Record(given, stem, None, "it is missing")


def in_tar(source: Source, listed: str) -> Iterator[Record]:
    """The members of an archive that are named like pictures."""
    fs, path = opened(source.address)
    known, seen = picture_extensions().union(video.VIDEOS), set()
    with fs.open(path, "rb") as file, tarfile.open(fileobj=file, mode="r|*", tarinfo=Strict) as archive:
        while (info := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined]  # the list would grow with the archive
            if ending(info.name) not in known or info.isdir() or not is_visible(os.path.basename(info.name)):
                continue
            given = f"{source.address}/{info.name}"
            try:
                name = safe_path(Path(), info.name).as_posix()
                if not info.isreg():
                    raise ValueError("it is a link, a device or the like")
                stem = os.path.splitext(name)[0]
                stem = name if stem in seen else stem  # as `1.jpg` and `1.png` would both become `1.png`
                if stem in seen:
                    raise ValueError("another member has its name")
                check_room(info.size)
            except ValueError as error:
                yield Record(given, "", None, str(error).removesuffix("."))
                continue
            seen.add(stem)
            yield Record(given, stem, archive.extractfile(info).read())  # type: ignore[union-attr]


def in_parquet(source: Source, listed: str) -> Iterator[Record]:
    """The rows of the column of pictures."""
    fs, path = opened(source.address)
    with fs.open(path, "rb") as file:
        table = pq.ParquetFile(file)
        name, number = column_of(table.schema_arrow), 0
        for batch in table.iter_batches(ROWS, columns=[name]):
            for value in batch.column(0).to_pylist():
                content = value.get("bytes") if isinstance(value, dict) else value
                fault = None if content else "the row has no picture"
                yield Record(f"{source.address}/{number}", f"{number:07}", content or None, fault)
                number += 1


def column_of(schema: pa.Schema) -> str:
    """The column with the bytes of pictures: the only one, or that named `image`; else ValueError."""
    found = [field.name for field in schema if are_files(field.type)]
    if len(found) != 1 and "image" not in found:
        raise ValueError(f"of its columns {', '.join(schema.names)} one must have pictures, or the name image")
    return "image" if "image" in found else found[0]


def suffix_of(record: Record) -> str:
    """The ending of a picture's name, or where it has none, as in Parquet, that of its kind."""
    if ending(record.given) or not isinstance(record.content, bytes):
        return ending(record.given)
    try:
        with Image.open(io.BytesIO(record.content)) as image:
            kind = image.format
    except Exception:  # it is damaged, and skipped when it is read
        return ".png"
    return next((end for end, of in Image.registered_extensions().items() if of == kind), ".png")
