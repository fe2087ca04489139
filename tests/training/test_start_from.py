"""A run that starts from trained networks: which layers it takes, what it leaves alone, and what is refused."""

import keras
import numpy as np
import pytest
from support.commands import check_complaint, run_here
from support.eager import EAGERLY
from support.resuming import SHORT, everything
from support.toy import Toy

from keras_gan import DiscoGAN, Pix2Pix
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.report.run_files import read_record, save_record
from keras_gan.training.start import Fit, layers_of

pytestmark = EAGERLY


@pytest.fixture(scope="module")
def trained(tmp_path_factory, one_by_one):
    """A Toy that trained for two epochs, with the networks of both kept."""
    gan = Toy(seed=3, output=tmp_path_factory.mktemp("trained") / "run")
    gan.train(**SHORT, save_every=1, quiet=True)
    return gan


def same(network, other):
    pairs = zip(network.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def discogan(**options):
    return DiscoGAN(**{"img_shape": (32, 32, 3), "gf": 2, "df": 2, "dataset_name": "drawn_shoes", "seed": 1} | options)


@pytest.mark.parametrize("name", ["", "@2", "/models/epoch-2", "/models"])
def test_all_weights_are_taken_and_nothing_else(name, trained, capsys):
    gan, plain = Toy(seed=5), Toy(seed=5)
    gan.start_from(f"{trained.run_folder}{name}")
    assert same(gan.generator, trained.generator) and same(gan.discriminator, trained.discriminator)
    assert not same(gan.generator, plain.generator) and int(gan.iteration) == 0
    for variable, untouched in zip(gan.own_state, plain.own_state, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), np.asarray(untouched))
    assert capsys.readouterr().out.endswith(f"run{name}: all of generator, discriminator\n")


def test_an_epoch_that_was_kept_differs_from_the_last(trained):
    first, last = Toy(seed=5), Toy(seed=5)
    first.start_from(f"{trained.run_folder}@1")
    last.start_from(f"{trained.run_folder}@2")
    assert not same(first.generator, last.generator)


@pytest.mark.parametrize("name", ["", "/checkpoints/6"])
def test_optimizers_are_taken_without_their_rates(name, trained):
    gan = Toy(seed=5, g_optimizer=keras.optimizers.Adam(1e-3))
    gan.start_from(f"{trained.run_folder}{name}", with_optimizers=True)
    assert same(gan.generator, trained.generator) and int(gan.iteration) == 0
    for part, before, rate in zip(gan.parts, trained.parts, (2e-4, 1e-3), strict=True):
        assert float(part.optimizer.learning_rate) == pytest.approx(rate)
        assert int(part.optimizer.iterations) == int(before.optimizer.iterations) > 0
        for slot, other in zip(part.optimizer.variables[2:], before.optimizer.variables[2:], strict=True):
            np.testing.assert_array_equal(np.asarray(slot), np.asarray(other))


@pytest.mark.parametrize("options", [{"width": 5}, {"g_optimizer": "sgd"}])
def test_optimizers_that_do_not_fit_change_nothing(options, trained):
    gan = Toy(seed=5, **options)
    gan.make_train_function()
    before = [value.copy() for value in everything(gan)]
    with pytest.raises(BadValueError, match="do not fit this toy, and with optimizers all must fit: leave "):
        gan.start_from(trained.run_folder, with_optimizers=True)
    for value, kept in zip(everything(gan), before, strict=True):
        np.testing.assert_array_equal(value, kept)


def test_train_starts_from_networks_and_a_resumed_run_does_not_need_them(trained, tmp_path, capsys):
    words = ["--epochs", "1", "--seed", "5", "--quiet", "--steps-per-epoch", "1"]
    run_here(Toy, *words, "--start-from", f"{trained.run_folder}@1", "--output", str(tmp_path / "run"))
    printed = capsys.readouterr().out
    assert printed.index("Starting from") < printed.index("Training on")
    config = read_record(tmp_path / "run" / "config.json")
    config["arguments"]["start_from"] = "gone"
    save_record(tmp_path / "run" / "config.json", config)
    Toy.resume(tmp_path / "run", epochs=2)
    assert "Starting from" not in capsys.readouterr().out


def test_start_from_and_resume_exclude_each_other(trained, capsys):
    for words in (["--start-from", str(trained.run_folder)], ["--with-optimizers"]):
        with pytest.raises(SystemExit) as stop:
            run_here(Toy, "--resume", str(trained.run_folder), *words)
        assert stop.value.code == 2
        check_complaint(capsys.readouterr().err, "is resumed with its own networks: leave --resume out to start")
    with pytest.raises(BadValueError, match="is resumed with its own networks"):
        Toy.resume(trained.run_folder, start_from=trained.run_folder)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("@7", "kept no networks of epoch 7: it has those of 1 and 2."),
        ("@best", "kept no best networks: it has those of 1 and 2."),
        ("@last", "is no networks of a run: name RUN@best, or RUN@12"),
        ("@", "is no networks of a run"),
        ("/checkpoints/5", "there is no such folder"),
        ("/checkpoints", "is not a checkpoint: the run has 3 and 6."),
        ("/images", "is not the folder of a run"),
        ("x", "there is no such folder"),
    ],
)
def test_places_without_networks_are_refused_before_keras_is_needed(name, message, trained, tmp_path, capsys):
    with pytest.raises((NotFoundError, BadValueError), match=message.replace("+", r"\+")):
        Toy(seed=1).start_from(f"{trained.run_folder}{name}")
    output = tmp_path / "run"
    with pytest.raises(SystemExit):
        run_here(Toy, "--start-from", f"{trained.run_folder}{name}", "--output", str(output))
    check_complaint(capsys.readouterr().err, message)
    assert not output.exists()


@pytest.mark.parametrize("name", ["@1", "/models/generator.keras"])
def test_only_runs_and_checkpoints_hold_optimizers(name, trained):
    with pytest.raises(BadValueError, match="holds no optimizers: name RUN or a folder in RUN/checkpoints"):
        Toy(seed=1).start_from(f"{trained.run_folder}{name}", with_optimizers=True)


def test_a_file_is_for_the_network_that_it_is_named_after(tmp_path, capsys):
    """By its own name, whatever the file is called; the other networks start afresh."""
    gan, other = discogan(), discogan(seed=2)
    gan.g_BA.save(tmp_path / "shoes.keras")
    before = other.g_AB.get_weights()
    other.start_from(tmp_path / "shoes.keras")
    assert same(other.g_BA, gan.g_BA) and np.array_equal(before[0], other.g_AB.get_weights()[0])
    assert capsys.readouterr().out.endswith("all of g_BA; nothing of g_AB, d_A, d_B\n")
    gan.d_A.save(tmp_path / "d_A.keras")
    with pytest.raises(BadValueError, match="has the networks d_A, and pix2pix takes generator, discriminator: name"):
        Pix2Pix(img_shape=(32, 32, 3), gf=2, df=2, dataset_name="drawn_shoes").start_from(tmp_path / "d_A.keras")
    (tmp_path / "broken.keras").write_bytes(b"no network")
    with pytest.raises(BadValueError, match=r"broken\.keras' cannot be opened as a Keras model"):
        gan.start_from(tmp_path / "broken.keras")


def test_networks_of_another_shape_are_refused_and_change_nothing(trained, tmp_path):
    gan = discogan(gf=3)
    discogan().g_AB.save(tmp_path / "g_AB.keras")
    before = gan.g_AB.get_weights()
    with pytest.raises(BadValueError, match=r"nothing of g_AB in .* fits this discogan: 0 of 17 layers, not layer 1"):
        gan.start_from(tmp_path / "g_AB.keras")
    assert all(np.array_equal(a, b) for a, b in zip(before, gan.g_AB.get_weights(), strict=True))


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((32, 32, 1), "15 of 17 layers, not layer 1 (Conv2D, 4x4x3x2+2 there, 4x4x1x2+2 here), layer 17 (Upsample"),
        ((64, 64, 3), "16 of 21 layers, not layer 9 (InstanceNormalization, not there, 16+16 here), layer 10 (Conv2D"),
        ((16, 16, 3), "12 of 13 layers, not layer 7 (InstanceNormalization"),
    ],
)
def test_layers_that_fit_are_taken_and_the_others_named(shape, told):
    """Of other channels, and of a U-Net that is deeper or less deep by one."""
    old, new = discogan().g_AB, discogan(img_shape=shape).g_AB
    fit = Fit.of(old, new)
    fit.take()
    assert fit.told().startswith(told) or fit.total == 13
    if shape != (32, 32, 1):
        for place in (0, 1, -1, -2):  # both ends
            for a, b in zip(layers_of(old)[place].get_weights(), layers_of(new)[place].get_weights(), strict=True):
                np.testing.assert_array_equal(a, b)
