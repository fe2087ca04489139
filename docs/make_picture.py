r"""Makes the README's picture from a trained run: unseen drawings, their translations, the true shoes.

Train, then draw:

    python -m keras_gan.discogan --dataset drawn_shoes --image-size 64 --filters 32 --batch-size 4 --epochs 20 \
        --seed 0 --output runs/picture
    python docs/make_picture.py runs/picture docs/discogan.png
"""

import sys
from pathlib import Path

import keras
import numpy as np
from PIL import Image

import keras_gan.layers  # noqa: F401  (what saved networks need to load)
from keras_gan import DataLoader

COLUMNS, SCALE = 10, 2


def main(run, path):
    g_AB = keras.saving.load_model(Path(run, "models", "g_AB.keras"))
    imgs_A, imgs_B = DataLoader("drawn_shoes", g_AB.input_shape[1:3], seed=0).load_data(COLUMNS, is_testing=True)
    rows = [imgs_A, g_AB.predict(imgs_A, verbose=0), imgs_B]
    sheet = np.vstack([np.hstack(list(row)) for row in rows])
    picture = Image.fromarray(np.uint8(np.clip(127.5 * sheet + 127.5, 0, 255).round()))
    picture.resize((SCALE * picture.width, SCALE * picture.height), Image.Resampling.BICUBIC).save(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
