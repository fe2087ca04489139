"""Differentiable augmentation and instance noise: what discriminators see."""

import json

import keras
import numpy as np
import pytest
from keras import ops
from support.models import MODELS, pictures, slow, weights
from support.resuming import EVERY_STEP, check_same, cut_back
from support.toy import Toy

from keras_gan.adversarial import augment
from keras_gan.adversarial.augment import DRAWS, KINDS, Shown, augmented
from keras_gan.adversarial.step import judge
from keras_gan.errors import BadValueError

SHAPE = (6, 16, 24, 3)
RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, SHAPE).astype("float32")
PLACES = RNG.uniform(0, 1, (len(IMAGES), len(DRAWS))).astype("float32")
PLACES[0], PLACES[1] = 0, np.nextafter(np.float32(1), np.float32(0))  # the extremes


def by_hand(image, draws, kinds):
    """The authors' transforms of one picture in [-1, 1], pixel by pixel where they move."""
    b, s, c, down, right, y, x = draws.astype("float64")
    image = image.astype("float64")
    height, width, channels = image.shape
    if "color" in kinds:
        image = image + (b - 0.5)
        if channels > 1:
            gray = image.mean(axis=2, keepdims=True)
            image = (image - gray) * 2 * s + gray
        image = (image - image.mean()) * (c + 0.5) + image.mean()
    if "translation" in kinds:
        moved, reach = np.zeros_like(image), (int(height / 8 + 0.5), int(width / 8 + 0.5))
        dy, dx = (min(int(u * (2 * r + 1)), 2 * r) - r for u, r in zip((down, right), reach, strict=True))
        for i in range(height):
            for j in range(width):
                if 0 <= i - dy < height and 0 <= j - dx < width:
                    moved[i, j] = image[i - dy, j - dx]
        image = moved
    if "cutout" in kinds:
        image = image.copy()
        sides = height // 2, width // 2  # even here
        top, left = (
            min(int(u * (n + 1)), n) - side // 2 for u, n, side in zip((y, x), image.shape, sides, strict=False)
        )
        image[max(top, 0) : top + sides[0], max(left, 0) : left + sides[1]] = 0
    return image


@pytest.mark.parametrize("kinds", [*[(kind,) for kind in KINDS], KINDS])
@pytest.mark.parametrize("channels", [1, 3])
def test_transforms_are_those_of_the_paper(kinds, channels):
    """On both backends: both are compared with the same figures, for the same draws."""
    images = IMAGES[..., :channels]
    found = ops.convert_to_numpy(augmented(ops.convert_to_tensor(images), ops.convert_to_tensor(PLACES), kinds))
    expected = [by_hand(image, draws, kinds) for image, draws in zip(images, PLACES, strict=True)]
    np.testing.assert_allclose(found, expected, atol=2e-6)
    assert all(np.abs(a - b).max() > 0.1 for a, b in zip(found, images, strict=True) if kinds != ("translation",))


def test_pictures_from_0_to_1_are_transformed_like_those_from_minus_1_to_1():
    """What is empty is gray in both."""
    signed, unsigned = (
        ops.convert_to_numpy(augmented(ops.convert_to_tensor(images), ops.convert_to_tensor(PLACES), KINDS, span))
        for images, span in ((IMAGES, (-1, 1)), (IMAGES / 2 + 0.5, (0, 1)))
    )
    np.testing.assert_allclose(unsigned * 2 - 1, signed, atol=2e-6)


def gradient_of(function, x):
    """The gradient of a scalar function on either backend."""
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(function)(x))
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return tape.gradient(value, x).numpy()


def test_gradients_are_those_of_finite_differences(floatx):
    floatx("float64")
    rng = np.random.default_rng(1)
    images, into = (rng.uniform(-1, 1, (len(PLACES), 8, 8, 3)) for _ in "ab")

    def weighted(x):
        x = ops.convert_to_tensor(x, "float64")
        return ops.sum(augmented(x, ops.convert_to_tensor(PLACES), KINDS) * into)

    found = gradient_of(weighted, images)
    for place in [tuple(rng.integers(0, images.shape)) for _ in range(20)]:
        step = np.zeros_like(images)
        step[place] = 0.5  # it is linear
        expected = float(weighted(images + step)) - float(weighted(images - step))
        assert found[place] == pytest.approx(expected, abs=1e-6)  # on JAX, Keras takes means in float32
    assert np.mean(found != 0) > 0.4


@pytest.mark.parametrize("text, kinds", [("none", ()), ("all", KINDS), ("cutout, color", ("color", "cutout"))])
def test_names_of_transforms(text, kinds):
    assert augment.parsed(text) == kinds


@pytest.mark.parametrize("text", ["colour", "color,", "", "all,color"])
def test_an_unknown_transform_is_refused_with_the_list(text, tmp_path):
    with pytest.raises(BadValueError, match="some of color,translation,cutout, or all or none, not '"):
        Toy(output=tmp_path, diffaugment=text)
    with pytest.raises(BadValueError, match="instance_noise must be a number of at least 0"):
        Toy(output=tmp_path, instance_noise=-0.1)


def test_a_pair_gets_the_same_transform_and_labels_none():
    shown = Shown(("translation", "cutout"), 0, lambda: (-1, 1))
    labels = np.arange(len(IMAGES))
    first, gray, same = shown([IMAGES, IMAGES[..., :1], labels], training=True)
    np.testing.assert_array_equal(np.asarray(first)[..., :1], gray)
    np.testing.assert_array_equal(same, labels)
    assert np.abs(np.asarray(first) - IMAGES).max() > 0.1
    assert np.abs(np.asarray(shown(IMAGES, training=True)) - np.asarray(first)).max() > 0.1  # draws anew
    np.testing.assert_array_equal(shown(IMAGES), IMAGES)


def test_nothing_changes_by_default_or_outside_training(batch):
    """The very same tensors by default; with it, validation sees pictures as they are, and saves no layer of it."""
    plain, gan = Toy(seed=0), Toy(seed=0, diffaugment="all", instance_noise=0.5)
    x = ops.convert_to_tensor(IMAGES)
    assert plain.augmentation is None and plain.shown(x, training=True) is x
    imgs = pictures(plain, batch)
    one, other = (judge(each, imgs) for each in (plain, gan))
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-6, err_msg=name)
    for network in gan.networks:
        assert "Shown" not in network.to_json()


def test_noise_fades_to_zero_with_the_iteration():
    gan = Toy(seed=0, instance_noise=0.2, noise_iterations=100)
    gray = ops.zeros((16, 8, 8, 1))
    for iteration, sigma in ((0, 0.2), (50, 0.1), (100, 0), (150, 0)):
        gan.iteration.assign(iteration)
        noise = ops.convert_to_numpy(gan.shown(gray, training=True))
        assert noise.std() == pytest.approx(sigma, rel=0.1) and abs(noise.mean()) < 0.05


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_a_resumed_run_goes_on_with_the_same_draws(tmp_path):
    options = {"diffaugment": "color,cutout", "instance_noise": 0.1, "noise_iterations": 9}
    gan = Toy(seed=3, output=tmp_path / "run", **options)
    gan.train(**EVERY_STEP)
    assert json.loads((tmp_path / "run/config.json").read_text())["arguments"]["diffaugment"] == "color,cutout"
    check_same(gan, Toy.resume(cut_back(tmp_path / "run", tmp_path / "copy", iteration=4)))


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("model", [row if row == "cgan" else slow(row) for row in MODELS])
def test_every_model_takes_it(model, batch):
    """Each discriminator, and the generators through it, sees augmented pictures."""
    plain, gan = (MODELS[model](seed=0, **options) for options in ({}, {"diffaugment": "all"}))
    imgs, calls = pictures(gan, batch), []
    seen = gan.augmentation.seen
    gan.augmentation.seen = lambda images, draws: calls.append(images.shape) or seen(images, draws)
    for _ in range(2 if gan.discriminators_every else 1):
        one, other = (each.train_on_batch(*imgs, return_dict=True) for each in (plain, gan))
    assert sum(shape[0] for shape in calls) >= 3 * len(imgs[0])  # originals, fakes, and fakes for the generators
    names = [name for name in one if name.startswith("valid") or (name.endswith("_loss") and name[0] == "d")]
    differ = [name for name in names if one[name] != other[name]]
    assert differ == [name for name in names if one[name]]  # 0 where an iteration trains no discriminator
    before = weights(plain)
    assert {name: [w.shape for w in those] for name, those in before.items()} == {
        name: [w.shape for w in those] for name, those in weights(gan).items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_a_compiled_step_at_a_real_size(dtype, policy, batch, tmp_path):
    policy(dtype)
    gan = MODELS["dcgan"](seed=0, img_shape=(64, 64, 3), gf=32, df=32, diffaugment="all", instance_noise=0.1)
    imgs = batch(64, 64, size=64)[:1]
    before = weights(gan)
    logs = [gan.train_on_batch(*imgs, return_dict=True) for _ in range(3)][-1]
    assert np.isfinite(list(logs.values())).all()
    assert all(np.any(a != b) for name in before for a, b in zip(before[name], weights(gan)[name], strict=True))
