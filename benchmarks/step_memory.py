"""Measures the memory and the time of a step with `accumulate` and `remat`.

    python benchmarks/step_memory.py
    KERAS_BACKEND=jax python benchmarks/step_memory.py --batch-size 16

On TensorFlow: the peak of the resident size of a process in the steps after the first, above its size before it. This
contains the optimizers' slots. On JAX: what XLA allocates for a step besides its arguments and results. Each row is a
new process.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROWS = ((1, False), (2, False), (4, False), (1, True), (4, True))
MODELS = ("discogan", "cyclegan_paper")
KINDS = ("trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables")


def status(name):
    """Returns an entry of this process' status in MB, such as VmHWM, the peak of the resident size."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith(f"{name}:"))


def measure(model, size, batch_size, steps, accumulate, remat):
    """Prints the peak in MB and the median seconds of a step."""
    from keras_gan import CycleGANPaper, DiscoGAN

    import keras
    import numpy as np

    build = {"discogan": DiscoGAN, "cyclegan_paper": CycleGANPaper}[model]
    gan = build((size, size, 3), dataset_name="drawn_shoes", seed=0)
    gan.save_memory(accumulate, remat)
    batch = np.random.default_rng(0).uniform(-1, 1, (2, batch_size, size, size, 3)).astype("float32")
    measured = on_jax if keras.backend.backend() == "jax" else on_tensorflow
    peak, seconds = measured(gan, batch, steps)
    print(f"{peak:.0f} {seconds:.2f}")


def on_tensorflow(gan, batch, steps):
    """Returns the peak in MB and the median seconds of a step."""
    before, seconds = status("VmRSS"), []
    for step in range(1 + steps):
        if step == 1:
            Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        began = time.perf_counter()
        float(gan.train_on_batch(*batch)[0])
        seconds.append(time.perf_counter() - began)
    return status("VmHWM") - before, statistics.median(seconds[1:])


def on_jax(gan, batch, steps):
    """Returns the MB of XLA's buffers and the median seconds of a step."""
    import jax

    gan.make_train_function()
    state = gan._get_jax_state(**{kind: True for kind in KINDS})
    step = jax.jit(gan.train_step).lower(state, tuple(batch)).compile()
    seconds = []
    for _ in range(1 + steps if steps else 0):
        began = time.perf_counter()
        jax.block_until_ready(step(state, tuple(batch)))
        seconds.append(time.perf_counter() - began)
    return step.memory_analysis().temp_size_in_bytes / 1e6, statistics.median(seconds[1:] or [math.nan])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=MODELS, default="discogan")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--steps", type=int, default=2, help="steps after the first; 0 on JAX: it runs none")
    parser.add_argument("--row", nargs=2, type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.row:
        return measure(args.model, args.size, args.batch_size, args.steps, args.row[0], bool(args.row[1]))
    print(f"{args.model}, {args.size}x{args.size}, batch size {args.batch_size}\n")
    print("| accumulate | remat | peak | seconds of a step |\n|---|---|---|---|")
    for accumulate, remat in ROWS:
        command = [sys.executable, __file__, *sys.argv[1:], "--row", str(accumulate), str(int(remat))]
        said = subprocess.run(command, capture_output=True, text=True)
        if said.returncode:
            print(f"| {accumulate} | {'on' if remat else 'off'} | - | {said.stderr.splitlines()[-1][:80]} |")
            continue
        peak, seconds = said.stdout.split()[-2:]
        print(f"| {accumulate} | {'on' if remat else 'off'} | {peak} MB | {seconds} |", flush=True)


if __name__ == "__main__":
    main()
