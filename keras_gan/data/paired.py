"""`DataLoader`: pairs of pictures (A, B) as batches."""

from keras_gan import datasets
from keras_gan.data.loader import PictureLoader
from keras_gan.data.options import checked_direction, checked_range, checked_shape, depth_of
from keras_gan.data.order import Stream
from keras_gan.images.pixels import checked_fit
from keras_gan.images.sources import ReadPair


class DataLoader(PictureLoader):
    """Loads pairs of pictures, the halves A and B of one or two of the same name; goes into `fit()` as it is.

    As a `PyDataset` it yields the batches (A, B) of the training split: shuffled anew every epoch,
    the short last batch included, both halves of a pair flipped together half of the time. All of
    it follows from the seed alone. Threads decode ahead while the device computes. (`fit` reorders
    the batches of a `PyDataset` once more unless it is called with `shuffle=False`.)

    Pictures may be of any kind that Pillow reads: see `keras_gan.images.sources.read_picture`; and arrays:
    see `keras_gan.images.arrays.read_array`. Those that cannot be read, or have no two equal halves or other
    channels, are named, counted and skipped.

    Args:
        dataset_name: what to load, see `keras_gan.datasets.find`; None: edges2shoes or drawn shoes.
        dataset_B: the folder of side B, where `dataset_name` is that of side A alone.
        img_res: (height, width) of each half after resizing.
        channels: 3 for colour, 1 for gray, others as the files have them.
        direction: "AtoB", or "BtoA" to exchange the two halves.
        fit: what becomes of pictures of another shape, see `keras_gan.images.pixels.shaped`.
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
        dataset_B=None,
        direction="AtoB",
        fit="resize",
    ):
        shape = checked_shape("the halves", (*img_res, channels))
        self.img_res, self.channels = shape[:2], shape[2]
        self.value_range = checked_range(value_range)
        self.forward, self.fit = checked_direction(direction), checked_fit(fit)
        super().__init__(batch_size, steps_per_epoch, seed, workers)
        found = datasets.find(dataset_name, dataset_B)
        self.dataset_name = found.name
        self.train, self.test = found.train, found.test
        self.depth = depth_of(found.name, channels, found.train, found.test)
        self.augment = augment

    def load_img(self, path):
        """Loads one whole picture, not cut, as an array (1, height, width, channels) in `value_range`."""
        return self._whole(path, (*self.img_res, self.channels))

    def imread(self, path):
        """Reads one picture at its own size, as a float32 array (height, width, channels) in [0, 255]."""
        return self._at_own_size(path, (*self.img_res, self.channels))

    def _streams(self, is_testing):
        split = self.test if is_testing else self.train
        changes = {"split": "test"} if is_testing else {"flip": True, "augment": self.augment}
        read = ReadPair(self.channels, max(self.img_res), self.fit, self.depth)
        return [Stream(split, read, self.img_res, self.seed, **changes)]

    def _domains(self, stacks, pictures):
        (halves,) = stacks
        return tuple(halves if self.forward else halves[::-1])
