"""On a processor TensorFlow is asked for oneDNN; a run says where that came too late, and to whom it matters."""

import functools
import platform

import keras
import pytest

from keras_gan import backend

pytestmark = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="oneDNN is asked for on x86-64")

ASKED_FOR = "import os, keras_gan; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"

# TensorFlow loaded without oneDNN: first because the user wants it so, then as it is on a processor where TensorFlow
# does not take it by itself, and keras_gan, imported after it, could not ask for it
WITHOUT = """
import importlib, os
import tensorflow, keras_gan
from keras_gan import backend
print(backend.device())
del os.environ["TF_ENABLE_ONEDNN_OPTS"]
importlib.reload(keras_gan)
print(backend.device())
"""


@pytest.fixture
def says(output_of):
    """What a script prints on TensorFlow and the CPU, where nothing but what is given is said of oneDNN."""
    return functools.partial(
        output_of, without="TF_ENABLE_ONEDNN_OPTS", KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES=""
    )


def test_it_is_asked_for_unless_the_user_says_otherwise(says):
    assert says(ASKED_FOR) == "1"
    assert says(ASKED_FOR, TF_ENABLE_ONEDNN_OPTS="0") == "0"


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="oneDNN is TensorFlow's")
def test_nothing_is_said_where_it_was_asked_for_in_time():
    """As in this process (see conftest.py)."""
    assert backend.device().startswith("TensorFlow on ") and "oneDNN" not in backend.device()


def test_a_run_says_where_it_came_too_late_unless_the_user_wants_none(says):
    wanted, late = says(WITHOUT, TF_ENABLE_ONEDNN_OPTS="0").splitlines()
    assert wanted == "TensorFlow on CPU"
    assert late == "TensorFlow on CPU without oneDNN (import keras_gan before Keras)"
