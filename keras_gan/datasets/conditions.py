"""What a picture can be asked for: one of several classes, or any of several attributes (multi-hot)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_gan.errors import BadValueError

NONE = "none"  # of the attributes


class Conditions(NamedTuple):
    """The names of classes, or of attributes of which a picture has none, one or several."""

    names: Sequence[str]
    are_attributes: bool = False

    def label(self, asked: Any) -> Any:
        """The label that a network takes: the place of a class, or a tuple with 0 or 1 for each attribute.

        Where names of classes are numbers, a number is a name: 1 is class "1" of "1" to "5", and class "01" of "01" to
        "12"; there is no class 0. Attributes are given as names in a list or between commas, or as zeros and ones.

        Raises:
            BadValueError: for an unknown class or attribute.
        """
        return self._hot(asked) if self.are_attributes else self._place(asked)

    def _place(self, asked: Any) -> int:
        if isinstance(asked, str) and asked in self.names:
            return self.names.index(asked)
        named = {int(name): place for place, name in enumerate(self.names) if name.isdecimal()}
        places = named or {place: place for place in range(len(self.names))}
        if isinstance(asked, int | np.integer) and not isinstance(asked, bool) and int(asked) in places:
            return places[int(asked)]
        numbers = "" if named else f", or 0 to {len(self.names) - 1}"
        raise BadValueError(f"unknown class {asked!r}: the classes are {', '.join(self.names)}{numbers}.")

    def _hot(self, asked: Any) -> tuple[int, ...]:
        if isinstance(asked, str):
            asked = [] if asked == NONE else [name.strip() for name in asked.split(",")]
        wanted = list(asked) if isinstance(asked, list | tuple | set | np.ndarray) else [asked]
        if len(wanted) == len(self.names) and all(value in (0, 1) for value in wanted):
            return tuple(map(int, wanted))
        unknown = [name for name in wanted if name not in self.names]
        if unknown:
            known = ", ".join(self.names)
            raise BadValueError(f"unknown attribute {unknown[0]!r}: the attributes are {known}, or {NONE}.")
        return tuple(int(name in wanted) for name in self.names)

    def typed(self, text: str) -> Any:
        """The label of what was typed, where a number may be the place of a class."""
        is_place = text.isdecimal() and text not in self.names and not self.are_attributes
        return self.label(int(text) if is_place else text)

    def every(self) -> list[Any]:
        """The labels of all classes, or of each attribute alone."""
        return [self.label([name] if self.are_attributes else name) for name in self.names]

    def title(self, label: Any) -> str:
        """The name of a label: a class, or attributes between commas."""
        if not self.are_attributes:
            return self.names[label]
        return ",".join(name for name, has in zip(self.names, label, strict=True) if has) or NONE

    def array(self, labels: Sequence[Any]) -> np.ndarray:
        """Labels as a network takes them: int32 (n,), or float32 (n, attributes)."""
        return np.array(labels, "float32" if self.are_attributes else "int32")
