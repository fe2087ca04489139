"""An experiment: one model, some settings of it, and how its networks are judged."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from keras_gan.files import unfinished_folder
from keras_gan.training import run_folder
from keras_gan.training.kept_networks import kept_epochs

MOST_KEPT = 20


class Row(NamedTuple):
    """Figures of an answer: a setting after some iterations, or a trivial answer, whose setting is empty."""

    answer: str
    setting: str
    iterations: int
    seed: int
    figures: dict[str, float]


class Judge(NamedTuple):
    """How the networks of a model are judged on held-out data."""

    figures: Callable[[], dict[str, float]]  # of the networks as they are now
    grid: Callable[[Path], Any]  # saves pictures of them
    trivial: dict[str, dict[str, float]]  # the same figures of answers that nothing was learned for


class Experiment(NamedTuple):
    """What is trained and how it is judged.

    `settings` are {name: {"model": arguments of the model, "train": arguments of `train()`}}, on top of `model` and
    `train`. `judge(gan, extractor)` returns a `Judge`; the
    extractor gives features for KID. Networks are judged after `marks` iterations.
    """

    title: str
    data: str  # name of the data set's folder
    kind: type
    judge: Callable[[Any, Any], Judge]
    figures: dict[str, str]  # name: format
    marks: list[int]
    settings: dict[str, dict[str, dict[str, Any]]]
    model: dict[str, Any] = {}
    train: dict[str, Any] = {}
    judged: dict[str, Any] = {}  # arguments of the model that is only judged
    prepare: Callable[[str, Path], None] | None = None  # makes other data of the data set, in a folder

    def run(
        self, setting: str, seed: int, dataset: str, folder: Path, marks: list[int] | None, extractor: Any
    ) -> list[Row]:
        """Trains a setting, or goes on training it, and judges it at the marks."""
        marks, run = sorted(marks or self.marks), folder / f"{setting}-{seed}"
        every = math.gcd(*marks)
        if marks[-1] // every > MOST_KEPT:
            raise SystemExit(f"marks {marks} would keep {marks[-1] // every} networks: give multiples of one number.")
        if self.prepare:
            prepared = folder / "data"
            if not prepared.exists():
                folder.mkdir(parents=True, exist_ok=True)
                with unfinished_folder(prepared) as unfinished:
                    self.prepare(dataset if Path(dataset).exists() else f"datasets/{dataset}", unfinished)
                    unfinished.rename(prepared)
            dataset = str(prepared)
        self.learn(setting, seed, dataset, run, every, marks[-1])
        gan = self.build(setting, seed, dataset, str(folder / "judged"), **self.judged)
        judge = self.judge(gan, extractor)
        rows = [Row(answer, "", 0, 0, figures) for answer, figures in judge.trivial.items()]
        for mark in marks:
            gan.start_from(f"{run}@{mark // every}")
            rows.append(Row(setting, setting, mark, seed, judge.figures()))
            judge.grid(folder / f"{setting}-{seed}-{mark}.png")
            print(rows[-1], flush=True)
        return rows

    def build(self, setting: str, seed: int, dataset: str, output: str, **changes: Any) -> Any:
        options = self.model | self.settings[setting].get("model", {}) | changes
        return self.kind(dataset_name=dataset, seed=seed, output=output, **options)

    def learn(self, setting: str, seed: int, dataset: str, run: Path, every: int, last: int) -> None:
        """Trains until iteration `last`, and keeps the networks of every `every` iterations."""
        epochs = last // every
        options = {"sample_interval": every} | self.train | self.settings[setting].get("train", {})
        if not (run / "config.json").exists():
            gan = self.build(setting, seed, dataset, str(run))
            gan.train(epochs=epochs, steps_per_epoch=every, save_every=1, **options)
            return
        has = run_folder.read_config(run)["arguments"]
        if has["steps_per_epoch"] != every or (has["epochs"] < epochs and "schedule" in options):
            raise SystemExit(f"{run} was trained for other marks: remove it, or give another --output.")
        if epochs not in kept_epochs(run):
            self.kind.resume(run, epochs=max(epochs, has["epochs"]))
