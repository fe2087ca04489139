"""Errors that users can fix: each message names the bad value and a way out.

Commands print the message as one line and exit with code 2. In Python these are also ordinary `ValueError`,
`FileNotFoundError` and so on.
"""

from numbers import Integral


class UserError(Exception):
    """Base class of errors caused by the input, not by a bug."""


class BadValueError(UserError, ValueError):
    """An invalid value."""


class NotFoundError(UserError, FileNotFoundError):
    """A missing file or folder."""


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
    if not 0 <= value < 1:
        raise BadValueError(f"{name} must be at least 0 and below 1, not {value}.")
    return value
