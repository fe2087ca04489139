"""Compares keras_gan with other programs for the same networks (seconds, memory, operations), and times its loader.

    make benchmark                                                  everything but JAX
    make benchmark OPTIONS="--settings backends --rounds 5 --contestants ours jax"      TensorFlow and JAX
    make benchmark OPTIONS="--settings discogan-1 --rounds 20"      one setting
    make benchmark OPTIONS=--save                                   saves the results in both README.md and the plot

Each contestant (benchmarks/contestants/) is a separate process in its own environment. The contestants of a setting
are built one after the other. Then they take turns, one iteration each, in a new random order in every round. While
one runs, the others wait without using a core. Every round also measures matrix products and memory copies.
"""

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import report
from environments import python_of
from machine import describe

HERE = Path(__file__).resolve().parent

# What each contestant gets, besides its precision. The width of CycleGAN's networks is fixed, as in the papers
SETTINGS = {
    "discogan-1": {"model": "discogan", "size": 128, "channels": [3, 3], "filters": 64, "batch": 1},
    "discogan-8": {"model": "discogan", "size": 128, "channels": [3, 3], "filters": 64, "batch": 8},
    "cyclegan-resnet": {"model": "cyclegan-resnet", "size": 256, "channels": [3, 3], "blocks": 9, "batch": 1},
    "cyclegan-unet": {"model": "cyclegan-unet", "size": 32, "channels": [1, 3], "batch": 32},
    "pix2pix": {"model": "pix2pix", "size": 256, "channels": [3, 3], "filters": 64, "batch": 1},
}
TINY = {"size": 32, "filters": 4, "blocks": 6, "batch": 2}

# Seconds before a turn. After their work, PyTorch's threads keep spinning for some milliseconds
REST = 0.03

# {name: (environment, or None for the current one; program; precision)}
CONTESTANTS = {
    "post": ("tf215", "keras_loop.py", "float32"),
    "loop": (None, "keras_loop.py", "float32"),
    "pytorch": ("pytorch", "pytorch.py", "float32"),
    "ours": (None, "ours.py", "float32"),
    "ours-bfloat16": (None, "ours.py", "bfloat16"),
}
# keras_gan on both backends, in a separate run
BACKENDS = {
    "ours": CONTESTANTS["ours"],
    "jax": ("jax", "ours.py", "float32"),
    "ours-bfloat16": CONTESTANTS["ours-bfloat16"],
    "jax-bfloat16": ("jax", "ours.py", "bfloat16"),
}


class Worker:
    """A process that answers each line with one line of JSON."""

    def __init__(self, name, command, **environment):
        self.name, pipe = name, subprocess.PIPE
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed on exit)
        pipes = {"stdin": pipe, "stdout": pipe, "stderr": self.errors, "text": True}
        self.process = subprocess.Popen(command, env=os.environ | environment, **pipes)

    def ask(self):
        time.sleep(REST)
        with contextlib.suppress(BrokenPipeError):  # the process has ended; hear() says why
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        return self.hear()

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise SystemExit(f"error: {self.name} ended early:\n{self.errors.read()[-2000:]}")
        return json.loads(line)

    def end(self):
        """Closes the input; the worker then ends."""
        self.process.stdin.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if exception[0]:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def worker(name, setting):
    """Starts the process of a contestant. Its first answer has its parameters and versions."""
    environment, program, dtype = (CONTESTANTS | BACKENDS)[name]
    command = [HERE / "contestants" / program, json.dumps({**setting, "dtype": dtype})]
    if environment == "jax":  # it uses this checkout, which is not installed there
        paths = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
        return Worker(name, [python_of("jax"), *command], KERAS_BACKEND="jax", PYTHONPATH=paths)
    return Worker(name, [python_of(environment) if environment else sys.executable, *command])


def race(setting, names, rounds, machine):
    """Runs the contestants in a setting. Returns their results and the best rates of the machine, a `Worker`."""
    with contextlib.ExitStack() as stack:
        workers, results, rates = {}, {}, {}
        for name in names:
            say(f"building {name}")
            workers[name] = stack.enter_context(worker(name, setting))
            results[name] = workers[name].hear() | {"seconds": []}
        check_parameters(setting, results)
        for turn in range(rounds):
            say(f"round {turn + 1} of {rounds}")
            for name in random.Random(turn).sample(names, len(names)):
                results[name]["seconds"].append(workers[name].ask())
            for kind, rate in machine.ask().items():
                rates[kind] = max(rate, rates.get(kind, 0))
        for name in names:
            say(f"counting operations of {name}")
            workers[name].end()
            results[name] |= workers[name].hear()
    say("")
    return {"contestants": results, "rates": rates, "machine": describe()}


def say(progress):
    """Writes one line to the terminal; the next one overwrites it."""
    print(f"{progress:50}", end="\r", file=sys.stderr, flush=True)


def check_parameters(setting, results):
    """Checks that all contestants have equal networks. The posts' DiscoGAN has one more norm, on its 1x1 map."""
    counts = {}
    for name, result in results.items():
        for network, count in result["parameters"].items():
            if setting["model"] == "discogan" and name in ("post", "loop") and network.startswith("g_"):
                count -= 2 * 8 * setting["filters"]
            counts.setdefault(network, {})[name] = count
    for network, by_name in counts.items():
        if len(set(by_name.values())) > 1:
            raise SystemExit(f"error: the contestants' {network} differ in their numbers of parameters: {by_name}")


def loader(tiny):
    """Returns the figures of benchmarks/data.py on drawn shoes."""
    few = ["--pictures", "4", "--rounds", "1", "--image-size", "32"] if tiny else []
    done = subprocess.run([sys.executable, HERE / "data.py", "--json", *few], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"error: data.py:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def there_are(names):
    """Returns the contestants whose environment exists, and reports the others."""
    found = []
    for name in names:
        environment = (CONTESTANTS | BACKENDS)[name][0]
        if environment and not python_of(environment):
            print(f"skipping {name}: no environment {environment} (python benchmarks/environments.py creates it)")
        else:
            found.append(name)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    everything = [*SETTINGS, "backends", "data"]
    but_jax = [setting for setting in everything if setting != "backends"]
    parser.add_argument("--settings", nargs="+", choices=everything, default=but_jax)
    everybody = CONTESTANTS | BACKENDS
    parser.add_argument("--contestants", nargs="+", choices=everybody, default=list(everybody))
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--tiny", action="store_true", help="small pictures and networks, as a quick check")
    parser.add_argument("--save", action="store_true", help="save tables and plot in the project's pages")
    args = parser.parse_args()
    if args.tiny and args.save:
        parser.error("--save cannot be combined with --tiny, whose figures mean nothing")

    results = {"settings": {}}
    settings = {
        key: {name: TINY.get(name, value) if args.tiny else value for name, value in setting.items()}
        for key, setting in SETTINGS.items()
    }
    with Worker("machine", [sys.executable, HERE / "machine.py", *(["--tiny"] if args.tiny else [])]) as machine:
        names = there_are([name for name in CONTESTANTS if name in args.contestants])
        for key in (key for key in SETTINGS if key in args.settings):
            results["settings"][key] = race(settings[key], names, args.rounds, machine)
            print(report.table(key, results["settings"][key]), flush=True)
        if "backends" in args.settings:
            names = there_are([name for name in BACKENDS if name in args.contestants])
            results["backends"] = {key: race(setting, names, args.rounds, machine) for key, setting in settings.items()}
            print(report.backends_table(results["backends"]), flush=True)
        machine.end()
    if "data" in args.settings:
        results["data"] = loader(args.tiny)
        print(report.loader_tables(results["data"]))
    if args.save:
        report.save(results)


if __name__ == "__main__":
    main()
