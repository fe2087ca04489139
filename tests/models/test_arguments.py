"""Arguments of every model's constructor and of `train()`: bad ones are one line, before any network is built."""

import json
import math
import re

import keras
import numpy as np
import pytest
from support import commands
from support.toy import Toy

import keras_gan
from keras_gan import cyclegan, errors
from keras_gan.adversarial.parts import chosen
from keras_gan.errors import BadValueError
from keras_gan.training import run_folder
from keras_gan.training.options import as_json, check

NAN, INF = math.nan, math.inf
SIZES = [True, 1.5, -1, NAN, "3", None, [1], np.float64(2)]
WEIGHTS = [True, -1.0, NAN, INF, "1", None, [1.0]]
SHARES = [*WEIGHTS, 1.0]
SWITCHES = ["False", "no", 2, 1.0, NAN, []]
NAMES = [1, True, b"x", " ", "", ["x"], NAN]
#: Two that are wrong for each argument of any model.
BAD = {name: [True, "3"] for name in ("gf", "df", "latent_dim", "kernel_size", "pool_size", "seed")}
WEIGHTED = "adversarial", "translation", "reconstruction", "l1", "cycle", "identity", "valid", "features"
BAD |= {f"{name}_weight": [NAN, "1"] for name in WEIGHTED}
BAD |= {name: [0, "1"] for name in ("learning_rate", "d_learning_rate")}
BAD |= {name: [1.0, "0"] for name in ("beta_1", "starting_rate", "default_rate")} | {"gan_curriculum": [-1, 0.5]}
BAD |= {name: ["False", 1.0] for name in ("augment", "identity", "instance_norm", "patchgan")}
BAD |= {name: [1, " "] for name in ("dataset_name", "dataset_B", "data_dir", "output", "labels", "attributes")}
BAD |= {name: [64, (64, 64)] for name in ("img_shape", "shape_A", "shape_B")}
BAD |= {"value_range": [(255, 0), "x"], "flip": ["sideways", 1.0], "load_size": [0, 256], "dataset_A": [[], [" "], 1]}
BAD |= {name: [3, [1]] for name in ("data", "test_data")}
BAD |= {name: [None, "x"] for name in ("fit", "resample", "direction", "game", "activation")}
BAD |= {name: [None, "x"] for name in ("distance", "gan_loss", "generator")}
BAD |= {"norm": ["layer", "x"], "d_norm": [None, "instance"]}
BAD |= {"adversarial_loss": ["x", 1], "relativistic": ["False", 1.0], "spectral_norm": ["False", 1.0]}
BAD |= {"gradient_penalty": [NAN, "1"], "r1": [NAN, "1"], "critic_steps": [0, 1.5], "label_smoothing": [1.0, "0"]}
BAD |= {"diffaugment": ["x", 1], "colour": [None, "x"], "fast": ["False", 1.0], "own_shards": ["False", 1.0]}
BAD |= {"instance_noise": [NAN, "1"], "noise_iterations": [0, "1"]}
BAD |= {"patches": [1, "3"], "temperature": [0, "1"], "nce_weight": [NAN, "1"]}
BAD |= {name: ["x", 0] for name in ("g_optimizer", "d_optimizer")}


def bad_values(name, default):
    if name == "dropout":
        return BAD["augment" if isinstance(default, bool) else "l1_weight"]
    return BAD[name]


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        (lambda **value: errors.check_at_least(1, **value), SIZES),
        (errors.check_weight, WEIGHTS),
        (errors.check_share, SHARES),
        (errors.check_rate, [0, *(wrong for wrong in WEIGHTS if wrong is not None)]),
        (errors.check_switch, SWITCHES),
        (errors.check_name, NAMES),
    ],
)
def test_what_is_wrong_is_named(check, wrong):
    for bad in wrong:
        with pytest.raises(BadValueError, match=f"^this must be .*, not {re.escape(repr(bad))}.$"):
            check(this=bad)


@pytest.mark.parametrize("wrong", ["adamm", "", 0, True, keras.optimizers.Adam, {"a": 1}])
def test_what_is_no_optimizer_is_named(wrong):
    with pytest.raises(BadValueError, match="is no optimizer of Keras, such as"):
        chosen(wrong)


def test_numbers_replace_those_of_the_recipe_and_of_a_given_optimizer():
    adam = keras.optimizers.Adam(2e-4, beta_1=0.5)
    changed = chosen(None, 1e-3, 0.9)(adam)
    assert (float(changed.learning_rate), changed.beta_1) == (pytest.approx(1e-3), 0.9)
    kept = chosen(None)(adam)
    assert (float(kept.learning_rate), kept.beta_1) == (pytest.approx(2e-4), 0.5) and kept is not adam
    given = chosen("sgd", 1e-3)(adam)
    assert type(given).__name__ == "SGD" and float(given.learning_rate) == pytest.approx(1e-3)
    decaying = chosen(None, 1e-3)(cyclegan.rmsprop(2e-4, 0.5))  # a schedule begins at the rate and stays
    decaying.build([])
    assert float(decaying.learning_rate) == pytest.approx(1e-3)
    decaying.iterations.assign(2)
    assert float(decaying.learning_rate) == pytest.approx(5e-4)


def test_numbers_that_an_optimizer_does_not_have_are_refused(unbuilt):
    with pytest.raises(BadValueError, match=r"the optimizer here is SGD, which has no beta_1: leave beta_1=0.5 out"):
        chosen("sgd", beta_1=0.5)
    with pytest.raises(BadValueError, match=r"the optimizer here is RMSprop, which has no beta_1"):
        unbuilt("CycleGAN", beta_1=0.5)
    steps = keras.optimizers.schedules.PiecewiseConstantDecay([5], [1e-3, 1e-4])
    with pytest.raises(BadValueError, match=r"Adam, which has no initial_learning_rate: leave"):
        chosen(keras.optimizers.Adam(steps), 1e-3)


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, (2e-4, 2e-4)), ({"learning_rate": 1e-3}, (1e-3, 1e-3)), ({"d_learning_rate": 1e-3}, (2e-4, 1e-3))],
)
def test_the_rate_of_the_generators_is_that_of_the_discriminators_unless_these_have_one(given, expected):
    gan = Toy(**given)
    rates = [float(part.optimizer.learning_rate) for part in (gan.combined, gan.discriminator)]
    assert rates == pytest.approx(expected)
    assert gan.constructor_arguments["learning_rate"] == given.get("learning_rate")


@pytest.fixture
def unbuilt(monkeypatch):
    """Makes a model by its name. Building a network is an error."""

    def built(*arguments, **options):
        raise AssertionError("a network is built")

    def make(model, **options):
        kind = getattr(keras_gan, model)
        monkeypatch.setattr(kind, "build_discriminator", built)
        digits = model in ("GAN", "CGAN")
        return kind(**{"dataset_name": "drawn_digits" if digits else "drawn_shoes"} | options)

    return make


#: One model for each base has its arguments checked, too; those of the others are the same.
WITH_BASE = "GAN", "CycleGAN"


@pytest.mark.parametrize("model", commands.MODELS.values())
def test_bad_arguments_are_refused_before_any_network_is_built(unbuilt, model):
    kind = getattr(keras_gan, model)
    options = run_folder.options_of(kind)
    of_base = [] if model in WITH_BASE else run_folder.options_of(kind.__base__)
    for name, default in options.items():
        for bad in [] if name in of_base else bad_values(name, default):
            with pytest.raises(BadValueError) as refused:
                unbuilt(model, **{name: bad})
            message = str(refused.value)
            assert "\n" not in message, (name, bad)
            assert not isinstance(bad, float | str) or str(bad).strip() in message, (name, bad)


@pytest.mark.parametrize("model", commands.MODELS.values())
def test_numbers_of_numpy_are_accepted_and_written_down(unbuilt, model):
    numpy = {bool: np.bool_, int: np.int64, float: np.float32, tuple: np.array}
    options = run_folder.options_of(getattr(keras_gan, model))
    given = {name: numpy[type(value)](value) for name, value in options.items() if type(value) in numpy}
    with pytest.raises(AssertionError, match="a network is built"):
        unbuilt(model, **given)
    plain = {name: value for name, value in given.items() if not isinstance(value, np.ndarray)}
    assert json.loads(json.dumps(as_json(plain))) == pytest.approx({name: options[name] for name in plain})


WHOLE = ["batch_size", "sample_interval", "keep", "steps_per_epoch", "checkpoint_interval", "epochs", "decay_epochs"]
KEPT = ["accumulate", "validation_interval", "validation_pictures", "save_every", "patience"]
OF_TRAIN = {name: SIZES for name in [*WHOLE, *KEPT]}
OF_TRAIN |= {name: [*SWITCHES, None] for name in ("deterministic", "quiet", "with_optimizers", "remat")}
OF_TRAIN |= {name: ["", " ", 3, True] for name in ("best_by", "start_from")} | {"ema": SHARES}
OF_TRAIN |= {"log": ["x", "", 3, True]}
USUAL = {name: 2 for name in OF_TRAIN} | {
    "ema": np.float32(0.5),
    "deterministic": np.False_,
    "remat": False,
    "quiet": True,
}
USUAL |= {"best_by": "L1_A_to_B", "start_from": "runs/toy-1", "with_optimizers": False, "log": None}


@pytest.mark.parametrize("name", OF_TRAIN)
def test_bad_arguments_of_train_are_refused(name):
    for bad in OF_TRAIN[name]:
        if bad is None and name in ("steps_per_epoch", "checkpoint_interval", "sample_interval"):
            continue  # their defaults
        with pytest.raises(BadValueError, match=f"^{name} must be .*, not "):
            check(USUAL | {name: bad}, [])


def test_train_checks_before_it_makes_a_folder(tmp_path):
    gan = Toy(output=tmp_path / "run", seed=0)
    for wrong in (None, "x", keras.callbacks.Callback(), [keras.callbacks.Callback], [3]):
        with pytest.raises(BadValueError, match="callbacks must be a list of Keras callbacks, not"):
            gan.train(callbacks=wrong)
    with pytest.raises(BadValueError, match="validation_interval=5 is longer than the run of 3 epochs"):
        gan.train(epochs=2, decay_epochs=1, validation_interval=5)
    with pytest.raises(BadValueError, match="save_every=3 is longer than the run of 2 epochs, which would keep none"):
        gan.train(epochs=2, save_every=3)
    with pytest.raises(BadValueError, match="patience=2 needs a figure to wait for: name it by best_by, such as"):
        gan.train(patience=2)
    with pytest.raises(BadValueError, match="with_optimizers needs a run to start from: name it by start_from"):
        gan.train(with_optimizers=True)
    with pytest.raises(BadValueError, match="ema must be at least 0 and below 1, not '0.9'"):
        gan.train(ema="0.9")
    assert not list(tmp_path.iterdir())
    check(USUAL, (keras.callbacks.Callback(),))


def test_a_shape_of_one_domain_is_not_taken_for_none(unbuilt):
    with pytest.raises(BadValueError, match=r"img_shape must be \(height, width, channels\), not \(64, 64\)"):
        unbuilt("CycleGAN", img_shape=(64, 64))
    with pytest.raises(BadValueError, match=r"shape_B must be \(height, width, channels\), not 0"):
        unbuilt("CycleGANPaper", shape_B=0)


@pytest.mark.parametrize("kind", [keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau])
def test_callbacks_that_watch_a_loss_want_less_of_it(kind):
    for figure in ("val_g_loss", "d_A_loss", "val_L1_A_to_B"):
        callback = kind(monitor=figure)
        check(USUAL, [callback])
        assert callback.mode == "min"
    check(USUAL, [kind(monitor="d_acc", mode="max")])
    with pytest.raises(BadValueError, match=f"{kind.__name__} watches 'val_d_acc': .* add mode='min' or mode='max'"):
        check(USUAL, [kind(monitor="val_d_acc")])
