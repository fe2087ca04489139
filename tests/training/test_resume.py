"""A run that was stopped at any time, in any way, resumes as if it had never stopped."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from support.commands import check_complaint, run_here
from support.eager import EAGERLY
from support.layout import RECORDED, layout
from support.models import MODELS, rows
from support.resuming import EVERY_STEP, SHORT, At, check_same, cut_back, everything, weights_in
from support.toy import Toy

from keras_gan import CycleGAN
from keras_gan.errors import BadValueError, NotFiniteError
from keras_gan.training import checkpoints, run_folder
from keras_gan.training.schedules import Schedule

pytestmark = EAGERLY


@pytest.mark.parametrize("model", rows("cyclegan", "cgan"))
def test_a_checkpoint_holds_the_full_state_of_a_model(model, tmp_path):
    """Its layout is the recorded one, so that runs of earlier versions can be resumed."""
    gan, other = (MODELS[model](seed=seed) for seed in (1, 2))
    for each in (gan, other):
        each.make_train_function()
    optimizers = [variable for part in gan.parts for variable in part.optimizer.variables]
    rng = np.random.default_rng(0)
    for variable in {id(v): v for v in [*gan.variables, *gan.random_states, *optimizers]}.values():
        variable.assign(rng.integers(1, 99, variable.shape).astype(variable.dtype))
    gan.save_weights(tmp_path / "all.weights.h5")
    other.load_weights(tmp_path / "all.weights.h5")
    for a, b in zip(everything(gan), everything(other), strict=True):
        np.testing.assert_array_equal(a, b)
    assert layout(tmp_path / "all.weights.h5") == json.loads(RECORDED.read_text(encoding="utf-8"))[model]


# The next tests share a small run with a checkpoint of every step.


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A finished run of six iterations, with a checkpoint of each iteration."""
    folder = tmp_path_factory.mktemp("kept") / "run"
    gan = Toy(seed=3, output=folder)
    gan.train(**EVERY_STEP)
    return gan


@pytest.fixture
def stopped(kept, tmp_path):
    """A copy of the run `kept` as it was at iteration 5."""
    return cut_back(kept.run_folder, tmp_path / "run", iteration=5)


def test_config_json_describes_the_run(kept):
    config = json.loads((kept.run_folder / "config.json").read_text())
    assert config["model"] == "toy" and config["seed"] == 3 and config["command"] is None
    arguments = config["arguments"]
    assert (arguments["epochs"], arguments["latent_dim"], arguments["schedule"]) == (2, 4, "constant")
    assert config["dataset"]["name"] == "drawn_digits" and config["dataset"]["pictures"]["train"] > 100
    assert set(config["versions"]) == {"keras_gan", "keras", "tensorflow", "numpy", "python"}
    assert {"commit", "started"} < set(config)


@pytest.mark.slow
def test_without_a_seed_one_is_drawn_and_resume_uses_it(tmp_path):
    gan = Toy(output=tmp_path / "run")
    gan.train(**EVERY_STEP)
    copy = cut_back(tmp_path / "run", tmp_path / "copy", iteration=0)  # killed before the first checkpoint
    assert json.loads((copy / "config.json").read_text())["arguments"]["seed"] is None
    check_same(gan, Toy.resume(copy))
    assert Toy().seed != Toy().seed


@pytest.mark.slow
def test_the_newest_checkpoints_are_kept(tmp_path):
    gan = Toy(output=tmp_path)
    gan.train(**EVERY_STEP | {"keep": 3})
    assert [path.name for path in checkpoints.names(tmp_path / "checkpoints")] == ["4", "5", "6"]
    gan.train_on_batch(np.zeros((1, 8, 8, 1), "float32"))
    gan.train(**SHORT | {"epochs": 1})  # trained outside the run in between: the seed alone cannot reproduce it
    assert [path.name for path in checkpoints.names(tmp_path / "checkpoints")] == ["7", "10"]


def test_by_default_checkpoints_take_at_most_a_hundredth_of_the_time(kept):
    saver = checkpoints.Checkpoints(kept.run, None, None, 2, None, [])
    assert saver.worth(0.001)  # the cost is still unknown
    saver.cost = 4.0
    assert not saver.worth(200) and saver.worth(800)


def test_resume_restores_optimizers_and_shapes(tmp_path):
    rmsprop = keras.optimizers.RMSprop(3e-4, momentum=0.5)
    gan = Toy((8, 10, 1), d_optimizer=rmsprop, seed=1, output=tmp_path / "run")
    gan.train(**EVERY_STEP)
    other = Toy.resume(cut_back(tmp_path / "run", tmp_path / "copy", iteration=4))
    check_same(gan, other)
    assert other.discriminator.optimizer.get_config() == gan.discriminator.optimizer.get_config()


@pytest.mark.slow
def test_extending_a_finished_run_equals_a_longer_run(kept, tmp_path):
    """The shorter run saved a grid after its last step; this must not affect the extended run."""
    longer = Toy.resume(cut_back(kept.run_folder, tmp_path / "copy", iteration=6), epochs=3)
    whole = Toy(seed=3, output=tmp_path / "whole")
    whole.train(**EVERY_STEP | {"epochs": 3})
    check_same(longer, whole)
    assert json.loads((tmp_path / "copy/config.json").read_text())["arguments"]["epochs"] == 3


# Failures while a checkpoint is written:


class Killed(BaseException):
    """Simulates the death of the process: no cleanup runs."""


@pytest.fixture(scope="module")
def other():
    """An untrained model of the same class."""
    gan = Toy()
    gan.make_train_function()
    return gan


def test_a_kill_while_writing_a_checkpoint_leaves_an_undamaged_one(stopped, kept, tmp_path, monkeypatch):
    """Kills at the first, second, ... call that changes a file, until a checkpoint is written without a kill."""
    for moment in itertools.count(1):
        folder = shutil.copytree(stopped / "checkpoints", tmp_path / str(moment))
        with monkeypatch.context() as patch:
            die_at(moment, patch, kept)
            try:
                checkpoints.save(folder, kept, {"iteration": 6}, keep=2)
                break
            except Killed:
                pass
        newest, before = (checkpoints.names(folder)[-i] for i in (1, 2))
        assert newest.name in ("5", "6") and checkpoints.fault_of(newest) is None
        assert checkpoints.fault_of(before) is None
        checkpoints.save(folder, kept, {"iteration": 7}, keep=2)
        assert {path.name for path in folder.iterdir()} == {newest.name, "7"}
    assert moment > 5 and [path.name for path in checkpoints.names(folder)] == ["5", "6"]


def die_at(moment, patch, gan):
    """Simulates death at the given call among those that change files; weights are half-written first."""
    calls = itertools.count(1)

    def dying(usual):
        def call(*arguments, **options):
            if next(calls) == moment:
                raise Killed
            return usual(*arguments, **options)

        return call

    def save_half(path):
        path.write_bytes(b"half")
        save_weights(path)

    save_weights = gan.save_weights
    patch.setattr(gan, "save_weights", save_half)
    for owner, name in ((Path, "mkdir"), (Path, "write_text"), (Path, "write_bytes"), (Path, "rename")):
        patch.setattr(owner, name, dying(getattr(owner, name)))
    for name in ("rmtree", "copyfile"):
        patch.setattr(shutil, name, dying(getattr(shutil, name)))
    patch.setattr(os, "fsync", dying(os.fsync))


@pytest.mark.parametrize("file", ["all.weights.h5", "state.json", "sums"])
@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
def test_a_damaged_checkpoint_is_reported_and_the_previous_one_is_used(stopped, other, file, damage, capsys):
    path = stopped / "checkpoints" / "5" / file
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    path.write_bytes(content[: len(content) // 2] if damage == "cut" else content)
    if damage == "gone":
        path.unlink()
    state = checkpoints.restore(stopped / "checkpoints", other)
    assert state["iteration"] == 4
    assert f"{path.parent} is damaged" in capsys.readouterr().err
    names = {path.name for path in (stopped / "checkpoints").iterdir()}
    assert names == {"1", "2", "3", "4", "damaged-5"}


def test_leftovers_of_killed_processes_are_removed_at_the_next_start(stopped, other):
    for name in (".unfinished", ".unfinished.abc/6", ".discarded", ".discarded.abc/3"):
        (stopped / "checkpoints" / name).mkdir(parents=True)
        (stopped / "checkpoints" / name / "all.weights.h5").write_bytes(b"half")
    checkpoints.restore(stopped / "checkpoints", other)
    assert {path.name for path in (stopped / "checkpoints").iterdir()} == {"1", "2", "3", "4", "5"}


def test_after_damage_a_resumed_run_ends_the_same(kept, stopped):
    (stopped / "checkpoints" / "5" / "all.weights.h5").write_bytes(b"")
    check_same(Toy.resume(stopped), kept)


def test_a_run_with_only_damaged_checkpoints_is_refused(stopped):
    for path in checkpoints.names(stopped / "checkpoints"):
        (path / "state.json").unlink()
    for _ in range(2):  # the second time, none is left under its name
        with pytest.raises(BadValueError, match="every checkpoint in .* is damaged: start a new run"):
            Toy.resume(stopped)


def test_a_full_disk_stops_the_run_with_one_line_and_loses_nothing(kept, small_disk, capsys, tmp_path):
    """The disk has room for the networks and one checkpoint, but not for two."""
    disk = small_disk(8)
    cut_back(kept.run_folder, disk / "run", iteration=1)
    checkpoint = sum(path.stat().st_size for path in (disk / "run/checkpoints/1").iterdir())
    (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - checkpoint // 2))
    before = {path.name: path.read_bytes() for path in (disk / "run/models").iterdir()}
    with pytest.raises(SystemExit) as stop:
        run_here(Toy, "--resume", str(disk / "run"), "--keep", "1")
    assert stop.value.code == 2
    printed = capsys.readouterr().err
    check_complaint(printed, "No space left on device")
    assert "the last one is from iteration 1" in printed and "--resume" in printed
    assert [path.name for path in (disk / "run/checkpoints").iterdir()] == ["1"]
    assert {path.name: path.read_bytes() for path in (disk / "run/models").iterdir()} == before
    (disk / "filler").unlink()
    check_same(Toy.resume(disk / "run", keep=1), kept)


# Stopped by signals and errors:


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_a_checkpoint_and_prints_how_to_resume(number, code, kept, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = "--seed 3 --epochs 2 --batch-size 2 --sample-interval 2 --steps-per-epoch 3"
    before = signal.getsignal(number)
    kill = At(2, lambda model: os.kill(os.getpid(), number))
    monkeypatch.setattr("keras_gan.training.run.SaveNetworks", lambda *arguments: kill)
    with pytest.raises(SystemExit) as stop:
        run_here(Toy, *words.split())
    assert stop.value.code == code and signal.getsignal(number) is before
    command = "python -m keras_gan.toy --resume runs/toy-drawn_digits-1"
    again = "; press again to end without saving" if number == signal.SIGINT else ""
    stopped = f"Stopped at iteration 2, checkpoint saved. To resume: {command}"
    assert capsys.readouterr().err == f"\nFinishing this step and saving{again}.\n\n{stopped}\n"
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert json.loads((tmp_path / "runs/toy-drawn_digits-1/report.json").read_text())["state"] == "stopped"
    assert (tmp_path / "runs/toy-drawn_digits-1/models/generator.keras").exists()
    run_here(Toy, "--resume")  # the newest
    out = capsys.readouterr().out
    assert "Resuming runs/toy-drawn_digits-1 from iteration 2" in out and "generator.keras" in out
    config = json.loads((tmp_path / "runs/toy-drawn_digits-1/config.json").read_text())
    assert config["command"] == f"python -m keras_gan.toy {words}"
    paths = [tmp_path / f"runs/toy-drawn_digits-1/models/{name}.keras" for name in ("generator", "discriminator")]
    for path, network in zip(paths, kept.networks, strict=True):
        for a, b in zip(weights_in(path), network.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def spoil(gan):
    gan.discriminator.trainable_variables[0].assign(gan.discriminator.trainable_variables[0] * np.nan)


@pytest.mark.parametrize("at", [4, 6])
def test_a_value_that_is_not_finite_stops_the_run_and_is_named(at, tmp_path):
    gan = Toy(seed=3, output=tmp_path)
    arguments = EVERY_STEP | {"callbacks": [At(at, spoil)]}
    del arguments["checkpoint_interval"]
    with pytest.raises(NotFiniteError) as error:
        gan.train(**arguments)
    found = "discriminator_loss is nan" if at == 4 else "weights of discriminator are not finite at iteration 6"
    assert found in str(error.value) and f"iteration {at + (at == 4)}" in str(error.value)
    assert "the last checkpoint is from iteration 3" in str(error.value)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["3"]
    assert all(np.isfinite(w).all() for path in gan.run.network_paths for w in weights_in(path))


# Bad input:


def test_folders_without_a_run_of_this_model_are_refused(stopped, tmp_path):
    with pytest.raises(FileNotFoundError, match="no run 'nowhere': there is no such folder"):
        Toy.resume("nowhere")
    with pytest.raises(ValueError, match=r"is not the folder of a run: it has no config\.json"):
        Toy.resume(tmp_path)
    with pytest.raises(ValueError, match=r"is a run of Toy, not of CycleGAN"):
        CycleGAN.resume(stopped)
    shutil.rmtree(stopped / "checkpoints")  # they have copies
    (stopped / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"is not the folder of a run: its config\.json cannot be read"):
        Toy.resume(stopped)


OTHERS = {
    "--dataset mnist": "dataset_name of run 'run' is 'drawn_digits', not 'mnist'",
    "--batch-size 3": "batch_size of run 'run' is 2, not 3",
    "--seed 4": "seed of run 'run' is 3, not 4",
    "--ema 0.9": "ema of run 'run' is 0.0, not 0.9",
    "--mixed-precision bfloat16": "dtype_policy of run 'run' is 'float32', not 'mixed_bfloat16'",
    "--jit on": "jit_compile of run 'run' is False, not True",
    "--epochs 1": "epochs of run 'run' are 2: you may increase them, not set 1",
    "--output other": "run 'run' is resumed in its own folder: leave the output folder out",
}


@pytest.mark.parametrize("words", OTHERS)
def test_a_changed_argument_is_refused_by_name(words, stopped, monkeypatch, capsys):
    monkeypatch.chdir(stopped.parent)
    with pytest.raises(SystemExit) as stop:
        run_here(Toy, "--resume", "run", *words.split())
    assert stop.value.code == 2
    check_complaint(capsys.readouterr().err, OTHERS[words])


def test_resume_without_a_folder_finds_the_newest_run_of_the_model(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        run_here(Toy, "--resume")
    check_complaint(capsys.readouterr().err, "no run of toy below 'runs'")
    for number, (name, model) in enumerate([("a", "gan"), ("b", "gan"), ("c", "toy"), ("d", "gan")]):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps({"model": model, "class": "X", "arguments": {}}))
        for path in (folder / "config.json", folder):
            os.utime(path, (number, number if name != "d" else 0))
    (tmp_path / "runs/b/images").mkdir()
    assert str(run_folder.newest_run("gan")) == "runs/b"


def test_resuming_a_finished_run_explains_how_to_extend_it(kept, tmp_path):
    copy = cut_back(kept.run_folder, tmp_path / "copy", iteration=6)
    with pytest.raises(ValueError, match=r"is finished: all 2 epochs are trained.*--resume .*copy --epochs 4"):
        Toy.resume(copy)


HOLD = """
import sys, time
from keras_gan.training.run_folder import locked
with locked(__import__("pathlib").Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_ends_or_is_killed(stopped, kept):
    with subprocess.Popen([sys.executable, "-c", HOLD, stopped], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match=r"another process trains in .*run"):
            Toy.resume(stopped)
        process.kill()
    assert (stopped / ".lock").exists()
    check_same(Toy.resume(stopped), kept)


def test_a_run_folder_that_cannot_be_written_is_named(stopped, small_disk):
    disk = small_disk(8)
    shutil.copytree(stopped, disk / "run")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(ValueError, match=r"output folder '.*run' cannot be written: Read-only file system"):
        Toy.resume(disk / "run")


def test_changed_data_is_reported_with_counts(paired_folder, tmp_path, capsys):
    gan = Toy(dataset_name=str(paired_folder), output=tmp_path / "run", seed=0)
    gan.train(**EVERY_STEP | {"epochs": 1})
    assert json.loads((tmp_path / "run/config.json").read_text())["dataset"]["pictures"] == {"train": 5, "test": 2}
    shutil.copy(paired_folder / "train/0.png", paired_folder / "train/7.png")
    shutil.copy(paired_folder / "train/0.png", paired_folder / "train/8.png")
    (paired_folder / "val/1.png").unlink()
    os.utime(paired_folder / "train/3.png", (1, 1))
    for told in ("warning: the data set has changed since this run was started: 2 added, 1 removed, 1 changed\n", ""):
        with pytest.raises(ValueError, match="is finished"):
            Toy.resume(tmp_path / "run")
        assert capsys.readouterr().err == told


# Learning rates and averages (EMA):


def rates(name, epochs, decay_epochs=0):
    gan = Toy(d_optimizer=keras.optimizers.Adam(2e-4))
    schedule = Schedule(gan, name, epochs, decay_epochs)
    shares = []
    for epoch in range(epochs + decay_epochs):
        schedule.on_epoch_begin(epoch)
        assert len({float(part.optimizer.learning_rate) for part in gan.parts}) == 1
        shares.append(float(gan.combined.optimizer.learning_rate) / 2e-4)
    return shares


def test_schedules():
    np.testing.assert_allclose(rates("constant", 3), [1, 1, 1], rtol=1e-5)
    np.testing.assert_allclose(rates("linear", 6), [1, 1, 1, 0.75, 0.5, 0.25], rtol=1e-5)
    np.testing.assert_allclose(rates("linear", 2, 3), [1, 1, 0.75, 0.5, 0.25], rtol=1e-5)
    np.testing.assert_allclose(rates("cosine", 4), [1, 0.853553, 0.5, 0.146447], rtol=1e-4)
    np.testing.assert_allclose(rates("step", 8), [1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01], rtol=1e-5)
    with pytest.raises(ValueError, match="schedule must be one of constant, linear, cosine, step, not 'exp'"):
        rates("exp", 4)
    with pytest.raises(ValueError, match="decay_epochs=2 is for schedule 'linear', not 'step'"):
        rates("step", 4, 2)
    with pytest.raises(ValueError, match="schedule='cosine' cannot lower the rate of d_A"):
        Schedule(MODELS["cyclegan"](), "cosine", 4)


@pytest.mark.slow
def test_resume_restores_schedules_and_averages(tmp_path):
    options = {"schedule": "cosine", "ema": 0.9, "epochs": 4}
    gan = Toy(seed=3, output=tmp_path / "run")
    rates = []
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: rates.append(gan.optimizer.learning_rate))
    gan.train(**EVERY_STEP | options | {"keep": 99}, callbacks=[note])
    assert rates == pytest.approx([2e-4 * (1 + np.cos(np.pi * epoch / 4)) / 2 for epoch in range(4)])
    other = Toy.resume(cut_back(tmp_path / "run", tmp_path / "copy", iteration=8))
    check_same(gan, other)
    for a, b in zip(gan.averages.averages, other.averages.averages, strict=True):
        np.testing.assert_array_equal(a, b)
