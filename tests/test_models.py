"""What holds for every model: one table of models, every invariant over all of it."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_gan import DiscoGAN
from keras_gan.errors import BadValueError

MODELS = {
    "discogan": lambda **options: DiscoGAN(
        **{"img_shape": (32, 32, 3), "gf": 4, "df": 4, "dataset_name": "drawn_shoes"} | options
    ),
}


@pytest.fixture(params=MODELS)
def build(request):
    return MODELS[request.param]


def weights(gan):
    return {network.name: network.get_weights() for network in gan.networks}


def moved(before, after):
    """The names of the networks of which any weight is no longer the same bit for bit."""
    return {
        name for name in before if any(not np.array_equal(a, b) for a, b in zip(before[name], after[name], strict=True))
    }


def first(logs):
    return {name: float(value) for name, value in logs.items()}


def test_every_network_is_named_and_compiled_parts_know_their_losses(build):
    gan = build()
    assert len({network.name for network in gan.networks}) == len(gan.networks)
    assert all(part.compiled and part.optimizer for part in gan.parts)
    assert len({id(part.optimizer) for part in gan.parts}) == len(gan.parts)


def test_a_discriminator_update_moves_that_discriminator_alone(build, batch):
    gan, (A, B) = build(), batch()
    inputs = [A, B]
    for discriminator, x, y in gan.discriminator_batches(inputs, gan.combined.generate(inputs)):
        before = weights(gan)
        discriminator.train_on_batch(x, y)
        assert moved(before, weights(gan)) == {discriminator.name}


def test_a_generator_update_moves_both_generators_alone(build, batch):
    gan, inputs = build(), list(batch())
    before = weights(gan)
    gan.combined.train_on_batch(inputs, gan.generator_targets(inputs))
    assert moved(before, weights(gan)) == set(before) - {discriminator.name for discriminator in gan.discriminators}


def test_a_step_of_the_game_moves_everyone(build, batch):
    gan = build()
    before = weights(gan)
    gan.train_on_batch(*batch())
    assert moved(before, weights(gan)) == set(before)


def seven_calls(gan, A, B):
    """The loop of the posts, on the same parts. Returns the loss of each call."""
    valid = np.ones((len(A), *gan.disc_patch))
    fake = np.zeros_like(valid)

    def train(part, x, y):
        part.reset_metrics()  # Keras 3 returns the mean since the last reset
        return np.atleast_1d(part.train_on_batch(x, y))[0]

    fake_B, fake_A = gan.g_AB.predict(A, verbose=0), gan.g_BA.predict(B, verbose=0)
    return {
        "d_A_loss": 0.5 * (train(gan.d_A, A, valid) + train(gan.d_A, fake_A, fake)),
        "d_B_loss": 0.5 * (train(gan.d_B, B, valid) + train(gan.d_B, fake_B, fake)),
        "g_loss": train(gan.combined, [A, B], [valid, valid, B, A, A, B]),
    }


def test_five_fused_steps_equal_the_loop_of_the_post(batch):
    ours, theirs = MODELS["discogan"](seed=3), MODELS["discogan"]()
    for network, copy in zip(ours.networks, theirs.networks, strict=True):
        copy.set_weights(network.get_weights())
    for step in range(5):
        A, B = batch(size=2, seed=step)
        logs, expected = ours.train_on_batch(A, B, return_dict=True), seven_calls(theirs, A, B)
        np.testing.assert_allclose([logs[name] for name in expected], list(expected.values()), rtol=1e-5)
    for network, copy in zip(ours.networks, theirs.networks, strict=True):
        a, b = (np.concatenate([w.ravel() for w in net.get_weights()]) for net in (network, copy))
        assert np.abs(a - b).mean() < 1e-5, network.name
    assert [int(part.optimizer.iterations) for part in ours.parts] == [10, 10, 5]


def test_same_seed_same_losses(build, batch):
    figures = [build(seed=7).train_on_batch(*batch()) for _ in range(2)]
    assert figures[0] == figures[1]
    assert figures[0] != build(seed=8).train_on_batch(*batch())


def test_train_on_batch_returns_the_figures_of_that_batch_alone(build, batch):
    """Twice the same batch without learning must give the same figures, not a running mean with others."""
    sgd = keras.optimizers.SGD(0.0)
    gan = build(g_optimizer=sgd, d_optimizer=sgd)
    first = gan.train_on_batch(*batch(), return_dict=True)
    gan.train_on_batch(*batch(seed=1))
    again = gan.train_on_batch(*batch(), return_dict=True)
    assert first == again
    assert list(first.values()) == gan.train_on_batch(*batch())


def test_training_writes_grids_networks_and_history(build, tmp_path):
    gan = build(output=tmp_path / "run", seed=0)
    history = gan.train(epochs=2, batch_size=2, sample_interval=2, steps_per_epoch=3).history
    assert len(history["g_loss"]) == 2 and np.isfinite(history["g_loss"]).all()
    grids = {path.name for path in (tmp_path / "run/images").iterdir()}
    assert grids == {"0_0.png", "0_2.png", "1_0.png", "1_2.png"}
    networks = {path.name for path in (tmp_path / "run/models").iterdir()}
    assert networks == {f"{network.name}.keras" for network in gan.networks}


def test_training_refuses_to_write_over_an_earlier_run(build, tmp_path):
    build(output=tmp_path, seed=0).train(epochs=1, steps_per_epoch=1)
    with pytest.raises(BadValueError, match="already holds a trained run"):
        build(output=tmp_path).train(epochs=1)


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
x = np.load(sys.argv[1])
for path in sys.argv[2:]:
    model = keras.saving.load_model(path, safe_mode=True)
    assert not model.name.startswith("d_") or model.optimizer, path
    np.save(path + ".npy", model.predict(x, verbose=0))
"""


def test_saved_networks_load_elsewhere_and_give_the_same_pictures(build, batch, tmp_path):
    gan, (A, B) = build(output=tmp_path / "run"), batch()
    gan.train_on_batch(A, B)
    gan.save_networks()
    np.save(tmp_path / "x.npy", A)
    subprocess.run([sys.executable, "-c", LOAD, tmp_path / "x.npy", *gan.network_paths], check=True)
    for network, path in zip(gan.networks, gan.network_paths, strict=True):
        np.testing.assert_array_equal(np.load(f"{path}.npy"), network.predict(A, verbose=0))


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


def test_one_trace_serves_every_batch_of_fit_the_short_last_one_too(build, paired_folder, tmp_path):
    gan = build(dataset_name=str(paired_folder), output=tmp_path / "run")
    traces = []
    play = gan.train_step
    gan.train_step = lambda data: traces.append(data) or play(data)
    gan.train(epochs=2, batch_size=2)  # 5 pairs: batches of 2, 2, 1
    assert len(traces) == 1
