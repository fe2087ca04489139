"""CUT: the contrastive loss, its gradients, and the arguments of CUT and FastCUT."""

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image
from support.models import MODELS

from keras_gan import CUT
from keras_gan.adversarial.losses import patch_nce
from keras_gan.errors import BadValueError
from keras_gan.layers import Coin, SamePatches, mirrored
from keras_gan.networks import resnet, resnet_encoder


def units(*shape, seed=0):
    vectors = np.random.default_rng(seed).normal(size=shape).astype("float32")
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_patch_nce_is_the_cross_entropy_of_the_own_patch_among_those_of_the_picture():
    queries, keys = units(2, 3, 4), units(2, 3, 4, seed=1)
    expected = []
    for q, k in zip(queries, keys, strict=True):  # one picture after the other: no negatives from another
        likeness = np.exp(q @ k.T / 0.07)
        expected.append(np.mean([-np.log(likeness[i, i] / sum(likeness[i])) for i in range(3)]))
    np.testing.assert_allclose(patch_nce(queries, keys, 0.07), expected, rtol=1e-4)
    same = np.tile(units(1, 1, 4), (1, 5, 1))
    np.testing.assert_allclose(patch_nce(same, same, 0.07), [np.log(5)], rtol=1e-5)


def test_both_batches_give_the_features_of_the_same_places_and_none_twice():
    layer, places = SamePatches(4), np.arange(15.0).reshape(1, 3, 5, 1)
    maps = np.concatenate([places, places + 100]).astype("float32")
    first, second = (np.asarray(x) for x in layer([maps, maps + 1000]))
    np.testing.assert_array_equal(second, first + 1000)
    np.testing.assert_array_equal(first[1], first[0] + 100)
    assert len(set(first[0].ravel())) == 4
    assert not np.array_equal(layer([maps, maps])[0], first)
    np.testing.assert_array_equal(SamePatches(99)([maps, maps])[0], maps.reshape(2, 15, 1))


def test_coins_mirror_some_pictures_in_training_and_none_in_inference():
    images = np.random.default_rng(0).normal(size=(64, 2, 3, 1)).astype("float32")
    coins = Coin()(images, training=True)
    assert 16 < float(ops.sum(coins)) < 48 and set(np.unique(coins)) == {0, 1}
    for image, coin, shown in zip(images, np.asarray(coins).ravel(), mirrored(images, coins), strict=True):
        np.testing.assert_array_equal(shown, image[:, ::-1] if coin else image)
    assert not np.any(Coin()(images))


def test_the_encoder_returns_five_maps_of_the_generator_and_ends_before_its_last_block():
    generator = resnet((32, 32, 3), 3, filters=4)
    encoder = resnet_encoder(generator)
    sizes = [(38, 38, 3), (16, 16, 8), (8, 8, 16), (8, 8, 16), (8, 8, 16)]
    assert [shape[1:] for shape in encoder.output_shape] == sizes
    unused = [layer for layer in generator.layers if layer.weights and layer not in encoder.layers]
    assert len(unused) == 5  # the sixth block has two convolutions, then two doublings and the last one
    maps = encoder(units(1, 32, 32, 3))
    at_end = keras.Model(generator.input, generator.layers[1].output)(units(1, 32, 32, 3))
    np.testing.assert_array_equal(maps[0], at_end)


def test_a_head_learns_from_queries_alone():
    """A head of both learns what it learns when the keys are numbers."""
    head = keras.layers.Dense(4, kernel_initializer="orthogonal")
    queries, keys, made = keras.Input((3, 4)), keras.Input((3, 4)), keras.Input((3, 4))
    numbers = units(2, 3, 4), units(2, 3, 4, seed=1)
    of_both = keras.Model([queries, keys], patch_nce(head(queries), head(keys), 0.5))
    of_queries = keras.Model([queries, made], patch_nce(head(queries), made, 0.5))
    kernel, learned = np.array(head.kernel), []
    for model, second in ((of_both, numbers[1]), (of_queries, np.asarray(head(numbers[1])))):
        head.kernel.assign(kernel)
        model.compile(keras.optimizers.SGD(0.1), "mae")
        model.train_on_batch([numbers[0], second], np.zeros(2, "float32"))
        learned.append(np.array(head.kernel))
        head.bias.assign(np.zeros(4))
    np.testing.assert_allclose(*learned, rtol=1e-5)
    assert np.abs(learned[0] - kernel).max() > 1e-3


def test_networks_start_as_in_the_program_so_that_first_translations_are_gray():
    """With CycleGAN's N(0, 0.02) they are coloured noise, which takes hundreds of iterations to go."""
    gan = CUT(img_shape=(32, 32, 3), gf=16, df=16, dataset_name="drawn_shoes")
    for network in gan.networks:
        kernels = [np.asarray(weights) for weights in network.trainable_weights if len(weights.shape) > 1]
        for kernel in kernels:
            *taps, inputs, outputs = kernel.shape
            expected = 0.02 * np.sqrt(2 / (np.prod(taps, initial=1) * (inputs + outputs)))
            assert kernel.std() == pytest.approx(expected, rel=0.2), (network.name, kernel.shape)
    assert np.abs(gan.generator(units(2, 32, 32, 3))).max() < 0.15


def test_cut_and_fastcut_differ_as_in_the_paper():
    cut, fast = MODELS["cut"](), MODELS["fastcut"]()
    assert cut.combined.output_names == ["valid", "nce", "nce_identity"]
    assert cut.combined.get_compile_config()["loss_weights"] == [1, 0.5, 0.5]
    assert fast.combined.output_names == ["valid", "nce"]
    assert fast.combined.get_compile_config()["loss_weights"] == [1, 10]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"img_shape": (30, 32, 3)}, "30x32: height and width must be multiples of 4, at least 24"),
        ({"patches": 1}, "patches must be a whole number of at least 2, not 1"),
        ({"temperature": 0}, "temperature must be a number above 0, not 0"),
        ({"nce_weight": -1}, "nce_weight"),
        ({"fast": "yes"}, "fast"),
        ({"direction": "both"}, "direction must be"),
    ],
)
def test_what_cannot_work_is_refused_by_name(options, message):
    with pytest.raises(BadValueError, match=message):
        CUT(**{"img_shape": (32, 32, 3), "dataset_name": "drawn_shoes"} | options)


def test_stacked_folders_need_as_many_channels_in_the_other_domain(tmp_path):
    for name in ("near", "far", "photos"):
        (tmp_path / name).mkdir()
        for number in range(2):
            Image.new("L", (32, 32)).save(tmp_path / name / f"{number}.png")
    stacked = [str(tmp_path / "near"), str(tmp_path / "far")]
    with pytest.raises(BadValueError, match=r"CUT needs equal channels, not 2 \(A\) and 1 \(B\)"):
        CUT((32, 32, 1), dataset_A=stacked, dataset_B=str(tmp_path / "photos"))
