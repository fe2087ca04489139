"""Downloads a data set of the catalogue. Its folder appears only when it is complete."""

import contextlib
import hashlib
import http.client
import os
import shutil
import socket
import ssl
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from keras_gan.console import load_keras
from keras_gan.datasets.catalogue import CATALOGUE, Entry, readable
from keras_gan.datasets.folders import FOLDER, files
from keras_gan.datasets.unpack import unpack
from keras_gan.errors import BadValueError, NotFoundError

TIMEOUT = 30  # seconds without a byte
ATTEMPTS, PAUSE = 3, 2  # tries, and seconds between them
ASK_ABOVE = 1_000_000_000  # bytes
ABANDONED_AFTER = 3600  # seconds without a change, after which a temporary folder belongs to a killed download

RETRIABLE = (408, 429)  # client errors that may succeed on a retry
TRANSFER_ERRORS = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)


class TransferError(Exception):
    """A transfer that failed and may succeed on a retry."""


def download(name: str, output: str | Path = FOLDER, yes: bool = False) -> Path | None:
    """Downloads a data set of the catalogue and unpacks it to the folder `output/name`.

    If that folder exists, prints a notice and does nothing. A failed transfer is restarted, up to
    three attempts. On any error nothing is left behind. Needs disk space for the archive and the pictures.

    Args:
        name: see `keras_gan.datasets.catalogue`.
        output: the folder in which to create the new one.
        yes: do not ask before downloading more than 1 GB.

    Returns:
        The path of the folder, or None if the user declined.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no such data set, or the download fails.
        BadValueError: (a ValueError) if the archive is damaged or not the expected one, if it is larger
            than 1 GB and there is no terminal to ask, or if the folder cannot be written.
    """
    entry = CATALOGUE.get(name)
    if entry is None:
        raise NotFoundError(f"no data set {name!r} in the catalogue: available are {', '.join(CATALOGUE)}.")
    target = Path(output) / name
    if target.is_dir():
        print(f"{target} already exists: nothing done.")
        return target
    if not (yes or confirmed(entry)):
        print("Nothing done.")
        return None
    load_keras()  # not later: meanwhile Ctrl-C ends the process, and nothing is removed
    with temporary_folder(target) as folder:
        archive = fetch(entry, folder)
        check_hash(entry, archive)
        print(f"Unpacking to {target}")
        try:
            os.rename(unpack_archive(entry, archive, folder), target)
        except OSError as error:
            raise BadValueError(f"folder {str(target)!r} cannot be written: {error}.") from error
    return target


def confirmed(entry: Entry) -> bool:
    """Whether to proceed. Asks the user if the download is large."""
    size = entry.size or remote_size(entry.url)
    if size is not None and size <= ASK_ABOVE:
        return True
    text = f"{entry.name} is {entry.size_text if size is None or entry.size else readable(size)}"
    if not sys.stdin.isatty():
        raise BadValueError(f"{text}: add --yes to fetch it without being asked.")
    try:
        answer = input(f"{text}, and needs twice that on the disk while it is unpacked. Fetch it? [y/N] ")
    except EOFError:
        answer = ""
    return answer.strip().lower() in ("y", "yes")


def remote_size(url: str) -> int | None:
    """The size in bytes that the server announces, or None."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=TIMEOUT) as answer:
            length = answer.headers.get("Content-Length") or ""
    except urllib.error.HTTPError as error:
        error.close()
        return None  # the server may refuse HEAD only
    except TRANSFER_ERRORS as error:
        raise NotFoundError(f"{url} cannot be fetched: {reason(error)}.") from error
    return int(length) if length.isdecimal() else None


@contextlib.contextmanager
def temporary_folder(target: Path) -> Iterator[Path]:
    """A temporary folder next to the target, and so on the same disk. It is removed on exit."""
    output = target.parent
    made = not output.exists()
    prefix = f".unfinished.{target.name}."
    try:
        output.mkdir(parents=True, exist_ok=True)
        remove_abandoned(output, prefix)
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=output))
    except OSError as error:
        raise BadValueError(f"folder {str(output)!r} cannot be written: {error}.") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if made and not any(output.iterdir()):
            output.rmdir()


def remove_abandoned(output: Path, prefix: str) -> None:
    """Removes temporary folders of killed downloads of this data set. Active ones change all the time."""
    for folder in output.glob(f"{prefix}*"):
        newest = max((path.stat().st_mtime for path in (folder, *folder.rglob("*"))), default=0)
        if time.time() - newest > ABANDONED_AFTER:
            shutil.rmtree(folder, ignore_errors=True)


def fetch(entry: Entry, folder: Path) -> Path:
    """Downloads the archive, with retries. Returns its path."""
    failures = 0
    while True:
        try:
            return transfer(entry.url, folder)
        except TransferError as error:
            failures += 1
            if failures == ATTEMPTS:
                raise NotFoundError(f"{entry.url} cannot be fetched, tried {ATTEMPTS} times: {error}.") from error
            print(f"\ntransfer failed: {error}; starting again", file=sys.stderr)
            time.sleep(PAUSE)


def transfer(url: str, folder: Path) -> Path:
    """Downloads a file into a folder. Returns its path.

    Keras shows the progress, detects a truncated file, and removes an incomplete one. It does not
    verify a hash here, because it would keep the wrong file, nor unpack, because it follows links
    and has no size limit.
    """
    import keras

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)  # Keras sets none, and would wait forever
    try:
        return Path(keras.utils.get_file("archive", url, cache_dir=str(folder), cache_subdir=""))
    except Exception as error:
        # Keras wraps the errors of urllib in a bare Exception.
        cause = error.__context__ if type(error) is Exception else error
        raise as_user_error(url, cause or error) from error
    finally:
        socket.setdefaulttimeout(before)


def as_user_error(url: str, error: BaseException) -> BaseException:
    """The exception to raise for an error of a transfer."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        if error.code < 500 and error.code not in RETRIABLE:
            return NotFoundError(f"{url} cannot be fetched: {reason(error)}.")
    if isinstance(error, TRANSFER_ERRORS):
        return TransferError(reason(error))
    if isinstance(error, OSError):
        return BadValueError(f"the archive cannot be written: {error}.")
    return error


def reason(error: Exception) -> str:
    """Why a transfer failed, as text."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return f"nothing came from the server for {TIMEOUT} seconds"
    return str(cause) or type(cause).__name__


def check_hash(entry: Entry, archive: Path) -> None:
    """Raises BadValueError for a wrong SHA-256. A wrong MD5 only warns, since the MD5s come from an unofficial list."""
    for kind, expected in (("sha256", entry.sha256), ("md5", entry.md5)):
        found = expected and file_hash(archive, kind)
        if found == expected:
            continue
        text = f"{entry.url} has the {kind.upper()} {found}, expected {expected}"
        if kind == "sha256":
            raise BadValueError(f"{text}. Nothing was kept; try again later.")
        print(f"warning: {text} (from an unofficial list).", file=sys.stderr)


def file_hash(path: Path, kind: str) -> str:
    """The hash of a file, in hexadecimal."""
    with open(path, "rb") as file:
        digest = hashlib.new(kind, usedforsecurity=False)
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def unpack_archive(entry: Entry, archive: Path, folder: Path) -> Path:
    """Unpacks the archive inside `folder`. Returns the folder of the data set."""
    inside = folder / "unpacked"
    inside.mkdir()
    try:
        unpack(archive, inside)
    except BadValueError as error:
        raise BadValueError(f"{entry.url}: {error}") from error
    for root in (inside, *sorted(path for path in inside.iterdir() if path.is_dir())):
        if all(files(root / name) for name in entry.folders):
            return root
    raise BadValueError(f"{entry.url} has no pictures in {', '.join(entry.folders)}; nothing was kept.")
