"""Labels from a table: a CSV file with a row for each picture, its name, and its class or its attributes."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from keras_gan.datasets.class_folders import check_same_classes, held_out, numbered
from keras_gan.datasets.folders import counted, files, first_few, name_of, natural_key
from keras_gan.datasets.parts import existing_splits
from keras_gan.datasets.sets import LabelledDataset
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.images.sources import Labelled

CLASS_NAMES = "class", "label"  # of the column of classes, if there are more than two columns
FILE_NAMES = "file", "filename", "file name", "file_name", "image", "image_id", "id", "name", "path", "picture"
ON, OFF = ("1", "1.0", "true", "yes"), ("0", "0.0", "-1", "false", "no", "")
ALL = "all"  # the attributes of a table


class Table(NamedTuple):
    """The rows of a CSV file, as text."""

    path: Path
    header: list[str]  # [] if there is none
    rows: dict[int, list[str]]  # by line number

    def problem(self, text: str, line: int | None = None) -> BadValueError:
        """The error of this table."""
        return BadValueError(f"labels {str(self.path)!r}{f', line {line}' if line else ''}: {text}.")

    def column(self, name: str) -> int:
        """The place of a column; BadValueError if there is none."""
        if name not in self.header:
            there = f"its columns are {first_few(self.header[1:])}" if self.header else "it has no header"
            raise self.problem(f"no column {name!r}, {there}")
        return self.header.index(name)


def read_table(path: str | Path, has_header: bool = False) -> Table:
    """Reads a CSV file with commas, semicolons or tabs. The first of two or more columns is the name of a file.

    Args:
        path: the file.
        has_header: whether the first line is surely a header. Otherwise it is one if it begins with the name of a
            column of files, such as "file", or has that of a column of classes, "class" or "label".

    Raises:
        NotFoundError: if there is no such file.
        BadValueError: if it is no such table, or a row has too few columns.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFoundError(f"no table of labels {str(path)!r}: there is no such file.")
    empty = Table(path, [], {})
    try:
        text = path.read_text(encoding="utf-8-sig")
        first = text.lstrip().partition("\n")[0]
        reader = csv.reader(text.splitlines(), delimiter=max(",;\t", key=first.count))
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise empty.problem(f"it cannot be read as a CSV file in UTF-8 ({error})") from error
    rows = {line: row for line, row in lines if any(row)}
    if not rows:
        raise empty.problem("it is empty; expected file name and class in each line")
    line, cells = next(iter(rows.items()))
    names = [cell.lower() for cell in cells]
    is_header = has_header or names[0] in FILE_NAMES or bool({*names[1:]} & {*CLASS_NAMES})
    found = Table(path, rows.pop(line) if is_header else [], rows)
    for number, row in rows.items():
        if len(row) < max(2, len(cells)):
            needed = "file name and class" if len(cells) < 3 else f"{len(cells)} as in the line {line}"
            raise found.problem(f"it has {counted(len(row), 'column')}; expected {needed}", number)
    if not rows:
        raise found.problem("it has a header and no more", line)
    return found


def labels_of(table: Table, attributes: str | None) -> tuple[dict[int, Any], list[str]]:
    """({line: class name, or a tuple with 0 or 1 for each attribute}, the names of the attributes or [])."""
    if attributes is None:
        place = class_column(table)
        unnamed = [line for line, row in table.rows.items() if not row[place]]
        if unnamed:
            raise table.problem("no class", unnamed[0])
        return {line: row[place] for line, row in table.rows.items()}, []
    names = table.header[1:] if attributes == ALL else [name.strip() for name in attributes.split(",")]
    if len(set(names)) < len(names) or not names:
        raise table.problem(
            f"attributes must be different columns, or {ALL} of a table with a header, not {attributes!r}"
        )
    places = [table.column(name) for name in names]
    return {line: tuple(bit(table, line, row, place) for place in places) for line, row in table.rows.items()}, names


def class_column(table: Table) -> int:
    """The place of the column of classes: the second of two, or the one that is called so."""
    width = len(next(iter(table.rows.values())))
    named = [place for place, name in enumerate(table.header) if place and name.lower() in CLASS_NAMES]
    if width > 2 and len(named) != 1:
        has = f"{width} columns and none of them, or several, are called class or label"
        raise table.problem(f"it has {has}: name one so, or take columns of 0 and 1 as attributes=NAME,NAME")
    return named[0] if named else 1


def bit(table: Table, line: int, row: Sequence[str], place: int) -> int:
    """A cell as 1 or 0."""
    cell = row[place].lower()
    if cell not in ON + OFF:
        raise table.problem(f"{table.header[place]} is {row[place]!r}; an attribute is 1, or 0 or -1", line)
    return int(cell in ON)


def labelled_by(folder: Path, path: str | Path, attributes: str | None, is_asked: bool = True) -> LabelledDataset:
    """The pictures of a folder that a table names, with their classes or attributes.

    Args:
        folder: a folder of pictures, perhaps in train and test (or val); else every tenth of a class is for testing.
        path: the table, see `read_table`.
        attributes: names of columns of 0 and 1 between commas, or "all"; None: the table has classes.
        is_asked: whether classes are needed; else all pictures have the same.

    Raises:
        NotFoundError: if there is no such table.
        BadValueError: if it cannot be used, or names none of the pictures.
    """
    table, name = read_table(path, has_header=attributes is not None), name_of(folder)
    told, names = labels_of(table, attributes) if is_asked else (dict.fromkeys(table.rows, name), [])
    by_file, remarks = matched(table, told, folder)
    found = existing_splits(folder)
    train, test = ({file: by_file[file] for file in part if file in by_file} for part in (found.train, found.test))
    if not train:
        raise table.problem(f"it names none of {counted(len(found.train), 'picture')} to train in {folder}")
    groups = grouped(train, bool(names))
    if test:
        tested: dict[Any, list[Path]] = {label: [] for label in groups} | grouped(test, bool(names))
        check_same_classes(groups, tested, folder / "train", folder / "test")
    else:
        groups, tested = held_out(groups)
    if names:
        sets = [[Labelled(file, by_file[file]) for of in part.values() for file in of] for part in (groups, tested)]
        return LabelledDataset(name, sets[0], sets[1], names, remarks, not test, are_attributes=True)
    return LabelledDataset(name, numbered(groups), numbered(tested), list(groups), remarks, not test)


def grouped(labels: dict[Path, Any], are_attributes: bool) -> dict[Any, list[Path]]:
    """The files of each class, in the natural order of the classes; of all together for attributes."""
    groups: dict[Any, list[Path]] = {}
    for file, label in labels.items():
        groups.setdefault("all" if are_attributes else label, []).append(file)
    return {label: groups[label] for label in sorted(groups, key=natural_key)}


def matched(table: Table, told: dict[int, Any], folder: Path) -> tuple[dict[Path, Any], tuple[str, ...]]:
    """({file: its label}, remarks on pictures without a row and on rows without a picture).

    A row names a picture by its path in the folder, by its name alone, or by its name without the extension.
    """
    pictures = files(folder)
    inside = {file: file.relative_to(folder) for file in pictures}
    keys = (
        (as_posix, file) for file, below in inside.items() for as_posix in (below.as_posix(), below.name, below.stem)
    )
    places: dict[str, list[Path]] = {}
    for key, file in keys:
        if file not in places.setdefault(key, []):
            places[key].append(file)
    by_file: dict[Path, Any] = {}
    missing = []
    for line, row in table.rows.items():
        key = row[0].replace("\\", "/").removeprefix("./")
        here = places.get(key, [])
        if len(here) > 1:
            exact = [file for file in here if inside[file].as_posix() == key]
            if not exact:
                raise table.problem(f"{row[0]!r} may be {here[0]} or {here[1]}: write the path in the folder", line)
            here = exact
        if here and by_file.get(here[0], told[line]) != told[line]:
            raise table.problem(f"{row[0]!r} has another class in a line before", line)
        by_file |= {file: told[line] for file in here}
        missing += [] if here else [row[0]]
    without = [inside[file].as_posix() for file in pictures if file not in by_file]
    header = "its first line is a header" if table.header else "it has no header"
    remarks = [f"{counted(len(by_file), 'picture')} with labels of {table.path}; {header}"]
    if without:
        remarks.append(
            f"not used, since {table.path} does not name them: {counted(len(without))}: {first_few(without)}"
        )
    if missing:
        remarks.append(f"in {table.path} but not in {folder}: {counted(len(missing))}: {first_few(missing)}")
    return by_file, tuple(remarks)
