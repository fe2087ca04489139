"""Translates files in a pipeline: reader threads, the network, and writer threads run at the same time."""

import itertools
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from keras_gan.errors import BadValueError
from keras_gan.files import write_whole
from keras_gan.images.pixels import as_pixels, size_of
from keras_gan.images.sources import UNREADABLE, converted, open_picture
from keras_gan.images.video import Film, FilmWriter
from keras_gan.translate.inputs import Input
from keras_gan.translate.tiles import scaled, translate_any, unscaled

WORKERS = 2  # reader threads, and as many writer threads
PIXELS = 8 * 256 * 256  # per batch
AHEAD = 4  # batches to prefetch


class Piece(NamedTuple):
    """A picture, or a frame of a video or an animation, in the pipeline."""

    input: Input
    pixels: np.ndarray | None  # uint8 or uint16 (height, width, channels); None: unreadable
    fault: str | None  # why it is unreadable
    writer: FilmWriter | None  # None for a picture
    is_last: bool  # the last frame, or a picture


class Flow:
    """Translates a list of files.

    Args:
        generator: a `keras_gan.generators.Generator` of kind "translation".
        inputs: list of `keras_gan.translate.inputs.Input`.
        size: None for the training size and fit, "original", or the length of the shorter side in pixels.

    Attributes:
        skipped: {path: reason} of unreadable files.
    """

    def __init__(self, generator: Any, inputs: list[Input], size: str | int | None = None) -> None:
        self.generator, self.inputs, self.size = generator, inputs, size
        self.skipped: dict[Path, str] = {}
        self.films: list[FilmWriter] = []
        height, width, _ = generator.shape
        self.batch_size = max(1, PIXELS // (height * width)) if size is None else 1
        self.ahead = AHEAD * self.batch_size if size is None else 1  # large pictures take much memory

    def run(self) -> Iterator[tuple[Input, np.ndarray | None, np.ndarray | None]]:
        """Yields (`Input`, pixels, translated pixels) for each file. All files are written when the iterator ends.

        Pixels are uint8 or uint16 (height, width, channels), of the last frame for a video or an animation, and None
        for a skipped file.

        Raises:
            OSError: if a result cannot be written.
        """
        written: deque[Future] = deque()
        with ThreadPoolExecutor(WORKERS) as readers, ThreadPoolExecutor(WORKERS) as writers:
            try:
                for batch in batches(self.read_ahead(readers), self.batch_size):
                    results = iter(self.translated([piece.pixels for piece in batch if piece.pixels is not None]))
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
                    writer.close(is_whole=False)  # no effect on closed ones

    def pass_on(self, piece: Piece, result: Any, writers: ThreadPoolExecutor, written: deque[Future]) -> None:
        """Queues a result for writing; blocks while the queue is full."""
        if result is not None and piece.writer:
            written.append(piece.writer.add(result))
        elif result is not None:
            written.append(writers.submit(save, piece.input.target, result))
        if piece.writer and piece.is_last:
            written.append(writers.submit(piece.writer.close, is_whole=not piece.fault))
        while len(written) > 2 * self.batch_size:
            written.popleft().result()

    def translated(self, pixels: list[np.ndarray]) -> list[np.ndarray]:
        """Translates the pictures of a batch, which have one size if there is more than one."""
        if self.size is not None:
            return [translate_any(self.generator, picture) for picture in pixels]
        results: list[np.ndarray] = []
        for dtype, group in itertools.groupby(pixels, lambda picture: picture.dtype):  # only these can be stacked
            images = self.generator(scaled(np.stack(list(group)), self.generator.value_range))
            results += list(unscaled(images, dtype, self.generator.value_range))
        return results

    # Reading, in threads.

    def read_ahead(self, readers: ThreadPoolExecutor) -> Iterator[Piece]:
        """Yields the pieces in order, with `ahead` pieces prefetched."""
        asked: deque[Future] = deque()
        for ask in self.asks(readers):
            asked.append(ask)
            if len(asked) > self.ahead:
                yield asked.popleft().result()
        while asked:
            yield asked.popleft().result()

    def asks(self, readers: ThreadPoolExecutor) -> Iterator[Future]:
        """Yields a `Future` for each piece. Videos and animations are decoded in this thread, frame by frame."""
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

    def read(self, given: Input) -> Piece:
        """Reads a picture file."""
        try:
            image = open_picture(given.source, self.generator.shape[2], max(self.generator.shape[:2]))
        except UnidentifiedImageError:
            return Piece(given, None, "not a picture", None, True)
        except UNREADABLE as error:
            return Piece(given, None, str(error) or type(error).__name__, None, True)
        return self.piece(given, image, None, True)

    def piece(self, given: Input, image: Any, writer: Any, is_last: bool, fault: str | None = None) -> Piece:
        """Makes the `Piece` of an image, resized for the network."""
        if image is None:
            return Piece(given, None, fault, writer, is_last)
        if isinstance(image, Image.Image):
            image = converted(image, self.generator.shape[2])
        width, height = size_of(image)
        if self.size is None:
            pixels = as_pixels(image, self.generator.shape[0], self.generator.shape[1], self.generator.fit)
        elif self.size == "original":
            pixels = as_pixels(image, height, width)
        else:
            share = float(self.size) / min(height, width)
            pixels = as_pixels(image, round(share * height), round(share * width))
        return Piece(given, pixels, fault, writer, is_last)


def batches(pieces: Iterator[Piece], size: int) -> Iterator[list[Piece]]:
    """Yields lists of `size` pieces, the last one shorter."""
    return iter(lambda: list(itertools.islice(pieces, size)), [])


def save(path: Path, pixels: np.ndarray) -> None:
    """Saves uint8 or uint16 pixels (height, width, channels) as PNG or .npy."""
    try:
        with write_whole(path) as unfinished:
            if path.suffix == ".npy":
                np.save(unfinished, pixels)
                return
            if pixels.dtype == np.uint16:
                pixels = (pixels // 257).astype("uint8")
            image = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])
            # Level 1 takes half the time of the default, for 10% more bytes
            image.save(unfinished, format="PNG", compress_level=1)
    except OSError as error:
        raise BadValueError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error
