"""An overview of all commands: what each does, what it needs and how long it takes.

python -m keras_gan                     prints the overview
python -m keras_gan discogan --quick    does the same as python -m keras_gan.discogan --quick
"""

import ast
import runpy
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

from keras_gan import __version__, console
from keras_gan.machine import installation


class Training(NamedTuple):
    """What the command of a model needs, and the minutes that it takes alone and with `--quick` on two CPU cores."""

    data: str
    minutes: int
    quick: int


#: Minutes are seconds of an iteration times iterations, measured. docs/models has the same, which a test compares.
MODELS = {
    "discogan": Training("pairs", 217, 7),
    "discogan_paper": Training("no pairs", 8, 7),
    "discogan_pytorch": Training("pairs", 94, 6),
    "cyclegan": Training("no pairs", 359, 4),
    "cyclegan_paper": Training("no pairs", 1786, 7),
    "cut": Training("no pairs", 1059, 7),
    "pix2pix": Training("pairs", 2557, 7),
    "dcgan": Training("single pictures", 8, 7),
    "cgan": Training("labelled pictures", 4, 5),
    "gan": Training("single pictures", 4, 2),
}

#: What the other commands need and take, measured on two CPU cores. [NAME] is an extra.
OTHERS = {
    "generate": ("a run of DCGAN, CGAN or GAN", "6 s for the first 100 pictures"),
    "translate": ("a run and pictures; [video] for films", "7 s for the first picture"),
    "evaluate": ("a run; [metrics] for FID, KID, PSNR and SSIM", "12 s without FID and KID"),
    "report": ("a run", "2 s"),
    "export": ("a run; [export] for ONNX and LiteRT", "10 s as SavedModel"),
    "datasets": ("your photos, or a network to download others", "18 s for pairs of 560 photos"),
    "launch": ("JAX, and a model to train", "as long as the training"),
    "demo": ("[demo]; a trained network comes with it", "7 s to start"),
    "demo.train": ("nothing", "20 min"),
}

HEAD = f"""\
keras_gan {__version__}: the classic image GANs on Keras 3.
Type python -m keras_gan.NAME, such as python -m keras_gan.discogan --quick. --help explains each.

These train a model, by default on shoes or digits drawn by code. --dataset names your own pictures.
Times are those of two CPU cores. --quick is a small run for a first picture.
"""
REST = f"""
These use what was trained, or make data. [NAME] is an extra:
{installation.install("NAME")}
"""
WIDTH, INDENT = 100, 19


def overview() -> str:
    """All commands, with what each does, needs and takes."""
    trainings = [
        entry(name, f"Data: {model.data}. Takes {duration(model.minutes)}, with --quick {duration(model.quick)}.")
        for name, model in MODELS.items()
    ]
    others = [entry(name, f"Needs {needs}. Takes {takes}.") for name, (needs, takes) in OTHERS.items()]
    return "\n".join([HEAD, *trainings, REST, *others])


def entry(name: str, needs: str) -> str:
    """A command: the first line of its source, and what it needs."""
    indent = " " * INDENT
    paragraphs = (f"  {name}".ljust(INDENT), first_line(name)), (indent, needs)
    return "\n".join(textwrap.fill(text, WIDTH, initial_indent=at, subsequent_indent=indent) for at, text in paragraphs)


def first_line(name: str) -> str:
    """The first line of a command's docstring. Does not import the command."""
    path = Path(__file__).parent.joinpath(*name.split("."))
    path = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def duration(minutes: int) -> str:
    """Minutes as text: "7 min" or "2.5 h"."""
    return f"{minutes} min" if minutes < 60 else f"{minutes / 60:.1f} h"


def main(argv: list[str]) -> None:
    """Prints the overview, or runs the command that is named first. Exits with code 2 if there is no such command."""
    if not argv or argv[0] in ("-h", "--help"):
        with console.reader_may_leave():
            print(overview())
        return
    name = argv[0].removeprefix("keras_gan.")
    if name not in MODELS | OTHERS:
        known = ", ".join(MODELS | OTHERS)
        sys.exit(console.fail(f"no command {argv[0]!r}: type python -m keras_gan.NAME with one of {known}."))
    sys.argv = argv
    runpy.run_module(f"keras_gan.{name}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
