"""The Ray cluster that commands with `--engine ray` run on."""

import argparse
import contextlib
import importlib.util
import logging
import os
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any

from keras_gan import console
from keras_gan.errors import BadValueError, check_at_least

AUTO = "auto"
PACKAGE = "keras_gan"
STORE = 1 << 30  # bytes of memory for pictures between the stages, of a cluster that is started here
TOKEN = "~/.ray/auth_token"  # what Ray makes where it first starts a cluster by itself
SETTINGS = b"\0\0\0\4\0\0\0\0\0"  # a frame without any; its fourth byte tells the kind
HTTP_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS  # how both sides begin, see RFC 9113, section 3.4
MOST_ON_CPU = 4  # workers: more gain nothing, and each fills half a gigabyte
SECONDS = 10  # to wait for a cluster's address to answer


def workers(text: str) -> str | int:
    """Parses --workers: "auto" or a number of processes."""
    if text != AUTO and not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of workers; write auto, or a number from 1")
    return text if text == AUTO else int(text)


def check_installed() -> None:
    """Raises BadValueError, naming the extra to install, if a package is missing."""
    console.check_packages("--engine ray", ("ray", "fsspec", "pyarrow"), "cluster")


@contextlib.contextmanager
def joined() -> Iterator[None]:
    """Joins the cluster at RAY_ADDRESS or of `ray start` on this machine; else starts one, and ends it afterwards.

    Ray's own "auto" would also join a cluster that another command started for itself, and that ends with it.

    Raises:
        BadValueError: if there is none at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its errors come as exceptions
    import ray

    if ray.is_initialized():
        yield
        return
    quiet: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
    if address := os.environ.get("RAY_ADDRESS") or started_here():
        check_address(address)
        take_token()
        try:
            ray.init(address=address, **quiet)
        except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            raise no_cluster(address, error) from error
    else:
        start(quiet)
    try:
        yield
    finally:
        ray.shutdown()


def take_token() -> None:
    """Shows the user's token to the cluster. `ray start` asks for it where there is one, and `ray.init` forgets it."""
    if "RAY_AUTH_MODE" not in os.environ and os.path.exists(os.path.expanduser(TOKEN)):
        from ray._private.authentication.authentication_token_setup import _enable_token_auth  # it has no public name

        _enable_token_auth()


def started_here() -> str | None:
    """The address of the cluster that `ray start` noted on this machine, if it answers: it may have died since."""
    from ray._private.services import find_bootstrap_address  # Ray has no public name for it

    address = find_bootstrap_address(None)
    try:
        check_address(address)
    except BadValueError:
        return None
    return address


def start(options: dict[str, Any]) -> None:
    """Starts a cluster of this machine alone. BadValueError if it does not start."""
    import ray

    try:
        ray.init(address="local", include_dashboard=False, object_store_memory=STORE, **options)
    except Exception as error:  # Ray has no class for it
        why = " ".join(str(error).split())
        raise BadValueError(f"Ray does not start on this machine: {why} Try again, or without --engine ray.") from error


def check_address(address: str | None) -> None:
    """Raises BadValueError if nothing of Ray answers at HOST:PORT: Ray would try for minutes, and write much."""
    host, _, port = (address or "").rpartition("://")[2].rpartition(":")
    if not port.isdecimal():
        return
    try:
        with socket.create_connection((host.strip("[]"), int(port)), SECONDS) as connection:
            check_greeting(connection)
    except (OSError, UnicodeError, OverflowError) as error:  # the last two: of no name of a host, and no port
        raise no_cluster(str(address), error) from error


def check_greeting(connection: socket.socket) -> None:
    """Raises OSError if what answers does not speak HTTP/2, as all servers of Ray but its dashboard do."""
    if os.environ.get("RAY_USE_TLS", "0") not in ("", "0"):
        return  # encrypted
    connection.sendall(HTTP_2)
    if connection.recv(len(SETTINGS))[3:4] != SETTINGS[3:4]:
        raise OSError("what answers is another program, or Ray's dashboard")


def why_ended(error: Exception) -> str:
    """What went wrong in a process of the cluster, in a line: of the many of Ray, the last that names an error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Exit|Interrupt)\b: ", line)]
    return (named or lines or [type(error).__name__])[-1]


def no_cluster(address: str, error: Exception) -> BadValueError:
    """The error to raise if no cluster can be joined at an address: RAY_ADDRESS, or what `ray start` noted."""
    why = " ".join(str(error).split()) or type(error).__name__
    way_out = "start it, or unset RAY_ADDRESS" if os.environ.get("RAY_ADDRESS") else "end it with `ray stop`"
    return BadValueError(f"no Ray cluster at {address}: {why}; {way_out} to use this machine alone.")


def on_each(action: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    """{address of a machine of the cluster: what the action returns there}."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task, asked = ray.remote(action), {}
    for node in ray.nodes():
        if node["Alive"] and node["Resources"].get("CPU"):
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            asked[node["NodeManagerAddress"]] = task.options(num_cpus=0, scheduling_strategy=there).remote(*arguments)
    return {address: ray.get(reference) for address, reference in asked.items()}


def check_machines(package: str = PACKAGE) -> None:
    """Raises BadValueError if a machine of the cluster lacks this package."""
    found = on_each(importlib.util.find_spec, package)
    without = [address for address, spec in found.items() if spec is None]
    if without:
        raise BadValueError(
            f"{len(without)} of {len(found)} machines of the cluster lack the package {package}, such as {without[0]}: "
            "install it there, with the extra cluster."
        )


def shares(workers: Any) -> tuple[float, int, dict[str, Any]]:
    """(share of a CPU for a task beside them, number of workers, what each takes), so that all have room.

    Args:
        workers: how many processes have a network; "auto": one for each GPU, or else for each machine.
    """
    import ray

    there = ray.cluster_resources()
    cpus, gpus = there.get("CPU", 1), int(there.get("GPU", 0))
    machines = len([node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")])
    count = (gpus or machines) if workers == AUTO else workers
    check_at_least(1, workers=count)
    has = f"{gpus} GPUs" if gpus else f"{cpus:.0f} CPUs"
    if count > (gpus or MOST_ON_CPU * cpus):
        raise BadValueError(f"the cluster has {has}: --workers {count} is too many.")
    device = {"num_gpus": 1} if gpus else {"num_cpus": round(min(1, 0.45 * cpus / count), 4)}
    return min(1, cpus / 4), count, device
