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
from keras_gan.training import old_runs, run_folder

PRECISIONS = ("bfloat16", "float16")
JIT = {"auto": None, "on": True, "off": False}  # to `jit_compile` of Keras; None: as it decides
ADVERSARIAL = Path(__file__).with_name("adversarial")
FLAGS = {"dataset_name": "--dataset", "img_shape": "--image-size"}


class Command(NamedTuple):
    """What a command line asks for: arguments to pass on, by name."""

    constructor: dict
    train: dict
    jit: bool | None  # the model's `jit_compile`; None: Keras'
    typed: str
    run: Path | None  # the folder of the run to go on with; `train` then holds what is to be different


def parse(file, argv=None):
    """Reads the command line of a model file; returns a `Command`. Sets Keras' dtype policy.

    Args:
        file: path of the Python file that defines one model class.
        argv: the arguments; None: those of this process.

    Exits with code 0 after `--help`, with code 2 and one line after a bad argument.
    """
    model = class_in(file)
    argv = sys.argv[1:] if argv is None else argv
    parser, constructor, train = parser_of(file, model)
    answer_recipe(parser, model.name, argv)
    given = {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not None}
    filters, run, devices = (given.pop(name, None) for name in ("filters", "resume", "devices"))
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
            policy = run_folder.arguments_to_go_on(run, model.name, given)["dtype_policy"]
            given.pop("output", None)
            constructor, train = set(), set(given)
        set_up_keras(policy, devices)
    constructor, train = ({k: v for k, v in given.items() if k in names} for names in (constructor, train))
    return Command(constructor, train, given.get("jit_compile"), typed, run)


def answer_recipe(parser, kind, argv):
    """Ends the command with the one that replaces `--recipe NAME`, an option of earlier versions."""
    text = " ".join(argv).replace("--recipe=", "--recipe ")
    _, found, rest = text.partition("--recipe ")
    command = found and old_runs.command_of(kind, rest.split(" ")[0])
    if command:
        parser.error(f"--recipe is gone, each recipe is a model of its own: python -m keras_gan.{command}")


def set_up_keras(policy, devices):
    """Loads Keras, and sets its dtype policy and the devices to train on, unless None."""
    keras = console.load_keras()
    if devices is not None:
        from keras_gan import backend

        backend.use_devices(devices)
    if policy:
        keras.config.set_dtype_policy(policy)


def parser_of(file, model):
    """The parser of a model file, and the sets of the arguments of its constructor and of `train()`."""
    parser = console.Parser.of(
        f"keras_gan.{Path(file).stem}",
        ast.get_docstring(ast.parse(Path(file).read_text(encoding="utf-8"))),
        usage="%(prog)s [options]",
        epilog="Trains on a GPU if there is one: pip install keras-gan[gpu], or jax[cuda12] and KERAS_BACKEND=jax.\n"
        "On a CPU stay with TensorFlow: JAX takes 1.3 to 2.1 times as long (benchmarks/README.md).",
    )
    constructor = set()
    for base in (model, *bases_of(model)):
        constructor |= add_options(parser, method(base, "__init__"), argument_helps(base), but=constructor)
    train = method(base, "train")  # of the last base, `AdversarialModel`
    train = add_options(parser, train, argument_helps(train), defaults=train_defaults(model))
    if {"gf", "df"} <= constructor:
        parser.add_argument("--filters", type=int, metavar="N", help="sets --gf and --df together")
    half = "compute in half precision; results are float32"
    parser.add_argument("--mixed-precision", dest="dtype_policy", choices=PRECISIONS, help=half)
    xla = "compile with XLA; auto: on a GPU (default: auto)"
    parser.add_argument("--jit", dest="jit_compile", choices=JIT, help=xla)
    several = "train on N devices or all, each with its share of a batch; JAX only (default: 1)"
    parser.add_argument("--devices", type=number_or_all, metavar="N", help=several)
    again = "continue the run in this folder as if it had never stopped; default: the newest run of this model"
    parser.add_argument("--resume", nargs="?", const="", metavar="RUN", help=again)
    return parser, constructor, train


def class_in(file, name=None):
    """The syntax tree of a class in a Python file: the first one, or the one of this name; None if it is not there."""
    module = ast.parse(Path(file).read_text(encoding="utf-8"))
    classes = [node for node in module.body if isinstance(node, ast.ClassDef) and name in (None, node.name)]
    return classes[0] if classes else None


def bases_of(model):
    """The syntax trees of a model's base classes up to `AdversarialModel`, found in `keras_gan/adversarial`."""
    bases = []
    while model.name != "AdversarialModel":
        found = (class_in(file, model.bases[0].id) for file in sorted(ADVERSARIAL.glob("*.py")))
        model = next(filter(None, found))
        bases.append(model)
    return bases


def method(model, name):
    """The syntax tree of a method; None if the class has none of its own."""
    return next((node for node in model.body if isinstance(node, ast.FunctionDef) and node.name == name), None)


def train_defaults(model):
    """The `TRAIN` of a model, a dict."""
    assigned = {ast.unparse(node.targets[0]): node.value for node in model.body if isinstance(node, ast.Assign)}
    return ast.literal_eval(assigned["TRAIN"]) if "TRAIN" in assigned else {}


def run(model, command):
    """Builds and trains the model, or goes on with its run, and says where its pictures and networks lie.

    Exits with code 2 and one line if the input is at fault, with code 130 after Ctrl-C, 143 after SIGTERM.
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
    print(f"Networks:     {averaged}" + "  ".join(str(path) for path in gan.run.network_paths))


def add_options(parser, function, helps, but=(), defaults=None):
    """Adds an option per annotated argument of a function, except these names. Returns the names that it added.

    Args:
        parser: gets the options.
        function: the syntax tree of a function, or None.
        helps: dict, argument to help text.
        but: names to leave out.
        defaults: dict of defaults that the function itself does not show.
    """
    if function is None:
        return set()
    arguments = function.args.args[len(function.args.args) - len(function.args.defaults) :]
    names = set()
    for argument, default in zip(arguments, function.args.defaults, strict=True):
        if argument.annotation is None or argument.arg in but:  # without: an object, for use from Python only
            continue
        kind = ast.unparse(argument.annotation).removesuffix(" | None")
        default = (defaults or {}).get(argument.arg, ast.literal_eval(default))
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
