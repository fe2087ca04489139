"""The files of a run's networks: what is noted in them, and whether the disk has room for them and for checkpoints."""

import math
import shutil
from pathlib import Path
from typing import Any

from keras_gan.errors import BadValueError
from keras_gan.files import INPUT
from keras_gan.memory import in_units


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


def check_disk(folder: Path, model: Any, keep: int) -> None:
    """Raises BadValueError if the disk has less room than the networks and checkpoints of a run will take.

    Args:
        folder: of the run.
        model: the `AdversarialModel`, with its optimizers built.
        keep: number of checkpoints to keep.
    """
    checkpoint, networks = sizes_of(model)
    needed = networks + (keep + 1) * checkpoint  # a new one is written before the oldest is removed
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise BadValueError(
            f"folder {str(folder)!r} has too little room: networks and {keep + 1} checkpoints take "
            f"{in_units(needed)}, and {in_units(free)} are free. Make room, name another --output, or a smaller --keep."
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
