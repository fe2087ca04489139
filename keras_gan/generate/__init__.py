"""Makes pictures from noise with a trained generator; see `python -m keras_gan.generate --help`."""

from collections.abc import Iterable
from typing import Any

from keras_gan.console import make_callable


def generate(
    model: Any,
    count: int = 1,
    seed: int = 0,
    classes: Iterable[Any] | None = None,
    truncation: float | None = None,
    first: int = 0,
) -> Any:
    """Makes pictures from noise with a trained generator. Seed and number alone determine the code of a picture.

    Args:
        model: a `.keras` file, the folder of a run of DCGAN, GAN or CGAN, a `keras.Model`, or a
            `keras_gan.generators.Generator`.
        count: number of pictures.
        seed: of the codes, 0 to 2**32 - 1.
        classes: of a CGAN: names or numbers of classes, or for attributes lists of names; the pictures take turns.
            None: all, or each attribute alone.
        truncation: the largest number in a code; less gives more typical pictures that differ less. None: no limit.
        first: the number of the first picture.

    Returns:
        uint8 (count, height, width, channels).

    Raises:
        NotFoundError: (a FileNotFoundError) if the model does not exist.
        BadValueError: (a ValueError) if the model translates pictures, and for an unknown class or a bad number.
    """
    import numpy as np

    from keras_gan.errors import check_at_least
    from keras_gan.generate.series import Series, latent

    check_at_least(1, count=count)
    check_at_least(0, first=first)
    generator = latent(model)
    series = Series(generator, seed, truncation)
    if classes is not None:
        series.ask([series.conditions_of_run().label(name) for name in classes])
    return np.stack([pixels for _, pixels in series.pictures(first, count)])


make_callable(__name__)
