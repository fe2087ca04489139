"""Errors that a user can put right: the message names the bad value and the way out.

The commands print such a message as one line and exit with code 2; in Python they are ordinary
`ValueError` and `FileNotFoundError`.
"""


class UserError(Exception):
    """Base of the errors that are the input's fault, never a bug's."""


class BadValueError(UserError, ValueError):
    """A value that cannot work."""


class NotFoundError(UserError, FileNotFoundError):
    """A file or a folder that is not there."""


class NotFiniteError(UserError, ArithmeticError):
    """A loss or a weight that became infinite or no number at all: training cannot go on."""


def check_at_least(minimum, **values):
    """Raises BadValueError for the first value that is no whole number of at least `minimum`."""
    for name, value in values.items():
        if not isinstance(value, int) or value < minimum:
            raise BadValueError(f"{name} must be a whole number of at least {minimum}, not {value!r}.")
