"""Ctrl-C, answered at once, also while Python's own handlers wait: a library is loaded, compiles or computes."""

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType


def answer_while_loading() -> None:
    """Makes Ctrl-C end a command while its modules are loaded, before its parser exists. Imports nothing heavy."""
    is_started = sys.argv[:1] == ["-m"] and any(word.partition(".")[0] == "keras_gan" for word in sys.orig_argv)
    if is_started and signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not in the background
        signal.signal(signal.SIGINT, end_command)


def end_command(number: int, frame: FrameType | None) -> None:
    """The handler of Ctrl-C while the modules of a command are loaded."""
    os.write(2, b"\nStopped.\n")
    os._exit(128 + number)


def is_command() -> bool:
    """Whether this process is one of this package's commands, `python -m keras_gan....`, and not a user's program."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec is not None and spec.name.startswith("keras_gan.")


@contextlib.contextmanager
def heard(hear: Callable[[int], None]) -> Iterator[None]:
    """Within it, a thread calls `hear` with the number of each signal that has a handler, as soon as it arrives.

    Python calls the handlers themselves in the main thread, between two instructions of its own: not while a framework
    is loaded, compiles or computes, which may take a minute. Outside of the main thread, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ear, mouth = socket.socketpair()
    mouth.setblocking(False)
    before = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)

    def listen() -> None:
        while number := ear.recv(1):
            hear(number[0])

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        mouth.close()
        thread.join()
        ear.close()


@contextlib.contextmanager
def stopped_at_once() -> Iterator[None]:
    """Within it, Ctrl-C ends a command at once, with code 130: there is nothing to save yet."""
    if not is_command():
        yield
        return
    screen = os.dup(2)  # `silence()` may have taken away 2 itself

    def stop(number: int) -> None:
        if number == signal.SIGINT:
            os.write(screen, b"\nStopped.\n")
            os._exit(130)

    try:
        with heard(stop):
            yield
    finally:
        os.close(screen)


@contextlib.contextmanager
def ended_by_ctrl_c() -> Iterator[None]:
    """Within it, the system itself ends a command at Ctrl-C. Python would first load a library, which takes seconds."""
    is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # as in the background of a script
    if is_ignored or not is_command() or "keras" in sys.modules:
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
