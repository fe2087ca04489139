import functools
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_gan import CycleGAN, CycleGANPaper, cli
from keras_gan.training import run

ROOT = Path(__file__).parents[2]
COLOURING = {"img_shape": None, "shape_A": (32, 32, 1), "shape_B": (32, 32, 3)}
OUTPUTS = ["valid_A", "valid_B", "reconstr_A", "reconstr_B", "identity_A", "identity_B"]


def small(**options):
    return CycleGAN(**{"img_shape": (32, 32, 3), "dataset_name": "drawn_shoes"} | options)


class Thin(CycleGANPaper):
    """One block instead of six."""

    blocks = 1


def thin(**options):
    return Thin(**{"img_shape": (32, 32, 3), "dataset_name": "drawn_shoes", "gf": 4, "df": 4} | options)


@pytest.fixture(scope="module")
def made():
    """A cache of `small` and `thin` models, for tests that work with any weights."""
    return functools.cache(lambda make, **options: make(**options))


def test_the_networks_of_the_paper():
    gan = CycleGANPaper((256, 256, 3), dataset_name="drawn_shoes")
    assert gan.g_AB.count_params() == gan.g_BA.count_params() == 11_378_179  # the norms have no parameters
    assert gan.d_A.count_params() == 2_764_737 and gan.d_A.output_shape == (None, 30, 30, 1)
    assert CycleGANPaper(dataset_name="drawn_shoes").g_AB.count_params() == 7_837_699
    kernel = gan.g_AB.layers[2].get_weights()[0]
    assert abs(kernel.std() - 0.02) < 0.002 and abs(kernel.mean()) < 0.002
    assert gan.pool_A.size == gan.pool_B.size == 50
    assert float(gan.combined.optimizer.learning_rate) == pytest.approx(2e-4)


def test_the_networks_of_the_notebook(made):
    gan = made(small, **COLOURING)
    assert [network.count_params() for network in gan.networks] == [613_221, 612_071, 390_145, 390_721]
    assert gan.d_A.output_shape == (None, 2, 2, 1) and not gan.identity
    assert gan.combined.output_names == OUTPUTS[:4]
    whole = small(patchgan=False)
    assert whole.d_A.output_shape == (None, 1)
    wide = small(kernel_size=5)
    assert wide.g_AB.count_params() > gan.g_AB.count_params()
    bare = small(instance_norm=False, activation="relu")
    kinds = [type(layer).__name__ for layer in bare.g_AB.layers]
    assert "InstanceNormalization" not in kinds and "LeakyReLU" not in kinds
    assert "LeakyReLU" in [type(layer).__name__ for layer in bare.d_A.layers]


@pytest.mark.parametrize(("make", "weights"), [(small, [1, 1, 10, 10, 0.5, 0.5]), (thin, [1, 1, 10, 10, 5, 5])])
@pytest.mark.usefixtures("eagerly")
def test_losses_and_weights_of_both_models(make, weights, made, batch):
    gan = made(make)
    assert gan.combined.output_names == OUTPUTS
    logs = gan.train_on_batch(*batch(), return_dict=True)
    parts = [logs[f"{name}_loss"] for name in OUTPUTS]
    assert np.isclose(logs["g_loss"], np.dot(weights, parts), rtol=1e-5)


def test_the_weights_of_the_losses_are_arguments(made):
    gan = made(thin, cycle_weight=3.0, identity_weight=2.0)
    assert gan.combined._compile_loss._user_loss_weights == [1, 1, 3, 3, 2, 2]
    assert made(thin, identity_weight=0.0).combined.output_names == OUTPUTS[:4]


def test_the_other_generator_and_norms_of_the_papers_authors(made, batch):
    gan = made(thin, generator="unet", norm="batch", pool_size=0)
    assert gan.g_AB.count_params() > made(thin).g_AB.count_params()
    imgs = [keras.ops.convert_to_tensor(side) for side in batch(size=2)]
    updates = gan.discriminator_batches(imgs, imgs[::-1])
    assert [(d.name, len(x), float(y[0].numpy().mean())) for d, x, y in updates] == [
        *[("d_A", 2, 1), ("d_A", 2, 0)],  # no batch has two kinds of pictures
        *[("d_B", 2, 1), ("d_B", 2, 0)],
    ]
    with pytest.raises(ValueError, match="image size 28x28: height and width must be multiples of 8"):
        thin(img_shape=(28, 28, 3), generator="unet")
    kinds = [type(layer).__name__ for layer in thin(norm="none", img_shape=(28, 28, 3)).d_A.layers]
    assert not {"BatchNormalization", "InstanceNormalization"} & set(kinds)


def test_outputs_of_combined_match_their_names(made, batch):
    gan, (A, B) = made(small), batch()
    fake_B, fake_A = gan.g_AB(A), gan.g_BA(B)
    expected = [gan.d_A(fake_A), gan.d_B(fake_B), gan.g_BA(fake_B), gan.g_AB(fake_A), gan.g_BA(A), gan.g_AB(B)]
    for name, output, value in zip(OUTPUTS, gan.combined([A, B]), expected, strict=True):
        np.testing.assert_allclose(output, value, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(("options", "each"), [({}, 3), (COLOURING, 2)], ids=["with identity", "without"])
@pytest.mark.usefixtures("eagerly")
def test_no_picture_is_translated_twice_in_a_step(options, each, made, batch, monkeypatch):
    """A generator sees the pictures of its domain, the other's fakes and, with identity, its target domain."""
    gan = made(small, **options)
    seen = {"g_AB": [], "g_BA": []}
    for generator in (gan.g_AB, gan.g_BA):
        note, call = seen[generator.name].append, generator.call
        monkeypatch.setattr(
            generator, "call", lambda x, *rest, note=note, call=call, **more: (note(len(x)), call(x, *rest, **more))[1]
        )
    imgs = [imgs[..., : shape[-1]] for imgs, shape in zip(batch(size=3), (gan.shape_A, gan.shape_B), strict=True)]
    gan.train_on_batch(*imgs)
    assert {name: sum(sizes) for name, sizes in seen.items()} == {"g_AB": 3 * each, "g_BA": 3 * each}
    assert max(map(len, seen.values())) == 2  # also with identity, thanks to the joined batch


@pytest.mark.parametrize(("make", "low"), [(small, 0), (thin, -1)])
def test_output_activation_and_value_range_agree(make, low, made):
    gan = made(make)
    A, B = gan.data_loader.load_data(2)
    assert A.min() >= low and A.max() == 1 and gan.data_loader.value_range == (low, 1)
    assert float(np.min(gan.g_AB(A * 50))) >= low and float(np.min(B)) >= low


@pytest.mark.usefixtures("eagerly")
def test_the_pool_is_inside_the_step_and_part_of_the_weights(batch):
    gan = thin(pool_size=4)
    for step in range(2):
        gan.train_on_batch(*batch(size=3, seed=step))
    assert int(gan.pool_A.count) == int(gan.pool_B.count) == 4
    assert any(weight is gan.pool_A.images for weight in gan.weights)


@pytest.mark.usefixtures("eagerly")
def test_training_with_decay_epochs(tmp_path, monkeypatch):
    """Without samples and saved networks."""
    monkeypatch.setattr(run, "watching", lambda *arguments: [])
    monkeypatch.setattr(run, "SaveNetworks", lambda *arguments: keras.callbacks.Callback())
    gan = thin(output=tmp_path)
    rates = []
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: rates.append(gan.optimizer.learning_rate))
    history = gan.train(epochs=1, decay_epochs=1, steps_per_epoch=1, callbacks=[note])
    assert len(history.history["g_loss"]) == 2 and rates == pytest.approx([2e-4, 1e-4])


BAD = {
    "identity of unlike domains": (
        {"shape_A": (32, 32, 1), "identity": True},
        r"not 1 \(A\) and 3 \(B\): turn identity off",
    ),
    "unlike sizes": ({"shape_A": (64, 64, 3)}, r"shape_A \(64, 64, 3\) and shape_B \(32, 32, 3\) need the same"),
    "a pool below nothing": ({"pool_size": -1}, "pool_size must be a whole number of at least 0, not -1"),
    "an activation": ({"activation": "elu"}, "activation must be one of lrelu, relu, not 'elu'"),
    "a recipe": ({"recipe": "resnet"}, "python -m keras_gan.cyclegan_paper"),
    "a size": ({"img_shape": (30, 32, 3)}, "image size 30x32: height and width must be multiples of 8, at least 16"),
    "a kernel": ({"kernel_size": 0}, "kernel_size must be a whole number of at least 1, not 0"),
}


@pytest.mark.parametrize("fault", BAD)
def test_invalid_values_are_named(fault):
    options, message = BAD[fault]
    with pytest.raises(ValueError, match=message):
        small(**options)


def test_a_size_that_is_too_small_is_named():
    with pytest.raises(ValueError, match="image size 20x20: .* multiples of 4, at least 24"):
        thin(img_shape=(20, 20, 3))


def test_decay_without_constant_epochs_or_with_an_optimizer_schedule_is_refused(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="decay_epochs=5 needs constant epochs before it, not epochs=0"):
        made(thin).train(epochs=0, decay_epochs=5, steps_per_epoch=1)
    with pytest.raises(ValueError, match="decay_epochs=5 cannot lower the rate of d_A: leave it out, or give opt"):
        made(small).train(epochs=5, decay_epochs=5, steps_per_epoch=1)
    with pytest.raises(ValueError, match="decay_epochs must be a whole number of at least 0, not -1"):
        made(small).train(epochs=1, decay_epochs=-1, steps_per_epoch=1)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("eagerly")
def test_parts_may_be_trained_separately_before_the_first_step(batch):
    """RMSprop's fused update needs variables that Keras does not create when it trains a single part."""
    gan = small()
    imgs_A, imgs_B = batch()
    valid = np.ones((len(imgs_A), *gan.d_A.output_shape[1:]))
    gan.d_A.train_on_batch(imgs_A, valid)
    gan.combined.train_on_batch([imgs_A, imgs_B], gan.generator_targets([imgs_A, imgs_B]))
    assert np.isfinite(gan.train_on_batch(imgs_A, imgs_B)).all()
    assert [int(part.optimizer.iterations) for part in gan.parts] == [2, 1, 2]


@pytest.mark.parametrize("kind", [CycleGAN, CycleGANPaper])
def test_filters_scale_every_layer(kind):
    """But those that make pictures and verdicts."""

    def widths(**options):
        gan = kind(img_shape=(32, 32, 3), dataset_name="drawn_shoes", seed=0, **options)
        networks = gan.g_AB, gan.g_BA, gan.d_A, gan.d_B
        return [[layer.filters for layer in each.layers if hasattr(layer, "filters")][:-1] for each in networks]

    usual, thin = widths(), widths(gf=8, df=4)
    first = 32 if kind is CycleGAN else 64
    assert [each[0] for each in usual] == [first] * 4
    for number, (wide, narrow) in enumerate(zip(usual, thin, strict=True)):
        assert [first * width for width in narrow] == [(8, 8, 4, 4)[number] * width for width in wide]


@pytest.mark.parametrize("command", ["cyclegan", "cyclegan_paper"])
def test_the_command_has_filters(command):
    file = ROOT / "keras_gan" / f"{command}.py"
    assert cli.parse(file, ["--filters", "8"]).constructor == {"gf": 8, "df": 8}


def test_runs_from_before_filters_keep_their_width():
    arguments = {"img_shape": [32, 32, 3], "dataset_name": "drawn_shoes", "seed": 0}
    gan = CycleGAN.from_arguments(arguments)
    assert (gan.gf, gan.df) == (32, 32)
