"""Creates the environments of the other stacks in the benchmark, in .venv-benchmark/.

    python benchmarks/environments.py

An environment is created again only if its requirements changed. If one cannot be created, it is skipped, and a line
says why.
"""

import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / ".venv-benchmark"

# {name: (Python versions, best first; requirements files, in the order in which they are tried)}
ENVIRONMENTS = {
    "tf215": (("3.11", "3.10", "3.9"), ("requirements-tf215.txt",)),
    "jax": (("3.12", "3.13", "3.11"), ("../requirements/jax.txt",)),
    "pytorch": (("3.12", "3.13", "3.11", "3.10"), ("requirements-pytorch-cpu.txt", "requirements-pytorch.txt")),
}


def python_of(name):
    """Returns the interpreter of an environment, or None if the environment is not complete."""
    folder = FOLDER / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return python if (folder / "complete").exists() else None


def find_python(versions):
    """Returns an interpreter of one of these versions, or None. A command may be a stub that does not run."""
    for version in versions:
        for command in (f"python{version}", "python3", "python"):
            found = shutil.which(command)
            ask = [found, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
            if found and subprocess.run(ask, capture_output=True, text=True).stdout.strip() == version:
                return found
    return None


def make(name):
    versions, files = ENVIRONMENTS[name]
    folder, wanted = FOLDER / name, "".join((HERE / file).read_text() for file in files)
    complete = folder / "complete"
    if complete.exists() and complete.read_text() == wanted:
        return
    python = find_python(versions)
    if not python:
        print(f"{name}: skipped: it needs Python {' or '.join(versions)}, which is not installed")
        return
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{name}: {python} -m venv {folder}, pip install (takes some minutes)", flush=True)
    subprocess.run([python, "-m", "venv", folder], check=True)
    for file in files:
        pip = [folder / ("Scripts" if os.name == "nt" else "bin") / "python", "-m", "pip", "install", "--quiet"]
        done = subprocess.run([*pip, "-r", HERE / file], capture_output=True, text=True)
        if done.returncode == 0:
            complete.write_text(wanted)
            return
    said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    print(f"{name}: skipped: pip says {said[0] if said else done.stderr}")


if __name__ == "__main__":
    for name in ENVIRONMENTS:
        make(name)
