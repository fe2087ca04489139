"""Measures how well the models colour gray pictures, with and without keeping their lightness (`colour`).

    python benchmarks/learning_colours.py FOLDER --iterations 1000 3000
    python benchmarks/learning_colours.py FOLDER --models cyclegan --colours rgb lab

FOLDER holds pictures in colour, with train and test in it, such as CIFAR-10. A is each picture in gray, 32x32, batch
32.
pix2pix: Pix2Pix with pairs, 32 and 16 filters. cyclegan: CycleGAN without pairs. Prints figures of the coloured test
pictures: L1 (pictures in [0, 1], lower is better), PSNR (dB, higher is better) and saturation (mean distance of the
channels from their gray). The gray pictures themselves are the baseline. Grids of gray, coloured and true pictures go
to --output.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_gan import CycleGAN, Pix2Pix
from keras_gan.data.unpaired import UnpairedDataLoader
from keras_gan.images.grids import save_grid

import keras
import numpy as np
from learning_cyclegan import brightness, predict

SIZE = 32


class AtIterations(keras.callbacks.Callback):
    """Calls `report(iterations)` after each of these iterations, and stops after the last one."""

    def __init__(self, iterations, report):
        super().__init__()
        self.marks, self.report = sorted(iterations), report

    def on_train_batch_end(self, batch, logs=None):
        if self.marks and int(self.model.combined.optimizer.iterations) >= self.marks[0]:
            self.report(self.marks.pop(0))
        self.model.stop_training = not self.marks


def pictures_of(folder):
    """(train, test): gray and coloured pictures (A, B), uint8, paired."""
    loader = UnpairedDataLoader(f"gray2colour:{folder}", shape_A=(SIZE, SIZE, 1), shape_B=(SIZE, SIZE, 3), seed=0)
    tests = [np.concatenate(side) for side in zip(*loader.load_batch(100, is_testing=True), strict=True)]
    colours = np.concatenate([B for _, B in loader.load_batch(100)])
    low, high = loader.value_range
    bits = [np.rint(255 * (side - low) / (high - low)).astype("uint8") for side in (colours, *tests)]
    return (np.rint(brightness(bits[0].astype("float32"))).astype("uint8"), bits[0]), tuple(bits[1:])


def paired(colour, data, args, **options):
    data = {"data": data[0], "test_data": data[1], "augment": False, "seed": args.seed}
    options |= {"learning_rate": args.learning_rate, "l1_weight": args.l1_weight, "norm": args.norm}
    return Pix2Pix((SIZE, SIZE, 3), (SIZE, SIZE, 1), (SIZE, SIZE, 3), colour=colour, gf=32, df=16, **data, **options)


def unpaired(colour, data, args):
    shapes = {"shape_A": (SIZE, SIZE, 1), "shape_B": (SIZE, SIZE, 3)}
    return CycleGAN(**shapes, colour=colour, dataset_name=f"gray2colour:{args.folder}", seed=args.seed)


MODELS = {"pix2pix": paired, "cyclegan": unpaired}


def figures(coloured, true):
    """L1, PSNR and saturation of pictures in [0, 1]."""
    error = coloured - true
    psnr = np.mean(-10 * np.log10(np.mean(error**2, axis=(1, 2, 3)) + 1e-12))
    saturation = np.abs(coloured - brightness(coloured)).mean()
    return f"{np.abs(error).mean():.4f} | {psnr:.2f} | {saturation:.4f}"


def measure(model, colour, data, args):
    gan = MODELS[model](colour, data, args)
    low, high = gan.data_loader.value_range
    gray, true = (side / np.float32(255) for side in data[1])

    def report(iterations):
        network = gan.g_AB if model == "cyclegan" else gan.generator
        coloured = (predict(network, low + (high - low) * gray) - low) / (high - low)
        print(f"| {model}, {colour} | {iterations:,} | {figures(coloured, true)} |", flush=True)
        rows = [[gray[i].repeat(3, -1), coloured[i], true[i]] for i in np.linspace(0, len(gray) - 1, 10).astype(int)]
        path = Path(args.output, f"{model}-{colour}-{iterations}.png")
        save_grid(path, rows, ["Gray", "Coloured", "True"], (0, 1))

    batches = gan.data_loader.batches(args.batch_size)
    gan.fit(batches, epochs=10**6, shuffle=False, verbose=0, callbacks=[AtIterations(args.iterations, report)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--colours", nargs="+", default=["rgb", "lab", "ycbcr"])
    parser.add_argument("--iterations", type=int, nargs="+", default=[1000, 3000])
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=5e-4, help="pix2pix: of Adam")
    parser.add_argument("--l1-weight", type=float, default=100.0, help="pix2pix: of L1 beside the discriminator")
    parser.add_argument("--norm", default="batch", help="pix2pix: instance, batch or none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", default="runs/learning")
    args = parser.parse_args()
    data = pictures_of(args.folder)
    gray, true = (side / np.float32(255) for side in data[1])
    print("| answer | iterations | L1 | PSNR | saturation |\n|---|---|---|---|---|")
    print(f"| the gray picture itself | | {figures(gray.repeat(3, -1), true)} |")
    print(f"| true pictures | | | | {np.abs(true - brightness(true)).mean():.4f} |", flush=True)
    for model in args.models:
        for colour in args.colours:
            measure(model, colour, data, args)


if __name__ == "__main__":
    main()
