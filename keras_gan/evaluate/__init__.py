"""Scores trained generators on held-out pictures; see `python -m keras_gan.evaluate --help`."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from keras_gan import console
from keras_gan.errors import BadValueError
from keras_gan.files import write_json
from keras_gan.generators import find, generators_of
from keras_gan.machine import cluster
from keras_gan.report.run_files import CONFIG, check_no_links
from keras_gan.training import run_folder
from keras_gan.training.kept_networks import place_of

MOST_NAMED = 10  # classes in a message

Data = Any  # a name or a path, a list of two, or data given from Python; None: the run's own


def evaluate(
    run: str | Path,
    data: Data = None,
    extractor: Callable | None = None,
    test_data: Any = None,
    workers: int | str | None = None,
) -> tuple[Path, dict[str, Any]]:
    """Scores every generator of a run on held-out pictures, and saves tables and contact sheets.

    Args:
        run: the run's folder, RUN@best, RUN@12, or the folder of one of its checkpoints.
        data: a data set or a folder, a list of two folders, or of more if the run stacks several, or arrays, as the
            model takes them; None: the run's own data.
        extractor: maps pictures, uint8 (batch, height, width, 3), to float features (batch, n); None: Inception, the
            network of FID and KID. If that is unavailable, both are skipped and the reason is printed.
        test_data: arrays to test on, beside `data`; None: every tenth picture of those in `data`.
        workers: processes of a Ray cluster that score translations; "auto": one for each GPU, or else for each machine;
            None: this process alone.

    Returns:
        (folder of the saved files, contents of its `figures.json`).

    Raises:
        NotFoundError: if the run or the data set does not exist, or the run has no generator yet.
        BadValueError: if the folder is not a run, a file or folder of it is a link, the data cannot be used, or
            scikit-image is missing; with workers also for a model that starts from noise, for arrays, and if there is
            no cluster.
    """
    if workers is None:
        return Scoring(run, data, extractor, test_data).of(run)
    cluster.check_installed()
    scoring = Scoring(run, data, extractor, test_data)
    if not scoring.translates:
        raise BadValueError("--engine ray is for models that translate: evaluate this one without it.")
    from keras_gan.evaluate import on_ray

    known = scoring.extractor and (type(scoring.extractor) if extractor is None else lambda: extractor)
    with on_ray.pool(run, data if test_data is None else [data, test_data], known, workers) as pool:
        return scoring.of(run, pool)


class Scoring:
    """Scores generators of one run on the same data; see `evaluate` for the arguments and errors.

    Attributes:
        run: the run's folder.
    """

    def __init__(self, run: str | Path, data: Data, extractor: Callable | None, test_data: Any = None) -> None:
        from keras_gan.images.metrics import check_metrics

        check_no_links(run)  # before anything in it is read
        place = place_of(run)
        if place.run is None:
            raise BadValueError(f"{str(run)!r} is not the folder of a run: it has no {CONFIG}.")
        check_no_links(place.run)
        self.run, config = place.run, run_folder.read_config(place.run)
        generators_of(run)
        check_metrics()
        self.extractor: Any = extractor
        self.left_out: str | None = None
        if extractor is None:
            self.extractor, self.left_out = inception()
        console.load_keras()
        with run_folder.reading_arguments(self.run, own_data=data is None):
            self.loader = loader_of(config, data, test_data)

    @property
    def translates(self) -> bool:
        """Whether the model translates pictures. Others start from noise."""
        from keras_gan.data.single import ImageLoader

        return not isinstance(self.loader, ImageLoader)

    def of(self, run: str | Path, workers: Any = None) -> tuple[Path, dict[str, Any]]:
        """What `evaluate` returns, for networks of the run: its name, or RUN@best, and so on.

        Args:
            run: which networks.
            workers: what does the work, see `keras_gan.evaluate.held_out.judge`.
        """
        from keras_gan.evaluate import held_out

        place = place_of(run)
        generators = {way: find(run, way) for way in generators_of(run)}
        check_classes(generators.values(), self.loader)
        name = self.loader.dataset_name + (f"@{place.mark}" if place.mark else "")
        folder = self.run / "evaluation" / name
        parts = held_out.judge(generators, self.loader, self.extractor, folder, workers)
        figures: dict[str, Any] = {"run": str(run), "data": self.loader.dataset_name}
        figures["FID and KID left out"] = self.left_out
        figures["networks"] = {path.name: generators[way].comment for way, path in generators_of(run).items()}
        figures |= parts
        write_json(folder / "figures.json", figures)
        return folder, figures


def inception() -> tuple[Any, str | None]:
    """(extractor for FID and KID, None), or (None, reason) if it is unavailable."""
    from keras_gan.images.metrics import Inception

    try:
        return Inception(), None
    except BadValueError as error:
        print(f"FID and KID are left out: {error}", file=sys.stderr)
        return None, str(error)


def loader_of(config: dict[str, Any], data: Data = None, test_data: Any = None) -> Any:
    """The data loader of a run's model, optionally for other data."""
    import keras_gan

    kind: Any = getattr(keras_gan, config["class"], None)
    if keras_gan.AdversarialModel not in getattr(kind, "__mro__", ()):
        raise BadValueError(f"the run's class {config['class']!r} is not a model of this package.")
    known = run_folder.options_of(kind)
    arguments = {name: value for name, value in config["arguments"].items() if name in known}
    arguments |= {"seed": config["seed"], "output": None, "g_optimizer": None, "d_optimizer": None}
    names = [data] if isinstance(data, str | Path) else data
    if data is not None:
        arguments |= dict.fromkeys(("data", "test_data"))
    if data is not None and not (isinstance(names, list | tuple) and all(isinstance(x, str | Path) for x in names)):
        arguments |= dict.fromkeys(("dataset_name", "dataset_A", "dataset_B", "data_dir"))
        arguments |= {"data": data, "test_data": test_data}
    elif data is not None:
        allowed = 1 + max(1, len(arguments.get("dataset_A") or [])) if "dataset_B" in known else 1
        if not 1 <= len(names) <= allowed:
            raise BadValueError(f"{config['class']} takes at most {allowed} data set(s), not {len(names)}.")
        first, *others, last = [*map(str, names), None][: max(2, len(names))]
        arguments |= {"dataset_name": first} | (
            {"data_dir": None, "labels": None} if allowed == 1 else {"dataset_B": last}
        )
        if others:
            arguments |= {"dataset_name": None, "dataset_A": [first, *others]}
        elif "dataset_A" in arguments:
            arguments["dataset_A"] = None
    return data_of(kind, {name: value for name, value in arguments.items() if name in known})


def data_of(kind: Any, arguments: dict[str, Any]) -> Any:
    """The data loader that a model of this class opens. The model is given up then, before it builds its networks."""

    class Opening(kind):
        def __setattr__(self, name: str, value: Any) -> None:
            if name == "data_loader":
                raise Opened(value)
            super().__setattr__(name, value)

    try:
        Opening(**arguments)
    except Opened as opened:
        return opened.args[0]
    raise BadValueError(f"the run's class {kind.__name__!r} has no data_loader: it cannot be evaluated.")


class Opened(Exception):  # noqa: N818 (no error: it carries the data loader out of the constructor)
    """A model has opened its data."""


def check_classes(generators: Iterable[Any], loader: Any) -> None:
    """Raises BadValueError if a generator takes labels, and the data have another number of classes."""
    for generator in generators:
        if generator.kind == "labelled" and generator.classes != len(loader.classes):
            named = ", ".join(loader.classes[:MOST_NAMED]) + ", ..." * (len(loader.classes) > MOST_NAMED)
            raise BadValueError(
                f"the run's generator knows {generator.classes} classes, and {loader.dataset_name!r} has "
                f"{len(loader.classes)} ({named}): name data with the same classes, --data DATA."
            )
