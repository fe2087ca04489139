"""Measures what the host adds to a step: `train()` and `train_on_batch` against the bare compiled step.

    python benchmarks/host.py                     TensorFlow and JAX, tiny DiscoGAN, a minute each
    python benchmarks/host.py --backends jax --rounds 5
    python benchmarks/host.py --start             seconds to the first iteration of DiscoGAN at 128x128

The networks are tiny, so that the host's share shows. The bare step is the compiled step alone, on arrays that are on
the device, without reading the figures. The three take turns in one process. The time of a step of `train()` is the
mean over all but the first tenth, with rows of the history and progress, without the sample grid of the first step. The
pairs are files, decoded once before.

A start is that of a program of its own, from nothing to the end of the first iteration of `train()`. On JAX the first
start finds an empty compilation cache, the second one what the first has left.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

SIZE, FILTERS, BATCH = 32, 4, 2


def make_pairs(folder, size, count=32):
    """Saves pairs drawn by code, so that drawing them is no part of a step. Returns the folder."""
    from keras_gan.images.drawn_shoes import draw_pair

    from PIL import Image

    for split, numbers in {"train": range(count), "test": range(count, count + 8)}.items():
        path = os.path.join(folder, split)
        os.makedirs(path)
        for number in numbers:
            Image.fromarray(draw_pair(0, number, size)).save(os.path.join(path, f"{number}.png"))
    return folder


def bare_step(gan, A, B):
    """Returns a function of n that runs n compiled steps and returns the seconds of each."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        step = jax.jit(gan.train_step, donate_argnums=0)
        state = [[variable.value + 0 for variable in part] for part in step_state(gan)]
        batch = jax.device_put((A, B))

        def run(n):
            nonlocal state
            began = time.perf_counter()
            for _ in range(n):
                logs, state = step(state, batch)
            jax.block_until_ready(logs)
            return (time.perf_counter() - began) / n

    else:
        import tensorflow as tf

        step = tf.function(gan.train_step, autograph=False)
        batch = (tf.constant(A), tf.constant(B))

        def run(n):
            began = time.perf_counter()
            for _ in range(n):
                step(batch)
            return (time.perf_counter() - began) / n

    return run


def on_batch(gan, A, B):
    """Returns a function of n that runs n `train_on_batch` and returns the seconds of each."""

    def run(n):
        began = time.perf_counter()
        for _ in range(n):
            gan.train_on_batch(A, B)
        return (time.perf_counter() - began) / n

    return run


def step_state(gan):
    """The four lists of variables that a step takes on JAX."""
    return (gan.trainable_variables, gan.non_trainable_variables, gan.optimizer.variables, gan.metrics_variables)


def clock():
    """A Keras callback that notes when each step begins. It reads no figures."""
    import keras

    class Clock(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.times = []

        def on_train_batch_begin(self, batch, logs=None):
            self.times.append(time.perf_counter())

    return Clock()


def trained(gan, steps, batch_size):
    """Returns the mean seconds of a step of `train()`."""
    ticks = clock()
    options = {"batch_size": batch_size, "steps_per_epoch": steps, "sample_interval": 10**6, "quiet": True}
    gan.train(epochs=1, callbacks=[ticks], **options)
    gan.run.folder = None  # the next train() opens a new one
    return float(np.mean(np.diff(ticks.times)[steps // 10 :]))


def measure(rounds, steps):
    """Returns the milliseconds of a step: a dict of medians over the rounds."""
    from keras_gan import DiscoGAN

    def build():
        return DiscoGAN((SIZE, SIZE, 3), gf=FILTERS, df=FILTERS, dataset_name=pairs, seed=0)

    pairs = make_pairs("pairs", SIZE)

    rng = np.random.default_rng(0)
    A, B = (rng.uniform(-1, 1, (BATCH, SIZE, SIZE, 3)).astype("float32") for _ in "AB")
    gan, alone = build(), build()
    alone.make_train_function()
    bare = bare_step(alone, A, B)
    loop = on_batch(build(), A, B)

    bare(steps // 10), loop(steps // 10)
    trained(gan, 40, BATCH)
    found = {"bare": [], "train()": [], "train_on_batch": []}
    for _ in range(rounds):
        found["bare"].append(bare(steps))
        found["train()"].append(trained(gan, steps, BATCH))
        found["train_on_batch"].append(loop(steps))
    return {name: statistics.median(seconds) * 1e3 for name, seconds in found.items()}


def first_iteration():
    """Trains DiscoGAN as in the post until its first iteration is done."""
    from keras_gan import DiscoGAN

    import keras

    class Over(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            print(json.dumps(time.time()), flush=True)
            os._exit(0)

    DiscoGAN(dataset_name="pairs", seed=0).train(epochs=1, batch_size=1, callbacks=[Over()], quiet=True)


def starts(backends, rounds):
    """Prints a table of the seconds to the first iteration: medians over the rounds."""
    print("| backend | first start | second start |\n|---|---|---|")
    for backend in backends:
        found = [], []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                make_pairs(os.path.join(folder, "pairs"), 128, count=8)
                environment = os.environ | {"KERAS_BACKEND": backend, "XDG_CACHE_HOME": folder}
                for seconds in found:
                    began = time.time()
                    command = [sys.executable, os.path.abspath(__file__), "--one", "--start"]
                    done = subprocess.run(command, env=environment, cwd=folder, stdout=subprocess.PIPE, check=True)
                    seconds.append(json.loads(done.stdout.splitlines()[-1]) - began)
        print(
            "|", backend, "|", " | ".join(f"{statistics.median(seconds):.1f} s" for seconds in found), "|", flush=True
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", nargs="+", choices=["tensorflow", "jax"], default=["tensorflow", "jax"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--start", action="store_true", help="measure starts instead")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.start:
        return first_iteration() if args.one else starts(args.backends, args.rounds)
    if args.one:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            print(json.dumps(measure(args.rounds, args.steps)))
        return
    print("| backend | bare step | train() | train_on_batch |\n|---|---|---|---|")
    for backend in args.backends:
        command = [sys.executable, os.path.abspath(__file__), "--one", "--rounds", str(args.rounds)]
        command += ["--steps", str(args.steps)]
        environment = os.environ | {"KERAS_BACKEND": backend}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        ms = json.loads(done.stdout.splitlines()[-1])
        cells = [f"{ms['bare']:.1f} ms"]
        others = ("train()", "train_on_batch")
        cells += [f"{ms[name]:.1f} ms ({ms[name] / ms['bare']:.2f})" for name in others]
        print("|", backend, "|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
