"""`UnpairedDataLoader`: pictures of A and of B that have no partners, as batches."""

import numpy as np

from keras_gan import datasets
from keras_gan.data.loader import PictureLoader
from keras_gan.data.options import checked_direction, checked_range, checked_shape, depth_of
from keras_gan.data.order import Stream
from keras_gan.errors import BadValueError
from keras_gan.images.pixels import checked_fit
from keras_gan.images.sources import ReadWhole


class UnpairedDataLoader(PictureLoader):
    """Loads pictures of two domains that have no partners; goes into `fit()` as it is.

    As a `PyDataset` it yields batches (A, B) of equal size from the training splits, each side
    shuffled, flipped and cropped on its own. An epoch is the longer side, its short last batch
    included; within it the shorter side starts over, shuffled again, so that in every epoch each of
    its pictures is seen equally often up to one. All of it follows from the seed alone. Threads
    decode ahead while the device computes. (`fit` reorders the batches of a `PyDataset` once more
    unless it is called with `shuffle=False`.)

    `load_batch(is_testing=True)` goes through both test splits by name, as far as the shorter one
    reaches. Where they hold the same pictures ("gray2colour", "drawn_shoes", a paired folder), the
    A and B of a batch belong together, so that translations can be scored.

    Pictures may be of any kind and size that Pillow reads: see `keras_gan.images.sources.read_picture`; and
    arrays: see `keras_gan.images.arrays.read_array`. Small ones are enlarged, gray ones in a colour domain and
    the reverse are converted. Those that cannot be read, are less than 2 pixels wide or high, or have
    other channels, are named, counted and skipped.

    Args:
        dataset_name: what to load, see `keras_gan.datasets.find_unpaired`; None: drawn shoes.
        dataset_B: the folder of side B, where `dataset_name` is that of side A alone.
        shape_A, shape_B: (height, width, channels) of either domain after resizing; other channels than
            1 or 3 as the files have them.
        direction: "AtoB", or "BtoA" to exchange the two sides.
        fit: what becomes of pictures of another shape, see `keras_gan.images.pixels.shaped`.
        value_range: of the pixels, (-1, 1) or (0, 1).
        augment: in training, resize to 286/256 of the size and crop at random.
        flip: in training, mirror half of the pictures.
        batch_size: pictures of either side per batch in `fit()`.
        steps_per_epoch: batches that `fit()` calls an epoch; None: as many as hold each picture of
            the longer side once. The next epoch goes on where this one stopped.
        seed: of shuffling, flipping, cropping and choosing; None: another one each time.
        workers: decoding threads.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no such data set.
        BadValueError: (a ValueError) if a side is empty, both are the same, or an argument cannot work.
    """

    def __init__(
        self,
        dataset_name=None,
        dataset_B=None,
        shape_A=(128, 128, 3),
        shape_B=(128, 128, 3),
        value_range=(-1, 1),
        augment=False,
        flip=True,
        batch_size=1,
        steps_per_epoch=None,
        seed=None,
        workers=2,
        direction="AtoB",
        fit="resize",
    ):
        self.shape_A, self.shape_B = checked_shape("shape_A", shape_A), checked_shape("shape_B", shape_B)
        self.value_range, self.fit = checked_range(value_range), checked_fit(fit)
        forward = checked_direction(direction)
        super().__init__(batch_size, steps_per_epoch, seed, workers)
        found = datasets.find_unpaired(dataset_name, dataset_B)
        self.dataset_name = found.name
        sides = (found.train_A, found.test_A), (found.train_B, found.test_B)
        (self.train_A, self.test_A), (self.train_B, self.test_B) = sides if forward else reversed(sides)
        self.depth_A = depth_of(found.name, self.shape_A[2], self.train_A, self.test_A)
        self.depth_B = depth_of(found.name, self.shape_B[2], self.train_B, self.test_B)
        self.augment, self.flip = augment, flip

    def load_img(self, path, domain="A"):
        """Loads one picture as one of domain "A" or "B": an array (1, height, width, channels) in `value_range`."""
        if domain not in ("A", "B"):
            raise BadValueError(f'domain must be "A" or "B", not {domain!r}.')
        return self._whole(path, self.shape_A if domain == "A" else self.shape_B)

    def imread(self, path):
        """Reads one picture at its own size, as a float32 array (height, width, channels) in [0, 255].

        It is read in colour unless both domains are gray.
        """
        return self._at_own_size(path, np.maximum(self.shape_A, self.shape_B).tolist())

    def _streams(self, is_testing):
        sides = (self.test_A, self.test_B) if is_testing else (self.train_A, self.train_B)
        changes = {"split": "test"} if is_testing else {"flip": self.flip, "augment": self.augment}
        kinds = (self.shape_A, self.depth_A), (self.shape_B, self.depth_B)
        return [
            Stream(pictures, ReadWhole(shape[2], self.fit, depth), shape[:2], self.seed, side=(number,), **changes)
            for number, (pictures, (shape, depth)) in enumerate(zip(sides, kinds, strict=True), 1)
        ]

    def _domains(self, stacks, pictures):
        return tuple(stacks)
