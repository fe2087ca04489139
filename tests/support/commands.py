"""Commands as a user types them, played in this process: without the seconds that a process takes to load Keras."""

import subprocess
import sys
from importlib import import_module

import keras_gan
from keras_gan import cli

MODELS = {"cgan": "CGAN", "cyclegan": "CycleGAN", "dcgan": "DCGAN", "discogan": "DiscoGAN", "gan": "GAN"}
MODELS |= {"pix2pix": "Pix2Pix"}

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


def train(model, *arguments):
    """As `python -m keras_gan.MODEL` does it."""
    module = import_module(f"keras_gan.{model}")
    cli.run(getattr(keras_gan, MODELS[model]), cli.parse(module.__file__, list(arguments)))


def datasets_without_frameworks(folder, *commands):
    """Plays commands of `keras_gan.datasets` in another process, which may load no framework.

    Args:
        folder: where they are played.
        commands: a list of arguments each.

    Returns:
        The exit codes, the lines on standard output and those on standard error.
    """
    import json

    command = [sys.executable, "-W", "error", "-c", WITHOUT_FRAMEWORKS, json.dumps(commands)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    codes = [int(line.removeprefix("code ")) for line in lines if line.startswith("code ")]
    return codes, [line for line in lines if not line.startswith("code ")], done.stderr.splitlines()
