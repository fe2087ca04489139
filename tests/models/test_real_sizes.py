"""At realistic sizes, a step of every model equals a step with plain Keras layers and optimizers.

Small models use few of the fast paths: their kernels, maps and channels are too small. In float64 any remaining
difference is an error. The rounding errors of single and half precision are tested separately.
"""

import functools
import gc
import weakref
from typing import NamedTuple

import keras
import numpy as np
import pytest
from support.backends import same_constants
from support.machine import HAS_BFLOAT16
from support.models import pictures, set_float, slow, without_dropout
from support.plain import ON_TENSORFLOW, WAYS, noting, plain

from keras_gan import CGAN, CUT, DCGAN, GAN, CycleGAN, CycleGANPaper, DiscoGAN, DiscoGANPaper, DiscoGANPyTorch, Pix2Pix
from keras_gan.backend import operations
from keras_gan.backend.memory import giving_back

SHOES, DIGITS = {"dataset_name": "drawn_shoes"}, {"dataset_name": "drawn_digits"}
ADAM, TAPS, BOX = {"Adam"}, {"by taps", "joined gradients"}, {"upsampled by taps", "transposed and box"}

pytestmark = pytest.mark.optimized
on_tensorflow = pytest.mark.skipif(not ON_TENSORFLOW, reason="these fast paths need TensorFlow")
on_jax = pytest.mark.skipif(ON_TENSORFLOW, reason="these forms are used on JAX")
has_bfloat16 = pytest.mark.skipif(not HAS_BFLOAT16, reason="this processor has no bfloat16")


def shape(side, channels=3):
    return {"img_shape": (side, side, channels)}


ROWS = {  # constructor, batch size, steps, and the fast paths used on TensorFlow
    "discogan": (lambda **o: DiscoGAN(**shape(128), **SHOES, **o), 1, 1, ADAM | TAPS | BOX),
    "discogan paper": (
        lambda **o: DiscoGANPaper(**shape(64), **SHOES, **o),
        2,
        2,  # the discriminators', the generators'
        ADAM | TAPS | {"transposed by taps"},
    ),
    "discogan pytorch": (
        lambda **o: DiscoGANPyTorch(**shape(64), **SHOES, **o),
        1,
        1,
        ADAM | TAPS | {"transposed by taps", "few filters"},
    ),
    "pix2pix": (
        lambda **o: Pix2Pix(**shape(256), **SHOES, **o),
        1,
        1,
        ADAM | TAPS | {"transposed by taps", "Winograd 4x4", "few filters"},
    ),
    "cyclegan": (lambda **o: CycleGAN(**shape(128), **SHOES, **o), 2, 1, {"RMSprop"}),
    "cyclegan paper": (
        lambda **o: CycleGANPaper(**shape(128), **SHOES, **o),
        1,
        1,
        ADAM | {"Winograd 3x3", "few filters"},
    ),
    "cut": (lambda **o: CUT(**shape(128), **SHOES, **o), 1, 1, ADAM | {"Winograd 3x3", "few filters"}),
    "dcgan": (lambda **o: DCGAN(**shape(64), **SHOES, **o), 3, 2, ADAM | TAPS | {"transposed by taps"}),
    "cgan": (lambda **o: CGAN(**DIGITS, **o), 3, 2, ADAM | TAPS),
    "gan": (lambda **o: GAN(**DIGITS, **o), 3, 2, ADAM),
}
FAST = ("cgan",)
EXACT = [row if row in FAST else slow(row) for row in ROWS]


def test_every_fast_path_is_used_by_a_row():
    assert set().union(*(ways for *_, ways in ROWS.values())) | {"transposed on JAX"} == set(WAYS)


class Trained(NamedTuple):
    """A trained variable and its optimizer slots after the steps."""

    path: str
    weight: np.ndarray
    momentum: np.ndarray  # with RMSprop, which has none: the weight
    velocity: np.ndarray


class Played(NamedTuple):
    figures: np.ndarray  # (steps, figures)
    parts: list  # of lists of `Trained`
    statistics: list  # all other variables of the networks


def played(row, changed=lambda gan: None, eagerly=False):
    """Runs the steps of a row from fixed weights and batches. Eagerly a single step is computed before it is traced."""
    make, size, steps, _ = ROWS[row]
    gan = make(seed=3)
    gan.run_eagerly = eagerly and ON_TENSORFLOW
    changed(gan)
    figures = [gan.train_on_batch(*noise(gan, size, seed)) for seed in range(steps)]
    parts = [trained(part) for part in gan.parts]
    statistics = [np.asarray(variable) for network in gan.networks for variable in network.non_trainable_weights]
    del gan
    with giving_back():  # returns gigabytes to the system
        gc.collect()
    return Played(np.array(figures, "float64"), parts, statistics)


def trained(part):
    variables, optimizer = part.trainable_variables, part.optimizer
    momentums = getattr(optimizer, "_momentums", None) or variables
    slots = zip(variables, momentums, optimizer._velocities, strict=True)
    return [Trained(weight.path, *map(np.asarray, (weight, *of_it))) for weight, *of_it in slots]


def noise(gan, size, seed):
    def batch(height, width):
        return np.random.default_rng(seed).uniform(-1, 1, (2, size, height, width, 3)).astype(keras.config.floatx())

    return pictures(gan, batch)


def check_same(ours, theirs):
    """Compares figures, gradients, weights and statistics, relative to the largest value of each variable.

    Weights without a true gradient are excluded, such as a bias before a norm: theirs is only rounding error.
    """
    np.testing.assert_allclose(ours.figures, theirs.figures, rtol=1e-9)
    for found, expected in zip(ours.parts, theirs.parts, strict=True):
        least = 1e-16 * max(variable.velocity.max() for variable in expected)
        for a, b in zip(found, expected, strict=True):
            if b.velocity.max() < least:
                assert a.velocity.max() < least, a.path
                continue
            for x, y in zip(a[1:], b[1:], strict=True):
                np.testing.assert_allclose(x, y, rtol=0, atol=1e-7 * np.abs(y).max(), err_msg=a.path)
    for a, b in zip(ours.statistics, theirs.statistics, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-7 * np.abs(b).max())


@pytest.mark.timeout(600)
@on_tensorflow
@pytest.mark.parametrize("row", EXACT)
def test_a_step_equals_one_of_plain_layers_and_optimizers(row, floatx, monkeypatch):
    floatx("float64")
    with noting(monkeypatch) as taken:
        ours = played(row)
    assert set(taken) == ROWS[row][-1]
    with plain(monkeypatch), noting(monkeypatch) as taken:
        theirs = played(row, eagerly=True)
    assert not taken
    check_same(ours, theirs)


def test_a_trained_model_is_freed():
    """No global object refers to the graph of its step."""
    gan = CGAN(**DIGITS, seed=3)
    gan.train_on_batch(*noise(gan, 3, 0))
    left = [weakref.ref(variable) for variable in gan.variables]
    del gan
    gc.collect()
    assert not [variable() for variable in left if variable() is not None]


def decayed(gan):
    """Adds an L2 regulariser and a max-norm constraint to every kernel."""
    for network in gan.networks:
        for layer in network.layers:
            if hasattr(layer, "kernel"):
                layer.kernel.regularizer = keras.regularizers.L2(1e-2)
                layer.kernel.constraint = keras.constraints.MaxNorm(0.5)


@on_tensorflow
@pytest.mark.parametrize("row", [slow("cgan"), slow("discogan paper")])
def test_regularisers_and_constraints_apply_to_fast_paths(row, floatx, monkeypatch):
    floatx("float64")
    ours = played(row, decayed)
    with plain(monkeypatch):
        theirs = played(row, decayed, eagerly=True)
        without = played(row, eagerly=True)
    check_same(ours, theirs)
    with pytest.raises(AssertionError):
        check_same(without, theirs)


def initial_weights(row):
    """Initial weights in float32: other dtypes would draw other numbers."""
    return [network.get_weights() for network in ROWS[row][0](seed=3).networks]


def gradients(row, weights, eagerly=False):
    """Gradients of each part in the last step of a row, from these weights, without dropout (dtype-dependent)."""

    def prepared(gan):
        without_dropout(gan)
        for network, values in zip(gan.networks, weights, strict=True):
            network.set_weights(values)

    parts = played(row, prepared, eagerly).parts
    return [np.concatenate([variable.momentum.ravel() for variable in part]).astype("float64") for part in parts]


def errors(found, exact):
    """Relative errors of the gradients of each part."""
    return np.array([np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(found, exact, strict=True)])


@pytest.fixture(scope="module")
def exact():
    """Initial weights of Pix2Pix, and its gradients in float64 with plain layers: computed once for all dtypes."""
    weights = initial_weights("pix2pix")
    set_float("float64")
    with pytest.MonkeyPatch.context() as patch, plain(patch):
        found = gradients("pix2pix", weights, eagerly=True)
    set_float("float32")
    return weights, found


@pytest.mark.timeout(600)
@on_tensorflow
@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", pytest.param("mixed_bfloat16", marks=has_bfloat16)])
def test_rounding_errors_do_not_exceed_those_of_plain_layers(dtype, exact, floatx, monkeypatch):
    """Compares gradients with float64 ones, for the part with the largest error: errors of single parts are random."""
    weights, exact = exact
    floatx(dtype)
    with plain(monkeypatch):
        expected = errors(gradients("pix2pix", weights), exact)
    found = errors(gradients("pix2pix", weights), exact)
    assert found.max() <= 3 * expected.max() < 1, (found, expected)


@pytest.mark.timeout(600)
@on_jax
def test_on_jax_a_step_equals_one_of_plain_layers(monkeypatch):
    """In float32: in float64 XLA takes minutes."""
    weights = initial_weights("discogan paper")
    with noting(monkeypatch) as taken:
        ours = gradients("discogan paper", weights)
    assert taken["transposed on JAX"]
    with plain(monkeypatch), noting(monkeypatch) as taken:
        theirs = gradients("discogan paper", weights)
    assert not taken
    assert errors(ours, theirs).max() < 1e-3


@on_jax
def test_on_jax_the_forms_for_a_gpu_equal_plain_layers(floatx, monkeypatch):
    """Compiled for this CPU, in float64, with few filters, on the maps of DiscoGAN at 128x128."""
    floatx("float64")
    same_constants(monkeypatch)
    monkeypatch.setattr(operations, "on_gpu", lambda: True)
    narrow = functools.partial(DiscoGAN, **shape(128), gf=8, df=4, **SHOES)
    monkeypatch.setitem(ROWS, "narrow", (narrow, 1, 1, set()))
    with noting(monkeypatch) as taken:
        ours = played("narrow")
    assert taken["upsampled by taps"] and taken["by taps"]
    with plain(monkeypatch):
        theirs = played("narrow")
    check_same(ours, theirs)
