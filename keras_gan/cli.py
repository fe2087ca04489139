"""The command line of a model file, made from what the file itself says.

The options of `python -m keras_gan.MODEL` are the arguments of the model's constructor and of its
`train()`: names, types, defaults and help are read from the source text. Nothing is written twice,
and `--help` answers without loading Keras.
"""

import argparse
import ast
import os
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

from keras_gan import console
from keras_gan.errors import LostHostError, UserError
from keras_gan.training import run_folder

PRECISIONS = ("bfloat16", "float16")
JIT = {"auto": None, "on": True, "off": False}  # to `jit_compile` of Keras; None: as it decides
FLAGS = {"dataset_name": "--dataset", "img_shape": "--image-size"}


class Command(NamedTuple):
    """What a command line asks for: arguments to pass on, by name."""

    constructor: dict
    train: dict
    jit: bool | None  # the model's `jit_compile`; None: Keras'
    typed: str
    run: Path | None  # the folder of the run to go on with; `train` then holds what is to be different


def parse(file, argv=None):
    """Reads the command line of a model file; returns a `Command`, with Keras' dtype policy set as it says.

    Args:
        file: path of the Python file that defines one model class.
        argv: the arguments; None: those of this process.

    Exits with code 0 after `--help`, with code 2 and one line after an argument that is no good.
    """
    module = ast.parse(Path(file).read_text(encoding="utf-8"))
    model = next(node for node in module.body if isinstance(node, ast.ClassDef))
    argv = sys.argv[1:] if argv is None else argv
    parser, constructor, train = parser_of(file, module, model)
    given = {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not None}
    filters, run, devices = (given.pop(name, None) for name in ("filters", "resume", "devices"))
    if filters is not None:
        given = {"gf": filters, "df": filters} | given
    if "dtype_policy" in given:
        given["dtype_policy"] = f"mixed_{given['dtype_policy']}"
    if "jit_compile" in given:
        given["jit_compile"] = JIT[given["jit_compile"]]
    policy, typed = given.get("dtype_policy"), shlex.join([*parser.prog.split(), *argv])
    if run is not None:
        try:
            run = Path(run) if run else run_folder.newest_run(Path(file).stem)
            policy = run_folder.arguments_to_go_on(run, model.name, given)["dtype_policy"]
        except UserError as error:
            sys.exit(console.fail(error))
        given.pop("output", None)
        constructor, train = set(), set(given)
    keras = console.load_keras()
    if devices is not None:
        from keras_gan import backend

        try:
            backend.use_devices(devices)
        except UserError as error:
            sys.exit(console.fail(error))
    if policy:
        keras.config.set_dtype_policy(policy)
    constructor, train = ({k: v for k, v in given.items() if k in names} for names in (constructor, train))
    return Command(constructor, train, given.get("jit_compile"), typed, run)


def parser_of(file, module, model):
    """The parser of a model file, and the sets of the arguments of its constructor and of its `train()`."""
    methods = {node.name: node for node in model.body if isinstance(node, ast.FunctionDef)}
    parser = console.Parser.of(
        f"keras_gan.{Path(file).stem}",
        ast.get_docstring(module),
        usage="%(prog)s [options]",
        epilog="Trains on a GPU where one is found: pip install keras-gan[gpu], or jax[cuda12] and KERAS_BACKEND=jax.\n"
        "On a CPU stay with TensorFlow: JAX takes 1.3 to 2.1 times as long (benchmarks/README.md).",
    )
    constructor = add_options(parser, methods["__init__"], argument_helps(model))
    every_train = train_of_every_model()
    helps = argument_helps(every_train)
    train = add_options(parser, methods["train"], helps | argument_helps(methods["train"]))
    train |= add_options(parser, every_train, helps, but=train)
    if {"gf", "df"} <= constructor:
        parser.add_argument("--filters", type=int, metavar="N", help="sets --gf and --df together")
    half = "compute in half precision; results are float32"
    parser.add_argument("--mixed-precision", dest="dtype_policy", choices=PRECISIONS, help=half)
    xla = "compile with XLA; auto: on a GPU (default: auto)"
    parser.add_argument("--jit", dest="jit_compile", choices=JIT, help=xla)
    several = "train on so many devices, or all, each with its share of a batch; on JAX alone (default: 1)"
    parser.add_argument("--devices", type=number_or_all, metavar="N", help=several)
    again = "go on with this run, by its folder, as if it had not been stopped; default: the newest of this model"
    parser.add_argument("--resume", nargs="?", const="", metavar="RUN", help=again)
    return parser, constructor, train


def run(model, command):
    """Builds and trains the model, or goes on with its run, and says where its pictures and networks lie.

    Exits with code 2 and one line if the input is at fault, with code 130 after Ctrl-C, 143 after SIGTERM.
    """
    try:
        if command.run:
            gan = model.resume(command.run, **command.train)
        else:
            gan = model(**command.constructor)
            gan.command = command.typed
            if command.jit is not None:
                gan.jit_compile = command.jit
            gan.train(**command.train)
    except LostHostError as error:
        console.fail(error)
        sys.stderr.flush()
        os._exit(2)  # an orderly end would wait for the host that is gone
    except UserError as error:
        sys.exit(console.fail(error))
    except KeyboardInterrupt as stop:
        print(f"\n{stop or 'Stopped.'}", file=sys.stderr)
        sys.exit(getattr(stop, "exit_code", 130))
    if not gan.run_folder.exists():
        return  # that of another host than the first, which tells where all is
    grids = sorted((gan.run_folder / "images").glob("*.png"), key=lambda path: path.stat().st_mtime)
    print(f"Sample grids: {gan.run_folder / 'images'} (the last is {grids[-1].name})")
    print(f"Report:       {gan.run_folder / 'report.html'}")
    averaged = "(generators averaged) " if gan.averages else ""
    print(f"Networks:     {averaged}" + "  ".join(str(path) for path in gan.network_paths))


def train_of_every_model():
    """`AdversarialModel.train`: what it says of arguments that every model's own has, and those that it alone has."""
    module = ast.parse(Path(__file__).with_name("adversarial").joinpath("model.py").read_text(encoding="utf-8"))
    model = next(node for node in module.body if getattr(node, "name", "") == "AdversarialModel")
    return next(node for node in model.body if getattr(node, "name", "") == "train")


def add_options(parser, function, helps, but=()):
    """Adds an option per annotated argument of this function, but for these names; returns the arguments' names."""
    arguments = function.args.args[len(function.args.args) - len(function.args.defaults) :]
    names = set()
    for argument, default in zip(arguments, function.args.defaults, strict=True):
        if argument.annotation is None or argument.arg in but:  # without: an object, for use from Python only
            continue
        kind = ast.unparse(argument.annotation).removesuffix(" | None")
        default = ast.literal_eval(default)
        text = helps[argument.arg].replace("%", "%%")
        if default is not None:
            text += f" (default: {shown(default)})"
        flag = FLAGS.get(argument.arg, "--" + argument.arg.replace("_", "-"))
        parser.add_argument(flag, dest=argument.arg, help=text, **KINDS[kind])
        names.add(argument.arg)
    return names


def shown(default):
    """A default value as one would type it."""
    if isinstance(default, tuple):
        return "x".join(map(str, default if default[2] != 3 else default[:2]))
    return {True: "on", False: "off"}.get(default, default) if isinstance(default, bool) else default


def argument_helps(node):
    """What the "Args:" section of a docstring says about each argument, as a dict."""
    _, _, section = ast.get_docstring(node).partition("Args:\n")
    section = section.split("\n\n")[0]
    helps = {}
    for line in section.splitlines():
        text = line.strip()
        if len(line) - len(line.lstrip()) == 4:
            name, text = text.split(": ", 1)
            helps[name] = text.strip()
        else:
            helps[name] += " " + text
    return helps


def image_shape(text):
    """ "64", "64x96" (height x width) or "64x96x1" (with channels, 3 if not said) as the shape of a picture."""
    sides = text.lower().split("x")
    if len(sides) > 3 or not all(side.isdigit() for side in sides):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no image size; write 64, 64x96 (height x width) or 64x64x1 (gray)"
        )
    height, width, channels = {1: (*sides, *sides, 3), 2: (*sides, 3)}.get(len(sides), sides)
    return int(height), int(width), int(channels)


def number_or_all(text):
    """A number of devices."""
    if text != "all" and (not text.isdigit() or int(text) < 1):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of devices; write 1, 2, ... or all")
    return text if text == "all" else int(text)


#: How the command line reads an argument of each annotated type.
KINDS = {
    "int": {"type": int, "metavar": "N"},
    "float": {"type": float, "metavar": "X"},
    "str": {"metavar": "NAME"},
    "tuple": {"type": image_shape, "metavar": "SIZE"},
    "bool": {"action": argparse.BooleanOptionalAction},
}
