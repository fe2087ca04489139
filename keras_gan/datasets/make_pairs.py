"""Makes paired data sets: photos next to their gray versions or edges (`pairs`), or two folders (`join`)."""

import contextlib
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, PngImagePlugin, UnidentifiedImageError

from keras_gan.console import line_of
from keras_gan.datasets.folders import files, opened
from keras_gan.datasets.paired_folders import by_name, paired_folders, with_test
from keras_gan.datasets.parts import TESTS, existing_splits, remarks
from keras_gan.datasets.preparation import KEY, KINDS, Preparation
from keras_gan.datasets.spans import chosen_range, warn_of_values
from keras_gan.errors import BadValueError, check_at_least, check_here
from keras_gan.files import unfinished_folder
from keras_gan.images.opening import TooLargeError, check_room
from keras_gan.images.pixels import AUTO, checked_fit, shaped
from keras_gan.images.sources import UNREADABLE, read_picture
from keras_gan.images.values import Range, ValueRange, checked_value_range
from keras_gan.machine.memory import fault_of

REPORTED_EVERY = 1000
PIXEL = 24  # bytes for a pixel of each half: both of them, resized, drawn and joined


class Pairs(NamedTuple):
    """The result: the folder, the numbers of pairs per split, and of broken pictures skipped."""

    folder: Path
    train: int
    val: int
    skipped: int


class BrokenPictureError(Exception):
    """A file that is damaged or not a picture: (path, reason)."""


def make_pairs(
    kind: str,
    photos: str | Path,
    out: str | Path,
    size: tuple | None = None,
    fit: str = "resize",
    value_range: ValueRange | None = None,
) -> Pairs:
    """Makes a paired data set of photos. The photo is B, the right half; A, the left half, is made from it.

    Pairs are written to `out/train` and `out/val` as PNG, with the photo's name and subfolder. Each
    file tells how its A was made, so that a run's later inputs are made alike
    (`keras_gan.datasets.preparation`). If
    `photos` has `train` and `val` (or `test`), these are the splits; otherwise every tenth picture by
    name goes to `val`. Broken pictures are named on stderr and skipped. On any error, nothing is left
    behind in `out`.

    Args:
        kind: what A is, "gray" or "edges".
        photos: a folder of pictures of any kind, see `keras_gan.images.sources.read_picture`.
        out: the folder to write to. It must not contain pictures.
        size: (height, width) of each half; None: the photo's size.
        fit: how to resize photos of another shape, see `keras_gan.images.pixels.shaped`. Label maps keep
            their colours: each pixel takes the nearest one.
        value_range: (low, high): the values of black and white in the files; "auto": the smallest and the largest
            in the training pictures; None: as each file states it.

    Returns:
        `Pairs`.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no folder `photos`.
        BadValueError: (a ValueError) if an argument is invalid, a split has no pictures, or more than
            half of the pictures are broken.
    """
    if kind not in KINDS:
        raise BadValueError(f"pairs are made from {' or '.join(KINDS)}, not {kind!r}.")
    photos, out = opened(photos), Path(out)
    check_size(size)
    checked_fit(fit)
    checked_value_range(value_range)
    check_output(out, photos)
    jobs = {split: {name: (path,) for name, path in found.items()} for split, found in by_name(photos).items()}
    jobs = with_test(jobs, photos)
    for remark in remarks(photos, existing_splits(photos, TESTS).unused):
        print(f"{photos}: {remark}")

    preparation = Preparation(kind, None if size is None else (size[0], size[1]), fit)

    def draw(photo):
        photo = preparation.framed(photo)
        return preparation.make(photo), photo

    return write_pairs(jobs, out, draw, values_of(jobs, value_range, str(photos)), preparation.as_text())


def join_folders(
    folder_A: str | Path,
    folder_B: str | Path,
    out: str | Path,
    size: tuple | None = None,
    fit: str = "resize",
    value_range: ValueRange | None = None,
) -> Pairs:
    """Makes a paired data set of two folders: A in the left half, the B of the same name in the right half.

    Extensions are ignored: 1.png and 1.jpg are a pair. Either both folders have splits or neither
    has. Everything else is as in `make_pairs`.

    Args:
        folder_A, folder_B: folders of pictures.
        out: the folder to write to. It must not contain pictures.
        size: (height, width) of each half; None: the size of B.
        fit: how to resize pictures of another shape, see `keras_gan.images.pixels.shaped`. Label maps keep
            their colours: each pixel takes the nearest one.
        value_range: (low, high): the values of black and white in the files; "auto": the smallest and the largest
            in the training pictures; None: as each file states it.

    Returns:
        `Pairs`.

    Raises:
        NotFoundError: (a FileNotFoundError) if a folder is missing.
        BadValueError: (a ValueError) as `make_pairs`, and if a picture lacks the matching one.
    """
    folder_A, folder_B, out = opened(folder_A), opened(folder_B), Path(out)
    check_size(size)
    checked_fit(fit)
    checked_value_range(value_range)
    check_output(out, folder_A, folder_B)
    jobs = paired_folders(folder_A, folder_B)

    def draw(image_A, image_B):
        height, width = size or image_B.size[::-1]
        return shaped(image_A, height, width, fit, AUTO), shaped(image_B, height, width, fit, AUTO)

    return write_pairs(jobs, out, draw, values_of(jobs, value_range, f"{folder_A}, {folder_B}"))


def values_of(jobs: dict, value_range: ValueRange | None, whose: str) -> Range:
    """The values of black and white in the files of `jobs`. Warns of files that these make nearly black."""
    sides = zip(*jobs["train"].values(), strict=True)
    files = {f"side {side}": list(paths) for side, paths in zip("AB", sides, strict=False)}
    values = chosen_range(value_range, files, whose)
    warn_of_values(files, values)
    return values


def check_size(size: Any) -> None:
    """Raises BadValueError unless size is None or (height, width) for which there is memory."""
    if size is not None:
        if not isinstance(size, tuple | list) or len(size) != 2:
            raise BadValueError(f"size must be (height, width), not {size!r}.")
        check_at_least(1, height=size[0], width=size[1])
        if fault := fault_of(PIXEL * size[0] * size[1]):
            raise BadValueError(
                f"pairs of {size[1]} x {size[0]} pixels a half are too large, {fault}: name a smaller one."
            )


def check_output(out: Path, *folders: Path) -> None:
    """Raises BadValueError if `out` contains pictures or full folders of splits, or is in an input, or an address."""
    check_here(out)
    for folder in folders:
        if out.resolve().is_relative_to(folder.resolve()):
            raise BadValueError(f"{out} is inside the input folder {folder}; name a folder outside of it.")
    there = [*files(out, deep=False), *(path for split in ("train", "val", "test") for path in files(out / split))]
    if there:
        raise BadValueError(f"{out} has pictures already, {there[0]} among them; name another folder.")
    full = next((out / split for split in ("train", "val") if any((out / split).glob("*"))), None)
    if full:
        raise BadValueError(f"{full} exists and is not empty; name another folder.")


def write_pairs(jobs: dict, out: Path, draw: Callable, values: Range, about: str | None = None) -> Pairs:
    """Writes pairs to `out`: all of them, or none if anything fails.

    Args:
        jobs: {"train": {name: paths}, "val": the same}.
        out: the folder.
        draw: makes (A, B) of the pictures of a pair.
        values: of black and white in the files.
        about: text for each file.
    """
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with unfinished_folder(out / "pairs") as folder:
            counts, skipped = write_splits(jobs, folder, draw, values, about)
            for split in reversed(jobs):  # training data come last: without them it is no data set
                (out / split).rmdir() if (out / split).is_dir() else None
                os.rename(folder / split, out / split)
    except BaseException as error:
        for place in missing:
            with contextlib.suppress(OSError):  # it is missing, or holds other files
                place.rmdir()
        if isinstance(error, OSError):  # `read` catches the errors of broken pictures
            why = line_of(OSError(error.errno, error.strerror))  # without the name of a temporary file
            raise BadValueError(f"folder {str(out)!r} cannot be written: {why}") from error
        raise
    return Pairs(out, **counts, skipped=skipped)


def write_splits(
    jobs: dict, folder: Path, draw: Callable, values: Range, about: str | None
) -> tuple[dict[str, int], int]:
    """Writes the files of `write_pairs`; returns the numbers of pairs per split, and of broken pictures skipped."""
    total, broken = sum(map(len, jobs.values())), []
    counts: dict[str, int] = {}
    for split, split_jobs in jobs.items():
        counts[split] = 0
        for name, paths in split_jobs.items():
            try:
                content = pair_of(paths, draw, values, about)
            except BrokenPictureError as error:
                broken.append(error.args)
                path, reason = error.args
                print(f"skipping {path}: {reason} ({len(broken)} skipped so far)", file=sys.stderr)
                if 2 * len(broken) > total:
                    path, reason = broken[0]
                    raise BadValueError(
                        f"more than half of {total} pictures cannot be used, the first of them {path}: {reason}."
                    ) from None
                continue
            place = folder / split / f"{name}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            counts[split] += 1
            if (done := sum(counts.values())) % REPORTED_EVERY == 0:
                print(f"{done} of {total} pairs")
        if not counts[split]:
            raise BadValueError(f"no picture for {split} can be used, the last of them {broken[-1][0]}.")
    return counts, len(broken)


def pair_of(paths: tuple[Path, ...], draw: Callable, values: Range, about: str | None = None) -> bytes:
    """The PNG file of a pair. Raises BrokenPictureError."""
    images = [read(path, values) for path in paths]
    content, texts = io.BytesIO(), PngImagePlugin.PngInfo()
    if about:
        texts.add_text(KEY, about)
    try:
        check_room(PIXEL * max(image.width * image.height for image in images))
        side_by_side(*draw(*images)).save(content, "PNG", pnginfo=texts)
    except (TooLargeError, MemoryError) as error:
        raise BrokenPictureError(paths[0], str(error) or "there is too little memory for it") from error
    return content.getvalue()


def read(path: Path, values: Range) -> Image.Image:
    """Reads a picture in mode "RGB". Raises BrokenPictureError."""
    try:
        return read_picture(path, 3, values)
    except UnidentifiedImageError:
        raise BrokenPictureError(path, "it is no picture") from None
    except UNREADABLE as error:
        raise BrokenPictureError(path, str(error) or type(error).__name__) from error


def side_by_side(image_A: Image.Image, image_B: Image.Image) -> Image.Image:
    """Joins two pictures of equal size into one in mode "RGB"."""
    width, height = image_B.size
    pair = Image.new("RGB", (2 * width, height))
    pair.paste(image_A, (0, 0))
    pair.paste(image_B, (width, 0))
    return pair
