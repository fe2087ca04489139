"""Keras on JAX without TensorFlow, where both are installed: loading it takes seconds and hundreds of megabytes."""

import contextlib
import sys
from collections.abc import Iterator

from keras.src.utils import module_utils


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Within it, Keras takes TensorFlow for missing, unless something has loaded it.

    Keras asks whether it is there when it seeds and saves, to treat TensorFlow's own values. Asking loads it.
    """
    asked = module_utils.tensorflow
    if "tensorflow" in sys.modules or asked._available is not None:
        yield
        return
    asked._available = False
    try:
        yield
    finally:
        asked._available = None
