"""Scores trained generators on pictures that they have not seen; see `python -m keras_gan.evaluate --help`."""

import sys
import zipfile
from pathlib import Path

from keras_gan import console
from keras_gan.errors import BadValueError
from keras_gan.generators import find, generators_of
from keras_gan.training import run_folder


def evaluate(run, data=None, extractor=None):
    """Scores every generator of a run on held-out pictures, and saves tables and sheets.

    Args:
        run: the run's folder.
        data: a data set or a folder, or a list of two folders; None: the run's own.
        extractor: gives float features (batch, n) of pictures uint8 (batch, height, width, 3); None: that of
            FID and KID, Inception. Where it cannot be had, both are left out, and a line says why.

    Returns:
        (the folder of what is saved, the figures as in its `figures.json`: a dict).

    Raises:
        NotFoundError: if there is no such run or data set, or the run has no generator yet.
        BadValueError: if it is no run, the data cannot be used, or scikit-image is missing.
    """
    from keras_gan.evaluate.metrics import check_metrics

    run = Path(run)
    config = run_folder.read_config(run)
    paths = generators_of(run)
    check_metrics()
    left_out = None
    if extractor is None:
        extractor, left_out = inception()
    console.load_keras()
    from keras_gan.evaluate import held_out

    loader = loader_of(config, data)
    generators = {way: find(path) for way, path in paths.items()}
    folder = run / "evaluation" / loader.dataset_name
    parts = held_out.judge(generators, loader, extractor, folder)
    figures = {"run": str(run), "data": loader.dataset_name, "FID and KID left out": left_out}
    figures["networks"] = {path.name: comment_of(path) for path in paths.values()}
    figures |= parts
    run_folder.write_json(folder / "figures.json", figures)
    return folder, figures


def inception():
    """(the extractor of FID and KID, None), or (None, why there is none)."""
    from keras_gan.evaluate.metrics import Inception

    try:
        return Inception(), None
    except BadValueError as error:
        print(f"FID and KID are left out: {error}", file=sys.stderr)
        return None, str(error)


def loader_of(config, data=None):
    """The data loader that a run's model has, perhaps for other data."""
    import keras_gan

    kind = getattr(keras_gan, config["class"], None)
    if not isinstance(kind, type) or not issubclass(kind, keras_gan.AdversarialModel):
        raise BadValueError(f"the run is one of {config['class']!r}, which is no model of this package.")
    known = run_folder.names_of(kind.__init__)
    arguments = {name: value for name, value in config["arguments"].items() if name in known}
    arguments |= {"seed": config["seed"], "output": None, "g_optimizer": None, "d_optimizer": None}
    if data is not None:
        names = [data] if isinstance(data, str | Path) else list(data)
        allowed = 2 if "dataset_B" in known else 1
        if not 1 <= len(names) <= allowed:
            raise BadValueError(f"data for {config['class']} is {allowed} at most, not {len(names)}.")
        arguments |= {"dataset_name": str(names[0])}
        arguments |= {"dataset_B": str(names[1]) if len(names) > 1 else None} if allowed == 2 else {"data_dir": None}
    return kind(**{name: value for name, value in arguments.items() if name in known}).data_loader


def comment_of(path):
    """What a saved network says of itself: its iteration, and whether its weights are averaged."""
    with zipfile.ZipFile(path) as archive:
        return archive.comment.decode(errors="replace")
