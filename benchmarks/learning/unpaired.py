"""Experiments without pairs: horses and zebras, apples and bananas."""

from pathlib import Path

from keras_gan import CUT, CycleGANPaper, DiscoGAN, DiscoGANPaper
from keras_gan.images.grids import save_grid
from learning.experiment import Experiment, Judge
from learning.judges import across, batches_of, of_sides, predict

import numpy as np
from PIL import Image

TAKEN, CYCLE = {"A": "A taken for B", "B": "B taken for A"}, {"A": "cycle L1 of A", "B": "of B"}
CLASSIFIERS = 5  # to take the mean of: one that starts otherwise takes 9% or 23% of the real horses for zebras
FIGURES = {"A taken for B": ".0%", "B taken for A": ".0%", "cycle L1 of A": ".3f", "of B": ".3f"}


def sides_of(loader):
    """The test pictures of A and of B."""
    if not hasattr(loader, "test_A"):
        return batches_of(loader, is_testing=True)
    sides = ((loader.test_A, "A"), (loader.test_B, "B"))
    return [np.concatenate([loader.load_img(path, side) for path in paths]) for paths, side in sides]


def judge_both_ways(gan, extractor):
    """Which translations classifiers take for the other side, and what a round trip changes."""
    return judge_ways(gan, [("A", gan.g_AB, gan.g_BA), ("B", gan.g_BA, gan.g_AB)])


def judge_one_way(gan, extractor):
    """Which translations classifiers take for the other side."""
    return judge_ways(gan, [("A", gan.generator, None)])


def judge_ways(gan, ways):
    """Judges translations from these sides: a list of (side, generator, the generator back or None)."""
    sides = dict(zip("AB", sides_of(gan.data_loader), strict=True))
    classifiers, value_range = [of_sides(gan, start) for start in range(CLASSIFIERS)], gan.data_loader.value_range
    scale = 2 / (value_range[1] - value_range[0])

    def taken_for_other(side, pictures):
        verdicts = [predict(classifier, pictures) > 0.5 for classifier in classifiers]
        return float(np.mean(np.array(verdicts) == (side == "A")))

    def figures():
        found = {}
        for side, generator, back in ways:
            fake = predict(generator, sides[side])
            found[TAKEN[side]] = taken_for_other(side, fake)
            if back:
                found[CYCLE[side]] = float(scale * np.abs(predict(back, fake) - sides[side]).mean())
        return found

    def grid(path):
        columns = {}
        for side, generator, back in ways:
            real = sides[side][across(len(sides[side]), 6)]
            columns |= {side: real, f"{side} translated": predict(generator, real)}
            columns |= {f"{side} and back": predict(back, columns[f"{side} translated"])} if back else {}
        save_grid(path, list(zip(*columns.values(), strict=True)), list(columns), value_range)

    themselves = {TAKEN[side]: taken_for_other(side, sides[side]) for side, *_ in ways}
    return Judge(figures, grid, {"the pictures themselves": themselves | {CYCLE[side]: 0.0 for side, *_ in ways}})


def as_pairs(dataset, folder):
    """Joins apple i and banana i to one picture, as the post did: pairs by accident."""
    for split, named in (("train", "train"), ("test", "val")):
        sides = [sorted(Path(dataset, split + side).iterdir()) for side in "AB"]
        for number, paths in enumerate(zip(*sides, strict=False)):
            pair = Image.new("RGB", (512, 256))
            for place, path in zip((0, 256), paths, strict=True):
                with Image.open(path) as picture:
                    pair.paste(picture.convert("RGB").resize((256, 256)), (place, 0))
            Path(folder, named).mkdir(parents=True, exist_ok=True)
            pair.save(Path(folder, named, f"{number}.png"))


EXPERIMENTS = {
    "horses": Experiment(
        "CycleGANPaper (ResNet), horses and zebras at 64x64, batch 1",
        data="horse2zebra",
        kind=CycleGANPaper,
        judge=judge_both_ways,
        figures=FIGURES,
        marks=[750, 1500],
        settings={"paper": {}},
        model={"img_shape": (64, 64, 3), "augment": True},
    ),
    "horses-cut": Experiment(
        "CUT, horses to zebras at 64x64, batch 1",
        data="horse2zebra",
        kind=CUT,
        judge=judge_one_way,
        figures={"A taken for B": ".0%"},
        marks=[1000, 2000],
        settings={
            "cut": {},
            "fastcut": {"model": {"fast": True}},
            "no-identity": {"model": {"identity": False}},
            "light": {
                "model": {"identity": False, "nce_weight": 2.0},
                "train": {"schedule": "linear", "ema": 0.99},
            },
        },
        model={"img_shape": (64, 64, 3), "augment": True},
    ),
    "apples": Experiment(
        "CycleGANPaper (ResNet), apples and bananas at 64x64, batch 1",
        data="apple2banana",
        kind=CycleGANPaper,
        judge=judge_both_ways,
        figures=FIGURES,
        marks=[375, 750],
        settings={"paper": {}},
        model={"img_shape": (64, 64, 3), "augment": True},
    ),
    "apples-discogan": Experiment(
        "DiscoGAN, apples and bananas at 64x64, the recipe of its paper",
        data="apple2banana",
        kind=DiscoGANPaper,
        judge=judge_both_ways,
        figures=FIGURES,
        marks=[1000, 2000],
        settings={"paper": {}},
        model={"gf": 32, "df": 32},
        train={"batch_size": 16},
    ),
    "apples-post": Experiment(
        "DiscoGAN, apples and bananas at 64x64, the recipe of the post: each apple has a banana for its partner",
        data="apple2banana",
        kind=DiscoGAN,
        judge=judge_both_ways,
        figures=FIGURES,
        marks=[1000, 2000],
        settings={"post": {}, "without partners": {"model": {"translation_weight": 0.0}}},
        model={"img_shape": (64, 64, 3), "gf": 32, "df": 32},
        train={"batch_size": 4},
        prepare=as_pairs,
    ),
}
