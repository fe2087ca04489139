"""The command line of a model file, made from what the file itself says.

The options of `python -m keras_gan.MODEL` are the arguments of the model's constructor and of its
`train()`: names, types, defaults and help are read from the source text. Nothing is written twice,
and `--help` answers without loading Keras.
"""

import argparse
import ast
import os
import shutil
import sys
from pathlib import Path

from keras_gan.errors import UserError

PRECISIONS = ("bfloat16", "float16")
JIT = {"auto": None, "on": True, "off": False}  # to `jit_compile` of Keras; None: as it decides
FLAGS = {"dataset_name": "--dataset", "img_shape": "--image-size"}


def parse(file, argv=None):
    """Reads the command line of a model file.

    Args:
        file: path of the Python file that defines one model class.
        argv: the arguments; None: those of this process.

    Returns:
        (constructor, train, jit): two dicts of the arguments to pass on, and the model's `jit_compile`; None: Keras'.

    Exits with code 0 after `--help`, with code 2 and one line after an argument that is no good.
    """
    module = ast.parse(Path(file).read_text(encoding="utf-8"))
    model = next(node for node in module.body if isinstance(node, ast.ClassDef))
    methods = {node.name: node for node in model.body if isinstance(node, ast.FunctionDef)}
    usage = ast.get_docstring(module)
    parser = Parser(
        prog=f"python -m keras_gan.{Path(file).stem}",
        usage="%(prog)s [options]",
        description=usage,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    constructor = add_options(parser, methods["__init__"], argument_helps(model))
    train = add_options(parser, methods["train"], helps_of_every_train() | argument_helps(methods["train"]))
    if {"gf", "df"} <= constructor:
        parser.add_argument("--filters", type=int, metavar="N", help="sets --gf and --df together")
    parser.add_argument("--mixed-precision", choices=PRECISIONS, help="compute in half precision; results are float32")
    parser.add_argument("--jit", choices=JIT, default="auto", help="compile with XLA; auto: on a GPU (default: auto)")
    given = {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not None}
    filters, precision = given.pop("filters", None), given.pop("mixed_precision", None)
    jit = JIT[given.pop("jit")]
    if filters is not None:
        given = {"gf": filters, "df": filters} | given
    keras = load_keras()
    if precision:
        keras.config.set_dtype_policy(f"mixed_{precision}")
    constructor, train = ({k: v for k, v in given.items() if k in names} for names in (constructor, train))
    return constructor, train, jit


def load_keras():
    """Imports and returns Keras without the pages of notes that TensorFlow writes, past Python, as it loads."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        import keras
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
    return keras


def run(model, arguments):
    """Builds and trains the model, and says where its pictures and networks lie.

    Exits with code 2 and one line if the input is at fault, with code 130 after Ctrl-C.
    """
    constructor, train, jit = arguments
    try:
        gan = model(**constructor)
        if jit is not None:
            gan.jit_compile = jit
        gan.train(**train)
    except UserError as error:
        sys.exit(fail(error))
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
    grids = sorted((gan.run_folder / "images").glob("*.png"), key=lambda path: path.stat().st_mtime)
    print(f"Sample grids: {gan.run_folder / 'images'} (the last is {grids[-1].name})")
    print(f"Report:       {gan.run_folder / 'report.html'}")
    print("Networks:     " + "  ".join(str(path) for path in gan.network_paths))


def fail(message):
    """Prints one line on standard error; returns the exit code for a fault of the input."""
    print("error:", " ".join(str(message).split()), file=sys.stderr)
    return 2


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """As wide as the texts above the options are, so that all of it is about a screen."""

    def __init__(self, prog):
        super().__init__(prog, width=max(104, shutil.get_terminal_size().columns - 2))


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line."""

    def error(self, message):
        self.exit(fail(f"{message} (see {self.prog} --help)"))


def helps_of_every_train():
    """What `AdversarialModel.train` says about the arguments that every model's own has."""
    module = ast.parse(Path(__file__).with_name("adversarial.py").read_text(encoding="utf-8"))
    model = next(node for node in module.body if getattr(node, "name", "") == "AdversarialModel")
    return argument_helps(next(node for node in model.body if getattr(node, "name", "") == "train"))


def add_options(parser, function, helps):
    """Adds an option per annotated argument of this function; returns the arguments' names."""
    arguments = function.args.args[len(function.args.args) - len(function.args.defaults) :]
    names = set()
    for argument, default in zip(arguments, function.args.defaults, strict=True):
        if argument.annotation is None:  # an object, for use from Python only
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


#: How the command line reads an argument of each annotated type.
KINDS = {
    "int": {"type": int, "metavar": "N"},
    "float": {"type": float, "metavar": "X"},
    "str": {"metavar": "NAME"},
    "tuple": {"type": image_shape, "metavar": "SIZE"},
    "bool": {"action": argparse.BooleanOptionalAction},
}
