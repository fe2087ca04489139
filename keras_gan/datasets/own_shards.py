"""Shards of which each host has its own: host h of H reads shards h, h + H, h + 2H ... of a list. See docs/shards.md.

Hosts tell each other how many pictures their shards have. So all know the whole list, and the same tenth of it is held
out as on a single host, though each opens only its own files.
"""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from keras_gan.datasets.entries import Entries, Shard
from keras_gan.datasets.folders import counted
from keras_gan.datasets.shard_names import FOLDER, check_there, places_of
from keras_gan.errors import BadValueError
from keras_gan.files import stamp
from keras_gan.images.sources import Sides

Opened = Callable[[Sequence[Path]], list[Shard]]  # opens shards, in their order


class AwayShard:
    """A shard of another host, as that one told of it; see `keras_gan.datasets.entries.Shard`.

    Args:
        path: the file, which may be missing here.
        owner: the number of the host that reads it.
        told: (number of entries, whether these are pairs, endings, what changes with the content of the file).
    """

    def __init__(self, path: Path, owner: int, told: Sequence[Any]) -> None:
        self.path, self.owner = path, owner
        self.count, self.are_pairs, self.suffixes, self.mark = told
        self.classes, self.faults = list[str](), list[str]()

    def picture(self, number: int, place: int) -> Any:
        """Nothing that can be read."""
        return Sides(None, None) if self.are_pairs else None

    def labels(self) -> np.ndarray:
        """No labels: -1."""
        return np.full(self.count, -1, "i4")


def everywhere(action: Callable[[], Any], own: bool) -> list[Any]:
    """What `action` returns here or, if hosts have their `own` shards, on each host; see `together`."""
    if not own:
        return [action()]
    from keras_gan.backend.together import together  # loads Keras

    return together(action)


def hosts(own: bool = True) -> tuple[int, int]:
    """(number of this host, number of hosts) that have their `own` shards."""
    if not own:
        return 0, 1
    from keras_gan import backend  # loads Keras

    return backend.hosts()


def places_on_all(name: Any) -> list[Path]:
    """The shards that a name stands for, whether they are here or not.

    Raises:
        BadValueError: as `places_of`; and if the name stands for other shards on another host.
    """
    places: list[Path] = []

    def look() -> list[int]:
        places.extend(places_of(name, are_here=False))
        names = "\n".join(str(path).removeprefix(f"{FOLDER}/") for path in places)
        return [len(places), zlib.crc32(names.encode(errors="surrogateescape"))]

    found = everywhere(look, True)
    if any(of_host != found[0] for of_host in found):
        raise BadValueError(
            f"the hosts see different shards of {str(name)!r} ({', '.join(str(count) for count, _ in found)}): with "
            "own_shards, name them by a list in braces, such as shards/{00000..00099}.tar, which tells all names."
        )
    return places


def listed_on_all(name: Any, train: Sequence[Path], test: Sequence[Path], open_shards: Opened) -> tuple[list, list]:
    """The shards of both splits. Of those to train this host opens its own, of those to test the first host opens all.

    Raises:
        BadValueError: if there are fewer shards than hosts, or a shard of a host is missing or cannot be read there.
    """
    me, count = hosts()
    if len(train) < count:
        raise BadValueError(
            f"{str(name)!r} has {counted(len(train), 'shard')} to train for {count} hosts: with own_shards each needs "
            "one, so use fewer hosts, pack more shards, or leave own_shards out."
        )
    of_first = test if me == 0 else []
    mine: list[list[Shard]] = []

    def look() -> list[list[Any]]:
        check_there([*train[me::count], *of_first], f"{str(name)!r} that this host reads")
        mine.extend(open_shards(paths) for paths in (train[me::count], of_first))
        return [
            [(shard.count, shard.are_pairs, list(shard.suffixes), stamp(shard.path)) for shard in shards]
            for shards in mine
        ]

    told = everywhere(look, True)
    found: tuple[list, list] = ([], [])
    for split, paths in enumerate((train, test)):
        for number, path in enumerate(paths):
            owner, at = (number % count, number // count) if split == 0 else (0, number)
            found[split].append(mine[split][at] if owner == me else AwayShard(path, owner, told[owner][split][at]))
    return found


def owner_of(shard: Shard) -> int:
    """The number of the host that reads a shard."""
    return shard.owner if isinstance(shard, AwayShard) else hosts()[0]


def own_part(pictures: Entries, name: Any, is_testing: bool = False) -> list:
    """The pictures that this host reads of a split; of those for testing, hosts but the first one read none.

    Raises:
        BadValueError: on all hosts, if there are no pictures for one of them.
    """
    me, count = hosts()
    sizes = [0] * count
    for shard, size in zip(pictures.shards, np.diff(pictures.bounds).tolist(), strict=True):
        sizes[owner_of(shard)] += size
    empty = [host for host in range(1 if is_testing else count) if not sizes[host]]
    if empty:
        what = "test" if is_testing else "train"
        raise BadValueError(
            f"host {empty[0]} of {count} has no pictures to {what}: its shards of {str(name)!r}, every {count}th from "
            f"number {empty[0]} on, have none for it. Pack pictures evenly, or leave own_shards out."
        )
    return cast(list, pictures.within(lambda shard: owner_of(shard) == me and (me == 0 or not is_testing)))
