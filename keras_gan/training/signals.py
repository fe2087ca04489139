"""Deferred Ctrl-C and SIGTERM: answered at once, but the current step finishes first."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

from keras_gan.machine.interrupts import heard, is_command

PATIENCE = 2.0  # seconds from the second signal to the end of a command whose step does not end


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM in training. The message says what was saved and how to resume.

    Uncaught, it shows as this message, without a traceback.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + number

    def _render_traceback_(self) -> list[str]:
        """Called by IPython, so by notebooks."""
        return [str(self)]


@contextlib.contextmanager
def deferred_signals() -> Iterator[list[int]]:
    """Yields a list that collects SIGINT and SIGTERM instead of stopping at once.

    The first signal is answered at once, a second one stops without saving: in Python by `Interrupted` as soon as the
    current operation ends, a command after `PATIENCE` at the latest.
    """
    received: list[int] = []
    before = {}
    answered = threading.Event()

    def receive(number: int, frame: FrameType | None) -> None:
        if received:
            raise Interrupted("Stopped without saving.", number)
        received.append(number)

    def hear(number: int) -> None:
        if not answered.is_set():
            answered.set()
            again = "; press again to end without saving" if number == signal.SIGINT else ""
            say(f"Finishing this step and saving{again}.")
        elif is_command() and not ended.wait(PATIENCE):
            say("Stopped without saving.")
            os._exit(128 + number)

    ended = threading.Event()
    with contextlib.suppress(ValueError):  # only the main thread can handle signals
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, receive)
    show_in_one_line()
    try:
        with heard(hear):
            yield received
    finally:
        ended.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def say(text: str) -> None:
    """Prints a line of its own on standard error, also below a line of progress."""
    print(f"\n{text}", file=sys.stderr, flush=True)


def show_in_one_line() -> None:
    """Makes Python print an uncaught `Interrupted` as its message."""
    hook = sys.excepthook
    if getattr(hook, "shows_interrupted", False):
        return

    def show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> Any:
        if isinstance(error, Interrupted):
            say(str(error))
        else:
            hook(kind, error, traceback)

    show.shows_interrupted = True  # type: ignore[attr-defined]
    sys.excepthook = show
