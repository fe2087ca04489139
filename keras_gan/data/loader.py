"""The base class of the loaders: batches for `fit()`, checks before training, and skipping broken pictures."""

import copy
import functools
import math
import sys
import threading
from collections.abc import Iterator, Sequence
from fractions import Fraction
from numbers import Integral
from typing import Any

import keras
import numpy as np
from PIL import UnidentifiedImageError

from keras_gan import console
from keras_gan.data.cache import Cache
from keras_gan.data.order import check_given, files_by_side, longest
from keras_gan.datasets.entries import Entries
from keras_gan.datasets.pair_files import check_pairs
from keras_gan.datasets.preparation import Preparation, preparation_of
from keras_gan.datasets.spans import chosen_range, warn_of_values
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.images.pixels import RANDOM_CROP, as_pixels, scale, size_of
from keras_gan.images.sources import UNREADABLE, is_of_user, open_picture, source
from keras_gan.images.values import Range, ValueRange, checked_value_range

CHECKED_BEFORE_TRAINING = 256


class Progress:
    """How many passes over the training pictures a loader and its copies have ended."""

    def __init__(self) -> None:
        self._passes = Fraction(0)
        self._last: tuple[Any, int] = (None, 0)  # how the last copy counted, and its epoch

    def note(self, epoch: int, batches_per_epoch: int, batches_per_pass: int, counted_in: Any) -> None:
        """Takes down that so many epochs have ended, which were `counted_in` this batch size and length."""
        self._passes = Fraction(epoch * batches_per_epoch, batches_per_pass)
        self._last = counted_in, epoch

    def next_epoch(self, batches_per_epoch: int, batches_per_pass: int, counted_in: Any) -> int:
        """The first epoch that repeats none."""
        of_last, epoch = self._last
        return epoch if of_last == counted_in else math.ceil(self._passes * batches_per_pass / batches_per_epoch)


class PictureLoader(keras.utils.PyDataset):
    """Base class of the loaders: numbered batches of one or several streams, for `fit()` and for custom loops.

    A subclass defines `value_range`, `fit`, `_streams(is_testing)`, which returns a list of `Stream`s,
    and `_domains(stacks, pictures)`, which makes a batch such as (imgs_A, imgs_B). For each stream it
    gets a scaled float32 array (..., batch, height, width, channels) and the list of its pictures.
    Its constructor calls `_open_files()` once the pictures are found.

    Batches are numbered from the first one ever asked for, by `epoch` and `played`. A copy that `batches()`
    makes begins where this loader and its earlier copies ended, so that a second training goes on with new
    batches. A run that is resumed sets `epoch` and `played` of its copy, and its epochs count on from there.
    """

    def __init__(self, batch_size: int, steps_per_epoch: int | None, seed: int | None, workers: int) -> None:
        steps = 1 if steps_per_epoch is None else steps_per_epoch
        check_at_least(1, batch_size=batch_size, workers=workers, steps_per_epoch=steps)
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0):
            raise BadValueError(f"seed must be a whole number of at least 0, not {seed!r}.")
        console.print_any_name()
        super().__init__(workers=workers)
        self.batch_size = int(batch_size)
        self.steps_per_epoch = None if steps_per_epoch is None else int(steps_per_epoch)
        self.seed = np.random.SeedSequence().entropy if seed is None else int(seed)
        self.value_range_of_files: Range = None
        self.epoch = 0
        self.played = 0  # batches of this epoch that a resumed run has already trained on
        self.parts = 1  # the number of equal parts that every batch is divided into
        self.share = (0, 1)  # (index, count): which part of each batch this process reads
        self.skipped: dict[Any, str] = {}
        self._checked = False
        self._progress = Progress()  # of this loader and its copies
        self._cache = Cache()
        self._rng = np.random.default_rng(self.seed)
        self._lock = threading.Lock()

    def _open_files(self, wanted: ValueRange | None) -> None:
        """Sets `value_range_of_files`, the values of black and white in the files. "auto" reads some of them."""
        wanted = checked_value_range(wanted)
        self.value_range_of_files = chosen_range(wanted, files_by_side(self._streams(False)), self.dataset_name)
        check_given([*self._streams(False), *self._streams(True)])

    @property
    def n_batches(self) -> int:
        """Batches per pass over the longer side. A short last one is dropped if it cannot be divided into parts."""
        whole, rest = divmod(longest(self._streams(is_testing=False)), self.batch_size)
        return whole + (rest > 0 and rest % self.parts == 0)

    @property
    def rest(self) -> int:
        """The number of pictures that a pass over the longer side leaves for a short last batch."""
        return longest(self._streams(is_testing=False)) % self.batch_size

    def load_data(self, batch_size: int = 1, is_testing: bool = False) -> Any:
        """Loads random pictures from the test split (is_testing) or the training split.

        Returns:
            A batch of float32 arrays (batch_size, height, width, channels): (imgs_A, imgs_B) if there
            are two domains.
        """
        check_at_least(1, batch_size=batch_size)
        return self._load([(s, s.at_random(self._rng, batch_size)) for s in self._streams(is_testing)])

    def load_batch(self, batch_size: int = 1, is_testing: bool = False) -> Iterator[Any]:
        """Yields the batches of one epoch: shuffled for training, sorted by name for testing.

        For testing, the epoch ends with the shorter side.
        """
        check_at_least(1, batch_size=batch_size)
        if is_testing:
            streams = self._streams(is_testing=True)
            total = min(len(stream.pictures) for stream in streams)
            for start in range(0, total, batch_size):
                stop = min(start + batch_size, total)
                yield self._load([(stream, stream.in_order(start, stop)) for stream in streams])
            return
        self.batch_size = batch_size
        for batch_i in range(self.n_batches):
            yield self._training_batch(self.epoch * self.n_batches + batch_i)
        self.epoch += 1
        self._progress.note(self.epoch, self.n_batches, self.n_batches, (self.batch_size, None))

    def _load_resized(self, picture, shape):
        """One picture as float32 (1, *shape) in `value_range`."""
        height, width, channels = shape
        image = open_picture(picture, channels, max(height, width), self.value_range_of_files)
        fit = "crop" if self.fit == RANDOM_CROP else self.fit
        return scale(as_pixels(image, height, width, fit, resample=self.resample)[np.newaxis], self.value_range)

    def _load_original_size(self, picture, shape):
        """One picture as float32 (height, width, channels) in [0, 255]. Drawings get the size in `shape`."""
        image = open_picture(picture, shape[2], max(shape[:2]), self.value_range_of_files)
        width, height = size_of(image)
        return scale(as_pixels(image, height, width), (0, 255))

    def __len__(self) -> int:
        return self._batches_per_epoch - self.played

    def __getitem__(self, batch_i: int) -> Any:
        return self._training_batch(self.epoch * self._batches_per_epoch + self.played + batch_i)

    def on_epoch_end(self) -> None:
        self.epoch += 1
        self.played = 0
        counted_in = self.batch_size, self.steps_per_epoch
        self._progress.note(self.epoch, self._batches_per_epoch, self.n_batches, counted_in)

    @property
    def _batches_per_epoch(self):
        return self.steps_per_epoch or self.n_batches

    @property
    def random_state(self) -> Any:
        """The state of the random generator of `load_data()`, JSON-serializable."""
        return self._rng.bit_generator.state

    @random_state.setter
    def random_state(self, state: Any) -> None:
        self._rng.bit_generator.state = state

    def batches(self, batch_size: int, steps_per_epoch: int | None = None) -> "PictureLoader":
        """A checked copy of this loader with another batch size and epoch length, ready for `fit()`.

        Its `epoch` is the first that neither this loader nor another copy has begun and ended.

        Raises:
            BadValueError: if an argument is invalid, or more than half of the pictures are broken.
        """
        check_at_least(1, batch_size=batch_size, steps_per_epoch=1 if steps_per_epoch is None else steps_per_epoch)
        self.check()
        loader = copy.copy(self)
        loader.batch_size = int(batch_size)
        loader.steps_per_epoch = None if steps_per_epoch is None else int(steps_per_epoch)
        counted_in = loader.batch_size, loader.steps_per_epoch
        loader.epoch = self._progress.next_epoch(loader._batches_per_epoch, loader.n_batches, counted_in)
        loader.played = 0
        return loader

    def check(self) -> None:
        """Reads up to 256 evenly spaced files of each split. Names broken ones and removes them from the split.

        Warns if files that should be pairs hardly look like pairs, and of values that make nearly black pictures.

        Raises:
            BadValueError: if more than half of the files read are broken, or files that should be pairs are none.
        """
        if self._checked:
            return
        streams = [*self._streams(is_testing=False), *self._streams(is_testing=True)]
        for stream in streams:
            files: Any = stream.pictures
            if not isinstance(files, Entries):
                files = [picture for picture in files if is_of_user(picture)]
            sample = files[:: -(-len(files) // CHECKED_BEFORE_TRAINING) or 1]
            broken = [picture for picture in sample if self._decoded(stream, picture) is None]
            if 2 * len(broken) > len(sample):
                first = source(broken[0])
                raise BadValueError(
                    f"{len(broken)} of {len(sample)} pictures cannot be used, the first of them {first}: "
                    f"{self.skipped[first]}."
                )
        for stream in streams:  # not earlier, so that test sides made from the same files stay aligned
            if isinstance(stream.pictures, Entries):
                stream.pictures.discard(self.skipped)
            else:
                stream.pictures[:] = [picture for picture in stream.pictures if source(picture) not in self.skipped]
        check_pairs(self._pair_files(), f"data set {self.dataset_name!r}")
        warn_of_values(files_by_side(self._streams(is_testing=False)), self.value_range_of_files)
        self._checked = True

    @functools.cached_property
    def preparation(self) -> Preparation | None:
        """How side A of the data set was made of photos, if that is known."""
        return preparation_of(self._pair_files())

    def _pair_files(self) -> Sequence[Any]:
        """The files of the training split that should hold a pair side by side: paths or members of shards."""
        return []

    def _training_batch(self, number):
        """Batch `number` since training began. It depends only on seed and number, so any thread can ask for it."""
        streams = self._streams(is_testing=False)
        total = longest(streams)
        epoch, batch_i = divmod(number, self.n_batches)
        start = batch_i * self.batch_size
        places = range(start, min(start + self.batch_size, total))
        part, parts = self.share
        places = places[len(places) * part // parts : len(places) * (part + 1) // parts]
        return self._load([(stream, stream.in_epoch(epoch, places, total)) for stream in streams])

    def _load(self, views_of_streams):
        read = [[self._read(stream, view) for view in views] for stream, views in views_of_streams]
        stacks = [
            self._stacked(stream, of_stream) for (stream, _), of_stream in zip(views_of_streams, read, strict=True)
        ]
        return self._domains(stacks, [[picture for picture, _ in of_stream] for of_stream in read])

    def _stacked(self, stream, read):
        """Scales the (picture, pixels) read: float32 (..., batch, height, width, channels).

        All go into one array. Separate arrays would be freed together and returned to the system;
        the page faults of the next batch, one per 4 kB, would then take longer than everything else.
        """
        *halves, _, _, channels = read[0][1].shape
        stack = np.empty((*halves, len(read), *stream.size, channels), "float32")
        for i, (_, pixels) in enumerate(read):
            scale(pixels, self.value_range, out=stack[..., i, :, :, :])
        return stack

    def _read(self, stream, view):
        """(picture, its pixels as a view shows them). A broken picture is replaced by the next readable one by name."""
        n = len(stream.pictures)
        for offset in range(n):
            picture = stream.pictures[(view.number + offset) % n]
            pixels = self._decoded(stream, picture)
            if pixels is not None:
                return picture, stream.show(pixels, view)
        raise BadValueError(f"none of the {n} pictures can be used, the first of them {source(stream.pictures[0])}.")

    def _decoded(self, stream, picture):
        """The pixels of a picture, or None if it is broken."""
        if source(picture) in self.skipped:
            return None
        try:
            return self._cache.pixels(stream, picture)
        except UnidentifiedImageError:
            self._skip(source(picture), "it is no picture")
        except UNREADABLE as error:
            self._skip(source(picture), str(error) or type(error).__name__)

    def _skip(self, picture, reason):
        with self._lock:
            if picture not in self.skipped:
                self.skipped[picture] = reason
                print(f"skipping {picture}: {reason} ({len(self.skipped)} skipped so far)", file=sys.stderr)
