"""Measures how cost grows with pictures, processes and devices.

    python benchmarks/scale.py translate     pictures a second: plain, and on Ray with one and with two workers
    python benchmarks/scale.py memory        memory of a job on Ray: 10,000 and 100,000 pictures
    KERAS_BACKEND=jax python benchmarks/scale.py devices    training on one and on two simulated devices
    python benchmarks/scale.py model         8 to 1,024 devices on paper, from measured times and bytes

Translating is timed twice, with few and with many pictures: the rate is that of the pictures in between, so that the
start of processes, of half a minute, does not count. `translate` and `memory` need the extra `cluster`. `python
benchmarks/shards.py` measures training from shards.
"""

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image

PER_SHARD = 1000

# Translating


def save_generator(folder, side, filters):
    """Saves an untrained Pix2Pix generator: time and memory do not depend on the weights."""
    from keras_gan import Pix2Pix

    path = folder / "generator.keras"
    Pix2Pix((side, side, 3), gf=filters, df=4, dataset_name="drawn_shoes", seed=0).generator.save(path)
    return path


def save_shards(folder, count, side):
    """Saves tar shards of pictures of a few kinds, and returns the pattern that names them."""
    rng = np.random.default_rng(0)
    contents = []
    for _ in range(20):
        small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), "uint8"))
        file = io.BytesIO()
        small.resize((side, side)).save(file, "JPEG", quality=90)
        contents.append(file.getvalue())
    shards = -(-count // PER_SHARD)
    folder.mkdir()
    for shard in range(shards):
        with tarfile.open(folder / f"{shard:05}.tar", "w") as archive:
            for number in range(shard * PER_SHARD, min(count, (shard + 1) * PER_SHARD)):
                info = tarfile.TarInfo(f"{number:07}.jpg")
                info.size = len(contents[number % 20])
                archive.addfile(info, io.BytesIO(contents[number % 20]))
    return f"{folder}/{{00000..{shards - 1:05}}}.tar"


def unpack(pattern, folder):
    for shard in sorted(Path(pattern).parent.glob("*.tar")):
        with tarfile.open(shard) as archive:
            archive.extractall(folder, filter="data")
    return folder


def run(words):
    """Runs the command.

    Returns:
        (seconds, the largest memory of all its processes in MB, the largest without what processes share, such as the
        pages of Ray's store of objects).
    """
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    began = time.perf_counter()
    command = [sys.executable, "-m", "keras_gan.translate", *map(str, words)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    sizes, ended = [(0.0, 0.0)], threading.Event()

    def watch():
        while not ended.wait(1):
            whole, shared = map(sum, zip(*map(memory_of, family(process.pid)), strict=True))
            sizes.append((whole / 1e6, (whole - shared) / 1e6))

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = process.wait()
    ended.set()
    watcher.join()
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {status}.")
    return time.perf_counter() - began, *map(max, zip(*sizes, strict=True))


def family(pid):
    """A process and all that it started, by their numbers."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
    found, before = {pid}, 0
    while len(found) > before:
        before = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found


def memory_of(pid):
    """(bytes of memory of a process, of these shared memory). What several use is divided among them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        lines = []
    told = {line.split()[0]: 1024 * int(line.split()[1]) for line in lines}
    return told.get("Pss:", 0), told.get("Pss_Shmem:", 0)


def translate(folder, count, rounds):
    """Prints the rates of `translate`, and on Ray with one and with two workers, in turns."""
    generator = save_generator(folder, 64, 32)
    few = count // 5
    inputs = {number: save_shards(folder / f"shards-{number}", number, 64) for number in (few, count)}
    folders = {number: unpack(pattern, folder / f"files-{number}") for number, pattern in inputs.items()}
    ways = {
        "translate": (folders, []),
        "Ray, 1 worker": (inputs, ["--engine", "ray", "--workers", 1, "--as", "files"]),
        "Ray, 2 workers": (inputs, ["--engine", "ray", "--workers", 2, "--as", "files"]),
    }
    rates = {way: [] for way in ways}
    for turn in range(rounds):
        for way, (places, options) in ways.items():
            words = [generator, "--size", 64]
            took = {
                number: run([*words, places[number], "--output", folder / f"out-{way}-{turn}-{number}", *options])[0]
                for number in (few, count)
            }
            rates[way].append((count - few) / (took[count] - took[few]))
            print(f"{way}: {few} pictures {took[few]:.1f} s, {count} {took[count]:.1f} s", flush=True)
    medians = {way: float(np.median(found)) for way, found in rates.items()}
    plain, one = medians["translate"], medians["Ray, 1 worker"]
    print("\n| | pictures a second | of translate | of one worker |\n|---|---|---|---|")
    for way, rate in medians.items():
        print(f"| {way} | {rate:.0f} | {rate / plain:.2f} | {rate / one:.2f} |")


def members(path):
    with tarfile.open(path) as archive:
        return len(archive.getnames())


def memory(folder, counts):
    """Prints the largest memory of a job on Ray for each number of pictures. The network is tiny."""
    generator = save_generator(folder, 32, 4)
    print("| pictures | seconds | memory of all processes | without shared memory |\n|---|---|---|---|")
    for count in counts:
        shards = save_shards(folder / f"shards-{count}", count, 32)
        output = folder / f"out-{count}"
        words = [generator, shards, "--size", 32, "--engine", "ray", "--as", "tar", "--output", output]
        seconds, peak, own = run(words)
        made = sum(map(members, output.glob("*.tar")))
        print(f"| {made:,} of {count:,} | {seconds:.0f} | {peak:.0f} MB | {own:.0f} MB |", flush=True)


# Training

#: DiscoGAN at 128x128 with 64 filters on one H100: seconds a step by batch size, and bytes of gradients in float32
STEPS, GRADIENTS = {1: 8.3e-3, 16: 13.9e-3}, 379e6
WITHIN = 300e9  # bytes a second that a device sends to others in its machine (NVLink)
HOP = 10e-6  # seconds that a message takes at least
MACHINE = 8  # devices
#: Share of a step in which gradients can be exchanged while others are computed: most of the two passes backward. The
#: first gradients come at their beginning, and the generators wait for the discriminators' last.
OVERLAP = 0.5


def exchange(devices, count, link):
    """Seconds to sum so many bytes over the devices: within machines, between them at `link`, and within them again."""
    inside = min(devices, MACHINE)
    machines = devices // inside
    within = 2 * (inside - 1) / inside * count / WITHIN + 2 * (inside - 1) * HOP
    across = 2 * (machines - 1) / machines * count / inside / link + 2 * np.log2(machines) * HOP
    return within + across


def model(link):
    """Prints the share of the perfect speed on paper: what a device computes of what it would compute alone."""
    print("| devices | a device's batch | exchange, float32 | float32 | with overlap | bfloat16 gradients | both |")
    print("|---" * 7 + "|")
    for devices in (8, 16, 64, 256, 1024):
        for batch, step in STEPS.items():
            whole, half = exchange(devices, GRADIENTS, link), exchange(devices, GRADIENTS / 2, link)
            waits = [whole, max(0, whole - OVERLAP * step), half, max(0, half - OVERLAP * step)]
            shares = " | ".join(f"{step / (step + wait):.0%}" for wait in waits)
            print(f"| {devices:,} | {batch} | {1e3 * whole:.1f} ms | {shares} |")


def devices(rounds):
    """Prints the times of a step of DiscoGAN on one device, and on two: by the clock, and of the processor."""
    import devices as module

    title, (build, _) = next(iter(module.models(tiny=False).items()))
    print("| | batch | gradients | one device | processor | two devices | processor |\n" + "|---" * 7 + "|")
    for size in (2, 16):
        exchanged, *seconds = module.measure(build, size, rounds)
        cells = " | ".join(f"{value:.1f} s" for of_each in seconds for value in of_each)
        print(f"| {title} | {size} | {exchanged / 1e6:.0f} MB | {cells} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("translate", "memory", "devices", "model"))
    parser.add_argument("--count", type=int, nargs="+", help="pictures; default: 10,000; memory: 10,000 and 100,000")
    parser.add_argument("--link", type=float, default=50, help="GB/s a device between machines; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.what == "translate":
            translate(Path(folder), (given.count or [10_000])[0], given.rounds)
        elif given.what == "memory":
            memory(Path(folder), given.count or [10_000, 100_000])
        elif given.what == "devices":
            devices(given.rounds)
        else:
            model(1e9 * given.link)


if __name__ == "__main__":
    main()
