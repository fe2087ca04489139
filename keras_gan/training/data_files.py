"""The pictures that a run was trained on: their files, as `data.json` lists them, and what changed since."""

import sys
from pathlib import Path
from typing import Any

from keras_gan.files import stamp
from keras_gan.report.run_files import DATA, record, save_record, say


def data_files(run: str | Path) -> dict[str, dict[str, str]]:
    """The `data.json` of a run, see `pictures_of`; {} if it is missing or, which is reported, damaged."""
    found = record(Path(run) / DATA)
    files = {split: of for split, of in found.items() if isinstance(of, dict)}
    if len(files) < len(found) or not all(isinstance(mark, str) for of in files.values() for mark in of.values()):
        say(f"{Path(run) / DATA} is damaged: it is left out")
        return {}
    return files


def pictures_of(loader: Any) -> tuple[dict[str, int], dict[str, dict[str, str]]]:
    """The number of pictures of a loader, {split: count}, and their files, {split: {path or name: mark}}.

    Of pictures in shards, the files are the shards. If hosts have their own ones, both are those of all hosts.
    """
    from keras_gan.datasets.entries import Entries
    from keras_gan.images.sources import files_of

    counts: dict[str, int] = {}
    files: dict[str, dict[str, str]] = {}
    for is_testing in (False, True):
        streams = loader._streams(is_testing)
        numbers, sides = loader.counts(is_testing), "AB" if len(streams) > 1 else ("",)
        for stream, number, side in zip(streams, numbers, sides, strict=True):
            split = "_".join(filter(None, (stream.split, side)))
            counts[split] = number
            if isinstance(stream.pictures, Entries):  # a line for each shard, not for each picture
                files[split] = {str(shard.path): mark(shard) for shard in stream.pictures.used}
            else:
                files[split] = {str(file): mark(file) for picture in stream.pictures for file in files_of(picture)}
    return counts, files


def mark(file: Any) -> str:
    """What changes with the content of a file, an array or a shard; that of another host has the mark it had there."""
    return file.mark if hasattr(file, "mark") else stamp(getattr(file, "path", file))


def changes(before: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> dict[str, int]:
    """The numbers of pictures added, removed and changed between two results of `pictures_of`."""
    counts = {"added": 0, "removed": 0, "changed": 0}
    for split in before.keys() | now.keys():
        old, new = before.get(split, {}), now.get(split, {})
        counts["added"] += len(new.keys() - old.keys())
        counts["removed"] += len(old.keys() - new.keys())
        counts["changed"] += sum(old[name] != new[name] for name in old.keys() & new.keys())
    return counts


def warn_of_changes(run: str | Path, loader: Any) -> None:
    """Warns on standard error if pictures were added, removed or changed since the run last started."""
    before, (_, files) = data_files(run), pictures_of(loader)
    counted = changes(before, files)
    if before and any(counted.values()):
        counts = ", ".join(f"{count} {what}" for what, count in counted.items())
        print(f"warning: the data set has changed since this run was started: {counts}", file=sys.stderr)
    if before != files:
        save_record(Path(run) / DATA, files)
