"""Experiments with noise: CGAN on digits, DCGAN on cars."""

from keras_gan import CGAN, DCGAN
from keras_gan.images.grids import save_sheet
from learning.experiment import Experiment, Judge
from learning.extractor import kid, ranking
from learning.judges import batches_of, of_classes, predict

import numpy as np


def judge_digits(gan, extractor):
    """The share of 1,000 digits, 100 of each class, that a classifier takes for the class asked for."""
    classifier = of_classes(gan.data_loader, gan.img_shape, 10)
    asked = np.repeat(np.arange(10), 100)
    z = gan.sample_noise(len(asked), gan.seed)

    def shares(images, labels):
        right = predict(classifier, images).argmax(-1) == labels
        by_class = [right[labels == label].mean() for label in range(10)]
        return {"as asked for": float(right.mean()), "worst class": float(min(by_class))}

    return Judge(
        figures=lambda: shares(gan.generate(asked, z), asked),
        grid=lambda path: save_sheet(path, gan.generate(asked, z).reshape(10, 100, *gan.img_shape)[:, :12]),
        trivial={"the real test digits": shares(*batches_of(gan.data_loader, is_testing=True))},
    )


def mean_distance(pictures):
    """The mean Euclidean distance between two different pictures."""
    flat = pictures.reshape(len(pictures), -1).astype("float64")
    squares = (flat**2).sum(1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * flat @ flat.T, 0))
    return distances.sum() / (len(flat) * (len(flat) - 1))


def judge_cars(gan, extractor):
    """KID of 500 samples against all pictures, and the mean distance between two samples, against that of two pictures.

    Diversity of 100% means as diverse as real pictures; near 0% means collapse.
    """
    real = np.concatenate([*batches_of(gan.data_loader), *batches_of(gan.data_loader, is_testing=True)])
    z, theirs, distance = gan.sample_noise(500, 0), extractor(real), mean_distance(real)

    def figures_of(images):
        return {"KID": kid(extractor(images), theirs), "diversity": float(mean_distance(images) / distance)}

    ranked = {f"half of the pictures, {name}": {"KID": figure} for name, figure in ranking(extractor, real).items()}
    return Judge(
        figures=lambda: figures_of(gan.generate(z)),
        grid=lambda path: save_sheet(path, gan.generate(z[:60]).reshape(6, 10, *gan.img_shape)),
        trivial=ranked,
    )


EXPERIMENTS = {
    "mnist": Experiment(
        "CGAN, MNIST, digits by label",
        data="mnist",
        kind=CGAN,
        judge=judge_digits,
        figures={"as asked for": ".1%", "worst class": ".0%"},
        marks=[4000, 8000],
        settings={"paper": {}},
    ),
    "cars": Experiment(
        "DCGAN, 500 rear views of cars at 64x64, 32 filters, batch 64",
        data="cars64",
        kind=DCGAN,
        judge=judge_cars,
        figures={"KID": ".1f", "diversity": ".0%"},
        marks=[1000, 2000, 3000, 4000, 5000, 6000],
        settings={
            "plain": {},
            "translation": {"model": {"diffaugment": "translation"}},
            "all": {"model": {"diffaugment": "all"}},
        },
        model={"gf": 32, "df": 32, "flip": "horizontal"},
        train={"batch_size": 64, "ema": 0.99},
        judged={"flip": "none"},
    ),
}
