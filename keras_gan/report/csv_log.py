"""Append-only CSV logs of numbers that survive a kill at any moment."""

import csv
from collections.abc import Iterable
from pathlib import Path

from keras_gan.files import write_whole


class Table:
    """An append-only CSV file of numbers; every row has an `iteration`.

    Each row is one write, so a killed process loses none. An incomplete last line, which a crash of the machine may
    leave, is dropped by `open`.

    Args:
        path: the file, created with the first row.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] | None = None

    def open(self, iteration: int) -> list[dict[str, float]]:
        """Drops the rows after this iteration, which a resumed run writes again; returns the others."""
        rows = read_rows(self.path)
        kept = [row for row in rows if row["iteration"] <= iteration]
        self.columns = list(kept[0]) if kept else None
        if kept:
            with write_whole(self.path) as unfinished:
                unfinished.write_text(line(kept[0]) + "".join(line(row.values()) for row in kept))
        else:
            self.path.unlink(missing_ok=True)
        return kept

    def append(self, row: dict[str, float]) -> None:
        """Appends a dict of numbers; the first row sets the columns."""
        text = ""
        if self.columns is None:
            self.columns = list(row)
            text = line(self.columns)
        text += line(row.get(column, float("nan")) for column in self.columns)
        with open(self.path, "a", newline="") as file:
            file.write(text)


def line(values: Iterable) -> str:
    """Formats a CSV line."""
    return ",".join(f"{value:.6g}" if isinstance(value, float) else str(value) for value in values) + "\n"


def read_rows(path: Path) -> list[dict[str, float]]:
    """The complete rows of a `Table` as dicts; [] if the file is missing or not a `Table`."""
    if not path.exists():
        return []
    lines = path.read_text(errors="replace").splitlines(keepends=True)
    columns, *rows = list(csv.reader(text for text in lines if text.endswith("\n"))) or [[]]
    numbers = []
    for row in rows:
        try:
            numbers.append({name: number(text) for name, text in zip(columns, row, strict=True)})
        except ValueError:  # a damaged row
            continue
    return numbers if "iteration" in columns else []


def number(text: str) -> float:
    """Parses an int if there are only digits, else a float."""
    return int(text) if text.lstrip("-").isdecimal() else float(text)
