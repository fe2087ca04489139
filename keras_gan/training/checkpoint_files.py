"""The files of checkpoints: which there are, whether they are damaged, how they are removed. Loads no framework.

A checkpoint is the folder `checkpoints/ITERATION`. Its `all.weights.h5` is what Keras saves of the model (weights,
optimizer slots with rates and steps, past fakes, averages, random states), `state.json` the rest with a copy of the
run's `config.json`, `sums` the checksums of both.
"""

import contextlib
import json
import shutil
import tempfile
import zlib
from pathlib import Path
from typing import Any

WEIGHTS, STATE, SUMS = "all.weights.h5", "state.json", "sums"
UNFINISHED, DISCARDED = ".unfinished", ".discarded"  # beginnings of the names of temporary folders


def names(folder: str | Path) -> list[Path]:
    """The paths of the checkpoints in a folder, newest last."""
    found = (path for path in Path(folder).glob("[0-9]*") if path.name.isdecimal() and path.is_dir())
    return sorted((path for path in found if str(int(path.name)) == path.name), key=lambda path: int(path.name))


def state_of(path: Path) -> dict[str, Any]:
    """The `state.json` of a checkpoint."""
    return json.loads((path / STATE).read_text(encoding="utf-8"))


def config_in(folder: Path) -> tuple[dict[str, Any], Path] | None:
    """The `config.json` that the newest undamaged `state.json` holds, and its checkpoint; None if there is none."""
    for path in reversed(names(folder)):
        with contextlib.suppress(OSError, ValueError):
            if f"{checksum(path / STATE):08x} {STATE}" in (path / SUMS).read_text(encoding="utf-8").splitlines():
                config = state_of(path).get("config")
                if isinstance(config, dict):
                    return config, path
    return None


def fault_of(path: Path) -> str | None:
    """Describes the damage of a checkpoint; None if it is undamaged."""
    try:
        lines = (path / SUMS).read_text(encoding="utf-8").splitlines()
        if [line[9:] for line in lines] != [WEIGHTS, STATE]:
            return f"{SUMS} has changed since it was written"
        for line in lines:
            if line[:8] != f"{checksum(path / line[9:]):08x}":
                return f"{line[9:]} has changed since it was written"
        iteration = state_of(path).get("iteration")
        if str(iteration) != path.name:
            return f"it is the checkpoint of iteration {iteration}"
    except (OSError, ValueError) as error:
        return " ".join(str(error).split())
    return None


def checksum(path: Path) -> int:
    """The CRC-32 of a file."""
    value = 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return value


def discard(path: Path) -> None:
    """Removes a checkpoint atomically: renames it before deleting its files."""
    if path.exists():
        leftover = tempfile.mkdtemp(prefix=f"{DISCARDED}.", dir=path.parent)
        path.rename(Path(leftover, path.name))
        shutil.rmtree(leftover, ignore_errors=True)


def clear(folder: Path) -> None:
    """Removes what killed processes left of checkpoints that they wrote or removed. The run must be locked."""
    for begin in (UNFINISHED, DISCARDED):
        for path in folder.glob(f"{begin}*"):
            shutil.rmtree(path, ignore_errors=True)
