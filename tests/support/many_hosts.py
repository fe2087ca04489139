"""Starts `python -m keras_gan.gan` as one of several hosts, all on this machine."""

import os
import socket
import subprocess
import sys

import keras
import numpy as np

import keras_gan.layers  # noqa: F401  (the layers of the networks to load)


class Started:
    """The processes that were started; leaving it ends them."""

    def __init__(self):
        self.all = []

    def __enter__(self):
        return self

    def __exit__(self, *of_error):
        for process in self.all:
            process.kill()
            process.communicate()

    def __call__(self, number, of, port, *arguments, cwd=None):
        """Host `number` of so many, in the folder `cwd`."""
        places = {"JAX_COORDINATOR_ADDRESS": f"localhost:{port}", "JAX_PROCESS_ID": number, "JAX_NUM_PROCESSES": of}
        environment = (
            os.environ
            | {name: str(value) for name, value in places.items()}
            | {"XLA_FLAGS": "--xla_backend_optimization_level=0", "PYTHONPATH": os.pathsep.join(["", *sys.path])}
        )
        command = [sys.executable, "-m", "keras_gan.gan", "--dataset", "drawn_digits", "--devices", "all"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen([*command, "--batch-size", "4", *arguments], env=environment, cwd=cwd, **pipes)
        self.all.append(process)
        return process


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def trained(run):
    """The weights of a run's generator, one behind the other."""
    model = keras.saving.load_model(run / "models" / "generator.keras")
    return np.concatenate([weight.ravel() for weight in model.get_weights()])
