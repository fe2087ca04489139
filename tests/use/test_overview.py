"""`python -m keras_gan`: the overview of all commands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import MODELS, check_complaint

from keras_gan import __main__ as overview

ROOT = Path(overview.__file__).parents[1]

WITHOUT_FRAMEWORKS = """
import runpy, sys
sys.argv = ["keras_gan"]
runpy.run_module("keras_gan", run_name="__main__")
assert not {"keras", "tensorflow", "jax", "numpy", "PIL"} & set(sys.modules)
"""


def test_it_loads_next_to_nothing_and_fits_100_columns():
    done = subprocess.run([sys.executable, "-c", WITHOUT_FRAMEWORKS], capture_output=True, text=True)
    assert not done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 100
    for name in overview.MODELS | overview.OTHERS:
        assert re.search(rf"^  {re.escape(name)} ", done.stdout, re.MULTILINE), name


def test_every_command_of_the_package_is_in_it():
    commands = set()
    for path in (ROOT / "keras_gan").rglob("*.py"):
        if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8"):
            parts = path.relative_to(ROOT / "keras_gan").with_suffix("").parts
            commands.add(".".join(part for part in parts if part != "__main__"))
    assert commands - {""} == set(overview.MODELS | overview.OTHERS)
    assert set(overview.MODELS) == set(MODELS)


@pytest.mark.parametrize("name", overview.MODELS)
def test_the_pages_name_the_same_data_and_times(name):
    data, minutes, quick = overview.MODELS[name]
    index = (ROOT / "docs" / "models" / "index.md").read_text(encoding="utf-8")
    [row] = [line for line in index.splitlines() if line.startswith("|") and f"({name}.md)" in line]
    assert f"| {data} |" in row
    assert f"| {overview.duration(minutes)} | {overview.duration(quick)} |" in row
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"| `keras_gan.{name}` | {overview.duration(minutes)} | {overview.duration(quick)} |" in readme
    page = (ROOT / "docs" / "models" / f"{name}.md").read_text(encoding="utf-8")
    assert re.search(rf"^python -m keras_gan\.{name} +# .*\b{re.escape(overview.duration(minutes))}$", page, re.M)
    assert re.search(rf"^python -m keras_gan\.{name} --quick +# .*\b{re.escape(overview.duration(quick))}$", page, re.M)


@pytest.mark.parametrize("typed", ["nonsense", "discogan.md", "cli", "networks"])
def test_no_such_command(typed, capsys):
    with pytest.raises(SystemExit) as stop:
        overview.main([typed, "--quick"])
    assert stop.value.code == 2
    check_complaint(capsys.readouterr().err, f"no command {typed!r}: type python -m keras_gan.NAME with one of disco")


@pytest.mark.parametrize("typed", ["gan", "keras_gan.gan", "datasets", "demo.train"])
def test_a_command_may_be_an_argument(typed, capsys, monkeypatch):
    """As `python -m keras_gan gan` instead of `python -m keras_gan.gan`."""
    monkeypatch.setattr(sys, "argv", [])
    for name in [
        name for name in sys.modules if name.startswith(("keras_gan.gan", "keras_gan.datasets.", "keras_gan.demo."))
    ]:
        monkeypatch.delitem(sys.modules, name)  # as in a new process
    with pytest.raises(SystemExit) as stop:
        overview.main([typed, "--help"])
    assert stop.value.code == 0
    assert f"usage: python -m keras_gan.{typed.removeprefix('keras_gan.')}" in capsys.readouterr().out


def test_help_is_the_overview(capsys):
    overview.main(["--help"])
    assert capsys.readouterr().out == overview.overview() + "\n"


def test_durations():
    assert [overview.duration(minutes) for minutes in (1, 59, 60, 454)] == ["1 min", "59 min", "1.0 h", "7.6 h"]
