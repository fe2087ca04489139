"""Errors that users can fix: each message names the bad value and a way out.

Commands print the message as one line and exit with code 2. In Python these are also ordinary `ValueError`,
`FileNotFoundError` and so on.
"""

import re
from numbers import Integral, Real
from os import PathLike
from os.path import exists

ADDRESS = re.compile(r"[A-Za-z][\w+.-]+:/")  # two letters at least: C:/ is a drive


class UserError(Exception):
    """Base class of errors caused by the input, not by a bug."""


class BadValueError(UserError, ValueError):
    """An invalid value."""


class NotFoundError(UserError, FileNotFoundError):
    """A missing file or folder."""


class NoDataSetError(NotFoundError):
    """A data set that is missing. `name` is how it was named."""

    def __init__(self, message: str, name: object) -> None:
        super().__init__(message)
        self.name = str(name)


class NotFiniteError(UserError, ArithmeticError):
    """A loss or a weight became infinite or NaN: training cannot continue."""


class LostHostError(UserError, RuntimeError):
    """Another host of a multi-host training run has stopped."""


def check_at_least(minimum: int, **values: object) -> None:
    """Raises BadValueError for the first value that is not an integer of at least `minimum`."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, Integral) or value < minimum:
            raise BadValueError(f"{name} must be a whole number of at least {minimum}, not {value!r}.")


def check_share(**values: float) -> float:
    """Returns the value, or raises BadValueError unless 0 <= value < 1."""
    ((name, value),) = values.items()
    if not is_number(value) or not 0 <= value < 1:
        raise BadValueError(f"{name} must be at least 0 and below 1, not {value!r}.")
    return value


def check_rate(**values: float | None) -> None:
    """Raises BadValueError for the first value that is neither None nor a finite number above 0."""
    for name, value in values.items():
        if value is not None and (not is_number(value) or not 0 < value < float("inf")):
            raise BadValueError(f"{name} must be a number above 0, not {value!r}.")


def check_weight(**values: float) -> None:
    """Raises BadValueError for the first value that is not a finite number of at least 0."""
    for name, value in values.items():
        if not is_number(value) or not 0 <= value < float("inf"):
            raise BadValueError(f"{name} must be a number of at least 0, not {value!r}.")


def check_switch(**values: object) -> None:
    """Raises BadValueError for the first value that is neither True nor False, such as the text "False"."""
    for name, value in values.items():
        if type(value).__name__ not in ("bool", "bool_"):  # NumPy's have these names, too
            raise BadValueError(f"{name} must be True or False, not {value!r}.")


def check_sides(height: int, width: int, multiple: int, least: int = 0) -> None:
    """Raises BadValueError for a picture size with a side that is no multiple of `multiple`, or below `least`."""
    if height % multiple or width % multiple or min(height, width) < max(least, 1):
        near = "x".join(str(max(least, multiple, round(side / multiple) * multiple)) for side in (height, width))
        smallest = f", at least {least}" if least > multiple else ""
        raise BadValueError(
            f"image size {height}x{width}: height and width must be multiples of {multiple}{smallest}, such as {near}."
        )


def check_name(**values: object) -> None:
    """Raises BadValueError for the first value that is neither a text that is not empty nor a path."""
    for name, value in values.items():
        if not isinstance(value, str | PathLike) or not str(value).strip():
            raise BadValueError(f"{name} must be a name or a path, not {value!r}.")


def check_here(place: object) -> None:
    """Raises BadValueError for an address such as s3://bucket/run. As a path it would be a folder named s3: here."""
    if is_address(place):
        shown = re.sub(":/+", "://", str(place), count=1)
        raise BadValueError(f"{shown!r} is an address, not a place on this machine: name a file or folder.")


def is_address(place: object) -> bool:
    """Whether this begins like s3:// or, once it is a `Path`, like s3:/ and is no folder of this machine."""
    return bool(ADDRESS.match(str(place))) and not exists(str(place).partition(":")[0] + ":")


def is_number(value: object) -> bool:
    """Whether a value is a real number, and not True or False."""
    return isinstance(value, Real) and not isinstance(value, bool)
