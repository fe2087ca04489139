"""Starts a run from trained networks: their layers that fit are taken, the others are named."""

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_gan.errors import BadValueError
from keras_gan.training import checkpoint_files, checkpoints
from keras_gan.training.kept_networks import Place, checkpoint_with_optimizers, place_of
from keras_gan.training.network_files import opened
from keras_gan.training.schedules import optimizer_of

MOST_NAMED = 4  # layers in a message
DISCRIMINATORS = "d_A", "d_B", "discriminator"


def has_begun(run: Path) -> bool:
    """Whether a run has a checkpoint, which holds more than the networks that it was started from."""
    return bool(checkpoint_files.names(run / "checkpoints"))


def start_from(model: Any, name: str | Path, with_optimizers: bool = False) -> None:
    """Takes weights from trained networks; see `AdversarialModel.start_from`."""
    told = take_all(model, checkpoint_with_optimizers(name)) if with_optimizers else take_networks(model, name)
    print(f"Starting from {name}: {told}")


def take_all(model: Any, path: Path) -> str:
    """Takes all weights and what the optimizers remember from a checkpoint; tells what was taken, in words.

    The rest stays as in a new model: learning rates, iterations, past fakes and random states.
    """
    model.make_train_function()  # creates what the optimizers remember
    everything = model.step_variables
    values = [np.array(ops.convert_to_numpy(variable)) for variable in everything]
    taken = {id(variable) for part in (*model.networks, *map(optimizer_of, model.parts)) for variable in part.variables}
    taken -= {id(optimizer_of(part)._learning_rate) for part in model.parts}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Skipping variable loading", UserWarning)  # of an optimizer
            checkpoints.load_weights(path, model)
    except (BadValueError, UserWarning) as error:
        taken = set()
        raise BadValueError(
            f"{str(path)!r} has networks or optimizers that do not fit this {model.name}, and with optimizers all must "
            "fit: leave --with-optimizers out, then the layers that fit are taken."
        ) from error
    finally:
        for variable, value in zip(everything, values, strict=True):
            if id(variable) not in taken:
                variable.assign(value)
        model.totals_before = None
    return f"all networks and what their optimizers remember, of iteration {path.name}."


def take_networks(model: Any, name: str | Path) -> str:
    """Takes the layers that fit from saved networks; tells what was taken, in words."""
    targets = {network.name: network for network in model.networks}
    sources = networks_of(name, targets)
    fits = {of: Fit.of(sources[of], target) for of, target in targets.items() if of in sources}
    if not fits:
        has, takes = ", ".join(sources), ", ".join(targets)
        raise BadValueError(
            f"{str(name)!r} has the networks {has}, and {model.name} takes {takes}: name the file of one of them."
        )
    for of, fit in fits.items():
        if targets[of] in model.combined.trains and not fit.taken:
            raise BadValueError(f"nothing of {of} in {str(name)!r} fits this {model.name}: {fit.told()}.")
    for fit in fits.values():
        fit.take()
    whole = [of for of, fit in fits.items() if not fit.rest]
    afresh = [of for of in targets if of not in fits]
    told = ([f"all of {', '.join(whole)}"] if whole else []) + ([f"nothing of {', '.join(afresh)}"] if afresh else [])
    parts = [f"\n  {of}: {fit.told()}" for of, fit in fits.items() if fit.rest]
    return "; ".join(told) + "".join(parts)


def networks_of(name: str | Path, targets: dict[str, Any]) -> dict[str, Any]:
    """The saved networks by the names of the networks that they are for."""
    if Path(name).is_file():
        return networks_in_file(Path(name), targets)
    place: Place = place_of(name)
    if place.checkpoint:
        return {of: network for of, (network, _) in checkpoints.networks_at(place.checkpoint).items()}
    files = sorted(place.folder.glob("*.keras"))
    if not files:
        raise BadValueError(f"{str(name)!r} has no networks yet: they are saved at the end of the first epoch.")
    known = {path.stem: path for path in files}
    return {of: opened(path) if of in targets else None for of, path in known.items()}


def networks_in_file(path: Path, targets: dict[str, Any]) -> dict[str, Any]:
    """The network of a file, by its own name or that of the file; else it is for the only generator."""
    if path.suffix.lower() not in (".keras", ".h5"):
        raise BadValueError(f"{str(path)!r} is not a model: name a .keras file or a run folder.")
    network = opened(path)
    if hasattr(network, "networks"):  # a whole model, saved in Python
        return {part.name: part for part in network.networks}
    likely = [network.name, path.stem, *([] if network.name in DISCRIMINATORS else ["generator"])]
    return {next((of for of in likely if of in targets), network.name): network}


class Fit(NamedTuple):
    """How the layers of a trained network fit those of another one."""

    taken: list[tuple[Any, Any]]  # layers that have weights of the same shapes, (trained, new)
    rest: list[str]  # the new network's other layers, in words
    total: int  # all layers with weights of the new network

    @classmethod
    def of(cls, source: Any, target: Any) -> "Fit":
        """Compares layers at the same place: counted from the input, and beyond layers that one has more, from the end.

        A network of which only layers without kernels would fit, such as normalisations, does not fit at all.
        """
        old, new = layers_of(source), layers_of(target)
        front = 0
        while front < min(len(old), len(new)) and type(old[front]) is type(new[front]):
            front += 1
        back = min(len(old), len(new)) - front
        pairs = dict(zip(range(front), old, strict=False))
        pairs |= {len(new) - place: old[len(old) - place] for place in range(1, back + 1)}
        taken, rest = [], []
        for place, layer in enumerate(new):
            trained = pairs.get(place)
            if trained is not None and shapes(trained) == shapes(layer) and type(trained) is type(layer):
                taken.append((trained, layer))
            else:
                there = f"{shapes(trained)} there" if trained is not None else "not there"
                rest.append(f"layer {place + 1} ({type(layer).__name__}, {there}, {shapes(layer)} here)")
        has_kernel = any(len(weight.shape) > 1 for _, layer in taken for weight in layer.weights)
        return cls(taken if has_kernel else [], rest, len(new))

    def take(self) -> None:
        """Copies the weights."""
        for trained, layer in self.taken:
            layer.set_weights(trained.get_weights())

    def told(self) -> str:
        """What was taken, and which layers were not."""
        more = f" and {len(self.rest) - MOST_NAMED} more" if len(self.rest) > MOST_NAMED else ""
        missing = ", ".join(self.rest[:MOST_NAMED]) + more
        return f"{len(self.taken)} of {self.total} layers, not {missing}"


def layers_of(network: Any) -> list[Any]:
    """The layers with weights of a network and of the networks within it, in order."""
    found = []
    for layer in network.layers:
        found += layers_of(layer) if hasattr(layer, "layers") else [layer] if layer.weights else []
    return found


def shapes(layer: Any) -> str:
    """The shapes of the weights of a layer, as text."""
    return "+".join("x".join(map(str, weight.shape)) or "1" for weight in layer.weights)
