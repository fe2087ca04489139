"""Paired pix2pix-style pictures, A in the left half and B in the right, as batches in [-1, 1]."""

import copy
import functools
import sys
import threading

import keras
import numpy as np
from PIL import UnidentifiedImageError

from keras_gan import datasets
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.pictures import UNREADABLE, read_picture, resize

CHECKED_BEFORE_TRAINING = 256


class DataLoader(keras.utils.PyDataset):
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
        check_at_least(1, height=img_res[0], width=img_res[1], batch_size=batch_size, workers=workers)
        if steps_per_epoch is not None:
            check_at_least(1, steps_per_epoch=steps_per_epoch)
        if channels not in (1, 3):
            raise BadValueError(f"channels must be 1 (gray) or 3 (colour), not {channels!r}.")
        super().__init__(workers=workers)
        found = datasets.find(dataset_name)
        self.dataset_name = found.name
        self.train, self.test = found.train, found.test
        self.img_res = tuple(img_res)
        self.channels = channels
        self.batch_size = batch_size
        self.steps_per_epoch = steps_per_epoch
        self.seed = np.random.SeedSequence().entropy if seed is None else seed
        self.epoch = 0
        self.skipped = {}
        self._checked = False
        self._rng = np.random.default_rng(self.seed)
        self._lock = threading.Lock()

    # The names of the post.

    @property
    def n_batches(self):
        """Batches that hold each training pair once, the short last one included."""
        return -(-len(self.train) // self.batch_size)

    def load_data(self, batch_size=1, is_testing=False):
        """Loads pairs chosen at random from the test split (is_testing) or the training split.

        Returns:
            (imgs_A, imgs_B), float32 arrays (batch_size, height, width, channels) in [-1, 1].
        """
        check_at_least(1, batch_size=batch_size)
        split = self.test if is_testing else self.train
        chosen = self._rng.choice(len(split), batch_size, replace=batch_size > len(split))
        flips = np.zeros(batch_size, bool) if is_testing else self._rng.random(batch_size) < 0.5
        return self._load(split, chosen, flips)

    def load_batch(self, batch_size=1, is_testing=False):
        """Yields (imgs_A, imgs_B) until each pair was seen once: shuffled, or in order of name when testing."""
        check_at_least(1, batch_size=batch_size)
        if is_testing:
            for start in range(0, len(self.test), batch_size):
                chosen = range(start, min(start + batch_size, len(self.test)))
                yield self._load(self.test, chosen, [False] * len(chosen))
            return
        self.batch_size = batch_size
        for batch_i in range(self.n_batches):
            yield self._training_batch(self.epoch * self.n_batches + batch_i)
        self.epoch += 1

    def load_img(self, path):
        """Loads one whole picture, not cut, as an array (1, height, width, channels) in [-1, 1]."""
        image = resize(self._open(path), *self.img_res)
        return scale(as_array(image)[np.newaxis])

    def imread(self, path):
        """Reads one picture at its own size, as a float32 array (height, width, channels) in [0, 255]."""
        return as_array(self._open(path)).astype("float32")

    # What fit() asks for.

    def __len__(self):
        return self.steps_per_epoch or self.n_batches

    def __getitem__(self, batch_i):
        return self._training_batch(self.epoch * len(self) + batch_i)

    def on_epoch_end(self):
        self.epoch += 1

    def batches(self, batch_size, steps_per_epoch=None):
        """This loader with another batch size and epoch length, checked and ready for `fit()`.

        Raises:
            BadValueError: if an argument cannot work, or if more than half of the pictures are broken.
        """
        check_at_least(1, batch_size=batch_size)
        if steps_per_epoch is not None:
            check_at_least(1, steps_per_epoch=steps_per_epoch)
        self.check()
        loader = copy.copy(self)
        loader.batch_size, loader.steps_per_epoch = batch_size, steps_per_epoch
        return loader

    def check(self):
        """Reads up to 256 pictures of each split, evenly spread; drops the broken ones, naming them.

        Raises:
            BadValueError: if more than half of them are broken.
        """
        if self._checked:
            return
        for split in (self.train, self.test):
            sample = split[:: -(-len(split) // CHECKED_BEFORE_TRAINING)]
            broken = [picture for picture in sample if self._pair(picture) is None]
            if 2 * len(broken) > len(sample):
                first = broken[0]
                raise BadValueError(
                    f"{len(broken)} of {len(sample)} pictures cannot be used, the first of them {first}: "
                    f"{self.skipped[first]}."
                )
            split[:] = [picture for picture in split if picture not in self.skipped]
        self._checked = True

    # How a batch comes about.

    def _training_batch(self, number):
        """Batch `number` since training began. It follows from seed and number alone, in any order and thread."""
        epoch, batch_i = divmod(number, self.n_batches)
        order, flips = self._shuffled(self.seed, epoch, len(self.train))
        start = batch_i * self.batch_size
        chosen = order[start : start + self.batch_size]
        return self._load(self.train, chosen, flips[chosen])

    @staticmethod
    @functools.lru_cache(maxsize=4)
    def _shuffled(seed, epoch, n):
        """The order of n pairs in this epoch, and which of them are flipped."""
        rng = np.random.default_rng([seed, epoch])
        return rng.permutation(n), rng.random(n) < 0.5

    def _load(self, split, indices, flips):
        pairs = [self._pair_or_next(split, index) for index in indices]
        pairs = [pair[:, :, ::-1] if flip else pair for pair, flip in zip(pairs, flips, strict=True)]
        imgs_A, imgs_B = np.stack(pairs, axis=1)
        return scale(imgs_A), scale(imgs_B)

    def _pair_or_next(self, split, index):
        """The pair of split[index] or, where that is broken, of the next one by name that is not."""
        for offset in range(len(split)):
            pair = self._pair(split[(index + offset) % len(split)])
            if pair is not None:
                return pair
        raise BadValueError(f"none of the {len(split)} pictures can be used, the first of them {split[0]}.")

    def _pair(self, picture):
        """Both halves of a picture, uint8 (2, height, width, channels), or None if it is broken."""
        if picture in self.skipped:
            return None
        try:
            image = self._open(picture)
            width, height = image.size
            if width % 2:
                raise ValueError(f"its width of {width} has no two equal halves")
            halves = (image.crop((0, 0, width // 2, height)), image.crop((width // 2, 0, width, height)))
            return np.stack([as_array(resize(half, *self.img_res)) for half in halves])
        except UnidentifiedImageError:
            self._skip(picture, "it is no picture")
        except UNREADABLE as error:
            self._skip(picture, str(error) or type(error).__name__)

    def _open(self, picture):
        if isinstance(picture, datasets.DrawnShoe):
            return picture.draw(max(*self.img_res, 16)).convert("L" if self.channels == 1 else "RGB")
        return read_picture(picture, self.channels)

    def _skip(self, picture, reason):
        with self._lock:
            if picture not in self.skipped:
                self.skipped[picture] = reason
                print(f"skipping {picture}: {reason} ({len(self.skipped)} skipped so far)", file=sys.stderr)


def as_array(image):
    """The pixels of a picture, uint8 (height, width, channels)."""
    pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]


def scale(pixels):
    """From [0, 255] to float32 in [-1, 1]."""
    return pixels.astype("float32") / 127.5 - 1
