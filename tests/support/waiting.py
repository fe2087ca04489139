"""Waits for other processes, with a timeout."""

import select
import time

PATIENCE = 60  # seconds


def wait_until(holds, what):
    """Returns when `holds()` is true; fails after a timeout.

    Args:
        holds: a function without arguments.
        what: description of the condition, for the error message.
    """
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"waited {PATIENCE} seconds in vain: {what}"
        time.sleep(0.005)


def line_from(process):
    """The next line of a process' standard output (a text pipe); fails if none comes in time."""
    ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
    assert ready, f"process {process.args} wrote nothing for {PATIENCE} seconds"
    line = process.stdout.readline()
    assert line, f"process {process.args} ended with {process.wait(PATIENCE)} and wrote nothing more"
    return line.rstrip("\n")


def kill(process):
    """Kills a process, and waits for its end."""
    process.kill()
    process.communicate(timeout=PATIENCE)
