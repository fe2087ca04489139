"""Single pictures as batches, with their labels or without."""

import numpy as np

from keras_gan.data.loader import PictureLoader
from keras_gan.data.options import checked_range, checked_shape, depth_of
from keras_gan.data.order import Stream
from keras_gan.datasets.labelled import find_labelled, find_pictures
from keras_gan.images.pixels import checked_fit
from keras_gan.images.sources import ReadWhole


class ImageLoader(PictureLoader):
    """Loads single pictures, with their labels if these are asked for; goes into `fit()` as it is.

    As a `PyDataset` it yields the batches `(imgs,)` or `(imgs, labels)` of the training split:
    shuffled anew every epoch, the short last batch included. All of it follows from the seed alone.
    Threads decode ahead while the device computes. (`fit` reorders the batches of a `PyDataset`
    once more unless it is called with `shuffle=False`.) `load_data()` and `load_batch()` give `imgs`
    alone or `(imgs, labels)`.

    Pictures may be of any kind and size that Pillow reads: see `keras_gan.images.sources.read_picture`; and
    arrays: see `keras_gan.images.arrays.read_array`. All are resized to `shape`. Those that cannot be read, are
    less than 2 pixels wide or high, or have other channels, are named, counted and skipped; another
    picture then takes the place, with a label of its own.

    Args:
        dataset_name: what to load, see `keras_gan.datasets.labelled.find_pictures` and, with labels,
            `find_labelled`; None: drawn digits.
        data_dir: the folder of the idx files of "mnist" or "fashion_mnist"; None: they are fetched.
        shape: (height, width, channels) after resizing; other channels than 1 or 3 as the files have them.
        labelled: whether batches have labels: int32 (batch,), numbers of `classes`.
        fit: what becomes of pictures of another shape, see `keras_gan.images.pixels.shaped`.
        value_range: of the pixels, (-1, 1) or (0, 1).
        flip: in training, mirror half of the pictures.
        batch_size: pictures per batch in `fit()`.
        steps_per_epoch: batches that `fit()` calls an epoch; None: as many as hold each picture once.
            The next epoch goes on where this one stopped.
        seed: of shuffling, flipping and choosing; None: another one each time.
        workers: decoding threads.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no such data set.
        BadValueError: (a ValueError) if its pictures have no labels although they are asked for, a
            split or class is empty, a file is damaged, or an argument cannot work.
    """

    def __init__(
        self,
        dataset_name=None,
        data_dir=None,
        shape=(64, 64, 3),
        labelled=False,
        value_range=(-1, 1),
        flip=False,
        batch_size=64,
        steps_per_epoch=None,
        seed=None,
        workers=2,
        fit="resize",
    ):
        self.shape = checked_shape("shape", shape)
        self.value_range, self.fit = checked_range(value_range), checked_fit(fit)
        super().__init__(batch_size, steps_per_epoch, seed, workers)
        found = (find_labelled if labelled else find_pictures)(dataset_name, data_dir)
        self.dataset_name = found.name
        self.train, self.test = found.train, found.test
        self.classes = found.classes
        self.depth = depth_of(found.name, self.shape[2], found.train, found.test)
        self.labelled, self.flip = labelled, flip

    @property
    def n_classes(self):
        """How many classes there are: labels are below it."""
        return len(self.classes)

    def __getitem__(self, batch_i):
        batch = super().__getitem__(batch_i)
        return batch if self.labelled else (batch,)  # `fit()` takes tuples apart

    def load_img(self, path):
        """Loads one picture as an array (1, height, width, channels) in `value_range`."""
        return self._whole(path, self.shape)

    def _streams(self, is_testing):
        split = self.test if is_testing else self.train
        changes = {"split": "test"} if is_testing else {"flip": self.flip}
        return [Stream(split, ReadWhole(self.shape[2], self.fit, self.depth), self.shape[:2], self.seed, **changes)]

    def _domains(self, stacks, pictures):
        (imgs,) = stacks
        if not self.labelled:
            return imgs
        return imgs, np.array([picture.label for picture in pictures[0]], "int32")
