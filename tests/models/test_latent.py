"""The models that start from noise: GAN, CGAN and DCGAN."""

import imageio.v3 as imageio
import keras
import numpy as np
import pytest

from keras_gan import CGAN, DCGAN, GAN
from keras_gan.dcgan import slerp


def dcgan(**options):
    return DCGAN(**{"img_shape": (32, 32, 3), "gf": 4, "df": 4, "dataset_name": "drawn_shoes"} | options)


def cgan(**options):
    return CGAN(**{"gf": 4, "df": 4, "dataset_name": "drawn_digits"} | options)


def dense(**options):
    return GAN(**{"dataset_name": "drawn_digits"} | options)


@pytest.fixture(scope="module")
def plain():
    """A DCGAN for tests that do not change it."""
    return dcgan(seed=0)


@pytest.fixture(scope="module")
def labelled():
    """A CGAN for tests that do not change it."""
    return cgan(seed=0)


def test_the_five_rules_of_the_dcgan_paper():
    gan = dcgan(img_shape=(64, 64, 3))
    kinds = {type(layer) for network in gan.networks for layer in network.layers}
    assert not kinds & {keras.layers.MaxPooling2D, keras.layers.AveragePooling2D, keras.layers.UpSampling2D}
    assert sum(isinstance(layer, keras.layers.Dense) for layer in gan.discriminator.layers) == 0
    generator, discriminator = ([type(layer).__name__ for layer in network.layers] for network in gan.networks)
    assert generator.count("BatchNormalization") == 4 and generator[-1] == "Conv2DTranspose"
    assert generator.count("ReLU") == 4 and gan.generator.layers[-1].activation is keras.activations.tanh
    assert discriminator.count("BatchNormalization") == 3 and discriminator[1:3] == ["Conv2D", "LeakyReLU"]
    filters = [layer.filters for layer in gan.generator.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert filters == [16, 8, 4, 3]


@pytest.mark.parametrize("shape", [(28, 28, 1), (128, 128, 1), (32, 48, 3)])
def test_sizes(shape):
    gan = dcgan(img_shape=shape)
    images = gan.generate(gan.sample_noise(2))
    assert images.shape == (2, *shape) and images.dtype == "float32" and np.abs(images).max() <= 1
    assert gan.discriminator.output_shape == (None, 1)


@pytest.mark.parametrize("shape", [(30, 30, 3), (100, 100, 3), (16, 16, 3)[:2] + (2,), (8, 8, 3), (28, 512, 3)])
def test_invalid_sizes_are_named(shape):
    with pytest.raises(ValueError, match="image size|channels"):
        dcgan(img_shape=shape)


@pytest.mark.parametrize("make", [dcgan, cgan, dense])
def test_a_latent_dim_below_one_is_named(make):
    with pytest.raises(ValueError, match="latent_dim must be a whole number of at least 1, not 0"):
        make(latent_dim=0)


def test_noise_of_another_shape_is_named(plain, labelled):
    for generate in (plain.generate, lambda z: labelled.generate([0] * len(z), z)):
        for shape in ((3, 99), (0, 100)):
            with pytest.raises(ValueError, match=rf"noise must be of shape \(n, 100\), not \({shape[0]}, {shape[1]}\)"):
                generate(np.zeros(shape))


def test_every_sample_grid_uses_the_same_noise(plain, tmp_path, monkeypatch):
    monkeypatch.setattr(plain.run, "folder", tmp_path)
    (tmp_path / "images").mkdir()
    first, second = plain.sample_images(0, 0), plain.sample_images(0, 1)
    assert first.read_bytes() == second.read_bytes()
    assert imageio.imread(first).shape == (6 * 66 - 2, 10 * 66 - 2, 3)


def test_every_step_draws_new_noise_from_the_seed():
    imgs = [np.zeros((4, 32, 32, 3), "float32")]
    one, two = dcgan(seed=1), dcgan(seed=1)
    (first,), (again,), (second,) = one.generator_inputs(imgs), two.generator_inputs(imgs), one.generator_inputs(imgs)
    np.testing.assert_array_equal(first, again)
    assert first.shape == (4, 100) and not np.array_equal(first, second)


def test_interpolated_codes_keep_their_length():
    z0, z1 = np.random.default_rng(0).standard_normal((2, 100))
    z1 *= np.linalg.norm(z0) / np.linalg.norm(z1)
    np.testing.assert_allclose([slerp(z0, z1, 0), slerp(z0, z1, 1)], [z0, z1])
    np.testing.assert_allclose(np.linalg.norm(slerp(z0, z1, 0.5)), np.linalg.norm(z0))
    np.testing.assert_allclose(slerp(z0, z0, 0.5), z0)  # no arc
    np.testing.assert_allclose(slerp(z0, -z0, 0.25), 0.5 * z0, atol=1e-6)


def test_interpolation_and_arithmetic_save_a_strip_and_an_animation(plain, tmp_path, monkeypatch):
    gan = plain
    monkeypatch.setattr(gan.run, "folder", tmp_path)
    z = gan.fixed_noise
    path = gan.interpolate(z[0], z[1], n=5)
    assert path == tmp_path / "interpolation.png" and imageio.imread(path).shape == (64, 5 * 66 - 2, 3)
    frames = imageio.imread(path.with_suffix(".gif"), index=None)
    assert frames.shape == (8, 32, 32, 3)  # there and back
    ends = np.clip(255 * (gan.generate(z[:2]) + 1) / 2 + 0.5, 0, 255).astype("uint8")
    strip = imageio.imread(path)[::2, ::2]
    np.testing.assert_array_equal(strip[:, :32], ends[0])
    np.testing.assert_array_equal(strip[:, -32:], ends[1])

    path = gan.arithmetic(z[:3], z[3:6], z[6:9], path=tmp_path / "sum.png")
    expected = gan.generate([z[:3].mean(0) - z[3:6].mean(0) + z[6:9].mean(0)])[0]
    strip = imageio.imread(path)[::2, ::2]
    assert np.abs(strip[:, -32:].astype(float) - 127.5 * (expected + 1)).max() <= 1
    assert path.with_suffix(".gif").exists()
    with pytest.raises(ValueError, match="n must be a whole number of at least 2, not 1"):
        gan.interpolate(z[0], z[1], n=1)
    with pytest.raises(ValueError, match="noise must be of shape"):
        gan.interpolate(z[0, :5], z[1])


def test_labels_are_names_or_numbers_and_unknown_ones_are_named(labelled):
    gan = labelled
    z = gan.sample_noise(2, seed=0)
    np.testing.assert_array_equal(gan.generate([3, 4], z), gan.generate(["3", np.int64(4)], z))
    assert not np.array_equal(gan.generate([3, 3], z), gan.generate([4, 4], z))
    assert gan.generate(range(10)).shape == (10, 28, 28, 1)
    for label in (10, -1, "ten", 2.5, True):
        with pytest.raises(ValueError, match=f"unknown class {label!r}: the classes are 0, 1, 2"):
            gan.generate([label])
    with pytest.raises(ValueError, match="3 labels need 3 codes, not 2"):
        gan.generate([1, 2, 3], z)


@pytest.mark.parametrize(
    ("classes", "numbers", "unknown"),
    [
        (["1", "2", "3", "4", "5"], {1: 0, 5: 4, np.int64(2): 1}, 0),
        (["01", "02", "12"], {1: 0, 12: 2}, 0),
        (["10", "20"], {10: 0, 20: 1}, 1),
        (["cat", "1", "dog"], {1: 1}, 0),
        (["cat", "dog"], {0: 0, 1: 1}, 2),
    ],
)
def test_a_number_is_the_name_of_a_class_where_names_are_numbers(labelled, monkeypatch, classes, numbers, unknown):
    monkeypatch.setattr(labelled, "classes", classes)
    assert {number: labelled.class_number(number) for number in numbers} == numbers
    assert [labelled.class_number(name) for name in classes] == list(range(len(classes)))
    with pytest.raises(ValueError, match=f"unknown class {unknown}: the classes are {', '.join(classes)}"):
        labelled.class_number(unknown)


def test_the_rows_of_a_grid_are_the_classes_whatever_their_names(labelled, monkeypatch):
    expected = labelled.fixed_sample().rows
    monkeypatch.setattr(labelled, "classes", [str(number) for number in range(1, 11)])
    np.testing.assert_array_equal(labelled.fixed_sample().rows, expected)


def test_the_grid_of_cgan_has_one_row_per_class(labelled, tmp_path, monkeypatch):
    gan = labelled
    monkeypatch.setattr(gan.run, "folder", tmp_path)
    (tmp_path / "images").mkdir()
    height, width, _ = imageio.imread(gan.sample_images(0, 0)).shape
    assert height == 10 * (84 + 2) - 2 and width > 10 * (84 + 2)


def test_both_networks_of_cgan_use_the_label(labelled, batch):
    imgs, z = batch(28, 28, 1)[0], labelled.sample_noise(3, seed=0)
    verdicts = [labelled.discriminator([imgs, np.full(3, label)]) for label in (0, 1)]
    assert not np.allclose(*verdicts)
    assert not np.allclose(*(labelled.generate([label] * 3, z) for label in (0, 1)))


def test_gan_is_dense():
    gan = dense()
    assert not any(isinstance(layer, keras.layers.Conv2D) for network in gan.networks for layer in network.layers)
    assert gan.generate(gan.sample_noise(3)).shape == (3, 28, 28, 1)


def test_the_sample_of_cgan_has_one_row_per_class_and_the_same_noise_in_each_column():
    gan = CGAN(gf=4, df=4, dataset_name="drawn_digits", seed=0)
    rows = gan.fixed_sample().rows
    assert len(rows) == len(gan.classes)
    for label, column in ((0, 0), (3, 2), (9, 1)):
        expected = gan.generate([label], gan.fixed_noise[column : column + 1])[0]
        off = [np.abs(picture - expected).max() for row in rows for picture in row]
        assert np.argmin(off) == label * len(rows[0]) + column and min(off) < 1e-6 < sorted(off)[1]
