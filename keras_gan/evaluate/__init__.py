"""Scores trained generators on held-out pictures; see `python -m keras_gan.evaluate --help`."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from keras_gan import console
from keras_gan.errors import BadValueError
from keras_gan.files import comment_of, write_json
from keras_gan.generators import find, generators_of
from keras_gan.report.run_files import check_no_links
from keras_gan.training import run_folder

MOST_NAMED = 10  # classes in a message

Data = Any  # a name or a path, a list of two, or data given from Python; None: the run's own


def evaluate(
    run: str | Path, data: Data = None, extractor: Callable | None = None, test_data: Any = None
) -> tuple[Path, dict[str, Any]]:
    """Scores every generator of a run on held-out pictures, and saves tables and contact sheets.

    Args:
        run: the run's folder.
        data: a data set or a folder, a list of two folders, or of more if the run stacks several, or arrays, as the
            model takes them; None: the run's own data.
        extractor: maps pictures, uint8 (batch, height, width, 3), to float features (batch, n); None: Inception, the
            network of FID and KID. If that is unavailable, both are skipped and the reason is printed.
        test_data: arrays to test on, beside `data`; None: every tenth picture of those in `data`.

    Returns:
        (folder of the saved files, contents of its `figures.json`).

    Raises:
        NotFoundError: if the run or the data set does not exist, or the run has no generator yet.
        BadValueError: if the folder is not a run, a file or folder of it is a link, the data cannot be used, or
            scikit-image is missing.
    """
    from keras_gan.evaluate.metrics import check_metrics

    run = Path(run)
    check_no_links(run)
    config = run_folder.read_config(run)
    paths = generators_of(run)
    check_metrics()
    left_out = None
    if extractor is None:
        extractor, left_out = inception()
    console.load_keras()
    from keras_gan.evaluate import held_out

    with run_folder.reading_arguments(run, own_data=data is None):
        loader = loader_of(config, data, test_data)
    generators = {way: find(path) for way, path in paths.items()}
    check_classes(generators.values(), loader)
    folder = run / "evaluation" / loader.dataset_name
    parts = held_out.judge(generators, loader, extractor, folder)
    figures = {"run": str(run), "data": loader.dataset_name, "FID and KID left out": left_out}
    figures["networks"] = {path.name: comment_of(path) for path in paths.values()}
    figures |= parts
    write_json(folder / "figures.json", figures)
    return folder, figures


def inception() -> tuple[Any, str | None]:
    """(extractor for FID and KID, None), or (None, reason) if it is unavailable."""
    from keras_gan.evaluate.metrics import Inception

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
