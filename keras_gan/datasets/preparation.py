"""What side A of pairs was made of: photos, made gray or drawn as edges. Pictures to translate are made alike."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from keras_gan.datasets.edges import edges, is_drawing
from keras_gan.images.arrays import as_channels
from keras_gan.images.members import suffix_of
from keras_gan.images.opening import opened_image
from keras_gan.images.pixels import AUTO, FITS, AnyImage, as_pixels, shaped
from keras_gan.images.sources import with_channels

KEY = "keras_gan"  # of the text in a pair's PNG file
SAMPLED = 24  # pairs to look into
LARGEST = 2**16  # pixels of a side


def gray(image: Image.Image) -> Image.Image:
    """The gray version of a picture, 0.299 R + 0.587 G + 0.114 B.

    Args:
        image: a `PIL.Image.Image`.

    Returns:
        A `PIL.Image.Image` of the same size in mode "L".
    """
    return image.convert("RGB").convert("L")


KINDS: dict[str, Callable[[Image.Image], Image.Image]] = {"gray": gray, "edges": edges}


class Preparation(NamedTuple):
    """How a picture A is made of a photo.

    Attributes:
        kind: "gray" or "edges".
        size: (height, width) that the photo is resized to before; None: its own size.
        fit: how to resize photos of another shape, see `keras_gan.images.pixels.shaped`.
    """

    kind: str
    size: tuple[int, int] | None = None
    fit: str = "resize"

    def framed(self, image: AnyImage) -> AnyImage:
        """The photo in the size to make A of. Label maps keep their colours."""
        if self.size is None:
            return image
        if isinstance(image, np.ndarray):
            return as_pixels(image, *self.size, self.fit)
        return shaped(image, *self.size, self.fit, AUTO)

    def make(self, photo: AnyImage) -> AnyImage:
        """A picture A, gray in one channel. Gray keeps the 16 bits of arrays."""
        if isinstance(photo, np.ndarray):
            if self.kind == "gray":
                return as_channels(photo, 1)
            photo = Image.fromarray((as_channels(photo, 3) // 257).astype("uint8"))
        return KINDS[self.kind](photo)

    def applies_to(self, image: AnyImage) -> bool:
        """Whether a picture is a photo to make A of: for gray one in colour, for edges one that is no drawing."""
        return has_colour(image) if self.kind == "gray" else not is_drawing(image)

    def prepared(self, image: AnyImage, channels: int, always: bool = False) -> tuple[AnyImage, bool]:
        """(A picture as the network takes it, whether it was made of a photo).

        Args:
            image: a photo, or what is A already.
            channels: of the result, 1 or 3.
            always: whether to take every picture for a photo.
        """
        image = self.framed(image)
        is_photo = always or self.applies_to(image)
        return with_channels(self.make(image) if is_photo else image, channels), is_photo

    def as_text(self) -> str:
        """The text that `of_text` reads."""
        return json.dumps({"A": self.kind, "size": self.size, "fit": self.fit})

    @classmethod
    def of_text(cls, text: Any) -> "Preparation | None":
        """The preparation that a text tells of; None for any other text."""
        try:
            found = json.loads(text)
            kind, size, fit = found["A"], found["size"], found["fit"]
            is_size = size is None or (len(size) == 2 and all(0 < int(side) <= LARGEST for side in size))
            if kind not in KINDS or fit not in FITS or not is_size:
                return None
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None
        return cls(kind, size and (int(size[0]), int(size[1])), fit)


def has_colour(image: AnyImage) -> bool:
    """Whether the channels of a picture differ anywhere."""
    values = np.asarray(image)
    return values.ndim == 3 and bool((values != values[..., :1]).any())


def preparation_of(pairs: Sequence[Any]) -> Preparation | None:
    """How the left halves of these pairs were made, if those of a sample tell, and all of the same kind."""
    found = [told_by(path) for path in pairs[:: -(-len(pairs) // SAMPLED) or 1]]
    if len({preparation and preparation.kind for preparation in found}) != 1:
        return None
    return Counter(found).most_common(1)[0][0]


def told_by(path: Any) -> Preparation | None:
    """How the left half of a pair was made, if its file tells."""
    if suffix_of(path) != ".png":
        return None
    try:
        with opened_image(path) as image:
            return Preparation.of_text(image.info.get(KEY))
    except Exception:  # on damaged files Pillow raises errors of unrelated types
        return None
