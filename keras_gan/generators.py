"""Finding a trained generator, in a run's folder or a `.keras` file, and using it.

A generator says of itself all that its use takes: its inputs tell whether it translates pictures or makes them of
noise, and the activation that it ends with tells its range of values, tanh [-1, 1] and sigmoid [0, 1].
"""

import functools
from pathlib import Path

import numpy as np

from keras_gan import console
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.training import run_folder

#: How the files of generators are called, and which way each goes; one named `generator` goes the only way there is.
DIRECTIONS = {"AtoB": "g_AB", "BtoA": "g_BA"}
ONLY = "generator"

#: Layers that leave the range of values as it is.
SHAPING = "Reshape", "Flatten", "Permute", "Cropping2D", "UpSampling2D"
RANGES = {"tanh": (-1, 1), "sigmoid": (0, 1)}


class Generator:
    """A trained generator.

    Args:
        model: the Keras model.
        path: the file that it is from, a `pathlib.Path`; None: it is from none.
        run: the folder of its run, a `pathlib.Path`; None: it has none.

    Attributes:
        kind: "translation" (pictures to pictures), "latent" (noise to pictures) or "labelled" (noise and labels).
        shape: (height, width, channels) of the pictures that it takes; for noise that of those that it makes.
        out_shape: (height, width, channels) of the pictures that it makes.
        value_range: of the pixels, (-1, 1) or (0, 1).
        latent_dim: numbers in a code; None for translations.
        config: what the run's `config.json` says, a dict; {} where there is no run.
        name: of the kind of model, such as "cyclegan"; that of the file where there is no run.
        direction: "AtoB" or "BtoA" for translations, where its file says so; else None.

    Raises:
        BadValueError: if it is no generator.
    """

    def __init__(self, model, path=None, run=None):
        self.model, self.path, self.run = model, path, run
        self.kind, self.shape, self.out_shape = kind_of(model, self.title)
        self.value_range = range_of(model)
        self.latent_dim = None if self.kind == "translation" else int(inputs_of(model)[0][1])
        self.config = run_folder.read_config(run) if run else {}
        self.name = self.config.get("model") or (path.stem if path else model.name)
        stem = path.stem if path else model.name
        self.direction = next((way for way, network in DIRECTIONS.items() if network == stem), None)

    @property
    def title(self):
        """What to call it in messages."""
        return repr(str(self.path)) if self.path else f"model {self.model.name!r}"

    @property
    def fit(self):
        """What becomes of pictures of another shape: as in training, "resize" where that is not known."""
        return self.config.get("arguments", {}).get("fit", "resize")

    @property
    def classes(self):
        """How many labels there are, for kind "labelled": the rows of its embedding; else 0."""
        embeddings = [layer for layer in self.model.layers if type(layer).__name__ == "Embedding"]
        return embeddings[0].input_dim if self.kind == "labelled" and embeddings else 0

    def __call__(self, *inputs):
        """Runs the network on a batch.

        Args:
            *inputs: pictures, float32 (batch, *shape) in `value_range`, for kind "translation"; codes, float32
                (batch, latent_dim), for "latent"; codes and labels, int32 (batch,), for "labelled".

        Returns:
            Pictures, float32 (batch, *out_shape) in `value_range`.

        Raises:
            BadValueError: for inputs of another shape.
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
        return np.asarray(images, "float32")

    def at(self, height, width):
        """This generator for pictures of another size, with the same weights; both sides multiples of `multiple`."""
        if (height, width) == self.shape[:2]:
            return self
        return self._resized(height, width)

    @functools.lru_cache(maxsize=4)  # noqa: B019 (a generator lives as long as the program that uses it)
    def _resized(self, height, width):
        import keras

        images = keras.Input((height, width, self.shape[2]))
        model = keras.models.clone_model(self.model, input_tensors=images, clone_function=lambda layer: layer)
        return Generator(model, self.path, self.run)

    @property
    def multiple(self):
        """What both sides of a picture must be multiples of: how often the network's smallest map goes into them."""
        maps = [layer.output.shape for layer in self.model.layers if len(getattr(layer.output, "shape", ())) == 4]
        return max(self.shape[0] // shape[1] for shape in maps if shape[1])


def find(model, direction=None):
    """Finds and opens a trained generator. Loads Keras once the file is found.

    Args:
        model: a `.keras` file; the folder of a run; a `keras.Model`; or a `Generator`, which is returned as it is.
        direction: "AtoB" or "BtoA": which generator of a run that has two; None: the only one there is.

    Returns:
        A `Generator`.

    Raises:
        NotFoundError: if there is no such file or folder, or no generator in it yet.
        BadValueError: if it is no generator but a discriminator or another network, cannot be read, or does not
            go in this direction; if a run has two and no direction is given.
    """
    if direction not in (None, *DIRECTIONS):
        raise BadValueError(f"direction must be one of {', '.join(DIRECTIONS)}, not {direction!r}.")
    if isinstance(model, str | Path):
        path, run = locate(Path(model), direction)
        return Generator(opened(path), path, run)
    if isinstance(model, Generator):
        return model
    if not hasattr(model, "predict_on_batch"):
        raise BadValueError(f"a model must be a .keras file, the folder of a run or a keras.Model, not {model!r}.")
    return Generator(model)


def locate(path, direction=None):
    """The file of a generator and the folder of its run, or None, of what `find` takes; loads no framework."""
    if path.is_dir():
        run_folder.read_config(path)
        return generator_of(path, direction), path
    if not path.is_file():
        raise NotFoundError(f"no model {str(path)!r}: there is no such file or folder of a run.")
    if path.suffix.lower() not in (".keras", ".h5"):
        raise BadValueError(f"{str(path)!r} is no model: name a .keras file or the folder of a run.")
    if direction and path.stem in (ONLY, *DIRECTIONS.values()) and path.stem != DIRECTIONS[direction]:
        raise BadValueError(f"{str(path)!r} does not go {direction}: leave --direction out, or name the run's folder.")
    folder = path.parent.parent
    is_in_run = path.parent.name == "models" and (folder / run_folder.CONFIG).is_file()
    return path, folder if is_in_run else None


def generators_of(run):
    """The generators in a run's folder that are saved so far: {"AtoB": path, ...}, or {None: path} of an only one.

    Raises:
        NotFoundError: if there is none.
    """
    places = {way: run / "models" / f"{network}.keras" for way, network in DIRECTIONS.items()}
    places[None] = run / "models" / f"{ONLY}.keras"
    found = {way: path for way, path in places.items() if path.is_file()}
    if not found:
        raise NotFoundError(f"run {str(run)!r} has no generator yet: they are saved when its first epoch ends.")
    return found


def generator_of(run, direction):
    """The file of the generator of a run that goes in this direction."""
    found = generators_of(run)
    if len(found) == 1 and direction is None:
        return next(iter(found.values()))
    if direction in found:
        return found[direction]
    held = ", ".join(path.name for path in found.values())
    if direction is None:
        raise BadValueError(f"run {str(run)!r} has generators for both directions ({held}): add --direction.")
    raise BadValueError(f"run {str(run)!r} has no generator {direction}: it has {held}; leave --direction out.")


def opened(path):
    """The Keras model in a file, without what it was compiled with."""
    keras = console.load_keras()
    import keras_gan.layers  # noqa: F401 (saved networks name them)

    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # what Keras raises on foreign files has no base in common
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise BadValueError(f"{str(path)!r} cannot be opened as a Keras model: {reason}") from error


def kind_of(model, title):
    """(kind, shape of the pictures that it takes, of those that it makes) of a generator, or a BadValueError."""
    taken = inputs_of(model)
    ranks = [len(shape) for shape in taken]
    made = getattr(model, "output_shape", None)
    makes_pictures = isinstance(made, tuple) and len(made) == 4 and made[-1] is not None
    if makes_pictures and ranks == [4] and taken[0][1:3] == made[1:3] and range_of(model):
        return "translation", tuple(taken[0][1:]), tuple(made[1:])
    if makes_pictures and ranks in ([2], [2, 1]) and range_of(model):
        return ("latent" if len(ranks) == 1 else "labelled"), tuple(made[1:]), tuple(made[1:])
    if 4 in ranks and range_of(model) is None:
        raise BadValueError(f"{title} is no generator but a discriminator or the like: what it makes are no pictures.")
    raise BadValueError(f"{title} is no generator of this package: it makes {made} of {', '.join(map(str, taken))}.")


def inputs_of(model):
    """The shapes of a model's inputs, (None, ...) each; [] where it has not been built."""
    return [tuple(tensor.shape) for tensor in getattr(model, "inputs", None) or []]


def range_of(model):
    """The range of values of a model's output, by its last activation; None where that leaves it open."""
    return RANGES.get(last_activation(model))


def last_activation(model):
    """The name of the activation that a model's output comes from, such as "tanh"; None if there is none."""
    layers = reversed(getattr(model, "layers", []))
    last = next((layer for layer in layers if type(layer).__name__ not in SHAPING), None)
    if hasattr(last, "layers"):  # a model within the model
        return last_activation(last)
    return getattr(getattr(last, "activation", None), "__name__", None)
