import keras
import numpy as np
import pytest
from PIL import Image

from keras_gan import DiscoGAN, DiscoGANPaper, Pix2Pix, networks, pix2pix


def small(model=Pix2Pix, **options):
    return model(**{"img_shape": (32, 32, 3), "gf": 4, "df": 4, "dataset_name": "drawn_shoes"} | options)


@pytest.fixture(scope="module")
def gan():
    """A shared model for tests that do not change it."""
    return small(seed=0)


def trainable(network):
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


def test_the_networks_of_the_paper_at_256():
    gan = Pix2Pix(dataset_name="drawn_shoes")
    assert trainable(gan.generator) == 54_413_955
    assert trainable(gan.discriminator) == 2_768_705
    assert gan.discriminator.output_shape == (None, 30, 30, 1)
    filters = [layer.filters for layer in gan.generator.layers if hasattr(layer, "filters")]
    assert filters == [64, 128, 256, 512, 512, 512, 512, 512, 512, 512, 512, 512, 256, 128, 64, 3]
    dropouts = [layer for layer in gan.generator.layers if isinstance(layer, keras.layers.Dropout)]
    assert [layer.rate for layer in dropouts] == [0.5] * 3
    assert [layer.output.shape[1] for layer in dropouts] == [2, 4, 8]


@pytest.mark.parametrize(
    ("network", "norm", "parameters"),
    [
        (networks.unet, "batch", 54_413_955),  # as the authors' program says: 54.414 M
        (networks.unet, "instance", 54_409_603),
        (networks.resnet, "batch", 11_383_427),
        (networks.resnet, "instance", 11_378_179),  # 11.378 M
        (networks.resnet, "none", 11_372_931),
    ],
)
def test_the_generators_of_the_authors_at_256(network, norm, parameters):
    generator = network((256, 256, 3), 3, norm=networks.NORMS[norm], dropout=True)
    assert trainable(generator) == parameters
    kinds = {type(layer).__name__ for layer in generator.layers}
    norms = {"BatchNormalization", "InstanceNormalization"} & kinds
    assert norms == {"batch": {"BatchNormalization"}, "instance": {"InstanceNormalization"}, "none": set()}[norm]
    dropouts = [layer for layer in generator.layers if isinstance(layer, keras.layers.Dropout)]
    assert len(dropouts) == (3 if network is networks.unet else 9)


def test_a_chosen_norm_is_that_of_both_networks():
    gan = small(img_shape=(28, 24, 1), generator="resnet", norm="instance")
    assert gan.generator.output_shape == (None, 28, 24, 1)
    for network in gan.networks:
        kinds = {type(layer).__name__ for layer in network._flatten_layers()}
        assert "InstanceNormalization" in kinds and "BatchNormalization" not in kinds
    with pytest.raises(ValueError, match="image size 30x32: .* multiples of 4, at least 24, such as 32x32"):
        small(img_shape=(30, 32, 3), generator="resnet")
    with pytest.raises(ValueError, match="image size 28x24: .* multiples of 8"):
        small(img_shape=(28, 24, 3))


def test_smaller_pictures_have_fewer_levels(gan):
    assert len(gan.generator.layers) < len(small(img_shape=(64, 64, 3)).generator.layers)
    assert small(img_shape=(24, 40, 1)).generator.output_shape == (None, 24, 40, 1)


@pytest.mark.parametrize("model", [Pix2Pix, DiscoGAN])
def test_the_direction_selects_the_half_to_translate(paired_folder, model):
    """Left halves are red, right halves blue. The first array of a batch is translated, the second is the target."""
    for direction, red in (("AtoB", 0), ("BtoA", 1)):
        loader = small(model, dataset_name=paired_folder, direction=direction).data_loader
        for batch in (loader[0], loader.load_data(2, is_testing=True)):
            assert [bool(imgs[..., 0].max() > -0.5) for imgs in batch] == [side == red for side in (0, 1)]
            assert [bool(imgs[..., 2].max() > -0.5) for imgs in batch] == [side != red for side in (0, 1)]


def test_the_first_picture_is_translated_into_the_second(gan, batch):
    """The input of `combined` is A; its targets are the verdict "real" and picture B."""
    A, B = batch()
    (original,) = gan.generator_inputs([A, B])
    np.testing.assert_array_equal(original, A)
    valid, target = gan.generator_targets([A, B])
    np.testing.assert_array_equal(target, B)
    assert valid.shape == (3, *gan.discriminator.output_shape[1:]) and (np.asarray(valid) == 1).all()
    np.testing.assert_allclose(gan.combined([original])[1], gan.generator(A), atol=1e-5)


def test_the_direction_applies_to_unpaired_training_too(paired_folder):
    """With BtoA the right halves are domain A."""
    gan = small(DiscoGANPaper, dataset_name=paired_folder, direction="BtoA", game="gan")
    A, B = gan.data_loader[0]
    assert A[..., 2].max() > 0.2 > B[..., 2].max() and B[..., 0].max() > 0.2 > A[..., 0].max()


def test_a_translation_does_not_depend_on_the_rest_of_the_batch(gan, batch):
    A, _ = batch()
    np.testing.assert_allclose(gan.generator(A)[:1], gan.generator(A[:1]), atol=1e-5)


def test_samples_use_dropout_only_if_asked(gan, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(pix2pix, "save_grid", lambda path, rows, titles: shown.append(np.stack(rows)))
    monkeypatch.chdir(tmp_path)
    pair = gan.data_loader.load_data(3, is_testing=True)
    for model in (gan, small(dropout=True, seed=0)):
        monkeypatch.setattr(model.data_loader, "load_data", lambda **options: pair)
        model.sample_images(0, 0)
        model.sample_images(0, 1)
    without, again, one, another = shown
    np.testing.assert_array_equal(without, again)
    for number, is_another in enumerate((False, True, False)):  # original, translated, partner
        assert np.array_equal(one[:, number], another[:, number]) is not is_another


def test_both_halves_are_enlarged_and_cropped_alike(tmp_path):
    """Equal halves stay equal; the crop moves a vertical ramp."""
    ramp = np.broadcast_to(np.arange(64, dtype="uint8")[:, None, None] * 4, (64, 128, 3))
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
        Image.fromarray(ramp.copy()).save(tmp_path / split / "0.png")
    plain = small(dataset_name=tmp_path, augment=False, img_shape=(64, 64, 3)).data_loader.load_data()[0]
    loader = small(dataset_name=tmp_path, img_shape=(64, 64, 3), seed=0).data_loader
    shifts = set()
    for _ in range(6):
        A, B = loader.load_data()
        np.testing.assert_array_equal(A, B)
        shifts.add(round(float(A[0, 32, 0, 0]), 3))
    assert len(shifts) > 2
    np.testing.assert_array_equal(loader.load_data(is_testing=True)[0], plain)


def test_invalid_values_are_named(tmp_path):
    for name, value, message in (
        ("direction", "AB", "direction must be one of AtoB, BtoA, not 'AB'"),
        ("gan_loss", "wgan", "gan_loss must be one of vanilla, lsgan, not 'wgan'"),
        (
            "img_shape",
            (100, 100, 3),
            "100x100: height and width must be multiples of 8, at least 24, such as 96x96",
        ),
        ("img_shape", (16, 16, 3), "multiples of 8, at least 24, such as 24x24"),
        ("gf", 0, "gf must be a whole number of at least 1, not 0"),
    ):
        with pytest.raises(ValueError, match=message):
            small(**{name: value})


def test_unpaired_data_is_sent_to_cyclegan(tmp_path):
    for side in ("trainA", "trainB"):
        (tmp_path / side).mkdir()
    with pytest.raises(ValueError, match="holds two unpaired sides.*keras_gan.cyclegan.*no pictures in"):
        small(dataset_name=tmp_path)
    for side, name in (("trainA", "horse1.png"), ("trainB", "zebra1.png")):
        Image.new("RGB", (8, 8)).save(tmp_path / side / name)
    with pytest.raises(ValueError, match=r"cyclegan takes it; for pairs, pictures without .* 2 in all: .*horse1"):
        small(dataset_name=tmp_path)
