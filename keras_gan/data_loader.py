"""Pictures of two domains A and B as batches: `DataLoader` for paired ones, `UnpairedDataLoader` for unpaired ones."""

import numpy as np

from keras_gan import datasets
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.pictures import as_array, halves, open_picture, resize, scale
from keras_gan.streams import PictureLoader, Stream

SMALLEST_DRAWING = 16


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

    def load_img(self, path):
        """Loads one whole picture, not cut, as an array (1, height, width, channels) in [-1, 1]."""
        image = resize(self._open(path), *self.img_res)
        return scale(as_array(image)[np.newaxis])

    def imread(self, path):
        """Reads one picture at its own size, as a float32 array (height, width, channels) in [0, 255]."""
        return as_array(self._open(path)).astype("float32")

    def _open(self, picture):
        return open_picture(picture, self.channels, max(*self.img_res, SMALLEST_DRAWING))

    def _streams(self, is_testing):
        split = self.test if is_testing else self.train
        return [Stream(split, self._read_pair, self.img_res, self.seed, flip=not is_testing)]

    def _read_pair(self, picture, height, width):
        """Both halves of a picture, uint8 (2, height, width, channels)."""
        return np.stack([as_array(resize(half, height, width)) for half in halves(self._open(picture))])

    def _domains(self, stacks):
        (pairs,) = stacks
        return scale(pairs[:, 0]), scale(pairs[:, 1])


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
        if value_range not in ((-1, 1), (0, 1), [-1, 1], [0, 1]):
            raise BadValueError(f"value_range must be (-1, 1) or (0, 1), not {value_range!r}.")
        super().__init__(batch_size, steps_per_epoch, seed, workers)
        found = datasets.find_unpaired(dataset_name, dataset_B)
        self.dataset_name = found.name
        self.train_A, self.train_B = found.train_A, found.train_B
        self.test_A, self.test_B = found.test_A, found.test_B
        self.value_range = tuple(value_range)
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
        changes = {} if is_testing else {"flip": self.flip, "augment": self.augment}
        return [
            Stream(pictures, reader(shape[2]), shape[:2], self.seed, side=(number,), **changes)
            for number, (pictures, shape) in enumerate(zip(sides, (self.shape_A, self.shape_B), strict=True), 1)
        ]

    def _domains(self, stacks):
        imgs_A, imgs_B = (scale(stack, self.value_range) for stack in stacks)
        return imgs_A, imgs_B


def checked_shape(name, shape):
    """`shape` as a tuple (height, width, channels), or a BadValueError that names it."""
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise BadValueError(f"{name} must be (height, width, channels) with 1 or 3 channels, not {tuple(shape)}.")
    check_at_least(1, **{f"height of {name}": shape[0], f"width of {name}": shape[1]})
    return tuple(shape)


def reader(channels):
    """How a `Stream` reads whole pictures with so many channels."""

    def read(picture, height, width):
        """uint8 (height, width, channels)."""
        image = open_picture(picture, channels, max(height, width, SMALLEST_DRAWING))
        if min(image.size) < 2:
            raise ValueError(f"it is only {image.width} x {image.height} pixels")
        return as_array(resize(image, height, width))

    return read
