"""What is installed: the extras as messages name them, the clone, and the framework that Keras runs on."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from keras_gan.machine import installation

ROOT = Path(__file__).parents[2]
HIDE = ROOT / "tests" / "support" / "without_tensorflow"


def test_an_extra_is_named_with_the_folder_of_the_clone(monkeypatch):
    assert installation.install("demo") == f'python -m pip install ".[demo]" in {ROOT}'
    monkeypatch.setattr(installation, "clone", lambda: None)
    assert installation.install("demo") == 'python -m pip install ".[demo]" in the folder of the clone'


@pytest.mark.parametrize("kind", ["from a clone", "the clone is gone", "from an address", "nothing is noted"])
def test_the_clone_that_pip_installed_from_is_found(tmp_path, monkeypatch, kind):
    """The package itself is elsewhere then: pip notes where it came from."""
    (tmp_path / "a clone").mkdir()
    if kind == "from a clone":
        (tmp_path / "a clone" / "pyproject.toml").touch()
    url = "https://host/keras_gan" if kind == "from an address" else (tmp_path / "a clone").as_uri()
    told = tmp_path / "keras_gan-1.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: keras-gan\nVersion: 1\n")
    if kind != "nothing is noted":
        (told / "direct_url.json").write_text(json.dumps({"url": url, "dir_info": {}}))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(installation, "__file__", str(tmp_path / "site-packages" / "keras_gan" / "installation.py"))
    assert installation.clone() == (tmp_path / "a clone" if kind == "from a clone" else None)


def test_no_text_names_a_package_that_is_not_published():
    """Extras are installed from a clone. This package is on no index."""
    rooms = [path for room in ("keras_gan", "docs", "notebooks", "benchmarks") for path in (ROOT / room).rglob("*.*")]
    built = ROOT / "docs" / "_build", ROOT / "docs" / "repository"
    files = [path for path in rooms if not any(path.is_relative_to(place) for place in built)]
    files += [*ROOT.glob("*.md"), ROOT / "datasets" / "README.md"]
    texts = {path: path.read_text("utf-8") for path in files if path.suffix in (".py", ".md", ".ipynb", ".html")}
    found = r"keras[-_]gan\[|pip install [\"']?keras[-_]gan"
    assert len(texts) > 100 and [str(path) for path, text in texts.items() if re.search(found, text)] == []
    written = r"pip install .{0,3}\.\["  # in the package one function writes it
    of_package = {path.name for path, text in texts.items() if path.suffix == ".py" and re.search(written, text)}
    assert of_package - {path.name for path in (ROOT / "benchmarks").glob("*.py")} == {"installation.py"}


def start(home, code="", **environment):
    """What a new process without TensorFlow says after `import keras_gan`: (chosen backend, standard error)."""
    script = f"import os, keras_gan; {code}\nprint(os.environ.get('KERAS_BACKEND'))"
    kept = {name: value for name, value in os.environ.items() if name not in ("KERAS_BACKEND", "KERAS_HOME")}
    found = kept | {"PYTHONPATH": f"{HIDE}{os.pathsep}{ROOT}", "HOME": str(home)} | environment
    done = subprocess.run([sys.executable, "-c", script], env=found, capture_output=True, text=True, timeout=100)
    return done.stdout.strip().splitlines()[-1:], done.stderr


@pytest.mark.parametrize(
    ("settings", "environment", "chosen"),
    [
        (None, {}, "jax"),
        ("tensorflow", {}, "jax"),  # Keras writes this by itself
        ("torch", {}, "None"),  # the user's own: Keras takes it
        (None, {"KERAS_BACKEND": "torch"}, "torch"),
        (None, {"PYTHONPATH": str(ROOT)}, "None"),  # TensorFlow is there
    ],
)
def test_the_backend_that_is_there_is_taken(tmp_path, settings, environment, chosen):
    if settings:
        (tmp_path / ".keras").mkdir()
        (tmp_path / ".keras" / "keras.json").write_text(json.dumps({"backend": settings}))
    assert start(tmp_path, **environment) == ([chosen], "")


@pytest.mark.slow
def test_the_backend_that_is_taken_is_named_once(tmp_path):
    """In Python and by a command, when Keras is loaded; `--help` needs none."""
    code = "from keras_gan import DiscoGAN, GAN; assert GAN().discriminator"
    assert start(tmp_path, code) == (["jax"], "TensorFlow is not installed: Keras runs on JAX.\n")
    run = (
        "import runpy, sys; sys.argv = ['translate', {}]; runpy.run_module('keras_gan.translate', run_name='__main__')"
    )
    said = start(tmp_path, run.format(f"'{tmp_path}/nowhere.keras', 'a.png', '--output', 'out'"))[1]
    assert said.count("\n") == 1 and said.startswith("error: no model")
    assert start(tmp_path, run.format("'--help'"))[1] == ""


@pytest.mark.parametrize(("missing", "others"), [("tensorflow", ["jax"]), ("jax", ["tensorflow"]), ("jax", [])])
def test_a_missing_framework_says_what_to_type(monkeypatch, missing, others):
    monkeypatch.setattr(installation, "is_there", lambda package: package in others)
    text = installation.how_to_get(missing)
    assert f"is not installed: python -m pip install {missing}" in text
    assert text.endswith(f", or set KERAS_BACKEND={others[0]}." if others else f"pip install {missing}.")
