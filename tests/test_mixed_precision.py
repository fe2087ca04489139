"""Half precision learns what float32 learns."""

import numpy as np
import pytest

from keras_gan import DiscoGAN


@pytest.mark.slow
def test_bfloat16_ends_within_5_percent_of_float32_on_drawn_shoes(policy):
    """L1 of shoes made of drawings that were held out, on average over all of them."""
    ends = {}
    for dtype in ("float32", "mixed_bfloat16"):
        policy(dtype)
        gan = DiscoGAN((64, 64, 3), gf=16, df=16, dataset_name="drawn_shoes", seed=0)
        pairs = zip(*gan.data_loader.load_batch(16, is_testing=True), strict=True)
        drawings, shoes = map(np.concatenate, pairs)
        gan.fit(gan.data_loader.batches(4, steps_per_epoch=600), shuffle=False, verbose=0)
        ends[dtype] = np.abs(gan.g_AB.predict(drawings, verbose=0) - shoes).mean()
        assert ends[dtype] < 0.7 * np.abs(shoes.mean(axis=0) - shoes).mean()  # no one picture is an answer
    assert ends["mixed_bfloat16"] <= 1.05 * ends["float32"]
