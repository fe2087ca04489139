"""The connection to the first host. It passes through a thread, so that this process ends in one line if it breaks.

JAX aborts the process with a stack trace as soon as it sees that the first host is gone. So it never sees that.
"""

import contextlib
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

from keras_gan import console
from keras_gan.errors import LostHostError

GRACE = 5.0  # seconds in which the main thread may end by itself: its error may come first, or it may be done
TRYING = 10.0  # seconds to connect to a host that answered before
PIECE = 2**16  # bytes


def end() -> None:
    """Ends the process with one line."""
    console.fail(LostHostError("the first host has stopped: start all of them again."))
    sys.stderr.flush()
    os._exit(2)


on_lost: Callable[[], None] = end


@contextlib.contextmanager
def ended_by(action: Callable[[], None]) -> Iterator[None]:
    """Within it, `action` ends the process if the first host is lost."""
    global on_lost
    before, on_lost = on_lost, action
    try:
        yield
    finally:
        on_lost = before


def way_to(host: str, port: int) -> str:
    """The address in this process, "127.0.0.1:PORT", that leads to the first host at another one."""
    door = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(door, (host, port)), daemon=True).start()
    return f"127.0.0.1:{door.getsockname()[1]}"


def serve(door: socket.socket, first: tuple[str, int]) -> None:
    """Connects those who come to a door to the first host."""
    while True:
        here, _ = door.accept()
        try:
            there = connected(first)
        except OSError:
            with door, here:
                return lost(threading.Event())
        for end_of in (here, there):
            end_of.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        is_over = threading.Event()
        for task in (forth, back):
            threading.Thread(target=task, args=(here, there, is_over), daemon=True).start()


def connected(first: tuple[str, int]) -> socket.socket:
    """A connection to the first host. Raises OSError if it does not answer for `TRYING` seconds."""
    last = time.monotonic() + TRYING
    while True:
        try:
            found = socket.create_connection(first, timeout=TRYING)
            found.settimeout(None)
            return found
        except OSError:
            if time.monotonic() > last:
                raise
            time.sleep(0.5)


def forth(here: socket.socket, there: socket.socket, is_over: threading.Event) -> None:
    """Passes on what JAX says, until it closes the connection."""
    while piece := received(here):
        with contextlib.suppress(OSError):  # `back` notices that the first host is gone
            there.sendall(piece)
    is_over.set()
    with contextlib.suppress(OSError):
        there.shutdown(socket.SHUT_RDWR)


def back(here: socket.socket, there: socket.socket, is_over: threading.Event) -> None:
    """Passes on what the first host says, until it is gone or JAX has closed the connection."""
    while piece := received(there):
        with contextlib.suppress(OSError):  # `forth` notices that JAX has closed it
            here.sendall(piece)
    lost(is_over)
    for end_of in (here, there):
        end_of.close()


def received(source: socket.socket) -> bytes:
    """What comes next; nothing at the end, or if the connection is broken."""
    try:
        return source.recv(PIECE)
    except OSError:
        return b""


def lost(is_over: threading.Event) -> None:
    """Ends the process, unless the connection is over because JAX has closed it."""
    if not is_over.wait(GRACE):
        on_lost()
