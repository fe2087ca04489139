"""Differentiable augmentation: what discriminators see of pictures, so that few pictures are enough.

Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", 2020 (https://arxiv.org/abs/2006.10738),
with the strengths of its authors' code. Real pictures and fakes pass the same random transforms before a discriminator
sees them, and the generators learn through them. So a discriminator cannot learn a few pictures by heart, and the
generators do not learn to make augmented ones. Nothing is augmented outside training.

Drawing random numbers (`Shown`) and using them (`augmented`) are separate, so equal draws give equal pictures on both
backends.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
from keras import ops

from keras_gan.errors import BadValueError, check_at_least, check_weight

KINDS = ("color", "translation", "cutout")
#: The draws of a picture, each from 0 to 1 (below 1), in this order.
DRAWS = ("brightness", "saturation", "contrast", "down", "right", "hole_y", "hole_x")
SHIFT, HOLE = 1 / 8, 1 / 2  # the largest translation and the side of a hole, as shares of height and width


def parsed(diffaugment: str) -> tuple[str, ...]:
    """The transforms that a text names, in the order in which they are applied; "none" and "all" are short forms.

    Raises:
        BadValueError: for anything else.
    """
    names = [name.strip() for name in str(diffaugment).split(",")]
    if names in (["none"], ["all"]):
        return KINDS if names == ["all"] else ()
    for name in names:
        if name not in KINDS:
            raise BadValueError(f"diffaugment must be some of {','.join(KINDS)}, or all or none, not {name!r}.")
    return tuple(kind for kind in KINDS if kind in names)


def augmented(images: Any, draws: Any, kinds: Sequence[str], value_range: tuple[float, float] = (-1, 1)) -> Any:
    """Transforms each picture as its draws say.

    color: adds up to a quarter of the value range to all pixels or takes it away, multiplies the distance of each
    channel from the mean of the pixel's channels by 0 to 2 (colour pictures only), then the distance of each pixel from
    the mean of the picture by 0.5 to 1.5. translation: moves by up to an eighth of height and of width. cutout: empties
    a rectangle of half the height and width, which may lie partly outside. The middle of the value range, gray, fills
    what is empty: 0 in [-1, 1] as in the paper, 0.5 in [0, 1]. Values may leave the range, as in the paper.

    Args:
        images: (batch, height, width, channels), float.
        draws: (batch, 7), float32 from 0 to below 1, see `DRAWS`.
        kinds: some of `KINDS`.
        value_range: values of black and white.

    Returns:
        The same shape and type as `images`.
    """
    low, high = value_range
    middle = (low + high) / 2
    of = {name: draws[:, number] for number, name in enumerate(DRAWS)}
    if "color" in kinds:
        images = recolored(images, of, (high - low) / 2)
    _, height, width, _ = images.shape
    if "translation" in kinds:
        images = moved(images, whole(of["down"], 2 * reach(height) + 1) - reach(height), middle)
        images = ops.swapaxes(images, 1, 2)
        images = moved(images, whole(of["right"], 2 * reach(width) + 1) - reach(width), middle)
        images = ops.swapaxes(images, 1, 2)
    if "cutout" in kinds:
        rows, columns = hole(of["hole_y"], height), hole(of["hole_x"], width)
        is_hole = ops.logical_and(rows[:, :, None], columns[:, None, :])[..., None]
        images = ops.where(is_hole, ops.cast(middle, images.dtype), images)
    return images


def recolored(images: Any, of: dict[str, Any], unit: float) -> Any:
    """Brightness, saturation and contrast of each picture by its draws; `unit` is half of the value range."""
    brightness, saturation, contrast = (
        ops.cast(of[name], images.dtype)[:, None, None, None] for name in ("brightness", "saturation", "contrast")
    )
    images = images + unit * (brightness - 0.5)
    if images.shape[-1] > 1:
        gray = ops.mean(images, axis=-1, keepdims=True)
        images = (images - gray) * (2 * saturation) + gray
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return (images - mean) * (contrast + 0.5) + mean


def moved(images: Any, steps: Any, middle: float) -> Any:
    """Moves each picture down by its number of rows. Rows are gathered whole, which is exact and fast."""
    _, height, width, channels = images.shape
    sources = ops.arange(height, dtype="int32")[None, :] - steps[:, None]
    first = ops.arange(ops.shape(images)[0], dtype="int32")[:, None] * height
    rows = ops.reshape(images, (-1, width * channels))
    found = ops.take(rows, ops.clip(sources, 0, height - 1) + first, axis=0)
    is_inside = ops.logical_and(sources >= 0, sources < height)[:, :, None]
    found = ops.where(is_inside, found, ops.cast(middle, images.dtype))
    return ops.reshape(found, (-1, height, width, channels))


def hole(draws: Any, size: int) -> Any:
    """Which of `size` rows (or columns) each hole covers: bool (batch, size)."""
    side = int(size * HOLE + 0.5)
    first = whole(draws, size + 1 - side % 2) - side // 2
    distance = ops.arange(size, dtype="int32")[None, :] - first[:, None]
    return ops.logical_and(distance >= 0, distance < side)


def reach(size: int) -> int:
    """The largest translation of `size` rows (or columns)."""
    return int(size * SHIFT + 0.5)


def whole(draws: Any, count: int) -> Any:
    """Draws from 0 to 1 as whole numbers from 0 to count - 1."""
    return ops.minimum(ops.cast(ops.floor(draws * count), "int32"), count - 1)


class Shown(keras.layers.Layer):
    """What a discriminator sees of its input in training: augmented pictures, with noise that fades.

    Each call draws anew for each picture. The pictures of a pair get the same transform, and noise of their own. What
    has no height and width, such as labels, stays as it is. With training=False, and in `unchanged`, so does all.

    Args:
        kinds: some of `KINDS`.
        seed: seed of all draws.
        value_range: function that returns the values of black and white.
        sigma: function that returns the standard deviation of the noise in half value ranges, or None: no noise.
    """

    def __init__(self, kinds: Sequence[str], seed: int, value_range: Callable[[], Any], sigma: Any = None) -> None:
        super().__init__(name="shown", dtype=keras.config.floatx())
        self.kinds, self.value_range, self.sigma = tuple(kinds), value_range, sigma
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.is_on = True
        self.built = True

    def call(self, x: Any, training: bool = False) -> Any:
        if not (training and self.is_on):
            return x
        count = ops.shape(keras.tree.flatten(x)[0])[0]
        draws = keras.random.uniform((count, len(DRAWS)), seed=self.seed_generator)
        return keras.tree.map_structure(lambda one: self.seen(one, draws) if len(one.shape) == 4 else one, x)

    def seen(self, images: Any, draws: Any) -> Any:
        """Pictures (batch, height, width, channels) with the transforms of these draws, and with noise."""
        low, high = self.value_range()
        images = augmented(images, draws, self.kinds, (low, high))
        if self.sigma is None:
            return images
        noise = keras.random.normal(ops.shape(images), dtype=images.dtype, seed=self.seed_generator)
        return images + ops.cast(self.sigma() * (high - low) / 2, images.dtype) * noise


def shown_by(model: Any, diffaugment: str, instance_noise: float, noise_iterations: int) -> Shown | None:
    """The layer that shows pictures to the discriminators of a model, or None if they see them as they are.

    Instance noise (Sonderby et al., 2017, https://arxiv.org/abs/1610.04490; Arjovsky and Bottou, 2017) fades linearly
    to zero. It depends on the iteration alone, so a resumed run goes on with the same noise.

    Args:
        model: an `AdversarialModel`.
        diffaugment: see `parsed`.
        instance_noise: standard deviation of the noise in iteration 0, in half value ranges.
        noise_iterations: iterations until there is none.

    Raises:
        BadValueError: for unknown transforms, and numbers that cannot work.
    """
    kinds = parsed(diffaugment)
    check_weight(instance_noise=instance_noise)
    check_at_least(1, noise_iterations=noise_iterations)
    if not kinds and not instance_noise:
        return None

    def sigma() -> Any:
        done = ops.cast(model.iteration, "float32") / noise_iterations
        return instance_noise * ops.maximum(1 - done, 0)

    seed = model.seed ^ 1  # other draws than those of the codes, whose seed is the model's
    return Shown(kinds, seed, lambda: model.data_loader.value_range, sigma if instance_noise else None)


@contextlib.contextmanager
def unchanged(shown: Shown | None) -> Iterator[None]:
    """A context in which discriminators see pictures as they are, for validation."""
    if shown is None:
        yield
        return
    shown.is_on = False
    try:
        yield
    finally:
        shown.is_on = True
