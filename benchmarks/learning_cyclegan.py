"""Measures how well the CycleGANs learn after some minutes, on held-out pictures.

    python benchmarks/learning_cyclegan.py colouring --dataset gray2colour:FOLDER --minutes 5 10 20
    python benchmarks/learning_cyclegan.py bound --dataset gray2colour:FOLDER --minutes 1 2 4
    python benchmarks/learning_cyclegan.py unpaired --dataset horse2zebra --minutes 5 10
    python benchmarks/learning_cyclegan.py unpaired --dataset horse2zebra --model fastcut --iterations 1000 2000

colouring: CycleGAN (or --model cyclegan_paper) at 32x32, batch 32, gray (1 channel, or 3 with --identity) to colour.
Prints L1 (pictures in [0, 1], lower is better), PSNR (dB, higher is better) and saturation (mean distance of the
channels from their gray) of the coloured test pictures. The gray pictures are the baseline. "Own brightness" means the
same figures after the brightness of the gray picture is restored, so that only the colours count.

bound: an upper bound for these figures. The same generator learns from pairs, by mean absolute error, without a
discriminator. A second row scales its colours to the saturation of true pictures, which a discriminator asks for.

unpaired: CycleGANPaper (or --model cut, fastcut) at 64x64, batch 1. Prints the share of translated test pictures that a
small classifier takes for the other class; with CycleGANPaper in both directions, and the cycle L1 (pictures in
[-1, 1]) on the test pictures. The classifier is trained on the real training pictures; its accuracy on the real test
pictures is printed. Grids go to --output.

--iterations in place of --minutes gives the same amount of training on a busy machine.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_gan import CUT, CycleGAN, CycleGANPaper
from keras_gan.images.grids import save_grid
from keras_gan.report.progress import Progress

import keras
import numpy as np
from keras import layers


class EveryFewMinutes(keras.callbacks.Callback):
    """Calls `report(minutes, iterations)` after each of these minutes of training, and stops after the last one.

    With `by_iterations` the marks are iterations.
    """

    def __init__(self, marks, report, by_iterations=False):
        super().__init__()
        self.marks, self.report, self.by_iterations, self.spent = sorted(marks), report, by_iterations, 0.0

    def on_train_batch_begin(self, batch, logs=None):
        self.start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.spent += (time.perf_counter() - self.start) / 60
        iterations = int(self.model.combined.optimizer.iterations)
        if self.marks and (iterations if self.by_iterations else self.spent) >= self.marks[0]:
            mark = self.marks.pop(0)
            self.report(self.spent if self.by_iterations else mark, iterations)
        self.model.stop_training = not self.marks


def predict(network, pictures):
    return network.predict(pictures, batch_size=16, verbose=0)


def head(columns):
    print(f"| after | iterations | {columns} |\n|---|---|{'---|' * (columns.count('|') + 1)}", flush=True)


def train(gan, batch_size, args, report):
    batches = gan.data_loader.batches(batch_size)
    marks = EveryFewMinutes(args.iterations or args.minutes, report, by_iterations=bool(args.iterations))
    gan.fit(batches, epochs=10**6, shuffle=False, verbose=0, callbacks=[Progress(), marks])


def brightness(pictures):
    return pictures @ np.array([[0.299], [0.587], [0.114]], "float32") if pictures.shape[-1] == 3 else pictures


MODELS = {"cyclegan": CycleGAN, "cyclegan_paper": CycleGANPaper}


class Colouring:
    """A model that learns to colour, its test pictures, and its figures on them."""

    COLUMNS = "L1 | PSNR | saturation | L1, own brightness | PSNR, own brightness"

    def __init__(self, args):
        shapes = {"shape_A": (32, 32, 3 if args.identity else 1), "shape_B": (32, 32, 3)}
        self.gan = MODELS[args.model](**shapes, dataset_name=args.dataset, seed=args.seed)
        self.output = Path(args.output)
        low, high = self.gan.data_loader.value_range
        self.scale = lambda pictures: (pictures - low) / (high - low)
        batches = self.gan.data_loader.load_batch(100, is_testing=True)
        self.gray, self.colour = map(np.concatenate, zip(*batches, strict=True))

    def report(self, minutes, iterations):
        colour, fakes = self.scale(self.colour), self.scale(predict(self.gan.g_AB, self.gray))
        self.row(f"{minutes:g} min | {iterations:,}", fakes)
        chosen = np.linspace(0, len(colour) - 1, 8).astype(int)
        rows = [[brightness(colour[i]).repeat(3, -1), fakes[i], colour[i]] for i in chosen]
        save_grid(self.output / f"colouring-{minutes:g}.png", rows, ["Gray", "Coloured", "True"], (0, 1))

    def row(self, name, fakes, stretch=False):
        """Prints the figures of fakes in [0, 1]; `stretch` first gives them the saturation of true pictures."""
        colour = self.scale(self.colour)
        gray, chroma = brightness(colour), fakes - brightness(fakes)
        if stretch:
            chroma *= np.abs(colour - gray).mean() / np.abs(chroma).mean()
        figures = [f"{np.abs(chroma).mean():.4f}"]
        for pictures in (brightness(fakes) + chroma, gray + chroma):
            error = pictures - colour
            psnr = np.mean(-10 * np.log10(np.mean(error**2, axis=(1, 2, 3)) + 1e-12))
            figures.append(f"{np.abs(error).mean():.4f} | {psnr:.2f}")
        print(f"| {name} | {figures[1]} | {figures[0]} | {figures[2]} |", flush=True)


def colouring(args):
    job = Colouring(args)
    head(job.COLUMNS)
    job.row("the gray picture itself | ", brightness(job.scale(job.colour)))
    train(job.gan, args.batch_size, args, job.report)


def bound(args):
    job = Colouring(args)
    colours = np.concatenate([B for _, B in job.gan.data_loader.load_batch(100)])
    grays = brightness(colours) if job.gray.shape[-1] == 1 else brightness(colours).repeat(3, -1)
    generator, rng = job.gan.g_AB, np.random.default_rng(args.seed)
    generator.compile(keras.optimizers.Adam(1e-3), "mae")
    head(job.COLUMNS)
    job.row("the gray picture itself | ", brightness(job.scale(job.colour)))
    spent, iterations, minutes = 0.0, 0, sorted(args.minutes)
    while minutes:
        chosen, start = rng.choice(len(colours), args.batch_size), time.perf_counter()
        flip = slice(None, None, rng.choice([-1, 1]))
        generator.train_on_batch(grays[chosen][:, :, flip], colours[chosen][:, :, flip])
        spent, iterations = spent + (time.perf_counter() - start) / 60, iterations + 1
        if spent >= minutes[0]:
            job.report(minutes.pop(0), iterations)
            job.row("and as saturated as true pictures | ", job.scale(predict(generator, job.gray)), stretch=True)


def classifier(gan, epochs=40):
    """Trains a small CNN to tell real training pictures of A (0) from real training pictures of B (1)."""
    model = keras.Sequential(
        [
            keras.Input(gan.shape_A),
            *[
                layer
                for filters in (32, 64, 128)
                for layer in (
                    layers.Conv2D(filters, 3, padding="same", activation="relu"),
                    layers.BatchNormalization(),
                    layers.MaxPooling2D(),
                )
            ],
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.3),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    for _ in range(epochs):
        for A, B in gan.data_loader.load_batch(16):
            model.train_on_batch(np.concatenate([A, B]), np.repeat([0.0, 1.0], len(A)))
    return model


def unpaired(args):
    options = {"dataset_name": args.dataset, "augment": True, "seed": args.seed}
    if args.model.endswith("cut"):
        gan = CUT((64, 64, 3), fast=args.model == "fastcut", **options)
        ways = [("A", "B", gan.generator, None)]
    else:
        gan = CycleGANPaper((64, 64, 3), **options)
        ways = [("A", "B", gan.g_AB, gan.g_BA), ("B", "A", gan.g_BA, gan.g_AB)]
    loader = gan.data_loader
    sides = {
        domain: np.concatenate([loader.load_img(path, domain) for path in side])
        for domain, side in (("A", loader.test_A), ("B", loader.test_B))
    }
    judge = classifier(gan)

    def taken_for(domain, pictures):
        return np.mean((predict(judge, pictures) > 0.5) == (domain == "B"))

    right = sum(len(side) * taken_for(domain, side) for domain, side in sides.items()) / sum(map(len, sides.values()))
    count = sum(map(len, sides.values()))
    print(f"The classifier is right on {100 * right:.1f}% of {count} real test pictures.\n", flush=True)

    def report(minutes, iterations):
        cycles, shares, columns = [], [], {}
        for source, target, generator, inverse in ways:
            real = sides[source]
            fake = predict(generator, real)
            shares.append(f"{100 * taken_for(target, fake):.0f}%")
            columns |= {source: real, f"{source} to {target}": fake}
            if inverse:
                columns[f"{source} and back"] = back = predict(inverse, fake)
                cycles.append(f"{np.abs(back - real).mean():.3f}")
        print(f"| {minutes:.1f} min | {iterations:,} | {' | '.join([*cycles, *shares])} |", flush=True)
        shown = [pictures[np.linspace(0, len(pictures) - 1, 6).astype(int)] for pictures in columns.values()]
        path = Path(args.output, f"{args.model}-{loader.dataset_name}-{iterations}.png")
        save_grid(path, list(zip(*shown, strict=True)), list(columns))

    cycles = ["cycle L1 of A", "of B"] if len(ways) > 1 else []
    head(" | ".join([*cycles, *(f"{source} taken for {target}" for source, target, *_ in ways)]))
    report(0, 0)
    train(gan, 1, args, report)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=["colouring", "bound", "unpaired"])
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--identity", action="store_true", help="colouring: gray in 3 channels, identity terms on")
    models = [*MODELS, "cut", "fastcut"]
    parser.add_argument("--model", choices=models, help="default: cyclegan for colouring, cyclegan_paper for unpaired")
    parser.add_argument("--batch-size", type=int, default=32, help="colouring: pictures per iteration")
    parser.add_argument("--minutes", type=float, nargs="+", default=[5, 10, 20])
    parser.add_argument("--iterations", type=int, nargs="+", default=[], help="report after these, not after minutes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", default="runs/learning")
    args = parser.parse_args()
    args.model = args.model or ("cyclegan_paper" if args.job == "unpaired" else "cyclegan")
    if args.model not in ("cyclegan_paper", "cut", "fastcut") if args.job == "unpaired" else args.model not in MODELS:
        parser.error(f"{args.job} does not take --model {args.model}")
    {"colouring": colouring, "bound": bound, "unpaired": unpaired}[args.job](args)


if __name__ == "__main__":
    main()
