"""Makes paired data sets of photos: their gray versions or their edges beside them, or two folders side by side.

The first is `python -m keras_gan.datasets pairs --from edges PHOTOS OUT`, the second `... join A B OUT`.
"""

import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from keras_gan.datasets import HELD_OUT, files
from keras_gan.datasets.edges import edges
from keras_gan.errors import BadValueError, NotFoundError, check_at_least
from keras_gan.files import write_whole
from keras_gan.pictures import UNREADABLE, read_picture, resize

NAMED = 3  # so many files are named in an error, the others counted
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


def make_pairs(kind, photos, out, size=None):
    """Makes a paired data set of photos: A, in the left half, is made from the photo B, in the right half.

    A and B are written side by side to `out/train` and `out/val`, as PNG named as the photo. Where
    `photos` has a folder `train`, and `val` or `test`, these are the splits; else every tenth
    picture by name goes to `val`. Broken pictures are named on stderr and left out. If anything
    fails, nothing is left behind in `out`.

    Args:
        kind: "gray" or "edges": what A is.
        photos: a folder of pictures of any kind, see `keras_gan.pictures.read_picture`.
        out: the folder to write to, without pictures so far.
        size: (height, width) of either half; None: that of the photo.

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
    check_apart(out, photos)
    jobs = held_out({split: [(path,) for path in found.values()] for split, found in by_name(photos).items()}, photos)

    def draw(photo):
        photo = photo if size is None else resize(photo, *size)
        return KINDS[kind](photo), photo

    return write_pairs(jobs, out, draw)


def join_folders(folder_A, folder_B, out, size=None):
    """Makes a paired data set of two folders: A, in the left half, and the B of the same name in the right half.

    The ending of the name does not count: 1.png and 1.jpg belong together. All else is as in
    `make_pairs`; where the folders have splits, both have.

    Args:
        folder_A, folder_B: folders of pictures.
        out: the folder to write to, without pictures so far.
        size: (height, width) of either half; None: that of B.

    Returns:
        `Pairs`.

    Raises:
        NotFoundError: (a FileNotFoundError) if a folder is missing.
        BadValueError: (a ValueError) as `make_pairs`, and if a picture has no partner.
    """
    folder_A, folder_B, out = Path(folder_A), Path(folder_B), Path(out)
    check_size(size)
    check_apart(out, folder_A, folder_B)
    if folder_A.resolve() == folder_B.resolve():
        raise BadValueError(f"A and B are the same folder, {folder_A} and {folder_B}; name two different ones.")
    jobs = held_out(partners(folder_A, by_name(folder_A), folder_B, by_name(folder_B)), folder_B)

    def draw(image_A, image_B):
        height, width = size or image_B.size[::-1]
        return resize(image_A, height, width), resize(image_B, height, width)

    return write_pairs(jobs, out, draw)


# Which pictures.


def by_name(folder):
    """The pictures of a folder, {split: {name: path}}; the one split is None where none is set apart."""
    if not folder.is_dir():
        raise NotFoundError(f"no folder {str(folder)!r}.")
    val = files(folder / "val") or files(folder / "test")
    train = files(folder / "train") or files(folder)
    if not train:
        raise BadValueError(
            f"no pictures in {folder} or {folder / 'train'}; expected are pictures directly inside, "
            "or in train and val (or test)."
        )
    splits = {"train": train, "val": val} if val else {None: train}
    return {split: {path.stem: path for path in unlike(paths)} for split, paths in splits.items()}


def unlike(paths):
    """`paths`, or a BadValueError if two of them have the same name but for the ending."""
    named = defaultdict(list)
    for path in paths:
        named[path.stem.casefold()].append(path)  # as on macOS and Windows, where 1.png and 1.PNG are one file
    twice = next((alike for alike in named.values() if len(alike) > 1), None)
    if twice:
        raise BadValueError(f"{' and '.join(map(str, twice))} would become the same file; rename or move all but one.")
    return paths


def partners(folder_A, splits_A, folder_B, splits_B):
    """{split: [(path of A, path of B)]}, or a BadValueError that names pictures without a partner."""
    if set(splits_A) != set(splits_B):
        first, other = (folder_A, folder_B) if "val" in splits_A else (folder_B, folder_A)
        raise BadValueError(
            f"{first} has pictures set apart in val or test and {other} has not; both must have the same."
        )
    alone = [
        path
        for split in splits_A
        for mine, its in ((splits_A[split], splits_B[split]), (splits_B[split], splits_A[split]))
        for name, path in mine.items()
        if name not in its
    ]
    if alone:
        more = f" and {len(alone) - NAMED} more" if len(alone) > NAMED else ""
        raise BadValueError(
            f"pictures without a partner of the same name, {len(alone)} in all: "
            f"{', '.join(map(str, alone[:NAMED]))}{more}; add the partners or move these away."
        )
    return {split: [(path, splits_B[split][name]) for name, path in found.items()] for split, found in splits_A.items()}


def held_out(jobs, folder):
    """{"train": jobs, "val": jobs}: every tenth is held out where none are set apart."""
    if None not in jobs:
        return jobs
    every = jobs[None]
    if len(every) == 1:
        raise BadValueError(f"{folder} has only {every[0][-1].name}: one is needed to train and another one to test.")
    return {"train": [job for i, job in enumerate(every) if i % HELD_OUT], "val": every[::HELD_OUT]}


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
    for place in (out, *(out / split for split in ("train", "val", "test"))):
        if files(place):
            raise BadValueError(f"{out} has pictures already, {files(place)[0]} among them; name another folder.")


# Writing.


def write_pairs(jobs, out, draw):
    """Writes {"train": jobs, "val": jobs} to `out`; a job is the paths of the pictures that `draw` makes (A, B) of."""
    made = [folder for folder in (out, out / "train", out / "val") if not folder.exists()]
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
        for paths in split_jobs:
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
            written.append(out / split / f"{paths[-1].stem}.png")
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
