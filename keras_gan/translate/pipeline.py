"""Pictures from files through a generator to files: reading, computing and writing at the same time."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from keras_gan.errors import BadValueError
from keras_gan.files import write_whole
from keras_gan.images.pixels import as_pixels, size_of
from keras_gan.images.sources import UNREADABLE, converted, open_picture
from keras_gan.images.video import Film, FilmWriter
from keras_gan.translate.tiles import scaled, translate_any, unscaled

WORKERS = 2  # that read, and as many that write
PIXELS = 8 * 256 * 256  # in a batch
AHEAD = 4  # batches that are read before they are needed


class Piece(NamedTuple):
    """A picture, or a frame of a film, on its way."""

    input: object  # the `Input`
    pixels: np.ndarray | None  # uint8 or uint16 (height, width, channels); None: it could not be read
    fault: str | None
    writer: object  # the `FilmWriter` of a film
    is_last: bool  # of its film, or a picture


class Flow:
    """Translates the files of a list.

    Args:
        generator: a `keras_gan.generators.Generator` that translates.
        inputs: list of `keras_gan.translate.inputs.Input`.
        size: None, the size that the network was trained on, as in training; "original"; or a number, the
            pixels of the shorter side.

    Attributes:
        skipped: {path: why} of what could not be read.
    """

    def __init__(self, generator, inputs, size=None):
        self.generator, self.inputs, self.size = generator, inputs, size
        self.skipped = {}
        self.films = []
        height, width, _ = generator.shape
        self.batch_size = max(1, PIXELS // (height * width)) if size is None else 1
        self.ahead = AHEAD * self.batch_size if size is None else 1  # large ones are large in memory too

    def run(self):
        """Yields for each file (the `Input`, its pixels, those of the translation) once it is read and translated.

        Pixels are uint8 or uint16 (height, width, channels), of a film those of its first frame; both None
        for what is skipped. Everything is written when this ends.

        Raises:
            OSError: if a result cannot be written.
        """
        written = deque()
        with ThreadPoolExecutor(WORKERS) as readers, ThreadPoolExecutor(WORKERS) as writers:
            try:
                for batch in batches(self.read_ahead(readers), self.batch_size):
                    good = [piece for piece in batch if piece.pixels is not None]
                    results = iter(self.translated([piece.pixels for piece in good]))
                    for piece in batch:
                        result = None if piece.pixels is None else next(results)
                        self.pass_on(piece, result, writers, written)
                        if piece.fault:
                            self.skipped[piece.input.source] = piece.fault
                        if piece.is_last:
                            yield piece.input, piece.pixels, result
                while written:
                    written.popleft().result()
            finally:
                readers.shutdown(cancel_futures=True)
                for writer in self.films:
                    writer.close(is_whole=False)  # of those that are not closed yet

    def pass_on(self, piece, result, writers, written):
        """Has a result written, and waits where too many are to be."""
        if result is not None and piece.writer:
            written.append(piece.writer.add(result))
        elif result is not None:
            written.append(writers.submit(save, piece.input.target, result))
        if piece.writer and piece.is_last:
            written.append(writers.submit(piece.writer.close, is_whole=not piece.fault))
        while len(written) > 2 * self.batch_size:
            written.popleft().result()

    def translated(self, pixels):
        """The translations of pictures, of one size where there is more than one in a batch."""
        if self.size is not None:
            return [translate_any(self.generator, picture) for picture in pixels]
        results = []
        for group in same_type(pixels):
            images = self.generator(scaled(np.stack(group), self.generator.value_range))
            results += list(unscaled(images, group[0].dtype, self.generator.value_range))
        return results

    # Reading, in threads.

    def read_ahead(self, readers):
        """Yields the pieces in their order; so many are being read at any time."""
        asked = deque()
        for ask in self.asks(readers):
            asked.append(ask)
            if len(asked) > self.ahead:
                yield asked.popleft().result()
        while asked:
            yield asked.popleft().result()

    def asks(self, readers):
        """Yields a `Future` of each piece. Films are decoded here, one frame after the other."""
        for given in self.inputs:
            if not given.is_film:
                yield readers.submit(self.read, given)
                continue
            film = Film(given.source)
            writer = FilmWriter(given.target, film)
            self.films.append(writer)
            fault = before = None
            try:
                for frame in film.frames():
                    if before is not None:
                        yield readers.submit(self.piece, given, before, writer, False)
                    before = frame
            except UNREADABLE as error:
                fault = str(error) or type(error).__name__
            if before is None:
                fault = fault or "it has no frames"
            yield readers.submit(self.piece, given, before, writer, True, fault)

    def read(self, given):
        """The `Piece` of a picture file."""
        try:
            image = open_picture(given.source, self.generator.shape[2], max(self.generator.shape[:2]))
        except UnidentifiedImageError:
            return Piece(given, None, "it is no picture", None, True)
        except UNREADABLE as error:
            return Piece(given, None, str(error) or type(error).__name__, None, True)
        return self.piece(given, image, None, True)

    def piece(self, given, image, writer, is_last, fault=None):
        """The `Piece` of an image, at the size that it is to be translated at."""
        if image is None:
            return Piece(given, None, fault, writer, is_last)
        if isinstance(image, Image.Image):
            image = converted(image, self.generator.shape[2])
        width, height = size_of(image)
        if self.size is None:
            pixels = as_pixels(image, *self.generator.shape[:2], self.generator.fit)
        elif self.size == "original":
            pixels = as_pixels(image, height, width)
        else:
            share = self.size / min(height, width)
            pixels = as_pixels(image, round(share * height), round(share * width))
        return Piece(given, pixels, fault, writer, is_last)


def batches(pieces, size):
    """Lists of so many pieces, the last one shorter."""
    batch = []
    for piece in pieces:
        batch.append(piece)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def same_type(pixels):
    """Neighbours of one type together: photos and arrays of 16 bits cannot be stacked."""
    groups = []
    for picture in pixels:
        if groups and groups[-1][0].dtype == picture.dtype:
            groups[-1].append(picture)
        else:
            groups.append([picture])
    return groups


def save(path, pixels):
    """Saves uint8 or uint16 pixels (height, width, channels), as PNG or .npy."""
    try:
        with write_whole(path) as unfinished:
            if path.suffix == ".npy":
                np.save(unfinished, pixels)
                return
            if pixels.dtype == np.uint16:
                pixels = (pixels // 257).astype("uint8")
            image = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])
            # Level 1: half of the time that the default takes, for a tenth more bytes
            image.save(unfinished, format="PNG", compress_level=1)
    except OSError as error:
        raise BadValueError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error
