"""The folder of a run: what was asked for, whose it is, and which one to go on with.

Loads no framework, so that the command line can read a run's arguments before anything is built.
"""

import contextlib
import inspect
import json
import os
import subprocess
from pathlib import Path

from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.files import sync, write_whole
from keras_gan.training import old_runs

try:
    import fcntl
except ImportError:  # Windows has no lock that vanishes with its process in this form
    fcntl = None

CONFIG = "config.json"
DATA = "data.json"
#: Arguments that may be others when a run goes on: they say how long and how, not what is computed.
FREE = ("epochs", "checkpoint_interval", "keep", "quiet")


def next_run(stem):
    """Makes and returns the first of `runs/STEM-1`, `runs/STEM-2`, ... that does not exist."""
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


def open_run(folder):
    """Makes the folder of a run; returns its path. Raises as `Run.folder` does."""
    folder = Path(folder)
    if (folder / CONFIG).exists() or any(folder.glob("models/*.keras")):
        raise BadValueError(
            f"output folder {str(folder)!r} already holds a trained run: name another one, or --resume that run."
        )
    try:
        (folder / "images").mkdir(parents=True, exist_ok=True)
        check_writable(folder)
    except OSError as error:
        raise unwritable(folder, error) from error
    return folder


def check_writable(folder):
    probe = folder / ".writable"
    probe.touch()
    probe.unlink()


def unwritable(folder, error):
    return BadValueError(f"output folder {str(folder)!r} cannot be written: {error.strerror}.")


@contextlib.contextmanager
def locked(folder):
    """Keeps other processes from training in this folder. The lock vanishes with the process, however that ends.

    Raises:
        BadValueError: if another process trains there, or the folder cannot be written.
    """
    try:
        check_writable(folder)
        lock = open(folder / ".lock", "w")  # noqa: SIM115 (held while the body runs)
    except OSError as error:
        raise unwritable(folder, error) from error
    with lock:
        if fcntl:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BadValueError(
                    f"another process trains in {str(folder)!r}: wait for its end, or stop it first."
                ) from error
            except OSError:  # a file system without locks, such as some network drives
                pass
        yield


def write_json(path, content):
    """Writes a JSON file, whole and on the disk before it takes its name."""
    with write_whole(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=1), encoding="utf-8")
        sync(unfinished)


def read_json(path):
    """What a JSON file holds, or None if it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def read_config(folder):
    """The `config.json` of a run, as a dict.

    Raises:
        NotFoundError: if there is no such folder.
        BadValueError: if it is no run's folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise NotFoundError(f"no run {str(folder)!r}: there is no such folder.")
    if not (folder / CONFIG).exists():
        raise BadValueError(f"{str(folder)!r} is not the folder of a run: it has no {CONFIG}.")
    config = read_json(folder / CONFIG)
    if not isinstance(config, dict) or not isinstance(config.get("arguments"), dict) or "class" not in config:
        raise BadValueError(f"{str(folder)!r} is not the folder of a run: its {CONFIG} cannot be read.")
    return old_runs.upgraded(config)


def newest_run(name):
    """The run of the model `name` below runs/ that was written to last.

    Raises:
        NotFoundError: if there is none.
    """
    found = []
    for path in Path("runs").glob(f"*/{CONFIG}"):
        with contextlib.suppress(BadValueError):
            if read_config(path.parent).get("model") == name:
                found.append((max(file.stat().st_mtime_ns for file in (path, *path.parent.iterdir())), path.parent))
    if not found:
        raise NotFoundError(f"no run of {name} below 'runs': name its folder, --resume RUN.")
    return max(found)[1]


def arguments_to_go_on(folder, kind, given):
    """The arguments that a run goes on with: its own and, of those given now, what may change.

    Args:
        folder: that of the run.
        kind: the name of the model's class.
        given: dict of arguments; a shape may be a tuple.

    Raises:
        NotFoundError: if there is no such folder.
        BadValueError: if it is no run's, or one of another model, or an argument differs from the run's.
    """
    config = read_config(folder)
    if config["class"] != kind:
        raise BadValueError(
            f"run {str(folder)!r} is one of {config['class']}, not of {kind}: "
            f"python -m keras_gan.{config['model']} --resume {folder}"
        )
    arguments = config["arguments"]
    given = dict(given)
    if Path(given.pop("output", None) or folder) != Path(folder):
        raise BadValueError(f"run {str(folder)!r} goes on where it is: leave the output folder out.")
    for name, value in given.items():
        value, before = json.loads(json.dumps(value)), arguments.get(name)
        if name == "epochs" and value < before:
            raise BadValueError(f"epochs of run {str(folder)!r} are {before}: they may become more, not {value}.")
        if name not in FREE and value != before:
            raise BadValueError(
                f"{name} of run {str(folder)!r} is {shown(before)}, not {shown(value)}: "
                "leave it out, or start a new run."
            )
    return arguments | given


def options_of(kind):
    """All options of a class and their defaults, {name: default}: also those that it passes on as `**options`."""
    found = {}
    for base in kind.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = inspect.signature(base.__init__).parameters.values()
        own = {p.name: p.default for p in parameters if p.name not in ("self", "name") and p.kind != p.VAR_KEYWORD}
        found = own | found
        if not any(p.kind == p.VAR_KEYWORD for p in parameters):
            break
    return found


def names_of(function):
    """The names of a function's arguments, but for `self` and `callbacks`."""
    return [name for name in inspect.signature(function).parameters if name not in ("self", "callbacks")]


def shown(value):
    """A value of config.json as one would type it."""
    return "x".join(map(str, value)) if isinstance(value, list) else repr(value)


def git_commit():
    """The commit that the working directory's checkout is at, or None."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def pictures_of(loader):
    """How many pictures a loader has, {split: count}, and their files, {split: {path: "size mtime"}}."""
    from keras_gan.images.sources import files_of

    counts, files = {}, {}
    for is_testing in (False, True):
        streams = loader._streams(is_testing)
        for stream, side in zip(streams, "AB" if len(streams) > 1 else ("",), strict=True):
            split = "_".join(filter(None, (stream.split, side)))
            counts[split] = len(stream.pictures)
            files[split] = {str(file): mark(file) for picture in stream.pictures for file in files_of(picture)}
    return counts, files


def mark(file):
    """What tells whether a file is still the same."""
    try:
        status = os.stat(file)
    except OSError:
        return "gone"
    return f"{status.st_size} {status.st_mtime_ns}"


def changes(before, now):
    """How many pictures were added, removed and changed between two dicts of files, as `pictures_of` gives them."""
    counts = {"added": 0, "removed": 0, "changed": 0}
    for split in before.keys() | now.keys():
        old, new = before.get(split, {}), now.get(split, {})
        counts["added"] += len(new.keys() - old.keys())
        counts["removed"] += len(old.keys() - new.keys())
        counts["changed"] += sum(old[name] != new[name] for name in old.keys() & new.keys())
    return counts
