import os
import platform
import subprocess
import sys

import pytest

# TensorFlow loaded as on a processor where it does not take oneDNN by itself
LATE = """
import os
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import tensorflow
del os.environ["TF_ENABLE_ONEDNN_OPTS"]
from keras_gan import backend
print(backend.device())
"""

pytestmark = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="oneDNN is asked for on x86-64")


def output_of(script, **environment):
    clean = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    clean |= {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": ""} | environment
    run = [sys.executable, "-c", script]
    return subprocess.run(run, capture_output=True, text=True, timeout=300, env=clean, check=True).stdout.strip()


def test_it_is_asked_for_unless_the_user_says_otherwise():
    script = "import os, keras_gan; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    assert output_of(script) == "1"
    assert output_of(script, TF_ENABLE_ONEDNN_OPTS="0") == "0"


def test_training_says_where_it_came_too_late_for_it():
    assert output_of("from keras_gan import backend; print(backend.device())") == "TensorFlow on CPU"
    without = "TensorFlow on CPU without oneDNN (import keras_gan before Keras)"
    assert output_of(LATE) == without


def test_nothing_is_said_to_a_user_who_wants_none():
    script = "from keras_gan import backend; print(backend.device())"
    assert output_of(script, TF_ENABLE_ONEDNN_OPTS="0") == "TensorFlow on CPU"
