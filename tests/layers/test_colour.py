"""Gray pictures get colours and keep their lightness."""

import keras
import numpy as np
import pytest
from support.gradients import gradients

from keras_gan import CycleGAN, CycleGANPaper, Pix2Pix, generators, translate
from keras_gan.layers import AddLightness
from keras_gan.layers.colour import AB, LUMA, from_lab, from_ycbcr, linear, root, with_lightness

color = pytest.importorskip("skimage.color")


def lab_of(rgb):
    return color.rgb2lab(np.asarray(rgb, "float64"))


def random(*shape, low=0.0, high=1.0):
    return np.random.default_rng(0).uniform(low, high, shape).astype("float32")


def test_lab_is_that_of_scikit_image_there_and_back():
    rgb = random(4, 64, 64, 3)
    lab = lab_of(rgb)
    gray = color.lab2rgb(np.concatenate([lab[..., :1], 0 * lab[..., 1:]], axis=-1))[..., :1].astype("float32")
    np.testing.assert_allclose(116 * np.asarray(root(linear(gray))) - 16, lab[..., :1], atol=2e-3)
    back = from_lab(gray, (lab[..., 1:] / AB).astype("float32"))
    np.testing.assert_allclose(back, rgb, atol=2e-3)  # scikit-image rounds its white to five digits


def test_ycbcr_goes_there_and_back():
    rgb = random(4, 64, 64, 3)
    luma = rgb @ np.array(LUMA, "float32")[:, None]
    chroma = np.concatenate([(rgb[..., 2:] - luma) / (1 - LUMA[2]), (rgb[..., :1] - luma) / (1 - LUMA[0])], axis=-1)
    np.testing.assert_allclose(from_ycbcr(luma, chroma), rgb, atol=2e-6)


@pytest.mark.parametrize("value_range", [(-1, 1), (0, 1)])
def test_every_colour_has_the_lightness_of_the_gray_picture(value_range):
    """Also those that do not exist at this lightness, which become paler."""
    gray = random(4, 64, 64, 1, low=value_range[0])
    chroma = random(4, 64, 64, 2, low=value_range[0])
    low, high = value_range
    for space in ("lab", "ycbcr"):
        rgb = (np.asarray(AddLightness(space, value_range)([gray, chroma])) - low) / (high - low)
        assert rgb.min() > -1e-6 and rgb.max() < 1 + 1e-6 and rgb.std(axis=-1).mean() > 0.1
        plain = ((gray - low) / (high - low)).repeat(3, axis=-1)
        if space == "lab":
            np.testing.assert_allclose(lab_of(rgb)[..., 0], lab_of(plain)[..., 0], atol=1e-3)
        else:
            np.testing.assert_allclose(rgb @ np.array(LUMA), plain[..., 0], atol=1e-6)


@pytest.mark.parametrize("space", ["lab", "ycbcr"])
def test_no_colour_is_gray_and_gradients_are_finite_everywhere(space):
    gray = np.array([-1, -1 + 1e-6, -0.999, -0.9, 0, 0.9, 1], "float32").reshape(1, 7, 1, 1)
    layer = AddLightness(space)
    none, weights = np.zeros((1, 7, 1, 2), "float32"), np.array([1, 2, 4], "float32")
    np.testing.assert_allclose(layer([gray, none]), gray.repeat(3, axis=-1), atol=1e-6)
    for chroma in (none, none + 1, none - 1, none + np.array([1, -1], "float32")):
        by_gray, by_chroma = gradients(lambda *x: layer(list(x)) * weights, gray, chroma)
        assert np.isfinite(by_gray).all() and np.isfinite(by_chroma).all()
        assert np.abs(by_chroma[:, 3:6]).max() < 20 and (np.abs(by_chroma[:, 3:6]).max(axis=-1) > 1e-3).all()


def test_a_colour_that_is_too_strong_hears_that_it_is():
    gray, strong = np.zeros((1, 1, 1, 1), "float32"), np.ones((1, 1, 1, 2), "float32")
    layer = AddLightness("lab")
    true = np.asarray(layer([gray, 0.1 * strong]))
    (towards,) = gradients(lambda chroma: (layer([gray, chroma]) - true) ** 2, strong)
    assert float(np.sum(np.asarray(towards) * strong)) > 1e-3


def tiny(model=Pix2Pix, **options):
    return model(**{"img_shape": (32, 32, 3), "gf": 4, "df": 4, "dataset_name": "drawn_shoes", "seed": 0} | options)


def test_a_saved_network_tells_its_range_and_colours_pictures_of_any_size(tmp_path):
    gray = keras.Input((16, 16, 1))
    x = keras.layers.Conv2D(4, 3, 2, padding="same")(gray)
    chroma = keras.layers.Conv2DTranspose(2, 3, 2, padding="same", activation="sigmoid")(x)
    with_lightness(keras.Model(gray, chroma, name="network"), "lab", (0, 1)).save(tmp_path / "network.keras")
    opened = generators.find(tmp_path / "network.keras")
    assert (opened.kind, opened.value_range, opened.out_shape, opened.multiple) == (
        "translation",
        (0, 1),
        (16, 16, 3),
        2,
    )
    picture = random(23, 29, 1)
    (coloured,) = translate(opened, [picture])
    np.testing.assert_allclose(lab_of(coloured)[..., 0], lab_of(picture.repeat(3, axis=-1))[..., 0], atol=1e-3)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("model", [Pix2Pix, CycleGAN, CycleGANPaper])
def test_a_step_trains_and_the_saved_generator_opens_alone(model, tmp_path):
    gan = tiny(model, colour="lab", output=str(tmp_path / "run"))
    assert (gan.shape_A, gan.shape_B) == ((32, 32, 1), (32, 32, 3))
    grays, colours = gan.data_loader[0]
    network = gan.generator if model is Pix2Pix else gan.g_AB
    before = network.get_weights()
    assert np.isfinite(gan.train_on_batch(grays, colours)).all()
    assert sum((a != b).any() for a, b in zip(before, network.get_weights(), strict=True)) > len(before) // 2
    gan.save_networks()
    opened = generators.find(gan.run_folder / "models" / f"{network.name}.keras")
    assert opened.value_range == gan.data_loader.value_range and opened.multiple >= 4
    np.testing.assert_allclose(opened(grays), network(grays), atol=1e-5)
    low, high = opened.value_range
    picture = random(72, 80, 1)
    (coloured,) = translate(opened.path, [low + (high - low) * picture])
    assert coloured.shape == (72, 80, 3)
    lightness = lab_of((coloured - low) / (high - low))[..., 0]
    np.testing.assert_allclose(lightness, lab_of(picture.repeat(3, axis=-1))[..., 0], atol=1e-3)


def test_mixed_precision_keeps_the_lightness():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        gan = tiny(colour="lab")
    finally:
        keras.config.set_dtype_policy("float32")
    gray = random(2, 32, 32, 1, low=-1)
    made, plain = ((np.asarray(x) + 1) / 2 for x in (gan.generator(gray), gray.repeat(3, axis=-1)))
    np.testing.assert_allclose(lab_of(made)[..., 0], lab_of(plain)[..., 0], atol=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"colour": "hsv"}, "colour must be one of rgb, lab, ycbcr, not 'hsv'"),
        ({"shape_A": (32, 32, 3)}, r"colour lab adds colours .* not 3 channels to 3: leave shape_A and shape_B out"),
        ({"shape_B": (32, 32, 1)}, r"colour lab adds colours .* not 1 channels to 1"),
    ],
)
def test_pictures_that_are_not_gray_and_colour_are_refused(options, message):
    for model in (Pix2Pix, CycleGAN, CycleGANPaper):
        with pytest.raises(ValueError, match=message):
            tiny(model, **{"colour": "lab"} | options)
