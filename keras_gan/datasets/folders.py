"""Folders of pictures: finding them, listing their files in order, and holding pictures out for testing."""

import contextlib
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

from PIL import Image

from keras_gan.datasets import archives, hub
from keras_gan.datasets.roles import role_of, roles_of
from keras_gan.errors import BadValueError
from keras_gan.machine.installation import install

FOLDER = Path("datasets")
TEST_EVERY = 10  # without a test split, every tenth picture is held out
JUNK = archives.JUNK  # other junk is hidden or lacks a picture extension
RESERVED = re.compile(r'[<>:"/\\|?*\x00-\x1f]')  # not allowed in file names on Windows
NAMED = 5  # a message names this many things and counts the rest
COMPRESSED = {".gz", ".tgz", ".bz2", ".xz", ".zst"}
HEIC = ".heic", ".heif", ".hif"
#: Pictures that Pillow may not read. Other files beside pictures, such as lists, are nobody's loss.
PHOTOS = {*HEIC, ".avif", ".jxl", ".svg", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"}

# Cameras and editors write such EXIF data. The picture itself is whole.
warnings.filterwarnings("ignore", message="Corrupt EXIF data", category=UserWarning)


def locate(name: str | Path) -> Path | None:
    """The folder of this name, below `datasets/` or by path, or None. Accepts \\ as well as /.

    Opens archives, Parquet files, and what is named as of the Hugging Face hub.

    Raises:
        BadValueError: if the name is empty or stands for more than a data set, or if a file of this name is a
            picture or an archive that cannot be opened.
    """
    if not isinstance(name, str | os.PathLike):
        raise BadValueError(f"a data set is named by a text or a path, not by {name!r}.")
    if not str(name).strip():
        raise BadValueError(f"the data set has the empty name {str(name)!r}: name a folder of pictures.")
    if hub.is_named(name):
        return hub.opened(str(name), FOLDER)
    for spelling in dict.fromkeys((Path(name), Path(PureWindowsPath(name).as_posix()))):
        is_place = {*spelling.parts} <= {".."}  # "." and "..", which are no names below `datasets/`
        for path in (spelling,) if is_place else (FOLDER / spelling, spelling):
            if path.is_dir():
                return unwrapped(checked(path))
            if path.is_file() and archives.is_archive(path):
                return unwrapped(archives.opened(path))
            if path.is_file() and path.suffix.lower() in hub.ENDINGS:
                return hub.opened(f"{hub.PREFIX}{path}", FOLDER)
            if path.is_file() and path.suffix.lower() in picture_extensions():
                raise BadValueError(f"{path} is a picture: name the folder that it lies in.")
    return None


def opened(path: str | Path) -> Path:
    """The folder of what lies in an archive, in a Parquet file or on the hub; any other path as it is."""
    place = Path(path)
    is_packed = archives.is_archive(place) or place.suffix.lower() in hub.ENDINGS
    found = locate(path) if hub.is_named(path) or (is_packed and place.is_file()) else None
    return found or place


def checked(folder: Path) -> Path:
    """The folder. Raises BadValueError if it surely holds more than a data set."""
    place = folder.resolve()
    is_workplace = place == Path.cwd().resolve() and any((place / name).is_dir() for name in (FOLDER, "runs"))
    if is_workplace or place in (Path(place.anchor), FOLDER.resolve()) or place == home():
        raise BadValueError(f"{str(folder)!r} is {place}, which is no data set: name a folder of pictures in it.")
    return folder


def unwrapped(folder: Path) -> Path:
    """The folder; or, if it has nothing but one folder of pictures, and that has splits or sides, the inner one."""
    inside = [] if has_pictures(folder, deep=False) else [path for path in subfolders(folder) if has_pictures(path)]
    if len(inside) != 1 or role_of(inside[0].name):
        return folder
    roles = roles_of(path.name for path in subfolders(inside[0])).values()
    is_divided = any(role.split for role in roles) or {role.side for role in roles} >= {"A", "B"}
    return inside[0] if is_divided else folder


def home() -> Path | None:
    """The user's home folder, or None if there is none."""
    try:
        return Path.home().resolve()
    except RuntimeError:
        return None


def name_of(folder: Path) -> str:
    """The name of a folder, safe for use in file names on every system."""
    return RESERVED.sub("_", folder.resolve().name) or "data"


def available(*built_in: str) -> str:
    """The folders below `datasets/` and these built-in data sets, as text."""
    names = (f"datasets/{folder.name}" for folder in subfolders(FOLDER))
    return ", ".join([*names, *built_in])


def files(folder: Path, deep: bool = True, more: Iterable[str] = (), without: Iterable[Path] = ()) -> list[Path]:
    """The picture files in a folder, and in its subfolders unless `deep` is False, in natural order.

    Hidden files are skipped. Extensions match in any case; `more` adds some. The folders `without` are left out.
    Empty if there is no such folder.
    """
    extensions = picture_extensions().union(more)
    places = walk(folder, deep, without)
    found = [os.path.join(place, name) for place, names in places for name in names if ending(name) in extensions]
    return [Path(path) for path in sorted(found, key=natural_key)]


def walk(folder: Path, deep: bool = True, without: Iterable[Path] = ()) -> Iterator[tuple[str, list[str]]]:
    """Yields (folder, names of its visible files) of a folder and its subfolders, links to folders among them.

    Each folder is visited once, real ones before links. A link to a folder above this one is not followed.
    """
    top, seen = os.path.realpath(folder), {os.path.realpath(path) for path in without}
    for place, inside, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen or top.startswith(os.path.join(real, "")):
            inside.clear()
            continue
        seen.add(real)
        visible = [name for name in inside if deep and is_visible(name)]
        inside[:] = sorted(visible, key=lambda name: (os.path.islink(os.path.join(place, name)), name))
        yield place, [name for name in names if is_visible(name)]


def has_pictures(folder: Path, deep: bool = True) -> bool:
    """Whether there is a picture file in a folder, or in its subfolders unless `deep` is False."""
    extensions = picture_extensions()
    return any(ending(name) in extensions for _, names in walk(folder, deep) for name in names)


def ending(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def picture_extensions() -> set[str]:
    """The extensions of readable files, in lower case. With the package pillow-heif, these include .heic."""
    if HEIC[0] not in Image.registered_extensions():
        with contextlib.suppress(ImportError):
            import pillow_heif

            pillow_heif.register_heif_opener()
    known = Image.registered_extensions()
    return {".npy", *(extension for extension, kind in known.items() if kind in Image.OPEN)}


def other_files(folder: Path, only: Iterable[str] = ()) -> str:
    """The numbers of files by extension (or of those `only`) that are no readable pictures, as text."""
    readable, wanted = picture_extensions(), set(only)
    endings = (ending(name) for _, names in walk(folder) for name in names)
    counts = Counter(found for found in endings if found not in readable and (found in wanted or not wanted))
    kinds = [f"{count} {kind or 'nameless'}" for kind, count in counts.most_common()]
    hint = f" (to read HEIC: {install('heic')})" if counts.keys() & {*HEIC} else ""
    hint += " (decompress these first)" if counts.keys() & COMPRESSED else ""
    hint += f" (to read these: {hub.PREFIX}{folder})" if counts.keys() & {*hub.ENDINGS} else ""
    return f"{first_few(kinds)} {'file' if counts.total() == 1 else 'files'}{hint}" if counts else ""


def instead(*folders: Path) -> str:
    """What there is instead of pictures, as a part of an error: ", but 3 .heic files", or ""."""
    found = next((text for folder in folders if (text := other_files(folder))), "")
    return found and f", but {found}"


def counted(number: int, what: str = "picture") -> str:
    """A number of things, as text."""
    return f"{number} {what}{'s' * (number != 1)}"


def first_few(texts: list[str]) -> str:
    """The first texts, and how many more there are."""
    more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
    return ", ".join(texts[:NAMED]) + more


def subfolders(folder: Path) -> list[Path]:
    """The visible folders in a folder, in natural order ("class 2" before "class 10"). Opens no file."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as inside:
        names = [entry.name for entry in inside if is_visible(entry.name) and entry.is_dir()]
    return sorted((folder / name for name in names), key=natural_key)


def is_visible(name: str) -> bool:
    return not name.startswith(".") and name != JUNK


def natural_key(path: str | Path) -> tuple[list[Any], str]:
    """A sort key that compares numbers in paths by value."""
    text = str(path)
    parts: list[Any] = re.split(r"(\d+)", text)
    parts[1::2] = map(int, parts[1::2])
    return parts, text


def hold_out(pictures: list, whose: object) -> tuple[list, list]:
    """(train, test): every tenth of these pictures is for testing. Raises BadValueError if there is only one."""
    if len(pictures) == 1:
        raise BadValueError(f"{whose} has only {pictures[0]}: one is needed to train and another one to test.")
    return [picture for i, picture in enumerate(pictures) if i % TEST_EVERY], pictures[::TEST_EVERY]
