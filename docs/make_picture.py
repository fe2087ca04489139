r"""Makes the pictures in docs/ from trained runs: translations of unseen pictures, or pictures from new noise.

    python docs/make_picture.py MODEL RUN PATH

For example, train a run:

    python -m keras_gan.discogan --quick --dataset drawn_shoes --seed 0 --output runs/picture

and make its picture:

    python docs/make_picture.py discogan runs/picture docs/discogan.png

The other pictures come from these models and options:

    cyclegan, cyclegan_paper, cut  --quick --dataset drawn_fruit --seed 0
    pix2pix   --dataset drawn_shoes --image-size 128 --filters 32 --batch-size 1 --steps-per-epoch 250 --epochs 20 \
                  --ema 0.99 --seed 0
    dcgan     --filters 32 --batch-size 32 --steps-per-epoch 100 --epochs 25 --ema 0.99 --seed 0
    cgan      --epochs 12 --seed 0
    gan       --epochs 60 --seed 0
"""

import sys
from functools import partial
from pathlib import Path

import keras
import numpy as np
from PIL import Image

import keras_gan.layers  # noqa: F401  (saved networks need it to load)
from keras_gan import DataLoader

COLUMNS = 10
WIDE = "discogan", "pix2pix"


def translated(load, data="drawn_shoes"):
    """Returns three rows: pictures, translations, what they should be."""
    g_AB = load("g_AB", "generator")
    imgs_A, imgs_B = DataLoader(data, g_AB.input_shape[1:3], seed=0).load_data(COLUMNS, is_testing=True)
    return [imgs_A, g_AB.predict(imgs_A, verbose=0), imgs_B]


def both_ways(load, lowest=-1):
    """Returns four rows: apples, their translations, oranges, theirs. The networks use values from `lowest` to 1."""
    g_AB, g_BA = load("g_AB"), load("g_BA")
    loader = DataLoader("drawn_fruit", g_AB.input_shape[1:3], seed=0, value_range=(lowest, 1))
    imgs_A, imgs_B = loader.load_data(2 * COLUMNS, is_testing=True)
    imgs_A, imgs_B = imgs_A[:COLUMNS], imgs_B[COLUMNS:]
    rows = [imgs_A, g_AB.predict(imgs_A, verbose=0), imgs_B, g_BA.predict(imgs_B, verbose=0)]
    return [1 - 2 * (1 - row) / (1 - lowest) for row in rows]


def of_noise(load):
    """Returns two rows of pictures from noise."""
    z = np.random.default_rng(0).standard_normal((2 * COLUMNS, 100)).astype("float32")
    return np.split(load("generator").predict(z, verbose=0), 2)


def of_labels(load):
    """Returns two rows with every digit."""
    z = np.random.default_rng(0).standard_normal((2 * COLUMNS, 100)).astype("float32")
    return np.split(load("generator").predict([z, np.tile(np.arange(10), 2)], verbose=0), 2)


ROWS = {"discogan": translated, "pix2pix": translated, "cut": partial(translated, data="drawn_fruit")}
ROWS |= {"cyclegan": partial(both_ways, lowest=0), "cyclegan_paper": both_ways}
ROWS |= {"dcgan": of_noise, "gan": of_noise, "cgan": of_labels}


def main(model, run, path):
    def load(*names):
        paths = [Path(run, "models", f"{name}.keras") for name in names]
        return keras.saving.load_model(next(path for path in paths if path.exists()))

    sheet = np.vstack([np.hstack(list(row)) for row in ROWS[model](load)])
    picture = Image.fromarray(np.uint8(np.clip(127.5 * sheet + 127.5, 0, 255).round()).squeeze())
    scale = (128 if model in WIDE else 64) / (picture.width / COLUMNS)
    size = round(scale * picture.width), round(scale * picture.height)
    picture.resize(size, Image.Resampling.BICUBIC).save(path, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
