"""Makes paired data sets of photos: their gray versions or their edges beside them, or two folders side by side.

The first is `python -m keras_gan.datasets pairs --from edges PHOTOS OUT`, the second `... join A B OUT`.
"""

import sys
from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from keras_gan.datasets.edges import edges
from keras_gan.datasets.folders import files
from keras_gan.datasets.paired_folders import by_name, paired_folders, with_test
from keras_gan.errors import BadValueError, check_at_least
from keras_gan.files import write_whole
from keras_gan.images.pixels import checked_fit, shaped
from keras_gan.images.sources import UNREADABLE, read_picture

REPORTED_EVERY = 1000


class Pairs(NamedTuple):
    """A paired data set that was made: its folder and how many pairs came to be, or did not."""

    folder: Path
    train: int
    val: int
    skipped: int


class BrokenPictureError(Exception):
    """A file that is no picture or a damaged one: (path, reason)."""


# The left halves.


def gray(image):
    """A picture without its colours, 0.299 R + 0.587 G + 0.114 B.

    Args:
        image: a `PIL.Image.Image`.

    Returns:
        A `PIL.Image.Image` of the same size in mode "L".
    """
    return image.convert("RGB").convert("L")


KINDS = {"gray": gray, "edges": edges}


# Data sets.


def make_pairs(kind, photos, out, size=None, fit="resize"):
    """Makes a paired data set of photos: A, in the left half, is made from the photo B, in the right half.

    A and B are written side by side to `out/train` and `out/val`, as PNG named as the photo, in the
    same subfolders. Where `photos` has a folder `train`, and `val` or `test`, these are the splits;
    else every tenth picture by name goes to `val`. Broken pictures are named on stderr and left out.
    If anything fails, nothing is left behind in `out`.

    Args:
        kind: "gray" or "edges": what A is.
        photos: a folder of pictures of any kind, see `keras_gan.images.sources.read_picture`.
        out: the folder to write to, without pictures so far.
        size: (height, width) of either half; None: that of the photo.
        fit: what becomes of photos of another shape, see `keras_gan.images.pixels.shaped`.

    Returns:
        `Pairs`.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no folder `photos`.
        BadValueError: (a ValueError) if an argument cannot work, a split has no pictures, or more
            than half of them are broken.
    """
    if kind not in KINDS:
        raise BadValueError(f"pairs are made from {' or '.join(KINDS)}, not {kind!r}.")
    photos, out = Path(photos), Path(out)
    check_size(size)
    checked_fit(fit)
    check_apart(out, photos)
    jobs = {split: {name: (path,) for name, path in found.items()} for split, found in by_name(photos).items()}
    jobs = with_test(jobs, photos)

    def draw(photo):
        photo = photo if size is None else shaped(photo, *size, fit)
        return KINDS[kind](photo), photo

    return write_pairs(jobs, out, draw)


def join_folders(folder_A, folder_B, out, size=None, fit="resize"):
    """Makes a paired data set of two folders: A, in the left half, and the B of the same name in the right half.

    The ending of the name does not count: 1.png and 1.jpg belong together. All else is as in
    `make_pairs`; where the folders have splits, both have.

    Args:
        folder_A, folder_B: folders of pictures.
        out: the folder to write to, without pictures so far.
        size: (height, width) of either half; None: that of B.
        fit: what becomes of pictures of another shape, see `keras_gan.images.pixels.shaped`.

    Returns:
        `Pairs`.

    Raises:
        NotFoundError: (a FileNotFoundError) if a folder is missing.
        BadValueError: (a ValueError) as `make_pairs`, and if a picture has no partner.
    """
    folder_A, folder_B, out = Path(folder_A), Path(folder_B), Path(out)
    check_size(size)
    checked_fit(fit)
    check_apart(out, folder_A, folder_B)
    jobs = paired_folders(folder_A, folder_B)

    def draw(image_A, image_B):
        height, width = size or image_B.size[::-1]
        return shaped(image_A, height, width, fit), shaped(image_B, height, width, fit)

    return write_pairs(jobs, out, draw)


# What is checked before any work.


def check_size(size):
    """Raises BadValueError unless size is None or (height, width)."""
    if size is None:
        return
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise BadValueError(f"size must be (height, width), not {size!r}.")
    check_at_least(1, height=size[0], width=size[1])


def check_apart(out, *folders):
    """Raises BadValueError if `out` has pictures already, or lies inside one of the folders that are read."""
    for folder in folders:
        if out.resolve().is_relative_to(folder.resolve()):
            raise BadValueError(f"{out} lies inside {folder}, which is read; name a folder outside of it.")
    there = [*files(out, deep=False), *(path for split in ("train", "val", "test") for path in files(out / split))]
    if there:
        raise BadValueError(f"{out} has pictures already, {there[0]} among them; name another folder.")


# Writing.


def write_pairs(jobs, out, draw):
    """Writes {"train": {name: job}, "val": the same} to `out`; of the pictures of a job `draw` makes (A, B)."""
    places = {(out / split / name).parent for split, of_split in jobs.items() for name in of_split}
    places |= {above for place in places for above in place.parents if above == out or out in above.parents}
    made = [folder for folder in sorted(places) if not folder.exists()]  # those above come first
    written = []
    try:
        for folder in made:
            folder.mkdir(parents=True)
        return write_splits(jobs, out, draw, written)
    except BaseException as error:
        clear(written, made)
        if isinstance(error, OSError):  # those of pictures that cannot be read end before here
            raise BadValueError(f"folder {str(out)!r} cannot be written: {error}.") from error
        raise


def write_splits(jobs, out, draw, written):
    """Does what `write_pairs` says; appends to `written` as it goes."""
    total, broken, counts = sum(map(len, jobs.values())), [], {}
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


def read(path):
    """The picture in a file, mode "RGB", or a BrokenPictureError."""
    try:
        return read_picture(path)
    except UnidentifiedImageError:
        raise BrokenPictureError(path, "it is no picture") from None
    except UNREADABLE as error:
        raise BrokenPictureError(path, str(error) or type(error).__name__) from error


def side_by_side(image_A, image_B):
    """Both pictures, of equal size, as the halves of one in mode "RGB"."""
    width, height = image_B.size
    pair = Image.new("RGB", (2 * width, height))
    pair.paste(image_A, (0, 0))
    pair.paste(image_B, (width, 0))
    return pair


def clear(written, made):
    """Removes these files, and these folders as far as nothing else is in them."""
    for path in written:
        path.unlink(missing_ok=True)
    for folder in reversed(made):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
