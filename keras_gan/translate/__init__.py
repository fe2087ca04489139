"""Translates pictures, animations and videos with a trained generator; see `python -m keras_gan.translate --help`."""

from typing import Any

from keras_gan.console import make_callable
from keras_gan.errors import BadValueError
from keras_gan.generators import find


def translate(model: Any, images: Any, direction: str | None = None, prepare: str | None = None) -> Any:
    """Translates pictures with a trained generator.

    Args:
        model: a `.keras` file, the folder of a run, a `keras.Model`, or a `keras_gan.generators.Generator`.
        images: an array (batch, height, width, channels), or a list of arrays (height, width, channels) of any
            sizes; uint8, uint16, or floats in the network's value range. Sizes are kept, whatever the network's
            own: see `keras_gan.translate.tiles.translate_any`. Of pairs side by side pass the half to translate.
            White is 255, 65535 or the upper end of the network's range, whatever value range the run's files have.
        direction: "AtoB" or "BtoA", for a run with two generators; None: "AtoB", with a notice.
        prepare: "gray" or "edges" to make all pictures so first, "nothing" to take them as they are; None: photos as
            the training pictures were made of photos (`datasets pairs`, "gray2colour"), if the generator's file tells.
            A line on standard output says what was made.

    Returns:
        An array or a list, like `images`; uint8, uint16, or float32 in the network's value range.

    Raises:
        NotFoundError: (a FileNotFoundError) if the model does not exist.
        BadValueError: (a ValueError) if the model does not translate pictures, or the shape or dtype is unsupported.
    """
    import numpy as np

    from keras_gan.translate.preparing import Prepared
    from keras_gan.translate.tiles import scaled, translate_any, unscaled

    generator = translator(find(model, direction))
    prepared = Prepared(generator, prepare)
    pictures = [prepared.take_array(np.asarray(image), number) for number, image in enumerate(images)]
    channels = generator.shape[2]
    for picture in pictures:
        if picture.ndim != 3 or picture.shape[2] != channels or picture.dtype.kind not in "fu" or not picture.size:
            raise BadValueError(
                f"pictures must be of shape (height, width, {channels}), uint8, uint16 or floats, "
                f"not {picture.shape} of {picture.dtype}."
            )
    if told := prepared.told("prepare="):
        print(told)
    if isinstance(images, list | tuple) or not pictures or pictures[0].shape != generator.shape:
        results = [translate_any(generator, picture) for picture in pictures]
        return results if isinstance(images, list | tuple) else np.stack(results)
    found = []
    for start in range(0, len(pictures), 8):
        batch = np.stack(pictures[start : start + 8])
        found.append(unscaled(generator(scaled(batch, generator.value_range)), batch.dtype, generator.value_range))
    return np.concatenate(found)


def translator(generator: Any) -> Any:
    """Returns the generator; BadValueError if it generates from noise."""
    if generator.kind != "translation":
        raise BadValueError(f"{generator.title} generates pictures from noise: it cannot translate.")
    return generator


make_callable(__name__)
