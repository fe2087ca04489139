"""Measures whether memory grows during a run: the resident size over 5,000 steps, with a sample every 50.

    python benchmarks/memory.py

The DiscoGAN is tiny, so most of the work happens around its steps.
"""

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_gan import DiscoGAN
from keras_gan.adversarial.model import AdversarialModel

import keras


def resident():
    """Returns the resident size of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Watch(keras.callbacks.Callback):
    """Records the resident size every 500 steps and at the end."""

    def __init__(self):
        super().__init__()
        self.sizes = {}

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % 500 == 0:
            self.sizes[batch + 1] = resident()
            print(f"step {batch + 1}: {self.sizes[batch + 1]:.1f} MB", flush=True)

    def on_train_end(self, logs=None):
        self.sizes["end"] = resident()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5000)
    args = parser.parse_args()
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        gan = DiscoGAN((32, 32, 3), 4, 4, dataset_name="drawn_shoes", seed=0, output=f"{folder}/run")
        options = {"epochs": 1, "batch_size": 1, "sample_interval": 50, "steps_per_epoch": args.steps}
        AdversarialModel.train(gan, **options, quiet=True, callbacks=[watch])
    growth = watch.sizes["end"] / watch.sizes[500] - 1
    print(f"after step 500: {watch.sizes[500]:.1f} MB, at the end: {watch.sizes['end']:.1f} MB ({growth:+.2%})")


if __name__ == "__main__":
    main()
