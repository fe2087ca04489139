"""Makes pictures from noise with a trained DCGAN, GAN or CGAN.

    python -m keras_gan.generate RUN --count 1000 --output shoes          single pictures, and their seed in their names
    python -m keras_gan.generate RUN --count 100 --class 7 --output sevens     a class of a CGAN
    python -m keras_gan.generate RUN --count 100 --class all --output digits   all classes in turn, a folder for each
    python -m keras_gan.generate RUN --count 60 --sheet --walk --output show   also a sheet, and a walk through noise
    python -m keras_gan.generate RUN --seed 5 --first 12 --count 1 --output x  seed5-000012.png once more

A name such as seed5-t0.7-000012-7.png tells the seed, the truncation, the number and the class: all that makes the
picture, with the network. It is the same however many are made. Existing files are never replaced. In Python:
`keras_gan.generate(model, count=10)`.
"""

import argparse
import contextlib
from pathlib import Path
from typing import Any

from keras_gan import console
from keras_gan.errors import check_at_least, check_rate
from keras_gan.generators import locate

COLUMNS, MOST = 10, 100  # pictures in a row of the sheet, and in total
ROWS = 20  # classes on the sheet
WALKS = "gif", "mp4", "frames"


def main(argv: list[str] | None = None) -> None:
    given = parser().parse_args(argv)
    with console.one_line_errors():
        run(given)


def parser() -> console.Parser:
    found = console.Parser.of("keras_gan.generate", __doc__)
    found.add_argument("model", metavar="MODEL", help="the folder of a run, or a .keras file")
    found.add_argument("--output", metavar="DIR", required=True, help="folder for the pictures")
    found.add_argument("--count", type=int, default=100, metavar="N", help="number of pictures (default: 100)")
    text = (
        "classes of a CGAN, by name or number, or all; attributes as NAME,NAME or none; they take turns (default: all)"
    )
    found.add_argument("--class", dest="classes", nargs="+", action="extend", metavar="NAME", help=text)
    text = "seed of the noise, 0 to 2**32 - 1 (default: a random one, which the names tell)"
    found.add_argument("--seed", type=int, metavar="N", help=text)
    found.add_argument("--first", type=int, default=0, metavar="N", help="number of the first picture (default: 0)")
    text = "largest number in the noise, such as 1: more typical pictures that differ less (default: no limit)"
    found.add_argument("--truncation", type=float, metavar="X", help=text)
    found.add_argument("--sheet", action="store_true", help=f"also save a sheet of the first {MOST} pictures")
    text = "also save a walk through the noise, by class: gif, mp4 or a folder of frames (default: gif)"
    found.add_argument("--walk", nargs="?", const="gif", choices=WALKS, help=text)
    return found


def run(given: argparse.Namespace) -> None:
    """Runs the command."""
    import numpy as np

    check_at_least(1, count=given.count)
    check_at_least(0, first=given.first)
    check_rate(truncation=given.truncation)
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if given.seed is None else given.seed
    check_at_least(0, seed=seed)
    locate(Path(given.model))  # fail before the slow import of Keras
    from keras_gan.generate.series import Series, latent

    series = Series(latent(given.model), seed, given.truncation)
    if given.classes:
        series.ask(asked(series, given.classes))
    save(series, given, Path(given.output))


def asked(series: Any, names: list[str]) -> list[Any]:
    """The labels of the classes that were typed."""
    conditions = series.conditions_of_run()
    labels: list[Any] = []
    for name in names:
        is_all = name == "all" and name not in conditions.names
        labels += conditions.every() if is_all else [conditions.typed(name)]
    return list(dict.fromkeys(labels))


def save(series: Any, given: argparse.Namespace, output: Path) -> None:
    """Saves what was asked for, and prints where it is."""
    from keras_gan.images.video import check_videos
    from keras_gan.images.writing import save as save_picture
    from keras_gan.training.run_folder import open_output

    ending = ".png" if series.generator.out_shape[2] in (1, 3) else ".tif"
    files = {
        number: folder_of(series, output, label) / f"{series.stem(number, label)}{ending}"
        for number in range(given.first, given.first + given.count)
        for label in [series.label(number)]
    }
    sheet = output / f"sheet-{series.stem(given.first)}.png"
    walks = {
        label: output / f"walk-{series.stem(given.first, label)}{'' if given.walk == 'frames' else f'.{given.walk}'}"
        for label in (series.labels or [None])
    }
    also = [*([sheet] if given.sheet else []), *(walks.values() if given.walk else [])]
    if given.walk == "mp4":
        check_videos(also[-1:])
    open_output(output, [*also, *files.values()])
    progress, shown = console.Progress(given.count), list[tuple]()
    with contextlib.closing(progress):
        for number, pixels in series.pictures(given.first, given.count):
            save_picture(files[number], pixels)
            shown += [(series.label(number), pixels)] if given.sheet and len(shown) < MOST else []
            progress.step()
    if given.sheet:
        save_sheet_of(series, sheet, shown)
    for label, path in walks.items() if given.walk else ():
        save_walk(path, list(series.walk(given.first, label)), ending)
    print(f"Made {given.count} pictures from seed {series.seed} in {output}.")
    for path in also:
        print(f"Also:  {path}")


def folder_of(series: Any, output: Path, label: Any) -> Path:
    """Where a picture goes: with several classes, each has a folder."""
    return output / series.file_names[label] if len(series.labels) > 1 else output


def save_sheet_of(series: Any, path: Path, shown: list[tuple]) -> None:
    """Saves a sheet of (label, pixels), uint8: a row for each class, if there are several."""
    from keras_gan.images.grids import save_sheet

    if len(series.labels) < 2:
        pictures = [pixels for _, pixels in shown]
        rows, captions = [pictures[start : start + COLUMNS] for start in range(0, len(pictures), COLUMNS)], None
    else:
        labels = list(dict.fromkeys(label for label, _ in shown))[:ROWS]
        rows = [[pixels for of, pixels in shown if of == label][:COLUMNS] for label in labels]
        captions = [series.conditions.title(label)[:30] for label in labels]
    save_sheet(path, rows, (0, 255), captions)


def save_walk(path: Path, frames: list[Any], ending: str) -> None:
    """Saves the frames of a walk, uint8, as an animation, a video or, if the path has no extension, one by one."""
    from keras_gan.images.animations import save_animation
    from keras_gan.images.writing import save as save_picture

    if path.suffix in (".gif", ".mp4"):
        save_animation(path, frames, (0, 255), seconds=0.08)
        return
    for number, frame in enumerate(frames):
        save_picture(path / f"{number:04}{ending}", frame)


if __name__ == "__main__":
    main()
