"""Scores the generators of a run on held-out pictures.

    python -m keras_gan.evaluate RUN                       on the run's own data set
    python -m keras_gan.evaluate RUN --data facades        on another data set
    python -m keras_gan.evaluate RUN --data apples bananas on two folders
    python -m keras_gan.evaluate RUN@best                  the best networks; RUN@12: those of epoch 12
    python -m keras_gan.evaluate RUN --all                 those of all epochs that were kept, as a curve

Pairs: L1, PSNR and SSIM to the target. Unpaired data: L1 of the cycle, A to B to A. Generation from noise: L1 to the
nearest real picture, and diversity. All: FID and KID to real pictures, with two baselines: real training pictures, and
the source pictures (or uniform noise). FID and KID depend on the number of pictures: compare only equal numbers.

Saved in RUN/evaluation/DATA: figures.json and, for each direction, a table of all pictures (.csv) and a sheet of the
best and worst (.png); of RUN@best in DATA@best, and so on; with --all also epochs.csv and epochs.png.
"""

from typing import Any

from keras_gan import console
from keras_gan.errors import BadValueError
from keras_gan.evaluate import epochs, evaluate
from keras_gan.machine import cluster
from keras_gan.machine.installation import install


def text_of(figures: dict[str, Any]) -> str:
    """The figures as a text table."""
    lines = []
    for title, part in figures["directions"].items():
        lines.append(f"{title}: {part['pictures']} held-out pictures of {figures['data']}")
        for name, value in part["means"].items():
            lines.append(f"  {name:<40}{'-' if value is None else f'{value:.4f}':>10}")
        for name, scores in part["heaps"].items():
            fid, kid = ("-" if scores[key] is None else f"{scores[key]:.4g}" for key in ("FID", "KID"))
            counts = " and ".join(map(str, scores["pictures"]))
            lines.append(f"  {name:<40}{'FID ' + fid:>16}{'KID ' + kid:>16}   of {counts} pictures")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    parser = console.Parser.of(
        "keras_gan.evaluate",
        __doc__,
        epilog=f"PSNR and SSIM need scikit-image, FID and KID torch-fidelity: {install('metrics')}.",
    )
    parser.add_argument("run", metavar="RUN", help="the run's folder, RUN@best, RUN@12, or a checkpoint's folder")
    parser.add_argument("--data", metavar="DATA", nargs="+", help="a data set, or two folders (default: the run's)")
    text = "score the networks of all epochs that were kept by --save-every, and draw the figures"
    parser.add_argument("--all", action="store_true", help=text)
    text = "where to compute: in this process, or on a Ray cluster, for very many pictures (extra cluster)"
    parser.add_argument("--engine", choices=("threads", "ray"), default="threads", help=text)
    text = "with --engine ray: processes with the networks (default: auto, one for each GPU, or else each machine)"
    parser.add_argument("--workers", type=cluster.workers, metavar="N|auto", help=text)
    given = parser.parse_args(argv)
    with console.one_line_errors():
        if given.engine == "ray" and given.all:
            raise BadValueError("--all is not for --engine ray: name an epoch, such as RUN@12.")
        if given.engine != "ray" and given.workers:
            raise BadValueError("--workers needs --engine ray.")
        if given.all:
            folder, rows = epochs.evaluate_epochs(given.run, given.data)
            print(epochs.text_of(rows))
            print(f"Evaluated {len(rows)} epochs: {folder / epochs.TABLE} and {folder / epochs.PICTURE}.")
            return
        workers = (given.workers or cluster.AUTO) if given.engine == "ray" else None
        folder, figures = evaluate(given.run, given.data, workers=workers)
        print(text_of(figures))
        pictures = sum(part["pictures"] for part in figures["directions"].values())
        print(f"Evaluated {pictures} pictures: tables and sheets are in {folder}.")


if __name__ == "__main__":
    main()
