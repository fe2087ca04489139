"""The notebooks: what each holds, that what it shows is what its code shows, and that it runs without a warning."""

import ast
import configparser
import copy
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from publish import publish
from run import SMALL, code, complaints, execute, fingerprint, inject, tagged

from keras_gan import AdversarialModel

ROOT = Path(__file__).parents[2]
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MEGABYTE = 10**6


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def address():
    """Of the repository, as it is told to pip."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    return settings["metadata"]["url"]


def shows_its_code(notebook):
    """Whether what a notebook shows is of the code that it holds: of its code cells but the one that installs."""
    return notebook.metadata.get("keras_gan", {}).get("shown_by") == fingerprint(notebook)


def pictures(notebook):
    return [output for cell in code(notebook) for output in cell.outputs if "image/png" in output.get("data", {})]


def test_there_is_a_small_setting_for_each():
    assert sorted(SMALL) == [path.stem for path in PATHS]


def test_first_cells_are_alike():
    assert len({tagged(nbformat.read(path, as_version=4), "install")[0].source for path in PATHS}) == 1


def test_the_first_code_cell_installs(notebook):
    assert tagged(notebook, "install") == code(notebook)[:1]


def test_the_placeholder_of_the_address_stands_in_one_place():
    """Until the repository is published: then it stands in the files that `publish.py` writes."""
    account = address().rpartition("/")[0] + "/"
    files = [path for path in ROOT.iterdir() if not path.name.startswith(".")]
    files += [path for room in ("keras_gan", "tests", "notebooks", "benchmarks") for path in (ROOT / room).rglob("*.*")]
    files += [*(ROOT / "docs").glob("*.*"), *(ROOT / "docs" / "models").glob("*.md")]
    texts = [path for path in files if path.suffix in (".py", ".md", ".cfg", ".cff", ".toml", ".ipynb", ".html", "")]
    named = {path.name for path in texts if path.is_file() and account in path.read_text("utf-8")}
    assert named in ({"setup.cfg"}, {"setup.cfg", "CITATION.cff", *(path.name for path in PATHS)})


def test_publishing_writes_the_address_and_leaves_the_outputs_alone(tmp_path):
    (tmp_path / "notebooks").mkdir()
    kept = [ROOT / "setup.cfg", ROOT / "CITATION.cff", *PATHS]
    for file in kept:
        shutil.copy(file, tmp_path / file.relative_to(ROOT))
    for url in ("https://github.com/one/first", "https://github.com/other/keras_gan"):
        publish(url, tmp_path)
    for file in kept:
        text = (tmp_path / file.relative_to(ROOT)).read_text("utf-8")
        assert url in text and "one/first" not in text
        if file in PATHS:
            now, before = nbformat.reads(text, as_version=4), nbformat.read(file, as_version=4)
            assert f"github/other/keras_gan/blob/main/notebooks/{file.name})" in now.cells[0].source
            assert f'REPOSITORY = "{url}"' in code(now)[0].source and shows_its_code(now)
            assert [cell.get("outputs") for cell in now.cells] == [cell.get("outputs") for cell in before.cells]
            assert [cell.source for cell in now.cells[3:]] == [cell.source for cell in before.cells[3:]]


def run_first_cell(folder, monkeypatch, missing=()):
    """Runs it in a folder where these packages are missing; returns what it was about to install, or its sentence."""
    asked = []
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", "..")])
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else found(name))
    monkeypatch.setattr(subprocess, "run", lambda pip, **_: asked.append(pip[-1]) or SimpleNamespace(returncode=1))
    (cell,) = tagged(nbformat.read(PATHS[0], as_version=4), "install")
    try:
        exec(cell.source, {})
    except Exception as error:
        return asked, error._render_traceback_()
    return asked, None


@pytest.mark.parametrize("beside", ["", "a clone", "another project"])
def test_the_first_cell_stops_with_a_sentence_where_nothing_is(tmp_path, monkeypatch, beside):
    """Also where the folder above holds a clone or is another project."""
    (tmp_path / "here").mkdir()
    if beside:
        (tmp_path / "keras_gan" / "keras_gan").mkdir(parents=True)
    if beside == "another project":
        (tmp_path / "pyproject.toml").touch()
        (tmp_path / "setup.cfg").write_text("[metadata]\nname = other\n")
    asked, (sentence,) = run_first_cell(tmp_path / "here", monkeypatch, missing=["keras_gan"])
    assert not asked and "keras_gan cannot be installed: open this notebook in" in sentence and "\n" not in sentence
    assert sentence.count(". ") == 0 and sentence.endswith(".")


def test_the_first_cell_installs_what_a_clone_lacks(tmp_path, monkeypatch):
    asked, (sentence,) = run_first_cell(ROOT / "notebooks", monkeypatch, missing=["tifffile"])
    assert asked == [".."] and "cannot be installed from ..: " in sentence


def test_it_says_what_it_is_about(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    head = notebook.cells[0].source
    assert head.startswith("# ")
    korean, chinese = (next(line for line in head.splitlines() if line.startswith(f"**{mark}")) for mark in "한中")
    assert any("가" <= letter <= "힣" for letter in korean) and any("一" <= letter <= "鿿" for letter in chinese)
    assert text.count("$$") >= 2 and text.count("$$") % 2 == 0
    assert "## Exercises" in text


def test_parameters_can_be_set(notebook, path):
    """The small setting names parameters that there are."""
    (cell,) = tagged(notebook, "parameters")
    names = {target.id for line in ast.parse(cell.source).body for target in line.targets}
    assert set(SMALL[path.stem]) <= names


def test_what_it_shows_is_of_the_code_it_holds(notebook):
    """Run once, from top to bottom, and not edited since: else `python notebooks/run.py NAME`."""
    assert shows_its_code(notebook)
    assert [cell.execution_count for cell in code(notebook)] == list(range(1, len(code(notebook)) + 1))
    assert not complaints(notebook)
    assert not any(output.output_type == "error" for cell in code(notebook) for output in cell.outputs)
    assert pictures(notebook)


def test_the_source_that_it_prints_is_that_of_today(notebook):
    lines = {line for file in (ROOT / "keras_gan").rglob("*.py") for line in file.read_text("utf-8").splitlines()}
    for cell in code(notebook):
        if "inspect.getsource(" in cell.source:
            shown = [line for output in cell.outputs for line in output.text.splitlines() if line.strip()]
            # A cell may print lines of its own above the source
            begin = next(number for number, line in enumerate(shown) if line.lstrip().startswith(("def ", "@")))
            assert len(shown) > begin + 5
            assert [line for line in shown[begin:] if line not in lines] == []


def test_it_is_small(path):
    assert path.stat().st_size < 3 * MEGABYTE


def test_it_names_no_place_on_the_machine_that_ran_it(path):
    text = path.read_text(encoding="utf-8")
    assert not any(place in text for place in ("/tmp/", "/home/", "/work/", "/root/"))


def test_code_edited_since_is_found_out_and_other_text_may_be_edited():
    notebook = nbformat.read(PATHS[0], as_version=4)
    assert shows_its_code(notebook)
    kinds = set()
    for number, cell in enumerate(notebook.cells):
        edited = copy.deepcopy(notebook)
        edited.cells[number].source += "\n# more"
        is_shown = cell.cell_type == "code" and cell not in tagged(notebook, "install")
        assert shows_its_code(edited) is not is_shown, cell.source
        edited.cells[number].source = cell.source
        assert shows_its_code(edited)
        kinds.add((cell.cell_type, is_shown))
    assert len(kinds) == 3  # text, the cell that installs, code
    moved, shorter, longer = (copy.deepcopy(notebook) for _ in range(3))
    numbers = [number for number, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    one, two = numbers[-2:]
    moved.cells[one], moved.cells[two] = moved.cells[two], moved.cells[one]
    del shorter.cells[two]
    longer.cells.append(nbformat.v4.new_code_cell("more"))
    assert not any(map(shows_its_code, (moved, shorter, longer)))


class Built(Exception):  # noqa: N818 (no error: the code before a model has run)
    """A notebook has come to its first model."""


def prepare(notebook, parameters):
    """Runs the cells of a notebook up to its first model: those that make pictures, folders and pairs."""
    cells = [cell for cell in code(notebook) if cell not in tagged(notebook, "install")]
    names = {}
    with pytest.raises(Built):
        for cell in cells:
            exec(cell.source, names)
            if cell in tagged(notebook, "parameters"):
                names |= parameters


def test_it_can_be_run_again_in_its_folder(notebook, path, tmp_path, monkeypatch):
    """What it makes before its first model does not stand in its way, and nothing of the user's is lost."""

    def built(*arguments, **options):
        raise Built

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(AdversarialModel, "__new__", built)
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: None)
    noise = np.random.default_rng(0).integers(0, 256, (128, 256, 3), "uint8")
    monkeypatch.setattr("keras_gan.images.drawn_shoes.draw_pair", lambda seed, number, size: noise[:size, : 2 * size])
    mine = [tmp_path / name / "mine.txt" for name in ("photos", "pairs", "coloured")]
    for file in mine:
        file.parent.mkdir()
        file.touch()
    for _ in range(2):
        prepare(notebook, SMALL[path.stem])
    assert all(file.exists() for file in mine)
    assert {entry.name for entry in tmp_path.iterdir()} <= {"made", "photos", "pairs", "coloured"}


def test_runs_get_a_folder_of_their_own(notebook):
    """A model with `output` could not be trained a second time in the same folder."""
    assert not any(re.search(r"\boutput\s*=", cell.source) for cell in code(notebook))


@pytest.mark.timeout(600)
@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # those of the machinery around the kernel
def test_it_runs_without_a_warning(notebook, path, tmp_path):
    """In the small setting, from a checkout, with nothing fetched."""
    inject(notebook, SMALL[path.stem])
    execute(notebook, tmp_path)
    assert not complaints(notebook)
    assert pictures(notebook)
