"""Shared by all commands: help format, one-line errors, quiet loading of Keras."""

import argparse
import contextlib
import errno
import importlib
import importlib.util
import math
import os
import re
import shutil
import signal
import sys
import textwrap
import threading
import time
import types
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from keras_gan.errors import BadValueError, UserError
from keras_gan.machine import installation
from keras_gan.machine.interrupts import end_command, ended_by_ctrl_c, heard

#: What to do about errors of the system.
WAYS_OUT = {
    errno.ENOSPC: "make room, then try again",
    errno.EDQUOT: "make room, then try again",
    errno.EFBIG: "make room, or raise the limit of file sizes, then try again",
    errno.EACCES: "get the permission, or name another folder",
    errno.EROFS: "name a folder on a disk that can be written",
    errno.EISDIR: "a folder has the name of a file: move it away, then try again",
    errno.ENOTDIR: "a file has the name of a folder: move it away, then try again",
    errno.EEXIST: "a file has the name of a folder: move it away, then try again",
}


WIDTH = 100  # columns of an error in a terminal
SMALLER = "end other programs, or take smaller pictures or sizes, then try again"


def make_callable(package: str) -> None:
    """Lets a package be called like its function of the same name: `keras_gan.translate(...)`."""
    name = package.rpartition(".")[2]

    class CallableModule(types.ModuleType):
        def __call__(self, *arguments: Any, **named: Any) -> Any:
            return getattr(self, name)(*arguments, **named)

    sys.modules[package].__class__ = CallableModule


def load_keras() -> Any:
    """Imports and returns Keras, silently. Exits with code 2 if the backend is missing."""
    try:
        return import_keras()
    except ModuleNotFoundError as error:  # the backend that KERAS_BACKEND names
        missing = error.name
    sys.exit(fail(installation.how_to_get(missing)))


def import_keras() -> Any:
    """Imports and returns Keras, silently: TensorFlow greets on standard error, however quiet its log is."""
    # Allocate GPU memory on demand, not all at once.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    with silence(), ended_by_ctrl_c():
        return importlib.import_module("keras")


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
    """Prints the message as one line on standard error, which a terminal shows in lines of `WIDTH`. Returns 2."""
    text = " ".join(["error:", *str(message).split()])
    if sys.stderr.isatty():
        text = textwrap.fill(text, WIDTH, subsequent_indent=" " * 7, break_long_words=False, break_on_hyphens=False)
    print(text, file=sys.stderr)
    return 2


def check_packages(user: str, packages: Iterable[str], extra: str) -> None:
    """Raises BadValueError, naming the extra to install, if a package is missing."""
    for package in packages:
        if not installation.is_there(package):
            raise BadValueError(f"{user} needs {package}: {installation.install(extra)}.")


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Uses at least 104 columns, as wide as the descriptions, so that the help fits on a screen."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=max(104, shutil.get_terminal_size().columns - 2))


class Parser(argparse.ArgumentParser):
    """An argument parser that reports errors in one line. Every command has one, and so can print any name."""

    def __init__(self, **options: Any) -> None:
        print_any_name()
        if signal.getsignal(signal.SIGINT) is end_command:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        super().__init__(**options)

    @classmethod
    def of(cls, module: str, description: str | None, **texts: Any) -> "Parser":
        """The parser of `python -m MODULE`."""
        texts |= {"prog": f"python -m {module}", "description": description}
        return cls(formatter_class=HelpFormatter, allow_abbrev=False, **texts)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Takes -1,1 after an option for its value; argparse takes it for an option of its own."""
        joined: list[str] = []
        for text in sys.argv[1:] if args is None else args:
            if joined and joined[-1].startswith("--") and re.fullmatch(r"-[\d.]+,.*", text):
                joined[-1] += f"={text}"
            else:
                joined.append(text)
        return super().parse_known_args(joined, namespace)

    def error(self, message: str) -> NoReturn:
        self.exit(fail(f"{message} (see {self.prog} --help)"))


def value_range(text: str) -> tuple[float, float]:
    """Parses "LOW,HIGH", the values of black and white in files."""
    try:
        low, high = (int(part) if part.strip().lstrip("+-").isdecimal() else float(part) for part in text.split(","))
    except ValueError:
        low = high = math.nan
    if not -math.inf < low < high < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a value range; write LOW,HIGH, such as 0,4095")
    return low, high


def line_of(error: OSError) -> str:
    """An error of the system as one line that names the file and what to do.

    Raises:
        The error itself, if a library raised it: then a traceback tells more.
    """
    if error.errno is None:
        raise error
    name = error.filename2 or error.filename  # of a renaming, the final name
    place = f" in {str(name)!r}" if name is not None else ""
    return f"{error.strerror}{place}: {way_out(error)}."


def way_out(error: Exception, otherwise: str = "mend that, then try again") -> str:
    """What to do about an error of the system, also where a library buried it in a text."""
    known = (
        todo
        for number, todo in WAYS_OUT.items()
        if getattr(error, "errno", None) == number or os.strerror(number) in str(error)
    )
    return next(known, otherwise)


def value_range_or_auto(text: str) -> tuple[float, float] | str:
    """Parses "LOW,HIGH" or "auto"."""
    return text if text == "auto" else value_range(text)


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Wraps a command: a `UserError`, an error of the system or a lack of memory exits with code 2 and one line.

    Ctrl-C is answered at once and exits with code 130, after unfinished files are removed.
    """
    stopping = threading.Event()

    def answer(number: int) -> None:
        if number == signal.SIGINT and not stopping.is_set():
            stopping.set()
            print("\nStopped.", file=sys.stderr, flush=True)

    try:
        with heard(answer):
            yield
    except UserError as error:
        sys.exit(fail(error))
    except OSError as error:
        sys.exit(fail(line_of(error)))
    except MemoryError as error:
        sys.exit(fail(f"the machine has too little memory{f' ({error})' if str(error) else ''}: {SMALLER}."))
    except KeyboardInterrupt:
        answer(signal.SIGINT)  # unless the thread has done so
        sys.exit(130)


@contextlib.contextmanager
def reader_may_leave() -> Iterator[None]:
    """Wraps a command that prints much: nothing is said if the reader of its output, such as `head`, ends first."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Progress:
    """A progress line. A log file (no terminal) gets a new line every 30 seconds.

    Args:
        total: number of files.
    """

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0
        self.began = self.said = time.monotonic()
        self.is_terminal = sys.stdout.isatty()

    def step(self) -> None:
        """Counts one more file."""
        self.done += 1
        now = time.monotonic()
        if now - self.said > (0.3 if self.is_terminal else 30):
            self.said = now
            left = (self.total - self.done) * (now - self.began) / self.done
            text = f"{self.done}/{self.total}  {self.done / (now - self.began):.3g} a second  {left:.0f} s left"
            print(f"\r{text[: shutil.get_terminal_size().columns - 1]:<50}" if self.is_terminal else text, end="")
            print("" if self.is_terminal else "\n", end="", flush=True)

    def say(self, text: str) -> None:
        """Prints a line on standard error."""
        self.close()
        print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Clears the line."""
        if self.is_terminal:
            print("\r" + " " * 50 + "\r", end="", flush=True)
