"""The 2-D experiment of the DiscoGAN paper (section 4.1).

Each domain has 10 modes. The figures tell how many modes of B the translations of A cover, and whether the map between
modes is one to one. Adam(1e-3), batch 200; the step of DiscoGANPaper, without feature matching, curriculum and separate
turns of the discriminators.
"""

from pathlib import Path

from keras_gan import DiscoGANPaper
from keras_gan.files import write_whole
from learning.experiment import Row
from learning.judges import predict

import keras
import numpy as np
from keras import layers

EVERY = 1000  # iterations between new points


class Toy(DiscoGANPaper):
    """The paper's games between points, with the dense networks of its section 4.1."""

    def open_unpaired(self, *shapes, **options):
        self.shape_A = self.shape_B = (2,)  # points, not pictures
        self.data_loader = None

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


CENTRES_A, CENTRES_B = modes(-2, -2), modes(2, 2)


def points(rng, centres, count):
    """Returns (points, the number of the mode of each point)."""
    mode = rng.integers(len(centres), size=count)
    return (centres[mode] + 0.1 * rng.standard_normal((count, 2))).astype("float32"), mode


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


class ToyExperiment:
    """Has what `main()` asks of an `Experiment`."""

    title = "DiscoGANPaper, ten modes to ten modes in the plane"
    data = ""  # points are drawn
    figures = {"modes of B covered": ".0f", "modes of A that go to one": ".0f", "to one of their own": ".0f"}
    settings = {"gan": "GAN", "recongan": "GAN with reconstruction", "discogan": "DiscoGAN"}

    def run(self, setting, seed, dataset, folder, marks, extractor):
        rng, adam = np.random.default_rng(seed), keras.optimizers.Adam(1e-3)
        test, mode = points(rng, CENTRES_A, 2000)
        gan = Toy(game=setting, g_optimizer=adam, d_optimizer=adam, seed=seed)
        gan.discriminators_every, gan.curriculum = None, 0
        rows, marks = [], marks or [5000]
        for iteration in range(0, max(marks) + 1, EVERY):
            if iteration in marks:
                fake = predict(gan.g_AB, test)
                figures = dict(zip(self.figures, map(float, scores(fake, mode, CENTRES_B)), strict=True))
                rows.append(Row(self.settings[setting], setting, iteration, seed, figures))
                save_toy(Path(folder, f"{setting}-{seed}-{iteration}.png"), self.settings[setting], fake, mode, gan.d_B)
            A, B = (points(rng, centres, 200 * EVERY)[0] for centres in (CENTRES_A, CENTRES_B))
            if iteration < max(marks):
                gan.fit(A, B, batch_size=200, verbose=0)
        return rows


def save_toy(path, title, fake, mode, discriminator):
    """Plots translations of A, coloured by their mode in A, over the verdicts of B's discriminator."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 4.2), layout="constrained")
    across = np.linspace(-1.5, 5.5, 100)
    grid = np.stack(np.meshgrid(across, across), axis=-1).reshape(-1, 2).astype("float32")
    axes = figure.subplots()
    verdicts = 1 / (1 + np.exp(-np.clip(discriminator.predict(grid, verbose=0), -30, 30)))
    axes.imshow(verdicts.reshape(100, 100), extent=(-1.5, 5.5) * 2, origin="lower", cmap="gray", vmin=0, vmax=1)
    axes.scatter(*fake.T, c=mode, cmap="gist_rainbow", s=6)
    axes.scatter(*CENTRES_B.T, marker="x", c="black", s=60, linewidths=2)
    axes.set(title=title, xlim=(-1.5, 5.5), ylim=(-1.5, 5.5), xticks=[], yticks=[])
    with write_whole(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=80)


EXPERIMENTS = {"toy": ToyExperiment()}
