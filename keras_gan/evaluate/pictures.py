"""The held-out pictures of a loader, batch by batch, and what an extractor finds in them."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_gan.data.options import NONE
from keras_gan.data.paired import DataLoader
from keras_gan.errors import BadValueError
from keras_gan.images.metrics import features_of
from keras_gan.images.sources import source

BATCH = 8
Extractor = Callable[[np.ndarray], Any] | None  # None: skip FID and KID


def spans(count: int, length: int | None) -> list[range]:
    """Divides `count` pictures into spans of this length; None: one span."""
    length = length or max(1, count)
    return [range(start, min(start + length, count)) for start in range(0, count, length)]


def stream_of(loader: Any, is_A: bool, is_testing: bool) -> Any:
    """The stream of a loader that has these pictures: in one with pairs or single pictures, the only one."""
    streams = loader._streams(is_testing)
    return streams[0 if is_A else -1]


def none_readable(stream: Any) -> BadValueError:
    split = "held-out" if stream.split == "test" else "training"
    return BadValueError(f"none of the {len(stream.pictures)} {split} pictures can be read.")


def sides(loader: Any, forward: bool, is_testing: bool, span: range) -> Iterator[tuple[list[str], np.ndarray, Any]]:
    """Yields batches (names, sources, targets) of a span; targets are None for unpaired data."""
    for names, (images, *others) in batches(loader, forward, is_testing, span):
        if isinstance(loader, DataLoader):
            yield (names, images, *others) if forward else (names, *others, images)
        else:
            yield names, images, None


def real_features(loader: Any, is_A: bool, workers: Any, is_testing: bool, most: int | None = None) -> np.ndarray:
    """The features of one domain's pictures, (n, d); of at most `most`, evenly spread."""
    stream = stream_of(loader, is_A, is_testing)
    pieces = spans(len(stream.pictures), workers.span)
    share = None if most is None else min(1, most / max(1, len(stream.pictures)))
    todo: list[tuple] = []
    for span in pieces:
        count = None if share is None else round(share * span.stop) - round(share * span.start)
        todo.append((is_A, is_testing, span, count))
    found = [features for some in workers.each(features_of_span, todo) for features in some]
    if not found:
        raise none_readable(stream)
    return np.concatenate(found)


def features_of_span(
    generators: dict, loader: Any, extractor: Any, is_A: bool, is_testing: bool, span: range, most: int | None
) -> list[np.ndarray]:
    """The features of one domain's pictures of a span; of at most `most`, evenly spread."""
    is_second = isinstance(loader, DataLoader) and not is_A
    found = batches(loader, is_A, is_testing, span, most)
    return [features_of(extractor, both[int(is_second)], loader.value_range) for _, both in found]


def chunked_features(extractor: Any, images: np.ndarray, value_range: tuple) -> np.ndarray:
    """The features of many pictures, (n, d), computed batch by batch."""
    starts = range(0, len(images), BATCH)
    return np.concatenate([features_of(extractor, images[i : i + BATCH], value_range) for i in starts])


def batches(
    loader: Any, is_A: bool, is_testing: bool, span: range | None = None, most: int | None = None
) -> Iterator[tuple[list[str], tuple]]:
    """Yields (names, tuple of arrays) for a span of a stream, None for all, in order; skips broken pictures."""
    stream = stream_of(loader, is_A, is_testing)._replace(flip=NONE, augment=False)
    if span is not None:
        stream = stream._replace(pictures=stream.pictures[span.start : span.stop])
    pictures = readable(loader, stream, most)
    stream = stream._replace(pictures=pictures)
    for start in range(0, len(pictures), BATCH):
        views = stream.in_order(start, min(start + BATCH, len(pictures)))
        batch = loader._load([(stream, views)])
        names = [str(source(picture)) for picture in pictures[start : start + BATCH]]
        yield names, batch if isinstance(batch, tuple) else (batch,)


def readable(loader: Any, stream: Any, most: int | None = None) -> list[Any]:
    """The pictures of a stream that can be read; at most `most`, evenly spread, of which no others are read.

    In place of one that cannot be read comes the next one that can.
    """
    count = len(stream.pictures)
    if most is None or most >= count:
        return [picture for picture in stream.pictures if loader._decoded(stream, picture) is not None]
    tried, taken = set(), []
    for start in np.linspace(0, count - 1, most).round().astype(int).tolist():
        for place in (*range(start, count), *range(start)):
            if place not in tried:
                tried.add(place)
                if loader._decoded(stream, stream.pictures[place]) is not None:
                    taken.append(place)
                    break
    return [stream.pictures[place] for place in sorted(taken)]
