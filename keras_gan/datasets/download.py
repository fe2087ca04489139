"""Fetches a data set of the catalogue: its folder appears only when it is whole."""

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
from pathlib import Path

from keras_gan.console import load_keras
from keras_gan.datasets.catalogue import CATALOGUE, readable
from keras_gan.datasets.folders import FOLDER, files
from keras_gan.datasets.unpack import unpack
from keras_gan.errors import BadValueError, NotFoundError

TIMEOUT = 30  # seconds without a byte
ATTEMPTS, PAUSE = 3, 2  # seconds between them
ASKED_ABOVE = 1_000_000_000  # bytes
ABANDONED_AFTER = 3600  # seconds without a change: what a killed process left

LATER = (408, 429)  # of the answers 400 to 499, those that may be another one next time
BROKEN = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)


class TransferError(Exception):
    """A transfer that did not come to its end; the next one may."""


def download(name, output=FOLDER, yes=False):
    """Fetches a data set of the catalogue and unpacks it to the folder `output/name`.

    If that folder exists, says so and does nothing. A broken transfer is started anew, three times
    in all. Whatever goes wrong, nothing is left behind. Needs room for the archive and the pictures.

    Args:
        name: see `keras_gan.datasets.catalogue`.
        output: the folder to make the new one in.
        yes: whether not to ask before more than 1 GB is fetched.

    Returns:
        The path of the folder, or None if the answer was no.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no such data set, or it cannot be fetched.
        BadValueError: (a ValueError) if what came is damaged or another than it should be, or more
            than 1 GB and there is nobody to ask, or the folder cannot be written.
    """
    entry = CATALOGUE.get(name)
    if entry is None:
        raise NotFoundError(f"no data set {name!r} in the catalogue: there is {', '.join(CATALOGUE)}.")
    target = Path(output) / name
    if target.is_dir():
        print(f"{target} is there already: nothing done.")
        return target
    if not (yes or agreed(entry)):
        print("Nothing done.")
        return None
    with workplace(target) as folder:
        archive = fetched(entry, folder)
        check_hash(entry, archive)
        print(f"Unpacking to {target}")
        try:
            os.rename(unpacked(entry, archive, folder), target)
        except OSError as error:
            raise BadValueError(f"folder {str(target)!r} cannot be written: {error}.") from error
    return target


# Before.


def agreed(entry):
    """Whether to go on: asks where it is much."""
    size = entry.size or told_size(entry.url)
    if size is not None and size <= ASKED_ABOVE:
        return True
    text = f"{entry.name} is {entry.size_text if size is None or entry.size else readable(size)}"
    if not sys.stdin.isatty():
        raise BadValueError(f"{text}: add --yes to fetch it without being asked.")
    try:
        answer = input(f"{text}, and needs twice that on the disk while it is unpacked. Fetch it? [y/N] ")
    except EOFError:
        answer = ""
    return answer.strip().lower() in ("y", "yes")


def told_size(url):
    """How many bytes the server says it will send, or None."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=TIMEOUT) as answer:
            length = answer.headers.get("Content-Length") or ""
    except urllib.error.HTTPError as error:
        error.close()
        return None  # it may refuse this question only
    except BROKEN as error:
        raise NotFoundError(f"{url} cannot be fetched: {reason(error)}.") from error
    return int(length) if length.isdecimal() else None


@contextlib.contextmanager
def workplace(target):
    """A folder beside the target, and so on the same disk; on leaving it is gone."""
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


def remove_abandoned(output, prefix):
    """Removes what killed downloads of this data set left; those under way change all the time."""
    for folder in output.glob(f"{prefix}*"):
        newest = max((path.stat().st_mtime for path in (folder, *folder.rglob("*"))), default=0)
        if time.time() - newest > ABANDONED_AFTER:
            shutil.rmtree(folder, ignore_errors=True)


# The transfer.


def fetched(entry, folder):
    """The path of the archive."""
    for left in reversed(range(ATTEMPTS)):
        try:
            return transfer(entry.url, folder)
        except TransferError as error:
            if not left:
                raise NotFoundError(f"{entry.url} cannot be fetched, tried {ATTEMPTS} times: {error}.") from error
            print(f"\nbroken off: {error}; starting again", file=sys.stderr)
            time.sleep(PAUSE)


def transfer(url, folder):
    """Fetches a file into a folder; returns its path.

    Keras shows the progress, finds a file too short, and removes what is not whole. It does not
    look for a hash here, because it would leave the wrong file behind, nor unpack, because it
    follows links and has no limit.
    """
    load_keras()
    import keras

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)  # Keras names none, and so waits for ever
    try:
        return Path(keras.utils.get_file("archive", url, cache_dir=str(folder), cache_subdir=""))
    except Exception as error:
        # What urllib raises, Keras makes a bare Exception of.
        raise worded(url, error.__context__ if type(error) is Exception else error) from error
    finally:
        socket.setdefaulttimeout(before)


def worded(url, error):
    """What to raise for an error of a transfer."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        if error.code < 500 and error.code not in LATER:
            return NotFoundError(f"{url} cannot be fetched: {reason(error)}.")
    if isinstance(error, BROKEN):
        return TransferError(reason(error))
    if isinstance(error, OSError):
        return BadValueError(f"the archive cannot be written: {error}.")
    return error


def reason(error):
    """Why a transfer failed, in words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return f"nothing came from the server for {TIMEOUT} seconds"
    return str(cause) or type(cause).__name__


# Afterwards.


def check_hash(entry, archive):
    """Raises BadValueError if the archive is another than it should be; warns if nobody confirmed what it should be."""
    for kind, wanted in (("sha256", entry.sha256), ("md5", entry.md5)):
        found = wanted and digest(archive, kind)
        if found == wanted:
            continue
        text = f"{entry.url} has the {kind.upper()} {found}; expected is {wanted}"
        if kind == "sha256":
            raise BadValueError(f"{text}. Nothing was kept; try again later.")
        print(f"warning: {text}, which nobody confirmed.", file=sys.stderr)


def digest(path, kind):
    """The hash of a file, as text."""
    digest = hashlib.new(kind, usedforsecurity=False)
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def unpacked(entry, archive, folder):
    """The folder that the archive becomes, inside this one."""
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
