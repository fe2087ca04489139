"""Shared by all commands: help format, one-line errors, quiet loading of Keras."""

import argparse
import contextlib
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from keras_gan.errors import BadValueError, UserError


def load_keras() -> Any:
    """Imports and returns Keras, without TensorFlow's start-up log. Exits with code 2 if the backend is missing."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Allocate GPU memory on demand, not all at once.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    missing = None
    with silence():
        try:
            import keras
        except ModuleNotFoundError as error:  # the backend that KERAS_BACKEND names
            missing = error.name
    if missing:
        sys.exit(fail(f"{missing!r} is not installed: install it, or set KERAS_BACKEND to tensorflow or jax."))
    return keras


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Discards standard error, including output of native libraries."""
    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def print_any_name() -> None:
    """Makes standard output and error escape what their encoding lacks, such as `\\ud55c` in ASCII.

    Otherwise the first name of a file or folder that cannot be printed would end the command: one in Korean where
    output goes to a file on Windows, or one that is not valid UTF-8 anywhere.
    """
    streams: list[Any] = [sys.stdout, sys.stderr]
    for stream in streams:
        if getattr(stream, "errors", None) in ("strict", "surrogateescape", "surrogatepass"):
            with contextlib.suppress(AttributeError, OSError, ValueError):  # not a text file, or closed
                stream.reconfigure(errors="backslashreplace")


def fail(message: object) -> int:
    """Prints the message as one line on standard error. Returns 2, the exit code for bad input."""
    print("error:", " ".join(str(message).split()), file=sys.stderr)
    return 2


def check_packages(user: str, packages: Iterable[str], extra: str) -> None:
    """Raises BadValueError, naming the extra to install, if a package is missing."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            install = f'python -m pip install "keras-gan[{extra}]", or ".[{extra}]" in a clone'
            raise BadValueError(f"{user} needs the package {package}: {install}.")


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Uses at least 104 columns, as wide as the descriptions, so that the help fits on a screen."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=max(104, shutil.get_terminal_size().columns - 2))


class Parser(argparse.ArgumentParser):
    """An argument parser that reports errors in one line. Every command has one, and so can print any name."""

    def __init__(self, **options: Any) -> None:
        print_any_name()
        super().__init__(**options)

    @classmethod
    def of(cls, module: str, description: str | None, **texts: Any) -> "Parser":
        """The parser of `python -m MODULE`."""
        texts |= {"prog": f"python -m {module}", "description": description}
        return cls(formatter_class=HelpFormatter, allow_abbrev=False, **texts)

    def error(self, message: str) -> NoReturn:
        self.exit(fail(f"{message} (see {self.prog} --help)"))


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Wraps a command: a `UserError` exits with code 2 and one line, Ctrl-C with code 130."""
    try:
        yield
    except UserError as error:
        sys.exit(fail(error))
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
