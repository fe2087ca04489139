"""Translates pictures, animations and videos by a trained generator; see `python -m keras_gan.translate --help`."""

import sys
import types

from keras_gan.errors import BadValueError
from keras_gan.generators import find


def translate(model, images, direction=None):
    """Translates pictures by a trained generator.

    Args:
        model: a `.keras` file, the folder of a run, a `keras.Model`, or what `keras_gan.generators.find` returned.
        images: pictures of one size, an array (batch, height, width, channels); or a list of pictures of any
            sizes, arrays (height, width, channels). uint8 or uint16, or floats in the network's value range.
            Another size than the network's is kept: see `keras_gan.translate.tiles.translate_any`.
        direction: "AtoB" or "BtoA", for a run with two generators.

    Returns:
        The same: an array or a list; uint8, uint16, or float32 in the network's value range.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no such model.
        BadValueError: (a ValueError) if it does not translate pictures, or not such.
    """
    import numpy as np

    from keras_gan.translate.tiles import scaled, translate_any, unscaled

    generator = translator(find(model, direction))
    pictures = [np.asarray(image) for image in images]
    channels = generator.shape[2]
    for picture in pictures:
        if picture.ndim != 3 or picture.shape[2] != channels or picture.dtype.kind not in "fu" or not picture.size:
            raise BadValueError(
                f"pictures must be of shape (height, width, {channels}), uint8, uint16 or floats, "
                f"not {picture.shape} of {picture.dtype}."
            )
    if isinstance(images, list | tuple) or not pictures or pictures[0].shape != generator.shape:
        results = [translate_any(generator, picture) for picture in pictures]
        return results if isinstance(images, list | tuple) else np.stack(results)
    found = []
    for start in range(0, len(pictures), 8):
        batch = np.stack(pictures[start : start + 8])
        found.append(unscaled(generator(scaled(batch, generator.value_range)), batch.dtype, generator.value_range))
    return np.concatenate(found)


def translator(generator):
    """This generator, or a BadValueError if it makes pictures of noise."""
    if generator.kind != "translation":
        raise BadValueError(f"{generator.title} makes pictures of noise: it translates none.")
    return generator


class _Module(types.ModuleType):
    """`keras_gan.translate` is this module and, called, its function: both go by the name that one would guess."""

    def __call__(self, *arguments, **named):
        return self.translate(*arguments, **named)


sys.modules[__name__].__class__ = _Module
