"""Errors that end a run, reworded: one line that says what happened and how to resume."""

import contextlib
import errno
import os
from collections.abc import Iterator
from typing import Any

from keras_gan.errors import BadValueError, NotFiniteError, UserError
from keras_gan.training import hosts
from keras_gan.training.checkpoint_files import names

FULL = [getattr(errno, name) for name in ("ENOSPC", "EFBIG", "EDQUOT") if hasattr(errno, name)]


@contextlib.contextmanager
def explained_errors(run: Any, batches: Any) -> Iterator[None]:
    """Wraps a training.

    Args:
        run: the `keras_gan.training.run.Run`.
        batches: the batches that it trains on.

    Raises:
        NotFiniteError, LostHostError: with the run's folder.
        BadValueError: for errors of files, of the disk and of the data.
    """
    try:
        yield
    except NotFiniteError as error:
        kept = names(run.folder / "checkpoints")
        left = f"the last checkpoint is from iteration {kept[-1].name}" if kept else "there is no checkpoint yet"
        raise NotFiniteError(f"{error}: training cannot continue; {left}, in {str(run.folder)!r}.") from error
    except UserError as error:
        explain_lost_data(run, batches, error)
        raise
    except Exception as error:
        hosts.explain_lost_host(error, run.folder)
        explain_lost_data(run, batches, error)
        if isinstance(error, OSError | RuntimeError) and is_of_files(error):
            todo = "make room" if is_full(error) else "mend that"
            raise BadValueError(
                f"training in {str(run.folder)!r} stopped ({reason(error)}): {todo}, then resume: {run.how_to_resume()}"
            ) from error
        raise


def explain_lost_data(run: Any, batches: Any, error: Exception) -> None:
    """Raises BadValueError if no picture can be read any more. Frameworks bury that error in errors of their own."""
    try:
        batches[0]
    except UserError as lost:
        raise BadValueError(f"{lost} Put them back, then resume: {run.how_to_resume()}") from error


def is_full(error: Exception) -> bool:
    """Whether an error means that the disk is full."""
    return getattr(error, "errno", None) in FULL or any(os.strerror(number) in str(error) for number in FULL)


def is_of_files(error: Exception) -> bool:
    """Whether the system raised this error, about a file or the disk."""
    return getattr(error, "errno", None) is not None or is_full(error)


def reason(error: Exception) -> str:
    """Why a file could not be written, in few words, and its name if the error has it."""
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    text = next((os.strerror(number) for number in FULL if os.strerror(number) in text), text[:200])
    file = getattr(error, "filename2", None) or getattr(error, "filename", None)  # of a renaming, the final name
    return f"{text}: {str(file)!r}" if file else text
