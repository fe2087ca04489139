"""Rematerialisation changes no number, and no saved network."""

import keras
import numpy as np
import pytest
from support.models import set_float, weights
from support.toy import Toy

from keras_gan import CycleGANPaper, DiscoGAN
from keras_gan.adversarial import remat
from keras_gan.networks import resnet, unet

ON_JAX = keras.backend.backend() == "jax"

SHOES = {"dataset_name": "drawn_shoes", "seed": 3}
#: Dropout, moving statistics and a pool are state that a network changes while it is computed.
MODELS = {
    "toy": lambda: Toy(seed=0),
    "discogan": lambda: DiscoGAN((16, 16, 3), gf=4, df=4, dropout=0.3, **SHOES),
    "cyclegan paper": lambda: CycleGANPaper(
        (32, 32, 3), gf=4, df=4, pool_size=0, norm="batch", generator="unet", **SHOES
    ),
}


def played(model, parts, is_on):
    gan = MODELS[model]()
    gan.save_memory(parts, is_on)
    shapes = [gan.img_shape] if isinstance(gan, Toy) else [gan.shape_A, gan.shape_B]
    rng = np.random.default_rng(0)
    figures = [gan.train_on_batch(*(rng.uniform(-1, 1, (4, *shape)) for shape in shapes)) for _ in range(3)]
    return np.array(figures), [np.array(state) for state in gan.random_states], weights(gan)


SLOW = ("toy", 2), ("discogan", 1), ("discogan", 2), ("cyclegan paper", 1)


@pytest.mark.parametrize(
    ("model", "parts"), [("toy", 1), *(pytest.param(*row, marks=pytest.mark.slow) for row in SLOW)]
)
def test_rematerialised_networks_are_trained_to_the_same_weights(model, parts):
    set_float("float64")
    try:
        plain, again = (played(model, parts, is_on) for is_on in (False, True))
    finally:
        set_float("float32")
    np.testing.assert_allclose(again[0], plain[0], rtol=1e-12)
    assert all(np.array_equal(a, b) for a, b in zip(again[1], plain[1], strict=True))
    for name, before in plain[2].items():
        for a, b in zip(again[2][name], before, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12, err_msg=name)


def test_networks_are_computed_twice_only_while_generators_learn(monkeypatch):
    layers = []
    monkeypatch.setattr(remat.backend, "remat", lambda segment, run, flat: layers.extend(segment.parts) or run(flat))
    gan = Toy(seed=0)
    gan.save_memory(1, True)
    gan.train_on_batch(np.zeros((2, 8, 8, 1), "float32"))
    assert {layer.name for layer in layers} == {
        layer.name for network in (gan.generator, gan.discriminator) for layer in network.layers
    }
    count = len(layers)
    gan.generate(gan.sample_noise(2))
    gan.test_on_batch(np.zeros((2, 8, 8, 1), "float32"))
    assert len(layers) == count


def cut_and_whole(network, *shape):
    """The names of a network's layers, segment by segment, and what it makes of a picture in segments and whole."""
    segments = []
    inputs = np.random.default_rng(0).uniform(-1, 1, (1, *shape)).astype("float32")
    whole = network(inputs, training=True)
    remat.prepare(keras.Model(network.inputs, network(network.inputs)))
    with pytest.MonkeyPatch.context() as patch, remat.remat(True):
        patch.setattr(remat.backend, "remat", lambda segment, run, flat: segments.append(segment) or run(flat))
        cut = network(inputs, training=True)
    return [[layer.name for layer in segment.parts] for segment in segments], np.array(cut), np.array(whole)


@pytest.mark.parametrize("build", [unet, resnet])
def test_each_layer_is_in_one_segment(build):
    network = build((16, 16, 3), 3, filters=4)
    segments, cut, whole = cut_and_whole(network, 16, 16, 3)
    np.testing.assert_array_equal(cut, whole)
    assert sorted(keras.tree.flatten(segments)) == sorted(layer.name for layer in network.layers)
    assert len(segments) > 1


@pytest.mark.parametrize(("build", "most"), [(resnet, 0.4), (unet, 0.7)])
def test_less_is_in_memory(build, most):
    network = build((64, 64, 3), 3, filters=8)
    made = sum(remat.size(part.made) for part in remat.parts_of(network))
    assert remat.in_memory(remat.parts_of(network)) < most * made


def test_a_layer_called_twice_leaves_the_network_whole():
    x, dense = keras.Input((4,)), keras.layers.Dense(4)
    segments, cut, whole = cut_and_whole(keras.Model(x, dense(keras.ops.tanh(dense(x)))), 4)
    np.testing.assert_array_equal(cut, whole)
    assert len(segments) == 1


def test_networks_within_networks_are_cut():
    x = keras.Input((32, 32, 3))
    outer = keras.Model(x, keras.layers.Rescaling(2.0)(resnet((32, 32, 3), 3, filters=4, blocks=1)(x)))
    segments, cut, whole = cut_and_whole(outer, 32, 32, 3)
    np.testing.assert_array_equal(cut, whole)
    assert len(segments) > 2


class Doubled(keras.Model):
    def call(self, inputs, training=None):
        return 2 * super().call(inputs, training=training)


def test_a_network_with_a_call_of_its_own_keeps_it():
    x = keras.Input((4,))
    segments, cut, whole = cut_and_whole(Doubled(x, keras.layers.Dense(4)(x)), 4)
    np.testing.assert_array_equal(cut, whole)
    assert segments == []


@pytest.mark.skipif(ON_JAX, reason="on JAX, XLA orders the operations of a step")
def test_a_part_waits_for_the_gradients_of_the_part_before():
    import tensorflow as tf

    from keras_gan.backend.tensorflow import gradients_of_part

    class Scaled(keras.layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=(3,), initializer="ones")

        def call(self, x):
            return tf.sin(self.scale * x)

    part = keras.Sequential([keras.Input((3,)), Scaled(), Scaled()])
    first, second = part.layers

    @tf.function
    def step(x):
        def forward(pause):
            found = [remat.backend.remat(layer, lambda xs, layer=layer: layer(xs[0]), [x]) for layer in (first, second)]
            return tf.reduce_sum(found[0]) + tf.reduce_sum(found[1]), None

        return gradients_of_part(None, part, forward)[0]

    graph = step.get_concrete_function(tf.ones((2, 3))).graph
    sines = [op for op in graph.get_operations() if op.type == "Sin"]
    assert len(sines) == 4  # each is computed twice
    assert any(op.type == "Cos" for sine in sines for op in needed(sine))


def needed(operation):
    """All operations that an operation of a graph waits for."""
    found, new = set(), [operation]
    while new:
        one = new.pop()
        before = {*(x.op for x in one.inputs), *one.control_inputs} - found
        found |= before
        new += before
    return found


@pytest.mark.skipif(not ON_JAX, reason="how much memory TensorFlow needs shows only when it runs")
def test_a_compiled_gradient_needs_less_memory():
    import jax

    from keras_gan.backend.jax import functional

    x = img = keras.Input((32, 32, 8))
    for _ in range(16):
        x = keras.layers.Activation("tanh")(keras.layers.Conv2D(8, 3, padding="same")(x))
    network = keras.Model(img, x)
    remat.prepare(keras.Model(img, network(img)))
    values = [variable.value for variable in network.variables]

    def loss(x):
        return functional(network.variables, lambda: keras.ops.sum(network(x, training=True)))(values)[0]

    def needed(is_on):
        with remat.remat(is_on):
            step = jax.jit(jax.grad(loss)).lower(np.zeros((4, 32, 32, 8), "float32")).compile()
        return step.memory_analysis().temp_size_in_bytes

    assert needed(True) < 0.6 * needed(False)


def test_a_saved_network_does_not_know_of_it(tmp_path):
    gan = Toy(seed=0, output=tmp_path / "run")
    gan.train(epochs=1, remat=True)
    opened = keras.saving.load_model(tmp_path / "run" / "models" / "generator.keras")
    noise = gan.sample_noise(3)
    np.testing.assert_array_equal(opened.predict(noise, verbose=0), gan.generate(noise))
    assert "call" not in vars(opened)
