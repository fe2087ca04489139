"""The files of a run: links are refused, damaged files are set aside, JSON files have a checksum.

A run's only truth is its newest checkpoint. Other damaged files are left out, reported, and written anew.
"""

import contextlib
import functools
import json
import os
import sys
import zlib
from collections.abc import Container
from pathlib import Path
from typing import Any

from keras_gan.errors import BadValueError
from keras_gan.files import write_json

CONFIG, DATA, FACTS = "config.json", "data.json", "report.json"
LOGS = "logs.json"  # the names of the logs elsewhere that the run goes on in
HISTORY, HELD_OUT, VALIDATION = "history.csv", "held_out.csv", "validation.csv"
SHOWN = "losses.png", "report.html", "samples.gif", "samples.mp4"
FILES = CONFIG, DATA, FACTS, LOGS, HISTORY, HELD_OUT, VALIDATION, *SHOWN, ".lock"
FOLDERS = "checkpoints", "evaluation", "frames", "images", "models", "tensorboard"
WRITTEN = "frames/*.png", "images/*.png", "models/*.keras", "models/*/*.keras"  # files within these folders
SUM = "sum"  # in a JSON object: the CRC-32 of its other items


def check_no_links(folder: str | Path, names: Container[str] | None = (*FILES, *FOLDERS)) -> None:
    """Checks that a run's own files and folders are no links, which would lead writing and deleting elsewhere.

    Args:
        folder: the run's folder, which may be a link itself.
        names: what to check in it, with all that these folders hold; None: everything.

    Raises:
        BadValueError: if there is a link, a FIFO, a device or a socket.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if names is not None and entry.name not in names:
                continue
            if entry.is_symlink():
                raise BadValueError(
                    f"{entry.path!r} is a link, and links within a run are not followed: "
                    "replace it by what it points to, or remove it."
                )
            if entry.is_dir():
                check_no_links(entry.path, None)
            elif not entry.is_file():
                raise BadValueError(f"{entry.path!r} is no regular file: remove it.")


def repair(folder: Path) -> None:
    """Sets aside files in place of folders and the reverse, before a run writes there."""
    for path in (*(folder / name for name in FOLDERS), folder / "models/best", *folder.glob("models/epoch-*")):
        if path.is_file():
            set_aside(path, "it is a file, not a folder")
    for path in (*(folder / name for name in FILES), *(path for glob in WRITTEN for path in folder.glob(glob))):
        if path.is_dir():
            set_aside(path, "it is a folder, not a file")


def set_aside(path: Path, why: object, instead: str = "it is made anew") -> None:
    """Renames a damaged file or folder to `damaged-NAME`, or `damaged-NAME-2` and so on, and reports it."""
    kept, number = path.with_name(f"damaged-{path.name}"), 1
    while os.path.lexists(kept):
        number += 1
        kept = path.with_name(f"damaged-{path.name}-{number}")
    path.rename(kept)
    say(f"{path} is damaged ({why}): {instead}; the old one is now {kept.name}")


@functools.cache
def say(message: str) -> None:
    """Prints a message on standard error, once."""
    print(message, file=sys.stderr)


def save_record(path: Path, content: dict[str, Any]) -> None:
    """Writes a JSON object with its checksum, see `read_record`."""
    write_json(path, content | {SUM: sum_of(json.loads(json.dumps(content)))})


def read_record(path: Path) -> dict[str, Any]:
    """Reads a JSON object; without its checksum, if it has one.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError, ValueError: if the file cannot be read, or its content has changed since it was written.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is no file")  # a FIFO would wait for ever
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it is no JSON object")
        if content.pop(SUM, None) not in (None, sum_of(content)):
            raise ValueError("it has changed since it was written")
    except RecursionError as error:
        raise ValueError("it is no JSON object") from error
    return content


def sum_of(content: dict[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(content, sort_keys=True).encode()):08x}"


def record(path: Path) -> dict[str, Any]:
    """As `read_record`, but {} for a missing file, and for a damaged one, which is reported."""
    try:
        return read_record(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        say(f"{path} is damaged ({error}): it is left out")
        return {}
