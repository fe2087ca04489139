"""Translates files in a pipeline: reader threads, the network, and writer threads run at the same time."""

import itertools
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from keras_gan.images.pixels import as_pixels, size_of
from keras_gan.images.sources import UNREADABLE, Stack, converted, named_damage, open_picture
from keras_gan.images.values import Range
from keras_gan.images.video import Film, FilmWriter
from keras_gan.images.writing import save
from keras_gan.machine.memory import fault_of
from keras_gan.translate.halves import Halves
from keras_gan.translate.inputs import Input
from keras_gan.translate.preparing import Prepared
from keras_gan.translate.reading import read, reason
from keras_gan.translate.tiles import memory_for, scaled, translate_any, unscaled
from keras_gan.translate.trained import scale_of, stacked_by

WORKERS = 2  # reader threads, and as many writer threads
PIXELS = 8 * 256 * 256  # per batch
AHEAD = 4  # batches to prefetch
GIF_PIXEL = 12  # bytes for a pixel of a frame of an animation, all of which are kept until it is written


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
        size: "original", or the length of the shorter side in pixels; None for the training size and fit, or after
            training on random crops for their scale.
        half: see `keras_gan.translate.halves.Halves`.
        value_range: the values of black and white in the files; None: as each file states them.
        prepare: see `keras_gan.translate.preparing.Prepared`.

    Attributes:
        skipped: {path: reason} of unreadable files.
        halves: the `Halves`, which knows what was cut.
        prepared: the `Prepared`, which knows what was made gray or into edges.
    """

    def __init__(
        self,
        generator: Any,
        inputs: list[Input],
        size: str | int | None = None,
        half: str | None = None,
        value_range: Range = None,
        prepare: str | None = None,
    ) -> None:
        self.generator, self.inputs, self.value_range = generator, inputs, value_range
        self.size = size = size or scale_of(generator)
        _, self.stacked = stacked_by(generator.config, generator.direction)
        self.halves, self.prepared = Halves(generator, half), Prepared(generator, prepare)
        self.skipped: dict[Path, str] = {}
        self.films: list[FilmWriter] = []
        height, width, _ = generator.shape
        self.batch_size = max(1, PIXELS // (height * width)) if size is None else 1
        self.ahead = AHEAD * self.batch_size if size is None else 1  # large pictures take much memory

    def run(self) -> Iterator[tuple[Input, np.ndarray | None, np.ndarray | None]]:
        """Yields (`Input`, pixels, translated pixels) for each file. All files are written when the iterator ends.

        Pixels are uint8 or uint16 (height, width, channels), of the first frame for a video or an animation, and None
        for a skipped file.

        Raises:
            OSError, BadValueError: if a result cannot be written, or is not finite.
        """
        written: deque[Future] = deque()
        first: tuple | None = None  # (pixels, result) of the file that the pieces are of
        with ThreadPoolExecutor(WORKERS) as readers, ThreadPoolExecutor(WORKERS) as writers:
            try:
                for batch in batches(self.read_ahead(readers), self.batch_size):
                    results = iter(self.translated([piece.pixels for piece in batch if piece.pixels is not None]))
                    for piece in batch:
                        result = None if piece.pixels is None else next(results)
                        self.pass_on(piece, result, writers, written)
                        if piece.fault:
                            self.skipped[piece.input.source] = piece.fault
                        first = first or (piece.pixels, result)
                        if piece.is_last:
                            yield piece.input, *first
                            first = None
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
            written.append(writers.submit(save, piece.input.target, result, piece.input.is_deep))
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
            film = Film(given.source, self.value_range)
            writer = FilmWriter(given.target, film)
            self.films.append(writer)
            fault = before = None
            try:
                for frame in film.frames():
                    self.check_room(frame, film.count)
                    if before is not None:
                        yield readers.submit(self.piece, given, before, writer, False)
                    before = frame
            except UNREADABLE as error:
                fault = reason(error)
            if before is None:
                fault = fault or "it has no frames"
            yield readers.submit(self.piece, given, before, writer, True, fault)

    def read(self, given: Input) -> Piece:
        """Reads a picture file."""
        try:
            longest = max(self.generator.shape[:2])
            if given.others:
                stack = Stack(given.source, given.others, self.stacked)
                image = open_picture(stack, self.generator.shape[2], longest, self.value_range)
            else:
                image = read(given.source, self.prepared.channels_read, longest, given.is_deep, self.value_range)
        except UNREADABLE as error:
            return Piece(given, None, reason(error), None, True)
        return self.piece(given, image, None, True)

    def piece(self, given: Input, image: Any, writer: Any, is_last: bool, fault: str | None = None) -> Piece:
        """Makes the `Piece` of an image, cut and resized for the network."""
        if image is None:
            return Piece(given, None, fault, writer, is_last)
        try:
            with named_damage():
                if isinstance(image, Image.Image):
                    image = converted(image, self.prepared.channels_read)
                image = self.halves.take(image, given.source)
                self.check_room(image)
                image = self.prepared.take(image, given.source, None if self.size is None else self.size_for(image))
                pixels = self.resized(image, given.is_deep)
        except UNREADABLE as error:
            return Piece(given, None, reason(error), writer, is_last)
        return Piece(given, pixels, fault, writer, is_last)

    def resized(self, image: Any, is_deep: bool) -> np.ndarray:
        """The pixels of an image, uint8 or uint16 (height, width, channels), in the size to translate it at."""
        fit = self.generator.fit if self.size is None else "resize"
        return as_pixels(image, *self.size_for(image), fit, "uint16" if is_deep else "uint8")

    def size_for(self, image: Any) -> tuple[int, int]:
        """(height, width) to translate an image at."""
        width, height = size_of(image)
        if self.size is None:
            return self.generator.shape[:2]
        share = 1 if self.size == "original" else float(self.size) / min(height, width)
        return round(share * height), round(share * width)

    def check_room(self, image: Any, count: int = 1) -> None:
        """Raises ValueError if there is too little memory to translate an image, or an animation of so many."""
        height, width = self.size_for(image)
        needed = memory_for(self.generator, height, width, 2)
        if fault := fault_of(needed + GIF_PIXEL * height * width * (count - 1)):
            way_out = "cut it" if self.size is None else "choose a smaller --size, or cut it"
            raise ValueError(f"at {width} x {height} pixels{f' and {count} frames' * (count > 1)} {fault}: {way_out}")


def batches(pieces: Iterator[Piece], size: int) -> Iterator[list[Piece]]:
    """Yields lists of `size` pieces, the last one shorter."""
    return iter(lambda: list(itertools.islice(pieces, size)), [])
