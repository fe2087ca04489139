"""Finds the pictures, animations and videos to translate, and names the output files."""

import glob
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from keras_gan.datasets.folders import files
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.images import video
from keras_gan.images.writing import ending
from keras_gan.training import run_folder
from keras_gan.translate.reading import is_deep


class Input(NamedTuple):
    """A file to translate."""

    source: Path
    target: Path
    is_film: bool
    is_deep: bool = False  # whether the result has 16 bits
    others: tuple[Path, ...] = ()  # the pictures to stack behind the source


def gather(
    inputs: Sequence,
    output: str | Path,
    channels: int = 3,
    also: Iterable[str] = (),
    deep: bool = False,
    parts: Sequence[str] = (),
) -> list[Input]:
    """The input files in their order, each once, with their output files.

    Args:
        inputs: files, folders (with their subfolders, in natural order) and globs.
        output: the output folder. A picture becomes NAME.png or NAME.tif, see `keras_gan.images.writing.ending`;
            an animation NAME.gif; a video NAME.mp4. Subfolders of an input folder are kept.
        channels: of the results.
        also: names of other files to be written to the output folder.
        deep: whether all pictures get 16 bits; else those that have more than 8.
        parts: the folders that the run stacks pictures of, if there are several: as many `inputs`, whose pictures of
            the same name belong together under the name of the first.

    Raises:
        NotFoundError: for a missing input.
        BadValueError: for a device, a folder without pictures, an output folder that is also an input, output files
            of the same name or that exist, and videos if imageio-ffmpeg is missing.
    """
    output = Path(output)
    others: dict[Path, tuple[Path, ...]] = {}
    if parts:
        others = stacked(inputs, output, parts)
        inputs = inputs[:1]
    found: dict[Path, Path] = {}  # source: path below the output folder
    for given in inputs:
        for source, below in named(given, output):
            found.setdefault(source, below)
    videos = [source for source in found if video.is_video(source)]
    if videos:
        video.check_videos(videos)
    films = {source: video.is_video(source) or video.is_animation(source) for source in found}
    deep_ones = {source: not films[source] and (deep or is_deep(source)) for source in found}
    endings = {source: ending_of(source, films[source], channels, deep_ones[source]) for source in found}
    plain = {source: output / below.with_suffix(endings[source]) for source, below in found.items()}
    often = Counter(plain.values())
    targets = {
        source: plain[source] if often[plain[source]] == 1 else output / below.with_name(below.name + endings[source])
        for source, below in found.items()
    }
    check_targets(output, targets, also)
    return [Input(path, targets[path], films[path], deep_ones[path], others.get(path, ())) for path in found]


def stacked(inputs: Sequence, output: Path, parts: Sequence[str]) -> dict[Path, tuple[Path, ...]]:
    """{picture of the first input: those of the same name in the others}.

    Raises:
        BadValueError: if there are more or fewer inputs than parts, a picture lacks one of the same name, or films.
    """
    if len(inputs) != len(parts):
        raise BadValueError(
            f"the run stacks pictures of {len(parts)} folders, {', '.join(parts)}: name as many inputs, in this order, "
            f"not {len(inputs)}."
        )
    by_name = [{below.with_suffix(""): source for source, below in named(given, output)} for given in inputs]
    if all(len(names) == 1 for names in by_name):  # single files need not have the same name
        by_name = [dict(zip(by_name[0], names.values(), strict=True)) for names in by_name]
    for name, source in by_name[0].items():
        for given, names in zip(inputs, by_name, strict=True):
            if name not in names:
                raise BadValueError(f"{source} has no picture of the same name in {str(given)!r} to stack behind it.")
            if video.is_video(names[name]) or video.is_animation(names[name]):
                raise BadValueError(f"{names[name]} is an animation or a video: only pictures can be stacked.")
    return {source: tuple(names[name] for names in by_name[1:]) for name, source in by_name[0].items()}


def named(given: str | Path, output: Path) -> list[tuple[Path, Path]]:
    """The files of one input argument: [(path, path below the output folder)]."""
    path = Path(given)
    if path.is_dir():
        if path.resolve() == output.resolve():
            raise BadValueError(f"output folder {str(output)!r} is also the input: name another one.")
        inside = [file for file in files(path, more=video.VIDEOS) if output.resolve() not in file.resolve().parents]
        if not inside:
            raise BadValueError(f"no pictures in {str(path)!r}.")
        return [(file, file.relative_to(path)) for file in inside]
    if path.is_file():
        return [(path, Path(path.name))]
    if path.exists():
        raise BadValueError(f"{str(path)!r} is neither a file nor a folder but a device or the like: name a file.")
    matching = sorted(file for file in map(Path, glob.glob(str(given), recursive=True)) if file.is_file())
    if not matching:
        raise NotFoundError(f"no input {str(given)!r}: no such file or folder, and no match as a glob.")
    return [(file, Path(file.name)) for file in matching]


def ending_of(source: Path, is_film: bool, channels: int, deep: bool) -> str:
    """The extension of the output file for a source."""
    if is_film:
        return ".mp4" if video.is_video(source) else ".gif"
    return ending(channels, deep, source)


def check_targets(output: Path, targets: dict[Path, Path], also: Iterable[str]) -> None:
    """Raises BadValueError if output files have the same name or exist, or the output folder is not writable."""
    sources = {output / name: f"the generated {name}" for name in also}
    for source, target in targets.items():
        if target in sources:
            raise BadValueError(f"{sources[target]} and {source} would both become {target}: translate one at a time.")
        sources[target] = str(source)
    run_folder.open_output(output, sources)
