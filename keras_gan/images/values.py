"""From the values of picture files to 16 bits: black becomes 0 and white 65535."""

import math
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from keras_gan.errors import BadValueError

FULL = 65535  # white in 16 bits
AUTO = "auto"
Range = tuple[float, float] | None  # the values of black and white in files; None: as each file states it
ValueRange = tuple[float, float] | str  # the same as an argument of a model or a loader, or AUTO


class Raw(NamedTuple):
    """The values of a file as it stores them, and what it states about them.

    Attributes:
        values: (height, width) or (height, width, channels).
        white: the value of white, or of black if `is_inverted`; None: the full range of the dtype.
        is_inverted: whether 0 is white.
        alpha: the kind of alpha in the last channel: 0 to ignore it, 1 if it is multiplied into the colours, else 2;
            None if there is no alpha.
    """

    values: np.ndarray
    white: float | None = None
    is_inverted: bool = False
    alpha: int | None = None

    @property
    def colours(self) -> np.ndarray:
        """The values without alpha."""
        return self.values if self.alpha is None else self.values[..., :-1]


class Span(NamedTuple):
    """The smallest and the largest value in a file, and the value taken for white.

    White is 1 for floats; None for integers of 32 bits, which are refused. If `high` is far below it, the values have
    fewer bits than the file states, and the picture is read dark.
    """

    low: float
    high: float
    white: float | None


def checked_value_range(value_range: Any) -> ValueRange | None:
    """Returns None, "auto" or (low, high); raises BadValueError for anything else."""
    if value_range is None or (isinstance(value_range, str) and value_range == AUTO):
        return value_range
    pair: Any = value_range if isinstance(value_range, tuple | list) and len(value_range) == 2 else (None, None)
    if not all(isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value) for value in pair):
        raise BadValueError(f"the value range of the files must be (low, high) or 'auto', not {value_range!r}.")
    low, high = (int(value) if value == int(value) else float(value) for value in pair)
    if low >= high:
        raise BadValueError(f"the value range of the files must rise from black to white, not {low} to {high}.")
    return low, high


def white_of(values: np.ndarray, white: float | None = None) -> float | None:
    """The value of white: 1 for floats, the stated one, or the full range of uint8 and uint16; None if unknown."""
    if values.dtype.kind == "f":
        return 1
    return white or {1: 255, 2: FULL}.get(values.itemsize if values.dtype.kind == "u" else 0)


def shown(raw: Raw, value_range: Range = None) -> np.ndarray:
    """The colours of a file, alpha laid over white: uint16 (height, width, channels) or (height, width).

    Args:
        raw: the values of the file.
        value_range: the values of black and white; None: 0 and the white that the file states.

    Raises:
        ValueError: for unsupported dtypes or ranges.
    """
    colours = as_16_bits(raw.colours, raw.white, value_range)
    if raw.is_inverted:
        colours = FULL - colours
    if not raw.alpha:
        return colours
    alpha = raw.values[..., -1:]
    is_within = value_range is not None and alpha.max() <= value_range[1]  # opaque has as few bits as white
    opacity = as_16_bits(alpha, raw.white, (0, value_range[1]) if value_range is not None and is_within else None)
    return laid_over_white(colours, opacity, is_multiplied=raw.alpha == 1)


def laid_over_white(colours: np.ndarray, opacity: np.ndarray, is_multiplied: bool) -> np.ndarray:
    """Lays uint16 colours (height, width, channels) over white; `is_multiplied`: opacity is in the colours already."""
    share = opacity / FULL
    laid = colours * (1 if is_multiplied else share) + FULL * (1 - share)
    return np.rint(laid).clip(0, FULL).astype("uint16")


def as_16_bits(values: np.ndarray, white: float | None = None, value_range: Range = None) -> np.ndarray:
    """Converts values to uint16; ValueError for unsupported dtypes or ranges.

    Args:
        values: of any shape.
        white: the value that becomes 65535, as the file states it; None: see `white_of`.
        value_range: the values that become 0 and 65535, whatever the file states; others are clipped.
    """
    if value_range is not None:
        return stretched(values, *value_range)
    white = white_of(values, white)
    if white is None:
        raise ValueError(f"its values are {values.dtype}; supported are uint8, uint16 and floats in [0, 1]{way_out()}")
    if (values.dtype.kind, white) == ("u", FULL):
        return values.astype("uint16")
    if (values.dtype.kind, white) == ("u", 255):
        return values.astype("uint16") * np.uint16(257)
    low, high = values.min(), values.max()
    if not 0 <= low <= high <= white:
        allowed = "floats must be in [0, 1]" if values.dtype.kind == "f" else f"its format allows 0 to {white:g}"
        raise ValueError(f"its values range from {low:g} to {high:g}; {allowed}{way_out()}")
    return np.rint(values * (FULL / np.float64(white))).astype("uint16")


def way_out() -> str:
    """What to do about values that are refused."""
    return ", unless --value-range LOW,HIGH names black and white"


def stretched(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Converts values to uint16: `low` becomes 0, `high` 65535, and values outside are clipped.

    Raises:
        ValueError: if the values are no real numbers, or not finite.
    """
    check_numbers(values)
    shares = (values - np.float64(low)) / (np.float64(high) - low)
    return np.rint(shares.clip(0, 1) * FULL).astype("uint16")


def check_numbers(values: np.ndarray) -> None:
    """Raises ValueError unless values are finite real numbers."""
    if values.dtype.kind not in "biuf":
        raise ValueError(f"its values are {values.dtype}, no numbers from black to white")
    if not np.isfinite(values).all():
        raise ValueError("some of its values are not finite")
