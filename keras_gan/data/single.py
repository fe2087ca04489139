"""`ImageLoader`: batches of single pictures, with or without labels."""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan.data.loader import PictureLoader
from keras_gan.data.options import Flip, checked_crop, checked_flip, checked_range, checked_shape, depth_of
from keras_gan.data.order import Stream
from keras_gan.datasets.conditions import Conditions
from keras_gan.datasets.given import GivenData
from keras_gan.datasets.labelled import find_labelled, find_pictures
from keras_gan.images.pixels import checked_resample
from keras_gan.images.readers import ReadWhole
from keras_gan.images.values import ValueRange


class ImageLoader(PictureLoader):
    """Loads single pictures, with or without labels. Can be passed to `fit()`.

    As a `PyDataset` it yields batches `(imgs,)` or `(imgs, labels)` of the training split. Each epoch
    is shuffled anew and includes the short last batch. The seed alone determines all of this. Threads
    prefetch while the device computes. (Pass `shuffle=False` to `fit`, which otherwise reorders the
    batches once more.) `load_data()` and `load_batch()` return `imgs` alone or `(imgs, labels)`.

    Files can be any pictures that Pillow reads (see `keras_gan.images.sources.read_picture`) or
    arrays (see `keras_gan.images.arrays.read_array`), of any size. Files that are unreadable, less
    than 2 pixels wide or high, or of the wrong number of channels are named, counted and skipped.
    Another picture, with its own label, then takes their place.

    Args:
        dataset_name: what to load, see `keras_gan.datasets.labelled.find_pictures` and, with labels,
            `find_labelled`; None: drawn digits.
        data_dir: the folder of the idx files of "mnist" or "fashion_mnist"; None: download them.
        shape: (height, width, channels) after resizing; channels other than 1 or 3 must match the files.
        labelled: whether batches have labels: int32 (batch,), indices into `classes`; with attributes float32
            (batch, attributes), 0 or 1 for each of `classes`.
        fit: how to resize pictures of another shape, see `keras_gan.images.pixels.shaped`; "random-crop": not at all,
            training sees random parts of them, testing the middle.
        load_size: length of the shorter side that pictures are resized to before a random crop; None: their own.
        resample: filter: nearest, bilinear, bicubic, lanczos, or auto: nearest for label maps, else bicubic.
        value_range: of the pixels, (-1, 1) or (0, 1).
        value_range_of_files: (low, high): the values of black and white in the files, and outside them values
            are clipped; "auto": the smallest and the largest value in up to 256 training files of a side; None:
            as each file states it, see `keras_gan.images.sources.read_picture`.
        flip: how to turn training pictures at random: "none", "horizontal" (mirror half of them), "both" (also upside
            down) or "rotate" (also by 90 degrees).
        batch_size: pictures per batch in `fit()`.
        steps_per_epoch: batches per epoch in `fit()`; None: one pass over all pictures. The next
            epoch continues where this one stopped.
        labels: a CSV file with the names of the pictures to take, and their classes; see `keras_gan.datasets.tables`.
        attributes: with labels: columns of 0 and 1 to take as attributes, between commas, or "all".
        seed: for shuffling, flipping and random choices; None: a different one each time.
        workers: decoding threads.
        own_shards: whether each of several hosts reads its own shards only (docs/shards.md); with a single host nothing
            changes.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no such data set.
        BadValueError: (a ValueError) if labels are requested but missing, a split or class is empty,
            a file is damaged, or an argument is invalid.
    """

    def __init__(
        self,
        dataset_name: str | Path | GivenData | None = None,
        data_dir: str | Path | None = None,
        shape: tuple[int, int, int] = (64, 64, 3),
        labelled: bool = False,
        value_range: tuple[int, int] = (-1, 1),
        flip: Flip = "none",
        batch_size: int = 64,
        steps_per_epoch: int | None = None,
        seed: int | None = None,
        workers: int = 2,
        fit: str = "resize",
        resample: str = "auto",
        value_range_of_files: ValueRange | None = None,
        load_size: int | None = None,
        labels: str | Path | None = None,
        attributes: str | None = None,
        own_shards: bool = False,
    ) -> None:
        self.shape = checked_shape("shape", shape)
        self.value_range, self.fit = checked_range(value_range), checked_crop(fit, load_size, self.shape[:2])
        self.load_size, flip = load_size, checked_flip(flip, self.shape[:2])
        self.resample = checked_resample(resample)
        super().__init__(batch_size, steps_per_epoch, seed, workers, own_shards)
        named = dataset_name, data_dir, labels
        find = functools.partial(find_labelled, attributes=attributes) if labelled else find_pictures
        found = find(*named, own_shards=own_shards)
        self.dataset_name = found.name
        self.train, self.test = found.train, found.test
        self.classes, self.are_attributes = found.classes, found.are_attributes
        self.depth = depth_of(found.name, self.shape[2], found.train, found.test)
        self.labelled, self.flip = labelled, flip
        self._open_files(value_range_of_files)

    @property
    def n_classes(self) -> int:
        """The number of classes. Labels are less than this."""
        return len(self.classes)

    @property
    def conditions(self) -> Conditions:
        """What a picture can be asked for: the classes or attributes."""
        return Conditions(self.classes, self.are_attributes)

    def __getitem__(self, batch_i: int) -> Any:
        batch = super().__getitem__(batch_i)
        return batch if self.labelled else (batch,)  # `fit()` unpacks tuples

    def load_img(self, path: Any) -> np.ndarray:
        """Loads one picture as float32 (1, height, width, channels) in `value_range`."""
        return self._load_resized(path, self.shape)

    def _streams(self, is_testing):
        split = self.test if is_testing else self.train
        changes = {"split": "test"} if is_testing else {"flip": self.flip}
        how = self.fit, self.depth, self.resample, self.value_range_of_files, self.load_size
        read = ReadWhole(self.shape[2], *how)
        return self._own.ordered([Stream(split, read, self.shape[:2], self.seed, **changes)])

    def _domains(self, stacks, pictures):
        (imgs,) = stacks
        if not self.labelled:
            return imgs
        return imgs, self.conditions.array([picture.label for picture in pictures[0]])
