"""The networks that a run keeps of its epochs, the best ones by a held-out figure, and the end by patience."""

import json
import shutil

import keras
import numpy as np
import pytest
from support.commands import check_complaint, run_here, translate_here
from support.eager import EAGERLY
from support.resuming import SHORT, check_same, weights_in
from support.toy import Toy

from keras_gan import DiscoGAN, generators
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.report.csv_log import read_rows
from keras_gan.training import kept_networks, network_files, validation
from keras_gan.training.checkpoint_files import state_of
from keras_gan.training.checkpoints import networks_at

pytestmark = EAGERLY
LONG = SHORT | {"epochs": 6, "steps_per_epoch": 1, "quiet": True, "validation_pictures": 2, "sample_interval": 99}
FIGURES = 5.0, 3.0, 3.0, 4.0, 2.0, 9.0  # by epoch: the best are 1, 2 and 5


@pytest.fixture
def figures(monkeypatch):
    """Gives Toy a held-out figure, which depends on the epoch alone."""

    def held_out(model, number, imgs):
        epoch = int(model.iteration) // LONG["steps_per_epoch"]
        return {"L1": FIGURES[max(epoch, 1) - 1]}, {"noise": (imgs, imgs)}

    monkeypatch.setattr(Toy, "held_out", held_out)


def test_networks_of_every_few_epochs_and_the_best_are_kept(figures, tmp_path, capsys):
    epochs = {}
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.update({epoch + 1: weights(gan)}))
    gan = Toy(seed=1, output=tmp_path / "run")
    gan.train(**LONG | {"quiet": False}, save_every=2, best_by="L1", callbacks=[note])
    assert kept_networks.kept_epochs(tmp_path / "run") == [2, 4, 6]
    for mark, epoch in {"best": 5, "2": 2, "04": 4}.items():
        path, place = generators.locate(tmp_path / f"run@{mark}")
        assert place.run == tmp_path / "run" and sorted(p.stem for p in path.parent.iterdir()) == [
            "discriminator",
            "generator",
        ]
        for a, b in zip(weights_in(path), epochs[epoch], strict=True):
            np.testing.assert_array_equal(a, b)
    rows = read_rows(tmp_path / "run" / "validation.csv")
    assert [row["val_L1"] for row in rows] == list(FIGURES) and [row["epoch"] for row in rows] == [1, 2, 3, 4, 5, 6]
    printed = capsys.readouterr().out
    assert "epoch 2: L1 3, the best so far\n" in printed and "epoch 4: L1 4, the best L1 is 3, of epoch 2\n" in printed


def weights(gan):
    return [weight.copy() for weight in gan.generator.get_weights()]


@pytest.mark.slow
def test_patience_ends_a_run_and_a_resumed_run_keeps_its_count(figures, tmp_path, capsys):
    whole = Toy(seed=1, output=tmp_path / "whole")
    history = whole.train(**LONG, best_by="L1", patience=2)
    assert len(history.history["g_loss"]) == 4
    told = "2 validations in a row brought no better L1; the best L1 is 3, of epoch 2"
    assert f"Stopped early: {told}." in capsys.readouterr().out
    last = state_of(tmp_path / "whole" / "checkpoints" / "4")["best"]
    assert last == {"value": 3.0, "epoch": 2, "since": 2}
    with pytest.raises(BadValueError, match=f"is finished: {told}. To train longer: .* --patience 4"):
        Toy.resume(tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    shutil.rmtree(tmp_path / "cut" / "checkpoints" / "4")  # as after a kill in epoch 4, which is trained again
    cut = Toy.resume(tmp_path / "cut")
    check_same(cut, whole)
    assert state_of(tmp_path / "cut" / "checkpoints" / "4")["best"] == last
    assert (tmp_path / "cut" / "validation.csv").read_text() == (tmp_path / "whole" / "validation.csv").read_text()
    more = Toy.resume(tmp_path / "whole", patience=3)
    assert int(more.iteration) == 6 and more.run.best.state == {"value": 2.0, "epoch": 5, "since": 1}


def test_a_figure_that_is_not_finite_is_never_the_best():
    best = validation.Best("FID", patience=2)
    assert not best.take(float("nan"), 1) and best.told() == "no epoch with a finite FID yet"
    assert best.take(4.0, 2) and not best.take(float("inf"), 3) and not best.is_over
    assert not best.take(4.0, 4) and best.is_over and best.state == {"value": 4.0, "epoch": 2, "since": 2}


def discogan(**options):
    return DiscoGAN(**{"img_shape": (16, 16, 3), "gf": 2, "df": 2, "dataset_name": "drawn_shoes", "seed": 1} | options)


def test_held_out_figures_are_means_over_all_pictures():
    """As evaluate computes them; FID and KID of both ways, and their means."""
    gan = discogan()
    figures = validation.Figures(gan, batch_size=3, most=5, extractor=lambda pictures: pictures.mean(axis=(1, 2)))
    found = figures()
    A, B = (np.concatenate(side) for side in zip(*validation.batches(gan.data_loader, 4, 5), strict=True))
    assert len(A) == 5 and found["L1_A_to_B"] == pytest.approx(
        np.abs(gan.g_AB.predict_on_batch(A) - B).mean(), rel=1e-5
    )
    assert found["FID"] == pytest.approx((found["FID_A_to_B"] + found["FID_B_to_A"]) / 2)
    assert figures() == pytest.approx(found)  # with the features of real pictures from before


BY = {"best_by": "L1_A_to_C"}, {"best_by": "FID", "validation_pictures": 1}, {"best_by": "KID"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (BY[0], "best_by='L1_A_to_C' is no held-out figure: discogan has L1_A_to_B, L1_B_to_A, L1_A_and_back, "),
        (BY[1], "best_by='FID' needs at least two held-out pictures, not 1."),
        (BY[2], "best_by='KID': no weights"),
    ],
)
def test_figures_that_cannot_be_computed_are_refused_before_the_run(options, message, tmp_path, monkeypatch):
    def inception():
        raise BadValueError("no weights")

    monkeypatch.setattr(validation, "Inception", inception)
    with pytest.raises(BadValueError, match=message):
        discogan(output=tmp_path / "run").train(epochs=1, **options)
    assert not (tmp_path / "run").exists()


def test_a_run_without_held_out_pictures_cannot_be_best(tmp_path):
    gan = Toy(seed=1, output=tmp_path / "run")
    gan.data_loader.test.clear()
    for options in ({"best_by": "FID"}, {"validation_interval": 1}):
        with pytest.raises(BadValueError, match="needs held-out pictures, and data set 'drawn_digits' has none"):
            gan.train(**LONG, **options)
    assert not (tmp_path / "run").exists()


def test_room_for_kept_networks_is_asked_for(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    gan = Toy(seed=1, output=tmp_path / "run", width=64)
    gan.make_train_function()
    checkpoint, networks = network_files.sizes_of(gan)
    free = 3 * checkpoint + 4 * networks
    monkeypatch.setattr(network_files.shutil, "disk_usage", lambda path: usage._replace(free=free))
    arguments = {"keep": 2, "epochs": 4, "decay_epochs": 2, "save_every": 2, "best_by": None}
    network_files.check_disk(tmp_path, gan, arguments)
    with pytest.raises(BadValueError, match="networks, those kept 6 times and 3 checkpoints take .* larger --save-ev"):
        network_files.check_disk(tmp_path, gan, arguments | {"save_every": 1})
    with pytest.raises(BadValueError, match="networks, those kept 5 times and 3 checkpoints"):
        network_files.check_disk(tmp_path, gan, arguments | {"best_by": "L1"})


# Folders of networks, made of small files.


@pytest.fixture
def files(tmp_path):
    models = tmp_path / "run" / "models"
    models.mkdir(parents=True)
    for name in ("g_AB", "g_BA"):
        (models / f"{name}.keras").write_text("new")
    (tmp_path / "run" / "config.json").write_text(json.dumps({"class": "DiscoGAN", "model": "d", "arguments": {}}))
    return sorted(models.glob("*.keras"))


class KilledError(Exception):
    pass


@pytest.mark.parametrize("at", range(8))
def test_a_kill_at_any_moment_leaves_the_old_or_the_new_networks(at, files, monkeypatch):
    """Each call that changes a name or copies a file; what is the user's stays."""
    run = files[0].parents[1]
    best = run / "models" / "best"
    best.mkdir()
    for name in ("g_AB.keras", "g_BA.keras", "mine.onnx"):
        (best / name).write_text("old")
    calls = []

    def killing(call):
        def counted(*arguments, **options):
            calls.append(call)
            if len(calls) > at:
                raise KilledError
            return call(*arguments, **options)

        return counted

    with monkeypatch.context() as patch:
        patch.setattr(kept_networks.Path, "rename", killing(kept_networks.Path.rename))
        for name in ("copyfile", "rmtree"):
            patch.setattr(kept_networks.shutil, name, killing(getattr(shutil, name)))
        try:
            kept_networks.keep(files, best)
        except KilledError:
            patch.undo()
    place = kept_networks.place_of(f"{run}@best")
    texts = {path.name: path.read_text() for path in place.folder.iterdir()}
    assert {texts["g_AB.keras"], texts["g_BA.keras"]} in ({"old"}, {"new"})
    kept_networks.settle_all(run)
    assert not kept_networks.before(best).exists() and (best / "mine.onnx").read_text() == "old"
    kept_networks.keep(files, best)
    assert sorted(path.read_text() for path in best.iterdir()) == ["new", "new", "old"]
    assert [path.name for path in best.parent.iterdir() if path.name.startswith("best-")] == []


def test_names_of_networks(files):
    run = files[0].parents[1]
    for name in ("best", "epoch-3", "epoch-12"):
        kept_networks.keep(files, run / "models" / name)
    assert kept_networks.kept_epochs(run) == [3, 12]
    marks = {"": "", "@best": "best", "@12": "12", "@012": "12", "/models": "", "/models/epoch-3": "3"}
    for name, mark in (marks | {"/models/best": "best"}).items():
        place = kept_networks.place_of(f"{run}{name}")
        assert place.mark == mark and place.run == run and (place.folder / "g_AB.keras").exists(), name
    with pytest.raises(NotFoundError, match="kept no networks of epoch 7: it has those of 3, 12 and best"):
        kept_networks.place_of(f"{run}@7")
    other = run.parent / "copied@3"  # a folder may have such a name, and lie elsewhere
    shutil.copytree(run / "models" / "epoch-3", other)
    assert kept_networks.place_of(other) == kept_networks.Place(other, None)
    shutil.copytree(run, run.parent / "my@run")
    assert kept_networks.place_of(f"{run.parent / 'my@run'}@12").mark == "12"


def test_a_run_that_keeps_none_says_how(files):
    run = files[0].parents[1]
    with pytest.raises(NotFoundError, match="kept no best networks: a run keeps them if it is trained with --best-by"):
        kept_networks.place_of(f"{run}@best")
    with pytest.raises(NotFoundError, match="kept no networks of epoch 1: .* with --save-every"):
        kept_networks.place_of(f"{run}@1")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Even though")
def test_a_checkpoint_is_used_like_its_networks(tmp_path, capsys):
    """With averages, which saved networks have, too."""
    gan = discogan(output=tmp_path / "run")
    gan.train(epochs=1, steps_per_epoch=12, ema=0.9, sample_interval=99, quiet=True)
    networks_at.cache_clear()
    found = generators.find(tmp_path / "run" / "checkpoints" / "12", "BtoA")
    saved = generators.find(tmp_path / "run", "BtoA")
    for a, b in zip(found.model.get_weights(), saved.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert found.comment == saved.comment and found.direction == "BtoA" and found.run == saved.run
    inputs = tmp_path / "run" / "images"
    assert translate_here(tmp_path / "run/checkpoints/12", inputs, "--output", tmp_path / "out") == 0
    other = discogan(seed=9)
    other.start_from(tmp_path / "run" / "checkpoints" / "12")
    np.testing.assert_array_equal(other.g_AB.get_weights()[0], generators.find(tmp_path / "run").model.get_weights()[0])
    assert translate_here(tmp_path / "run/checkpoints/7", inputs, "--output", tmp_path / "no") == 2
    capsys.readouterr()


def test_the_command_says_where_the_best_networks_are(figures, tmp_path, capsys):
    words = ["--epochs", "2", "--steps-per-epoch", "1", "--seed", "1", "--validation-pictures", "2"]
    words += ["--output", str(tmp_path / "run")]
    run_here(Toy, *words, "--best-by", "L1", "--save-every", "1", "--quiet")
    best = tmp_path / "run" / "models" / "best"
    assert f"Best:         {best} (the best L1 is 3, of epoch 2)\n" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run_here(Toy, *words[:-1], str(tmp_path / "other"), "--best-by", "L2")
    check_complaint(capsys.readouterr().err, "best_by='L2' is no held-out figure: toy has L1, FID")
