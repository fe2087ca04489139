"""The command line of a model file, generated from its source.

The options of `python -m keras_gan.MODEL` are the arguments of the model's constructor and of `train()`. Names, types,
defaults and help texts are parsed from signatures and docstrings, so `--help` works without loading Keras.
"""

import argparse
import ast
import os
import shlex
import sys
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from keras_gan import console
from keras_gan.errors import LostHostError, UserError
from keras_gan.files import COMPILE_CACHE
from keras_gan.training import old_runs, run_folder

PRECISIONS = ("bfloat16", "float16")
JIT = {"auto": None, "on": True, "off": False}  # values of Keras' `jit_compile`; None: Keras decides
ADVERSARIAL = Path(__file__).with_name("adversarial")
FLAGS = {"dataset_name": "--dataset", "img_shape": "--image-size"}


class Command(NamedTuple):
    """A parsed command line."""

    constructor: dict[str, Any]  # arguments of the constructor
    train: dict[str, Any]  # arguments of `train()` or, with `run`, of `resume()`
    jit: bool | None  # the model's `jit_compile`; None: Keras' default
    typed: str  # the whole command, as typed
    run: Path | None  # folder of the run to resume


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
    filters, run, devices = (given.pop(name, None) for name in ("filters", "resume", "devices"))
    if given.pop("no_compile_cache"):
        os.environ[COMPILE_CACHE] = "0"
    if filters is not None:
        given = {"gf": filters, "df": filters} | given
    if "dtype_policy" in given:
        given["dtype_policy"] = f"mixed_{given['dtype_policy']}"
    if "jit_compile" in given:
        given["jit_compile"] = JIT[given["jit_compile"]]
    policy, typed = given.get("dtype_policy"), shlex.join([*parser.prog.split(), *argv])
    with console.one_line_errors():
        if run is not None:
            run = Path(run) if run else run_folder.newest_run(Path(file).stem)
            policy = run_folder.resumed_arguments(run, model.name, given)["dtype_policy"]
            given.pop("output", None)
            constructor, train = set(), set(given)
        set_up_keras(policy, devices)
    of_constructor, of_train = ({k: v for k, v in given.items() if k in names} for names in (constructor, train))
    return Command(of_constructor, of_train, given.get("jit_compile"), typed, run)


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


def parser_of(file: str | Path, model: ast.ClassDef) -> tuple[console.Parser, set[str], set[str]]:
    """The parser of a model file, and the names of the arguments of its constructor and of `train()`."""
    parser = console.Parser.of(
        f"keras_gan.{Path(file).stem}",
        ast.get_docstring(ast.parse(Path(file).read_text(encoding="utf-8"))),
        usage="%(prog)s [options]",
        epilog="Trains on a GPU if there is one: pip install keras-gan[gpu], or jax[cuda12] and KERAS_BACKEND=jax.\n"
        "On a CPU stay with TensorFlow: JAX takes 1.3 to 2.1 times as long (benchmarks/README.md).",
    )
    constructor: set[str] = set()
    classes = [model, *bases_of(model)]
    for base in classes:
        constructor |= add_options(parser, method(base, "__init__"), argument_helps(base), but=constructor)
    function = method(classes[-1], "train")  # of `AdversarialModel`
    train = add_options(parser, function, argument_helps(function), defaults=train_defaults(model))
    if {"gf", "df"} <= constructor:
        parser.add_argument("--filters", type=int, metavar="N", help="sets --gf and --df together")
    half = "compute in half precision; weights and network outputs stay float32"
    parser.add_argument("--mixed-precision", dest="dtype_policy", choices=PRECISIONS, help=half)
    xla = "compile with XLA; auto: on a GPU (default: auto)"
    parser.add_argument("--jit", dest="jit_compile", choices=JIT, help=xla)
    several = "data-parallel training on N devices, or all; JAX only (default: 1)"
    parser.add_argument("--devices", type=number_or_all, metavar="N", help=several)
    anew = "compile anew instead of keeping compiled programs in your cache folder (JAX)"
    parser.add_argument("--no-compile-cache", action="store_true", help=anew)
    again = "resume the run in this folder as if it had never stopped; without RUN: the newest run of this model"
    parser.add_argument("--resume", nargs="?", const="", metavar="RUN", help=again)
    return parser, constructor, train


def class_in(file: str | Path, name: str | None = None) -> ast.ClassDef | None:
    """The syntax tree of the first class in a Python file, or of the class with this name; None if there is none."""
    module = ast.parse(Path(file).read_text(encoding="utf-8"))
    classes = [node for node in module.body if isinstance(node, ast.ClassDef) and name in (None, node.name)]
    return classes[0] if classes else None


def bases_of(model: ast.ClassDef) -> list[ast.ClassDef]:
    """The syntax trees of a model's base classes up to `AdversarialModel`, found in `keras_gan/adversarial`."""
    bases = []
    while model.name != "AdversarialModel":
        found = (class_in(file, ast.unparse(model.bases[0])) for file in sorted(ADVERSARIAL.glob("*.py")))
        model = next(filter(None, found))
        bases.append(model)
    return bases


def method(model: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    """The syntax tree of a method; None if the class itself does not define it."""
    return next((node for node in model.body if isinstance(node, ast.FunctionDef) and node.name == name), None)


def train_defaults(model: ast.ClassDef) -> dict[str, Any]:
    """The dict `TRAIN` of a model, or an empty one."""
    assigned = {ast.unparse(node.targets[0]): node.value for node in model.body if isinstance(node, ast.Assign)}
    return ast.literal_eval(assigned["TRAIN"]) if "TRAIN" in assigned else {}


def run(model: Any, command: Command) -> None:
    """Trains a new model or resumes a run, then prints the paths of its pictures and networks.

    Args:
        model: the model's class.
        command: the result of `parse()`.

    Exits with code 2 and a one-line message for invalid input, with code 130 after Ctrl-C, 143 after SIGTERM.
    """
    try:
        if command.run:
            gan = model.resume(command.run, **command.train)
        else:
            gan = model(**command.constructor)
            gan.run.command = command.typed
            if command.jit is not None:
                gan.jit_compile = command.jit
            gan.train(**command.train)
    except LostHostError as error:
        console.fail(error)
        sys.stderr.flush()
        os._exit(2)  # a normal exit would wait for the lost host
    except UserError as error:
        sys.exit(console.fail(error))
    except OSError as error:
        sys.exit(console.fail(console.line_of(error)))
    except KeyboardInterrupt as stop:
        print(f"\n{stop or 'Stopped.'}", file=sys.stderr)
        sys.exit(getattr(stop, "exit_code", 130))
    if not gan.run_folder.exists():
        return  # not the first host: its copy of the folder is removed
    grids = sorted((gan.run_folder / "images").glob("*.png"), key=lambda path: path.stat().st_mtime)
    print(f"Sample grids: {gan.run_folder / 'images'} (the last is {grids[-1].name})")
    print(f"Report:       {gan.run_folder / 'report.html'}")
    averaged = "(generators averaged) " if gan.averages else ""
    print(f"Networks:     {averaged}" + "  ".join(str(path) for path in gan.run.network_paths))


def add_options(
    parser: argparse.ArgumentParser,
    function: ast.FunctionDef | None,
    helps: Mapping[str, str],
    but: Container[str] = (),
    defaults: Mapping[str, Any] | None = None,
) -> set[str]:
    """Adds an option for each argument of a function that has a default and an annotation in `KINDS`.

    Args:
        parser: the parser that gets the options.
        function: the syntax tree of a function, or None.
        helps: dict, argument to help text.
        but: names of arguments to skip.
        defaults: dict of defaults that take precedence over the signature.

    Returns:
        The names of the arguments that became options.
    """
    if function is None:
        return set()
    arguments = function.args.args[len(function.args.args) - len(function.args.defaults) :]
    names = set()
    for argument, default in zip(arguments, function.args.defaults, strict=True):
        kind = ast.unparse(argument.annotation).removesuffix(" | None") if argument.annotation else ""
        if kind not in KINDS or argument.arg in but:  # other kinds are objects, for use from Python only
            continue
        value = (defaults or {}).get(argument.arg, ast.literal_eval(default))
        text = helps[argument.arg].replace("%", "%%")
        if value is not None:
            text += f" (default: {shown(value)})"
        flag = FLAGS.get(argument.arg, "--" + argument.arg.replace("_", "-"))
        parser.add_argument(flag, dest=argument.arg, help=text, **KINDS[kind])
        names.add(argument.arg)
    return names


def shown(default: Any) -> str:
    """A default value as typed on the command line."""
    if isinstance(default, tuple):
        return "x".join(map(str, default if default[2] != 3 else default[:2]))
    return ("on" if default else "off") if isinstance(default, bool) else str(default)


def argument_helps(node: ast.ClassDef | ast.FunctionDef | None) -> dict[str, str]:
    """The "Args:" section of a docstring as a dict, argument to text."""
    docstring = ast.get_docstring(node) if node else None
    _, _, section = (docstring or "").partition("Args:\n")
    section = section.split("\n\n")[0]
    helps: dict[str, str] = {}
    for line in section.splitlines():
        text = line.strip()
        if len(line) - len(line.lstrip()) == 4:
            name, text = text.split(": ", 1)
            helps[name] = text.strip()
        else:
            helps[name] += " " + text
    return helps


def image_shape(text: str) -> tuple[int, int, int]:
    """Parses "64", "64x96" (height x width) or "64x96x1" (with channels, 3 by default)."""
    sides = text.lower().split("x")
    if len(sides) > 3 or not all(side.isdigit() for side in sides):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an image size; write 64, 64x96 (height x width) or 64x64x1 (gray)"
        )
    height, width, channels = {1: [*sides, *sides, "3"], 2: [*sides, "3"]}.get(len(sides), sides)
    return int(height), int(width), int(channels)


def number_or_all(text: str) -> int | str:
    """Parses a number of devices, or "all"."""
    if text != "all" and (not text.isdigit() or int(text) < 1):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of devices; write 1, 2, ... or all")
    return text if text == "all" else int(text)


#: Settings of `add_argument()` for each annotation, without "| None".
KINDS: dict[str, dict[str, Any]] = {
    "int": {"type": int, "metavar": "N"},
    "float": {"type": float, "metavar": "X"},
    "str": {"metavar": "NAME"},
    "tuple": {"type": image_shape, "metavar": "SIZE"},
    "ValueRange": {"type": console.value_range_or_auto, "metavar": "LOW,HIGH"},
    "bool": {"action": argparse.BooleanOptionalAction},
}
