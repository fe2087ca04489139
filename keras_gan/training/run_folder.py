"""The folder of a run: its configuration, its lock, and the choice of the run to resume.

Loads no framework, so the command line can read a run's arguments before it builds a model.
"""

import contextlib
import inspect
import json
import os
import subprocess
from collections.abc import Callable, Collection, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from keras_gan.console import way_out
from keras_gan.errors import BadValueError, NoDataSetError, NotFoundError, UserError, check_here
from keras_gan.files import make_unfinished
from keras_gan.report.run_files import CONFIG, SUM, check_no_links, read_record, say
from keras_gan.training import checkpoint_files, old_runs

fcntl: ModuleType | None = None  # on Windows: it has no such locks
with contextlib.suppress(ImportError):
    fcntl = import_module("fcntl")

#: Arguments that may change when a run is resumed. They do not affect the result of a step (but with batch
#: normalization `accumulate` does).
FREE = ("epochs", "checkpoint_interval", "keep", "save_every", "patience", "quiet", "log", "accumulate", "remat")


def next_run(stem: str) -> Path:
    """Creates the first of the folders `runs/STEM-1`, `runs/STEM-2`, ... that does not exist; returns its path."""
    number = 1
    while True:
        path = Path("runs", f"{stem}-{number}")
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            number += 1
        except OSError as error:
            raise unwritable(path, error) from error


def open_run(folder: str | Path) -> Path:
    """Creates the folder of a run; returns its path. Raises the errors of `Run.folder`."""
    folder = Path(folder)
    check_free(folder)
    try:
        check_no_links(folder)
        (folder / "images").mkdir(parents=True, exist_ok=True)
        check_writable(folder)
    except OSError as error:
        raise unwritable(folder, error) from error
    return folder


def check_free(folder: Path) -> None:
    """Raises BadValueError if a folder already holds a trained run, or is an address."""
    check_here(folder)
    if any(any(folder.glob(kept)) for kept in (CONFIG, "models/*.keras", "checkpoints/[0-9]*")):
        raise BadValueError(
            f"output folder {str(folder)!r} already holds a trained run: name another folder, or --resume that run."
        )


def check_writable(folder: Path) -> None:
    make_unfinished(folder / "probe").unlink()


def open_output(folder: Path, files: Collection[Path]) -> None:
    """Creates the output folder of a command. Raises BadValueError if a file exists, or the folder is not writable."""
    check_here(folder)
    existing = [file for file in files if file.exists()]
    if existing:
        raise BadValueError(
            f"{len(existing)} of {len(files)} output files exist, the first is {existing[0]}: name another output "
            "folder; nothing is replaced."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_writable(folder)
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(folder: Path, error: OSError) -> BadValueError:
    is_probe = ".unfinished" in str(error.filename)
    where = f" ({error.filename})" if error.filename and not is_probe else ""
    return BadValueError(f"output folder {str(folder)!r} cannot be written: {error.strerror}{where}: {way_out(error)}.")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Locks the folder: only one process can train in it. The system releases the lock when the process ends.

    Raises:
        BadValueError: if another process trains there, or the folder cannot be written.
    """
    try:
        check_writable(folder)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)  # Windows has no such flag
        lock = os.fdopen(os.open(folder / ".lock", flags, 0o666), "r+b")
    except OSError as error:
        raise unwritable(folder, error) from error
    with lock:
        if fcntl:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BadValueError(
                    f"another process trains in {str(folder)!r}: wait until it ends, or stop it."
                ) from error
            except OSError:  # a file system without locks, such as some network drives
                pass
        yield


def read_config(folder: str | Path) -> dict[str, Any]:
    """The `config.json` of a run, as a dict.

    Raises:
        NotFoundError: if there is no such folder.
        BadValueError: if it is not the folder of a run.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise NotFoundError(f"no run {str(folder)!r}: there is no such folder.")
    try:
        config = read_record(folder / CONFIG)
        check_types(config)
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError)
        why = f"it has no {CONFIG}" if missing else f"its {CONFIG} cannot be read ({error})"
        why += "" if missing else f'; if you changed it yourself, set its "{SUM}" to null'
        kept = checkpoint_files.config_in(folder / "checkpoints")
        if not kept:
            raise BadValueError(f"{str(folder)!r} is not the folder of a run: {why}.") from error
        config, checkpoint = kept
        say(f"run {folder}: {why}; the copy in {checkpoint} is used")
    return old_runs.upgraded(config)


def check_types(config: dict[str, Any]) -> None:
    """Raises ValueError if an item of a `config.json` is missing or of another type."""
    for name, kind in {"class": str, "model": str, "arguments": dict}.items():
        if not isinstance(config.get(name), kind):
            raise ValueError(f"{name} is {config.get(name)!r}")


@contextlib.contextmanager
def reading_arguments(folder: str | Path, own_data: bool = True) -> Iterator[None]:
    """Wraps code that uses the arguments of a run, and its data set unless `own_data` is false.

    Raises:
        NotFoundError: if the run's data set is missing.
        BadValueError: if they make the code fail: they are damaged, or from another version.
    """
    try:
        yield
    except NoDataSetError as error:
        if not own_data:
            raise
        raise NotFoundError(
            f"run {str(folder)!r} has lost its data set {error.name!r}: put it back, or train anew with --dataset."
        ) from error
    except UserError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise BadValueError(
            f"run {str(folder)!r} cannot be used: its {CONFIG} has bad arguments ({type(error).__name__}: {error})."
        ) from error


def newest_run(name: str) -> Path:
    """The most recently changed run of the model `name` below runs/.

    Raises:
        NotFoundError: if there is none.
    """
    found: list[tuple[int, Path]] = []
    for path in Path("runs").glob(f"*/{CONFIG}"):
        with contextlib.suppress(BadValueError, OSError):
            if read_config(path.parent).get("model") == name:
                found.append((max(file.lstat().st_mtime_ns for file in path.parent.iterdir()), path.parent))
    if not found:
        raise NotFoundError(f"no run of {name} below 'runs': name its folder, --resume RUN.")
    return max(found)[1]


def resumed_arguments(folder: str | Path, kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a resumed run: its own, updated by the given ones that may change.

    Args:
        folder: folder of the run.
        kind: the name of the model's class.
        given: dict of arguments; a shape may be a tuple.

    Raises:
        NotFoundError: if there is no such folder.
        BadValueError: if it holds no run or a run of another model, or a given argument may not change.
    """
    config = read_config(folder)
    if config["class"] != kind:
        raise BadValueError(
            f"run {str(folder)!r} is a run of {config['class']}, not of {kind}: "
            f"python -m keras_gan.{config['model']} --resume {folder}"
        )
    arguments = {"dtype_policy": "float32"} | config["arguments"]
    given = dict(given)
    if Path(given.pop("output", None) or folder) != Path(folder):
        raise BadValueError(f"run {str(folder)!r} is resumed in its own folder: leave the output folder out.")
    if given.get("start_from") is not None or given.get("with_optimizers"):
        raise BadValueError(
            f"run {str(folder)!r} is resumed with its own networks: leave --resume out to start a new run from others, "
            "or leave out --start-from and --with-optimizers."
        )
    for name, value in given.items():
        value, before = json.loads(json.dumps(value)), arguments.get(name)
        if name == "epochs" and isinstance(before, int) and value < before:
            raise BadValueError(f"epochs of run {str(folder)!r} are {before}: you may increase them, not set {value}.")
        if name not in FREE and value != before:
            raise BadValueError(
                f"{name} of run {str(folder)!r} is {shown(before)}, not {shown(value)}: "
                "leave it out, or start a new run."
            )
    return arguments | given


def check_given(folder: Path, arguments: dict[str, Any], data: Iterable[str]) -> None:
    """Raises BadValueError if a run with these arguments was trained without one of the arguments `data`."""
    for name in data:
        if arguments.get(name) is None:
            raise BadValueError(f"run {str(folder)!r} was trained without {name} given from Python: leave it out.")


def options_of(kind: type) -> dict[str, Any]:
    """All options of a class, {name: default}, including the base classes' options that it accepts as `**options`."""
    found: dict[str, Any] = {}
    for base in kind.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
        own = {p.name: p.default for p in parameters if p.name not in ("self", "name") and p.kind != p.VAR_KEYWORD}
        found = own | found
        if not any(p.kind == p.VAR_KEYWORD for p in parameters):
            break
    return found


def names_of(function: Callable) -> list[str]:
    """The names of a function's arguments except `self` and `callbacks`."""
    return [name for name in inspect.signature(function).parameters if name not in ("self", "callbacks")]


def shown(value: Any) -> str:
    """A value of config.json as typed on the command line."""
    if not isinstance(value, list):
        return repr(value)
    if value and isinstance(value[0], str):
        return " ".join(value)  # folders
    return ("," if len(value) == 2 else "x").join(map(str, value))  # a value range, or a shape


def git_commit() -> str | None:
    """The checked-out commit of the working directory, or None."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
