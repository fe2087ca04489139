"""Training on several devices and hosts: batches are sharded, arguments must agree, only the first host writes."""

import contextlib
import json
import os
import random
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_gan import backend, console
from keras_gan.errors import BadValueError, LostHostError, UserError
from keras_gan.training import data_files


def sharded(batches: Any, accumulate: int = 1, parts_before: int | None = None) -> Any:
    """Configures a loader's batches so that this host reads only its shard of each; returns them.

    Args:
        batches: a loader.
        accumulate: the number of parts that each device's share is divided into.
        parts_before: of a resumed run: the number of parts, over all devices, when it began. It has decided whether a
            short last batch is dropped.

    Raises:
        BadValueError: if a batch cannot be divided into equal parts, or is larger than the data set.
    """
    devices, size = backend.replicas(), batches.batch_size
    parts = devices * accumulate
    if size % devices and accumulate == 1:
        raise BadValueError(f"batch_size {size} cannot be divided over {devices} devices: {ways_out(size, devices)}.")
    if size % parts:
        over = f"{devices} devices x accumulate={accumulate}" if devices > 1 else f"accumulate={accumulate}"
        raise BadValueError(f"batch_size {size} cannot be divided by {over}: use a multiple of {parts}.")
    batches.parts, batches.share = parts_before or parts, backend.hosts()
    rest = batches.rest
    if rest and rest % batches.parts == 0 and rest % parts:
        raise BadValueError(
            f"the last batch of an epoch has {rest} pictures, which the {parts} parts of a batch cannot share, though "
            f"the {batches.parts} could with which this run began: {ways_out(rest, parts)}."
        )
    if not batches.n_batches:
        raise BadValueError(f"batch_size {size} is larger than the number of pictures: make it smaller.")
    if batches.own_hosts > 1 and backend.hosts()[0] == 0:
        print(f"{batches.own_hosts} hosts, each on its own shards: {batches.left_out_in_words()}.")
    return batches


def in_own_order(batches: Any, state: dict[str, Any]) -> dict[str, Any]:
    """The `state.json` of a checkpoint, for the hosts that go on from it with their own shards.

    As many hosts as before go on with the same pictures. For another number, epochs have another order and length: this
    says so. If an epoch has become shorter than what was done of it, its last batch is still to do.
    """
    before, now = (state.get("config") or {}).get("own_hosts", 1), batches.own_hosts
    if before == now:
        return state
    if backend.hosts()[0] == 0:
        print(f"Shards were those of {before} host{'s'[: before - 1]}, now of {now}: pictures come in another order.")
    return state | {"step": min(state["step"], len(batches) - 1)}


def ways_out(size: int, devices: int) -> str:
    """What to do about a batch of a size that cannot be divided over so many devices."""
    fewer = [str(count) for count in range(1, devices) if size % count == 0]
    return f"use a multiple of {devices}, or {' or '.join(fewer)} of them"


def parts_kept(batch_size: int, devices_before: int, accumulate_before: int) -> int:
    """How often to divide the share of a device so that none has more pictures at a time than before.

    For a run that is resumed on another number of devices. 1 if the devices cannot share the batch.
    """
    devices = backend.replicas()
    most = batch_size / (devices_before * accumulate_before)
    counts = (count for count in range(1, batch_size + 1) if batch_size % (devices * count) == 0)
    return next((count for count in counts if batch_size / (devices * count) <= most), 1)


def accumulate_of_resumed(model: Any, arguments: dict[str, Any], config: dict[str, Any]) -> int:
    """The `accumulate` of a run that is resumed without it, perhaps on other devices; says so if it differs.

    Its batch size stays. Where that changes no result, so does the number of pictures that pass through a device at a
    time.
    """
    devices, before, kept = backend.replicas(), config.get("devices"), arguments.get("accumulate", 1)
    count = parts_kept(arguments["batch_size"], before, kept) if before else kept
    if not before or before == devices or count == kept:
        return kept
    changed = f"This run was trained on {before} device{'s'[: before - 1]}, now on {devices}. Its batch size stays"
    if model.mixes_batch:
        if backend.hosts()[0] == 0:
            print(f"{changed}. If memory lacks, add --accumulate {count}; batch normalization then sees parts.")
        return kept
    if backend.hosts()[0] == 0:
        print(f"{changed}{f', by accumulate={count}' if count > 1 else ''}.")
    return count


def shared_seed(seed: Any, arguments: dict[str, Any]) -> int:
    """Returns the seed of a model, the same on all hosts: `seed`, or if None a random one, drawn by the first host.

    Also checks that all hosts build the same model, before any weights are made.

    Args:
        seed: an integer from 0 to 2**32 - 1, the limit of Keras' seeds, or None.
        arguments: dict of the model's arguments.

    Raises:
        BadValueError: if the seed is invalid, or the hosts have different arguments.
    """
    if backend.hosts()[1] > 1:
        check_same({name: value for name, value in arguments.items() if name != "output"})
    if seed is None:
        return backend.agreed(random.SystemRandom().getrandbits(32))  # not from the seed of another model
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise BadValueError(f"seed must be a whole number from 0 to {2**32 - 1}, not {seed!r}.")
    return seed


def check_same(value: Any) -> None:
    """Raises BadValueError on all hosts if they pass different values. Compares JSON; other objects by their type."""
    text = json.dumps(value, sort_keys=True, default=lambda other: type(other).__name__)
    if not backend.same_on_all_hosts(zlib.crc32(text.encode())):
        raise BadValueError("the hosts have different arguments or pictures: start all with the same command and data.")


@contextlib.contextmanager
def synchronized_hosts(run: Any, arguments: dict[str, Any]) -> Iterator[None]:
    """Lets only the first host write to the run's folder: in this context the others use a temporary copy of it.

    Args:
        run: the `keras_gan.training.run.Run`.
        arguments: dict of all arguments, ready for JSON.

    Raises:
        BadValueError: if the hosts have different arguments or pictures.
    """
    number, count = backend.hosts()
    if count == 1:
        yield
        return
    _, files = data_files.pictures_of(run.model.data_loader)
    names = {split: [(Path(name).name, mark.split()[0]) for name, mark in of.items()] for split, of in files.items()}
    arguments |= {"seed": run.model.seed, "output": None}
    check_same([arguments, names])
    folder = run.folder if run.is_resumed or number == 0 else None
    with backend.watched_hosts(lambda: end_without(folder)), on_one_disk(run, number):
        yield


def lost(folder: Path | None) -> LostHostError:
    """The error after another host has stopped, in a training in this folder, if it is known."""
    where = f", with --resume {str(folder)!r}" if folder else ", with --resume and the folder of the run"
    return LostHostError(f"another host has stopped: start all of them again{where}.")


def end_without(folder: Path | None) -> None:
    """Ends the process with one line, from another thread: the main one waits for a host that has stopped."""
    console.fail(lost(folder))
    sys.stderr.flush()
    os._exit(2)


@contextlib.contextmanager
def on_one_disk(run: Any, number: int) -> Iterator[None]:
    """Lets host 0 alone write to the run's folder; this is host `number`."""
    if number == 0:
        run.folder  # noqa: B018 (creates it before the others read it)
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


def explain_lost_host(error: Exception, folder: Path | None = None) -> None:
    """Raises LostHostError if this error came from the connection to another host; with the `folder` of a training."""
    signs = ("gloo", "connection", "unavailable", "coordination", "heartbeat")
    if backend.hosts()[1] > 1 and any(sign in str(error).lower() for sign in signs):
        if folder is None:
            raise LostHostError("another host has stopped: start all of them again.") from error
        raise lost(folder if backend.hosts()[0] == 0 else None) from error


@contextlib.contextmanager
def explained_before_training() -> Iterator[None]:
    """Raises LostHostError if another host stops while this one builds a model."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        explain_lost_host(error)
        raise
