"""Runs notebooks from top to bottom and saves their outputs.

    python notebooks/run.py                 all of them, about an hour on two CPU cores
    python notebooks/run.py dcgan cgan      these two

Each notebook runs in its own temporary folder with this checkout's package. If it warns or fails, it is not saved. A
saved notebook holds a hash of its code, so a test finds cells that were edited later (`tests/docs/test_notebooks.py`).
"""

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

import nbclient
import nbformat

from keras_gan.files import write_whole

HERE = Path(__file__).resolve().parent

# Parameters for the tests, well under two minutes each. With their own parameters, notebooks take several minutes.
TINY = {"image_size": 32, "filters": 4, "batch_size": 2, "epochs": 1, "steps_per_epoch": 3}
SMALL = {
    "cgan": {"filters": 4, "batch_size": 8, "epochs": 1, "steps_per_epoch": 3},
    "cyclegan": {"colouring_epochs": 1, "unpaired_epochs": 1, "steps_per_epoch": 2, "batch_size": 2, "image_size": 32},
    "dcgan": TINY | {"batch_size": 8},
    "discogan": TINY,
    "fused_step": {"image_size": 16, "filters": 4, "compared": 2, "timed": 1},
    "pix2pix": TINY | {"pictures": 20},
    "why_discogan": {"iterations": (0, 2, 4)},
}


def tagged(notebook, tag):
    """Returns the cells with this tag."""
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def code(notebook):
    """Returns the code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def fingerprint(notebook):
    """Returns a hash of all code that affects the outputs: all code cells but the one that installs the project."""
    sources = [cell.source for cell in code(notebook) if "install" not in cell.metadata.get("tags", [])]
    return hashlib.sha256("\n\n".join(sources).encode()).hexdigest()


def inject(notebook, parameters):
    """Sets parameters in a new cell after the cell tagged `parameters`, as papermill does."""
    (cell,) = tagged(notebook, "parameters")
    source = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    notebook.cells.insert(notebook.cells.index(cell) + 1, nbformat.v4.new_code_cell(source))


def execute(notebook, folder):
    """Runs a notebook, in place, in `folder/notebooks`, with this clone's package in `folder`.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails.
    """
    folder = Path(folder)
    (folder / "notebooks").mkdir()
    for name in ("keras_gan", "pyproject.toml", "setup.cfg"):  # what the first cell knows a clone by
        (folder / name).symlink_to(HERE.parent / name)
    for cell in code(notebook):
        cell.outputs, cell.execution_count = [], None
    nbclient.NotebookClient(
        notebook,
        timeout=3600,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # keep only the last state of an overwritten line
        resources={"metadata": {"path": str(folder / "notebooks")}},
    ).execute()


def complaints(notebook):
    """Returns all lines on standard error, and all warnings: in a notebook, TensorFlow's go to standard output."""
    streams = [output for cell in code(notebook) for output in cell.outputs if output.output_type == "stream"]
    lines = [(stream.name, line) for stream in streams for line in stream.text.splitlines()]
    return "\n".join(line for name, line in lines if name == "stderr" or "warning" in line.lower())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all notebooks")
    names = parser.parse_args().names or sorted(SMALL)
    for name in names:
        path = HERE / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        with tempfile.TemporaryDirectory() as folder:
            execute(notebook, folder)
        if complaints(notebook):
            sys.exit(f"error: {name} is not saved, because it warns:\n{complaints(notebook)}")
        notebook.metadata["keras_gan"] = {"shown_by": fingerprint(notebook)}
        with write_whole(path) as unfinished:
            nbformat.write(notebook, unfinished)
        print(f"{name}: {path.stat().st_size / 1e6:.2f} MB", flush=True)


if __name__ == "__main__":
    main()
