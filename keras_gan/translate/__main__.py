"""Translates pictures, animations and videos with a trained generator.

    python -m keras_gan.translate RUN photos/ --output translated             a folder, with a run's generator
    python -m keras_gan.translate RUN --direction BtoA "*.jpg" --output out   for a run with two generators
    python -m keras_gan.translate g_AB.keras cat.gif film.mp4 --output out    with a generator's file
    python -m keras_gan.translate RUN holiday.jpg --size original --output out
    python -m keras_gan.translate RUN datasets/facades/val --output out       pairs side by side: the half to translate
    python -m keras_gan.translate RUN colour.jpg --output out                 a run of pairs --from gray: made gray
    python -m keras_gan.translate RUN depth/ photos/ --output out             a run that stacks pictures of two folders
    python -m keras_gan.translate RUN "{000..099}.tar" --output out --engine ray    shards, or a folder, on a cluster

Names, order and subfolders are kept. Pictures become PNG or, where PNG cannot hold their channels and bits, TIFF;
animations become GIF, videos MP4 without sound. Unreadable files are skipped with a message; existing files are never
replaced. In Python: `keras_gan.translate(model, images)`.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from keras_gan import console
from keras_gan.datasets.folders import first_few
from keras_gan.datasets.shard_names import are_shards
from keras_gan.errors import BadValueError, is_address
from keras_gan.generators import DIRECTIONS, find, locate
from keras_gan.machine import cluster
from keras_gan.training.run_folder import read_config
from keras_gan.translate import translator

GRID = "grid.png"
HALVES = "whole", "A", "B"
DARK = 0.25  # of white: if no picture is brighter, the value range is doubted
COLUMNS, MOST = 4, 64  # pairs per row of the contact sheet, and in total


def main(argv: list[str] | None = None) -> None:
    given = parser().parse_args(argv)
    with console.one_line_errors():
        run(given)


def parser() -> console.Parser:
    found = console.Parser.of("keras_gan.translate", __doc__)
    found.add_argument(
        "model", metavar="MODEL", help="a .keras file, a run, RUN@best, RUN@12, or a checkpoint's folder"
    )
    found.add_argument("inputs", metavar="INPUT", nargs="+", help="files, folders or globs")
    found.add_argument("--output", metavar="DIR", required=True, help="folder for the results")
    found.add_argument("--direction", choices=DIRECTIONS, help="for a run with two generators (default: AtoB)")
    text = "original, or the length of the shorter side in pixels (default: as in training)"
    found.add_argument("--size", type=size, metavar="SIZE", help=text)
    text = "whole pictures, or their left (A) or right (B) half (default: the half of pairs as in training, else whole)"
    found.add_argument("--half", choices=HALVES, help=text)
    text = "values of black and white in the files, such as 0,4095 (default: those of the run, else what files state)"
    found.add_argument("--value-range", type=console.value_range, metavar="LOW,HIGH", help=text)
    text = "make all inputs gray, edges or nothing (default: photos as the run's training pictures were made)"
    found.add_argument("--prepare", choices=("gray", "edges", "nothing"), help=text)
    text = f"also save {GRID}: a contact sheet of the first {MOST} pictures, and first frames, before and after"
    found.add_argument("--grid", action="store_true", help=text)
    text = "ray: on a cluster of Ray or its like on this machine, for shards and millions (docs/at-scale.md)"
    found.add_argument("--engine", choices=("threads", "ray"), default="threads", help=text)
    text = "with --engine ray: processes with the network (default: auto, one for each GPU, or else each machine)"
    found.add_argument("--workers", type=cluster.workers, metavar="N|auto", help=text)
    text = "with --engine ray: what to write (default: as the inputs)"
    found.add_argument("--as", choices=("files", "tar", "parquet"), dest="form", help=text)
    return found


def size(text: str) -> str | int:
    """Parses --size: "original" or a number of pixels."""
    if text != "original" and not (text.isdecimal() and int(text) >= 2):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write original, or a number of pixels from 2")
    return text if text == "original" else int(text)


def run(given: argparse.Namespace) -> None:
    """Runs the command."""
    import numpy as np

    from keras_gan.translate.inputs import gather
    from keras_gan.translate.trained import makes_deep, stacked_by, value_range_of

    also = [GRID] if given.grid else []
    network, place = locate(Path(given.model), given.direction)  # fail before the slow import of Keras
    way = "BtoA" if network.stem == DIRECTIONS["BtoA"] else "AtoB"
    parts, _ = stacked_by(read_config(place.run) if place.run else {}, way)
    check_engine(given, parts)
    if given.engine == "ray":
        return at_scale(given)
    gather(given.inputs, given.output, also=also, parts=parts)
    generator = translator(find(given.model, given.direction))
    from keras_gan.translate.pipeline import Flow

    todo = gather(given.inputs, given.output, generator.out_shape[2], also, makes_deep(generator), parts)
    values = given.value_range or value_range_of(generator)
    flow = Flow(generator, todo, given.size, given.half, values, given.prepare)
    shown: list[tuple] = []
    progress, brightest = console.Progress(len(todo)), 0.0
    for task, before, after in flow.run():
        if before is not None:
            brightest = max(brightest, before.max() / np.iinfo(before.dtype).max)
        if task.source in flow.skipped:
            progress.say(f"skipping {task.source}: {flow.skipped[task.source]}")
        elif given.grid and len(shown) < MOST:
            shown.append((before, after))
        progress.step()
    progress.close()
    if len(flow.skipped) == len(todo):
        first, why = next(iter(flow.skipped.items()))
        raise BadValueError(f"none of {len(todo)} files could be translated; the first failed, {first}: {why}.")
    warn_of_dark(brightest, given, flow)
    if given.grid:
        save_before_after(Path(given.output) / GRID, shown)
    if flow.halves.cut:
        print(flow.halves.told())
    if told := flow.prepared.told():
        print(told)
    skipped = f", skipped {len(flow.skipped)}" if flow.skipped else ""
    print(f"Translated {len(todo) - len(flow.skipped)} of {len(todo)} to {given.output}{skipped}.")


def warn_of_dark(brightest: float, given: argparse.Namespace, flow: Any) -> None:
    """Says so if no picture is bright, which doubts the value range."""
    if brightest < DARK:
        whose = "of the files" if given.value_range else "in training" if flow.value_range else "that the files state"
        print(
            f"warning: no picture is brighter than {brightest:.0%} of white, by the value range {whose}: "
            "if that does not suit these files, name it, --value-range LOW,HIGH.",
            file=sys.stderr,
        )


def check_engine(given: argparse.Namespace, parts: list[str]) -> None:
    """Raises BadValueError for options that do not go together."""
    if given.engine == "ray" and (given.grid or parts):
        what = "a run that stacks pictures" if parts else "--grid"
        raise BadValueError(f"{what} is not for --engine ray: translate without it.")
    if given.engine != "ray" and (given.workers or given.form):
        raise BadValueError(f"{'--workers' if given.workers else '--as'} needs --engine ray.")
    for place in [] if given.engine == "ray" else [*given.inputs, given.output]:
        if is_address(place) or (place is not given.output and are_shards(place)):
            what = "is an address" if is_address(place) else "are shards"
            raise BadValueError(f"{str(place)!r} {what}: add --engine ray, or name files and folders of this machine.")


def at_scale(given: argparse.Namespace) -> None:
    """Runs the command on a cluster."""
    from keras_gan.translate import on_ray
    from keras_gan.translate.trained import value_range_of

    generator = translator(find(given.model, given.direction))
    sums, flow = on_ray.translate(
        generator,
        given.inputs,
        given.output,
        given.form,
        given.workers or cluster.AUTO,
        size=given.size,
        half=given.half,
        value_range=given.value_range or value_range_of(generator),
        prepare=given.prepare,
    )
    done, skipped = sums["done"], sums["skipped"]
    where = f"{given.output.rstrip('/')}/{on_ray.SKIPPED}"
    if not done + skipped:
        raise BadValueError(f"no pictures in {first_few(given.inputs)}.")
    if not done:
        raise BadValueError(f"none of {skipped} pictures could be translated: {where} has the reasons.")
    warn_of_dark(sums["brightest"], given, flow)
    if sums["cut"]:
        print(flow.halves.told(sums["cut"]))
    if told := flow.prepared.told(counts=(sums["made"], sums["kept"])):
        print(told)
    print(f"Translated {done} of {done + skipped} to {given.output}" + f", skipped {skipped}: {where}." * bool(skipped))


def save_before_after(path: Path, shown: list[tuple]) -> None:
    """Saves a contact sheet of (input, output) pairs, uint8 or uint16 (height, width, channels)."""
    import numpy as np

    from keras_gan.images.grids import pixels, save_sheet
    from keras_gan.images.pixels import as_pixels
    from keras_gan.translate.preparing import as_image

    side = min(256, max(max(picture.shape[:2]) for picture in shown[0]))
    tiles = []
    for pair in shown:
        for picture in pair:
            full = 255 if picture.dtype == np.uint8 else 65535
            tiles.append(as_pixels(as_image(pixels(picture, (0, full)), (0, full)), side, side, "pad"))
    rows = [tiles[start : start + 2 * COLUMNS] for start in range(0, len(tiles), 2 * COLUMNS)]
    save_sheet(path, rows, (0, 255), titles=["before", "after"] * (len(rows[0]) // 2))


if __name__ == "__main__":
    main()
