"""Pictures with encoded pixel positions and picture numbers, in folders for `UnpairedDataLoader`."""

import numpy as np
from PIL import Image

from keras_gan.data.unpaired import UnpairedDataLoader

SIZE, ENLARGED = 32, 36  # 286/256 of 32 is 35.75
SPLITS = ("trainA", "trainB", "testA", "testB")


def picture(number, height=SIZE, width=SIZE):
    """Red encodes the column, green the row, blue the number of the picture, in steps of 5."""
    row, column = np.indices((height, width))
    return Image.fromarray(np.stack([5 * column, 5 * row, 0 * row + 5 * number], axis=-1).astype("uint8"))


def write(folder, count, **size):
    """Writes `count` pictures into a folder; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        picture(number, **size).save(folder / f"{number:02}.png")
    return folder


def write_sides(tmp_path, *counts, **size):
    """Writes a folder with these numbers of pictures in trainA, trainB, testA and testB."""
    for split, count in zip(SPLITS, counts, strict=True):
        write(tmp_path / "sides" / split, count, **size)
    return tmp_path / "sides"


def loaded(folder, *more, **options):
    sizes = {"shape_A": (SIZE, SIZE, 3), "shape_B": (SIZE, SIZE, 3), "seed": 0}
    return UnpairedDataLoader(folder, *more, **sizes | options)


def levels(imgs):
    """The encoded red, green and blue values of the pixels, as in `picture`."""
    return np.rint((imgs + 1) * 127.5 / 5).astype(int)


def numbers(imgs):
    return levels(imgs)[:, 0, 0, 2].tolist()


def flipped(imgs):
    red = levels(imgs)[:, 0, :, 0]
    return (red[:, 0] > red[:, -1]).tolist()


def epoch_of(loader):
    """The picture numbers of one epoch in the order of `fit`: domain A's, domain B's."""
    batches = [loader[i] for i in range(len(loader))]
    loader.on_epoch_end()
    return tuple(sum((numbers(batch[side]) for batch in batches), []) for side in (0, 1))
