"""Says in numbers how good the generators of a run are, on pictures that they have not seen.

    python -m keras_gan.evaluate RUN                       on the held-out pictures of its own data set
    python -m keras_gan.evaluate RUN --data facades        of another one
    python -m keras_gan.evaluate RUN --data apples bananas of two folders

Pairs: L1, PSNR and SSIM against the partner. Pictures without partners: L1 of the way there and back. Pictures of
noise: L1 to the nearest real one, and how different they are among themselves. All: FID and KID, beside
those of real pictures against real ones, and of the source (or of mere noise) against real ones; they depend on the
number of pictures, so only figures of equal numbers compare.

RUN/evaluation/DATA gets figures.json, and for each direction a table of all pictures (.csv) and a sheet of the best
and the worst (.png). SSIM and PSNR need scikit-image, FID and KID torch-fidelity: pip install 'keras-gan[metrics]'.
"""

import sys
import zipfile
from pathlib import Path

from keras_gan import cli, runs
from keras_gan.errors import BadValueError, UserError
from keras_gan.generators import find, generators_of


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
    from keras_gan.scores import check_metrics

    run = Path(run)
    config = runs.read_config(run)
    paths = generators_of(run)
    check_metrics()
    left_out = None
    if extractor is None:
        extractor, left_out = inception()
    cli.load_keras()
    from keras_gan import judging

    loader = loader_of(config, data)
    generators = {way: find(path) for way, path in paths.items()}
    folder = run / "evaluation" / loader.dataset_name
    parts = judging.judge(generators, loader, extractor, folder)
    figures = {"run": str(run), "data": loader.dataset_name, "FID and KID left out": left_out}
    figures["networks"] = {path.name: comment_of(path) for path in paths.values()}
    figures |= parts
    runs.write_json(folder / "figures.json", figures)
    return folder, figures


def inception():
    """(the extractor of FID and KID, None), or (None, why there is none)."""
    from keras_gan.scores import Inception

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
    known = runs.names_of(kind.__init__)
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


def text_of(figures):
    """The figures as a table to read."""
    lines = []
    for title, part in figures["directions"].items():
        lines.append(f"{title}: {part['pictures']} held-out pictures of {figures['data']}")
        for name, value in part["means"].items():
            lines.append(f"  {name:<40}{value:>10.4f}")
        for name, heap in part["heaps"].items():
            fid, kid = ("-" if heap[key] is None else f"{heap[key]:.4g}" for key in ("FID", "KID"))
            counts = " and ".join(map(str, heap["pictures"]))
            lines.append(f"  {name:<40}{'FID ' + fid:>16}{'KID ' + kid:>16}   of {counts} pictures")
    return "\n".join(lines)


def main(argv=None):
    """Runs the command. Exits with code 2 and one line if the input is at fault, with code 130 after Ctrl-C."""
    parser = cli.Parser.of("keras_gan.evaluate", __doc__)
    parser.add_argument("run", metavar="RUN", help="the run's folder, such as runs/discogan-drawn_shoes-1")
    parser.add_argument("--data", metavar="DATA", nargs="+", help="a data set, or two folders (default: the run's)")
    given = parser.parse_args(argv)
    try:
        folder, figures = evaluate(given.run, given.data)
    except UserError as error:
        sys.exit(cli.fail(error))
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
    print(text_of(figures))
    print(f"Tables and sheets: {folder}")


if __name__ == "__main__":
    main()
