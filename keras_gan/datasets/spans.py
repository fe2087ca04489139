"""Which values the files of a data set span, and whether these make pictures from black to white."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from keras_gan.errors import BadValueError
from keras_gan.images.sources import UNREADABLE, value_span
from keras_gan.images.values import FULL, Range, Span, ValueRange

LOOKED_INTO = 24  # files of a side to tell whether they make pictures from black to white
MOST = 256  # training pictures of a side that `auto` looks into
ENOUGH = 0.5  # pictures whose brightest value is below this share of white are too dark: a bit or more is unused;
ENOUGH_OF_8_BITS = 0.25  # photos of 8 bits may be taken at night
PLAIN = 255, 1  # white in photos and floats, which can share no value range with other files

Files = Mapping[str, list[Any]]  # as of `keras_gan.images.sources.files_of`


def chosen_range(wanted: ValueRange | None, files: Files, whose: str) -> Range:
    """The values of black and white in the files of a data set.

    Args:
        wanted: (low, high), "auto" for the smallest and the largest value in the files, or None.
        files: the training pictures, {side: files}. "auto" reads up to 256 evenly spaced ones of each side.
        whose: the name of the data set.

    Raises:
        BadValueError: if there are no files, or "auto" finds no range.
    """
    if wanted is None:
        return None
    if not any(files.values()):
        raise BadValueError(f"{whose!r} has no picture files, so it takes no value range: leave it out.")
    return found_range(files, whose) if isinstance(wanted, str) else wanted


def range_of_all(ranges: list[Any]) -> Range:
    """The range that several hosts take together, from that of each, which JSON may have held."""
    if ranges[0] is None or len(ranges) == 1:
        return ranges[0]
    lows, highs = zip(*ranges, strict=True)
    return min(lows), max(highs)


def found_range(files: Files, whose: str) -> tuple[float, float]:
    """The smallest and the largest value in the training pictures. Prints it. Raises BadValueError if there is none."""
    spans = [span for paths in files.values() for span in spans_of(paths, MOST)]
    if not spans:
        raise BadValueError(f"{whose!r} has no readable picture files to take the value range from.")
    if are_mixed(span.white for span in spans):
        held = " and ".join(sorted("unknown" if white is None else number(white) for white in by_white(spans)))
        raise BadValueError(
            f"value range auto needs files of one kind, but white is {held} in those of {whose!r}: convert some."
        )
    low, high = extremes(spans)
    if low == high:
        raise BadValueError(f"value range auto finds only the value {number(low)} in {whose!r}: name it, LOW,HIGH.")
    total = sum(map(len, files.values()))
    print(f"Value range: {number(low)} (black) to {number(high)} (white), as {len(spans)} of {total} files have it")
    low, high = (int(value) if value == int(value) else value for value in (low, high))
    return low, high


def warn_of_values(files: Files, value_range: Range) -> None:
    """Prints the `doubts` about these files on standard error, {side: files}."""
    for doubt in doubts({side: spans_of(paths, LOOKED_INTO) for side, paths in files.items()}, value_range):
        print(f"warning: {doubt}", file=sys.stderr)


def spans_of(paths: list[Any], most: int) -> list[Span]:
    """The spans of up to `most` evenly spaced files, without unreadable ones."""
    found = []
    for path in paths[:: -(-len(paths) // most) or 1]:
        try:
            found.append(value_span(path))
        except UNREADABLE:
            continue
    return found


def extremes(spans: Iterable[Span]) -> tuple[float, float]:
    """The smallest and the largest value of all."""
    lows, highs, _ = zip(*spans, strict=True)
    return min(lows), max(highs)


def by_white(spans: Iterable[Span]) -> dict[float | None, list[Span]]:
    """The spans of files with the same white."""
    found: dict[float | None, list[Span]] = defaultdict(list)
    for span in spans:
        found[span.white].append(span)
    return dict(found)


def doubts(spans: Mapping[str, list[Span]], value_range: Range = None) -> list[str]:
    """A line for each side whose values make nearly black pictures, are refused, or are clipped.

    Args:
        spans: {side: spans}.
        value_range: the values of black and white that are used; None: as each file states.
    """
    found = []
    is_mixed = are_mixed(span.white for of_side in spans.values() for span in of_side)
    for side, of_side in spans.items():
        for white, alike in by_white(of_side).items():
            low, high = extremes(alike)
            problem = problem_of(low, high, white, value_range)
            if problem:
                files = f"{len(alike)} files of {side}"
                mend = f"--value-range {suggestion(low, high, white)} or auto"
                mend = "no range suits all files, convert some" if is_mixed else mend
                found.append(f"the values in {files} go from {number(low)} to {number(high)}, {problem}: {mend}")
    return found


def are_mixed(whites: Iterable[float | None]) -> bool:
    """Whether files of these whites are of kinds that no value range suits alike."""
    kinds = set(whites)
    return len(kinds) > 1 and bool(kinds & set(PLAIN))


def problem_of(low: float, high: float, white: float | None, value_range: Range) -> str | None:
    """What is wrong with pictures of these values, in a few words; None if nothing is."""
    if value_range is None and white is None:
        return "and their type tells no white, so they are refused"
    if value_range is None and white == 1 and not 0 <= low <= high <= 1:
        return "but floats must be in 0 to 1, so they are refused"
    black, full = value_range or (0, white or FULL)
    share = ENOUGH_OF_8_BITS if value_range is None and white == 255 else ENOUGH
    if black < high < black + share * (full - black):
        return f"but white is {number(full)}, so the pictures are nearly black"
    if value_range is not None and high > full + (full - black):
        return f"but all above {number(full)} is white"
    return None


def suggestion(low: float, high: float, white: float | None) -> str:
    """LOW,HIGH for these values: the usual range that holds them, else exactly theirs."""
    is_float = white == 1
    if low < 0:
        usual = (-1, 1) if is_float and -1 <= low <= high <= 1 else (low, high)
    elif is_float:
        usual = (0, 255 if 1 < high <= 255 else high)
    else:
        usual = (0, 2 ** int(high).bit_length() - 1 if high > 255 else high)
    return ",".join(map(number, usual))


def number(value: float) -> str:
    """A value as text, without needless digits."""
    return str(int(value)) if value == int(value) else f"{value:.6g}"
