"""The notebooks: what each holds, that what it shows is what its code shows, and that it runs without a warning."""

import ast
import configparser
import copy
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
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


def test_it_opens_in_colab(notebook, path):
    """The badge leads to this notebook, and the first code cell fetches the project from the same place.

    `OWNER` stands for the account that publishes it (CONTRIBUTING.md), so that the link cannot be followed before.
    """
    badge = re.escape("[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]")
    link = r"\(https://colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)/blob/([\w.-]+)/(\S+)\)"
    ((repository, branch, file),) = re.findall(badge + link, notebook.cells[0].source)
    assert f"https://github.com/{repository}" == address() and branch == "main"
    assert (ROOT / file).is_file() and ROOT / file == path
    (install,) = tagged(notebook, "install")
    assert install is code(notebook)[0]
    assert f'"git+{address()}"' in install.source


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
