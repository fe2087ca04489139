"""`DataLoader`: batches of pairs of pictures (A, B)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan import datasets
from keras_gan.data.loader import PictureLoader
from keras_gan.data.options import (
    Flip,
    checked_crop,
    checked_direction,
    checked_flip,
    checked_range,
    checked_shape,
    checked_size,
    checked_stack,
    depth_of,
)
from keras_gan.data.order import Stream
from keras_gan.datasets.entries import Entries
from keras_gan.datasets.given import GivenData
from keras_gan.images.pixels import checked_resample
from keras_gan.images.readers import ReadPair
from keras_gan.images.values import ValueRange


class DataLoader(PictureLoader):
    """Loads pairs of pictures: two halves of one file, or two files of the same name. Can be passed to `fit()`.

    As a `PyDataset` it yields batches (A, B) of the training split. Each epoch is shuffled anew and
    includes the short last batch. Both halves of a pair are cropped and turned alike. The
    seed alone determines all of this. Threads prefetch while the device computes. (Pass
    `shuffle=False` to `fit`, which otherwise reorders the batches once more.)

    Files can be any pictures that Pillow reads (see `keras_gan.images.sources.read_picture`) or
    arrays (see `keras_gan.images.arrays.read_array`). Files that are unreadable, of odd width or of
    the wrong number of channels are named, counted and skipped.

    Args:
        dataset_name: what to load, see `keras_gan.datasets.find`; None: edges2shoes or drawn shoes; several folders of
            side A: the channels of their pictures of the same name, one behind the other.
        dataset_B: the folder of side B, if `dataset_name` is the folder of side A.
        img_res: (height, width) of each half after resizing.
        channels: of domain A: 3 for colour, 1 for gray, otherwise the number in the files.
        channels_B: of domain B; None: the same.
        direction: "AtoB", or "BtoA" to swap the two halves.
        fit: how to resize pictures of another shape, see `keras_gan.images.pixels.shaped`; "random-crop": not at all,
            training sees random parts of them, testing the middle.
        load_size: length of the shorter side that pictures are resized to before a random crop; None: their own.
        flip: how to turn training pictures at random: "none", "horizontal" (mirror half of them), "both" (also upside
            down) or "rotate" (also by 90 degrees).
        resample: filter: nearest, bilinear, bicubic, lanczos, or auto: nearest for label maps, else bicubic.
        value_range: of the pixels, (-1, 1) or (0, 1).
        value_range_of_files: (low, high): the values of black and white in the files, and outside them values
            are clipped; "auto": the smallest and the largest value in up to 256 training files of a side; None:
            as each file states it, see `keras_gan.images.sources.read_picture`.
        augment: in training, resize to 286/256 of the size and crop at random, both halves alike.
        batch_size: pairs per batch in `fit()`.
        steps_per_epoch: batches per epoch in `fit()`; None: one pass over all pairs. The next epoch
            continues where this one stopped.
        seed: for shuffling, flipping and random choices; None: a different one each time.
        workers: decoding threads.
        own_shards: whether each of several hosts reads its own shards only (docs/shards.md); with a single host nothing
            changes.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no such data set.
        BadValueError: (a ValueError) if a split is empty or an argument is invalid. Files that are no pairs are
            found when training begins, see `check`.
    """

    def __init__(
        self,
        dataset_name: str | Path | Sequence[str | Path] | GivenData | None = None,
        img_res: tuple[int, int] = (128, 128),
        channels: int = 3,
        batch_size: int = 1,
        steps_per_epoch: int | None = None,
        seed: int | None = None,
        workers: int = 2,
        value_range: tuple[int, int] = (-1, 1),
        augment: bool = False,
        dataset_B: str | Path | None = None,
        direction: str = "AtoB",
        fit: str = "resize",
        resample: str = "auto",
        value_range_of_files: ValueRange | None = None,
        channels_B: int | None = None,
        load_size: int | None = None,
        flip: Flip = "horizontal",
        own_shards: bool = False,
    ) -> None:
        size = checked_size("img_res", img_res)
        _, _, self.channels = checked_shape("the halves", (*size, channels))
        _, _, self.channels_B = checked_shape("half B", (*size, channels if channels_B is None else channels_B))
        self.img_res, self.value_range = size, checked_range(value_range)
        self.forward, self.fit = checked_direction(direction), checked_crop(fit, load_size, size)
        self.load_size, self.flip = load_size, checked_flip(flip, size)
        self.resample = checked_resample(resample)
        super().__init__(batch_size, steps_per_epoch, seed, workers, own_shards)
        found = datasets.find(dataset_name, dataset_B, own_shards)
        self.dataset_name = found.name
        self.train, self.test = found.train, found.test
        self.stacked = checked_stack(found.stacked, self.channels, self.forward)
        depths = [depth_of(found.name, count, found.train, found.test) for count in {self.channels, self.channels_B}]
        self.depth = min(depths)  # "uint16" if one of them is
        self.augment = augment
        self._open_files(value_range_of_files)

    def load_img(self, path: Any) -> np.ndarray:
        """Loads one picture, not split into halves, as float32 (1, height, width, channels) in `value_range`."""
        return self._load_resized(path, (*self.img_res, self.channels))

    def imread(self, path: Any) -> np.ndarray:
        """Reads one picture at its original size, as float32 (height, width, channels) in [0, 255]."""
        return self._load_original_size(path, (*self.img_res, self.channels))

    def _pair_files(self):
        if isinstance(self.train, Entries):
            return [] if self.train.are_pairs else self.train
        return [pair for pair in self.train if isinstance(pair, Path)]

    def _streams(self, is_testing):
        split = self.test if is_testing else self.train
        changes = {"split": "test"} if is_testing else {"flip": self.flip, "augment": self.augment}
        left, right = (self.channels, self.channels_B) if self.forward else (self.channels_B, self.channels)
        how = self.fit, self.depth, self.resample, self.value_range_of_files, self.load_size
        read = ReadPair(left, max(self.img_res), *how, right)
        return self._own.ordered([Stream(split, read, self.img_res, self.seed, **changes)])

    def _domains(self, stacks, pictures):
        (halves,) = stacks
        if halves.ndim == 4:  # the channels of one half behind those of the other
            halves = np.split(halves, [self.channels if self.forward else self.channels_B], axis=-1)
        return tuple(halves if self.forward else halves[::-1])
