"""Checkpoints are where they were recorded to be, so that a run of an earlier version goes on."""

import json

import keras
import pytest
from support.layout import RECORDED, folders_of, layout
from support.models import MODELS, ROWS


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="recorded on TensorFlow; JAX reads the same")
@pytest.mark.parametrize("row", ROWS)
def test_a_checkpoint_holds_what_it_held(row):
    assert folders_of(layout(MODELS[row](seed=0))) == json.loads(RECORDED.read_text(encoding="utf-8"))[row]
