"""Experiments with pairs: DiscoGAN on edges and shoes, Pix2Pix on facades."""

from pathlib import Path

from keras_gan import DiscoGAN, Pix2Pix
from keras_gan.images.drawn_shoes import BACKGROUND, cover, draw, paint, shoe
from keras_gan.images.grids import save_grid
from keras_gan.images.metrics import l1_each, ssim_each
from learning.experiment import Experiment, Judge
from learning.extractor import kid
from learning.judges import across, batches_of, predict

import numpy as np
from PIL import Image


def judge_pairs(network_of, trivial, titles=("Original", "Translated", "Partner"), with_kid=False):
    """Returns a `judge` for `Experiment`.

    Args:
        network_of: function of the model that returns the generator.
        trivial: function of the inputs that returns {trivial answer: pictures, or one value for all pixels}; the mean
            training picture is another one.
        titles: of the grid's three columns.
        with_kid: whether KID is measured, too, of pictures of 64x64.
    """

    def judge(gan, extractor):
        (inputs, targets), (_, of_training) = batches_of(gan.data_loader, is_testing=True), batches_of(gan.data_loader)
        mean, theirs = of_training.mean(axis=0), extractor(targets) if with_kid else None
        answers = trivial(inputs) | {"the mean training picture": mean}

        def figures_of(fakes):
            figures = {"L1": float(l1_each(fakes, targets).mean())}
            figures["SSIM"] = float(ssim_each(fakes, targets, (-1, 1)).mean())
            return figures | ({"KID": kid(extractor(fakes), theirs)} if with_kid else {})

        def grid(path):
            fakes, chosen = predict(network_of(gan), inputs), across(len(inputs), 8)
            save_grid(path, [[inputs[i], fakes[i], targets[i]] for i in chosen], titles)

        return Judge(
            figures=lambda: figures_of(predict(network_of(gan), inputs)),
            grid=grid,
            trivial={answer: figures_of(np.broadcast_to(x, targets.shape)) for answer, x in answers.items()},
        )

    return judge


FACADES = ["Labels", "Translated", "Photo"]
FALLING = {"batch_size": 4, "schedule": "linear", "ema": 0.99}


def falling(weight):
    """DiscoGAN with a weight of the distance to the partner, and a rate that falls to zero."""
    return {"model": {"translation_weight": weight, "learning_rate": 5e-4}, "train": {"schedule": "linear"}}


def discogan(title, settings, data="edges2shoes", **options):
    judge = judge_pairs(
        lambda gan: gan.g_AB, lambda edges: {"an all-white picture": 1.0}, ["Edges", "Translated", "Photo"]
    )
    figures = {"L1": ".3f", "SSIM": ".3f"}
    return Experiment(title, data, DiscoGAN, judge, figures, settings=settings, judged={"flip": "none"}, **options)


def draw_channels(dataset, folder, size=64, train=1000, held_out=100):
    """Draws shoes: their colours into A, and what the name of the data set says into B: gray or mask."""
    for index in range(train + held_out):
        rng = np.random.default_rng([0, index])
        parts, table = shoe(rng)
        colour = Image.fromarray(draw(parts, table, rng, size)[:, size:])
        mask = 255 * cover(np.asarray(paint(parts, size)) != BACKGROUND)
        other = colour.convert("L") if Path(dataset).name == "gray" else Image.fromarray(mask.astype("uint8"))
        for side, picture in (("A", colour), ("B", other)):
            place = Path(folder, ("train" if index < train else "val") + side)
            place.mkdir(parents=True, exist_ok=True)
            picture.save(place / f"{index}.png")


def channels(title, other, direction, trivial, settings, **shapes):
    """An experiment in which one side has one channel, on drawn shoes."""
    return Experiment(
        title + ", 1,000 drawn shoes at 64x64, 32 filters, batch 4",
        data=other,
        kind=Pix2Pix,
        judge=judge_pairs(lambda gan: gan.generator, trivial),
        figures={"L1": ".3f", "SSIM": ".3f"},
        marks=[1000, 2000],
        settings=settings,
        model={"img_shape": (64, 64, 3), "gf": 32, "df": 32, "direction": direction} | shapes,
        train={"batch_size": 4},
        judged={"flip": "none", "augment": False},
        prepare=draw_channels,
    )


EXPERIMENTS = {
    "drawn-colours": channels(
        "Pix2Pix, gray to colour",
        "gray",
        "BtoA",
        lambda gray: {"the gray picture itself": gray},
        {"pix2pix": {}, "lab": {"model": {"colour": "lab"}}},
        shape_A=(64, 64, 1),
    ),
    "drawn-masks": channels(
        "Pix2Pix, colour to mask",
        "mask",
        "AtoB",
        lambda colour: {"the picture in gray, inverted": -colour.mean(axis=-1, keepdims=True)},
        {"pix2pix": {}},
        shape_B=(64, 64, 1),
    ),
    "edges2shoes": discogan(
        "DiscoGAN, edges to shoes at 64x64, 32 filters, batch 4",
        marks=[1000, 3000],
        settings={
            "post": {},
            "recommended": {"train": {"ema": 0.99}, "model": {"translation_weight": 10.0}},
        },
        model={"img_shape": (64, 64, 3), "gf": 32, "df": 32},
        train={"batch_size": 4},
    ),
    "edges2shoes128": discogan(
        "DiscoGAN as in the post, edges to shoes at 128x128, 64 filters, batch 1",
        marks=[1000, 2000, 3000, 4000, 5000],
        settings={"post": {}},
    ),
    "drawn-shoes": discogan(
        "DiscoGAN --quick: drawings to drawn shoes at 64x64, 32 filters, batch 4",
        data="drawn_shoes",
        marks=[2000],
        settings={
            "equal-weights": {},
            "partner-10": {"model": {"translation_weight": 10.0}},
            "partner-10-falling": falling(10.0),
            "partner-50-falling": falling(50.0),
        },
        model={"img_shape": (64, 64, 3), "gf": 32, "df": 32},
        train={"batch_size": 4, "ema": 0.99},
    ),
    "facades": Experiment(
        "Pix2Pix, facades, labels to photos at 64x64, 32 filters, batch 1 or 4",
        data="facades",
        kind=Pix2Pix,
        judge=judge_pairs(lambda gan: gan.generator, lambda labels: {"all gray": 0.0}, FACADES, True),
        figures={"L1": ".3f", "SSIM": ".3f", "KID": ".0f"},
        marks=[5000, 10_000],
        settings={
            "paper": {},
            "ema": {"train": {"ema": 0.999}},
            "batch-4": {"model": {"learning_rate": 1e-3, "norm": "batch"}, "train": FALLING},
            "close-4": {"model": {"learning_rate": 1e-3, "norm": "batch", "l1_weight": 1000.0}, "train": FALLING},
        },
        model={"img_shape": (64, 64, 3), "gf": 32, "df": 32, "direction": "BtoA"},
        judged={"flip": "none", "augment": False},
    ),
}
