"""Says what a folder is taken for, what is in it and what is wrong with it."""

import hashlib
import io
import shlex
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from keras_gan.datasets import files, four_folders, locate, pictures
from keras_gan.datasets.catalogue import CATALOGUE, how_to_get
from keras_gan.datasets.labelled import any_folder, class_folders, has_splits, idx_folder
from keras_gan.datasets.pairs import BrokenPictureError, read
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.pictures import UNREADABLE, Pixels, halves, open_picture, source
from keras_gan.sampling import save_sheet

PAIRS = "pairs, A in the left half and B in the right half"
UNPAIRED = "two sides without pairs"
CLASSES = "a folder per class"
IDX = "idx files"
HEAP = "single pictures"

SAMPLED = 24  # pictures that tell whether they are pairs
WIDE = 1.9  # times as wide as high: two pictures side by side
SEAM = 2  # times as steep in the middle as beside it: the same; 91 of 100 pairs are, 5 of 100 single pictures
NAMED = 3  # so many files are named, the others counted
WORKERS = 4
REPORTED_EVERY = 5000

SHEET_COLUMNS, SHEET_CLASSES, TILE = 8, 12, 128


@dataclass
class Understood:
    """What a folder is taken for: its layout, its pictures by split (and side), and what to say of them."""

    folder: Path
    layout: str
    groups: dict
    classes: list = field(default_factory=list)
    remarks: list = field(default_factory=list)

    @property
    def name(self):
        return self.folder.resolve().name


class Look(NamedTuple):
    """What is found in a picture: (width, height), the mode in the file, a hash of its bytes; or what is wrong."""

    size: tuple | None = None
    mode: str | None = None
    digest: bytes | None = None
    fault: str | None = None


def check(name, sheet=None):
    """Says what is understood of a data set, and saves a sheet of its first pictures.

    Args:
        name: a folder, below `datasets/` or by path.
        sheet: the PNG file to write; None: the name of the folder and "-check.png", in this one.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no such folder.
        BadValueError: (a ValueError) if the folder is no data set, more than half of the pictures of
            a split are broken, or the sheet cannot be written.
    """
    folder = locate(name)
    if folder is None:
        raise NotFoundError(
            f"no folder {str(name)!r}, here or below datasets/: {how_to_get(name)}name one that exists."
        )
    data = understand(folder)
    looks = look_at_all(data)
    print("\n".join(report(data, looks)))
    check_usable(data, looks)
    path = Path(sheet or f"{data.name}-check.png")
    save(path, data, looks)
    print(f"sheet     {path}")
    for command in commands(data, shlex.quote(str(name))):
        print(f"next      {command}")


# What it is.


def understand(folder):
    """The `Understood` of a folder, or a BadValueError if it has no pictures where they should be."""
    if any((folder / name).is_dir() for name in ("trainA", "trainB")):
        found = four_folders(folder)
        groups = {"train A": found.train_A, "train B": found.train_B, "test A": found.test_A, "test B": found.test_B}
        return Understood(folder, UNPAIRED, groups)
    if any(folder.glob("*idx[13]-ubyte*")):
        return single(folder, IDX, idx_folder(folder, folder.resolve().name))
    train = files(folder / "train")
    if train and are_pairs(train):
        used = pictures(folder, "val", "test")
        apart = {name: inside for name in ("val", "test") if (inside := files(folder / name))}
        data = Understood(folder, PAIRS, {"train": train, **apart})
        if len(apart) > 1:
            data.remarks.append(f"models are tried on the {len(used)} pictures in val; nothing reads those in test")
        return data
    return classes_or_heap(folder)


def classes_or_heap(folder):
    """As `understand`, of pictures without partners."""
    if files(folder) or files(folder / "train"):
        return single(folder, HEAP, any_folder(folder))
    try:
        return single(folder, CLASSES, class_folders(folder))
    except BadValueError as error:
        data = single(folder, HEAP, any_folder(folder))
        data.remarks.append(f"no classes: {error}")
        return data


def single(folder, layout, found):
    """The `Understood` of a `LabelledDataset`."""
    data = Understood(folder, layout, {"train": found.train, "test": found.test}, found.classes)
    if layout == HEAP:
        data.classes = []
    divided = layout == IDX or has_splits(folder) or files(folder / "test") or files(folder / "val")
    if not divided:
        data.remarks.append("nothing is set apart for testing: every tenth picture by name is")
    return data


def are_pairs(paths):
    """Whether most of these are two pictures side by side, from a sample of them."""
    found = [is_pair(image) for image in map(readable, paths[:: -(-len(paths) // SAMPLED) or 1]) if image is not None]
    return 2 * sum(found) > len(found)


def readable(path):
    """The picture in a file in mode "RGB", or None."""
    try:
        return read(path)
    except BrokenPictureError:
        return None


def is_pair(image):
    """Whether a picture is as wide as two, or has a seam from top to bottom in the middle."""
    width, height = image.size
    if width % 2 or width < 16:
        return False
    pixels = np.asarray(image, "float32")[:, width // 2 - 6 : width // 2 + 6]
    steps = np.abs(np.diff(pixels, axis=1)).mean(axis=(0, 2))  # 11 of them, the middle one between the halves
    return width >= WIDE * height or steps[5] > SEAM * np.median(np.delete(steps, 5))


# What is in it.


def look_at_all(data):
    """{group: [Look]} of all pictures; says how far it is where that takes long."""
    total, done, looks = sum(map(len, data.groups.values())), 0, {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for group, inside in data.groups.items():
            looks[group] = []
            for look in pool.map(lambda picture: look_at(picture, data.layout == PAIRS), inside):
                looks[group].append(look)
                done += 1
                if done % REPORTED_EVERY == 0 and data.layout != IDX:
                    print(f"read {done} of {total} pictures", file=sys.stderr)
    return looks


def look_at(picture, is_pair):
    """The `Look` of a picture."""
    picture = source(picture)
    if isinstance(picture, Pixels):
        height, width = picture.pixels.shape[:2]
        return Look((width, height), "L", hashlib.sha256(picture.pixels.tobytes()).digest())
    try:
        content = picture.read_bytes()
        image = read(io.BytesIO(content))
        if is_pair:
            halves(image)
        elif min(image.size) < 2:
            return Look(fault=f"it is only {image.width} x {image.height} pixels")
        with Image.open(io.BytesIO(content)) as raw:
            return Look(image.size, raw.mode, hashlib.sha256(content).digest())
    except BrokenPictureError as error:
        return Look(fault=error.args[1])
    except UNREADABLE as error:
        return Look(fault=str(error) or type(error).__name__)


def report(data, looks):
    """The lines on what is there."""
    good = [look for inside in looks.values() for look in inside if not look.fault]
    lines = [f"{data.folder}: {data.layout}"]
    lines += [f"{group:<10}{counted(inside)}" for group, inside in looks.items()]
    if good:
        lines += [f"sizes     {sizes(good)}", f"modes     {tally(look.mode for look in good)}"]
    if data.classes:
        lines.append(f"classes   {len(data.classes)}: {class_counts(data)}")
    return lines + [*faults(data, looks), *alike(data, looks), *(f"note      {text}" for text in notes(data))]


def counted(looks):
    """How many pictures a group has, and how many of them are broken."""
    broken = sum(bool(look.fault) for look in looks)
    return f"{len(looks)} pictures" + f", {broken} of them broken" * bool(broken)


def sizes(good):
    """The sizes of pictures, width x height."""
    counts = Counter(look.size for look in good)
    (common, count), *others = counts.most_common()
    if not others:
        return f"all {by(common)}"
    smallest, largest = (choose(counts, key=lambda size: size[0] * size[1]) for choose in (min, max))
    return f"{by(smallest)} to {by(largest)}, {len(counts)} different ones, mostly {by(common)} ({count})"


def by(size):
    return f"{size[0]}x{size[1]}"


def tally(values):
    return ", ".join(f"{value} {count}" for value, count in Counter(values).most_common())


def class_counts(data):
    """How many pictures each class has, in training and in testing."""
    train, test = (Counter(picture.label for picture in inside) for inside in data.groups.values())
    return ", ".join(f"{name} {train[label]}+{test[label]}" for label, name in enumerate(data.classes))


def faults(data, looks):
    """The lines on broken pictures."""
    broken = [
        f"{source(picture)}: {look.fault}"
        for group, inside in looks.items()
        for picture, look in zip(data.groups[group], inside, strict=True)
        if look.fault
    ]
    return [f"broken    {len(broken)}: {named(broken)}"] if broken else []


def named(texts):
    """The first ones, and how many more."""
    more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
    return "; ".join(texts[:NAMED]) + more


def alike(data, looks):
    """The lines on pictures that are there more than once, byte by byte."""
    places = defaultdict(list)
    for group, inside in looks.items():
        for picture, look in zip(data.groups[group], inside, strict=True):
            if look.digest:
                places[look.digest].append((group, str(source(picture))))
    twice = [found for found in places.values() if len(found) > 1]
    leaked = [found for found in twice if len({group.startswith("train") for group, _ in found}) > 1]
    lines = []
    for title, heaps in (("twice", twice), ("leaked", leaked)):
        if heaps:
            text = named([" = ".join(path for _, path in heap[:NAMED]) for heap in heaps])
            what = "in training and in testing both" if heaps is leaked else "more than once, byte by byte"
            lines.append(f"{title:<10}{len(heaps)} pictures are there {what}: {text}")
    return lines


def notes(data):
    """What else to know."""
    entry = known(data)
    if entry is not None and entry.hint:
        yield f"this is {data.name} of the catalogue, A, B: {entry.sides}; {entry.hint}"
    yield from data.remarks
    if data.layout == HEAP and files(data.folder / "train"):
        start = "if each picture is a pair, A left and B right: python -m keras_gan.pix2pix --dataset"
        yield f"{start} {shlex.quote(str(data.folder))}"
    elif data.layout == HEAP and are_pairs(files(data.folder)):
        yield "these look like pairs, A left and B right: they are taken for that in folders train and val"


def known(data):
    """The entry of the catalogue, by the name of the folder and its layout, or None."""
    entry = CATALOGUE.get(data.name)
    return entry if entry is not None and data.layout == (PAIRS if entry.paired else UNPAIRED) else None


def check_usable(data, looks):
    """Raises BadValueError if too much is broken, as training would."""
    for group, inside in looks.items():
        broken = [(i, look) for i, look in enumerate(inside) if look.fault]
        if 2 * len(broken) > len(inside):
            i, look = broken[0]
            path = source(data.groups[group][i])
            raise BadValueError(
                f"{len(broken)} of {len(inside)} pictures for {group} cannot be used, the first of them {path}: "
                f"{look.fault}."
            )


# What to do with it.


def commands(data, name):
    """The commands that take such data."""
    start = "python -m keras_gan"
    entry = known(data)
    direction = f" --direction {entry.direction}" if entry is not None and entry.direction != "AtoB" else ""
    shape = " --image-size 28x28x1" if data.layout == IDX else ""
    return {
        PAIRS: [f"{start}.pix2pix --dataset {name}{direction}", f"{start}.discogan --dataset {name}"],
        UNPAIRED: [f"{start}.cyclegan --dataset {name}"],
        CLASSES: [f"{start}.cgan --dataset {name} --image-size 32", f"{start}.dcgan --dataset {name}"],
        IDX: [f"{start}.cgan --dataset {name}", f"{start}.dcgan --dataset {name}{shape}"],
        HEAP: [f"{start}.dcgan --dataset {name}", f"{start}.datasets pairs --from edges {name} OUT"],
    }[data.layout]


# The sheet.


def save(path, data, looks):
    """Saves the sheet: a row per group, per half of its pairs or per class."""
    rows = {title: shown for title, shown in sheet_rows(data, looks).items() if shown}
    tile = min(TILE, max(max(image.size) for shown in rows.values() for image in shown))
    tiles = [
        [np.asarray(ImageOps.pad(image, (tile, tile), color="white"), "float32") for image in row]
        for row in rows.values()
    ]
    try:
        save_sheet(path, tiles, value_range=(0, 255), captions=list(rows))
    except OSError as error:
        raise BadValueError(f"the sheet {str(path)!r} cannot be written: {error}.") from error


def sheet_rows(data, looks):
    """{caption: [images]} of the first pictures that are not broken."""
    good = {
        group: [picture for picture, look in zip(inside, looks[group], strict=True) if not look.fault]
        for group, inside in data.groups.items()
    }
    if data.layout == PAIRS:
        both = {group: [halves(image) for image in opened(inside)] for group, inside in good.items()}
        return {f"{group} {'AB'[i]}": [pair[i] for pair in both[group]] for group in both for i in (0, 1)}
    if data.classes:
        names = list(enumerate(data.classes))[:SHEET_CLASSES]
        return {name: opened([p for p in good["train"] if p.label == label]) for label, name in names}
    return {group: opened(inside) for group, inside in good.items()}


def opened(inside):
    """The first of these pictures."""
    return [open_picture(picture, 3, TILE) for picture in inside[:SHEET_COLUMNS]]
