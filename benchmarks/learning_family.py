"""Measures how well Pix2Pix, CGAN, DCGAN and DiscoGANPaper learn.

    python benchmarks/learning_family.py cgan --dataset mnist --data-dir FOLDER --minutes 2 5 10
    python benchmarks/learning_family.py dcgan --dataset CARS --minutes 5 10
    python benchmarks/learning_family.py pix2pix --dataset facades --minutes 5 10
    python benchmarks/learning_family.py toy --iterations 5000

cgan: a small classifier learns from the real training digits; its accuracy on the real test digits is printed. The
figure is the share of 1,000 generated digits, 100 per class, that it takes for the class asked for.

dcgan: 64x64, 32 filters, batch 64. Diversity is the mean distance between two of 500 samples, divided by the mean
distance between two real pictures. 100% means as diverse as real pictures; near 0% means collapse.

pix2pix: labels to photos at 64x64, 32 filters, batch 1. L1 in [-1, 1] on the held-out pairs, lower is better. Baselines
are the mean training photo and an all-gray picture.

toy: the 2-D experiment of the DiscoGAN paper (section 4.1), three seeds. Each domain has 10 modes. The figures tell how
many modes of B the translations of A cover, and whether the map between modes is one to one. Adam(1e-3), batch 200;
the step of DiscoGANPaper, without feature matching, curriculum and separate turns of the discriminators.

All pictures go to --output.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_gan import CGAN, DCGAN, DiscoGANPaper, Pix2Pix
from keras_gan.files import write_whole
from keras_gan.images.grids import save_grid, save_sheet
from keras_gan.report.progress import Progress

import keras
import numpy as np
from keras import layers
from learning_cyclegan import EveryFewMinutes, predict


def train(gan, batch_size, args, report):
    batches = gan.data_loader.batches(batch_size)
    gan.fit(
        batches, epochs=10**6, shuffle=False, verbose=0, callbacks=[Progress(), EveryFewMinutes(args.minutes, report)]
    )


def cgan(args):
    gan = CGAN(dataset_name=args.dataset, data_dir=args.data_dir, seed=args.seed)
    judge = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10),
        ]
    )
    judge.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    judge.fit(gan.data_loader.batches(128), epochs=3, verbose=0)
    tests = gan.data_loader.load_batch(500, is_testing=True)
    images, labels = (np.concatenate(x) for x in zip(*tests, strict=True))
    accuracy = np.mean(predict(judge, images).argmax(-1) == labels)
    print(f"The classifier is right on {100 * accuracy:.2f}% of {len(labels):,} real test pictures.\n", flush=True)
    print("| after | iterations | as asked for | worst class |\n|---|---|---|---|")
    asked = np.repeat(np.arange(10), 100)
    z = gan.sample_noise(len(asked), args.seed)

    def report(minutes, iterations):
        images = gan.generate(asked, z)
        right = (predict(judge, images).argmax(-1) == asked).reshape(10, 100).mean(axis=1)
        print(
            f"| {minutes:g} min | {iterations:,} | {100 * right.mean():.1f}% | {100 * right.min():.0f}% |", flush=True
        )
        save_sheet(Path(args.output, f"cgan-{minutes:g}.png"), images.reshape(10, 100, 28, 28, 1)[:, :12])

    train(gan, 64, args, report)


def mean_distance(pictures):
    """Returns the mean Euclidean distance between two different pictures."""
    flat = pictures.reshape(len(pictures), -1).astype("float64")
    squares = (flat**2).sum(1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * flat @ flat.T, 0))
    return distances.sum() / (len(flat) * (len(flat) - 1))


def dcgan(args):
    gan = DCGAN(gf=32, df=32, dataset_name=args.dataset, flip=True, seed=args.seed)
    real = mean_distance(gan.data_loader.load_data(min(500, len(gan.data_loader.train))))
    print(f"Mean distance between real pictures: {real:.1f}\n\n| after | iterations | diversity |\n|---|---|---|")
    z = gan.sample_noise(500, args.seed)

    def report(minutes, iterations):
        images = gan.generate(z)
        print(f"| {minutes:g} min | {iterations:,} | {100 * mean_distance(images) / real:.0f}% |", flush=True)
        save_sheet(Path(args.output, f"dcgan-{minutes:g}.png"), images[:60].reshape(6, 10, *images.shape[1:]))

    train(gan, 64, args, report)


def pix2pix(args):
    gan = Pix2Pix((64, 64, 3), gf=32, df=32, dataset_name=args.dataset, direction="BtoA", seed=args.seed)
    loader = gan.data_loader
    photos, labels = (np.concatenate(x) for x in zip(*loader.load_batch(50, is_testing=True), strict=True))
    mean = np.mean([photo for batch, _ in loader.load_batch(50) for photo in batch], axis=0)
    print("| answer | iterations | L1 |\n|---|---|---|")
    print(f"| all gray | | {np.abs(photos).mean():.3f} |")
    print(f"| the mean training photo | | {np.abs(photos - mean).mean():.3f} |", flush=True)

    def report(minutes, iterations):
        fakes = predict(gan.generator, labels)
        print(f"| after {minutes:g} min | {iterations:,} | {np.abs(fakes - photos).mean():.3f} |", flush=True)
        rows = [[labels[i], fakes[i], photos[i]] for i in np.linspace(0, len(photos) - 1, 6).astype(int)]
        save_grid(Path(args.output, f"pix2pix-{minutes:g}.png"), rows, ["Labels", "Translated", "Photo"])

    train(gan, 1, args, report)


class Toy(DiscoGANPaper):
    """The paper's games between points, with the dense networks of its section 4.1."""

    def open_data(self, direction):
        self.shape_A = self.shape_B = (2,)  # points, not pictures

    def build_generator(self, shape, target_shape, name=None):
        return dense([128] * 3, 2, name)

    def build_discriminator(self, shape, name=None):
        return dense([128] * 5, 1, name)


def dense(widths, outputs, name):
    x = points = keras.Input((2,))
    for width in widths:
        x = layers.Dense(width, activation="relu")(x)
    return keras.Model(points, layers.Dense(outputs)(x), name=name)


def modes(x, y, count=10):
    """Returns centres on a circle of radius 2 around (x, y)."""
    angles = 2 * np.pi * np.arange(count) / count
    return np.stack([x + 2 * np.cos(angles), y + 2 * np.sin(angles)], axis=-1)


def points(rng, centres, count):
    """Returns (points, the number of the mode of each point)."""
    mode = rng.integers(len(centres), size=count)
    return (centres[mode] + 0.1 * rng.standard_normal((count, 2))).astype("float32"), mode


def toy(args):
    centres_A, centres_B = modes(-2, -2), modes(2, 2)
    print("| game | seed | modes of B covered | modes of A that go to one mode of B | to one of their own |")
    print("|---|---|---|---|---|")
    results = {}
    for title, game in (("GAN", "gan"), ("GAN with reconstruction", "recongan"), ("DiscoGAN", "discogan")):
        for seed in range(3):
            rng, adam = np.random.default_rng(seed), keras.optimizers.Adam(args.learning_rate)
            test, mode = points(rng, centres_A, 2000)
            gan = Toy(game=game, g_optimizer=adam, d_optimizer=adam, seed=seed)
            gan.discriminators_every, gan.curriculum = None, 0
            for _ in range(args.iterations // 1000):
                A, B = (points(rng, centres, 200 * 1000)[0] for centres in (centres_A, centres_B))
                gan.fit(A, B, batch_size=200, verbose=0)
            fake = predict(gan.g_AB, test)
            print(f"| {title} | {seed} | {' | '.join(map(str, scores(fake, mode, centres_B)))} |", flush=True)
            results.setdefault(title, (fake, mode, gan.d_B))
    save_toy(Path(args.output, "toy.png"), results, centres_B)


def scores(fake, mode, centres):
    """Returns three counts: modes of B covered, modes of A that go to one mode of B, and to one of their own.

    A mode is covered by at least 1% of the points. A mode of A goes where at least 90% of its points go.
    """
    distances = np.linalg.norm(fake[:, None] - centres, axis=-1)
    reached = np.where(distances.min(axis=1) < 0.5, distances.argmin(axis=1), -1)
    covered = [b for b in range(10) if np.mean(reached == b) >= 0.01]
    goes_to = [max(range(10), key=lambda b, a=a: np.sum(reached[mode == a] == b)) for a in range(10)]
    pure = [a for a in range(10) if np.mean(reached[mode == a] == goes_to[a]) >= 0.9]
    alone = [a for a in pure if goes_to.count(goes_to[a]) == 1]
    return len(covered), len(pure), len(alone)


def save_toy(path, results, centres):
    """Plots translations of A, coloured by their mode in A, over the verdicts of B's discriminator."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(results), 4.2), layout="constrained")
    across = np.linspace(-1.5, 5.5, 100)
    grid = np.stack(np.meshgrid(across, across), axis=-1).reshape(-1, 2).astype("float32")
    for axes, (title, (fake, mode, discriminator)) in zip(
        figure.subplots(1, len(results)), results.items(), strict=True
    ):
        verdicts = 1 / (1 + np.exp(-np.clip(discriminator.predict(grid, verbose=0), -30, 30)))
        axes.imshow(verdicts.reshape(100, 100), extent=(-1.5, 5.5) * 2, origin="lower", cmap="gray", vmin=0, vmax=1)
        axes.scatter(*fake.T, c=mode, cmap="gist_rainbow", s=6)
        axes.scatter(*centres.T, marker="x", c="black", s=60, linewidths=2)
        axes.set(title=title, xlim=(-1.5, 5.5), ylim=(-1.5, 5.5), xticks=[], yticks=[])
    with write_whole(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    jobs = {"cgan": cgan, "dcgan": dcgan, "pix2pix": pix2pix, "toy": toy}
    parser.add_argument("job", choices=jobs)
    parser.add_argument("--dataset")
    parser.add_argument("--data-dir")
    parser.add_argument("--minutes", type=float, nargs="+", default=[5, 10])
    parser.add_argument("--iterations", type=int, default=5_000, help="toy")
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="toy")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", default="runs/learning")
    args = parser.parse_args()
    jobs[args.job](args)


if __name__ == "__main__":
    main()
