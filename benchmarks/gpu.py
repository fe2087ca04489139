"""Compares keras_gan on JAX with PyTorch on a GPU, then trains on real pictures.

    python benchmarks/gpu.py                                       every setting, some 15 minutes
    python benchmarks/gpu.py --settings discogan-1 discogan-16     some settings
    python benchmarks/gpu.py --settings --train edges2shoes        two minutes of training alone
    python benchmarks/gpu.py --save                                writes the table into benchmarks/README.md

Each contestant is a process. The contestants of a setting are built one after another, since tuning beside each other
would measure noise; then they take turns. `bare` is the compiled step alone, on arrays on the device; `train()` and
`train_on_batch` are what a user gets. PyTorch's programs wait for their losses in each iteration, as their users do.
"""

import argparse
import contextlib
import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import host

HERE = Path(__file__).resolve().parent
SETTINGS = {
    "discogan-1": {"model": "discogan", "size": 128, "channels": [3, 3], "filters": 64, "batch": 1},
    "discogan-16": {"model": "discogan", "size": 128, "channels": [3, 3], "filters": 64, "batch": 16},
    "discogan-64": {"model": "discogan", "size": 128, "channels": [3, 3], "filters": 64, "batch": 64},
    "cyclegan-1": {"model": "cyclegan-resnet", "size": 256, "channels": [3, 3], "blocks": 9, "batch": 1},
    "cyclegan-8": {"model": "cyclegan-resnet", "size": 256, "channels": [3, 3], "blocks": 9, "batch": 8},
    "pix2pix-1": {"model": "pix2pix", "size": 256, "channels": [3, 3], "filters": 64, "batch": 1},
}
TITLES = {"discogan": "DiscoGAN 128x128", "cyclegan": "CycleGAN ResNet-9 256x256", "pix2pix": "Pix2Pix 256x256"}
CONTESTANTS = {  # program, and what the setting gets besides
    "keras_gan": ("gpu_ours.py", {"dtype": "float32"}),
    "keras_gan, bfloat16": ("gpu_ours.py", {"dtype": "bfloat16"}),
    "PyTorch": ("gpu_pytorch.py", {"dtype": "float32"}),
    "PyTorch, channels last, bfloat16": ("gpu_pytorch.py", {"dtype": "bfloat16", "channels_last": True}),
    "PyTorch, torch.compile": ("gpu_pytorch.py", {"dtype": "float32", "compile": True}),
}
MEASURES = ("bare", "train()", "train_on_batch", "step")


class Worker:
    """The process of a contestant. Building it takes `seconds`, up to the end of its first iteration."""

    def __init__(self, name, setting, errors):
        program, more = CONTESTANTS[name]
        command = [sys.executable, HERE / "contestants" / program, json.dumps(setting | more)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors, "text": True}
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])}
        began = time.monotonic()
        self.process = subprocess.Popen(command, env=environment, **pipes)
        self.first = self.hear()
        self.seconds = time.monotonic() - began

    def ask(self, n):
        self.process.stdin.write(f"{n}\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self):
        return json.loads(self.process.stdout.readline() or "null")

    def end(self):
        self.process.kill()
        self.process.communicate()  # closes the pipes


def race(setting, names, rounds, iterations):
    """Returns {contestant: figures}: medians of milliseconds, peak memory, and seconds to the first iteration."""
    workers, found = {}, {}
    with contextlib.ExitStack() as stack:
        for name in names:
            errors = stack.enter_context(tempfile.TemporaryFile("w+"))
            workers[name] = worker = Worker(name, setting, errors)
            stack.callback(worker.end)
            if worker.first is None:
                errors.seek(0)
                print(f"{name} failed: {errors.read()[-800:]}", file=sys.stderr, flush=True)
                del workers[name]
                continue
            worker.ask(5)  # built to the end, before the next one begins
            found[name] = []
        for turn in range(rounds):
            for name in random.Random(turn).sample(list(workers), len(workers)):
                found[name].append(workers[name].ask(iterations))
    return {
        name: {key: statistics.median(answer[key] for answer in answers) for key in answers[0]}
        | {"seconds": workers[name].seconds, "versions": workers[name].first["versions"]}
        for name, answers in found.items()
    }


def table(results):
    """Returns a Markdown table of all settings."""
    lines = [
        "| ms per iteration | bare step | train() | train_on_batch | peak memory | seconds to the first iteration |",
        "|---|---|---|---|---|---|",
    ]
    for key, found in results["settings"].items():
        model, batch = key.split("-")
        lines.append(f"| **{TITLES[model]}, batch {batch}** | | | | | |")
        for name, of in found.items():
            cells = [f"{of[measure]:.1f}" if measure in of else "" for measure in MEASURES[:3]]
            if "step" in of:
                cells[2] = f"{of['step']:.1f}"
            lines.append(f"| {name} | {' | '.join(cells)} | {of['memory'] / 1e9:.2f} GB | {of['seconds']:.0f} |")
    versions = {of["versions"] for found in results["settings"].values() for of in found.values()}
    return "\n".join([*lines, "", f"{results['card']}; {'; '.join(sorted(versions))}.", ""])


def card():
    """Returns the name of the GPU."""
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    return subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def train(dataset, minutes, output):
    """Trains DiscoGAN at 128x128, batch 16, for some minutes. Prints held-out L1 against time; keeps the run."""
    code = f"""
import time
from keras_gan import DiscoGAN
import keras
class StopAfter(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.until = time.monotonic() + {minutes * 60}
    def on_train_batch_begin(self, batch, logs=None):
        if time.monotonic() > self.until:
            self.model.stop_training = True
gan = DiscoGAN((128, 128, 3), dataset_name={str(dataset)!r}, seed=0, output={str(output)!r})
gan.train(epochs=10**4, batch_size=16, sample_interval=100, callbacks=[StopAfter()])
"""
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"KERAS_BACKEND": "jax"}, check=True)
    rows = read(output, "history.csv")
    seconds = {int(row["iteration"]): float(row["seconds"]) for row in rows}
    print("| iteration | seconds | held-out L1 |\n|---|---|---|")
    for row in read(output, "held_out.csv"):
        after = [second for iteration, second in seconds.items() if iteration >= int(row["iteration"])]
        figures = {name: figure for name, figure in row.items() if name.startswith("L1")}
        print(f"| {row['iteration']} | {after[0] if after else 0:.0f} | {figures} |")


def read(run, name):
    """Returns the rows of a table of a run."""
    with open(Path(run) / name) as file:
        return list(csv.DictReader(file))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", nargs="*", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=60)
    parser.add_argument("--train", metavar="DATASET", help="also train on this data set of pairs")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--output", default="runs/gpu", help="folder of that run")
    parser.add_argument("--save", action="store_true", help="write the table into benchmarks/README.md")
    args = parser.parse_args()
    results = {"card": card(), "settings": {}}
    for key in args.settings:
        with tempfile.TemporaryDirectory() as folder:
            setting = SETTINGS[key] | {"pairs": host.make_pairs(folder, SETTINGS[key]["size"])}
            results["settings"][key] = race(setting, args.contestants, args.rounds, args.iterations)
        print(table(results | {"settings": {key: results["settings"][key]}}), flush=True)
    if args.save:
        import report

        report.between_marks(HERE / "README.md", table(results), "gpu")
    if args.train:
        train(args.train, args.minutes, args.output)


if __name__ == "__main__":
    main()
