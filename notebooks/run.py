"""Runs notebooks from top to bottom and keeps what they show.

    python notebooks/run.py                 all of them, about an hour on two CPU cores
    python notebooks/run.py dcgan cgan      these two

Each runs in a folder of its own beside this checkout, as if nothing but the checkout were there. A notebook that
warns or fails is not kept. What is kept says which code showed it, so that a cell that was edited afterwards is
found out (`tests/docs/test_notebooks.py`).
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

# Parameters with which each is run by the tests, in well under two minutes. The notebooks' own take minutes.
TINY = {"image_size": 32, "filters": 4, "batch_size": 2, "epochs": 1, "steps_per_epoch": 3}
SMALL = {
    "cgan": {"filters": 4, "batch_size": 8, "epochs": 1, "steps_per_epoch": 3},
    "cyclegan": {"colouring_epochs": 1, "unpaired_epochs": 1, "steps_per_epoch": 2, "batch_size": 2, "image_size": 32},
    "dcgan": TINY | {"batch_size": 8},
    "discogan": TINY,
    "fused_step": {"image_size": 32, "filters": 4, "timed": 2},
    "pix2pix": TINY | {"pictures": 20},
    "why_discogan": {"iterations": (0, 2, 4)},
}


def tagged(notebook, tag):
    """The cells with this tag."""
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def code(notebook):
    """The code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def fingerprint(notebook):
    """Of all code that decides what is shown: not the cell that installs the project."""
    sources = [cell.source for cell in code(notebook) if "install" not in cell.metadata.get("tags", [])]
    return hashlib.sha256("\n\n".join(sources).encode()).hexdigest()


def inject(notebook, parameters):
    """Sets parameters in a new cell after the one that is tagged `parameters`, as papermill does."""
    (cell,) = tagged(notebook, "parameters")
    source = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    notebook.cells.insert(notebook.cells.index(cell) + 1, nbformat.v4.new_code_cell(source))


def execute(notebook, folder):
    """Runs a notebook, in place, in `folder/notebooks`, beside which lies this checkout's package.

    Raises:
        nbclient.exceptions.CellExecutionError: where a cell fails.
    """
    folder = Path(folder)
    (folder / "notebooks").mkdir()
    (folder / "keras_gan").symlink_to(HERE.parent / "keras_gan", target_is_directory=True)
    for cell in code(notebook):
        cell.outputs, cell.execution_count = [], None
    nbclient.NotebookClient(
        notebook,
        timeout=3600,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # a line that was written over and over is kept once
        resources={"metadata": {"path": str(folder / "notebooks")}},
    ).execute()


def complaints(notebook):
    """What was written to standard error, and all warnings: those of TensorFlow go to standard output in a notebook."""
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
            sys.exit(f"error: {name} is not kept, since it warns:\n{complaints(notebook)}")
        notebook.metadata["keras_gan"] = {"shown_by": fingerprint(notebook)}
        with write_whole(path) as unfinished:
            nbformat.write(notebook, unfinished)
        print(f"{name}: {path.stat().st_size / 1e6:.2f} MB", flush=True)


if __name__ == "__main__":
    main()
