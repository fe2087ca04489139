"""Measures the share of a run's time outside its steps: progress, history, samples, report, saving.

    python benchmarks/overhead.py --minutes 10

Runs a real `train()` of DiscoGAN at 128x128, batch 1, with its defaults, and times each callback.
"""

import argparse
import os
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_gan import DiscoGAN

import keras


class Timed(keras.callbacks.Callback):
    """Wraps a callback and counts the seconds spent in it."""

    EVENTS = ("on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end")
    EVENTS += ("on_train_batch_begin", "on_train_batch_end")

    def __init__(self, callback):
        super().__init__()
        self.callback, self.seconds = callback, 0.0
        for event in self.EVENTS:
            setattr(self, event, self.timed(getattr(callback, event)))

    def timed(self, function):
        def call(*args, **kwargs):
            began = time.perf_counter()
            function(*args, **kwargs)
            self.seconds += time.perf_counter() - began

        return call

    def set_model(self, model):
        super().set_model(model)
        self.callback.set_model(model)

    def set_params(self, params):
        super().set_params(params)
        self.callback.set_params(params)


class StopAfter(keras.callbacks.Callback):
    def __init__(self, seconds):
        super().__init__()
        self.until = time.monotonic() + seconds

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() > self.until:
            self.model.stop_training = True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--filters", type=int, default=64)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        size = (args.image_size, args.image_size, 3)
        gan = DiscoGAN(size, args.filters, args.filters, dataset_name="drawn_shoes", seed=0, output=f"{folder}/run")
        timed = []
        fit = gan.fit

        def fit_timed(*positional, callbacks, **options):
            timed.extend(map(Timed, callbacks.callbacks))
            callbacks.callbacks[:] = [StopAfter(60 * args.minutes), *timed]
            callbacks.set_model(gan)
            return fit(*positional, callbacks=callbacks, **options)

        gan.fit = fit_timed
        began = time.perf_counter()
        gan.train()
        whole = time.perf_counter() - began
    print(f"\n{int(gan.iteration)} iterations in {whole:.0f} s; seconds spent in callbacks:\n")
    print("| callback | s | share |\n|---|---|---|")
    for each in timed:
        print(f"| {type(each.callback).__name__} | {each.seconds:.2f} | {each.seconds / whole:.2%} |")
    spent = sum(each.seconds for each in timed)
    print(f"| all | {spent:.2f} | {spent / whole:.2%} |")


if __name__ == "__main__":
    main()
