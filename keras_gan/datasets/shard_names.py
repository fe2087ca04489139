"""What names stand for shards: `{00000..00099}`, `*`, folders with nothing but .tar or .parquet files, one .tar."""

import functools
import glob
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from keras_gan.datasets import hub
from keras_gan.datasets.folders import FOLDER, counted, ending, locate, picture_extensions, walk
from keras_gan.datasets.lone_tar import is_numbered, is_shard, shard_named
from keras_gan.datasets.roles import role_of
from keras_gan.errors import BadValueError

FILES, TAR, PARQUET = "files", "tar", "parquet"
TARS = ".tar", ".tar.gz", ".tgz"
COMPRESSED = ".tgz", *(f".tar.{kind}" for kind in ("gz", "bz2", "xz", "zst"))
SHARDS = ".tar", ".parquet"  # those that can be read from any place
BRACES = re.compile(r"\{(?P<first>\d+)\.\.(?P<last>\d+)\}|\{(?P<choice>[^{}]*,[^{}]*)\}")
MOST = 1_000_000  # files that a range can name
OTHERS = hub.PREFIX, "gray2colour:"  # what begins like this names something else


def kind_of(place: str) -> str:
    """FILES, TAR or PARQUET, by the ending."""
    return TAR if place.lower().endswith(TARS) else PARQUET if ending(place) == ".parquet" else FILES


def here(pattern: str) -> list[str]:
    """The files of this machine that match."""
    return sorted(glob.glob(pattern))


def expanded(given: str, matches: Callable[[str], list[str]] = here) -> list[str]:
    """The addresses that `{00000..00099}`, `{a,b}` and `*` stand for.

    Args:
        given: the address.
        matches: finds what matches a pattern with `*`.

    Raises:
        BadValueError: if nothing matches, or a range is too long.
    """
    if found := BRACES.search(given):
        parts = numbers(found["first"], found["last"]) if found["first"] else found["choice"].split(",")
        start, end = found.span()
        return [place for part in parts for place in expanded(given[:start] + part + given[end:], matches)]
    if "*" not in given:
        return [given]
    if not (matching := matches(given)):
        raise BadValueError(f"no input {given!r}: nothing matches.")
    return matching


def numbers(first: str, last: str) -> list[str]:
    """The numbers of a range, as long as the first one; downwards, as in a shell, if the last one is smaller.

    Raises:
        BadValueError: if there are more than `MOST`.
    """
    start, end = int(first), int(last)
    step = 1 if end >= start else -1
    places = range(start, end + step, step)
    if len(places) > MOST:
        raise BadValueError(f"{{{first}..{last}}} has more than {MOST:,} numbers: check both ends.")
    return [f"{number:0{len(first)}}" for number in places]


def is_named(name: object) -> bool:
    """Whether this names shards."""
    if not isinstance(name, str | os.PathLike) or str(name).startswith(OTHERS):
        return False
    return is_list(str(name)) or bool(shard_named(name) or in_folder(name))


def is_list(name: str) -> bool:
    """Whether a name stands for a list of files. Some files have such a name themselves."""
    is_pattern = BRACES.search(name) or "*" in name
    return bool(is_pattern) and not (os.path.exists(name) or (FOLDER / name).exists())


def in_folder(name: str | os.PathLike[str]) -> list[Path]:
    """The shards in a folder and its subfolders, if these have no pictures; [] for any other name.

    One .tar file may be no shard, such as edges2shoes.tar, but an archive that somebody put there. What was unpacked of
    a numbered one, to a folder of its name beside it, does not count.
    """
    folder = next((path for path in (FOLDER / name, Path(name)) if path.is_dir() and str(name).strip()), None)
    found: list[Path] = []
    apart: set[Path] = set()
    known = picture_extensions()
    for place, names in walk(locate(folder) or folder) if folder else ():
        if not apart.isdisjoint([Path(place), *Path(place).parents]):
            continue
        inside = [Path(place, name) for name in names if ending(name) in SHARDS]
        if any(ending(name) in known for name in names):
            tell_hidden(place, sum(map(is_numbered, inside)))
            return []
        apart |= {*map(unpacked, filter(is_numbered, inside))}
        found += inside
    is_archive = len(found) == 1 and found[0].suffix.lower() == ".tar" and not is_shard(found[0])
    return [] if is_archive else sorted(found)


@functools.cache  # a name is looked at several times
def tell_hidden(folder: str, count: int) -> None:
    """Says that the shards in a folder are not used, since it has pictures beside them."""
    if count > 1:
        print(
            f"warning: {folder} has pictures, so its {count} shards are not used: to use these, name them, such as "
            f"{folder}/*.tar.",
            file=sys.stderr,
        )


def compressed_beside(places: Iterable[Path]) -> list[str]:
    """The compressed tar archives in the folders of shards."""
    names = (str(path) for folder in {path.parent for path in places} for path in folder.iterdir())
    return sorted(name for name in names if name.lower().endswith(COMPRESSED))


def unpacked(shard: Path) -> Path:
    """The folder that somebody may have unpacked a shard to."""
    return shard.with_suffix("")


def are_shards(name: str) -> bool:
    """Whether a path is that of archives, Parquet files or a folder of shards; `datasets/` is not looked into."""
    return kind_of(name) != FILES or bool(in_folder(Path(name).absolute()))


def places_of(name: str | os.PathLike[str], are_here: bool = True) -> list[Path]:
    """The shards that a name stands for, all of one kind, in order.

    Args:
        name: the name.
        are_here: whether all must be files of this machine; if not, some may be on other hosts.

    Raises:
        BadValueError: if a shard is missing, named twice or compressed, there are two kinds, or some are no shards.
    """
    if is_list(str(name)):
        places = below(expanded_here(os.path.expanduser(name), are_here))  # quoted, as braces must be, ~ stays
    else:
        alone = shard_named(name)
        places = [alone] if alone else in_folder(name)
    twice = [path for path, count in Counter(places).items() if count > 1]
    if twice:
        raise BadValueError(f"{str(name)!r} names {twice[0]} more than once: name each shard once.")
    if are_here:
        check_there(places, f"{str(name)!r} in all")
    kinds = {path.suffix.lower() for path in places}
    if len(kinds) > 1 and kinds == {*SHARDS}:
        raise BadValueError(f"{str(name)!r} are shards of two kinds, .tar and .parquet: name one kind.")
    others = [path for path in places if path.suffix.lower() not in SHARDS]
    if others:
        raise BadValueError(f"{others[0]} is no shard to train on: these are .tar, not compressed, or .parquet files.")
    return places


def check_there(places: Sequence[Path], whose: str) -> None:
    """Raises BadValueError if one of these shards is no file of this machine. `whose` are they, in the message."""
    missing = [path for path in places if not path.is_file()]
    if missing:
        raise BadValueError(
            f"{missing[0]} is missing, {len(missing)} of the {counted(len(places), 'shard')} of {whose}: "
            "get them, or name only those that are there."
        )


def expanded_here(name: str, are_here: bool = True) -> list[str]:
    """The names that a list stands for: below `datasets/`, if all or some are there, or by path."""
    inside = str(FOLDER / name)
    is_inside = "*" not in name and any(map(os.path.exists, expanded(inside)[: 1 if are_here else None]))
    return expanded(inside) if is_inside or ("*" in name and here(inside)) else expanded(name)


def below(names: list[str]) -> list[Path]:
    """Paths. Raises BadValueError for an address such as s3://."""
    for name in names:
        if "://" in name:
            raise BadValueError(f"{name} is not on this machine: shards to train on must be files here.")
    return [Path(name) for name in names]


def split_of(path: Path) -> str:
    """The split that the name of a shard or of its folder tells: "train", "val", "test", or "" if none does."""
    word = re.split(r"[\W_\d]", path.stem)[0]
    roles = [role_of(word) if word else None, role_of(path.parent.name)]
    return next((role.split for role in roles if role and role.split), "")
