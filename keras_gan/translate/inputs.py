"""What is to be translated: pictures, animations and videos, and how what becomes of them is called."""

import glob
from pathlib import Path
from typing import NamedTuple

from keras_gan.datasets.folders import files
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.images import video
from keras_gan.training import run_folder


class Input(NamedTuple):
    """A file to translate."""

    source: Path
    target: Path
    is_film: bool


def gather(inputs, output, channels=3, also=()):
    """The files that are named, in their order, and where the results go.

    Args:
        inputs: files, folders (with their subfolders, in natural order) and globs.
        output: the folder of the results: a picture becomes NAME.png, of other channels than 1 or 3
            NAME.npy; an animation NAME.gif; a video NAME.mp4; below a folder its subfolders stay.
        channels: of the results.
        also: names of files that are to be written beside them.

    Returns:
        A list of `Input`.

    Raises:
        NotFoundError: for an input that is not there.
        BadValueError: for a folder without pictures, an output that is also an input, results of the
            same name or that are there already, and videos without the package for them.
    """
    output = Path(output)
    found = {}  # each source once: where it is to go, without its ending
    for given in inputs:
        for source, below in named(given, output):
            found.setdefault(source, below)
    videos = [source for source in found if video.is_video(source)]
    if videos:
        video.check_videos(videos)
    plain = [with_ending(output / below, below.stem, source, channels) for source, below in found.items()]
    targets = [
        target if plain.count(target) == 1 else with_ending(output / below, below.name, source, channels)
        for target, (source, below) in zip(plain, found.items(), strict=True)
    ]
    check_targets(output, dict(zip(found, targets, strict=True)), also)
    return [
        Input(source, target, video.is_video(source) or video.is_animation(source))
        for source, target in zip(found, targets, strict=True)
    ]


def named(given, output):
    """The files that an input stands for, [(path, path below the output folder)]."""
    path = Path(given)
    if path.is_dir():
        if path.resolve() == output.resolve():
            raise BadValueError(f"output folder {str(output)!r} is the input: name another one.")
        inside = [file for file in files(path, more=video.VIDEOS) if output.resolve() not in file.resolve().parents]
        if not inside:
            raise BadValueError(f"no pictures in {str(path)!r}.")
        return [(file, file.relative_to(path)) for file in inside]
    if path.is_file():
        return [(path, Path(path.name))]
    matching = sorted(file for file in map(Path, glob.glob(str(given), recursive=True)) if file.is_file())
    if not matching:
        raise NotFoundError(f"no input {str(given)!r}: there is no such file or folder, and nothing that it matches.")
    return [(file, Path(file.name)) for file in matching]


def with_ending(path, stem, source, channels):
    """The file that a result goes to."""
    if video.is_video(source):
        return path.with_name(f"{stem}.mp4")
    if video.is_animation(source):
        return path.with_name(f"{stem}.gif")
    return path.with_name(f"{stem}.png" if channels in (1, 3) else f"{stem}.npy")


def check_targets(output, targets, also):
    """Raises BadValueError where a result would be lost, or replace what is there."""
    whose = {output / name: f"what is to be {name}" for name in also}
    for source, target in targets.items():
        if target in whose:
            raise BadValueError(f"{whose[target]} and {source} would both become {target}: translate them one by one.")
        whose[target] = source
    there = [target for target in whose if target.exists()]
    if there:
        raise BadValueError(
            f"{len(there)} of {len(whose)} results are there already, the first of them {there[0]}: "
            "name another output folder; nothing is replaced."
        )
    try:
        output.mkdir(parents=True, exist_ok=True)
        run_folder.check_writable(output)
    except OSError as error:
        raise run_folder.unwritable(output, error) from error
