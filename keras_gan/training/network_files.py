"""The files of a run's networks: what is noted in them, and whether the disk has room for them and for checkpoints."""

import math
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan import console
from keras_gan.errors import BadValueError
from keras_gan.files import INPUT, is_whole_zip
from keras_gan.machine.memory import in_units

SPOILT = "its training failed; take a network from before, or train again"


def comment_for(network: Any, model: Any) -> str:
    """The comment of a network's file: iteration, weights, and how photos are prepared for it."""
    is_averaged = model.averages and network in model.combined.trains
    weights = f"averaged, ema {model.averages.ema}" if is_averaged else "as trained"
    return f"keras_gan: iteration {int(model.iteration)}, weights {weights}{input_of(network, model)}"


def input_of(network: Any, model: Any) -> str:
    """The end of the comment of a network's file: how the photos were prepared that it takes; "" if it takes none.

    Args:
        network: one of `model.networks`.
        model: the `AdversarialModel`.
    """
    preparation = model.data_loader.preparation
    is_turned = model.constructor_arguments.get("direction") == "BtoA"
    takers = model.combined.trains[is_turned : is_turned + 1]  # of A of the files; the first generator takes A, or B
    return f", {INPUT} {preparation.as_text()}" if preparation and network in takers else ""


def check_disk(folder: Path, model: Any, arguments: dict[str, Any]) -> None:
    """Raises BadValueError if the disk has less room than the networks and checkpoints of a run will take.

    Args:
        folder: of the run.
        model: the `AdversarialModel`, with its optimizers built.
        arguments: those of `train()`.
    """
    checkpoint, networks = sizes_of(model)
    keep, every = arguments["keep"], arguments["save_every"]
    kept = (arguments["epochs"] + arguments["decay_epochs"]) // every if every else 0
    kept += 2 if arguments["best_by"] else 0  # new ones are written before the old are removed
    needed = (1 + kept) * networks + (keep + 1) * checkpoint
    free = shutil.disk_usage(folder).free
    if needed > free:
        takes = f"networks{f', those kept {kept} times' if kept else ''} and {keep + 1} checkpoints take"
        smaller = "a larger --save-every or a smaller --keep" if every else "a smaller --keep"
        raise BadValueError(
            f"folder {str(folder)!r} has too little room: {takes} {in_units(needed)}, and {in_units(free)} are free. "
            f"Make room, name another --output, or {smaller}."
        )


def sizes_of(model: Any) -> tuple[int, int]:
    """The bytes of a checkpoint and of the saved networks of a model, without what files add to them."""
    networks = bytes_of(variable for network in model.networks for variable in network.variables)
    slots = bytes_of(variable for part in model.parts for variable in part.optimizer.variables)
    averages = bytes_of(model.averages.variables) if model.averages else 0
    return networks + slots + averages, networks


def bytes_of(variables: Any) -> int:
    """The bytes of Keras variables of 32 bits."""
    return sum(4 * math.prod(variable.shape) for variable in variables)


def opened(path: Path) -> Any:
    """Loads a Keras model, uncompiled. BadValueError if it is damaged, none, or has weights that are not finite."""
    console.load_keras()
    from keras_gan.layers import trusted

    if zipfile.is_zipfile(path) and not is_whole_zip(path):  # Keras would read damaged weights
        todo = "resuming its run saves it again" if path.parent.name == "models" else "take another network"
        raise BadValueError(f"{str(path)!r} is damaged: its checksums differ; {todo}.")
    try:
        model = trusted.load_model(path)
    except BadValueError:
        raise
    except Exception as error:  # on foreign files Keras raises errors of unrelated types
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise BadValueError(f"{str(path)!r} cannot be opened as a Keras model: {reason}") from error
    if not all(np.isfinite(weights).all() for weights in model.get_weights() if weights.dtype.kind == "f"):
        raise BadValueError(f"{str(path)!r} has weights that are not finite (NaN or infinity): {SPOILT}.")
    return model
