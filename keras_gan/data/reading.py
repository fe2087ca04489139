"""How loaders read pictures: cached, scaled, and with others in place of broken ones."""

import sys
import threading
from typing import Any

import numpy as np
from PIL import UnidentifiedImageError

from keras_gan.data.cache import Cache
from keras_gan.errors import BadValueError
from keras_gan.images.pixels import RANDOM_CROP, as_pixels, scale, size_of
from keras_gan.images.sources import UNREADABLE, open_picture, source
from keras_gan.images.values import Range


class PictureReader:
    """Base of the loaders. A subclass defines `value_range`, `fit`, `resample` and `_domains`, see `PictureLoader`."""

    value_range: tuple[int, int]
    fit: str
    resample: str
    _domains: Any

    def __init__(self) -> None:
        self.value_range_of_files: Range = None
        self.skipped: dict[Any, str] = {}
        self._cache = Cache()
        self._lock = threading.Lock()

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
