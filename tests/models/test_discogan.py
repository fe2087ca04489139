import keras
import numpy as np
import pytest
from support.scoring import scores

from keras_gan import DiscoGAN
from keras_gan.errors import BadValueError
from keras_gan.layers import InstanceNormalization

OUTPUTS = ["valid_A", "valid_B", "fake_B", "fake_A", "reconstr_A", "reconstr_B"]


def small(img_shape=(32, 32, 3), **options):
    return DiscoGAN(img_shape, gf=4, df=4, dataset_name="drawn_shoes", **options)


@pytest.fixture(scope="module")
def gan():
    """A shared model for tests that work with any weights."""
    return small()


def norms(network):
    """The sizes (height, width) of the normalised maps."""
    return [layer.output.shape[1:3] for layer in network.layers if isinstance(layer, InstanceNormalization)]


def test_the_networks_of_the_post_at_128():
    gan = DiscoGAN(dataset_name="drawn_shoes")
    assert gan.g_AB.count_params() == gan.g_BA.count_params() == 41_833_475
    assert gan.d_A.count_params() == gan.d_B.count_params() == 2_766_529
    assert gan.disc_patch == (8, 8, 1)
    assert (1, 1) not in norms(gan.g_AB)
    filters = [layer.filters for layer in gan.g_AB.layers if isinstance(layer, keras.layers.Conv2D)]
    assert filters == [64, 128, 256, 512, 512, 512, 512, 512, 512, 512, 256, 128, 64, 3]


def test_at_256_the_innermost_map_is_normalised_too():
    assert (2, 2) in norms(small((256, 256, 3)).g_AB)


@pytest.mark.parametrize("shape", [(24, 40, 1), (8, 256, 3)])
@pytest.mark.usefixtures("eagerly")
def test_other_sizes_and_gray_pictures_work(shape, batch, tmp_path):
    gan = small(shape, output=tmp_path)
    A, B = batch(*shape, size=1)
    fake_B = gan.g_AB(A)
    assert fake_B.shape == A.shape and np.abs(fake_B).max() <= 1
    assert gan.d_B(fake_B).shape[1:] == gan.disc_patch == (-(-shape[0] // 16), -(-shape[1] // 16), 1)
    assert np.isfinite(gan.train_on_batch(A, B)).all()
    assert gan.sample_images(3, 200) == tmp_path / "images" / "3_200.png"


@pytest.mark.parametrize("shape", [(100, 100, 3), (127, 128, 3), (128, 130, 3), (4, 4, 3)])
def test_an_invalid_size_is_named_with_a_valid_one(shape):
    with pytest.raises(ValueError, match=rf"image size {shape[0]}x{shape[1]}: .* multiples of 8, such as \d+x\d+"):
        small(shape)


@pytest.mark.parametrize("shape", [(64, 64), (0, 0, 3), 64, (64, 64, "3")])
def test_an_invalid_shape_is_named(shape):
    with pytest.raises(BadValueError, match="img_shape"):
        small(shape)


def test_discogan_has_the_attributes_of_the_post(gan):
    assert (gan.img_rows, gan.img_cols, gan.channels) == gan.img_shape == (32, 32, 3)
    assert gan.dataset_name == gan.data_loader.dataset_name == "drawn_shoes"


def test_dropout_is_in_the_inner_levels(gan):
    dropping = DiscoGAN((128, 128, 3), gf=2, df=2, dataset_name="drawn_shoes", dropout=0.5)
    layers = [layer for layer in dropping.g_AB.layers if isinstance(layer, keras.layers.Dropout)]
    assert [layer.output.shape[1] for layer in layers] == [16, 8, 4, 2, 1, 2, 4, 8]
    assert not any(isinstance(layer, keras.layers.Dropout) for layer in gan.g_AB.layers)


def test_invalid_values_are_named():
    with pytest.raises(ValueError, match="dropout must be at least 0 and below 1, not 1.0"):
        small(dropout=1.0)
    with pytest.raises(ValueError, match="python -m keras_gan.discogan_paper --game recongan"):
        small(recipe="recongan")
    with pytest.raises(ValueError, match="drawn_shoes has pictures of 1 or 3 channels, not 4"):
        small((32, 32, 4))
    with pytest.raises(ValueError, match="gf must be a whole number of at least 1, not 0"):
        DiscoGAN(gf=0)


@pytest.mark.usefixtures("eagerly")
def test_combined_has_the_outputs_of_the_post(gan, batch):
    A, B = batch()
    assert gan.combined.output_names == OUTPUTS
    valid = np.ones((3, *gan.disc_patch))
    total, *parts = gan.combined.train_on_batch([A, B], [valid, valid, B, A, A, B])
    assert len(parts) == 6 and np.isclose(total, sum(parts), rtol=1e-5)


def test_outputs_of_combined_match_their_names(gan, batch):
    A, B = batch()
    outputs = dict(zip(OUTPUTS, gan.combined([A, B]), strict=True))
    fake_B, fake_A = gan.g_AB(A), gan.g_BA(B)
    expected = [gan.d_A(fake_A), gan.d_B(fake_B), fake_B, fake_A, gan.g_BA(fake_B), gan.g_AB(fake_A)]
    for name, value in zip(OUTPUTS, expected, strict=True):
        np.testing.assert_allclose(outputs[name], value, atol=1e-5, err_msg=name)


@pytest.mark.usefixtures("eagerly")
def test_logs_name_every_term(gan, batch):
    logs = gan.train_on_batch(*batch(), return_dict=True)
    parts = [f"{name}_loss" for name in OUTPUTS]
    assert set(logs) == {"g_loss", *parts, "d_loss", "d_acc", "d_A_loss", "d_A_acc", "d_B_loss", "d_B_acc"}
    assert np.isclose(logs["g_loss"], sum(logs[name] for name in parts), rtol=1e-5)
    assert np.isclose(logs["d_loss"], 0.5 * (logs["d_A_loss"] + logs["d_B_loss"]), rtol=1e-5)
    assert np.isclose(logs["d_acc"], 0.5 * (logs["d_A_acc"] + logs["d_B_acc"]), rtol=1e-5)


@pytest.fixture(scope="module")
def weighted():
    """A model without the translation term and with other optimizers; and its `g_optimizer`."""
    optimizer = keras.optimizers.RMSprop(1e-3)
    weights = {"adversarial_weight": 2, "translation_weight": 0, "reconstruction_weight": 5}
    return small(**weights, g_optimizer=optimizer, d_optimizer="sgd"), optimizer


@pytest.mark.usefixtures("eagerly")
def test_weights_and_optimizers_are_arguments(weighted, batch):
    gan, optimizer = weighted
    logs = gan.train_on_batch(*batch(), return_dict=True)
    adversarial = logs["valid_A_loss"] + logs["valid_B_loss"]
    reconstruction = logs["reconstr_A_loss"] + logs["reconstr_B_loss"]
    assert np.isclose(logs["g_loss"], 2 * adversarial + 5 * reconstruction, rtol=1e-5)
    assert isinstance(gan.combined.optimizer, keras.optimizers.RMSprop) and gan.combined.optimizer is not optimizer
    assert isinstance(gan.d_A.optimizer, keras.optimizers.SGD) and gan.d_A.optimizer is not gan.d_B.optimizer


@pytest.mark.usefixtures("eagerly")
def test_without_the_translation_term_the_pairing_has_no_effect(weighted, batch):
    """With weight 0, shuffling B against A does not change the total loss, since losses are batch means."""
    gan, (A, B) = weighted[0], batch()
    paired, shuffled = (scores(gan, A, imgs) for imgs in (B, B[[2, 0, 1]]))
    assert np.isclose(paired["loss"], shuffled["loss"], rtol=1e-5)
    assert not np.isclose(paired["fake_B_loss"], shuffled["fake_B_loss"], rtol=1e-5)
