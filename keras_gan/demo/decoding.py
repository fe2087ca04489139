"""Decodes uploads in processes that can be killed: a few bytes of a hostile picture can keep Pillow busy for hours.

The processes import no framework. They ignore Ctrl-C, which the server handles.
"""

import contextlib
import math
import multiprocessing
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # on Windows
    resource = None  # type: ignore[assignment]

import numpy as np

from keras_gan.demo import uploads
from keras_gan.errors import BadValueError

PROCESSES = 3  # so that a hostile picture keeps nobody waiting
CPU_SECONDS = 3  # limit of a picture where the system counts them; a photo of 12 megapixels takes 0.2
SECONDS = 8.0  # limit of a picture by the clock
SECONDS_IN_TURN = 1.0  # the same while other pictures wait
MEMORY = 3 * 2**29  # bytes beyond what the process has at its start; WebP takes most: 1.1 GB for `uploads.PIXELS`
PICTURE, REFUSAL = b"P", b"R"  # the first byte of an answer

STATUS = Path("/proc/self/statm")  # its first number: pages of memory


class TooSlowError(Exception):
    """The picture was not decoded within the time limit. `in_turn`: which was short, because others wait."""

    def __init__(self, in_turn: bool) -> None:
        super().__init__("the picture was not decoded in time")
        self.in_turn = in_turn


class Decoder:
    """Decodes with one process for each thread that calls it; a process that takes too long is replaced.

    Args:
        seconds, in_turn: time limits of a picture, without and with others waiting.
    """

    def __init__(self, seconds: float = SECONDS, in_turn: float = SECONDS_IN_TURN) -> None:
        self.seconds, self.in_turn, self.mine = seconds, in_turn, threading.local()

    def __call__(
        self, data: bytes, shape: tuple, fit: str, are_others_waiting: Any = lambda: False, preparation: Any = None
    ) -> np.ndarray:
        """`keras_gan.demo.uploads.decoded(data, shape, fit, preparation)`, in the process of this thread.

        Args:
            are_others_waiting: a function, asked meanwhile.

        Raises:
            BadValueError: as `uploads.decoded`.
            TooSlowError: if it takes too long.
        """
        worker = getattr(self.mine, "worker", None)
        if worker is None or not worker.process.is_alive():
            worker = Worker()
        self.mine.worker = None
        began = time.monotonic()
        try:
            worker.connection.send((data, shape, fit, preparation))
            while not worker.connection.poll(0.05):
                in_turn = are_others_waiting()
                if time.monotonic() - began > (self.in_turn if in_turn else self.seconds):
                    raise TooSlowError(in_turn)
            answer = worker.connection.recv_bytes()
        except (OSError, EOFError):  # it ended: the system stopped it, or a library crashed
            worker.process.join(1)
            if worker.process.exitcode == -getattr(signal, "SIGXCPU", 0):
                raise TooSlowError(in_turn=False) from None
            raise uploads.damaged() from None
        else:
            self.mine.worker, worker = worker, None
        finally:
            if worker is not None:
                worker.stop()
        if answer[:1] == REFUSAL:
            raise BadValueError(answer[1:].decode())
        return np.frombuffer(answer, np.uint8, offset=1).reshape(shape)


class Worker:
    """A process that decodes, and its end of a pipe."""

    def __init__(self) -> None:
        spawning = multiprocessing.get_context("spawn")  # a fork would hold the framework's memory and its locks
        self.connection, there = spawning.Pipe()
        self.process = spawning.Process(target=answer_all, args=(there,), daemon=True)
        with without_ctrl_c():
            self.process.start()
        there.close()
        self.connection.recv_bytes()  # until it is ready: then the time limit of a picture begins

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


@contextlib.contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Blocks Ctrl-C in this thread, and so in processes that it starts, from their first instruction on."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def answer_all(connection: Any) -> None:
    """The work of a process: decodes what comes through the pipe until its other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Windows; elsewhere it is blocked
    warnings.simplefilter("ignore")  # Pillow warns of odd metadata
    limit_memory()
    connection.send_bytes(b"")
    with contextlib.suppress(EOFError, OSError):
        while True:
            request = connection.recv()
            limit_time()
            connection.send_bytes(answer_to(*request))


def answer_to(*request: Any) -> bytes:
    """Plain bytes, not a pickle: hostile data may have taken over the process that sends it."""
    try:
        return PICTURE + uploads.decoded(*request).tobytes()
    except BadValueError as error:
        return REFUSAL + str(error).encode()


def limit_memory() -> None:
    """Limits the memory of this process on Linux."""
    if resource is not None and STATUS.exists():
        limit = int(STATUS.read_text().split()[0]) * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def limit_time() -> None:
    """Limits the further processor time of this process, also if the server is killed meanwhile; not on Windows."""
    if resource is not None:
        most = math.ceil(time.process_time()) + CPU_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the system would save what it stops
