"""What is installed: the clone that this package came from, its extras, and the framework that Keras runs on."""

import importlib.util
import json
import os
import sys
from pathlib import Path

#: By backend of Keras, which is also the name of the package that it needs: its name in messages.
FRAMEWORKS = {"tensorflow": "TensorFlow", "jax": "JAX"}
instead: str | None = None  # the backend that `choose_backend` took instead of TensorFlow


def install(extra: str) -> str:
    """The command that installs an extra of `setup.cfg`, such as `metrics`, and where to type it."""
    return f'python -m pip install ".[{extra}]" in {clone() or "the folder of the clone"}'


def clone() -> Path | None:
    """The folder of the clone that this package runs from or was installed from; None if it is gone or unknown."""
    import importlib.metadata
    import urllib.parse
    import urllib.request

    beside = Path(__file__).resolve().parents[2]
    if (beside / "pyproject.toml").is_file():
        return beside
    try:
        told = importlib.metadata.distribution("keras-gan").read_text("direct_url.json")  # written by pip
        place = urllib.parse.urlsplit(json.loads(told or "{}")["url"])
    except (importlib.metadata.PackageNotFoundError, KeyError, ValueError):
        return None
    folder = Path(urllib.request.url2pathname(place.path))
    return folder if place.scheme == "file" and (folder / "pyproject.toml").is_file() else None


def choose_backend() -> None:
    """Makes Keras run on JAX if it would run on TensorFlow, which is not installed, and JAX is.

    Keras would fail: TensorFlow is its default, which it also writes into its file of settings. Another backend there,
    or in the variable KERAS_BACKEND, is the user's choice.
    """
    global instead
    is_set = "keras" in sys.modules or os.environ.get("KERAS_BACKEND") or backend_in_file() != "tensorflow"
    if not is_set and not is_there("tensorflow") and is_there("jax"):
        os.environ["KERAS_BACKEND"] = instead = "jax"


def say_backend() -> None:
    """Names the backend on standard error if `choose_backend` took one instead of TensorFlow."""
    if instead:
        print(f"TensorFlow is not installed: Keras runs on {FRAMEWORKS[instead]}.", file=sys.stderr)


def backend_in_file() -> str:
    """The backend in Keras' own file of settings."""
    folder = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")
    try:
        return json.loads(Path(folder, "keras.json").read_text(encoding="utf-8"))["backend"]
    except (OSError, ValueError, KeyError, TypeError):  # missing, damaged, or it names none
        return "tensorflow"


def is_there(package: str) -> bool:
    """Whether a package is installed. Does not import it. A folder of its name in the current folder is none."""
    found = importlib.util.find_spec(package)
    return found is not None and found.origin is not None


def how_to_get(package: str | None) -> str:
    """One sentence on a framework that Keras could not import: what to type."""
    others = [other for other in FRAMEWORKS if other != package and is_there(other)]
    or_set = f", or set KERAS_BACKEND={others[0]}" if others else ""
    return f"{FRAMEWORKS.get(str(package), package)} is not installed: python -m pip install {package}{or_set}."
