"""Damages the files of a run, and reads the run as `resume`, `report` and `translate` do."""

import contextlib
import functools
import json
import shutil
from pathlib import Path

import numpy as np

from keras_gan import generators
from keras_gan.errors import UserError
from keras_gan.files import is_whole_zip
from keras_gan.report.callbacks import watching
from keras_gan.report.csv_log import read_rows
from keras_gan.report.curves import save_losses
from keras_gan.report.frames import animate, fault_of, frame_paths
from keras_gan.report.page import save_facts, write_report
from keras_gan.report.run_files import read_record
from keras_gan.training import checkpoints
from keras_gan.training.kept_networks import keep
from keras_gan.training.validation import Validate
from support.resuming import everything


class Subject:
    """A finished run, whose copies are damaged and read.

    Args:
        gan: its model, which reads the copies.
        states: {iteration: the model's full state}.
    """

    def __init__(self, gan, states):
        self.gan, self.folder, self.states = gan, gan.run_folder, states
        self.config = json.loads((self.folder / "config.json").read_text())
        self.arguments = self.config["arguments"]
        self.weights = gan.generator.get_weights()

    @property
    def files(self):
        """The files, relative to the folder, without the lock."""
        found = (path for path in sorted(self.folder.rglob("*")) if path.is_file() and path.name != ".lock")
        return [path.relative_to(self.folder) for path in found]

    def copy(self, to):
        shutil.rmtree(to, ignore_errors=True)
        return shutil.copytree(self.folder, to)

    def check_reading(self, run, draws=True):
        """Reads a damaged run in all ways. Each must end in its undamaged result or in one line; returns these lines.

        `draws` is whether to draw its curves and animation, which takes longer than everything else.
        """
        errors = []
        for read in (self.translate, self.report, functools.partial(self.resume, draws=draws)):
            try:
                read(run)
            except (UserError, OSError) as error:
                assert "\n" not in str(error) and (isinstance(error, UserError) or error.errno is not None)
                errors.append(str(error))
        return errors

    def translate(self, run):
        for name in (run, f"{run}@2"):
            generator = generators.find(name)
            assert same(generator.config["arguments"], self.arguments)
            for weight, expected in zip(generator.model.get_weights(), self.weights, strict=True):
                np.testing.assert_array_equal(weight, expected)

    @staticmethod
    def report(run):
        assert write_report(run).read_text(encoding="utf-8").endswith("</html>\n")

    def resume(self, run, draws):
        """Does what resuming does before the first step and after the last one, with the model of the subject."""
        gan = self.gan
        gan.run.folder = run
        try:
            state = self.restored(run)
            if state is None:
                assert not list(run.glob("checkpoints/*")) and not (run / "models").exists()
                return
            iteration = state["iteration"]
            for value, expected in zip(everything(gan), self.states[iteration], strict=True):
                np.testing.assert_array_equal(value, expected)
            for callback in (*watching(2, 2, 1, True)[:3], Validate(None, 1, print)):
                callback.set_model(gan)
                callback.on_train_begin()
            rows = read_rows(run / "history.csv")
            assert all(row["iteration"] <= iteration for row in rows)
            if draws:
                save_losses(run / "losses.png", rows)
                animate(run)
            checkpoints.save(run / "checkpoints", gan, state, 2)
            gan.save_networks()
            keep(gan.run.network_paths, run / "models" / "epoch-2")
            save_facts(run, {"model": "toy", "state": "stopped"})
            write_report(run)
            self.check_files(run, draws)
        finally:
            gan.run.folder = self.folder

    def restored(self, run):
        with contextlib.redirect_stdout(None):
            state = self.gan.run.restore(self.arguments | {"epochs": 9})
        assert same(self.gan.run.config["arguments"], self.arguments | {"epochs": 9})
        return state

    def check_files(self, run, draws=True):
        """Checks that all that is left under final names can be read."""
        for name in ("config.json", "data.json", "report.json"):
            assert read_record(run / name)
        for path in (run / "history.csv", run / "held_out.csv", run / "validation.csv"):
            text = path.read_text() if path.exists() else "\n"
            assert text.endswith("\n") and len({line.count(",") for line in text.splitlines()}) == 1
        assert (run / "report.html").read_text(encoding="utf-8").endswith("</html>\n")
        assert checkpoints.fault_of(checkpoints.names(run / "checkpoints")[-1]) is None
        for folder in (run / "models", run / "models" / "epoch-2"):
            assert all(is_whole_zip(folder / f"{network.name}.keras") for network in self.gan.networks)
        drawn = run.glob("losses.png") if draws else ()
        assert all(fault_of(path) is None for path in (*drawn, *frame_paths(run / "frames")))
        assert not [path for path in run.rglob(".*") if path.name != ".lock"]


def same(one, other):
    return json.loads(json.dumps(one)) == json.loads(json.dumps(other))


def flip(path, chance):
    """Flips a random bit of a file."""
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def spoil(path, how):
    """Damages a file or a folder in a way named in `WAYS`."""
    if how in ("gone", "turned"):
        was_folder = path.is_dir()
        shutil.rmtree(path) if was_folder else path.unlink()
        if how == "turned":
            path.touch() if was_folder else Path(path, "inside").mkdir(parents=True)
    elif path.is_file():
        content = path.read_bytes()
        path.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "zeros": bytes(len(content))}[how])


WAYS = "gone", "turned", "empty", "cut", "zeros"
