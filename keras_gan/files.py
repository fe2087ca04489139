"""Writing files so that a half-written one is never seen under its final name."""

import contextlib
import os
from pathlib import Path


@contextlib.contextmanager
def write_whole(path):
    """Gives a path to write to; on leaving, the file takes its final name, replacing what was there.

    If the body fails, the unfinished file is removed and the old one stays as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".unfinished.{path.name}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def sync(path):
    """Returns when what was written to this file, or the names in this folder, are on the disk."""
    try:
        handle = os.open(path, os.O_RDONLY if Path(path).is_dir() else os.O_RDWR)
    except PermissionError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
