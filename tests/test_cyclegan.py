import numpy as np
import pytest

from keras_gan import CycleGAN
from keras_gan.schedules import Schedule

OUTPUTS = ["valid_A", "valid_B", "reconstr_A", "reconstr_B", "identity_A", "identity_B"]


def small(**options):
    return CycleGAN(**{"img_shape": (32, 32, 3), "dataset_name": "drawn_shoes"} | options)


def test_the_networks_of_the_paper():
    gan = small(img_shape=(256, 256, 3), recipe="resnet")
    assert gan.g_AB.count_params() == gan.g_BA.count_params() == 11_378_179  # the norms have no parameters
    assert gan.d_A.count_params() == 2_764_737 and gan.d_A.output_shape == (None, 30, 30, 1)
    assert small(img_shape=(128, 128, 3), recipe="resnet").g_AB.count_params() == 7_837_699
    kernel = gan.g_AB.layers[2].get_weights()[0]
    assert abs(kernel.std() - 0.02) < 0.002 and abs(kernel.mean()) < 0.002
    assert gan.pool_A.size == gan.pool_B.size == 50
    assert float(gan.combined.optimizer.learning_rate) == pytest.approx(2e-4)


def test_the_networks_of_the_notebook():
    gan = small(img_shape=None, shape_A=(32, 32, 1), shape_B=(32, 32, 3))
    assert [network.count_params() for network in gan.networks] == [613_221, 612_071, 390_145, 390_721]
    assert gan.d_A.output_shape == (None, 2, 2, 1) and not gan.identity
    assert gan.combined.output_names == OUTPUTS[:4]
    whole = small(patchgan=False)
    assert whole.d_A.output_shape == (None, 1)
    wide = small(kernel_size=5)
    assert wide.g_AB.count_params() > gan.g_AB.count_params()


@pytest.mark.parametrize(("recipe", "weights"), [("unet", [1, 1, 10, 10, 0.5, 0.5]), ("resnet", [1, 1, 10, 10, 5, 5])])
@pytest.mark.usefixtures("eagerly")
def test_losses_and_weights_of_both_recipes(recipe, weights, batch):
    gan = small(recipe=recipe)
    assert gan.combined.output_names == OUTPUTS
    logs = gan.train_on_batch(*batch(), return_dict=True)
    parts = [logs[f"{name}_loss"] for name in OUTPUTS]
    assert np.isclose(logs["g_loss"], np.dot(weights, parts), rtol=1e-5)


def test_combined_scores_what_its_names_say(batch):
    gan, (A, B) = small(), batch()
    fake_B, fake_A = gan.g_AB(A), gan.g_BA(B)
    expected = [gan.d_A(fake_A), gan.d_B(fake_B), gan.g_BA(fake_B), gan.g_AB(fake_A), gan.g_BA(A), gan.g_AB(B)]
    for name, output, value in zip(OUTPUTS, gan.combined([A, B]), expected, strict=True):
        np.testing.assert_allclose(output, value, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("identity", [True, False])
def test_each_generator_runs_once_per_batch_that_it_sees(identity, batch, monkeypatch):
    """g_AB sees A (and with identity B) joined, and fake_A: twice a step, not three times."""
    gan = small(identity=identity)
    seen = []
    for generator in (gan.g_AB, gan.g_BA):
        call = generator.call
        monkeypatch.setattr(
            generator,
            "call",
            lambda x, *a, call=call, g=generator, **k: seen.append((g.name, len(x))) or call(x, *a, **k),
        )
    gan.run_eagerly = True
    gan.train_on_batch(*batch(size=3))
    first = 6 if identity else 3
    assert sorted(seen) == sorted([("g_AB", first), ("g_AB", 3), ("g_BA", first), ("g_BA", 3)])


@pytest.mark.parametrize(("recipe", "low"), [("unet", 0), ("resnet", -1)])
def test_activation_and_value_range_fit_each_other(recipe, low):
    gan = small(recipe=recipe)
    A, B = gan.data_loader.load_data(2)
    assert A.min() >= low and A.max() == 1 and gan.data_loader.value_range == (low, 1)
    assert float(np.min(gan.g_AB(A * 50))) >= low and float(np.min(B)) >= low


@pytest.mark.usefixtures("eagerly")
def test_the_pool_is_inside_the_step_and_part_of_the_weights(batch):
    gan = small(recipe="resnet", pool_size=4)
    for step in range(3):
        gan.train_on_batch(*batch(size=3, seed=step))
    assert int(gan.pool_A.count) == int(gan.pool_B.count) == 4
    assert any(weight is gan.pool_A.images for weight in gan.weights)


def test_the_learning_rate_stays_and_then_falls_in_a_line():
    gan = small(recipe="resnet")
    decay = Schedule(gan, "constant", epochs=2, decay_epochs=3)
    rates = []
    for epoch in range(5):
        decay.on_epoch_begin(epoch)
        assert len({float(part.optimizer.learning_rate) for part in gan.parts}) == 1
        rates.append(float(gan.d_A.optimizer.learning_rate))
    np.testing.assert_allclose(rates, [2e-4, 2e-4, 1.5e-4, 1e-4, 0.5e-4], rtol=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_training_with_a_decay(tmp_path):
    gan = small(recipe="resnet", output=tmp_path)
    history = gan.train(epochs=1, decay_epochs=1, steps_per_epoch=1)
    assert len(history.history["g_loss"]) == 2
    assert float(gan.combined.optimizer.learning_rate) == pytest.approx(1e-4)


BAD = {
    "identity of unlike domains": (
        {"shape_A": (32, 32, 1), "identity": True},
        r"not 1 \(A\) and 3 \(B\): turn identity off",
    ),
    "unlike sizes": ({"shape_A": (64, 64, 3)}, r"shape_A \(64, 64, 3\) and shape_B \(32, 32, 3\) must be of one"),
    "a pool below nothing": ({"pool_size": -1}, "pool_size must be a whole number of at least 0, not -1"),
    "a recipe": ({"recipe": "vgg"}, "recipe must be 'unet' or 'resnet', not 'vgg'"),
    "a size": ({"img_shape": (30, 32, 3)}, "image size 30x32 does not suit recipe 'unet'"),
    "a small size": ({"img_shape": (20, 20, 3), "recipe": "resnet"}, "multiples of 4, at least 24"),
    "a kernel": ({"kernel_size": 0}, "kernel_size must be a whole number of at least 1, not 0"),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_values_are_named(fault):
    options, message = BAD[fault]
    with pytest.raises(ValueError, match=message):
        small(**options)


def test_a_decay_without_constant_epochs_or_on_top_of_a_schedule_is_refused(tmp_path):
    with pytest.raises(ValueError, match="decay_epochs=5 needs constant epochs before it, not epochs=0"):
        small(recipe="resnet", output=tmp_path).train(epochs=0, decay_epochs=5)
    with pytest.raises(ValueError, match="decay_epochs=5 cannot lower the rate of d_A: its optimizer has a schedule"):
        small(output=tmp_path).train(epochs=5, decay_epochs=5)
    with pytest.raises(ValueError, match="decay_epochs must be a whole number of at least 0, not -1"):
        small(output=tmp_path).train(decay_epochs=-1)


def test_parts_may_be_trained_by_themselves_before_the_game(batch):
    """RMSprop's fused update needs more than Keras builds when a part alone is trained."""
    gan = small()
    imgs_A, imgs_B = batch()
    valid = np.ones((len(imgs_A), *gan.d_A.output_shape[1:]))
    gan.d_A.train_on_batch(imgs_A, valid)
    gan.combined.train_on_batch([imgs_A, imgs_B], gan.generator_targets([imgs_A, imgs_B]))
    assert np.isfinite(gan.train_on_batch(imgs_A, imgs_B)).all()
    assert [int(part.optimizer.iterations) for part in gan.parts] == [2, 1, 2]
