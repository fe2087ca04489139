"""Downloads, makes and checks data sets.

    python -m keras_gan.datasets list                              lists the data sets to download
    python -m keras_gan.datasets download NAME                     downloads one to datasets/NAME
    python -m keras_gan.datasets check PATH [PATH_B]               reports what is in a folder, with a contact sheet
    python -m keras_gan.datasets pairs --from edges PHOTOS OUT     makes pairs of edges and photos
    python -m keras_gan.datasets pairs --from gray PHOTOS OUT      makes pairs of gray and colour photos
    python -m keras_gan.datasets join A B OUT                      joins pictures of two folders to pairs

Details: python -m keras_gan.datasets COMMAND --help
"""

import argparse
import shlex
from collections.abc import Callable
from typing import Any

from keras_gan.console import Parser, one_line_errors, reader_may_leave, value_range_or_auto
from keras_gan.datasets import catalogue, make_pairs
from keras_gan.datasets.check import check
from keras_gan.datasets.download import download
from keras_gan.datasets.folders import FOLDER
from keras_gan.errors import check_here
from keras_gan.images.pixels import FITS

LAYOUT = """\
Each pair is one PNG in OUT/train or OUT/val, with A in the left half and B in the right half. If the input has
subfolders train and val (or test), these are the splits; otherwise every tenth picture by name goes to OUT/val.
Broken pictures are named and skipped.
"""


def main(argv: list[str] | None = None) -> None:
    """Runs a command. Exits with code 2 and a one-line message on bad input, with code 130 after Ctrl-C."""
    given = parser().parse_args(argv)
    with one_line_errors(), reader_may_leave():
        given.run(given)


def parser() -> argparse.ArgumentParser:
    """The command-line parser. Its result has `run`, the function of the command."""
    top = command_parser(Parser, prog="python -m keras_gan.datasets", description=__doc__)
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    add_list(commands)
    add_download(commands)
    add_check(commands)
    add_pairs(commands)
    add_join(commands)
    return top


def add_list(commands: Any) -> None:
    """The command `list`."""
    text = "lists the data sets to download"
    command = command_parser(commands.add_parser, "list", help=text, description=f"L{text[1:]}.")
    command.set_defaults(run=lambda given: print(catalogue.listing()))


def add_download(commands: Any) -> None:
    """The command `download`."""
    text = "downloads a data set of the list"
    command = command_parser(commands.add_parser, "download", help=text, description=f"D{text[1:]}.")
    command.add_argument("name", metavar="NAME", help="see python -m keras_gan.datasets list")
    command.add_argument("--yes", action="store_true", help="download more than 1 GB without asking")
    command.add_argument(
        "--output", metavar="FOLDER", default=FOLDER, help=f"create the folder NAME in here (default: {FOLDER})"
    )
    command.set_defaults(run=run_download)


def run_download(given: argparse.Namespace) -> None:
    """Downloads a data set and prints the next command."""
    check_here(given.output)
    folder = download(given.name, given.output, given.yes)
    if folder is not None:
        print(f"Next: python -m keras_gan.datasets check {shlex.quote(str(folder))}")


def add_check(commands: Any) -> None:
    """The command `check`."""
    text = "reports what is in a folder, and saves a contact sheet of its first pictures"
    command = command_parser(commands.add_parser, "check", help=text, description=f"R{text[1:]}.")
    command.add_argument("name", metavar="PATH", help="a folder, by path or by its name below datasets/")
    command.add_argument("name_B", metavar="PATH_B", nargs="?", help="the folder of side B, if PATH is side A")
    command.add_argument("--sheet", metavar="FILE", help="where to save the sheet (default: NAME-check.png)")
    command.set_defaults(run=lambda given: check(given.name, given.sheet, given.name_B))


def add_pairs(commands: Any) -> None:
    """The command `pairs`."""
    text = "makes pairs of photos: A are their edges or gray versions, B the photos"
    command = command_parser(commands.add_parser, "pairs", help=text, description=f"M{text[1:]}.\n\n{LAYOUT}")
    command.add_argument(
        "--from",
        dest="kind",
        choices=list(make_pairs.KINDS),
        required=True,
        help="what A is: gray (0.299 R + 0.587 G + 0.114 B) or edges (black lines on white)",
    )
    command.add_argument("photos", metavar="PHOTOS", help="folder of photos")
    add_out(command, "the photo's size")
    command.set_defaults(
        run=lambda given: report(
            make_pairs.make_pairs(given.kind, given.photos, given.out, given.size, given.fit, given.value_range)
        )
    )


def add_join(commands: Any) -> None:
    """The command `join`."""
    text = "joins pictures of the same name in two folders, whatever their extensions"
    command = command_parser(commands.add_parser, "join", help=text, description=f"J{text[1:]}.\n\n{LAYOUT}")
    command.add_argument("A", help="folder of pictures for the left halves")
    command.add_argument("B", help="folder of pictures for the right halves")
    add_out(command, "the size of B")
    command.set_defaults(
        run=lambda given: report(
            make_pairs.join_folders(given.A, given.B, given.out, given.size, given.fit, given.value_range)
        )
    )


def add_out(command: argparse.ArgumentParser, own_size: str) -> None:
    """The last arguments of `pairs` and `join`."""
    command.add_argument("out", metavar="OUT", help="folder to write to; it must not contain pictures")
    command.add_argument("--size", type=size, help=f"of each half, N or HEIGHTxWIDTH (default: {own_size})")
    how = "how to resize pictures of another shape: resize (stretch), crop (to the middle) or pad (with white)"
    command.add_argument("--fit", choices=FITS, default=FITS[0], help=f"{how} (default: {FITS[0]})")
    values = "values of black and white in the files, such as 0,4095, or auto (default: what each file states)"
    command.add_argument("--value-range", type=value_range_or_auto, metavar="LOW,HIGH", help=values)


def command_parser(make: Callable, *names: str, **options: Any) -> Any:
    """A parser that prints its description verbatim."""
    return make(*names, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options)


def size(text: str) -> tuple[int, int]:
    """Parses "256" or "192x256" (height x width) to (height, width)."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() and int(side) for side in sides):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write 256 or 192x256 (height x width)")
    return int(sides[0]), int(sides[-1])


def report(made: make_pairs.Pairs) -> None:
    """Prints what was made and the next commands."""
    skipped = f", skipped {made.skipped} broken" if made.skipped else ""
    print(f"Made {made.train + made.val} pairs in {made.folder}: {made.train} in train, {made.val} in val{skipped}.")
    folder = shlex.quote(str(made.folder))
    print(f"Next: python -m keras_gan.datasets check {folder}")
    print(f"Then: python -m keras_gan.pix2pix --dataset {folder} --quick")


if __name__ == "__main__":
    main()
