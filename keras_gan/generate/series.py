"""A series of pictures from one seed: each is determined by its number, whatever others are made beside it."""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from keras_gan.datasets.conditions import Conditions
from keras_gan.datasets.folders import RESERVED
from keras_gan.datasets.labelled import CLASSES, find_labelled
from keras_gan.errors import BadValueError, UserError, check_at_least, check_rate
from keras_gan.generators import Generator, find
from keras_gan.images.grids import as_uint8

PIXELS = 64 * 64 * 64  # per batch, at most 64 pictures
LONGEST = 100  # characters of a class in a file name
STATIONS, STEPS = 8, 12  # codes of a walk, and frames from each to the next


def latent(model: Any) -> Generator:
    """The generator of a model, see `keras_gan.generators.find`; BadValueError if it translates pictures."""
    generator = find(model)
    if generator.kind == "translation":
        raise BadValueError(
            f"{generator.title} translates pictures and makes none from noise: "
            "python -m keras_gan.translate MODEL PICTURES --output DIR."
        )
    return generator


class Series:
    """The pictures of a generator from one seed, numbered from 0.

    All batches have the same size, and a picture has the same place in its batch: so it has the same bits, however many
    are made. (Convolutions round differently in batches of other sizes.)

    Args:
        generator: a `Generator` that makes pictures from noise.
        seed: of the codes, 0 to 2**32 - 1.
        truncation: the largest number in a code, or None.

    Raises:
        BadValueError: for a bad seed or truncation.
    """

    def __init__(self, generator: Generator, seed: int, truncation: float | None = None) -> None:
        check_at_least(0, seed=seed)
        check_rate(truncation=truncation)
        if seed >= 2**32:
            raise BadValueError(f"seed must be below 2**32, not {seed}.")
        self.generator, self.seed, self.truncation = generator, seed, truncation
        self.labels: list[Any] = self.conditions.every() if generator.kind == "labelled" else []
        height, width, _ = generator.out_shape
        self.batch_size = max(1, min(64, PIXELS // (height * width)))

    @functools.cached_property
    def conditions(self) -> Conditions:
        """What the generator can be asked for, by the names that its run or its data set tells, else by numbers."""
        count = self.generator.classes
        names = next((names for names in names_of(self.generator.config) if len(names) == count), None)
        return Conditions(names or list(map(str, range(count))), self.generator.are_attributes)

    def conditions_of_run(self) -> Conditions:
        """The conditions; BadValueError if the generator takes none."""
        if self.generator.kind != "labelled":
            raise BadValueError(f"{self.generator.title} knows no classes, as only a CGAN does: leave the class out.")
        return self.conditions

    def ask(self, labels: Sequence[Any]) -> None:
        """Lets the pictures take turns through these labels."""
        if not labels:
            raise BadValueError("no class is named: name one, or leave classes out for all.")
        self.labels = list(labels)

    def label(self, number: int) -> Any:
        """The label of a picture, or None."""
        return self.labels[number % len(self.labels)] if self.labels else None

    def code(self, number: int) -> np.ndarray:
        """The code of a picture: (latent_dim,), from N(0, 1), cut off at the truncation."""
        z = np.random.default_rng([self.seed, number]).standard_normal(self.generator.latent_dim)
        return z if self.truncation is None else truncated(z, self.truncation)

    def pictures(self, first: int, count: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yields (number, pixels uint8 (height, width, channels)) from the first number on."""
        size = self.batch_size
        for start in range(first // size * size, first + count, size):
            numbers = range(start, start + size)
            images = self.images([self.code(number) for number in numbers], [self.label(number) for number in numbers])
            yield from ((n, image) for n, image in zip(numbers, images, strict=True) if first <= n < first + count)

    def walk(self, first: int, label: Any = None) -> Iterator[np.ndarray]:
        """Yields the frames of a walk along arcs through the codes of `STATIONS` pictures and back to the first."""
        from keras_gan.dcgan import slerp

        stations = [self.code(first + number) for number in range(STATIONS)]
        codes = [
            slerp(here, there, step / STEPS)
            for here, there in zip(stations, [*stations[1:], stations[0]], strict=True)
            for step in range(STEPS)
        ]
        for start in range(0, len(codes), self.batch_size):
            part = codes[start : start + self.batch_size]
            filled = [*part, *[part[-1]] * (self.batch_size - len(part))]
            yield from self.images(filled, [label] * len(filled))[: len(part)]

    def images(self, codes: Sequence[np.ndarray], labels: Sequence[Any]) -> np.ndarray:
        """The pictures of codes, uint8 (n, height, width, channels)."""
        inputs = [np.stack(codes).astype("float32")]
        if self.labels:
            inputs.append(self.conditions.array(labels))
        return as_uint8(self.generator(*inputs), self.generator.value_range)

    def stem(self, number: int, label: Any = None) -> str:
        """The file name of a picture without its extension: all that one needs to make it again."""
        limit = "" if self.truncation is None else f"-t{self.truncation:g}"
        return f"seed{self.seed}{limit}-{number:06}" + ("" if label is None else f"-{self.file_names[label]}")

    @functools.cached_property
    def file_names(self) -> dict[Any, str]:
        """The names of the labels, safe in file names; with their places if they are not different or too long."""
        titles = {label: RESERVED.sub("_", self.conditions.title(label)).strip(". ") for label in self.labels}
        are_different = len({title.casefold() for title in titles.values()}) == len(titles)
        if are_different and all(0 < len(title) <= LONGEST for title in titles.values()):
            return titles
        are_many = self.conditions.are_attributes
        return {label: "".join(map(str, label)) if are_many else f"{label}-{titles[label][:50]}" for label in titles}


def truncated(z: np.ndarray, limit: float) -> np.ndarray:
    """Numbers from N(0, 1) as numbers from the normal distribution cut off at -limit and limit, in the same order."""
    normal = NormalDist()
    low, high = normal.cdf(-limit), normal.cdf(limit)
    return np.array([normal.inv_cdf(low + normal.cdf(value) * (high - low)) for value in z])


def names_of(config: dict[str, Any]) -> Iterator[list[str]]:
    """Yields the names of classes that the config of a run tells, then those of its data set as it is now."""
    dataset, arguments = config.get("dataset") or {}, config.get("arguments", {})
    if isinstance(dataset.get("classes"), list):
        yield list(map(str, dataset["classes"]))
    name = arguments.get("dataset_name")
    if name in CLASSES:  # which might be downloaded
        yield CLASSES[name]
    elif name:
        with contextlib.suppress(UserError, OSError), contextlib.redirect_stdout(None):
            yield find_labelled(name).classes
