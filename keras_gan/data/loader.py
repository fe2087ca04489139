"""The base class of the loaders: batches for `fit()`, and checks before training."""

import copy
import functools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from numbers import Integral
from typing import Any

import keras
import numpy as np

from keras_gan import console
from keras_gan.data.order import check_given, files_by_side, longest
from keras_gan.data.own_part import OwnPart
from keras_gan.data.reading import PictureReader
from keras_gan.datasets.entries import Entries
from keras_gan.datasets.pair_files import check_pairs
from keras_gan.datasets.preparation import Preparation, preparation_of
from keras_gan.datasets.spans import chosen_range, range_of_all, warn_of_values
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.images.sources import is_of_user, source
from keras_gan.images.values import ValueRange, checked_value_range

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


class PictureLoader(PictureReader, keras.utils.PyDataset):
    """Base class of the loaders: numbered batches of one or several streams, for `fit()` and for custom loops.

    A subclass defines `value_range`, `fit`, `_streams(is_testing)`, which returns a list of `Stream`s,
    and `_domains(stacks, pictures)`, which makes a batch such as (imgs_A, imgs_B). For each stream it
    gets a scaled float32 array (..., batch, height, width, channels) and the list of its pictures.
    Its constructor calls `_open_files()` once the pictures are found.

    Batches are numbered from the first one ever asked for, by `epoch` and `played`. A copy that `batches()`
    makes begins where this loader and its earlier copies ended, so that a second training goes on with new
    batches. A run that is resumed sets `epoch` and `played` of its copy, and its epochs count on from there.
    """

    def __init__(
        self, batch_size: int, steps_per_epoch: int | None, seed: int | None, workers: int, own_shards: bool = False
    ) -> None:
        steps = 1 if steps_per_epoch is None else steps_per_epoch
        check_at_least(1, batch_size=batch_size, workers=workers, steps_per_epoch=steps)
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0):
            raise BadValueError(f"seed must be a whole number of at least 0, not {seed!r}.")
        console.print_any_name()
        PictureReader.__init__(self)
        keras.utils.PyDataset.__init__(self, workers=workers)
        self.batch_size = int(batch_size)
        self.steps_per_epoch = None if steps_per_epoch is None else int(steps_per_epoch)
        self.seed = np.random.SeedSequence().entropy if seed is None else int(seed)
        self.epoch = 0
        self.played = 0  # batches of this epoch that a resumed run has already trained on
        self.parts = 1  # the number of equal parts that every batch is divided into
        self._own = OwnPart(own_shards)
        self.own_shards = self._own.wanted
        self.share = self._own.share  # (index, count): which part of each batch this process reads
        self._checked = False
        self._progress = Progress()  # of this loader and its copies
        self._rng = np.random.default_rng(self.seed)

    def _open_files(self, wanted: ValueRange | None) -> None:
        """Sets `value_range_of_files`, the values of black and white in the files. "auto" reads some of them."""
        wanted = checked_value_range(wanted)
        self._own.check(self._streams(False)[0].pictures, self.dataset_name)
        found = self._own.everywhere(
            lambda: chosen_range(wanted, files_by_side(self._streams(False)), self.dataset_name)
        )
        self.value_range_of_files = range_of_all(found)
        check_given([*self._streams(False), *self._streams(True)])

    @property
    def n_batches(self) -> int:
        """Batches per pass over the longer side. A short last one is dropped if it cannot be divided into parts.

        If hosts have their own shards, batches are whole, and the host with the fewest pictures can fill its part.
        """
        if self._own.is_on:
            self.check()
            self._own.check_batch(self.batch_size)
            return self._own.batches(self.batch_size)
        whole, rest = divmod(longest(self._streams(is_testing=False)), self.batch_size)
        return whole + (rest > 0 and rest % self.parts == 0)

    @property
    def rest(self) -> int:
        """The number of pictures that a pass over the longer side leaves for a short last batch."""
        return 0 if self._own.is_on else longest(self._streams(is_testing=False)) % self.batch_size

    def load_data(self, batch_size: int = 1, is_testing: bool = False) -> Any:
        """Loads random pictures from the test split (is_testing) or the training split.

        Returns:
            A batch of float32 arrays (batch_size, height, width, channels): (imgs_A, imgs_B) if there
            are two domains.
        """
        check_at_least(1, batch_size=batch_size)

        def load() -> Any:
            return self._load([(s, s.at_random(self._rng, batch_size)) for s in self._streams(is_testing)])

        return next(self._own.of_first(load() for _ in range(1))) if is_testing else load()

    def load_batch(self, batch_size: int = 1, is_testing: bool = False) -> Iterator[Any]:
        """Yields the batches of one epoch: shuffled for training, sorted by name for testing.

        For testing, the epoch ends with the shorter side.
        """
        check_at_least(1, batch_size=batch_size)
        if is_testing:
            yield from self._own.of_first(self._test_batches(batch_size))
            return
        self.batch_size = batch_size
        for batch_i in range(self.n_batches):
            yield self._training_batch(self.epoch * self.n_batches + batch_i)
        self.epoch += 1
        self._progress.note(self.epoch, self.n_batches, self.n_batches, (self.batch_size, None))

    def _test_batches(self, batch_size: int) -> Iterator[Any]:
        streams = self._streams(is_testing=True)
        total = min(len(stream.pictures) for stream in streams)
        for start in range(0, total, batch_size):
            stop = min(start + batch_size, total)
            yield self._load([(stream, stream.in_order(start, stop)) for stream in streams])

    def counts(self, is_testing: bool) -> list[int]:
        """The number of pictures of each side in a split. If hosts have their own shards, those of all hosts.

        Raises:
            The errors of `check`, in that case.
        """
        if not self._own.is_on:
            return [len(stream.pictures) for stream in self._streams(is_testing)]
        self.check()
        return self._own.total(is_testing)

    @property
    def own_hosts(self) -> int:
        """The number of hosts that read their own shards each; 1 if all pictures are shared."""
        return self._own.share[1]

    def left_out_in_words(self) -> str:
        """How many pictures a pass leaves out, of all hosts, where they have their own shards."""
        return self._own.left_out_in_words(self.batch_size)

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
        If hosts have their own shards, all hosts must call it, and each checks its own.

        Raises:
            BadValueError: if more than half of the files read are broken, or files that should be pairs are none.
        """
        if not self._checked:
            self._own.count(self._check)
            self._checked = True

    def _check(self) -> tuple[list[int], list[int]]:
        """Does what `check` says; returns the number of pictures of each stream, (training, testing)."""
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
        to_train, to_test = ([len(s.pictures) for s in self._streams(is_testing)] for is_testing in (False, True))
        return to_train, to_test

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
        epoch, batch_i = divmod(number, self.n_batches)
        part, parts = self.share
        if self._own.is_on:
            size = self.batch_size // parts
            total, places = self.n_batches * size, range(batch_i * size, (batch_i + 1) * size)
        else:
            total, start = longest(streams), batch_i * self.batch_size
            places = range(start, min(start + self.batch_size, total))
            places = places[len(places) * part // parts : len(places) * (part + 1) // parts]
        return self._load([(stream, stream.in_epoch(epoch, places, total)) for stream in streams])
