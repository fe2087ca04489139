"""A model learns its task, in half precision as well as in single precision."""

import functools

import keras
import numpy as np
import pytest
from support.machine import HAS_BFLOAT16

from keras_gan import DiscoGAN

pytestmark = pytest.mark.optimized


@pytest.fixture(scope="module")
def trained():
    """Trains a DiscoGAN on drawn shoes, once per dtype policy.

    Returns the L1 between held-out shoes and the translations of their drawings, and these shoes.
    """

    @functools.cache
    def train(policy):
        keras.config.set_dtype_policy(policy)
        gan = DiscoGAN((64, 64, 3), gf=16, df=16, dataset_name="drawn_shoes", seed=0)
        keras.config.set_dtype_policy("float32")
        pairs = zip(*gan.data_loader.load_batch(16, is_testing=True), strict=True)
        drawings, shoes = map(np.concatenate, pairs)
        gan.fit(gan.data_loader.batches(4, steps_per_epoch=400), shuffle=False, verbose=0)
        return np.abs(gan.g_AB.predict(drawings, verbose=0) - shoes).mean(), shoes

    return train


@pytest.mark.timeout(600)
@pytest.mark.slow
def test_discogan_learns_to_colour_drawn_shoes(trained):
    """After some minutes its error is far below the errors of plain white and of the mean shoe."""
    l1, shoes = trained("float32")
    assert l1 < 0.6 * np.abs(1 - shoes).mean()
    assert l1 < 0.7 * np.abs(shoes.mean(axis=0) - shoes).mean()


@pytest.mark.timeout(600)
@pytest.mark.slow
@pytest.mark.skipif(not HAS_BFLOAT16, reason="this processor has no bfloat16")
def test_bfloat16_ends_within_5_percent_of_float32(trained):
    l1, _ = trained("mixed_bfloat16")
    assert l1 <= 1.05 * trained("float32")[0]
