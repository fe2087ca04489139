"""Ctrl-C and SIGTERM, noted until the step under way is done."""

import contextlib
import signal


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or a request of the system to end: the run is kept, the message says how to go on."""

    def __init__(self, message, number):
        super().__init__(message)
        self.exit_code = 128 + number


@contextlib.contextmanager
def signals_noted():
    """Gives a list that Ctrl-C and SIGTERM are added to, so that the step under way can end; a second one ends all."""
    noted, before = [], {}

    def note(number, frame):
        if noted:
            raise KeyboardInterrupt
        noted.append(number)

    with contextlib.suppress(ValueError):  # not the main thread: signals are not for it
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, note)
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
