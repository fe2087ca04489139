"""Measures what is gained if freed memory stays with the process: seconds per step of `fit()` and `train_on_batch`.

    python benchmarks/fit.py                          four networks, about ten minutes
    python benchmarks/fit.py pix2pix --rounds 3

Batches are ready, so only the steps are measured. Each figure comes from a separate process; the processes take turns.
For the baseline, a malloc setting in the environment (one without effect) tells keras_gan to leave the C library alone.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

UNTOUCHED = {"MALLOC_PERTURB_": "0"}
SETTINGS = {  # class, height and width, arguments, batch
    "discogan": ("DiscoGAN", 128, {}, 1),
    "discogan-small": ("DiscoGAN", 64, {"gf": 32, "df": 32}, 4),
    "cyclegan-unet": ("CycleGAN", 32, {}, 32),
    "pix2pix": ("Pix2Pix", 256, {}, 1),
}
TINY = 32, {"gf": 4, "df": 4}, 2  # size, arguments, batch


def measure(setting, call, steps, tiny):
    """Returns (median seconds per step, new pages per step, peak memory in GB). A third is warm-up."""
    import keras_gan

    import keras

    kind, *numbers = SETTINGS[setting]
    size, arguments, batch = TINY if tiny else numbers
    gan = getattr(keras_gan, kind)((size, size, 3), dataset_name="drawn_shoes", seed=0, **arguments)
    rng = np.random.default_rng(0)
    A, B = (rng.uniform(-1, 1, (batch, size, size, 3)).astype("float32") for _ in range(2))
    ends, pages = [], []

    def note(batch=None, logs=None):
        ends.append(time.perf_counter())
        pages.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)

    class Ready(keras.utils.PyDataset):
        def __len__(self):
            return steps

        def __getitem__(self, index):
            return A.copy(), B.copy()

    if call == "fit":
        noting = keras.callbacks.LambdaCallback(on_train_batch_end=note)
        gan.fit(Ready(workers=2), verbose=0, shuffle=False, callbacks=[noting])
    else:
        for _ in range(steps):
            gan.train_on_batch(A, B)
            note()
    first = steps // 3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return float(np.median(np.diff(ends)[first:])), (pages[-1] - pages[first]) / (steps - 1 - first), peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("settings", nargs="*", metavar="SETTING", help=", ".join(SETTINGS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--tiny", action="store_true", help="small pictures and networks, as a quick check")
    parser.add_argument("--one", choices=["fit", "train_on_batch"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.settings[0], args.one, args.steps, args.tiny)))
        return
    print("| | | freed memory | seconds | new pages | peak memory |\n|---|---|---|---|---|---|")
    for setting in args.settings or SETTINGS:
        seconds = {}
        for _ in range(args.rounds):
            for call in ("fit", "train_on_batch"):
                for kept, environment in (("kept", {}), ("glibc's default", UNTOUCHED)):
                    command = [sys.executable, __file__, setting, "--one", call, "--steps", str(args.steps)]
                    command += ["--tiny"] if args.tiny else []
                    done = subprocess.run(command, env=os.environ | environment, stdout=subprocess.PIPE, check=True)
                    seconds.setdefault((call, kept), []).append(json.loads(done.stdout.splitlines()[-1]))
        for (call, kept), found in seconds.items():
            took, pages, peak = np.median(found, axis=0)
            print(f"| {setting} | {call} | {kept} | {took:.3f} | {pages:,.0f} | {peak:.2f} GB |", flush=True)


if __name__ == "__main__":
    main()
