"""What loaders do where each of several hosts reads its own shards. See docs/shards.md."""

from collections.abc import Callable, Iterator
from typing import Any

from keras_gan.backend.together import from_first, together
from keras_gan.data.order import Stream
from keras_gan.datasets.entries import Entries
from keras_gan.datasets.own_shards import hosts
from keras_gan.errors import BadValueError, check_switch


class OwnPart:
    """The part of a data set that this host reads, beside those of the others.

    Args:
        wanted: whether each host is to read its own shards. With a single host that changes nothing.

    Attributes:
        share: (number of this host, number of hosts); (0, 1) unless several hosts have their own shards.
        is_on: whether they have.
        counts: of each host the number of pictures of each stream, (training, testing), once `count` was called.
    """

    def __init__(self, wanted: bool) -> None:
        check_switch(own_shards=wanted)
        self.wanted = bool(wanted)
        self.share = hosts(self.wanted)
        self.is_on = self.share[1] > 1
        self.counts: list[tuple[list[int], list[int]]] = []

    def check(self, pictures: Any, name: str) -> None:
        """Raises BadValueError if hosts are to have their own shards of a data set that is not in shards."""
        if self.wanted and not isinstance(pictures, Entries):
            raise BadValueError(
                f"own_shards is for data in shards (docs/shards.md), and {name!r} is none: leave it out."
            )

    def ordered(self, streams: list[Stream]) -> list[Stream]:
        """Streams whose order, flips and crops are those of this host."""
        return [stream._replace(side=(*stream.side, *self.share)) for stream in streams] if self.is_on else streams

    def everywhere(self, action: Callable[[], Any]) -> list[Any]:
        """What `action` returns on each host, or here if they share all pictures; see `together`."""
        return together(action) if self.is_on else [action()]

    def of_first(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Batches that the first host reads, on all hosts. Those of any host, if they share all pictures."""
        if not self.is_on:
            yield from batches
            return
        while (batch := from_first(lambda: next(batches, None))) is not None:
            yield batch

    def count(self, look: Callable[[], tuple[list[int], list[int]]]) -> None:
        """Sets `counts` to what `look` returns on each host.

        Raises:
            BadValueError: if it raises an error on one, or a host has no pictures of a side to train.
        """
        self.counts = [tuple(of_host) for of_host in self.everywhere(look)] if self.is_on else [look()]
        for host, (to_train, _) in enumerate(self.counts):
            if self.is_on and not all(to_train):
                raise BadValueError(f"host {host} of {self.share[1]} has no pictures to train on that can be used.")

    def total(self, is_testing: bool) -> list[int]:
        """The number of pictures of each stream. Of those to test the first host has all."""
        if is_testing:
            return self.counts[0][1]
        return [sum(of_stream) for of_stream in zip(*(to_train for to_train, _ in self.counts), strict=True)]

    def batches(self, batch_size: int) -> int:
        """Batches per pass: as many as the host can fill with its longer side that has the fewest pictures for it."""
        return self.fewest // (batch_size // self.share[1])

    @property
    def fewest(self) -> int:
        """Of the longer side, the number of pictures of the host that has the fewest."""
        return min(max(to_train) for to_train, _ in self.counts)

    def check_batch(self, batch_size: int) -> None:
        """Raises BadValueError if the hosts cannot share batches of this size, or one of them cannot fill its part."""
        count, part = self.share[1], batch_size // self.share[1]
        if batch_size % count:
            raise BadValueError(
                f"batch_size {batch_size} cannot be divided over {count} hosts: use a multiple of {count}."
            )
        if self.is_on and part > self.fewest:
            raise BadValueError(
                f"batch_size {batch_size} takes {part} pictures of each of {count} hosts, and the own shards of one "
                f"have {self.fewest}: make it smaller."
            )

    def left_out(self, batch_size: int) -> int:
        """The number of pictures that a pass over batches of this size leaves out, of all hosts."""
        shown = self.batches(batch_size) * (batch_size // self.share[1])
        return sum(max(0, count - shown) for to_train, _ in self.counts for count in to_train)

    def left_out_in_words(self, batch_size: int) -> str:
        """The same in words."""
        left_out, total = self.left_out(batch_size), sum(self.total(is_testing=False))
        if not left_out:
            return f"all {total} pictures are in each epoch"
        return f"{left_out} of {total} pictures are left out of each epoch, others each time"
