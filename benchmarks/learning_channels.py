"""Measures how well Pix2Pix learns with other channels out than in: gray to colour, and colour to mask.

    python benchmarks/learning_channels.py colour --minutes 2 5
    python benchmarks/learning_channels.py mask --minutes 1 2

1,000 drawn shoes to train and 100 held out, 64x64, 32 filters, batch 4. A gray picture has one channel, its coloured
shoe three; a mask has one, white where the shoe is. L1 in [-1, 1] on the held-out pairs, lower is better. Baselines are
the input itself, for masks in gray and inverted, and the mean training picture. All pictures go to --output.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_gan import Pix2Pix
from keras_gan.images.drawn_shoes import BACKGROUND, cover, draw, paint, shoe
from keras_gan.images.grids import save_grid

import numpy as np
from learning_cyclegan import predict
from learning_family import train
from PIL import Image

SIZE, TRAIN, HELD_OUT = 64, 1000, 100


def draw_data(folder):
    """Draws gray pictures, colours and masks into three folders, each with train and val."""
    for index in range(TRAIN + HELD_OUT):
        rng = np.random.default_rng([0, index])
        parts, table = shoe(rng)
        colour = Image.fromarray(draw(parts, table, rng, SIZE)[:, SIZE:])
        mask = 255 * cover(np.asarray(paint(parts, SIZE)) != BACKGROUND)
        pictures = {"gray": colour.convert("L"), "colour": colour, "mask": Image.fromarray(mask.astype("uint8"))}
        for name, picture in pictures.items():
            place = folder / name / ("train" if index < TRAIN else "val")
            place.mkdir(parents=True, exist_ok=True)
            picture.save(place / f"{index}.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    jobs = {"colour": ("gray", 1, "colour", 3), "mask": ("colour", 3, "mask", 1)}
    parser.add_argument("job", choices=jobs)
    parser.add_argument("--minutes", type=float, nargs="+", default=[2, 5])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", default="runs/learning")
    args = parser.parse_args()
    A, channels_A, B, channels_B = jobs[args.job]
    data = Path(args.output, "channels")
    if not data.exists():
        draw_data(data)
    gan = Pix2Pix(
        (SIZE, SIZE, 3), (SIZE, SIZE, channels_A), (SIZE, SIZE, channels_B), gf=32, df=32,
        dataset_A=[str(data / A)], dataset_B=str(data / B), seed=args.seed,
    )  # fmt: skip
    tests = gan.data_loader.load_batch(50, is_testing=True)
    inputs, targets = (np.concatenate(x) for x in zip(*tests, strict=True))
    mean = np.mean([picture for _, batch in gan.data_loader.load_batch(50) for picture in batch], axis=0)
    itself = inputs if args.job == "colour" else -inputs.mean(axis=-1, keepdims=True)
    print("| answer | iterations | L1 |\n|---|---|---|")
    print(f"| the input itself | | {np.abs(targets - itself).mean():.3f} |")
    print(f"| the mean training picture | | {np.abs(targets - mean).mean():.3f} |", flush=True)

    def report(minutes, iterations):
        fakes = predict(gan.generator, inputs)
        print(f"| after {minutes:g} min | {iterations:,} | {np.abs(fakes - targets).mean():.3f} |", flush=True)
        rows = [[inputs[i], fakes[i], targets[i]] for i in np.linspace(0, len(inputs) - 1, 6).astype(int)]
        save_grid(Path(args.output, f"{args.job}-{minutes:g}.png"), rows, ["Original", "Translated", "Partner"])

    train(gan, 4, args, report)


if __name__ == "__main__":
    main()
