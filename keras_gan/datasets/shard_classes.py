"""The classes of pictures in shards."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_gan.datasets.entries import Entries
from keras_gan.datasets.folders import counted, first_few, natural_key
from keras_gan.datasets.own_shards import AwayShard, everywhere
from keras_gan.errors import BadValueError
from keras_gan.images.sources import Labelled


def labelled(numbers: np.ndarray | None) -> Callable[[Any, int], Labelled]:
    """Gives pictures the class of their place; None: all have the same."""
    return lambda picture, place: Labelled(picture, 0 if numbers is None else int(numbers[place]))


def classes_of(
    splits: tuple[Entries, Entries], is_held_out: bool, name: str, own: bool
) -> tuple[list[str], list[np.ndarray]]:
    """The classes of a data set in shards.

    Args:
        splits: the pictures for training and for testing.
        is_held_out: whether both are in the same shards.
        name: of the shards, for messages.
        own: whether several hosts have their own shards: then they tell each other, and all number classes alike.

    Returns:
        (the names of classes in their order; the number of each place's class, for both splits).

    Raises:
        BadValueError: if a picture has no class, or a class is in one split alone.
    """
    found: list[tuple[list[str], np.ndarray, int]] = []

    def look() -> Any:
        found.extend(told_labels(split) for split in splits)
        return [(names, without) for names, _, without in found]

    of_hosts = everywhere(look, own)
    names = [dict.fromkeys(told for of_host in of_hosts for told in of_host[split][0]) for split in range(2)]
    classes = sorted(names[0], key=natural_key)
    lists = range(1 if is_held_out else 2)  # a tenth of the same shards is for testing
    without = sum(of_host[split][1] for of_host in of_hosts for split in lists)
    if without or not classes:
        raise BadValueError(
            f"{counted(without)} of the shards {name!r} without a class: each picture KEY.png needs KEY.cls "
            "beside it, a row of Parquet a column label of whole numbers or of texts."
        )
    if alone := names[0].keys() ^ names[1].keys():
        raise BadValueError(f"class {first_few(sorted(alone))} is in one split of {name!r}: both need the same.")
    return classes, [np.array([*(classes.index(told) for told in names), -1])[labels] for names, labels, _ in found]


def told_labels(entries: Entries) -> tuple[list[str], np.ndarray, int]:
    """(the names of classes, the number of each place's class or -1, how many have none) in the shards of a split.

    Those of other hosts have none here, and are not counted.
    """
    numbers: dict[str, int] = {}
    found, without = [], 0
    for shard in entries.shards:
        labels = np.asarray(shard.labels())
        which = [numbers.setdefault(name, len(numbers)) for name in shard.classes]
        found.append(np.array([*which, -1])[labels])
        without += 0 if isinstance(shard, AwayShard) else int((labels < 0).sum())
    return list(numbers), np.concatenate(found), without
