"""Saves the rows of a table, as the library `datasets` reads them, as picture files in the folders of a data set."""

import importlib
import io
import itertools
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from keras_gan.datasets.hub_columns import columns_of
from keras_gan.errors import BadValueError

REPORTED_EVERY = 1000
TITLES = {"image": "pictures"}
datasets: Any = importlib.import_module("datasets")  # not the folder of this name


def save(data: Any, folder: Path, split: str, whose: str, options: Mapping[str, str]) -> str:
    """Saves the rows of a split. Returns what the columns were taken for, as text.

    Args:
        data: the rows.
        folder: of the data set; it gets SPLITA and SPLITB, SPLIT with a folder per class, or SPLIT.
        split: "train", "val" or "test".
        whose: the data set as one names it.
        options: of the name, see `keras_gan.datasets.hub`.

    Raises:
        BadValueError: if there are no rows, or it cannot be told which columns to take.
    """
    types = data.features or {}
    for name, kind in types.items():
        if type(kind).__name__ == "Image":
            data = data.cast_column(name, datasets.Image(decode=False))
    rows = iter(data)
    first = next(rows, None)
    if first is None:
        raise BadValueError(f"{whose} has no rows to {split}.")
    wanted = {role: options[role] for role in ("A", "B", "image", "label") if role in options}
    columns = columns_of(types, first, wanted, whose)
    label = columns.pop("label", None)
    names = getattr(types.get(label), "names", None)
    every = itertools.islice(itertools.chain([first], rows), int(options["first"]) if "first" in options else None)
    for number, row in enumerate(every):
        if any(row[name] is None for name in columns.values()) or (label and is_unknown(row[label])):
            continue
        for role, name in columns.items():
            place = folder / (split if role == "image" else split + role)
            write(place / class_folder(row[label], names) if label else place, f"{number:07}", row[name])
        if number % REPORTED_EVERY == REPORTED_EVERY - 1:
            print(f"{whose}: {number + 1} rows of {split}", file=sys.stderr)
    unused = [name for name in first if name not in (*columns.values(), label)]
    taken = [f"{TITLES.get(role, role)}: {name}" for role, name in columns.items()]
    told = ", ".join([*taken, *([f"labels: {label}"] if label else [])])
    return told + f"; not used: {', '.join(unused)}" * bool(unused)


def is_unknown(label: Any) -> bool:
    """Whether a row has no label: -1 in test sets whose labels are secret."""
    return label is None or (isinstance(label, int) and label < 0)


def class_folder(label: Any, names: Iterable[str] | None) -> str:
    """The folder of a class, by its name or number."""
    known = list(names) if names else []
    name = known[label] if isinstance(label, int) and 0 <= label < len(known) else str(label)
    safe = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", name).strip(" .")[:100] or "_"
    return safe if safe == name or safe not in known else f"{safe}_{known.index(name)}"


def write(folder: Path, stem: str, value: Any) -> None:
    """Writes a picture as it is encoded, with the ending of its kind."""
    content = encoded(value)
    try:
        with Image.open(io.BytesIO(content)) as image:
            kind = image.format
    except Exception:  # it is damaged; the loader will say so by its name
        kind = None
    endings = [ending for ending, of in Image.registered_extensions().items() if of == kind]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}{'.jpg' if kind == 'JPEG' else next(iter(endings), '.png')}").write_bytes(content)


def encoded(value: Any) -> bytes:
    """The bytes of a picture file: of a column of pictures, of bytes, or of a path."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, dict) and value.get("bytes"):
        return value["bytes"]
    if isinstance(value, dict):
        if os.path.isfile(value["path"]):
            return Path(value["path"]).read_bytes()
        value = datasets.Image().decode_example(value)  # of an address, or within an archive
    content = io.BytesIO()
    value.save(content, "PNG")
    return content.getvalue()
