"""The options of a model file, one for each argument of its constructor and of `train()`."""

import argparse
import ast
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_gan import console
from keras_gan.cli.signatures import argument_helps, bases_of, literal, method, quick_of
from keras_gan.machine.installation import install

PRECISIONS = ("bfloat16", "float16")
JIT = {"auto": None, "on": True, "off": False}  # values of Keras' `jit_compile`; None: Keras decides
QUICK = "a small run of minutes on two CPU cores; what you give besides takes precedence"
FLAGS = {"dataset_name": "--dataset", "img_shape": "--image-size"}
#: The groups of options in `--help`. An argument of the model itself is about its game, one of `AdversarialModel` and
#: of `train()` about training, one of a base between them about data; but for these.
GROUPS: dict[str, tuple[str, ...]] = {
    "data": ("img_shape", "shape_A", "shape_B", "direction", "augment", "flip", "attributes"),
    "game": ("latent_dim", "adversarial_loss", "relativistic", "gradient_penalty", "r1", "critic_steps")
    + ("label_smoothing", "spectral_norm"),
    "training": (),
    "saving": ("output", "sample_interval", "checkpoint_interval", "keep", "save_every", "best_by", "quiet", "log"),
}


def parser_of(file: str | Path, model: ast.ClassDef) -> tuple[console.Parser, set[str], set[str]]:
    """The parser of a model file, and the names of the arguments of its constructor and of `train()`."""
    parser = console.Parser.of(
        f"keras_gan.{Path(file).stem}",
        ast.get_docstring(ast.parse(Path(file).read_text(encoding="utf-8"))),
        usage="%(prog)s [options]",
        epilog=f"Trains on a GPU if there is one, with {install('gpu')},\n"
        "or with jax[cuda12] and KERAS_BACKEND=jax.\n"
        "On a CPU stay with TensorFlow: JAX takes 1.3 to 2.1 times as long (benchmarks/README.md).",
    )
    groups = {title: parser.add_argument_group(title) for title in GROUPS}
    training, constructor = groups["training"], set[str]()
    if quick := quick_of(model):
        training.add_argument("--quick", action="store_true", help=f"{QUICK}: {as_typed(quick)}")
    classes = [model, *bases_of(model)]
    for base in classes:
        topic = "game" if base is model else "training" if base is classes[-1] else "data"
        options = add_options(groups, topic, method(base, "__init__"), argument_helps(base), but=constructor)
        constructor |= options
    if "flip" in constructor:
        same = "the same as --flip none"
        groups["data"].add_argument("--no-flip", dest="flip", action="store_const", const="none", help=same)
    if {"gf", "df"} <= constructor:
        groups["game"].add_argument("--filters", type=int, metavar="N", help="sets --gf and --df together")
    function = method(classes[-1], "train")  # of `AdversarialModel`
    train = add_options(groups, "training", function, argument_helps(function), defaults=literal(model, "TRAIN"))
    half = "compute in half precision; weights and network outputs stay float32"
    training.add_argument("--mixed-precision", dest="dtype_policy", choices=PRECISIONS, help=half)
    xla = "compile with XLA; auto: on a GPU (default: auto)"
    training.add_argument("--jit", dest="jit_compile", choices=JIT, help=xla)
    several = "data-parallel training on N devices, or all; JAX only (default: 1)"
    training.add_argument("--devices", type=number_or_all, metavar="N", help=several)
    anew = "compile anew instead of keeping compiled programs in your cache folder (JAX)"
    training.add_argument("--no-compile-cache", action="store_true", help=anew)
    again = "resume the run in this folder as if it had never stopped; without RUN: the newest run of this model"
    groups["saving"].add_argument("--resume", nargs="?", const="", metavar="RUN", help=again)
    return parser, constructor, train


def add_options(
    groups: Mapping[str, Any],
    topic: str,
    function: ast.FunctionDef | None,
    helps: Mapping[str, str],
    but: Container[str] = (),
    defaults: Mapping[str, Any] | None = None,
) -> set[str]:
    """Adds an option for each argument of a function that has a default and an annotation in `KINDS`.

    Args:
        groups: dict, title to the group of a parser that gets options.
        topic: the title of the group for arguments that `GROUPS` does not name.
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
        named = (title for title, those in GROUPS.items() if argument.arg in those)
        group = groups[next(named, topic)]
        group.add_argument(flag_of(argument.arg), dest=argument.arg, help=text, **KINDS[kind])
        names.add(argument.arg)
    return names


def flag_of(name: str) -> str:
    """The option of an argument."""
    return FLAGS.get(name, "--" + name.replace("_", "-"))


def as_typed(arguments: Mapping[str, Any]) -> str:
    """Arguments as options on the command line. A switch is typed as --augment or --no-augment."""
    typed = []
    for name, value in arguments.items():
        flag = flag_of(name)
        typed.append((flag if value else f"--no-{flag[2:]}") if isinstance(value, bool) else f"{flag} {shown(value)}")
    return " ".join(typed)


def without(argv: Sequence[str], names: Iterable[str]) -> list[str]:
    """The words of a command line without the options of these arguments, and without their values."""
    flags, kept, is_kept = {flag_of(name) for name in names}, [], True
    for word in argv:
        if word.startswith("--"):
            is_kept = word.split("=")[0].replace("--no-", "--") not in flags
        if is_kept:
            kept.append(word)
    return kept


def shown(default: Any) -> str:
    """A default value as typed on the command line."""
    if isinstance(default, tuple):
        return "x".join(map(str, default if default[2] != 3 else default[:2]))
    return ("on" if default else "off") if isinstance(default, bool) else str(default)


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
    "list": {"nargs": "+", "metavar": "DIR"},
    "Flip": {"nargs": "?", "const": "horizontal", "metavar": "HOW"},
    "bool": {"action": argparse.BooleanOptionalAction},
}
