"""Waiting for other processes, never for ever."""

import select
import time

PATIENCE = 60  # seconds


def wait_until(holds, what):
    """Returns when this holds; fails if it does not for so long.

    Args:
        holds: a function without arguments.
        what: what is waited for, in words.
    """
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"waited {PATIENCE} seconds in vain: {what}"
        time.sleep(0.005)


def line_from(process):
    """The next line that a process writes to its standard output, a pipe for text; fails if none comes."""
    ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
    assert ready, f"process {process.args} wrote nothing for {PATIENCE} seconds"
    line = process.stdout.readline()
    assert line, f"process {process.args} ended with {process.wait(PATIENCE)} and wrote nothing more"
    return line.rstrip("\n")


def kill(process):
    """Ends a process at once."""
    process.kill()
    process.communicate(timeout=PATIENCE)
