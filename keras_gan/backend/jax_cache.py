"""Keeps programs that JAX compiled in the user's cache folder, so that the next start does not compile them again."""

import functools
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import jax

from keras_gan.files import COMPILE_CACHE, user_cache_folder

LIMIT = 2 * 1024**3  # bytes; the programs used longest ago are removed


@functools.cache
def keep_compiled() -> None:
    """Turns JAX's persistent compilation cache on, once per process.

    The user's own settings of JAX come first. `KERAS_GAN_COMPILE_CACHE=0` turns it off. A folder that cannot be written
    costs one line on standard error.
    """
    config: Any = jax.config  # whose settings mypy does not see
    own = config.jax_compilation_cache_dir or not config.jax_enable_compilation_cache
    if own or os.environ.get(COMPILE_CACHE) == "0":
        return
    folder = user_cache_folder() / "jax"
    try:
        prune(folder)
    except OSError as error:
        say(f"no compiled programs are kept in {str(folder)!r} ({error.strerror}): every start compiles")
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)  # a start compiles dozens of tiny programs, too
    warnings.showwarning = functools.partial(show, warnings.showwarning, folder)


def prune(folder: Path) -> None:
    """Creates the folder and removes what was used longest ago beyond `LIMIT`.

    Raises:
        OSError: if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / f".probe-{os.getpid()}"
    probe.write_bytes(bytes(4096))  # also notices a full disk
    probe.unlink()
    programs = sorted(((path.stat(), path) for path in folder.glob("*-cache")), key=lambda item: -item[0].st_atime)
    size = 0
    for stat, path in programs:
        size += stat.st_size
        if size > LIMIT:
            path.unlink(missing_ok=True)


def show(shown: Any, folder: Path, message: Any, *rest: Any, **more: Any) -> None:
    """Shows a warning. Those of the cache take one line; a damaged cache is removed, since JAX would keep it."""
    text = str(message)
    if "persistent compilation cache" not in text:
        shown(message, *rest, **more)
        return
    if text.startswith("Error reading"):
        for path in folder.glob("*-cache"):
            path.unlink(missing_ok=True)
    reason = " ".join(text.rpartition("': ")[2].split())[:100]
    say(f"the compiled programs in {str(folder)!r} cannot be used ({reason}): compiling again")


@functools.cache
def say(text: str) -> None:
    """Prints a warning, the same one once."""
    print(f"warning: {text}.", file=sys.stderr)
