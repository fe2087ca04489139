"""Says what a folder is taken for, what is in it and what is wrong with it."""

import hashlib
import io
import shlex
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from keras_gan.datasets.catalogue import CATALOGUE, how_to_get
from keras_gan.datasets.contact_sheet import save
from keras_gan.datasets.folders import files, locate
from keras_gan.datasets.layouts import CLASSES, HEAP, IDX, PAIRS, PARTNERS, UNPAIRED, preview, understand
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.images.arrays import is_array, read_array
from keras_gan.images.pixels import halves
from keras_gan.images.sources import UNREADABLE, Pixels, source

NAMED = 3  # so many files are named, the others counted
WORKERS = 4
REPORTED_EVERY = 5000


class Look(NamedTuple):
    """What is found in a picture: (width, height), the mode in the file, a hash of its bytes; or what is wrong.

    Of an array the mode is the number of its channels.
    """

    size: tuple | None = None
    mode: str | int | None = None
    digest: bytes | None = None
    fault: str | None = None


def check(name, sheet=None, name_B=None):
    """Says what is understood of a data set, and saves a sheet of its first pictures.

    Args:
        name: a folder, below `datasets/` or by path.
        sheet: the PNG file to write; None: the name of the folder and "-check.png", in this one.
        name_B: the folder of side B, where `name` is that of side A alone.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no such folder.
        BadValueError: (a ValueError) if the folder is no data set, more than half of the pictures of
            a split are broken, or the sheet cannot be written.
    """
    names = [str(given) for given in (name, name_B) if given is not None]
    data = understand(*map(located, names))
    looks = look_at_all(data)
    print("\n".join(report(data, looks)))
    check_usable(data, looks)
    path = Path(sheet or f"{data.name}-check.png")
    save(path, data, looks)
    print(f"sheet     {path}")
    for command in commands(data, looks, " --dataset-B ".join(map(shlex.quote, names))):
        print(f"next      {command}")


def located(name):
    """The folder of this name, or a NotFoundError."""
    folder = locate(name)
    if folder is None:
        raise NotFoundError(f"no folder {name!r}, here or below datasets/: {how_to_get(name)}name one that exists.")
    return folder


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
        image = preview(picture)
        if is_pair:
            halves(image)
        elif min(image.size) < 2:
            return Look(fault=f"it is only {image.width} x {image.height} pixels")
        return Look(image.size, mode_of(picture, content), hashlib.sha256(content).digest())
    except UnidentifiedImageError:
        return Look(fault="it is no picture")
    except UNREADABLE as error:
        return Look(fault=str(error) or type(error).__name__)


def mode_of(path, content):
    """The mode of a picture, or how many channels an array has."""
    pixels = read_array(path) if is_array(path) else None
    if pixels is not None:
        return pixels.shape[2]
    with Image.open(io.BytesIO(content)) as raw:
        return raw.mode


def report(data, looks):
    """The lines on what is there."""
    good = [look for inside in looks.values() for look in inside if not look.fault]
    places = " and ".join(str(folder) for folder in (data.folder, data.folder_B) if folder)
    lines = [f"{places}: {data.layout}"]
    lines += [f"{group:<10}{counted(inside)}" for group, inside in looks.items()]
    if good:
        lines += [f"sizes     {sizes(good)}", f"modes     {tally(named_mode(look.mode) for look in good)}"]
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


def named_mode(mode):
    return f"array of {mode} channels" if isinstance(mode, int) else mode


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
    elif data.layout == PAIRS and not files(data.folder / "train"):
        start = "they look like pairs; if each is a picture by itself: python -m keras_gan.dcgan --dataset"
        yield f"{start} {shlex.quote(str(data.folder))}"


def known(data):
    """The entry of the catalogue, by the name of the folder and its layout, or None."""
    entry = CATALOGUE.get(data.name)
    return entry if entry is not None and data.layout in ((PAIRS,) if entry.paired else (UNPAIRED, PARTNERS)) else None


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


def commands(data, looks, name):
    """The commands that take such data."""
    start = "python -m keras_gan"
    entry = known(data)
    direction = f" --direction {entry.direction}" if entry is not None and entry.direction != "AtoB" else ""
    modes = {look.mode for inside in looks.values() for look in inside if not look.fault}
    channels = next(iter(modes)) if len(modes) == 1 else None
    many = f" --image-size 64x64x{channels}" if isinstance(channels, int) and channels != 3 else ""
    pairs = [f"{start}.pix2pix --dataset {name}{direction}{many}", f"{start}.discogan --dataset {name}{many}"]
    dcgan = f"{start}.dcgan --dataset {name}{many}"
    return {
        PAIRS: pairs,
        UNPAIRED: [f"{start}.cyclegan --dataset {name}{many}"],
        PARTNERS: [*pairs, f"{start}.cyclegan --dataset {name}{many}"],
        CLASSES: [f"{start}.cgan --dataset {name}{many or ' --image-size 32'}", dcgan],
        IDX: [f"{start}.cgan --dataset {name}", f"{dcgan} --image-size 28x28x1"],
        HEAP: [dcgan, f"{start}.datasets pairs --from edges {name} OUT"],
    }[data.layout]
