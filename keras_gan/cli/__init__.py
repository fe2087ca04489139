"""The command line of a model file, generated from its source.

The options of `python -m keras_gan.MODEL` are the arguments of the model's constructor and of `train()`. Names, types,
defaults and help texts are parsed from signatures and docstrings, so `--help` works without loading Keras.
"""

import argparse
import contextlib
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from keras_gan import console
from keras_gan.cli.options import JIT, parser_of, without
from keras_gan.cli.signatures import class_in, quick_of
from keras_gan.datasets import check_name_is_known
from keras_gan.errors import BadValueError, LostHostError, UserError, check_name
from keras_gan.files import COMPILE_CACHE
from keras_gan.machine.interrupts import stopped_at_once
from keras_gan.training import old_runs, run_folder
from keras_gan.training.kept_networks import checkpoint_with_optimizers, place_of

NOT_QUICK = "filters", "decay_epochs", "output"  # options that `Command.smaller` leaves out, besides those of `QUICK`


UNTIL_TRAINING = contextlib.ExitStack()  # never closed: while a model trains, its own handlers take over


class Command(NamedTuple):
    """A parsed command line."""

    constructor: dict[str, Any]  # arguments of the constructor
    train: dict[str, Any]  # arguments of `train()` or, with `run`, of `resume()`
    jit: bool | None  # the model's `jit_compile`; None: Keras' default
    typed: str  # the whole command, as typed
    run: Path | None  # folder of the run to resume
    smaller: str  # the command of a quick run on the same data; "": this is one, or there is none


def parse(file: str | Path, argv: Sequence[str] | None = None) -> Command:
    """Parses the command line of a model file. Also loads Keras and sets its dtype policy and devices.

    Args:
        file: path of the Python file; its first class is the model.
        argv: the arguments; None: the arguments of this process.

    Exits with code 0 after `--help`, with code 2 and a one-line message for a bad argument.
    """
    model = class_in(file)
    assert model, f"{file} defines no class"
    argv = sys.argv[1:] if argv is None else argv
    parser, constructor, train = parser_of(file, model)
    answer_recipe(parser, model.name, argv)
    given = {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not None}
    run, devices, is_quick = (given.pop(name, None) for name in ("resume", "devices", "quick"))
    if given.pop("no_compile_cache"):
        os.environ[COMPILE_CACHE] = "0"
    given = in_terms_of_the_model(given)
    numbers, policy = quick_of(model), given.get("dtype_policy")
    quick = quick_beside(numbers, given) if is_quick else {}
    with console.one_line_errors():
        if run is not None:
            run = Path(run) if run else run_folder.newest_run(Path(file).stem)
            arguments = run_folder.resumed_arguments(run, model.name, given)
            check_quick(run, quick, arguments)
            policy, quick = arguments["dtype_policy"], {}
            given.pop("output", None)
            constructor, train = set(), set(given)
        else:
            check_places(given)
        set_up_keras(policy, devices)
    UNTIL_TRAINING.enter_context(stopped_at_once())
    given, command = quick | given, parser.prog.split()
    of_constructor, of_train = ({k: v for k, v in given.items() if k in names} for names in (constructor, train))
    smaller = [*command, *without(argv, [*numbers, *NOT_QUICK]), "--quick"] if numbers and not is_quick else []
    typed = shlex.join([*command, *argv])
    return Command(of_constructor, of_train, given.get("jit_compile"), typed, run, shlex.join(smaller))


def in_terms_of_the_model(given: dict[str, Any]) -> dict[str, Any]:
    """Options whose names or values differ from the arguments that they set, as these arguments."""
    given = dict(given)
    filters = given.pop("filters", None)
    if filters is not None:
        given = {"gf": filters, "df": filters} | given
    if "dtype_policy" in given:
        given["dtype_policy"] = f"mixed_{given['dtype_policy']}"
    if "jit_compile" in given:
        given["jit_compile"] = JIT[given["jit_compile"]]
    return given


def quick_beside(numbers: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a quick run that were not given. If one domain's shape was, the other gets its size."""
    numbers = dict(numbers)
    for name in ("shape_A", "shape_B"):
        if name in given and "img_shape" in numbers:
            numbers["img_shape"] = (*given[name][:2], numbers["img_shape"][2])
    return {name: value for name, value in numbers.items() if name not in given}


def check_quick(run: Path, quick: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """Raises BadValueError if a run to resume, with these arguments, was not started with `--quick`."""
    for name, value in quick.items():
        before = arguments.get(name)
        if name not in run_folder.FREE and before != (list(value) if isinstance(value, tuple) else value):
            raise BadValueError(
                f"{name} of run {str(run)!r} is {run_folder.shown(before)}, not {run_folder.shown(value)}: "
                "a resumed run keeps its numbers, leave --quick out."
            )


def check_places(given: Mapping[str, Any]) -> None:
    """Raises an error if there is no such data set, nothing to start from, or the output folder holds a run.

    Keras need not be loaded.
    """
    named = [given.get(name) for name in ("dataset_name", "dataset_B")]
    for name in (*named, *given.get("dataset_A", ())):
        if name is not None:
            check_name_is_known(name, given.get("own_shards", False))
    if "start_from" in given:
        check_start(given["start_from"], given.get("with_optimizers", False))
    if "output" in given:
        check_name(output=given["output"])
        run_folder.check_free(Path(given["output"]))


def check_start(name: str, with_optimizers: bool) -> None:
    """Raises an error if there are no such networks to start from."""
    check_name(start_from=name)
    if with_optimizers:
        checkpoint_with_optimizers(name)
    elif not Path(name).is_file():
        place_of(name)


def answer_recipe(parser: argparse.ArgumentParser, kind: str, argv: Sequence[str]) -> None:
    """Exits with the replacement of `--recipe NAME`, an option of earlier versions, if it was given."""
    text = " ".join(argv).replace("--recipe=", "--recipe ")
    _, found, rest = text.partition("--recipe ")
    command = found and old_runs.command_of(kind, rest.split(" ")[0])
    if command:
        parser.error(f"--recipe is gone, each recipe is a model of its own: python -m keras_gan.{command}")


def set_up_keras(policy: str | None, devices: int | str | None) -> None:
    """Loads Keras. Sets its dtype policy and the devices to train on, unless None."""
    keras = console.load_keras()
    if devices is not None:
        from keras_gan import backend

        backend.use_devices(devices)
    if policy:
        keras.config.set_dtype_policy(policy)


def run(model: Any, command: Command) -> None:
    """Trains a new model or resumes a run, then prints the paths of its pictures and networks.

    Args:
        model: the model's class.
        command: the result of `parse()`.

    Exits with code 2 and a one-line message for invalid input, with code 130 after Ctrl-C, 143 after SIGTERM.
    """
    from keras_gan.training import hosts  # loads Keras

    try:
        with hosts.explained_before_training():
            gan = trained(model, command)
    except LostHostError as error:
        leave(console.fail(error))
    except UserError as error:
        sys.exit(console.fail(error))
    except OSError as error:
        sys.exit(console.fail(console.line_of(error)))
    except KeyboardInterrupt as stop:
        print(f"\n{stop or 'Stopped.'}", file=sys.stderr)
        leave(getattr(stop, "exit_code", 130))
    if not gan.run_folder.exists():
        return  # not the first host: its copy of the folder is removed
    grids = sorted((gan.run_folder / "images").glob("*.png"), key=lambda path: path.stat().st_mtime)
    print(f"Sample grids: {gan.run_folder / 'images'} (the last is {grids[-1].name})")
    print(f"Report:       {gan.run_folder / 'report.html'}")
    if gan.run.best and gan.run.best.state["epoch"]:
        print(f"Best:         {gan.run_folder / 'models' / 'best'} ({gan.run.best.told()})")
    averaged = "(generators averaged) " if gan.averages else ""
    print(f"Networks:     {averaged}" + "  ".join(str(path) for path in gan.run.network_paths))


def trained(model: Any, command: Command) -> Any:
    """Trains a new model or resumes a run; returns the model."""
    if command.run:
        return model.resume(command.run, **command.train)
    gan = model(**command.constructor)
    gan.run.command, gan.run.smaller = command.typed, command.smaller
    if command.jit is not None:
        gan.jit_compile = command.jit
    gan.train(**command.train)
    return gan


def leave(code: int) -> NoReturn:
    """Exits with this code; at once if there are several hosts: a normal exit would wait for the others."""
    from keras_gan import backend

    if backend.hosts()[1] > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
