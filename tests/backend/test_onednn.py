"""keras_gan enables oneDNN for TensorFlow on CPUs; a run says so if TensorFlow was imported before."""

import functools
import platform

import keras
import pytest

from keras_gan import backend

pytestmark = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="oneDNN is asked for on x86-64")

ASKED_FOR = "import os, keras_gan; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"

# TensorFlow without oneDNN: first because the user disabled it; then because keras_gan was imported too late to enable
# it, as on CPUs where it is off by default.
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
    """The output of a script on TensorFlow and the CPU, with no other oneDNN settings in the environment."""
    return functools.partial(
        output_of, without="TF_ENABLE_ONEDNN_OPTS", KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES=""
    )


def test_onednn_is_enabled_unless_the_user_decides_otherwise(says):
    assert says(ASKED_FOR) == "1"
    assert says(ASKED_FOR, TF_ENABLE_ONEDNN_OPTS="0") == "0"


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="oneDNN is TensorFlow's")
def test_the_device_does_not_mention_onednn_if_it_is_enabled():
    """As in this process (see conftest.py)."""
    assert backend.device().startswith("TensorFlow on ") and "oneDNN" not in backend.device()


@pytest.mark.slow
def test_the_device_names_missing_onednn_unless_the_user_disabled_it(says):
    wanted, late = says(WITHOUT, TF_ENABLE_ONEDNN_OPTS="0").splitlines()
    assert wanted == "TensorFlow on CPU"
    assert late == "TensorFlow on CPU without oneDNN (import keras_gan before Keras)"
