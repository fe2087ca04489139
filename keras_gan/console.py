"""What all commands share: how they speak, how they fail, and how they load Keras."""

import argparse
import contextlib
import os
import shutil
import sys

from keras_gan.errors import UserError


def load_keras():
    """Imports and returns Keras without the pages of notes that TensorFlow writes, past Python, as it loads."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # On a GPU memory is taken as it is needed, not all at once.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    missing = None
    with silence():
        try:
            import keras
        except ModuleNotFoundError as error:  # of the backend that Keras was told to run on
            missing = error.name
    if missing:
        sys.exit(fail(f"{missing!r} is not installed: install it, or set KERAS_BACKEND to what is, tensorflow or jax."))
    return keras


@contextlib.contextmanager
def silence():
    """Nothing reaches standard error meanwhile, not even what libraries write past Python."""
    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def fail(message):
    """Prints one line on standard error; returns the exit code for a fault of the input."""
    print("error:", " ".join(str(message).split()), file=sys.stderr)
    return 2


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """As wide as the texts above the options are, so that all of it is about a screen."""

    def __init__(self, prog):
        super().__init__(prog, width=max(104, shutil.get_terminal_size().columns - 2))


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line."""

    @classmethod
    def of(cls, module, description, **texts):
        """That of `python -m MODULE`."""
        return cls(
            prog=f"python -m {module}",
            description=description,
            formatter_class=HelpFormatter,
            allow_abbrev=False,
            **texts,
        )

    def error(self, message):
        self.exit(fail(f"{message} (see {self.prog} --help)"))


@contextlib.contextmanager
def one_line_errors():
    """A command runs in this: it ends with code 2 and one line if its input is at fault, with 130 after Ctrl-C."""
    try:
        yield
    except UserError as error:
        sys.exit(fail(error))
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
