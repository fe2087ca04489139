"""Translates folders and shards on a Ray cluster: `python -m keras_gan.translate --engine ray`."""

import logging
import pickle
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from keras_gan import console
from keras_gan.errors import BadValueError
from keras_gan.machine import cluster

SKIPPED = "skipped.jsonl"
BLOCK = 1 << 20  # bytes that a task collects before it passes them on: a part is larger
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
        NotFoundError: if none of the shards is there.
        BadValueError: for no input, an output that exists, no cluster, or a machine of it that lacks this package or
            does not see the output; and if Ray ends the job, or a result cannot be written.
    """
    cluster.check_installed()
    from keras_gan.translate import shards
    from keras_gan.translate.job import Job
    from keras_gan.translate.pipeline import Flow
    from keras_gan.translate.stages import BATCHES, facts_of
    from keras_gan.translate.trained import makes_deep

    inputs, output = [shards.absolute(given) for given in inputs], shards.absolute(output)
    found = shards.sources(inputs)
    shards.check_some(found, inputs)
    facts, flow = facts_of(generator), Flow(generator, [], **options)
    form = form or (found[0].kind if found else shards.FILES)
    job = Job(output, form, facts, options, flow.halves.side, makes_deep(generator), BATCHES * flow.batch_size)
    with cluster.joined():
        cluster.check_machines()
        job = job.begun(file_of(generator), inputs)
        check_reached(job)
        found = found or job.list_folder(inputs[0])
        run(job, found, workers)
        return job.finish(found), flow


def check_reached(job: Any) -> None:
    """Raises BadValueError if a machine of the cluster sees another place under the output's name than this one."""
    without = [address for address, is_seen in cluster.on_each(type(job).is_seen, job).items() if not is_seen]
    if without:
        job.forget()
        raise BadValueError(
            f"machine {without[0]} of the cluster does not see output {job.output!r}: name one that all machines share."
        )


def file_of(generator: Any) -> bytes:
    """The file of a generator; of one in a checkpoint, a new one."""
    if generator.path and generator.path.is_file():
        return generator.path.read_bytes()
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "generator.keras")
        generator.model.save(path)
        return path.read_bytes()


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
        raise BadValueError(
            f"Ray ended the job: {cluster.why_ended(error)}; the same command again goes on."
        ) from error
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
    share, count, device = cluster.shares(workers)
    actors = {"compute": ray.data.ActorPoolStrategy(min_size=1, max_size=count)} | device
    items = [{"source": pickle.dumps(source)} for source in sources]
    data: Any = ray.data.from_items(items, override_num_blocks=min(len(items), 1000))
    known = {"fn_kwargs": {"job": job}}
    # Of different shares of a CPU: stages of the same share would be one, and not run at the same time
    data = data.flat_map(stages.read, num_cpus=share / 2, **known)
    data = data.map(stages.decode, num_cpus=share, **known)
    data = data.map(stages.Network, fn_constructor_args=(job,), **actors)
    data = data.map(stages.write, num_cpus=share, **known)
    yield from data.iter_rows()
