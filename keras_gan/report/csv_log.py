"""CSV files of numbers that grow while a run goes on, safe against a kill at any moment."""

import csv

from keras_gan.files import write_whole


class Table:
    """A CSV file of numbers that grows row by row; every row has an `iteration`.

    A row is handed to the system whole, so that a process killed at any moment loses none. A last line
    that is cut short, as a machine that goes down may leave it, is dropped when the file is next opened.

    Args:
        path: the file; it appears with the first row.
    """

    def __init__(self, path):
        self.path = path
        self.columns = None

    def open(self, iteration):
        """Drops the rows after this iteration, which a resumed run plays again; returns the others."""
        rows = read_rows(self.path)
        kept = [row for row in rows if row["iteration"] <= iteration]
        self.columns = list(kept[0]) if kept else None
        if kept:
            with write_whole(self.path) as unfinished:
                unfinished.write_text("".join(map(line, [self.columns, *(row.values() for row in kept)])))
        else:
            self.path.unlink(missing_ok=True)
        return kept

    def append(self, row):
        """Writes a dict of numbers; the columns are those of the first row."""
        text = ""
        if self.columns is None:
            self.columns = list(row)
            text = line(self.columns)
        text += line(row.get(column, float("nan")) for column in self.columns)
        with open(self.path, "a", newline="") as file:
            file.write(text)


def line(values):
    """Values as a line of a CSV file."""
    return ",".join(f"{value:.6g}" if isinstance(value, float) else str(value) for value in values) + "\n"


def read_rows(path):
    """The whole rows of a CSV file of numbers, as dicts; [] if there is no such file or it is none."""
    if not path.exists():
        return []
    lines = path.read_text(errors="replace").splitlines(keepends=True)
    columns, *rows = csv.reader(text for text in lines if text.endswith("\n")) if lines else [[]]
    numbers = []
    for row in rows:
        try:
            numbers.append({name: number(text) for name, text in zip(columns, row, strict=True)})
        except ValueError:  # damaged
            continue
    return numbers if "iteration" in columns else []


def number(text):
    """An int where it is written as one, else a float."""
    return int(text) if text.lstrip("-").isdecimal() else float(text)
