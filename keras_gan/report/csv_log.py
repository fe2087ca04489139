"""Append-only CSV logs of numbers that survive a kill at any moment."""

from collections.abc import Iterable
from pathlib import Path

from keras_gan.files import write_whole
from keras_gan.report.run_files import say, set_aside

DIGITS = 15  # of an integer; more are damage


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
        self.is_from_disk = False  # whether the columns come from a file, which may be damaged

    def open(self, iteration: int) -> list[dict[str, float]]:
        """Drops the rows after this iteration, which a resumed run writes again; returns the others.

        A file that is no `Table` is set aside.
        """
        try:
            rows = parsed(self.path)
        except FileNotFoundError:
            rows = []
        except (OSError, ValueError) as error:
            set_aside(self.path, error)
            rows = []
        kept = [row for row in rows if row["iteration"] <= iteration]
        self.columns, self.is_from_disk = list(kept[0]) if kept else None, bool(kept)
        if kept:
            with write_whole(self.path) as unfinished:
                unfinished.write_text(line(kept[0]) + "".join(line(row.values()) for row in kept))
        else:
            self.path.unlink(missing_ok=True)
        return kept

    def append(self, row: dict[str, float]) -> None:
        """Appends a dict of numbers; the first row sets the columns."""
        if self.is_from_disk and self.columns != list(row):
            set_aside(self.path, "its columns are not those of the run")
            self.columns = None
        self.is_from_disk = False
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
    """The complete rows of a `Table` as dicts; [] if the file is missing or, which is reported, not a `Table`."""
    try:
        return parsed(path)
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        say(f"{path} is damaged ({error}): it is left out")
        return []


def parsed(path: Path) -> list[dict[str, float]]:
    """The complete rows of a `Table`. Damaged rows are left out and counted.

    Raises:
        OSError, ValueError: if the file cannot be read or is no `Table`.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is no file")
    *lines, _ = path.read_text(encoding="utf-8", errors="replace").split("\n")  # the last one is incomplete, or empty
    columns, *texts = [[text.strip() for text in row.split(",")] for row in lines] or [["iteration"]]
    if "iteration" not in columns:
        raise ValueError("it has no column 'iteration'")
    rows = [row for row in (row_of(columns, row) for row in texts) if row]
    if texts and not rows:
        raise ValueError(f"none of its {len(texts)} rows has a number for each column")
    if len(rows) < len(texts):
        say(f"{path} is damaged: {len(texts) - len(rows)} of {len(texts)} rows are left out")
    return rows


def row_of(columns: list[str], texts: list[str]) -> dict[str, float] | None:
    """A row as a dict; None if it is damaged."""
    try:
        row = {name: number(text) for name, text in zip(columns, texts, strict=True)}
    except ValueError:
        return None
    return row if isinstance(row["iteration"], int) and row["iteration"] >= 0 else None


def number(text: str) -> float:
    """Parses an int if there are only digits, else a float."""
    return int(text) if text.lstrip("-").isdecimal() and len(text) <= DIGITS else float(text)
