import functools
import platform

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


@pytest.fixture
def says(output_of):
    """What a script prints on TensorFlow and the CPU, where nothing but what is given is said of oneDNN."""
    return functools.partial(
        output_of, without="TF_ENABLE_ONEDNN_OPTS", KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES=""
    )


def test_it_is_asked_for_unless_the_user_says_otherwise(says):
    script = "import os, keras_gan; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    assert says(script) == "1"
    assert says(script, TF_ENABLE_ONEDNN_OPTS="0") == "0"


def test_training_says_where_it_came_too_late_for_it(says):
    assert says("from keras_gan import backend; print(backend.device())") == "TensorFlow on CPU"
    without = "TensorFlow on CPU without oneDNN (import keras_gan before Keras)"
    assert says(LATE) == without


def test_nothing_is_said_to_a_user_who_wants_none(says):
    script = "from keras_gan import backend; print(backend.device())"
    assert says(script, TF_ENABLE_ONEDNN_OPTS="0") == "TensorFlow on CPU"
