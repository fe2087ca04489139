"""Finds and runs trained generators, from a run's folder or a `.keras` file.

The network itself tells how to use it: its input shapes tell translation from generation from noise, and its last
activation tells the value range, [-1, 1] for tanh and [0, 1] for sigmoid, or its last layer, `AddLightness`, states it.
"""

import functools
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np

from keras_gan import console
from keras_gan.datasets.preparation import Preparation
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.files import INPUT, comment_of
from keras_gan.images.pixels import RANDOM_CROP
from keras_gan.training import run_folder
from keras_gan.training.kept_networks import Place, place_of, place_of_networks
from keras_gan.training.network_files import SPOILT, opened

#: File names of generators by direction; a model with a single generator names it `generator`.
DIRECTIONS = {"AtoB": "g_AB", "BtoA": "g_BA"}
ONLY = "generator"

#: Layers that keep the value range.
SHAPING = "Reshape", "Flatten", "Permute", "Cropping2D", "UpSampling2D"
RANGES = {"tanh": (-1, 1), "sigmoid": (0, 1)}


class Generator:
    """A trained generator.

    Args:
        model: the Keras model.
        path: the file that it was loaded from, if any.
        run: the folder of its run, if any.
        comment: what its file notes, see `Run.save_networks`; None: read it there.

    Attributes:
        kind: "translation" (pictures to pictures), "latent" (noise to pictures) or "labelled" (noise and labels).
        shape: (height, width, channels) of its input pictures, or of its output where the input is noise.
        out_shape: (height, width, channels) of its output pictures.
        value_range: of the pixels, (-1, 1) or (0, 1).
        latent_dim: length of a latent code; None for translations.
        config: the run's `config.json`, a dict; {} without a run.
        name: the model's name, such as "cyclegan"; without a run the stem of the file.
        direction: "AtoB" or "BtoA" if the file name tells it, else None.

    Raises:
        BadValueError: if the model is not a generator.
    """

    def __init__(
        self, model: Any, path: Path | None = None, run: Path | None = None, comment: str | None = None
    ) -> None:
        self.model, self.path, self.run = model, path, run
        self.comment = comment if comment is not None else comment_of(path) if path else ""
        self.kind, self.shape, self.out_shape = kind_of(model, self.title)
        self.value_range = cast("tuple[int, int]", range_of(model))  # `kind_of` refuses networks without one
        self.latent_dim: Any = None if self.kind == "translation" else int(inputs_of(model)[0][1])
        self.config = run_folder.read_config(run) if run else {}
        self.name = self.config.get("model") or (path.stem if path else model.name)
        stem = path.stem if path else model.name
        self.direction = next((way for way, network in DIRECTIONS.items() if network == stem), None)

    @property
    def title(self) -> str:
        """Its name in messages."""
        return repr(str(self.path)) if self.path else f"model {self.model.name!r}"

    @property
    def fit(self) -> str:
        """How to fit pictures of another aspect ratio: as in training, or "resize" if that is unknown."""
        fit = self.config.get("arguments", {}).get("fit", "resize")
        return "crop" if fit == RANDOM_CROP else fit

    @functools.cached_property
    def preparation(self) -> Preparation | None:
        """How the photos were prepared that it took in training, if its file tells; None: they were not, or unknown."""
        told = self.comment.partition(f", {INPUT} ")[2] if self.kind == "translation" else ""
        return Preparation.of_text(told)

    @property
    def are_attributes(self) -> bool:
        """Whether its labels are attributes, float32 (batch, attributes) of zeros and ones."""
        return self.kind == "labelled" and len(inputs_of(self.model)[1]) == 2

    @property
    def classes(self) -> int:
        """Number of classes (rows of the embedding) or attributes for kind "labelled", else 0."""
        if self.are_attributes:
            return int(inputs_of(self.model)[1][1])
        embeddings = [layer for layer in self.model.layers if type(layer).__name__ == "Embedding"]
        return embeddings[0].input_dim if self.kind == "labelled" and embeddings else 0

    def labels(self, numbers: Any) -> np.ndarray:
        """Classes, or single attributes, as the labels that the network takes."""
        numbers = np.asarray(numbers, "int32")
        return np.eye(self.classes, dtype="float32")[numbers] if self.are_attributes else numbers

    def __call__(self, *inputs: Any) -> np.ndarray:
        """Runs the network on a batch.

        Args:
            *inputs: pictures, float32 (batch, *shape) in `value_range`, for kind "translation"; codes, float32
                (batch, latent_dim), for "latent"; codes and labels, int32 (batch,), for "labelled"; with
                `are_attributes` float32 (batch, attributes).

        Returns:
            Pictures, float32 (batch, *out_shape) in `value_range`.

        Raises:
            BadValueError: if the inputs have other shapes, or the pictures are not finite.
        """
        from keras_gan import backend

        expected = inputs_of(self.model)
        arrays = [np.asarray(x) for x in inputs]
        fits = len(arrays) == len(expected) and all(
            x.ndim == len(shape) and x.shape[1:] == shape[1:] for x, shape in zip(arrays, expected, strict=True)
        )
        if not fits:
            wanted, given = (" and ".join(map(str, shapes)) for shapes in (expected, [x.shape for x in arrays]))
            raise BadValueError(f"{self.title} takes inputs of shape {wanted}, not {given}.")
        with backend.undivided():
            images = self.model.predict_on_batch(arrays[0] if len(arrays) == 1 else arrays)
        images = np.asarray(images, "float32")
        if not np.isfinite(images).all():
            raise BadValueError(f"{self.title} makes pictures that are not finite (NaN or infinity): {SPOILT}.")
        return images

    def at(self, height: int, width: int) -> "Generator":
        """This generator for another picture size, with shared weights. Both sides must be multiples of `multiple`."""
        if (height, width) == self.shape[:2]:
            return self
        return self._resized(height, width)

    @functools.lru_cache(maxsize=4)  # noqa: B019 (generators live until the program ends)
    def _resized(self, height: int, width: int) -> "Generator":
        import keras

        images = keras.Input((height, width, self.shape[2]))
        model = keras.models.clone_model(self.model, input_tensors=images, clone_function=lambda layer: layer)
        return Generator(model, self.path, self.run, self.comment)

    @property
    def multiple(self) -> int:
        """The total downsampling factor: both sides of an input must be multiples of it."""
        maps = [layer.output.shape for layer in self.model.layers if len(getattr(layer.output, "shape", ())) == 4]
        return max(self.shape[0] // shape[1] for shape in maps if shape[1])


def find(model: Any, direction: str | None = None) -> Generator:
    """Finds and opens a trained generator. Keras is imported only once the file is found.

    Args:
        model: a `.keras` file, the folder of a run, RUN@best, RUN@12, a folder of networks or of a checkpoint, a
            `keras.Model`, or a `Generator`, which is returned unchanged.
        direction: "AtoB" or "BtoA", for a run with two generators; None: "AtoB", with a notice.

    Raises:
        NotFoundError: if the file or folder does not exist, or holds no generator yet.
        BadValueError: if the network is not a generator (but, say, a discriminator), cannot be read, or has another
            direction.
    """
    if direction not in (None, *DIRECTIONS):
        raise BadValueError(f"direction must be one of {', '.join(DIRECTIONS)}, not {direction!r}.")
    if isinstance(model, str | Path):
        path, place = locate(Path(model), direction)
        if direction is None and not Path(model).is_file() and len(generators_in(place, model)) > 1:
            print(f"{model} translates both ways: taking AtoB; name the direction BtoA for the other.", file=sys.stderr)
        if place.checkpoint:
            console.load_keras()
            from keras_gan.training.checkpoints import networks_at

            network, comment = networks_at(place.checkpoint)[path.stem]
            return Generator(network, place.checkpoint / path.name, place.run, comment)
        return Generator(opened(path), path, place.run)
    if isinstance(model, Generator):
        return model
    if not hasattr(model, "predict_on_batch"):
        raise BadValueError(f"a model must be a .keras file, a run folder or a keras.Model, not {model!r}.")
    return Generator(model)


def locate(path: Path, direction: str | None = None) -> tuple[Path, Place]:
    """(file of the generator, place of the networks) for a path given to `find`. Imports no framework."""
    if not path.exists() and "@" not in path.name:
        raise NotFoundError(f"no model {str(path)!r}: there is no such file or run folder.")
    if not path.is_file():
        place = place_of(path)
        return generator_in(place, path, direction), place
    if path.suffix.lower() not in (".keras", ".h5"):
        raise BadValueError(f"{str(path)!r} is not a model: name a .keras file or a run folder.")
    if direction and path.stem in (ONLY, *DIRECTIONS.values()) and path.stem != DIRECTIONS[direction]:
        raise BadValueError(
            f"{str(path)!r} is not the generator for {direction}: omit --direction, or name the run folder."
        )
    return path, place_of_networks(path.parent)


def generators_of(run: str | Path) -> dict[str | None, Path]:
    """The saved generators of a run: {"AtoB": path, "BtoA": path}, or {None: path} for a single one.

    Args:
        run: its folder, or another name of `keras_gan.training.kept_networks.place_of`.

    Raises:
        NotFoundError: if none is saved yet, or there is no such place.
        BadValueError: if the folder is not a run.
    """
    return generators_in(place_of(run), run)


def generators_in(place: Place, name: str | Path) -> dict[str | None, Path]:
    """As `generators_of`, for the place that has this name."""
    places = {way: place.folder / f"{network}.keras" for way, network in [*DIRECTIONS.items(), (None, ONLY)]}
    found = {way: path for way, path in places.items() if path.is_file()}
    if not found:
        raise NotFoundError(f"run {str(name)!r} has no generator yet: it is saved at the end of the first epoch.")
    return found


def generator_in(place: Place, name: str | Path, direction: str | None) -> Path:
    """The file of the generator for this direction; None: the only one, or that of AtoB."""
    found = generators_in(place, name)
    if direction is None:
        return next(iter(found.values()))
    if direction in found:
        return found[direction]
    held = ", ".join(path.name for path in found.values())
    raise BadValueError(f"run {str(name)!r} has no generator {direction}: it has {held}; omit --direction.")


def kind_of(model: Any, title: str) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    """(`kind`, `shape`, `out_shape`) of a `Generator`; BadValueError if the model is not a generator."""
    taken = inputs_of(model)
    ranks = [len(shape) for shape in taken]
    made: Any = getattr(model, "output_shape", None)
    makes_pictures = isinstance(made, tuple) and len(made) == 4 and made[-1] is not None
    if makes_pictures and ranks == [4] and taken[0][1:3] == made[1:3] and range_of(model):
        return "translation", tuple(taken[0][1:]), tuple(made[1:])
    if makes_pictures and ranks in ([2], [2, 1], [2, 2]) and range_of(model):
        return ("latent" if len(ranks) == 1 else "labelled"), tuple(made[1:]), tuple(made[1:])
    if 4 in ranks and range_of(model) is None:
        raise BadValueError(f"{title} is not a generator but a discriminator or the like: its output is not a picture.")
    raise BadValueError(f"{title} is not a generator of this package: it maps {', '.join(map(str, taken))} to {made}.")


def inputs_of(model: Any) -> list[tuple[Any, ...]]:
    """The input shapes of a model, (None, ...) each; [] if it is not built."""
    return [tuple(tensor.shape) for tensor in getattr(model, "inputs", None) or []]


def range_of(model: Any) -> tuple[int, int] | None:
    """The value range of a model's output, as its last layer tells; None if that is unbounded."""
    last = last_layer(model)
    if type(last).__name__ == "AddLightness":
        return last.value_range
    return RANGES.get(str(getattr(getattr(last, "activation", None), "__name__", None)))


def last_layer(model: Any) -> Any:
    """The layer that makes a model's output, such as a convolution with tanh; None if there is none."""
    layers = reversed(getattr(model, "layers", []))
    last = next((layer for layer in layers if type(layer).__name__ not in SHAPING), None)
    return last_layer(last) if hasattr(last, "layers") else last  # it may be a model within the model
