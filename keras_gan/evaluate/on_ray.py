"""Scores held-out pictures on a Ray cluster: `python -m keras_gan.evaluate --engine ray`."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from keras_gan import console
from keras_gan.errors import BadValueError
from keras_gan.generators import find, generators_of
from keras_gan.machine import cluster
from keras_gan.training import run_folder
from keras_gan.training.kept_networks import place_of


class Judge:
    """A process of the cluster, with the generators and the data of a run."""

    def __init__(self, *given: Any) -> None:
        self.given = given

    @functools.cached_property
    def known(self) -> tuple[dict, Any, Any]:
        """(generators, loader, extractor). Opened by the first piece: Ray writes pages if a process does not start."""
        from keras_gan.evaluate import loader_of

        run, data, make_extractor, here = self.given
        with contextlib.suppress(OSError):  # a machine may lack it, where all names are absolute
            os.chdir(here)  # the cluster's processes have the folder of its start; names of data are below this one
        console.load_keras()
        folder: Any = place_of(run).run
        with run_folder.reading_arguments(folder, own_data=data is None):
            loader = loader_of(run_folder.read_config(folder), data)
        generators = {way: find(run, way) for way in generators_of(run)}
        return generators, loader, make_extractor and make_extractor()

    def do(self, work: Callable, piece: tuple) -> Any:
        """A piece of work on held-out pictures: work(generators, loader, extractor, *piece)."""
        return work(*self.known, *piece)


class OnRay:
    """Does the work on held-out pictures in processes of the cluster; see `keras_gan.evaluate.held_out.Here`."""

    span = 256

    def __init__(self, run: str, data: Any, make_extractor: Callable | None, workers: Any) -> None:
        import ray
        from ray.util import ActorPool

        _, count, device = cluster.shares(workers)
        judge = ray.remote(max_restarts=-1, max_task_retries=-1, **device)(Judge)
        self.pool = ActorPool([judge.remote(run, data, make_extractor, os.getcwd()) for _ in range(count)])

    def each(self, work: Callable, pieces: list[tuple]) -> Iterator[Any]:
        """Yields work(generators, loader, extractor, *piece) for each piece, in their order.

        Raises:
            BadValueError: if Ray ends the work.
        """
        import ray

        try:
            yield from self.pool.map(lambda judge, piece: judge.do.remote(work, piece), pieces)
        except ray.exceptions.RayError as error:
            raise BadValueError(f"Ray ended the evaluation: {cluster.why_ended(error)}") from error


@contextlib.contextmanager
def pool(run: str | Path, data: Any, make_extractor: Callable | None, workers: Any) -> Iterator[OnRay]:
    """Yields processes of a cluster that score the generators of a run. All machines must reach its folder and data.

    Args:
        run: see `keras_gan.evaluate.evaluate`.
        data: a name or a path, or a list of two; None: the run's own.
        make_extractor: makes the extractor in each process; None: skip FID and KID.
        workers: how many processes, see `keras_gan.machine.cluster.shares`.

    Raises:
        BadValueError: for data that are not names, for no cluster, or a machine of it without this package.
    """
    names = [data] if data is None or isinstance(data, str | Path) else data
    if not isinstance(names, list | tuple) or not all(name is None or isinstance(name, str | Path) for name in names):
        raise BadValueError("--engine ray takes data by their names: arrays are for evaluating without it.")
    places = [str(Path(name).absolute()) if name and Path(name).exists() else name for name in names]
    with cluster.joined():
        cluster.check_machines()
        yield OnRay(str(Path(run).absolute()), places if len(places) > 1 else places[0], make_extractor, workers)
