"""Experiments with colour: CIFAR pictures, made gray, are coloured with pairs and without."""

from pathlib import Path

from keras_gan import CycleGAN, Pix2Pix
from keras_gan.images.grids import save_grid
from keras_gan.images.metrics import l1_each, psnr_each
from learning.experiment import Experiment, Judge
from learning.judges import across, batches_of, predict

import numpy as np
from PIL import Image


def brightness(pictures):
    """Pictures (n, height, width, 3) in gray: (n, height, width, 1)."""
    return pictures @ np.array([[0.299], [0.587], [0.114]], "float32")


def psnr(pictures, true):
    """PSNR of each picture in [0, 1] in dB; 120 at most: one without an error has an infinite one."""
    return np.minimum(psnr_each(np.broadcast_to(pictures, true.shape), true, (0, 1)), 120)


def judge_colours(gan, extractor):
    """L1, PSNR and saturation of coloured test pictures in [0, 1].

    Some test pictures have no colour. In gray they have no error, so a few of them carry a mean PSNR far up. Hence
    three figures: PSNR is the mean over all pictures; "PSNR of coloured", over those with colour; "PSNR of pixels",
    that of the mean error of all pixels. "Better" is the share of pictures with colour whose PSNR is higher than in
    gray.
    Saturation is the mean distance of the channels from their gray.
    """
    low, high = gan.data_loader.value_range
    _, colours = batches_of(gan.data_loader, is_testing=True)
    true = (colours - low) / (high - low)
    gray, network = brightness(true), gan.g_AB if hasattr(gan, "g_AB") else gan.generator

    has_colour = np.abs(true - gray).max(axis=(1, 2, 3)) > 2 / 255
    in_gray = psnr(gray, true)

    def figures_of(coloured):
        each = psnr(coloured, true)
        figures = {
            "L1": l1_each(coloured, true).mean(),
            "PSNR": each.mean(),
            "PSNR of coloured": each[has_colour].mean(),
        }
        figures["PSNR of pixels"] = -10 * np.log10(np.mean((coloured - true) ** 2))
        figures["better"] = np.mean((each > in_gray)[has_colour])
        figures["saturation"] = np.abs(coloured - brightness(coloured)).mean()
        return {name: float(figure) for name, figure in figures.items()}

    def coloured():
        return (predict(network, low + (high - low) * gray) - low) / (high - low)

    def grid(path):
        made, chosen = coloured(), across(len(true), 10)
        save_grid(
            path, [[gray[i].repeat(3, -1), made[i], true[i]] for i in chosen], ["Gray", "Coloured", "True"], (0, 1)
        )

    saturation = {"saturation": float(np.abs(true - gray).mean())}
    trivial = {"the gray picture itself": figures_of(gray.repeat(3, -1)), "true pictures": saturation}
    return Judge(lambda: figures_of(coloured()), grid, trivial)


def as_gray_and_colour(dataset, folder):
    """Puts pictures of train/CLASS and test/CLASS into trainA and valA in gray, and into trainB and valB in colour."""
    for split, named in (("train", "train"), ("test", "val")):
        for number, path in enumerate(sorted(Path(dataset, split).rglob("*.*"))):
            with Image.open(path) as picture:
                colour = picture.convert("RGB")
            for side, shown in (("A", colour.convert("L")), ("B", colour)):
                Path(folder, named + side).mkdir(parents=True, exist_ok=True)
                shown.save(Path(folder, named + side, f"{number}.png"))


FIGURES = {"L1": ".4f", "PSNR": ".2f", "PSNR of coloured": ".2f", "PSNR of pixels": ".2f"}
FIGURES |= {"better": ".0%", "saturation": ".4f"}
SETTINGS = {"rgb": {}, "lab": {"model": {"colour": "lab"}}}
# Nearly all of the loss is the distance to the true colours; rates fall, and weights are averaged
CLOSE = {"l1_weight": 1000.0, "norm": "batch", "learning_rate": 1e-3, "augment": False}
AVERAGED = {"schedule": "linear", "ema": 0.99}
SETTINGS |= {
    f"{colour}-close": {"model": CLOSE | {"colour": colour}, "train": AVERAGED} for colour in ("rgb", "lab", "ycbcr")
}
EXPERIMENTS = {
    "colour-pairs": Experiment(
        "Pix2Pix, CIFAR pictures, gray to colour at 32x32, batch 32",
        data="cifar10",
        kind=Pix2Pix,
        judge=judge_colours,
        figures=FIGURES,
        marks=[1000, 2000],
        settings=SETTINGS,
        model={"img_shape": (32, 32, 3), "shape_A": (32, 32, 1), "shape_B": (32, 32, 3), "gf": 32, "df": 16},
        train={"batch_size": 32},
        judged={"flip": "none", "augment": False},
        prepare=as_gray_and_colour,
    ),
    "colouring": Experiment(
        "CycleGAN, CIFAR pictures, gray to colour at 32x32, batch 32: the notebook's job",
        data="gray2colour:cifar10",
        kind=CycleGAN,
        judge=judge_colours,
        figures=FIGURES,
        marks=[1500, 3000],
        settings={"notebook": {}, "lab": {"model": {"colour": "lab"}}},
        model={"shape_A": (32, 32, 1), "shape_B": (32, 32, 3)},
        train={"batch_size": 32},
        judged={"flip": "none"},
    ),
}
