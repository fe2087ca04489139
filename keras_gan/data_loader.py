"""Pictures as batches: `DataLoader` for pairs (A, B), `UnpairedDataLoader` for A and B that have no partners,
`ImageLoader` for single pictures with or without labels."""

import numpy as np

from keras_gan import datasets
from keras_gan.datasets.labelled import find_labelled, find_pictures
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.pictures import SMALLEST_DRAWING, ReadPair, ReadWhole, as_array, open_picture, resize, scale
from keras_gan.streams import PictureLoader, Stream, checked_range, checked_shape


class DataLoader(PictureLoader):
    """Loads paired pictures, cut into halves A and B; goes into `fit()` as it is.

    As a `PyDataset` it yields the batches (A, B) of the training split: shuffled anew every epoch,
    the short last batch included, both halves of a pair flipped together half of the time. All of
    it follows from the seed alone. Threads decode ahead while the device computes. (`fit` reorders
    the batches of a `PyDataset` once more unless it is called with `shuffle=False`.)

    Pictures may be of any kind that Pillow reads: see `keras_gan.pictures.read_picture`. Those that
    cannot be read, or have no two equal halves, are named, counted and skipped.

    Args:
        dataset_name: what to load, see `keras_gan.datasets.find`; None: edges2shoes or drawn shoes.
        img_res: (height, width) of each half after resizing.
        channels: 3 for colour, 1 for gray.
        value_range: of the pixels, (-1, 1) or (0, 1).
        augment: in training, resize to 286/256 of the size and crop at random, both halves alike.
        batch_size: pairs per batch in `fit()`.
        steps_per_epoch: batches that `fit()` calls an epoch; None: as many as hold each pair once.
            The next epoch goes on where this one stopped.
        seed: of shuffling, flipping and choosing; None: another one each time.
        workers: decoding threads.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no such data set.
        BadValueError: (a ValueError) if a split is empty or an argument cannot work.
    """

    def __init__(
        self,
        dataset_name=None,
        img_res=(128, 128),
        channels=3,
        batch_size=1,
        steps_per_epoch=None,
        seed=None,
        workers=2,
        value_range=(-1, 1),
        augment=False,
    ):
        check_at_least(1, height=img_res[0], width=img_res[1])
        if channels not in (1, 3):
            raise BadValueError(f"channels must be 1 (gray) or 3 (colour), not {channels!r}.")
        super().__init__(batch_size, steps_per_epoch, seed, workers)
        found = datasets.find(dataset_name)
        self.dataset_name = found.name
        self.train, self.test = found.train, found.test
        self.img_res = tuple(img_res)
        self.channels = channels
        self.value_range = checked_range(value_range)
        self.augment = augment

    def load_img(self, path):
        """Loads one whole picture, not cut, as an array (1, height, width, channels) in `value_range`."""
        image = resize(self._open(path), *self.img_res)
        return scale(as_array(image)[np.newaxis], self.value_range)

    def imread(self, path):
        """Reads one picture at its own size, as a float32 array (height, width, channels) in [0, 255]."""
        return as_array(self._open(path)).astype("float32")

    def _open(self, picture):
        return open_picture(picture, self.channels, max(*self.img_res, SMALLEST_DRAWING))

    def _streams(self, is_testing):
        split = self.test if is_testing else self.train
        changes = {"split": "test"} if is_testing else {"flip": True, "augment": self.augment}
        read = ReadPair(self.channels, drawn=max(*self.img_res, SMALLEST_DRAWING))
        return [Stream(split, read, self.img_res, self.seed, **changes)]

    def _domains(self, stacks, pictures):
        (pairs,) = stacks
        return scale(pairs[:, 0], self.value_range), scale(pairs[:, 1], self.value_range)


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

    Pictures may be of any kind and size that Pillow reads: see `keras_gan.pictures.read_picture`.
    Small ones are enlarged, gray ones in a colour domain and the reverse are converted. Those that
    cannot be read, or are less than 2 pixels wide or high, are named, counted and skipped.

    Args:
        dataset_name: what to load, see `keras_gan.datasets.find_unpaired`; None: drawn shoes.
        dataset_B: the folder of side B, where `dataset_name` is that of side A alone.
        shape_A, shape_B: (height, width, channels) of either domain after resizing, 1 or 3 channels.
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
    ):
        self.shape_A, self.shape_B = checked_shape("shape_A", shape_A), checked_shape("shape_B", shape_B)
        self.value_range = checked_range(value_range)
        super().__init__(batch_size, steps_per_epoch, seed, workers)
        found = datasets.find_unpaired(dataset_name, dataset_B)
        self.dataset_name = found.name
        self.train_A, self.train_B = found.train_A, found.train_B
        self.test_A, self.test_B = found.test_A, found.test_B
        self.augment, self.flip = augment, flip

    def load_img(self, path, domain="A"):
        """Loads one picture as one of domain "A" or "B": an array (1, height, width, channels) in `value_range`."""
        if domain not in ("A", "B"):
            raise BadValueError(f'domain must be "A" or "B", not {domain!r}.')
        height, width, channels = self.shape_A if domain == "A" else self.shape_B
        image = open_picture(path, channels, max(height, width, SMALLEST_DRAWING))
        return scale(as_array(resize(image, height, width))[np.newaxis], self.value_range)

    def imread(self, path):
        """Reads one picture at its own size, as a float32 array (height, width, channels) in [0, 255].

        It is read in colour unless both domains are gray.
        """
        height, width, channels = np.maximum(self.shape_A, self.shape_B).tolist()
        return as_array(open_picture(path, channels, max(height, width, SMALLEST_DRAWING))).astype("float32")

    def _streams(self, is_testing):
        sides = (self.test_A, self.test_B) if is_testing else (self.train_A, self.train_B)
        changes = {"split": "test"} if is_testing else {"flip": self.flip, "augment": self.augment}
        return [
            Stream(pictures, ReadWhole(shape[2]), shape[:2], self.seed, side=(number,), **changes)
            for number, (pictures, shape) in enumerate(zip(sides, (self.shape_A, self.shape_B), strict=True), 1)
        ]

    def _domains(self, stacks, pictures):
        imgs_A, imgs_B = (scale(stack, self.value_range) for stack in stacks)
        return imgs_A, imgs_B


class ImageLoader(PictureLoader):
    """Loads single pictures, with their labels if these are asked for; goes into `fit()` as it is.

    As a `PyDataset` it yields the batches `(imgs,)` or `(imgs, labels)` of the training split:
    shuffled anew every epoch, the short last batch included. All of it follows from the seed alone.
    Threads decode ahead while the device computes. (`fit` reorders the batches of a `PyDataset`
    once more unless it is called with `shuffle=False`.) `load_data()` and `load_batch()` give `imgs`
    alone or `(imgs, labels)`.

    Pictures may be of any kind and size that Pillow reads: see `keras_gan.pictures.read_picture`.
    All are resized to `shape`. Those that cannot be read, or are less than 2 pixels wide or high, are
    named, counted and skipped; another picture then takes the place, with a label of its own.

    Args:
        dataset_name: what to load, see `keras_gan.datasets.labelled.find_pictures` and, with labels,
            `find_labelled`; None: drawn digits.
        data_dir: the folder of the idx files of "mnist" or "fashion_mnist"; None: they are fetched.
        shape: (height, width, channels) after resizing, 1 or 3 channels.
        labelled: whether batches have labels: int32 (batch,), numbers of `classes`.
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
    ):
        self.shape = checked_shape("shape", shape)
        self.value_range = checked_range(value_range)
        super().__init__(batch_size, steps_per_epoch, seed, workers)
        found = (find_labelled if labelled else find_pictures)(dataset_name, data_dir)
        self.dataset_name = found.name
        self.train, self.test = found.train, found.test
        self.classes = found.classes
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
        height, width, channels = self.shape
        image = open_picture(path, channels, max(height, width, SMALLEST_DRAWING))
        return scale(as_array(resize(image, height, width))[np.newaxis], self.value_range)

    def _streams(self, is_testing):
        split = self.test if is_testing else self.train
        changes = {"split": "test"} if is_testing else {"flip": self.flip}
        return [Stream(split, ReadWhole(self.shape[2]), self.shape[:2], self.seed, **changes)]

    def _domains(self, stacks, pictures):
        imgs = scale(stacks[0], self.value_range)
        if not self.labelled:
            return imgs
        return imgs, np.array([picture.label for picture in pictures[0]], "int32")
