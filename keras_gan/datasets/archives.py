"""Archives named as data sets: a .zip or .tar.gz file is unpacked once, to a folder beside it."""

from pathlib import Path

from keras_gan.datasets.roles import role_of
from keras_gan.datasets.unpack import unpack
from keras_gan.errors import BadValueError
from keras_gan.files import unfinished_folder

ENDINGS = ".zip", ".tar.gz", ".tgz"
OTHERS = ".tar", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".7z", ".rar"
JUNK = "__MACOSX"  # macOS adds this folder to archives


def is_archive(path: Path) -> bool:
    """Whether a file is an archive, judged by its name."""
    return path.name.lower().endswith(ENDINGS + OTHERS)


def opened(path: Path) -> Path:
    """The folder with the contents of an archive: NAME for NAME.zip. Unpacks it on first use.

    Raises:
        BadValueError: if the archive is damaged, unsafe or of another kind, or the folder cannot be written.
    """
    ending = next((ending for ending in ENDINGS if path.name.lower().endswith(ending)), None)
    if ending is None:
        raise BadValueError(
            f"{path} is an archive: unpack it and name its folder; {', '.join(ENDINGS)} open as they are."
        )
    target = path.with_name(path.name[: -len(ending)])
    if target.is_dir():
        print(f"{path} was unpacked before: using the folder {target}.")
        return target
    try:
        with unfinished_folder(target) as folder:
            unpack_to(target, path, folder)
    except OSError as error:
        raise BadValueError(f"{path} cannot be unpacked beside itself ({error}): unpack it elsewhere.") from error
    print(f"Unpacked {path} to {target}.")
    return target


def unpack_to(target: Path, path: Path, folder: Path) -> None:
    """Unpacks an archive in a temporary folder, then moves its contents to the target."""
    try:
        unpack(path, folder)
        contents(folder).rename(target)
    except BadValueError as error:
        raise BadValueError(f"{path}: {error}") from error
    except OSError as error:
        raise BadValueError(f"folder {str(target)!r} cannot be written: {error}.") from error


def contents(folder: Path) -> Path:
    """The only folder in this one, unless its name tells a split or a side; else this one."""
    inside = [path for path in folder.iterdir() if path.name != JUNK and not path.name.startswith(".")]
    is_wrapped = len(inside) == 1 and inside[0].is_dir() and not role_of(inside[0].name)
    return inside[0] if is_wrapped else folder
