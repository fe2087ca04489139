"""Trains one model in several processes on this machine, as on several hosts (JAX).

    python -m keras_gan.launch --processes 2 -- discogan --batch-size 4
    python -m keras_gan.launch --processes 2 --cpu-devices 2 -- discogan --batch-size 8
    python -m keras_gan.launch --processes 1 -- discogan --resume RUN        on fewer, the batch size stays

Every process runs the same command on its share of each batch. What the first one says is passed on. If a process
ends with an error or is killed, all are stopped, and one line says so. Ctrl-C lets the first one save a checkpoint.
One process can use all devices of a machine by itself: add --devices all to its command instead.
"""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from keras_gan import console
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.machine import installation

GRACE = 30.0  # seconds from the error of one process to the end of the others, which may have the same to say
SAVING = 120.0  # seconds from Ctrl-C to the end of a process that finishes its step and saves
PAUSE = 0.05  # seconds between two looks at the processes


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command. Exits with the code of the first process, or 2 with one line on standard error."""
    args = parser().parse_args(argv)
    with console.one_line_errors():
        check_at_least(1, processes=args.processes)
        if args.cpu_devices is not None:
            check_at_least(1, cpu_devices=args.cpu_devices)
        command = command_of(args.command)
        if not installation.is_there("jax"):
            raise BadValueError(f"training in several processes needs JAX: {installation.how_to_get('jax')}")
        processes = Processes(command, places(args.processes, args.cpu_devices))
    with processes.stopped_by_signals():
        sys.exit(processes.watch())


def parser() -> console.Parser:
    """The parser of this command."""
    made = console.Parser.of(
        "keras_gan.launch", __doc__, usage="%(prog)s --processes N [options] -- MODEL [its options]"
    )
    made.add_argument("--processes", type=int, required=True, metavar="N", help="number of processes")
    text = "make the CPU N devices in each process; without it, each takes one GPU, or the CPU if there is none"
    made.add_argument("--cpu-devices", type=int, metavar="N", help=text)
    made.add_argument("command", nargs=argparse.REMAINDER, help="-- and the name of a model, with its options")
    return made


def command_of(words: Sequence[str]) -> list[str]:
    """The command of one process, from the words behind `--`: the name of a model and its options.

    Raises:
        BadValueError: if they do not begin with a model.
    """
    words = words[1:] if words[:1] == ["--"] else words
    name, options = (words[0].removeprefix("keras_gan.") if words else ""), words[1:]
    sources = Path(__file__).parent.glob("*.py")
    models = sorted(path.stem for path in sources if "\n    arguments = cli.parse(" in path.read_text(encoding="utf-8"))
    if name not in models:
        raise BadValueError(f"no model {name!r} to launch: write -- and one of {', '.join(models)}.")
    several = [] if any(word.split("=")[0] == "--devices" for word in options) else ["--devices", "all"]
    return [sys.executable, "-m", f"keras_gan.{name}", *options, *several]


def places(count: int, cpu_devices: int | None) -> list[dict[str, str]]:
    """The environment of each of `count` processes: where they meet, and on which devices each computes."""
    shared = os.environ | {
        "KERAS_BACKEND": "jax",
        "JAX_COORDINATOR_ADDRESS": f"localhost:{free_port()}",
        "JAX_NUM_PROCESSES": str(count),
    }
    if cpu_devices is not None:
        flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={cpu_devices}"
        shared |= {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags.strip()}
    elif "CUDA_VISIBLE_DEVICES" not in os.environ and count > 1:
        return [shared | {"JAX_PROCESS_ID": str(i), "JAX_LOCAL_DEVICE_IDS": str(i)} for i in range(count)]
    return [shared | {"JAX_PROCESS_ID": str(i)} for i in range(count)]


def first_failure(codes: Sequence[int | None]) -> tuple[int, int]:
    """(number, exit code) of the process that failed first, by their exit codes.

    One that was killed: the others end because it is gone, with an error of their own or, by JAX, with SIGABRT.
    """
    failed = [(number, code) for number, code in enumerate(codes) if code]
    return min(failed, key=lambda of: (of[1] == -signal.SIGABRT, of[1] > 0, of[0]))


def free_port() -> int:
    """A port of this machine that no program uses."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


class Processes:
    """The processes of one training, the first of which speaks for all.

    Args:
        command: the words of the command that each runs.
        environments: of each process.
    """

    def __init__(self, command: list[str], environments: list[dict[str, str]]) -> None:
        self.command = command
        self.errors = [tempfile.TemporaryFile("w+", errors="replace") for _ in environments[1:]]  # noqa: SIM115
        self.all: list[Any] = []
        for number, environment in enumerate(environments):
            pipes = {"stderr": self.errors[number - 1], "stdout": subprocess.DEVNULL} if number else {}
            options: dict[str, Any] = {"stderr": subprocess.PIPE, "text": True, "errors": "replace"} | pipes
            # A session of its own: Ctrl-C in the terminal reaches this process alone.
            started = subprocess.Popen(command, env=environment, start_new_session=True, **options)
            self.all.append(started)
        self.held: list[str] = []  # errors of the first process, until it is known who died first
        self.stopping: int | None = None  # the signal that stops all
        self.ear = threading.Thread(target=self.pass_on, daemon=True)
        self.ear.start()

    def pass_on(self) -> None:
        """Passes on what the first process says on standard error, but for its errors."""
        for line in self.all[0].stderr:
            if line.startswith("error: "):
                self.held.append(line.strip())
            else:
                print(line, end="", file=sys.stderr, flush=True)

    def watch(self) -> int:
        """Waits until all have ended; returns the exit code."""
        while (codes := self.codes()).count(None) and not any(codes) and self.stopping is None:
            time.sleep(PAUSE)
        if self.stopping is not None:
            return self.stopped()
        if not any(codes):
            return 0
        first, code = first_failure(self.codes())  # once more: the death of another one may be why this one ended
        if code > 0:  # its error may be that of all: the first one says it
            self.wait(GRACE, lambda: self.codes()[0] is not None)
        return self.explain(first, code)

    def codes(self) -> list[int | None]:
        """The exit code of each process, None while it runs."""
        return [process.poll() for process in self.all]

    def wait(self, seconds: float, is_over: Any) -> None:
        """Waits until something is over, or for so many seconds."""
        end = time.monotonic() + seconds
        while not is_over() and time.monotonic() < end:
            time.sleep(PAUSE)

    def explain(self, number: int, code: int) -> int:
        """Stops all after one has failed; says why in one line. Returns the exit code."""
        of_first = self.codes()[0]
        self.kill()
        if code > 0 and self.held and of_first:
            print(self.held[0], file=sys.stderr)
            return of_first
        if code > 0 and number:
            self.errors[number - 1].seek(0)
            said = [line for line in self.errors[number - 1] if line.startswith("error: ")]
            why = said[-1].removeprefix("error: ").strip() if said else f"it ended with code {code}."
            return console.fail(f"process {number} of {len(self.all)} has stopped: {why}")
        if code > 0:  # the first has said all there is to say, such as a traceback
            return code
        again = "" if "--resume" in self.command else "; add --resume to go on from its last checkpoint"
        killed = signal.Signals(-code).name
        return console.fail(f"process {number} of {len(self.all)} was killed ({killed}), so all are stopped{again}.")

    def stopped(self) -> int:
        """Lets the first process save, then stops all. Returns the exit code."""
        self.wait(SAVING, lambda: self.codes()[0] is not None)
        code = self.codes()[0]
        self.kill()
        for line in self.held:
            print(line, file=sys.stderr)
        assert self.stopping
        return code if code and code > 0 else 128 + self.stopping

    def kill(self) -> None:
        """Ends all processes at once."""
        for process in self.all:
            process.kill()
        for process in self.all:
            process.wait()
        self.ear.join(timeout=5)

    @contextlib.contextmanager
    def stopped_by_signals(self) -> Iterator[None]:
        """Within it, Ctrl-C and SIGTERM are handed to the first process, which saves. No process outlives it."""

        def hand_over(number: int, frame: Any) -> None:
            self.stopping = number
            self.all[0].send_signal(number)

        before = {number: signal.signal(number, hand_over) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            self.kill()
            for file in (self.all[0].stderr, *self.errors):
                file.close()
            for number, handler in before.items():
                signal.signal(number, handler)


if __name__ == "__main__":
    main()
