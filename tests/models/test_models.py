"""Invariants of all models in the table of `support.models`."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from support.models import (
    LOOPS,
    MODELS,
    ROWS,
    moved,
    noise_for,
    pictures,
    rows,
    slow,
    targets_of,
    tensors,
    weights,
    without_dropout,
)
from support.toy import Toy

from keras_gan.adversarial.latent import LatentModel
from keras_gan.errors import BadValueError
from keras_gan.report.csv_log import read_rows

# On JAX test_backends.py compares the other rows with TensorFlow, and test_jax_alone.py trains a DiscoGAN
ON_JAX = keras.backend.backend() == "jax"


@pytest.fixture(scope="module", params=ROWS)
def built(request):
    """A shared model, for tests that work with any weights."""
    return MODELS[request.param]()


def test_every_network_is_named_and_compiled_parts_know_their_losses(built):
    gan = built
    assert len({network.name for network in gan.networks}) == len(gan.networks)
    assert all(part.compiled and part.optimizer for part in gan.parts)
    assert len({id(part.optimizer) for part in gan.parts}) == len(gan.parts)


@pytest.mark.usefixtures("eagerly")
def test_a_discriminator_update_moves_only_that_discriminator(built, batch):
    gan = built
    imgs = tensors(pictures(gan, batch))
    for discriminator, x, y in gan.discriminator_batches(imgs, gan.combined.generate(gan.generator_inputs(imgs))):
        before = weights(gan)
        discriminator.train_on_batch(x, y)
        assert moved(before, weights(gan)) == {discriminator.name}


@pytest.mark.usefixtures("eagerly")
def test_a_generator_update_moves_only_the_generators(built, batch):
    """The moving statistics of the discriminators' BatchNormalization stay unchanged, too."""
    gan = built
    imgs = tensors(pictures(gan, batch))
    before = weights(gan)
    gan.combined.train_on_batch(gan.generator_inputs(imgs), targets_of(gan, imgs))
    assert moved(before, weights(gan)) == set(before) - {discriminator.name for discriminator in gan.discriminators}


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("model", rows("pix2pix", "cgan", "gan"))
def test_real_and_fake_never_share_a_batch_of_statistics(model, batch):
    """A step changes moving statistics exactly like separate calls on each batch of each discriminator."""
    still = keras.optimizers.SGD(0.0)
    gan, other = (without_dropout(MODELS[model](seed=4, g_optimizer=still, d_optimizer=still)) for _ in range(2))
    imgs = tensors(pictures(gan, batch))
    gan.train_on_batch(*imgs)
    fakes = other.combined.generate(other.generator_inputs(imgs), training=True)
    for discriminator, x, _ in other.discriminator_batches(imgs, fakes):
        discriminator(x, training=True)
    for network, expected in zip(gan.networks, other.networks, strict=True):
        if network in gan.discriminators or isinstance(gan, LatentModel):
            for a, b in zip(network.get_weights(), expected.get_weights(), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.timeout(300)  # CycleGAN on JAX, in float64
@pytest.mark.parametrize("model", rows("cgan", "gan", *(["cyclegan"] if ON_JAX else ["pix2pix", "dcgan"])))
def test_five_fused_steps_equal_the_loop_call_by_call(model, batch, floatx):
    loop, dtype, options = LOOPS[model]
    floatx(dtype)
    ours, theirs = (without_dropout(MODELS[model](seed=3, **options)) for _ in range(2))
    for network, copy in zip(ours.networks, theirs.networks, strict=True):
        copy.set_weights(network.get_weights())
    for part in [*theirs.parts, *theirs.networks]:
        part.run_eagerly = keras.backend.backend() == "tensorflow"  # tracing each of them takes longer
    for step in range(5):
        imgs = pictures(ours, batch, size=2, seed=step)
        imgs = [x.astype(dtype) if x.dtype == "float32" else x for x in imgs]
        logs, expected = ours.train_on_batch(*imgs, return_dict=True), loop(theirs, *imgs)
        np.testing.assert_allclose([logs[name] for name in expected], list(expected.values()), rtol=1e-5)
    for network, copy in zip(ours.networks, theirs.networks, strict=True):
        a, b = (np.concatenate([w.ravel() for w in net.get_weights()]) for net in (network, copy))
        assert np.abs(a - b).mean() < 1e-5, network.name
    steps = [[int(part.optimizer.iterations) for part in gan.parts] for gan in (ours, theirs)]
    assert steps[0] == steps[1]


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("model", rows("pix2pix", "gan"))
def test_a_step_moves_every_network_and_the_same_seed_gives_the_same_losses(model, batch):
    one, same, other = (MODELS[model](seed=seed) for seed in (7, 7, 8))
    assert moved(weights(one), weights(other)) == set(weights(other))
    imgs, before = pictures(one, batch), weights(one)
    for _ in range(2 if one.discriminators_every else 1):
        np.testing.assert_allclose(one.train_on_batch(*imgs), same.train_on_batch(*imgs), rtol=1e-6)
    assert moved(before, weights(one)) == set(before)


@pytest.mark.parametrize(
    "model", ["pix2pix", "cgan", *map(slow, ("discogan", "discogan paper", "cyclegan paper", "cut"))]
)
@pytest.mark.usefixtures("eagerly")
def test_in_bfloat16_outputs_are_float32_and_losses_are_close(model, batch, policy):
    exact = MODELS[model](seed=0)
    policy("mixed_bfloat16")
    gan = MODELS[model](seed=0)
    assert {layer.compute_dtype for network in gan.networks for layer in network.layers} == {"bfloat16", "float32"}
    outputs = [*gan.combined.outputs, *[output for network in gan.networks for output in network.outputs]]
    assert {output.dtype for output in outputs} == {"float32"}
    imgs = pictures(gan, batch)
    for _ in range(2 if gan.discriminators_every else 1):
        logs, expected = gan.train_on_batch(*imgs, return_dict=True), exact.train_on_batch(*imgs, return_dict=True)
    for name in ("g_loss", "d_loss"):
        assert logs[name] == pytest.approx(expected[name], rel=0.05, abs=0.02), name


def test_in_float16_losses_are_scaled_and_every_network_learns(batch, policy):
    policy("mixed_float16")
    gan = MODELS["gan"](seed=0, d_optimizer=keras.optimizers.Adam(1e-3), g_optimizer=keras.optimizers.SGD(0.0))
    assert all(isinstance(part.optimizer, keras.optimizers.LossScaleOptimizer) for part in gan.parts)
    before, imgs = weights(gan), pictures(gan, batch)
    # The initial loss scale is so high that the first steps overflow and are skipped.
    logs = [gan.train_on_batch(*imgs, return_dict=True) for _ in range(20)]
    assert moved(before, weights(gan)) == set(before)
    losses = np.array([[step["g_loss"], step["d_loss"]] for step in logs])
    assert np.isfinite(losses).all() and losses.max() < 20  # not the scaled ones
    assert losses[-1, 1] < 0.9 * losses[0, 1] and losses[-1, 0] > losses[0, 0]  # only the discriminator learns


@pytest.mark.usefixtures("eagerly")
def test_train_on_batch_returns_the_figures_of_that_batch_only(batch):
    """At learning rate 0 the same batch must give the same figures, not a running mean with other batches."""
    sgd = keras.optimizers.SGD(0.0)
    gan = MODELS["discogan"](g_optimizer=sgd, d_optimizer=sgd)
    first = gan.train_on_batch(*batch(), return_dict=True)
    gan.train_on_batch(*batch(seed=1))
    assert gan.train_on_batch(*batch(), return_dict=True) == first
    assert gan.train_on_batch(*batch()) == list(first.values())


@pytest.mark.parametrize("model", rows("pix2pix", "cgan", "gan", *(["cyclegan"] if ON_JAX else [])))
def test_training_writes_grids_networks_and_history_and_is_traced_once(model, tmp_path):
    gan = MODELS[model](output=tmp_path / "run", seed=0)
    for side in ("train", "train_A", "train_B"):
        del getattr(gan.data_loader, side, [])[5:]
    traces = []
    step = gan.train_step
    gan.train_step = lambda *arguments: traces.append(arguments) or step(*arguments)
    history = gan.train(epochs=2, batch_size=2, sample_interval=2).history  # 5 pictures: batches of 2, 2, 1
    # JAX compiles once per batch size, TensorFlow only once.
    assert len(traces) == (2 if keras.backend.backend() == "jax" else 1)
    assert len(history["g_loss"]) == 2 and np.isfinite(history["g_loss"]).all() and min(history["g_loss"]) > 0
    grids = {path.name for path in (tmp_path / "run/images").iterdir()}
    assert grids == {"0_0.png", "0_2.png", "1_0.png", "1_2.png"}
    frames = {path.name for path in (tmp_path / "run/frames").iterdir()}
    assert frames == {f"{iteration:07}.png" for iteration in (1, 3, 4, 6)}
    assert [row["iteration"] for row in read_rows(tmp_path / "run/history.csv")] == [3, 6]
    assert list((tmp_path / "run/tensorboard").iterdir())
    networks = {path.name for path in (tmp_path / "run/models").iterdir()}
    assert networks == {f"{network.name}.keras" for network in gan.networks}


@pytest.mark.reports
def test_a_run_ends_with_curves_an_animation_and_a_report(tmp_path):
    Toy(output=tmp_path).train()
    for name in ("losses.png", "report.html"):
        assert (tmp_path / name).stat().st_size > 1000
    assert list(tmp_path.glob("samples.*"))
    with pytest.raises(BadValueError, match="already holds a trained run"):
        Toy(output=tmp_path).train(epochs=1)


def test_numbers_below_one_are_refused_by_name(tmp_path):
    gan = Toy(output=tmp_path / "run")
    for name in ("epochs", "batch_size", "sample_interval", "steps_per_epoch"):
        with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, not 0"):
            gan.train(**{name: 0})
    assert not list(tmp_path.iterdir())


def test_an_output_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"output folder '.*file/run' cannot be written"):
        Toy(output=tmp_path / "file" / "run").train()


LOAD = """
import sys, numpy as np, keras, keras_gan.layers
if keras.backend.backend() == "tensorflow":
    import tensorflow
    tensorflow.config.run_functions_eagerly(True)
for path in sys.argv[1:]:
    model = keras.saving.load_model(path, safe_mode=True)
    assert not model.name.startswith("d") or model.optimizer, path
    noise = list(np.load(path + ".npz").values())
    made = keras.tree.flatten(model.predict(noise if len(noise) > 1 else noise[0], verbose=0))
    np.savez(path + ".made.npz", *made)
"""


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_saved_networks_load_in_another_process_and_give_the_same_pictures(tmp_path):
    """Loads the networks of all models in one process, since a process takes seconds to start."""
    saved = {}
    for number, make in enumerate(MODELS.values()):
        gan = make(output=tmp_path / str(number))
        gan.make_train_function()  # the slots of its optimizers
        gan.save_networks()
        saved |= dict(zip(gan.run.network_paths, gan.networks, strict=True))
    for path, network in saved.items():
        noise = noise_for(network)
        np.savez(f"{path}.npz", *(noise if isinstance(noise, list) else [noise]))
    subprocess.run([sys.executable, "-c", LOAD, *saved], check=True)
    for path, network in saved.items():
        expected = keras.tree.flatten(network.predict(noise_for(network), verbose=0))
        for made, same in zip(np.load(f"{path}.made.npz").values(), expected, strict=True):
            np.testing.assert_array_equal(made, same, str(path))


def test_a_failed_save_leaves_the_earlier_file(tmp_path, monkeypatch):
    gan = Toy(output=tmp_path)
    gan.save_networks()
    before = gan.run.network_paths[0].read_bytes()

    def broken_save(path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(gan.networks[0], "save", broken_save)
    with pytest.raises(OSError, match="disk full"):
        gan.save_networks()
    assert gan.run.network_paths[0].read_bytes() == before
    assert not list((tmp_path / "models").glob("*unfinished*"))


def test_the_fixed_sample_keeps_its_inputs_and_follows_the_networks(built):
    gan = built
    first, again = gan.fixed_sample(), gan.fixed_sample()
    for row, other in zip(first.rows, again.rows, strict=True):
        assert all(np.array_equal(picture, same) for picture, same in zip(row, other, strict=True))
    assert first.figures == again.figures
    for network in gan.combined.trains:
        network.set_weights([0.9 * weight + 0.01 for weight in network.get_weights()])
    later = gan.fixed_sample()
    assert later.titles == first.titles and later.captions == first.captions
    for column, title in enumerate(first.titles or [None]):
        pairs = [(row[column], other[column]) for row, other in zip(first.rows, later.rows, strict=True)]
        assert all(np.array_equal(picture, other) for picture, other in pairs) == (title in ("A", "B")), title
    assert set(later.figures) == set(first.figures)
    measured = [name for name in gan.combined.output_names if name.startswith(("fake", "reconstr"))]
    assert bool(first.figures) == bool(measured)
    for name, figure in later.figures.items():
        assert 0 < figure < 2 and figure != first.figures[name], name
