"""Measures the cost of training on several devices: bytes exchanged, and the overhead of dividing a step.

    KERAS_BACKEND=jax python benchmarks/devices.py [--tiny]

Each device computes the gradients of its share of a batch. Then all gradients are summed, once for each update. In a
ring of n devices, each device sends 2 (n - 1) / n times the bytes of the gradients. Divided by the speed of the link,
this is the time that a step waits, if the exchange does not overlap with computation. The overhead is measured: the
processor of this machine as two devices and as one, on the same batch, in turns.
"""

import argparse
import os
import time

os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")

from keras_gan import CGAN, DCGAN, CycleGANPaper, DiscoGAN, Pix2Pix, backend

import jax
import keras
import numpy as np

LINK = 1.25e9  # bytes a second: a network of 10 Gbit/s
HOSTS = (2, 8)


def models(tiny):
    """Returns {title: (function that builds the model, batch size for two devices)}."""
    side = 32 if tiny else 128
    size = (side, side, 3)
    filters = {"gf": 4, "df": 4} if tiny else {}
    return {
        f"DiscoGAN {side}x{side}": (lambda: DiscoGAN(size, dataset_name="drawn_shoes", **filters), 2),
        f"CycleGAN, ResNet-6, {side}x{side}": (
            lambda: CycleGANPaper(shape_A=size, shape_B=size, dataset_name="drawn_shoes"),
            2,
        ),
        f"Pix2Pix {side}x{side}": (lambda: Pix2Pix(size, dataset_name="drawn_shoes", **filters), 2),
        "DCGAN 64x64": (lambda: DCGAN(dataset_name="drawn_shoes", **filters), 16),
        "CGAN 28x28": (lambda: CGAN(dataset_name="drawn_digits", **filters), 16),
    }


def batch_of(gan, size):
    """Returns a batch of noise in the shapes of the model's data."""
    batch = next(gan.data_loader.load_batch(1))
    first, *rest = batch if isinstance(batch, tuple) else (batch,)
    rng = np.random.default_rng(0)
    return [rng.uniform(-1, 1, (size, *first.shape[1:])).astype("float32")] + [
        np.zeros(size, "int32") if x.ndim == 1 else rng.uniform(-1, 1, (size, *x.shape[1:])).astype("float32")
        for x in rest
    ]


def gradient_bytes(gan):
    """Returns the bytes of all gradients of a step, in float32."""
    batch = [keras.ops.convert_to_tensor(x) for x in batch_of(gan, 2)]
    fakes = gan.combined.generate(gan.generator_inputs(batch), training=True)
    updates = [part for part, _, _ in gan.discriminator_batches(batch, fakes)] + [gan.combined]
    return 4 * sum(int(np.prod(weight.shape)) for part in updates for weight in part.trainable_variables)


def step_of(gan, size):
    """Compiles a step. Returns a function that runs it and returns its seconds, and those of the processor."""
    batch = batch_of(gan, size)

    def step():
        began = time.perf_counter(), time.process_time()
        jax.block_until_ready(gan.train_on_batch(*batch))
        return time.perf_counter() - began[0], time.process_time() - began[1]

    step()
    return step


def measure(build, size, rounds):
    """Returns (bytes of gradients, median seconds and processor's seconds on one device, the same on two)."""
    one = build()
    exchanged, alone = gradient_bytes(one), step_of(one, size)
    backend.use_devices(2)
    together = step_of(build(), size)
    seconds = [[], []]
    for _ in range(rounds):
        with backend.undivided():
            seconds[0].append(alone())
        seconds[1].append(together())
    keras.distribution.set_distribution(None)
    return exchanged, *(np.median(of_each, axis=0).tolist() for of_each in seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--tiny", action="store_true", help="small pictures and networks, as a quick check")
    args = parser.parse_args()
    efficiencies = " | ".join(f"speed per host, {hosts} hosts, 10 Gbit/s" for hosts in HOSTS)
    print("| | batch | gradients per step | one device | two devices | overhead |", efficiencies, "|")
    print("|---" * (6 + len(HOSTS)) + "|")
    for title, (build, size) in models(args.tiny).items():
        exchanged, (one, _), (two, _) = measure(build, size, args.rounds)
        cells = [title, str(size), f"{exchanged / 1e6:.1f} MB", f"{one:.3f} s", f"{two:.3f} s", f"{two / one - 1:+.0%}"]
        for hosts in HOSTS:
            waits = 2 * (hosts - 1) / hosts * exchanged / LINK
            cells.append(f"{one / (max(one, two) + waits):.0%}")
        print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
