"""Reports the layout, contents and problems of a folder."""

import hashlib
import shlex
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from PIL import UnidentifiedImageError

from keras_gan.datasets.catalogue import how_to_get
from keras_gan.datasets.contact_sheet import save
from keras_gan.datasets.folders import locate
from keras_gan.datasets.layouts import IDX, PAIRS, SINGLE, Detected, detect
from keras_gan.datasets.next_commands import catalogue_entry, commands
from keras_gan.datasets.pair_files import judged, preview, surely_single
from keras_gan.datasets.parts import split_folders
from keras_gan.datasets.preparation import preparation_of
from keras_gan.datasets.shard_names import is_named
from keras_gan.datasets.spans import by_white, doubts, extremes, number
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.images.arrays import is_array, read_array
from keras_gan.images.opening import opened_image
from keras_gan.images.pixels import halves
from keras_gan.images.sources import UNREADABLE, Pixels, source, value_span
from keras_gan.images.values import Span

NAMED = 3  # the report names this many files and counts the rest
WORKERS = 4
REPORTED_EVERY = 5000


class Scan(NamedTuple):
    """What a picture file contains: (width, height), its mode (for arrays, the channels) and a hash; or its fault.

    Files that can be read have a span, also where their values are refused.
    """

    size: tuple | None = None
    mode: str | int | None = None
    digest: bytes | None = None
    fault: str | None = None
    span: Span | None = None


def check(name: str | Path, sheet: str | Path | None = None, name_B: str | Path | None = None) -> None:
    """Prints a report on a data set, and saves a sheet of its first pictures.

    Args:
        name: a folder, below `datasets/` or by path.
        sheet: the PNG file to write; None: the folder's name and "-check.png", in the current folder.
        name_B: the folder of side B, if `name` is the folder of side A.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no such folder.
        BadValueError: (a ValueError) if the folder is not a data set, more than half of the pictures
            of a split are broken, or the sheet cannot be written.
    """
    names = [str(given) for given in (name, name_B) if given is not None]
    data = detect(*map(locate_existing, names))
    scans = scan_all(data)
    print("\n".join(report(data, scans)))
    check_usable(data, scans)
    path = Path(sheet or f"{data.name}-check.png")
    save(path, data, scans)
    print(f"sheet     {path}")
    modes = {scan.mode for inside in scans.values() for scan in inside if scan.mode is not None}
    for command in commands(data, " --dataset-B ".join(map(shlex.quote, names)), modes):
        print(f"next      {command}")


def locate_existing(name: str) -> Path:
    """The folder of this name. Raises NotFoundError if there is none."""
    if is_named(name):
        raise BadValueError(f"{name!r} are shards, which training checks when it begins: check takes a folder.")
    folder = locate(name)
    if folder is None:
        raise NotFoundError(f"no folder {name!r}, here or below datasets/: {how_to_get(name)}name one that exists.")
    return folder


def scan_all(data: Detected) -> dict[str, list[Scan]]:
    """{group: [Scan]} of all pictures. Reports progress on stderr."""
    total, done = sum(map(len, data.groups.values())), 0
    scans: dict[str, list[Scan]] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for group, inside in data.groups.items():
            scans[group] = []
            for found in pool.map(lambda picture: scan(picture, data.layout == PAIRS), inside):
                scans[group].append(found)
                done += 1
                if done % REPORTED_EVERY == 0 and data.layout != IDX:
                    print(f"read {done} of {total} pictures", file=sys.stderr)
    return scans


def scan(picture: Any, is_pair: bool) -> Scan:
    """The `Scan` of a picture."""
    picture = source(picture)
    if isinstance(picture, Pixels):
        height, width = picture.pixels.shape[:2]
        return Scan((width, height), "L", hashlib.sha256(picture.pixels.tobytes()).digest())
    span = None
    try:
        span = value_span(picture)
        image = preview(picture)
        if is_pair:
            halves(image)
        elif min(image.size) < 2:
            return Scan(fault=f"it is only {image.width} x {image.height} pixels")
        return Scan(image.size, mode_of(picture), digest_of(picture), span=span)
    except UnidentifiedImageError:
        return Scan(fault="it is no picture")
    except UNREADABLE as error:
        return Scan(fault=str(error) or type(error).__name__, span=span)


def digest_of(path: Path) -> bytes:
    """The SHA-256 of a file."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(2**20):
            found.update(part)
    return found.digest()


def mode_of(path: Path) -> str | int:
    """The mode of a picture, or the number of channels of an array."""
    pixels = read_array(path) if is_array(path) else None
    if pixels is not None:
        return pixels.shape[2]
    with opened_image(path) as raw:
        return raw.mode


def report(data: Detected, scans: dict[str, list[Scan]]) -> list[str]:
    """The lines of the report."""
    good = [scan for inside in scans.values() for scan in inside if not scan.fault]
    places = " and ".join(str(folder) for folder in (data.folder, data.folder_B) if folder)
    lines = [f"{places}: {data.layout}"]
    lines += [f"{group:<10}{counted(inside)}" for group, inside in scans.items()]
    if good:
        modes = Counter(f"array of {s.mode} channels" if isinstance(s.mode, int) else s.mode for s in good)
        tally = ", ".join(f"{mode} {count}" for mode, count in modes.most_common())
        lines += [f"sizes     {sizes(good)}", f"modes     {tally}"]
    if data.classes:
        lines.append(f"classes   {len(data.classes)}: {class_counts(data)}")
    return lines + [
        *values(scans),
        *broken_pictures(data, scans),
        *duplicates(data, scans),
        *(f"note      {text}" for text in notes(data)),
    ]


def counted(scans: list[Scan]) -> str:
    """The number of pictures of a group, and of broken ones."""
    broken = sum(bool(scan.fault) for scan in scans)
    return f"{len(scans)} pictures" + f", {broken} of them broken" * bool(broken)


def sizes(good: list[Scan]) -> str:
    """The sizes of pictures, width x height."""
    counts = Counter(scan.size for scan in good if scan.size)
    (common, count), *others = counts.most_common()
    if not others:
        return f"all {size_text(common)}"
    smallest, largest = (choose(counts, key=lambda size: size[0] * size[1]) for choose in (min, max))
    return f"{size_text(smallest)} to {size_text(largest)}, {len(counts)} sizes, mostly {size_text(common)} ({count})"


def size_text(size: tuple) -> str:
    return f"{size[0]}x{size[1]}"


def values(scans: dict[str, list[Scan]]) -> list[str]:
    """The lines on the values that the files span, and on pictures that these make nearly black."""
    spans = {group: [scan.span for scan in inside if scan.span] for group, inside in scans.items()}
    tally = []
    for white, alike in by_white(span for inside in spans.values() for span in inside).items():
        low, high = map(number, extremes(alike))
        tally.append(f"{low} to {high} in {len(alike)} files, white is {'unknown' if white is None else number(white)}")
    trained_on = {group: inside for group, inside in spans.items() if group.startswith("train")}
    return [f"values    {'; '.join(tally)}"] * bool(tally) + [f"warning   {doubt}" for doubt in doubts(trained_on)]


def class_counts(data: Detected) -> str:
    """The number of training and test pictures per class."""
    train, test = (Counter(picture.label for picture in inside) for inside in data.groups.values())
    return ", ".join(f"{name} {train[label]}+{test[label]}" for label, name in enumerate(data.classes))


def broken_pictures(data: Detected, scans: dict[str, list[Scan]]) -> list[str]:
    """The line on broken pictures, if any."""
    broken = [
        f"{source(picture)}: {scan.fault}"
        for group, inside in scans.items()
        for picture, scan in zip(data.groups[group], inside, strict=True)
        if scan.fault
    ]
    return [f"broken    {len(broken)}: {first_few(broken)}"] if broken else []


def first_few(texts: list[str]) -> str:
    """The first texts, and how many more there are."""
    more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
    return "; ".join(texts[:NAMED]) + more


def duplicates(data: Detected, scans: dict[str, list[Scan]]) -> list[str]:
    """The lines on files with identical bytes."""
    places = defaultdict(list)
    for group, inside in scans.items():
        for picture, scan in zip(data.groups[group], inside, strict=True):
            if scan.digest:
                places[scan.digest].append((group, str(source(picture))))
    twice = [found for found in places.values() if len(found) > 1]
    leaked = [found for found in twice if len({group.startswith("train") for group, _ in found}) > 1]
    lines = []
    for title, groups in (("twice", twice), ("leaked", leaked)):
        if groups:
            text = first_few([" = ".join(path for _, path in found[:NAMED]) for found in groups])
            where = "in both training and test splits" if groups is leaked else "more than once, byte for byte"
            lines.append(f"{title:<10}{len(groups)} pictures occur {where}: {text}")
    return lines


def notes(data: Detected) -> Iterator[str]:
    """Further remarks on the data set."""
    entry = catalogue_entry(data)
    if entry is not None and entry.hint:
        yield f"this is {data.name} of the catalogue, A, B: {entry.sides}; {entry.hint}"
    yield from data.remarks
    preparation = preparation_of([source(p) for p in data.groups["train"]]) if data.layout == PAIRS else None
    if preparation:
        yield f"side A is made of the photos in B: {preparation.kind}; translate makes its inputs alike"
    name, has_train = shlex.quote(str(data.folder)), bool(split_folders(data.folder).get("train"))
    if data.layout == SINGLE and has_train and not surely_single(judged([source(p) for p in data.groups["train"]])):
        yield f"if each picture is a pair, A left and B right: python -m keras_gan.pix2pix --dataset {name}"
    elif data.layout == PAIRS and not has_train:
        yield f"these look like pairs; if each is a single picture: python -m keras_gan.dcgan --dataset {name}"


def check_usable(data: Detected, scans: dict[str, list[Scan]]) -> None:
    """Raises BadValueError if more than half of a group is broken, as training would."""
    for group, inside in scans.items():
        broken = [(i, scan) for i, scan in enumerate(inside) if scan.fault]
        if 2 * len(broken) > len(inside):
            i, scan = broken[0]
            path = source(data.groups[group][i])
            raise BadValueError(
                f"{len(broken)} of {len(inside)} pictures for {group} cannot be used, the first of them {path}: "
                f"{scan.fault}."
            )
