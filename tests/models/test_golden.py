"""What the original programs computed, number by number. See the recordings' README for the tolerances."""

import json

import keras
import numpy as np
import pytest

from keras_gan import CycleGAN, DiscoGAN, DiscoGANPyTorch

OUTPUTS = ("valid_A", "valid_B", "fake_B", "fake_A", "reconstr_A", "reconstr_B")
DISCOGAN = ("g_AB", "g_BA", "d_A", "d_B")
# The notebook's names for CycleGAN's networks.
CYCLEGAN = {"g_AB": "g_target", "g_BA": "g_source", "d_A": "d_source", "d_B": "d_target"}

# The first update of d_A divides gradients by their own size, noise included, and the recording has the rounding of
# TensorFlow's library. In float64 TensorFlow and JAX agree to 1e-6, and both are off the recording by 5.6e-6, 5.0e-4
# and 1.0e-4 in the three iterations; JAX in float32 by the same, to 1e-5, since it rounds less.
rounding = pytest.mark.xfail(
    keras.backend.backend() == "jax", strict=True, reason="off the recording by its rounding, as float64 is"
)


def recorded(golden, when, network):
    """The weights of a network in the file's order."""
    return [golden[key] for key in sorted(key for key in golden.files if key.startswith(f"{when}/{network}/"))]


def difference_and_movement(golden, network, weights):
    """Mean differences of the recorded weights after from these, and from those before."""
    before, after = (recorded(golden, when, network) for when in ("before", "after"))
    return [
        np.mean(np.abs(np.concatenate([(a - b).ravel() for a, b in zip(after, other, strict=True)])))
        for other in (weights, before)
    ]


@pytest.fixture(scope="module")
def discogan(shared):
    """The recording, a DiscoGAN that played its iterations from its weights, and the logs."""
    golden = np.load(shared("golden/discogan.npz"))
    gan = DiscoGAN(img_shape=(256, 256, 3), gf=4, df=4, dataset_name="drawn_shoes")
    for name in DISCOGAN:
        getattr(gan, name).set_weights(recorded(golden, "before", name))
    batches = [golden[f"images_{side}"].reshape(3, 2, 256, 256, 3).astype("float32") / 127.5 - 1 for side in "AB"]
    return golden, gan, [gan.train_on_batch(A, B, return_dict=True) for A, B in zip(*batches, strict=True)]


@rounding
def test_discogan_every_loss_of_combined_at_every_step(discogan):
    golden, _, logs = discogan
    names = ("g_loss", *(f"{name}_loss" for name in OUTPUTS))
    figures = np.array([[step[name] for name in names] for step in logs])
    np.testing.assert_allclose(figures, golden["losses/combined"], rtol=1e-4)


@pytest.mark.parametrize("network", [pytest.param("d_A", marks=rounding), "d_B"])
def test_discogan_loss_and_accuracy_of_the_discriminators_at_every_step(discogan, network):
    golden, _, logs = discogan
    # Recorded are real and fake one by one; the figure that the post prints is their mean.
    expected = golden[f"losses/{network}"].reshape(3, 2, 2).mean(axis=1)
    figures = [[step[f"{network}_loss"], step[f"{network}_acc"]] for step in logs]
    np.testing.assert_allclose(figures, expected, rtol=1e-4)


@pytest.mark.parametrize("network", DISCOGAN)
def test_discogan_weights_end_where_theirs_did(discogan, network):
    golden, gan, _ = discogan
    difference, movement = difference_and_movement(golden, network, getattr(gan, network).get_weights())
    assert difference < 0.1 * movement


@rounding
def test_discogan_paints_their_picture(discogan):
    golden, gan, _ = discogan
    fake_B = gan.g_AB.predict(golden["images_A"][:2].astype("float32") / 127.5 - 1, verbose=0)
    assert np.abs(fake_B - golden["fake_B_after"]).mean() < 1e-3


@pytest.fixture(scope="module", params=["plain", "identity"])
def cyclegan(request, shared):
    """The recording, a CycleGAN that played its iterations from its weights, and the logs."""
    golden = np.load(shared(f"golden/cyclegan_{request.param}.npz"))
    A, B = golden["source"], golden["target"]
    gan = CycleGAN(
        shape_A=A.shape[2:], shape_B=B.shape[2:], identity=request.param == "identity", dataset_name="drawn_shoes"
    )
    for ours, theirs in CYCLEGAN.items():
        getattr(gan, ours).set_weights(recorded(golden, "before", theirs))
    return golden, gan, [gan.train_on_batch(A[i], B[i], return_dict=True) for i in range(3)]


def test_cyclegan_every_loss_at_every_step(cyclegan):
    golden, _, logs = cyclegan
    for ours, theirs in (("g_loss", "adversarial"), ("d_A_loss", "d_source"), ("d_B_loss", "d_target")):
        figures = [step[ours] for step in logs]
        np.testing.assert_allclose(figures, golden[f"losses/{theirs}"][:, 0], rtol=5e-4, err_msg=ours)


def test_cyclegan_parameters_and_weights_end_where_theirs_did(cyclegan):
    golden, gan, _ = cyclegan
    counts = json.loads(str(golden["meta"]))["n_params"]
    for ours, theirs in CYCLEGAN.items():
        network = getattr(gan, ours)
        assert network.count_params() == counts[theirs]
        difference, movement = difference_and_movement(golden, theirs, network.get_weights())
        assert difference < 0.1 * movement, ours


def test_cyclegan_paints_their_picture(cyclegan):
    golden, gan, _ = cyclegan
    fake_B = gan.g_AB.predict(golden["source"][0], verbose=0)
    assert np.abs(fake_B - golden["fake_target_after"]).mean() < 1 / 255


@pytest.fixture(scope="module")
def pytorch(shared):
    """The recording, a DiscoGANPyTorch that played its iterations from its weights, and the logs."""
    golden = np.load(shared("golden/discogan_pytorch.npz"))
    gan = DiscoGANPyTorch(gf=4, df=4, dropout=0.0, dataset_name="drawn_shoes")
    for name in DISCOGAN:
        getattr(gan, name).set_weights([from_pytorch(weight) for weight in recorded(golden, "before", name)])
    batches = [golden[f"images_{side}"].reshape(3, 2, 64, 64, 3).astype("float32") / 127.5 - 1 for side in "AB"]
    return golden, gan, [gan.train_on_batch(A, B, return_dict=True) for A, B in zip(*batches, strict=True)]


def from_pytorch(weight):
    """A kernel in Keras' layout, of convolutions and of transposed ones."""
    return weight.transpose(2, 3, 1, 0) if weight.ndim == 4 else weight


def test_discogan_pytorch_every_loss_at_every_step(pytorch):
    golden, _, logs = pytorch
    columns = json.loads(str(golden["meta"]))["columns"]
    terms = {"loss_GAN": "valid", "loss_cycle": "reconstr", "loss_pixelwise": "fake"}
    for step, expected in zip(logs, golden["losses"], strict=True):
        found = {"d_loss": step["d_loss"], "loss_D_A": step["d_A_loss"], "loss_D_B": step["d_B_loss"]}
        found |= {"g_loss": step["g_loss"]}
        found |= {name: (step[f"{kind}_A_loss"] + step[f"{kind}_B_loss"]) / 2 for name, kind in terms.items()}
        np.testing.assert_allclose([found[name] for name in columns], expected, rtol=5e-4)


@pytest.mark.parametrize("network", DISCOGAN)
def test_discogan_pytorch_weights_end_where_theirs_did(pytorch, network):
    golden, gan, _ = pytorch
    weights = getattr(gan, network).get_weights()
    before, after = ([from_pytorch(w) for w in recorded(golden, when, network)] for when in ("before", "after"))
    difference, movement = (
        np.mean(np.abs(np.concatenate([(a - b).ravel() for a, b in zip(after, other, strict=True)])))
        for other in (weights, before)
    )
    assert difference < 0.1 * movement


def test_discogan_pytorch_paints_their_picture(pytorch):
    golden, gan, _ = pytorch
    fake_B = gan.g_AB.predict(golden["images_A"][:2].astype("float32") / 127.5 - 1, verbose=0)
    expected = golden["fake_B_after"]
    expected = expected if expected.shape == fake_B.shape else expected.transpose(0, 2, 3, 1)
    assert np.abs(fake_B - expected).mean() < 1e-3
