"""Keras' own ways around the step: callbacks that set rates, validation, `save()`, and what was changed in Python."""

import keras
import numpy as np
import pytest
from support.models import MODELS, pictures, slow
from support.resuming import EVERY_STEP, SHORT, check_same, cut_back, everything, weights_in
from support.toy import Toy

from keras_gan.errors import BadValueError

IMGS = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 1)).astype("float32")


def rates(gan):
    return [float(part.optimizer.learning_rate) for part in gan.parts]


def test_the_optimizer_of_the_model_sets_the_rates_of_all_parts():
    gan = Toy(g_optimizer=keras.optimizers.Adam(1e-3), d_optimizer=keras.optimizers.SGD(4e-3))
    assert gan.optimizer.learning_rate == pytest.approx(1e-3)
    gan.optimizer.learning_rate = 5e-4
    assert rates(gan) == pytest.approx([2e-3, 5e-4])
    gan.optimizer.learning_rate = 0.0
    gan.optimizer.learning_rate = 1e-2
    assert rates(gan) == pytest.approx([1e-2, 1e-2])


def test_a_rate_with_a_schedule_cannot_be_set():
    falling = keras.optimizers.schedules.InverseTimeDecay(1e-3, 1, 0.1)
    gan = Toy(d_optimizer=keras.optimizers.Adam(falling))
    with pytest.raises(BadValueError, match="learning rate of discriminator has a schedule: give optimizers of"):
        gan.optimizer.learning_rate = 1.0


def test_callbacks_of_keras_lower_the_rates_by_validation_figures():
    gan = Toy(seed=0)
    before = rates(gan)
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="val_g_loss", mode="min", factor=0.5, patience=0, min_delta=1e9)
    history = gan.fit(IMGS, validation_data=(IMGS,), batch_size=2, epochs=2, verbose=0, callbacks=[plateau]).history
    assert rates(gan) == pytest.approx([rate / 2 for rate in before])
    assert {"val_g_loss", "val_d_loss", "val_d_acc"} <= set(history)
    gan.fit(
        IMGS, batch_size=2, epochs=1, verbose=0, callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch: 0.1)]
    )
    assert gan.optimizer.learning_rate == pytest.approx(0.1)


@pytest.mark.usefixtures("slow_ones_eagerly")
@pytest.mark.parametrize("model", ["toy", "cgan", *map(slow, ("discogan", "discogan paper", "cyclegan paper"))])
def test_evaluation_changes_nothing(model, batch):
    """Not even past fakes, random states and moving statistics. Its figures are those of the networks in use."""
    gan = Toy(seed=0) if model == "toy" else MODELS[model](seed=0)
    imgs = pictures(gan, batch)
    gan.train_on_batch(*imgs)
    before = everything(gan)
    figures = gan.evaluate(*imgs[:1], y=imgs[1] if len(imgs) > 1 else None, batch_size=3, verbose=0, return_dict=True)
    for a, b in zip(before, everything(gan), strict=True):
        np.testing.assert_array_equal(a, b)
    assert {"g_loss", "d_loss", "d_acc"} <= set(figures) and np.isfinite(list(figures.values())).all()


@pytest.mark.usefixtures("slow_ones_eagerly")
@pytest.mark.parametrize("model", ["toy", slow("discogan paper"), slow("cgan")])
def test_the_whole_model_saves_and_loads(model, tmp_path, batch):
    gan = Toy((8, 8, 1), width=12, seed=3) if model == "toy" else MODELS[model](seed=3)
    gan.start_averages(0.9)
    imgs = pictures(gan, batch)
    gan.train_on_batch(*imgs)
    gan.save(tmp_path / "whole.keras")
    other = keras.saving.load_model(tmp_path / "whole.keras")
    assert type(other) is type(gan) and other.seed == 3
    for a, b in zip(everything(gan), everything(other), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(gan.train_on_batch(*imgs), other.train_on_batch(*imgs))


def test_the_best_weights_are_saved(tmp_path):
    """`EarlyStopping` restores them when training ends, after the last epoch."""
    best = keras.callbacks.EarlyStopping("g_loss", mode="min", patience=5, min_delta=1e9, restore_best_weights=True)
    gan = Toy(seed=0, output=tmp_path / "run")
    first = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: first or first.extend(np.array(w) for w in gan.generator.get_weights())
    )
    gan.train(**SHORT | {"epochs": 3}, quiet=True, callbacks=[note, best])
    saved = weights_in(gan.run.network_paths[0])
    for a, b, now in zip(first, saved, gan.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(now, b)


def test_a_second_train_starts_at_the_rates_of_the_user(tmp_path):
    gan = Toy(d_optimizer="adam", seed=0, output=tmp_path / "run")
    before = rates(gan)
    gan.train(**SHORT, decay_epochs=2, quiet=True)
    assert rates(gan) == before


@pytest.mark.slow
def test_train_validates_for_callbacks(tmp_path):
    seen = []
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(dict(logs)))
    gan = Toy(seed=0, output=tmp_path / "run")
    gan.train(**SHORT, validation_interval=2, quiet=True, callbacks=[note])
    assert not any(name.startswith("val_") for name in seen[0])
    assert {"val_g_loss", "val_d_acc"} <= set(seen[1]) and np.isfinite(seen[1]["val_g_loss"])
    plain = Toy(seed=0, output=tmp_path / "plain")
    plain.train(**SHORT, quiet=True)
    for a, b in zip(everything(gan), everything(plain), strict=True):
        np.testing.assert_array_equal(a, b)  # validation changes nothing


@pytest.mark.slow
@pytest.mark.parametrize("way", ["train_on_batch", "fit", "a data set"])
def test_pixels_of_another_range_are_noticed_once(way):
    gan, bytes_ = Toy(seed=0), np.full((2, 8, 8, 1), 255, "float32")
    with pytest.warns(UserWarning, match="pixels range from 255 to 255, but this model takes -1 to 1: scale them"):
        if way == "train_on_batch":
            gan.train_on_batch(bytes_)
        elif way == "fit":
            gan.fit(bytes_, verbose=0)
        else:
            gan.fit(Batches(bytes_), verbose=0)
    gan.train_on_batch(bytes_)
    Toy(seed=0).train_on_batch(IMGS)


class Batches(keras.utils.PyDataset):
    def __init__(self, imgs):
        super().__init__()
        self.imgs = imgs

    def __len__(self):
        return 1

    def __getitem__(self, number):
        return (self.imgs,)


class Recompile(keras.callbacks.Callback):
    """Compiles a part anew after the first epoch."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            self.model.combined.compile(keras.optimizers.SGD(1e-3, momentum=0.5), loss="mse", loss_weights=[2.0])


@pytest.mark.slow
def test_a_part_compiled_in_python_resumes_as_it_was(tmp_path):
    gan = Toy(seed=1, output=tmp_path / "run")
    gan.train(**EVERY_STEP | {"epochs": 3}, quiet=True, callbacks=[Recompile()])
    other = Toy.resume(cut_back(tmp_path / "run", tmp_path / "copy", iteration=5))
    assert isinstance(other.combined.optimizer, keras.optimizers.SGD)
    check_same(gan, other)


def test_what_cannot_be_restored_is_refused_by_name(tmp_path):
    gan = Toy(seed=1, output=tmp_path / "run")
    gan.combined.compile("adam", loss=lambda real, verdict: keras.ops.mean(verdict, axis=-1))
    gan.train(**EVERY_STEP, quiet=True)
    with pytest.raises(BadValueError, match="combined was compiled in Python .* cannot be restored"):
        Toy.resume(cut_back(tmp_path / "run", tmp_path / "copy", iteration=3))


def test_a_whole_model_loads_as_its_parts_were_compiled_in_python(tmp_path):
    gan = Toy(seed=1)
    gan.combined.compile(keras.optimizers.SGD(1e-3, momentum=0.5), loss="mse", loss_weights=[2.0])
    gan.make_train_function()
    gan.save(tmp_path / "whole.keras")
    other = keras.saving.load_model(tmp_path / "whole.keras")
    assert isinstance(other.combined.optimizer, keras.optimizers.SGD)
    assert other.combined.get_compile_config()["loss_weights"] == [2.0]

    gan.combined.compile("adam", loss=lambda real, verdict: keras.ops.mean(verdict, axis=-1))
    gan.save(tmp_path / "lambda.keras")
    with pytest.raises(BadValueError, match="combined was compiled in Python .* cannot be restored"):
        keras.saving.load_model(tmp_path / "lambda.keras")


@pytest.mark.slow
def test_another_data_loader_is_refused_by_name(tmp_path):
    gan = Toy(seed=1, output=tmp_path / "run")
    gan.data_loader.value_range = (0, 1)
    gan.train(**EVERY_STEP, quiet=True)
    with pytest.raises(BadValueError, match="data_loader of this run was replaced in Python .value_range was"):
        Toy.resume(cut_back(tmp_path / "run", tmp_path / "copy", iteration=3))


def test_the_seed_of_one_model_is_not_that_of_the_next():
    Toy(seed=0)
    first = Toy().seed
    Toy(seed=0)
    assert Toy().seed != first
