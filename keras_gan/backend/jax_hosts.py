"""Several hosts on JAX: they meet at an address, and each notices if another one falls silent.

Where hosts do not meet, or one is lost, JAX itself ends the process after minutes, with a stack trace.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
from jax._src import distributed  # a private interface: the values that hosts share

from keras_gan import console
from keras_gan.backend import jax_first_host
from keras_gan.errors import BadValueError

MEETING = 300.0  # seconds to wait for the other hosts: queues may start them minutes apart
BEAT = 3.0  # seconds between two signs of life
SILENCE = 40.0  # seconds without one after which a host is lost; compiling does not hold up the thread that gives them
FOLDER = "keras_gan/alive/"


def join() -> None:
    """Connects to the other hosts if the environment defines several.

    Raises:
        BadValueError: if the definition is incomplete, or no host answers at the address.
    """
    address = os.environ.get("JAX_COORDINATOR_ADDRESS")
    if not address or jax.distributed.is_initialized():
        return
    numbers = {name: os.environ.get(name, "") for name in ("JAX_NUM_PROCESSES", "JAX_PROCESS_ID")}
    for name, value in numbers.items():
        if not value.isdigit():
            raise BadValueError(f"JAX_COORDINATOR_ADDRESS is set, so {name} must be a number, not {value!r}.")
    count, number = (int(value) for value in numbers.values())
    if number >= count:
        raise BadValueError(f"JAX_PROCESS_ID must be 0 to {count - 1}, below JAX_NUM_PROCESSES, not {number}.")
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise BadValueError(f"JAX_COORDINATOR_ADDRESS must be HOST:PORT of the first host, not {address!r}.")
    if number:
        wait_for(host.strip("[]"), int(port))
        place = jax_first_host.way_to(host.strip("[]"), int(port))
    else:
        check_free(int(port))
        place = address
    with ended_if_alone(address, count):
        jax.distributed.initialize(place, count, number, initialization_timeout=int(MEETING) + 60)


def wait_for(host: str, port: int) -> None:
    """Waits until the first host answers. Raises BadValueError after `MEETING` seconds."""
    end, why = time.monotonic() + MEETING, ""
    while time.monotonic() < end:
        try:
            socket.create_connection((host, port), timeout=5).close()
            return
        except OSError as error:
            why = error.strerror or str(error)
            time.sleep(0.5)
    raise BadValueError(
        f"no host answers at JAX_COORDINATOR_ADDRESS={host}:{port} within {MEETING:.0f} s ({why}): start the one with "
        "JAX_PROCESS_ID=0 there, too."
    )


def check_free(port: int) -> None:
    """Raises BadValueError if this, the first host, cannot answer at a port: another program does."""
    family = socket.AF_INET6 if socket.has_ipv6 else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("", port))
    except OSError as error:
        raise BadValueError(
            f"the port {port} of JAX_COORDINATOR_ADDRESS cannot be used here ({error.strerror}): name another one on "
            "all hosts."
        ) from error


@contextlib.contextmanager
def ended_if_alone(address: str, count: int) -> Iterator[None]:
    """Ends the process with one line if this takes longer than `MEETING` seconds; JAX would abort it later."""
    met = threading.Event()

    def watch() -> None:
        if not met.wait(MEETING):
            console.fail(
                f"not all of the {count} hosts of JAX_NUM_PROCESSES came to {address} within {MEETING:.0f} s: start "
                "all, with JAX_PROCESS_ID=0 and up."
            )
            os._exit(2)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        met.set()


@contextlib.contextmanager
def watched(on_lost: Callable[[], None]) -> Iterator[None]:
    """Within it, a thread calls `on_lost` if another host gives no sign of life for `SILENCE` seconds.

    The main thread cannot: it waits for that host in a step. All hosts must enter at about the same time. One that
    leaves without an error is missed no longer.
    """
    client: Any = distributed.global_state.client
    me = str(jax.process_index())
    others = [str(number) for number in range(jax.process_count()) if str(number) != me]
    heard = dict.fromkeys(others, time.monotonic())
    left = threading.Event()

    def beat() -> None:  # this waits for ever if the first host, which keeps the values, is lost
        values: dict[str, str] = {}
        number = 0
        while not left.wait(BEAT):
            number += 1
            with contextlib.suppress(Exception):  # JAX' own, of many kinds: then nobody was heard
                client.key_value_set(f"{FOLDER}{me}", str(number), allow_overwrite=True)
                for name, value in client.key_value_dir_get(FOLDER):
                    other = name.rpartition("/")[2]
                    if values.get(other) != value and other in heard:
                        values[other], heard[other] = value, time.monotonic()
                    if value == "left":
                        heard.pop(other, None)

    def watch() -> None:
        while not left.wait(BEAT / 3):
            if any(time.monotonic() - last > SILENCE for last in list(heard.values())):
                return on_lost()

    for task in (beat, watch):
        threading.Thread(target=task, daemon=True).start()
    try:
        with jax_first_host.ended_by(on_lost):
            yield
    finally:
        left.set()
    client.key_value_set(f"{FOLDER}{me}", "left", allow_overwrite=True)
