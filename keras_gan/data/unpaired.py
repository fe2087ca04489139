"""`UnpairedDataLoader`: batches of unpaired pictures of two domains."""

import functools
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
    checked_stack,
    depth_of,
)
from keras_gan.data.order import Stream
from keras_gan.datasets.entries import Entries
from keras_gan.datasets.given import GivenData
from keras_gan.datasets.preparation import Preparation
from keras_gan.errors import BadValueError
from keras_gan.images.pixels import checked_resample
from keras_gan.images.readers import ReadWhole
from keras_gan.images.sources import Gray, Half
from keras_gan.images.values import ValueRange


class UnpairedDataLoader(PictureLoader):
    """Loads unpaired pictures of two domains. Can be passed to `fit()`.

    As a `PyDataset` it yields batches (A, B) of equal size from the training splits. Each side is
    shuffled, flipped and cropped independently. An epoch is one pass over the longer side and
    includes the short last batch. The shorter side starts over, reshuffled, so in every epoch its
    pictures appear equally often, give or take one. The seed alone determines all of this. Threads
    prefetch while the device computes. (Pass `shuffle=False` to `fit`, which otherwise reorders the
    batches once more.)

    `load_batch(is_testing=True)` goes through both test splits by name and ends with the shorter one.
    For "gray2colour", drawings and paired folders, the test A and B of a batch are matching
    pictures, so translations can be scored.

    Files can be any pictures that Pillow reads (see `keras_gan.images.sources.read_picture`) or
    arrays (see `keras_gan.images.arrays.read_array`), of any size. Gray pictures in a colour domain
    are converted, and vice versa. Files that are unreadable, less than 2 pixels wide or high, or of
    the wrong number of channels are named, counted and skipped.

    Args:
        dataset_name: what to load, see `keras_gan.datasets.find_unpaired`; None: drawn fruit; several folders of side
            A: the channels of their pictures of the same name, one behind the other.
        dataset_B: the folder of side B, if `dataset_name` is the folder of side A.
        shape_A, shape_B: (height, width, channels) of each domain after resizing; channels other than
            1 or 3 must match the files.
        direction: "AtoB", or "BtoA" to swap the two sides.
        fit: how to resize pictures of another shape, see `keras_gan.images.pixels.shaped`; "random-crop": not at all,
            training sees random parts of them, testing the middle.
        load_size: length of the shorter side that pictures are resized to before a random crop; None: their own.
        resample: filter: nearest, bilinear, bicubic, lanczos, or auto: nearest for label maps, else bicubic.
        value_range: of the pixels, (-1, 1) or (0, 1).
        value_range_of_files: (low, high): the values of black and white in the files, and outside them values
            are clipped; "auto": the smallest and the largest value in up to 256 training files of a side; None:
            as each file states it, see `keras_gan.images.sources.read_picture`.
        augment: in training, resize to 286/256 of the size and crop at random.
        flip: how to turn training pictures at random: "none", "horizontal" (mirror half of them), "both" (also upside
            down) or "rotate" (also by 90 degrees).
        batch_size: pictures per side and batch in `fit()`.
        steps_per_epoch: batches per epoch in `fit()`; None: one pass over the longer side. The next
            epoch continues where this one stopped.
        seed: for shuffling, flipping, cropping and random choices; None: a different one each time.
        workers: decoding threads.
        own_shards: whether each of several hosts reads its own shards only (docs/shards.md); with a single host nothing
            changes.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no such data set.
        BadValueError: (a ValueError) if a side is empty, both are the same, or an argument is invalid.
    """

    def __init__(
        self,
        dataset_name: str | Path | Sequence[str | Path] | GivenData | None = None,
        dataset_B: str | Path | None = None,
        shape_A: tuple[int, int, int] = (128, 128, 3),
        shape_B: tuple[int, int, int] = (128, 128, 3),
        value_range: tuple[int, int] = (-1, 1),
        augment: bool = False,
        flip: Flip = "horizontal",
        batch_size: int = 1,
        steps_per_epoch: int | None = None,
        seed: int | None = None,
        workers: int = 2,
        direction: str = "AtoB",
        fit: str = "resize",
        resample: str = "auto",
        value_range_of_files: ValueRange | None = None,
        load_size: int | None = None,
        own_shards: bool = False,
    ) -> None:
        self.shape_A, self.shape_B = checked_shape("shape_A", shape_A), checked_shape("shape_B", shape_B)
        self.value_range, self.fit = checked_range(value_range), fit
        for height, width, _ in (self.shape_A, self.shape_B):
            checked_crop(fit, load_size, (height, width))
            self.flip = checked_flip(flip, (height, width))
        self.load_size = load_size
        forward = checked_direction(direction)
        self.resample = checked_resample(resample)
        super().__init__(batch_size, steps_per_epoch, seed, workers, own_shards)
        found = datasets.find_unpaired(dataset_name, dataset_B, own_shards)
        self.dataset_name = found.name
        sides = (found.train_A, found.test_A), (found.train_B, found.test_B)
        (self.train_A, self.test_A), (self.train_B, self.test_B) = sides if forward else sides[::-1]
        self.stacked = checked_stack(found.stacked, self.shape_A[2], forward)
        self.depth_A = depth_of(found.name, self.shape_A[2], self.train_A, self.test_A)
        self.depth_B = depth_of(found.name, self.shape_B[2], self.train_B, self.test_B)
        self.augment = augment
        self._open_files(value_range_of_files)

    def load_img(self, path: Any, domain: str = "A") -> np.ndarray:
        """Loads one picture for domain "A" or "B", as float32 (1, height, width, channels) in `value_range`."""
        if domain not in ("A", "B"):
            raise BadValueError(f'domain must be "A" or "B", not {domain!r}.')
        return self._load_resized(path, self.shape_A if domain == "A" else self.shape_B)

    def imread(self, path: Any) -> np.ndarray:
        """Reads one picture at its original size, as float32 (height, width, channels) in [0, 255].

        It is read as colour unless both domains are gray.
        """
        return self._load_original_size(path, np.maximum(self.shape_A, self.shape_B).tolist())

    @functools.cached_property
    def preparation(self) -> Preparation | None:
        """As of every loader; "gray2colour" makes A itself."""
        makes_gray = any(isinstance(picture, Gray) for picture in (*self.train_A[:1], *self.train_B[:1]))
        return Preparation("gray") if makes_gray else super().preparation

    def _pair_files(self):
        if isinstance(self.train_A, Entries):
            are_halves = any(isinstance(picture, Half) for picture in self.train_A[:1])
            return self.train_A.sides()[0] if are_halves else []
        halves = [picture.picture for picture in (*self.train_A, *self.train_B) if isinstance(picture, Half)]
        return [picture for picture in halves if isinstance(picture, Path)]

    def _streams(self, is_testing):
        sides = (self.test_A, self.test_B) if is_testing else (self.train_A, self.train_B)
        changes = {"split": "test"} if is_testing else {"flip": self.flip, "augment": self.augment}
        kinds = (self.shape_A, self.depth_A), (self.shape_B, self.depth_B)
        how = self.resample, self.value_range_of_files, self.load_size
        streams = [
            Stream(
                pictures,
                ReadWhole(shape[2], self.fit, depth, *how),
                shape[:2],
                self.seed,
                side=(number,),
                **changes,
            )
            for number, (pictures, (shape, depth)) in enumerate(zip(sides, kinds, strict=True), 1)
        ]
        return self._own.ordered(streams)

    def _domains(self, stacks, pictures):
        return tuple(stacks)
