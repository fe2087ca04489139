"""Fetches, makes and checks data sets.

    python -m keras_gan.datasets list                              what can be fetched by name
    python -m keras_gan.datasets download NAME                     fetches it to datasets/NAME
    python -m keras_gan.datasets check PATH [PATH_B]               what is in a folder, and a sheet of its pictures
    python -m keras_gan.datasets pairs --from edges PHOTOS OUT     their edges beside photos
    python -m keras_gan.datasets pairs --from gray PHOTOS OUT      their gray versions beside photos
    python -m keras_gan.datasets join A B OUT                      pictures of two folders side by side

What each one does: python -m keras_gan.datasets COMMAND --help
"""

import argparse
import os
import shlex
import sys

from keras_gan.console import Parser, fail
from keras_gan.datasets import catalogue, make_pairs
from keras_gan.datasets.check import check
from keras_gan.datasets.download import download
from keras_gan.datasets.folders import FOLDER
from keras_gan.errors import UserError
from keras_gan.images.pixels import FITS

LAYOUT = """\
Each pair is one PNG, A in the left half and B in the right half, in OUT/train or OUT/val. Pictures in the
subfolders train and val (or test) of what is read keep these splits; else every tenth one by name goes to
OUT/val. Broken pictures are named and left out.
"""


def main(argv=None):
    """Runs a command. Exits with code 2 and one line if the input is at fault, with code 130 after Ctrl-C."""
    given = parser().parse_args(argv)
    try:
        given.run(given)
        sys.stdout.flush()
    except UserError as error:
        sys.exit(fail(error))
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # whoever read along, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parser():
    """The parser of the command line; what it returns has `run`, the function of the command."""
    top = command_parser(Parser, prog="python -m keras_gan.datasets", description=__doc__)
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    add_list(commands)
    add_download(commands)
    add_check(commands)
    add_pairs(commands)
    add_join(commands)
    return top


def add_list(commands):
    """The command `list`."""
    text = "lists the data sets that can be fetched by name"
    command = command_parser(commands.add_parser, "list", help=text, description=f"L{text[1:]}.")
    command.set_defaults(run=lambda given: print(catalogue.listing()))


def add_download(commands):
    """The command `download`."""
    text = "fetches a data set of the list"
    command = command_parser(commands.add_parser, "download", help=text, description=f"F{text[1:]}.")
    command.add_argument("name", metavar="NAME", help="see python -m keras_gan.datasets list")
    command.add_argument("--yes", action="store_true", help="do not ask before more than 1 GB is fetched")
    command.add_argument(
        "--output", metavar="FOLDER", default=FOLDER, help=f"where the folder NAME is to be (default: {FOLDER})"
    )
    command.set_defaults(run=run_download)


def run_download(given):
    """Fetches a data set and says what to type next."""
    folder = download(given.name, given.output, given.yes)
    if folder is not None:
        print(f"Next: python -m keras_gan.datasets check {shlex.quote(str(folder))}")


def add_check(commands):
    """The command `check`."""
    text = "says what is in a folder, and saves a sheet of its first pictures"
    command = command_parser(commands.add_parser, "check", help=text, description=f"S{text[1:]}.")
    command.add_argument("name", metavar="PATH", help="a folder, or the name of one below datasets/")
    command.add_argument("name_B", metavar="PATH_B", nargs="?", help="the folder of side B, if PATH is that of side A")
    command.add_argument("--sheet", metavar="FILE", help="where to save the sheet (default: NAME-check.png)")
    command.set_defaults(run=lambda given: check(given.name, given.sheet, given.name_B))


def add_pairs(commands):
    """The command `pairs`."""
    text = "makes pairs of photos: A their edges or gray versions, B the photos"
    command = command_parser(commands.add_parser, "pairs", help=text, description=f"M{text[1:]}.\n\n{LAYOUT}")
    command.add_argument(
        "--from",
        dest="kind",
        choices=list(make_pairs.KINDS),
        required=True,
        help="what A is: gray (0.299 R + 0.587 G + 0.114 B) or edges (black lines on white)",
    )
    command.add_argument("photos", metavar="PHOTOS", help="folder of photos")
    add_out(command, "the photo's own")
    command.set_defaults(
        run=lambda given: report(make_pairs.make_pairs(given.kind, given.photos, given.out, given.size, given.fit))
    )


def add_join(commands):
    """The command `join`."""
    text = "joins pictures of the same name in two folders, 1.png and 1.jpg too"
    command = command_parser(commands.add_parser, "join", help=text, description=f"J{text[1:]}.\n\n{LAYOUT}")
    command.add_argument("A", help="folder of pictures for the left halves")
    command.add_argument("B", help="folder of pictures for the right halves")
    add_out(command, "that of B")
    command.set_defaults(
        run=lambda given: report(make_pairs.join_folders(given.A, given.B, given.out, given.size, given.fit))
    )


def add_out(command, own_size):
    """The arguments that all makers of pairs have last."""
    command.add_argument("out", metavar="OUT", help="folder to write to, without pictures so far")
    command.add_argument("--size", type=size, help=f"of either half, N or HEIGHTxWIDTH (default: {own_size})")
    how = "what becomes of pictures of another shape: resize (stretched), crop (to their middle) or pad (with white)"
    command.add_argument("--fit", choices=FITS, default=FITS[0], help=f"{how} (default: {FITS[0]})")


def command_parser(make, *names, **options):
    """A parser whose description is shown as it is written."""
    return make(*names, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options)


def size(text):
    """ "256" or "192x256" (height x width) as (height, width)."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() and int(side) for side in sides):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write 256 or 192x256 (height x width)")
    return int(sides[0]), int(sides[-1])


def report(made):
    """Says what was made and what to type next."""
    skipped = f", skipped {made.skipped} broken" if made.skipped else ""
    print(f"Made {made.train + made.val} pairs in {made.folder}: {made.train} in train, {made.val} in val{skipped}.")
    print(f"Next: python -m keras_gan.pix2pix --dataset {shlex.quote(str(made.folder))}")


if __name__ == "__main__":
    main()
