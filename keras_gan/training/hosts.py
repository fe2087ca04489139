"""Training on several devices and hosts: what is divided, what must be the same, and who writes."""

import contextlib
import json
import os
import random
import shutil
import tempfile
import zlib
from pathlib import Path

from keras_gan import backend
from keras_gan.errors import BadValueError, LostHostError
from keras_gan.training import run_folder


def divided(batches):
    """The batches of a loader, of which this host reads its share for its devices."""
    devices, size = backend.replicas(), batches.batch_size
    if size % devices:
        raise BadValueError(f"batch_size {size} cannot be divided over {devices} devices: make it a multiple of that.")
    batches.devices, batches.share = devices, backend.hosts()
    if not batches.n_batches:
        raise BadValueError(f"batch_size {size} is more than there are pictures: make it smaller.")
    return batches


def common_seed(seed, asked):
    """The seed of a model: this one or, where it is None, one that is drawn; of several hosts by the first.

    Before any weights are made from it, hosts must have been asked for the same model.

    Args:
        seed: a whole number below 2**32, which is as far as Keras' seeds go, or None.
        asked: dict of the model's arguments.

    Raises:
        BadValueError: if the seed is none, or the hosts were asked for different ones.
    """
    if backend.hosts()[1] > 1:
        check_alike({name: value for name, value in asked.items() if name != "output"})
    if seed is None:
        return backend.agreed(random.getrandbits(32))
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise BadValueError(f"seed must be a whole number from 0 to {2**32 - 1}, not {seed!r}.")
    return seed


def check_alike(asked):
    """Raises BadValueError on all hosts if this, which is nearly JSON, is not the same on all."""
    text = json.dumps(asked, sort_keys=True, default=lambda value: type(value).__name__)
    if not backend.same_on_all_hosts(zlib.crc32(text.encode())):
        raise BadValueError("the hosts were asked for different things, or their pictures differ: start all alike.")


@contextlib.contextmanager
def hosts_together(run, asked):
    """Has several hosts train the same, all but the first in a copy of the run that is discarded.

    Args:
        run: the `keras_gan.training.run.Run`.
        asked: dict of all arguments, as JSON can hold them.

    Raises:
        BadValueError: if they were asked for different things or have different pictures.
    """
    number, count = backend.hosts()
    if count == 1:
        yield
        return
    _, files = run_folder.pictures_of(run.model.data_loader)
    names = {split: [(Path(name).name, mark.split()[0]) for name, mark in of.items()] for split, of in files.items()}
    asked |= {"seed": run.model.seed, "output": None}
    check_alike([asked, names])
    if number == 0:
        run.folder  # noqa: B018 (made before the others look at it)
        backend.agreed(0)
        yield
        return
    with tempfile.TemporaryDirectory() as scratch, open(os.devnull, "w") as nowhere:
        copy = Path(scratch, "run")
        if run.is_resumed:
            shutil.copytree(run.folder, copy)
        else:
            (copy / "images").mkdir(parents=True)
        run.folder = copy
        backend.agreed(0)
        with contextlib.redirect_stdout(nowhere):
            yield


def explain_lost_host(error, folder):
    """Raises LostHostError if this error is that of a connection to another host."""
    signs = ("gloo", "connection", "unavailable", "coordination", "heartbeat")
    if backend.hosts()[1] > 1 and any(sign in str(error).lower() for sign in signs):
        raise LostHostError(
            f"another host has stopped: start all of them again, with --resume {str(folder)!r}."
        ) from error
