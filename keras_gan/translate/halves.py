"""Cuts pictures that show a pair side by side into the half that a generator takes."""

import functools
import os
from pathlib import Path
from typing import Any

from keras_gan.images.pixels import AnyImage, halves, size_of
from keras_gan.translate.trained import half_of, pictures_of

NAMES = {"A": "left", "B": "right"}
NEAR = 0.05  # a picture is a pair if it is twice as wide as the network's shape, give or take this share


class Halves:
    """Takes one half of pictures, or all of them.

    Without a choice, generators of runs that were trained on pairs side by side take their half of each picture that
    is about twice as wide as the network's shape, or is one of the run's own; all others take whole pictures.

    Args:
        generator: a `keras_gan.generators.Generator` of kind "translation".
        choice: "whole", or "A" or "B" for the left or the right half of every picture; None: decide.

    Attributes:
        side: "A" or "B", the half to take; None: whole pictures.
        cut: the files that were cut.
    """

    def __init__(self, generator: Any, choice: str | None = None) -> None:
        self.generator, self.is_chosen = generator, choice is not None
        self.side = half_of(generator) if choice is None else None if choice == "whole" else choice
        self.cut: set[Path] = set()

    def take(self, image: AnyImage, path: Path) -> AnyImage:
        """The half of an image of this file, or the image itself.

        Raises:
            ValueError: if a half was chosen, and the width is odd.
        """
        if self.side is None or not (self.is_chosen or self.is_pair(image, path)):
            return image
        half = halves(image)[self.side == "B"]
        self.cut.add(path)
        return half

    def is_pair(self, image: AnyImage, path: Path) -> bool:
        """Whether an image shows a pair, as far as its size and its file tell."""
        width, height = size_of(image)
        times = width / height / (self.generator.shape[1] / self.generator.shape[0])
        is_own = abs(times / 2 - 1) > NEAR and os.path.abspath(path) in self.own
        return width % 2 == 0 and (abs(times / 2 - 1) <= NEAR or is_own)

    @functools.cached_property
    def own(self) -> set[str]:
        """The files of the generator's run, absolute paths."""
        return {os.path.abspath(file) for file in pictures_of(self.generator)}

    def told(self, count: int | None = None) -> str:
        """One line on what was cut; `count` pictures, if others counted them."""
        count = len(self.cut) if count is None else count
        what = "1 picture" if count == 1 else f"{count} pictures"
        why = "" if self.is_chosen else ", a pair side by side as in training (--half whole takes all of it)"
        return f"Of {what} the {NAMES[str(self.side)]} half ({self.side}) was taken{why}."
