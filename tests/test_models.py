"""What holds for every model: one table of models, every invariant over all of it."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_gan import CycleGAN, DiscoGAN
from keras_gan.errors import BadValueError

SMALL = {"img_shape": (32, 32, 3), "dataset_name": "drawn_shoes"}
COLOURING = {"shape_A": (32, 32, 1), "shape_B": (32, 32, 3), "dataset_name": "drawn_shoes"}
MODELS = {
    "discogan": lambda **options: DiscoGAN(**SMALL | {"gf": 4, "df": 4} | options),
    "cyclegan unet": lambda **options: CycleGAN(**SMALL | options),
    "cyclegan unet, gray and colour": lambda **options: CycleGAN(**COLOURING | {"patchgan": False} | options),
    "cyclegan resnet": lambda **options: CycleGAN(**SMALL | {"recipe": "resnet"} | options),
}


@pytest.fixture(params=MODELS)
def build(request):
    return MODELS[request.param]


def pictures(gan, batch, **options):
    """A batch of pairs of the shapes that this model takes."""
    A, B = batch(**options)
    channels = [tensor.shape[-1] for tensor in gan.combined.inputs]
    return A[..., : channels[0]], B[..., : channels[1]]


def weights(gan):
    return {network.name: network.get_weights() for network in gan.networks}


def moved(before, after):
    """The names of the networks of which any weight is no longer the same bit for bit."""
    return {
        name for name in before if any(not np.array_equal(a, b) for a, b in zip(before[name], after[name], strict=True))
    }


def test_every_network_is_named_and_compiled_parts_know_their_losses(build):
    gan = build()
    assert len({network.name for network in gan.networks}) == len(gan.networks)
    assert all(part.compiled and part.optimizer for part in gan.parts)
    assert len({id(part.optimizer) for part in gan.parts}) == len(gan.parts)


def test_a_discriminator_update_moves_that_discriminator_alone(build, batch):
    gan = build()
    inputs = list(pictures(gan, batch))
    for discriminator, x, y in gan.discriminator_batches(inputs, gan.combined.generate(inputs)):
        before = weights(gan)
        discriminator.train_on_batch(x, y)
        assert moved(before, weights(gan)) == {discriminator.name}


def test_a_generator_update_moves_both_generators_alone(build, batch):
    gan = build()
    inputs = list(pictures(gan, batch))
    before = weights(gan)
    gan.combined.train_on_batch(inputs, gan.generator_targets(inputs))
    assert moved(before, weights(gan)) == set(before) - {discriminator.name for discriminator in gan.discriminators}


def test_a_step_of_the_game_moves_everyone(build, batch):
    gan = build()
    before = weights(gan)
    gan.train_on_batch(*pictures(gan, batch))
    assert moved(before, weights(gan)) == set(before)


def train(part, x, y):
    part.reset_metrics()  # not every Keras 3 returns the figure of this batch alone
    return np.atleast_1d(part.train_on_batch(x, y))[0]


def loop_of_the_discogan_post(gan, A, B):
    """Its seven calls, on the same parts. Returns the losses."""
    valid = np.ones((len(A), *gan.disc_patch))
    fake = np.zeros_like(valid)
    fake_B, fake_A = gan.g_AB.predict(A, verbose=0), gan.g_BA.predict(B, verbose=0)
    return {
        "d_A_loss": 0.5 * (train(gan.d_A, A, valid) + train(gan.d_A, fake_A, fake)),
        "d_B_loss": 0.5 * (train(gan.d_B, B, valid) + train(gan.d_B, fake_B, fake)),
        "g_loss": train(gan.combined, [A, B], [valid, valid, B, A, A, B]),
    }


def loop_of_the_cyclegan_notebook(gan, A, B, generators_first=False):
    """Its five calls, on the same parts; in the order of the paper's code if asked for. Returns the losses."""
    valid = np.ones((len(A), *gan.d_A.output_shape[1:]))
    labels = np.concatenate([valid, np.zeros_like(valid)])
    fake_B, fake_A = gan.g_AB.predict(A, verbose=0), gan.g_BA.predict(B, verbose=0)
    targets = [valid, valid, A, B, *([A, B] if gan.identity else [])]
    losses = {}
    if generators_first:
        losses["g_loss"] = train(gan.combined, [A, B], targets)
    losses["d_B_loss"] = train(gan.d_B, np.concatenate([B, fake_B]), labels)
    losses["d_A_loss"] = train(gan.d_A, np.concatenate([A, fake_A]), labels)
    if not generators_first:
        losses["g_loss"] = train(gan.combined, [A, B], targets)
    return losses


def loop_of_the_cyclegan_paper(gan, A, B):
    return loop_of_the_cyclegan_notebook(gan, A, B, generators_first=True)


# In float32 the resnet recipe amplifies rounding a hundredfold per step, whoever computes it: InstanceNorm of weights
# as small as N(0, 0.02), then Adam. In float64 what is left of a difference is one of arithmetic.
LOOPS = {
    "discogan": (loop_of_the_discogan_post, "float32", {}),
    "cyclegan unet": (loop_of_the_cyclegan_notebook, "float32", {}),
    "cyclegan unet, gray and colour": (loop_of_the_cyclegan_notebook, "float32", {}),
    "cyclegan resnet": (loop_of_the_cyclegan_paper, "float64", {"pool_size": 0}),
}


@pytest.fixture
def floatx():
    """Sets Keras' float type, undone after the test."""

    def set_floatx(dtype):
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)

    yield set_floatx
    set_floatx("float32")


@pytest.mark.parametrize("model", MODELS)
def test_five_fused_steps_equal_the_loop_call_by_call(model, batch, floatx):
    loop, dtype, options = LOOPS[model]
    floatx(dtype)
    ours, theirs = MODELS[model](seed=3, **options), MODELS[model](**options)
    for network, copy in zip(ours.networks, theirs.networks, strict=True):
        copy.set_weights(network.get_weights())
    for step in range(5):
        A, B = (side.astype(dtype) for side in pictures(ours, batch, size=2, seed=step))
        logs, expected = ours.train_on_batch(A, B, return_dict=True), loop(theirs, A, B)
        np.testing.assert_allclose([logs[name] for name in expected], list(expected.values()), rtol=1e-5)
    for network, copy in zip(ours.networks, theirs.networks, strict=True):
        a, b = (np.concatenate([w.ravel() for w in net.get_weights()]) for net in (network, copy))
        assert np.abs(a - b).mean() < 1e-5, network.name
    steps = [[int(part.optimizer.iterations) for part in gan.parts] for gan in (ours, theirs)]
    assert steps[0] == steps[1]


def test_same_seed_same_losses(build, batch):
    one, same, other = build(seed=7), build(seed=7), build(seed=8)
    A, B = pictures(one, batch)
    np.testing.assert_allclose(one.train_on_batch(A, B), same.train_on_batch(A, B), rtol=1e-6)
    assert moved(weights(build(seed=7)), weights(other)) == set(weights(other))


def test_train_on_batch_returns_the_figures_of_that_batch_alone(batch):
    """The same batch without learning must give the same figures, not a running mean with another one's."""
    sgd = keras.optimizers.SGD(0.0)
    gan = MODELS["discogan"](g_optimizer=sgd, d_optimizer=sgd)
    first = gan.train_on_batch(*batch(), return_dict=True)
    gan.train_on_batch(*batch(seed=1))
    assert gan.train_on_batch(*batch(), return_dict=True) == first
    assert gan.train_on_batch(*batch()) == list(first.values())


def test_training_writes_grids_networks_and_history_and_is_traced_once(build, tmp_path):
    gan = build(output=tmp_path / "run", seed=0)
    for side in ("train", "train_A", "train_B"):
        del getattr(gan.data_loader, side, [])[5:]
    traces = []
    step = gan.train_step
    gan.train_step = lambda data: traces.append(data) or step(data)
    history = gan.train(epochs=2, batch_size=2, sample_interval=2).history  # 5 pictures: batches of 2, 2, 1
    assert len(traces) == 1
    assert len(history["g_loss"]) == 2 and np.isfinite(history["g_loss"]).all()
    grids = {path.name for path in (tmp_path / "run/images").iterdir()}
    assert grids == {"0_0.png", "0_2.png", "1_0.png", "1_2.png"}
    networks = {path.name for path in (tmp_path / "run/models").iterdir()}
    assert networks == {f"{network.name}.keras" for network in gan.networks}
    with pytest.raises(BadValueError, match="already holds a trained run"):
        build(output=tmp_path / "run").train(epochs=1)


@pytest.mark.parametrize("name", ["epochs", "batch_size", "sample_interval", "steps_per_epoch"])
def test_numbers_below_one_are_refused_by_name(build, tmp_path, name):
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, not 0"):
        build(output=tmp_path / "run").train(**{name: 0})
    assert not list(tmp_path.iterdir())


def test_an_output_folder_that_cannot_be_written_is_named(build, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"output folder '.*file/run' cannot be written"):
        build(output=tmp_path / "file" / "run").train()


LOAD = """
import sys, numpy as np, keras, keras_gan.layers
for path in sys.argv[1:]:
    model = keras.saving.load_model(path, safe_mode=True)
    assert not model.name.startswith("d_") or model.optimizer, path
    np.save(path + ".npy", model.predict(np.load(path + ".input.npy"), verbose=0))
"""


def test_saved_networks_load_elsewhere_and_give_the_same_pictures(build, batch, tmp_path):
    gan = build(output=tmp_path / "run")
    gan.train_on_batch(*pictures(gan, batch))
    gan.save_networks()
    for network, path in zip(gan.networks, gan.network_paths, strict=True):
        np.save(f"{path}.input.npy", batch()[0][..., : network.input_shape[-1]])
    subprocess.run([sys.executable, "-c", LOAD, *gan.network_paths], check=True)
    for network, path in zip(gan.networks, gan.network_paths, strict=True):
        expected = network.predict(np.load(f"{path}.input.npy"), verbose=0)
        np.testing.assert_array_equal(np.load(f"{path}.npy"), expected)


def test_weights_and_all_other_state_come_back(build, batch, tmp_path):
    """What `save_weights` keeps, optimizers and past fakes included, makes another model go on the same way."""
    one, other = build(seed=1), build(seed=2)
    A, B = pictures(one, batch)
    for _ in range(2):
        one.train_on_batch(A, B)
    one.save_weights(tmp_path / "all.weights.h5")
    other.make_train_function()
    other.load_weights(tmp_path / "all.weights.h5")
    np.testing.assert_allclose(one.train_on_batch(A, B), other.train_on_batch(A, B), rtol=1e-6)


def test_a_failed_save_leaves_the_earlier_file(build, tmp_path, monkeypatch):
    gan = build(output=tmp_path)
    gan.save_networks()
    before = gan.network_paths[0].read_bytes()

    def broken_save(path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(gan.networks[0], "save", broken_save)
    with pytest.raises(OSError, match="disk full"):
        gan.save_networks()
    assert gan.network_paths[0].read_bytes() == before
    assert not list((tmp_path / "models").glob("*unfinished*"))
