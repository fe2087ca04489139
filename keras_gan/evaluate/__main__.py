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

from keras_gan import console
from keras_gan.evaluate import evaluate


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
    parser = console.Parser.of("keras_gan.evaluate", __doc__)
    parser.add_argument("run", metavar="RUN", help="the run's folder, such as runs/discogan-drawn_shoes-1")
    parser.add_argument("--data", metavar="DATA", nargs="+", help="a data set, or two folders (default: the run's)")
    given = parser.parse_args(argv)
    with console.one_line_errors():
        folder, figures = evaluate(given.run, given.data)
        print(text_of(figures))
        print(f"Tables and sheets: {folder}")


if __name__ == "__main__":
    main()
