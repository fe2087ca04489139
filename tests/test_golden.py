"""What the post's own program computed, number by number. See the recordings' README for the tolerances."""

import numpy as np
import pytest

from keras_gan import DiscoGAN

NETWORKS = ("g_AB", "g_BA", "d_A", "d_B")
COMBINED = (
    "g_loss",
    "valid_A_loss",
    "valid_B_loss",
    "fake_B_loss",
    "fake_A_loss",
    "reconstr_A_loss",
    "reconstr_B_loss",
)


@pytest.fixture(scope="module")
def golden(shared):
    return np.load(shared("golden/discogan.npz"))


def recorded(golden, when, network):
    """The weights of a network in the file's order."""
    return [golden[key] for key in sorted(key for key in golden.files if key.startswith(f"{when}/{network}/"))]


@pytest.fixture(scope="module")
def played(golden):
    """A DiscoGAN that played the recorded iterations from the recorded weights, and its logs."""
    gan = DiscoGAN(img_shape=(256, 256, 3), gf=4, df=4, dataset_name="drawn_shoes")
    for name in NETWORKS:
        getattr(gan, name).set_weights(recorded(golden, "before", name))
    batches = [golden[f"images_{side}"].reshape(3, 2, 256, 256, 3).astype("float32") / 127.5 - 1 for side in "AB"]
    return gan, [gan.train_on_batch(A, B, return_dict=True) for A, B in zip(*batches, strict=True)]


def test_every_loss_of_combined_at_every_step(golden, played):
    figures = np.array([[logs[name] for name in COMBINED] for logs in played[1]])
    np.testing.assert_allclose(figures, golden["losses/combined"], rtol=1e-4)


@pytest.mark.parametrize("network", ["d_A", "d_B"])
def test_loss_and_accuracy_of_the_discriminators_at_every_step(golden, played, network):
    # Recorded are real and fake one by one; the figure that the post prints is their mean.
    expected = golden[f"losses/{network}"].reshape(3, 2, 2).mean(axis=1)
    figures = [[logs[f"{network}_loss"], logs[f"{network}_acc"]] for logs in played[1]]
    np.testing.assert_allclose(figures, expected, rtol=1e-4)


@pytest.mark.parametrize("network", NETWORKS)
def test_weights_end_where_theirs_did(golden, played, network):
    before, after = (recorded(golden, when, network) for when in ("before", "after"))
    ours = getattr(played[0], network).get_weights()
    difference, movement = (
        np.mean(np.abs(np.concatenate([(a - b).ravel() for a, b in zip(after, other, strict=True)])))
        for other in (ours, before)
    )
    assert difference < 0.1 * movement


def test_the_generator_paints_their_picture(golden, played):
    fake_B = played[0].g_AB.predict(golden["images_A"][:2].astype("float32") / 127.5 - 1, verbose=0)
    np.testing.assert_allclose(fake_B, golden["fake_B_after"], atol=0.02)
    assert np.abs(fake_B - golden["fake_B_after"]).mean() < 1e-3
