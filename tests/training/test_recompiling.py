"""Recompiling a part, or changing the turns, after the first step takes effect."""

import keras
import numpy as np
import pytest
from support.models import moved
from support.toy import Toy

from keras_gan.training.schedules import Schedule


@pytest.fixture
def toy(tmp_path):
    """A model after one step, with learning rate 0: its networks stay unchanged until recompiled."""
    still = keras.optimizers.SGD(0.0)
    gan = Toy(seed=0, g_optimizer=still, d_optimizer=still, output=tmp_path / "run")
    gan.discriminator.layers[3].rate = 0  # of dropout
    gan.train_on_batch(IMGS)
    return gan


IMGS = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1)).astype("float32")


def weights(gan):
    """Trainable weights only: moving statistics always change."""
    return {network.name: [np.array(weight) for weight in network.trainable_weights] for network in gan.networks}


def figures(gan):
    return gan.train_on_batch(IMGS, return_dict=True)


def test_a_new_loss_weight_and_optimizer_take_effect(toy):
    before = weights(toy)
    toy.noise_seed.state.assign([0, 0])
    verdicts = toy.combined(toy.generator_inputs([IMGS]), training=True)
    toy.noise_seed.state.assign([0, 0])
    toy.combined.compile(keras.optimizers.Adam(1e-2), loss="mse", loss_weights=3.0)
    logs = figures(toy)
    assert moved(before, weights(toy)) == {"generator"}
    assert logs["g_loss"] == pytest.approx(3 * np.mean((np.asarray(verdicts) - 1) ** 2), rel=1e-5)
    assert int(toy.combined.optimizer.iterations) == 1
    assert all(np.abs(slot).max() > 0 for slot in map(np.asarray, toy.combined.optimizer._momentums))
    figures(toy)
    assert int(toy.combined.optimizer.iterations) == 2


def test_new_loss_weights_apply_to_the_old_losses(toy):
    toy.noise_seed.state.assign([0, 0])
    once = figures(toy)["g_loss"]
    toy.combined.compile(loss_weights=[5.0], optimizer=keras.optimizers.SGD(0.0))
    toy.noise_seed.state.assign([0, 0])
    assert figures(toy)["g_loss"] == pytest.approx(5 * once, rel=1e-5)


def test_new_metrics_appear_in_the_logs(toy):
    toy.discriminator.compile(keras.optimizers.RMSprop(1e-2), loss="mse", metrics=["mae"])
    before = weights(toy)
    logs = figures(toy)
    assert moved(before, weights(toy)) == {"discriminator"}
    assert 0 < logs["discriminator_mae"] < 9 and "d_acc" not in logs
    assert logs["d_loss"] == logs["discriminator_loss"]


def test_recompiling_with_the_same_optimizer_keeps_its_slots():
    gan = Toy(seed=0)
    gan.train_on_batch(IMGS)
    optimizer = gan.combined.optimizer
    momentum = np.asarray(optimizer._momentums[0])
    gan.combined.compile(optimizer, loss="mse")
    gan.make_train_function()
    np.testing.assert_array_equal(optimizer._momentums[0], momentum)
    figures(gan)
    assert int(optimizer.iterations) == 2


def test_a_frozen_layer_stays_unchanged_after_recompiling(toy):
    toy.generator.layers[1].trainable = False
    toy.combined.compile(keras.optimizers.Adam(1e-2), loss="mse")
    frozen, free = (np.copy(toy.generator.layers[i].get_weights()[0]) for i in (1, -2))
    figures(toy)
    np.testing.assert_array_equal(toy.generator.layers[1].get_weights()[0], frozen)
    assert (toy.generator.layers[-2].get_weights()[0] != free).any()


def test_changed_turns_take_effect(toy):
    toy.combined.compile(keras.optimizers.Adam(1e-2), loss="mse")
    toy.discriminator.compile(keras.optimizers.Adam(1e-2), loss="mse")
    toy.discriminators_every = 1  # only the discriminators
    before = weights(toy)
    figures(toy)
    assert moved(before, weights(toy)) == {"discriminator"}
    toy.discriminators_every = None
    figures(toy)
    assert moved(before, weights(toy)) == {"discriminator", "generator"}


def test_without_recompiling_the_step_is_reused(toy):
    step = toy.train_function
    figures(toy)
    toy.make_train_function()
    assert toy.train_function is step


class Recompile(keras.callbacks.Callback):
    """Recompiles `combined` at the beginning of the second epoch, or at the end of the first."""

    def __init__(self, at_begin=True):
        super().__init__()
        self.at_begin, self.losses = at_begin, []

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1 and self.at_begin:
            self.compile()

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs["g_loss"])
        if epoch == 0 and not self.at_begin:
            self.compile()

    def compile(self):
        self.model.combined.compile(keras.optimizers.Adam(0.0), loss="mse", loss_weights=1000.0)


def test_a_callback_may_recompile_between_epochs(toy):
    callback = Recompile(at_begin=False)
    toy.train(epochs=3, callbacks=[callback], quiet=True)
    assert callback.losses[0] < 10 and min(callback.losses[1:]) > 50
    assert int(toy.combined.optimizer.iterations) == 6


def test_a_callback_may_recompile_at_the_start_of_a_resumed_epoch(tmp_path):
    """The batches before the checkpoint are still skipped."""
    whole = Recompile()
    gan = Toy(seed=0, output=tmp_path / "run")
    gan.train(epochs=2, callbacks=[whole], checkpoint_interval=1, keep=9, quiet=True)
    for iteration in ("5", "6"):
        (tmp_path / "run" / "checkpoints" / iteration / "state.json").unlink()
    again = Recompile()
    resumed = Toy.resume(tmp_path / "run", callbacks=[again])
    assert int(resumed.iteration) == 6 and int(resumed.combined.optimizer.iterations) == 2
    assert again.losses[-1] > 50


def test_a_part_recompiled_at_the_end_of_an_epoch_is_saved_with_its_slots(tmp_path):
    """The checkpoint has the slots of the new optimizer, and a run resumes from it."""
    gan = Toy(seed=0, output=tmp_path / "run")
    gan.train(callbacks=[Recompile(at_begin=False)], checkpoint_interval=1, keep=9, quiet=True)
    for iteration in ("4", "5", "6"):
        (tmp_path / "run" / "checkpoints" / iteration / "state.json").unlink()
    assert int(Toy.resume(tmp_path / "run").iteration) == 6


def test_the_schedule_applies_to_a_new_optimizer(toy):
    schedule = Schedule(toy, "step", epochs=4)
    schedule.on_epoch_begin(0)
    toy.combined.compile(keras.optimizers.Adam(1e-2), loss="mse")
    schedule.on_epoch_begin(2)
    assert float(toy.combined.optimizer.learning_rate) == pytest.approx(1e-3)
