"""Translates folders and shards on a Ray cluster: `python -m keras_gan.translate --engine ray`."""

import contextlib
import importlib.util
import logging
import os
import pickle
import socket
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from keras_gan import console
from keras_gan.errors import BadValueError, check_at_least

AUTO = "auto"
SKIPPED = "skipped.jsonl"
PACKAGE = "keras_gan"
STORE = 1 << 30  # bytes of memory for pictures between the stages, of a cluster that is started here
BLOCK = 1 << 20  # bytes that a task collects before it passes them on: a part is larger
SECONDS = 10  # to wait for a cluster's address to answer
JOINING = 8  # shards that are put together at a time


def translate(generator: Any, inputs: list[str], output: str, form: str | None, workers: Any, **options: Any) -> Any:
    """Translates all pictures of a folder, or of shards, and goes on where an earlier call stopped.

    Args:
        generator: a `keras_gan.generators.Generator` of kind "translation".
        inputs: a folder, or .tar or .parquet files, by paths, `{00..99}` or addresses.
        output: the folder of the results, or its address.
        form: "files", "tar" or "parquet"; None: that of the inputs.
        workers: processes with the network; "auto": one for each GPU, or else for each machine.
        options: size, half, value_range and prepare, see `keras_gan.translate.pipeline.Flow`.

    Returns:
        ({"done", "skipped", "cut", "made", "kept": numbers of pictures, "brightest": share of white}, the `Flow`).

    Raises:
        BadValueError: for no input, an output that exists, no cluster, or a machine of it without this package; and
            if Ray ends the job, or a result cannot be written.
    """
    console.check_packages("--engine ray", ("ray", "fsspec", "pyarrow"), "cluster")
    from keras_gan.translate import shards
    from keras_gan.translate.job import Job
    from keras_gan.translate.pipeline import Flow
    from keras_gan.translate.stages import BATCHES, facts_of
    from keras_gan.translate.trained import makes_deep

    found = shards.sources(inputs)
    facts, flow = facts_of(generator), Flow(generator, [], **options)
    form = form or (found[0].kind if found else shards.FILES)
    job = Job(output, form, facts, options, flow.halves.side, makes_deep(generator), BATCHES * flow.batch_size)
    with cluster():
        check_machines(PACKAGE)
        job = job.begun(file_of(generator), inputs)
        found = found or job.list_folder(inputs[0])
        run(job, found, workers)
        return job.finish(found), flow


def file_of(generator: Any) -> bytes:
    """The file of a generator; of one in a checkpoint, a new one."""
    if generator.path and generator.path.is_file():
        return generator.path.read_bytes()
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "generator.keras")
        generator.model.save(path)
        return path.read_bytes()


@contextlib.contextmanager
def cluster() -> Iterator[None]:
    """Joins the cluster at RAY_ADDRESS or of `ray start` on this machine; else starts one, and ends it afterwards.

    Ray's own "auto" would also join a cluster that another command started for itself, and that ends with it.

    Raises:
        BadValueError: if there is none at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    if ray.is_initialized():
        yield
        return
    quiet: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
    if address := os.environ.get("RAY_ADDRESS") or started_here():
        check_address(address)
        try:
            ray.init(address=address, **quiet)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise no_cluster(address, error) from error
    else:
        start(quiet)
    try:
        yield
    finally:
        ray.shutdown()


def started_here() -> str | None:
    """The address of the cluster that `ray start` noted on this machine, if it answers: it may have died since."""
    from ray._private.services import find_bootstrap_address  # Ray has no public name for it

    address = find_bootstrap_address(None)
    try:
        check_address(address)
    except BadValueError:
        return None
    return address


def start(options: dict[str, Any]) -> None:
    """Starts a cluster of this machine alone. BadValueError if it does not start."""
    import ray

    try:
        ray.init(address="local", include_dashboard=False, object_store_memory=STORE, **options)
    except Exception as error:  # Ray has no class for it
        why = " ".join(str(error).split())
        raise BadValueError(f"Ray does not start on this machine: {why} Try again, or without --engine ray.") from error


def check_address(address: str | None) -> None:
    """Raises BadValueError if nothing answers at HOST:PORT: Ray would try for minutes, and write much."""
    host, _, port = (address or "").rpartition("://")[2].rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), SECONDS).close()
    except OSError as error:
        raise no_cluster(str(address), error) from error


def no_cluster(address: str, error: Exception) -> BadValueError:
    why = " ".join(str(error).split()) or type(error).__name__
    return BadValueError(
        f"no Ray cluster at {address} (RAY_ADDRESS): {why}; start it, or unset RAY_ADDRESS to use this machine alone."
    )


def check_machines(package: str) -> None:
    """Raises BadValueError if a machine of the cluster lacks this package."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    find = ray.remote(importlib.util.find_spec)
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    asked = {}
    for node in nodes:
        here = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        asked[node["NodeManagerAddress"]] = find.options(num_cpus=0, scheduling_strategy=here).remote(package)
    without = [address for address, reference in asked.items() if ray.get(reference) is None]
    if without:
        raise BadValueError(
            f"{len(without)} of {len(asked)} machines of the cluster lack the package {package}, such as {without[0]}: "
            "install it there, with the extra cluster."
        )


def run(job: Any, sources: list[Any], workers: Any) -> None:
    """Translates all sources that are not done."""
    import ray

    done = job.done_sources()
    todo = [source for source in sources if source.name not in done]
    progress = console.Progress(len(todo))
    counts: Counter = Counter()
    ends: dict[Any, int] = {}
    joining: list[Any] = []
    finish = ray.remote(num_cpus=0, max_retries=-1)(finished)
    try:
        for row in rows(job, todo, workers) if todo else ():
            if row["failure"]:
                raise BadValueError(f"{row['failure']} (the same command again goes on where it stopped)")
            source = pickle.loads(row["source"])
            counts[source.name] += 1
            if row["is_last"]:
                ends[source.name] = row["number"] + 1
            if counts[source.name] == ends.get(source.name):
                joining.append(finish.remote(job, source, ends.pop(source.name)))
                del counts[source.name]
            while len(joining) > JOINING:
                ray.get(joining.pop(0))
                progress.step()
        for reference in joining:
            ray.get(reference)
            progress.step()
    except ray.exceptions.RayError as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise BadValueError(f"Ray ended the job: {lines[-1]}; the same command again goes on.") from error
    finally:
        progress.close()


def finished(job: Any, source: Any, count: int) -> None:
    job.finish_source(source, count)


def rows(job: Any, sources: Iterable[Any], workers: Any) -> Iterator[dict[str, Any]]:
    """Yields a row for each part that is written, from a pipeline of Ray Data."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own, of what it deprecates and uses
        import ray.data

        context = ray.data.DataContext.get_current()
    from keras_gan.translate import stages

    context.enable_progress_bars = False
    context.target_max_block_size = BLOCK
    for name in ("ray.data", "ray.data._internal"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    share, actors = shares(workers)
    items = [{"source": pickle.dumps(source)} for source in sources]
    data = ray.data.from_items(items, override_num_blocks=min(len(items), 1000))
    known = {"fn_kwargs": {"job": job}}
    # Of different shares of a CPU: stages of the same share would be one, and not run at the same time
    data = data.flat_map(stages.read, num_cpus=share / 2, **known)
    data = data.map(stages.decode, num_cpus=share, **known)
    data = data.map(stages.Network, fn_constructor_args=(job,), **actors)
    data = data.map(stages.write, num_cpus=share, **known)
    yield from data.iter_rows()


def shares(workers: Any) -> tuple[float, dict[str, Any]]:
    """(share of a CPU for a task, what the processes with the network take), so that all stages have room."""
    import ray
    from ray.data import ActorPoolStrategy

    there = ray.cluster_resources()
    cpus, gpus = there.get("CPU", 1), int(there.get("GPU", 0))
    machines = len([node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")])
    count = (gpus or machines) if workers == AUTO else workers
    check_at_least(1, workers=count)
    if gpus and count > gpus:
        raise BadValueError(f"the cluster has {gpus} GPUs: --workers {count} is too many.")
    pool = {"compute": ActorPoolStrategy(min_size=1, max_size=count)}
    device = {"num_gpus": 1} if gpus else {"num_cpus": round(min(1, 0.45 * cpus / count), 4)}
    return min(1, cpus / 4), pool | device
