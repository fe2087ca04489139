"""Runs commands in this process, to save the seconds that a new process takes to load Keras."""

import json
import subprocess
import sys
from importlib import import_module

from keras_gan import cli

MODELS = {"cgan": "CGAN", "cut": "CUT", "cyclegan": "CycleGAN", "cyclegan_paper": "CycleGANPaper", "dcgan": "DCGAN"}
MODELS |= {"discogan": "DiscoGAN", "discogan_paper": "DiscoGANPaper", "discogan_pytorch": "DiscoGANPyTorch"}
MODELS |= {"gan": "GAN", "pix2pix": "Pix2Pix"}

WITHOUT_FRAMEWORKS = """
import json, runpy, sys
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["datasets", *arguments]
    code = 0
    try:
        runpy.run_module("keras_gan.datasets", run_name="__main__", alter_sys=True)
    except SystemExit as done:
        code = done.code or 0
    print("code", code, flush=True)
    loaded = {"keras", "tensorflow", "jax", "matplotlib"} & set(sys.modules)
    assert not loaded, (arguments, loaded)
"""


def run_here(model, *arguments):
    """Does the same as `python -m keras_gan.MODEL`.

    Args:
        model: the class, or the name of its module.
    """
    kind = getattr(import_module(f"keras_gan.{model}"), MODELS[model]) if isinstance(model, str) else model
    cli.run(kind, cli.parse(sys.modules[kind.__module__].__file__, list(arguments)))


def translate_here(*arguments):
    """Runs `python -m keras_gan.translate` in this process; returns its exit code."""
    try:
        import_module("keras_gan.translate.__main__").main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return stop.code
    return 0


def check_complaint(complaints, message):
    """Checks that standard error is one line with this message, besides lines about skipped pictures."""
    assert message in complaints
    assert "Traceback" not in complaints
    lines = [line for line in complaints.splitlines() if not line.startswith("skipping ")]
    assert len(lines) == 1 and lines[0].startswith("error: ")


def datasets_without_frameworks(folder, *commands):
    """Runs commands of `keras_gan.datasets` in another process, which must not load a framework.

    Args:
        folder: working directory.
        commands: one list of arguments per command.

    Returns:
        The exit codes, the lines on standard output and those on standard error.
    """
    command = [sys.executable, "-W", "error", "-c", WITHOUT_FRAMEWORKS, json.dumps(commands)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    codes = [int(line.removeprefix("code ")) for line in lines if line.startswith("code ")]
    return codes, [line for line in lines if not line.startswith("code ")], done.stderr.splitlines()
