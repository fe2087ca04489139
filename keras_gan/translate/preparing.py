"""Makes photos into what a generator takes, gray or edges, as the pictures were made that it was trained on."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_gan.datasets.preparation import KINDS, Preparation
from keras_gan.errors import BadValueError
from keras_gan.images.pixels import AnyImage, scale
from keras_gan.images.sources import with_channels
from keras_gan.translate.tiles import unscaled

NOTHING = "nothing"
CHOICES = *KINDS, NOTHING
MADE = {"gray": "gray", "edges": "into edges"}


class Prepared:
    """Prepares pictures for a generator.

    Without a choice, photos are prepared as in training if the generator's file tells how. Pictures that are gray, or
    drawings, are taken as they are.

    Args:
        generator: a `keras_gan.generators.Generator` of kind "translation".
        choice: "gray" or "edges" to prepare all pictures so, "nothing" to take them as they are; None: decide.

    Attributes:
        preparation: the `Preparation`, or None.
        made: the files, or numbers of pictures, that were taken for photos.
        kept: those that were taken as they are, if there is a `preparation`.

    Raises:
        BadValueError: for another choice, or if the generator takes neither gray nor colour.
    """

    def __init__(self, generator: Any, choice: str | None = None) -> None:
        if choice not in (None, *CHOICES):
            raise BadValueError(f"prepare must be one of {', '.join(CHOICES)}, not {choice!r}.")
        self.channels, self.value_range = generator.shape[2], generator.value_range
        self.is_chosen = choice is not None
        noted: Preparation | None = generator.preparation
        self.preparation = noted
        if choice is not None and (noted is None or noted.kind != choice):
            self.preparation = None if choice == NOTHING else Preparation(choice)
        if self.preparation and self.channels not in (1, 3):
            raise BadValueError(f"{generator.title} takes {self.channels} channels: nothing gray, and no edges.")
        self.made: set[Any] = set()
        self.kept: set[Any] = set()

    @property
    def channels_read(self) -> int:
        """The channels to read a file with: photos in colour, even if the network takes gray."""
        return 3 if self.preparation else self.channels

    def take(self, image: AnyImage, source: Path | int, size: tuple[int, int] | None = None) -> AnyImage:
        """An image as the network takes it.

        Args:
            image: of `channels_read`.
            source: its file or number.
            size: (height, width) to prepare it at; None: the size of the training pictures.
        """
        preparation = self.preparation
        if preparation is None:
            return image
        if size is not None:
            preparation = preparation._replace(size=size, fit="resize")
        image, is_made = preparation.prepared(image, self.channels, always=self.is_chosen)
        (self.made if is_made else self.kept).add(source)
        return image

    def take_array(self, pixels: np.ndarray, number: int) -> np.ndarray:
        """The same for uint8, uint16, or floats in the network's value range; (height, width, 1 or 3) of any size.

        What else it is given it returns unchanged.
        """
        is_picture = pixels.ndim == 3 and pixels.shape[2] in (1, 3) and pixels.dtype.kind in "fu" and pixels.size
        if self.preparation is None or not is_picture:
            return pixels
        image = as_image(pixels, self.value_range)
        taken = self.take(with_channels(image, 3), number, pixels.shape[:2])
        if number in self.kept and pixels.shape[2] == self.channels:
            return pixels
        values = np.atleast_3d(np.asarray(taken))
        if pixels.dtype.kind == "f":
            return scale(values, self.value_range)
        return values if values.dtype == pixels.dtype else (values * np.uint16(257)).astype(pixels.dtype)

    def told(self, option: str = "--prepare ", counts: tuple[int, int] | None = None) -> str:
        """One line on what was done; "" if there is nothing to tell.

        Args:
            option: how to choose.
            counts: of pictures made and kept, if others counted them.
        """
        kind = self.preparation and self.preparation.kind
        made, kept = counts or (len(self.made), len(self.kept))
        if not made and not (kept and kind == "edges"):
            return ""
        parts = [f"{counted(made)} made {MADE[str(kind)]}"] * bool(made)
        parts += [f"{counted(kept)} taken as {'it is' if kept == 1 else 'they are'}"] * bool(kept)
        why = "" if self.is_chosen else f", as in training ({option}{kind} or {NOTHING} decides for all)"
        return f"{', '.join(parts)}{why}."


def counted(pictures: int) -> str:
    return "1 picture was" if pictures == 1 else f"{pictures} pictures were"


def as_image(pixels: np.ndarray, value_range: tuple) -> AnyImage:
    """uint8 pixels (height, width, 1 or 3) as an image; others as an array of uint16."""
    if pixels.dtype == np.uint8:
        return Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])
    return unscaled(np.nan_to_num(pixels), "uint16", value_range) if pixels.dtype.kind == "f" else pixels
