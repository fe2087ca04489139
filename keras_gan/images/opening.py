"""The door to picture files: only regular files are opened, and only if their pixels have room in memory."""

import contextlib
import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from keras_gan.images.members import file_of
from keras_gan.machine.memory import fault_of

#: Errors of reading files that are not images, truncated, damaged or absurdly large. Pillow raises an error above 179
#: megapixels. Its warning above 89 is ignored: cameras take such pictures.
UNREADABLE = (
    *(OSError, SyntaxError, ValueError, EOFError, MemoryError),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

PHOTO, VALUE = 12, 24  # bytes for a pixel of a photo, and for a value of more than 8 bits, while they are converted


class TooLargeError(ValueError):
    """A picture has no room in memory."""


def check_regular(path: Any) -> None:
    """Raises ValueError unless a path is that of a regular file, or of a link to one. Others may never end.

    Open files pass. OSError if there is no such file.
    """
    if isinstance(path, str | Path) and not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError("it is not a regular file")


def check_room(needed: float) -> None:
    """Raises TooLargeError if so many bytes of memory are not free."""
    if fault := fault_of(needed):
        raise TooLargeError(fault)


@contextlib.contextmanager
def opened_image(path: Any) -> Iterator[Any]:
    """Yields an image opened by Pillow, not yet loaded.

    Raises:
        ValueError: if it is no regular file, or too large for memory. Pillow may raise any exception.
    """
    check_regular(path)
    with Image.open(file_of(path)) as image:
        is_deep = image.mode[0] in "IF"
        check_room(image.width * image.height * (VALUE if is_deep else PHOTO))
        yield image


def damage(error: Exception) -> ValueError:
    """The ValueError to raise in place of an error on reading: those of the libraries have no common base class."""
    if isinstance(error, MemoryError):
        return ValueError("there is too little memory for it")
    return ValueError(f"it is damaged ({error or type(error).__name__})")


@contextlib.contextmanager
def named_damage() -> Iterator[None]:
    """Turns errors that are none of `UNREADABLE` into ValueErrors: Pillow's have no common base class."""
    try:
        yield
    except MemoryError as error:
        raise damage(error) from error
    except UNREADABLE:
        raise
    except Exception as error:
        raise damage(error) from error
