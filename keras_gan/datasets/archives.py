"""Archives named as data sets: a .zip or .tar file is unpacked once, to a folder beside it or in the user's cache."""

import errno
import hashlib
import re
from pathlib import Path

from keras_gan.datasets.roles import role_of
from keras_gan.datasets.unpack import JUNK, unpack
from keras_gan.errors import BadValueError
from keras_gan.files import unfinished_folder, user_cache_folder

ENDINGS = ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz"
OTHERS = ".tar.zst", ".7z", ".rar", ".zip.001", ".z01"
#: The names of the parts that Google Drive makes of a large folder, and of others: NAME-20260131T120000Z-1-001.zip,
#: NAME.part1.zip, NAME_part_01.tar.gz. What stands before the number is the same in all parts.
PART = re.compile(
    r"(?P<whole>.+?-\d{8}T\d{6}Z(?:-\d+)?|.+?(?=[-_. ]part))(?:-|[-_. ]part[-_. ]?)(?P<number>\d{1,3})", re.I
)
NOT_WRITABLE = errno.EACCES, errno.EPERM, errno.EROFS
_opened: set[Path] = set()  # folders that were named before in this process


def is_archive(path: Path) -> bool:
    """Whether a file is an archive, judged by its name."""
    return path.name.lower().endswith(ENDINGS + OTHERS)


def opened(path: Path) -> Path:
    """The folder with the contents of an archive and of its other parts: NAME for NAME.zip. Unpacks it on first use.

    Raises:
        BadValueError: if the archive is damaged, unsafe or of another kind, a part is missing, or no folder can be
            written.
    """
    ending = ending_of(path)
    if ending is None:
        raise BadValueError(
            f"{path} is an archive: unpack it and name its folder; {', '.join(ENDINGS)} open as they are."
        )
    name, parts = parts_of(path, ending)
    beside = path.with_name(name)
    digest = hashlib.blake2b(str(beside.resolve()).encode(errors="surrogateescape"), digest_size=4).hexdigest()
    cached = user_cache_folder() / "archives" / digest / name
    target = next((folder for folder in (beside, cached) if folder.is_dir()), None)
    if target is None:
        check_whole(parts)
        target = unpacked([part for _, part in parts], beside, cached)
        print(f"Unpacked {path}{f' and {len(parts) - 1} more' * (len(parts) > 1)} to {target}.")
    elif target not in _opened:
        print(f"{path} was unpacked before: using the folder {target}.")
    _opened.add(target)
    return target


def ending_of(path: Path) -> str | None:
    """The ending of an archive that can be unpacked, or None."""
    return max((ending for ending in ENDINGS if path.name.lower().endswith(ending)), key=len, default=None)


def parts_of(path: Path, ending: str) -> tuple[str, list[tuple[int, Path]]]:
    """(name without ending and number, [(number, path)] of all its parts); the archive alone if it is no part."""
    found = PART.fullmatch(path.name[: -len(ending)])
    if not found:
        return path.name[: -len(ending)], [(1, path)]
    parts = []
    for other in path.parent.iterdir():
        its = PART.fullmatch(other.name[: -len(ending)]) if ending_of(other) == ending else None
        if its and its["whole"] == found["whole"] and other.is_file():
            parts.append((int(its["number"]), other))
    return found["whole"], sorted(parts)


def check_whole(parts: list[tuple[int, Path]]) -> None:
    """Raises BadValueError if a part before the last one is missing, or is there twice."""
    numbers = [number for number, _ in parts]
    for expected in range(min(numbers[0], 1), numbers[-1] + 1):
        if numbers.count(expected) != 1:
            how = "is missing" if expected not in numbers else "is there twice"
            raise BadValueError(f"{parts[-1][1]} is part {numbers[-1]} of an archive, and part {expected} {how}.")


def unpacked(parts: list[Path], beside: Path, cached: Path) -> Path:
    """Unpacks the parts to the folder `beside` them or, if that cannot be written, to `cached`; returns which."""
    for target in (beside, cached):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with unfinished_folder(target) as folder:
                unpack_to(target, parts, folder)
            return target
        except OSError as error:
            if target == cached or error.errno not in NOT_WRITABLE:
                raise BadValueError(
                    f"{parts[0]} cannot be unpacked to {target} ({error}): unpack it elsewhere."
                ) from error
    raise AssertionError(beside)


def unpack_to(target: Path, parts: list[Path], folder: Path) -> None:
    """Unpacks archives in a temporary folder, then moves their contents to the target."""
    for path in parts:
        try:
            unpack(path, folder)
        except BadValueError as error:
            raise BadValueError(f"{path}: {error}") from error
    contents(folder).rename(target)


def contents(folder: Path) -> Path:
    """The only folder in this one and so on, unless its name tells a split or a side; else this one."""
    inside = [path for path in folder.iterdir() if path.name != JUNK and not path.name.startswith(".")]
    is_wrapped = len(inside) == 1 and inside[0].is_dir() and not role_of(inside[0].name)
    return contents(inside[0]) if is_wrapped else folder
