"""The pictures of built-in sets."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from PIL import Image

from keras_gan.images.sources import converted
from keras_gan.images.values import Range


@dataclass(frozen=True)
class Drawn(ABC):
    """A picture of a built-in set, drawn on demand and always the same."""

    index: int

    @abstractmethod
    def draw(self, size: int) -> np.ndarray:
        """The picture, uint8 (size, size or 2 * size) or (size, size or 2 * size, 3)."""

    def image(self, channels: int, size: int, value_range: Range = None) -> Image.Image:
        """The picture as an image of size (size, size), or of a pair, (2 * size, size)."""
        return converted(Image.fromarray(self.draw(size)), channels)

    def __str__(self) -> str:
        return f"drawn {type(self).__name__.removeprefix('Drawn').lower()} {self.index}"


class DrawnShoe(Drawn):
    """A line drawing of a shoe and the shoe in colour, side by side."""

    def draw(self, size: int) -> np.ndarray:
        from keras_gan.images.drawn_shoes import draw_pair

        return draw_pair(seed=0, index=self.index, size=size)


class DrawnFruit(Drawn):
    """Apples and, in the same scene, oranges, side by side."""

    def draw(self, size: int) -> np.ndarray:
        from keras_gan.images.drawn_fruit import draw_fruit

        return draw_fruit(seed=0, index=self.index, size=size)


class DrawnDigit(Drawn):
    """A digit, white on black."""

    @property
    def label(self) -> int:
        """The digit, 0 to 9."""
        return self.index % 10

    def draw(self, size: int) -> np.ndarray:
        from keras_gan.images.drawn_digits import draw_digit

        return draw_digit(seed=0, index=self.index, size=size)
