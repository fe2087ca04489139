"""Makes paired data sets: photos next to their gray versions or edges (`pairs`), or two folders (`join`)."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, UnidentifiedImageError

from keras_gan.datasets.edges import edges
from keras_gan.datasets.folders import files
from keras_gan.datasets.paired_folders import by_name, paired_folders, with_test
from keras_gan.datasets.parts import TESTS, existing_splits, remarks
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.files import write_whole
from keras_gan.images.pixels import checked_fit, shaped
from keras_gan.images.sources import UNREADABLE, read_picture

REPORTED_EVERY = 1000


class Pairs(NamedTuple):
    """The result: the folder, the numbers of pairs per split, and of broken pictures skipped."""

    folder: Path
    train: int
    val: int
    skipped: int


class BrokenPictureError(Exception):
    """A file that is damaged or not a picture: (path, reason)."""


def gray(image: Image.Image) -> Image.Image:
    """The gray version of a picture, 0.299 R + 0.587 G + 0.114 B.

    Args:
        image: a `PIL.Image.Image`.

    Returns:
        A `PIL.Image.Image` of the same size in mode "L".
    """
    return image.convert("RGB").convert("L")


KINDS = {"gray": gray, "edges": edges}


def make_pairs(kind: str, photos: str | Path, out: str | Path, size: tuple | None = None, fit: str = "resize") -> Pairs:
    """Makes a paired data set of photos. The photo is B, the right half; A, the left half, is made from it.

    Pairs are written to `out/train` and `out/val` as PNG, with the photo's name and subfolder. If
    `photos` has `train` and `val` (or `test`), these are the splits; otherwise every tenth picture by
    name goes to `val`. Broken pictures are named on stderr and skipped. On any error, nothing is left
    behind in `out`.

    Args:
        kind: what A is, "gray" or "edges".
        photos: a folder of pictures of any kind, see `keras_gan.images.sources.read_picture`.
        out: the folder to write to. It must not contain pictures.
        size: (height, width) of each half; None: the photo's size.
        fit: how to resize photos of another shape, see `keras_gan.images.pixels.shaped`.

    Returns:
        `Pairs`.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no folder `photos`.
        BadValueError: (a ValueError) if an argument is invalid, a split has no pictures, or more than
            half of the pictures are broken.
    """
    if kind not in KINDS:
        raise BadValueError(f"pairs are made from {' or '.join(KINDS)}, not {kind!r}.")
    photos, out = Path(photos), Path(out)
    check_size(size)
    checked_fit(fit)
    check_output(out, photos)
    jobs = {split: {name: (path,) for name, path in found.items()} for split, found in by_name(photos).items()}
    jobs = with_test(jobs, photos)
    for remark in remarks(photos, existing_splits(photos, TESTS).unused):
        print(f"{photos}: {remark}")

    def draw(photo):
        photo = photo if size is None else shaped(photo, *size, fit)
        return KINDS[kind](photo), photo

    return write_pairs(jobs, out, draw)


def join_folders(
    folder_A: str | Path, folder_B: str | Path, out: str | Path, size: tuple | None = None, fit: str = "resize"
) -> Pairs:
    """Makes a paired data set of two folders: A in the left half, the B of the same name in the right half.

    Extensions are ignored: 1.png and 1.jpg are a pair. Either both folders have splits or neither
    has. Everything else is as in `make_pairs`.

    Args:
        folder_A, folder_B: folders of pictures.
        out: the folder to write to. It must not contain pictures.
        size: (height, width) of each half; None: the size of B.
        fit: how to resize pictures of another shape, see `keras_gan.images.pixels.shaped`.

    Returns:
        `Pairs`.

    Raises:
        NotFoundError: (a FileNotFoundError) if a folder is missing.
        BadValueError: (a ValueError) as `make_pairs`, and if a picture lacks the matching one.
    """
    folder_A, folder_B, out = Path(folder_A), Path(folder_B), Path(out)
    check_size(size)
    checked_fit(fit)
    check_output(out, folder_A, folder_B)
    jobs = paired_folders(folder_A, folder_B)

    def draw(image_A, image_B):
        height, width = size or image_B.size[::-1]
        return shaped(image_A, height, width, fit), shaped(image_B, height, width, fit)

    return write_pairs(jobs, out, draw)


def check_size(size: Any) -> None:
    """Raises BadValueError unless size is None or (height, width)."""
    if size is not None:
        if not isinstance(size, tuple | list) or len(size) != 2:
            raise BadValueError(f"size must be (height, width), not {size!r}.")
        check_at_least(1, height=size[0], width=size[1])


def check_output(out: Path, *folders: Path) -> None:
    """Raises BadValueError if `out` contains pictures, or is inside one of the input folders."""
    for folder in folders:
        if out.resolve().is_relative_to(folder.resolve()):
            raise BadValueError(f"{out} is inside the input folder {folder}; name a folder outside of it.")
    there = [*files(out, deep=False), *(path for split in ("train", "val", "test") for path in files(out / split))]
    if there:
        raise BadValueError(f"{out} has pictures already, {there[0]} among them; name another folder.")


def write_pairs(jobs: dict, out: Path, draw: Callable) -> Pairs:
    """Writes pairs to `out`. `jobs` is {"train": {name: paths}, "val": the same}; `draw(*pictures)` makes (A, B)."""
    places = {(out / split / name).parent for split, of_split in jobs.items() for name in of_split}
    places |= {above for place in places for above in place.parents if above == out or out in above.parents}
    made = [folder for folder in sorted(places) if not folder.exists()]  # parents sort first
    written: list[Path] = []
    try:
        for folder in made:
            folder.mkdir(parents=True)
        return write_splits(jobs, out, draw, written)
    except BaseException as error:
        clear(written, made)
        if isinstance(error, OSError):  # `read` catches the errors of broken pictures
            raise BadValueError(f"folder {str(out)!r} cannot be written: {error}.") from error
        raise


def write_splits(jobs: dict, out: Path, draw: Callable, written: list[Path]) -> Pairs:
    """Writes the files of `write_pairs` and appends their paths to `written`."""
    total, broken = sum(map(len, jobs.values())), []
    counts: dict[str, int] = {}
    for split, split_jobs in jobs.items():
        before = len(written)
        for name, paths in split_jobs.items():
            try:
                image_A, image_B = draw(*map(read, paths))
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
            written.append(out / split / f"{name}.png")
            with write_whole(written[-1]) as unfinished:
                side_by_side(image_A, image_B).save(unfinished)
            if len(written) % REPORTED_EVERY == 0:
                print(f"{len(written)} of {total} pairs")
        counts[split] = len(written) - before
        if not counts[split]:
            raise BadValueError(f"no picture for {split} can be used, the last of them {broken[-1][0]}.")
    return Pairs(out, **counts, skipped=len(broken))


def read(path: Path) -> Image.Image:
    """Reads a picture in mode "RGB". Raises BrokenPictureError."""
    try:
        return read_picture(path)
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


def clear(written: list[Path], made: list[Path]) -> None:
    """Removes these files, and these folders if they are empty."""
    for path in written:
        path.unlink(missing_ok=True)
    for folder in reversed(made):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
