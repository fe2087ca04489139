"""What the source of a model tells: its class, bases, methods, defaults and docstrings, read without importing it."""

import ast
from pathlib import Path
from typing import Any

ADVERSARIAL = Path(__file__).parents[1] / "adversarial"


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


def literal(model: ast.ClassDef, name: str) -> dict[str, Any]:
    """A dict that is an attribute of the class itself, such as `TRAIN`; {} if there is none."""
    assigned = {ast.unparse(node.targets[0]): node.value for node in model.body if isinstance(node, ast.Assign)}
    return ast.literal_eval(assigned[name]) if name in assigned else {}


def quick_of(model: ast.ClassDef) -> dict[str, Any]:
    """The arguments of a model's quick run, of its constructor and of `train()` together; {} if it has none."""
    return {name: value for part in literal(model, "QUICK").values() for name, value in part.items()}


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
