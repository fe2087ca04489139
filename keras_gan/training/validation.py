"""Held-out figures: what they are, validation every few epochs, and the best figure of a run so far."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from keras_gan import backend
from keras_gan.errors import BadValueError
from keras_gan.images.metrics import Inception, distances, features_of
from keras_gan.report.callbacks import each_of
from keras_gan.report.csv_log import Table
from keras_gan.report.run_files import VALIDATION

HEAPS = "FID", "KID"  # figures of two sets of pictures, for which `Inception` is needed


def batches(loader: Any, batch_size: int, most: int) -> Iterator[tuple]:
    """Yields batches of up to `most` held-out pictures."""
    left = most
    for batch in loader.load_batch(min(batch_size, most), is_testing=True):
        whole = batch if isinstance(batch, tuple) else (batch,)
        yield tuple(part[:left] for part in whole)
        left -= len(whole[0])
        if left <= 0:
            return


class Figures:
    """Computes the held-out figures of a model, with the averages of its weights if there are any.

    Args:
        model: the `AdversarialModel`.
        batch_size: pictures per batch.
        most: number of held-out pictures to look at.
        extractor: see `keras_gan.evaluate.evaluate`; None: no FID and KID.
    """

    def __init__(self, model: Any, batch_size: int, most: int, extractor: Callable | None = None) -> None:
        self.model, self.batch_size, self.most, self.extractor = model, batch_size, most, extractor
        self.real: dict[str, np.ndarray] = {}  # features of the held-out pictures themselves

    def __call__(self) -> dict[str, float]:
        """The figures: means over pictures, and with an extractor FID and KID."""
        sums: dict[str, float] = {}
        features: dict[str, tuple[list, list]] = {}
        count = 0
        with self.model.averaged(), backend.undivided():
            for number, batch in enumerate(batches(self.model.data_loader, self.batch_size, self.most)):
                figures, sides = self.model.held_out(number, *batch)
                count += len(batch[0])
                for name, figure in figures.items():
                    sums[name] = sums.get(name, 0.0) + len(batch[0]) * figure
                for way, (made, real) in sides.items() if self.extractor else ():
                    of_made, of_real = features.setdefault(way, ([], []))
                    of_made.append(self.features_of(made))
                    if way not in self.real:
                        of_real.append(self.features_of(real))
        means = {name: figure / count for name, figure in sums.items()}
        return means | self.heaps(features)

    def features_of(self, images: np.ndarray) -> np.ndarray:
        assert self.extractor
        return features_of(self.extractor, images, self.model.data_loader.value_range)

    def heaps(self, features: dict[str, tuple[list, list]]) -> dict[str, float]:
        """FID and KID of each way, and their means if there are two, from lists of features."""
        found: dict[str, float] = {}
        for way, (made, real) in features.items():
            self.real.setdefault(way, np.concatenate(real) if real else np.empty(0))
            scores = distances(np.concatenate(made), self.real[way])
            found |= {f"{name}_{way}": math.nan if scores[name] is None else scores[name] for name in HEAPS}
        for name in HEAPS if features else ():
            found[name] = float(np.mean([found[f"{name}_{way}"] for way in features]))
        return found if len(features) > 1 else {name: found[name] for name in HEAPS if name in found}


class Validate(keras.callbacks.Callback):
    """Adds the figures of held-out pictures to the logs of an epoch, as `val_NAME`, for the callbacks after it.

    They are the losses of the game and the held-out figures. `validation.csv` gets a row of them.

    Args:
        figures: computes the held-out figures.
        interval: epochs between validations.
        listen: called with each row of the table, a dict.
    """

    def __init__(self, figures: Figures, interval: int, listen: Callable) -> None:
        super().__init__()
        self.figures, self.interval, self.listen = figures, interval, listen

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.table = Table(self.model.run_folder / VALIDATION)
        self.table.open(int(self.model.iteration))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if logs is None or (epoch + 1) % self.interval:
            return
        model = self.model
        model.reset_metrics()
        found: dict[str, float] = {}
        with backend.undivided():
            for batch in batches(model.data_loader, self.figures.batch_size, self.figures.most):
                found = model.test_on_batch(*batch, return_dict=True)
        found |= self.figures()
        model.reset_metrics()
        row = {f"val_{name}": float(figure) for name, figure in found.items()}
        logs |= row
        if backend.hosts()[0] == 0:
            self.table.append({"iteration": int(model.iteration), "epoch": epoch + 1} | row)
            self.listen({"iteration": int(model.iteration)} | row)


def validation_of(model: Any, arguments: dict[str, Any], shown: list[Any]) -> list[Validate]:
    """The `Validate` of a run with these arguments of `train()`, or nothing. `shown` are its other callbacks.

    Raises:
        BadValueError: if there are no held-out pictures, or no figure of this name to be best by.
    """
    best_by = arguments["best_by"]
    interval = arguments["validation_interval"] or int(bool(best_by))
    if not interval:
        return []
    held_out = min(model.data_loader.counts(is_testing=True))
    wanted = f"best_by={best_by!r}" if best_by else f"validation_interval={interval}"
    if not held_out:
        raise BadValueError(
            f"{wanted} needs held-out pictures, and data set {model.data_loader.dataset_name!r} has none: "
            "add a folder of test pictures (docs/data.md), or leave it out."
        )
    most = arguments["validation_pictures"]
    figures = Figures(model, min(arguments["batch_size"], most), most)
    if best_by:
        check_figure(figures, best_by, min(held_out, most))
        if best_by.startswith(HEAPS):
            figures.extractor = extractor_of(best_by)
    listeners = [callback.row for callback in shown if hasattr(callback, "row")]
    return [Validate(figures, interval, each_of(listeners))]


def check_figure(figures: Figures, name: str, count: int) -> None:
    """Raises BadValueError unless a model has a held-out figure of this name, and pictures enough for it."""
    (batch,) = batches(figures.model.data_loader, 1, 1)
    with backend.undivided():
        known, sides = figures.model.held_out(0, *batch)
    both = [f"{heap}_{way}" for heap in HEAPS for way in sides] if len(sides) > 1 else []
    names = [*known, *(HEAPS if sides else ()), *both]
    if name not in names:
        has = f"{figures.model.name} has {', '.join(names)}" if names else f"{figures.model.name} has none"
        raise BadValueError(f"best_by={name!r} is no held-out figure: {has}.")
    if name.startswith(HEAPS) and count < 2:
        raise BadValueError(f"best_by={name!r} needs at least two held-out pictures, not {count}.")


def extractor_of(best_by: str) -> Callable:
    """The network of FID and KID. Raises BadValueError if it is unavailable."""
    try:
        return Inception()
    except BadValueError as error:
        raise BadValueError(f"best_by={best_by!r}: {error}") from error


class Best:
    """The best figure of a run so far, and how many validations in a row found no better one.

    Args:
        name: the held-out figure; less of it is better.
        patience: the run ends after so many validations without a better figure; 0: it does not end early.

    Attributes:
        state: {"value": float or None, "epoch": of the best, or None, "since": validations}, for checkpoints.
    """

    def __init__(self, name: str, patience: int) -> None:
        self.name, self.patience = name, patience
        self.state: dict[str, Any] = {"value": None, "epoch": None, "since": 0}

    @classmethod
    def of(cls, name: str | None, patience: int, before: "Best | None" = None) -> "Best | None":
        """None without a name. A second training in one folder goes on from the best figure `before`."""
        if name is None:
            return None
        best = cls(name, patience)
        if before and before.name == name:
            best.state = before.state | {"since": 0}
        return best

    def take(self, value: float, epoch: int) -> bool:
        """Takes the figure of an epoch, from 1; returns whether it is better than all before."""
        is_better = math.isfinite(value) and (self.state["value"] is None or value < self.state["value"])
        self.state["since"] = 0 if is_better else self.state["since"] + 1
        if is_better:
            self.state |= {"value": value, "epoch": epoch}
        return is_better

    @property
    def is_over(self) -> bool:
        """Whether patience has ended."""
        return 0 < self.patience <= self.state["since"]

    def told(self) -> str:
        """The best figure in words."""
        if self.state["value"] is None:
            return f"no epoch with a finite {self.name} yet"
        return f"the best {self.name} is {self.state['value']:.4g}, of epoch {self.state['epoch']}"

    def why_over(self) -> str:
        """Why the run ended early."""
        return f"{self.state['since']} validations in a row brought no better {self.name}; {self.told()}"


def why_finished(state: dict[str, Any] | None, epochs: int, best: Best | None) -> str | None:
    """Why a run needs no more epochs, from the `state.json` of its newest checkpoint; None: it needs more."""
    if state is None:
        return None
    if state["epoch"] >= epochs:
        return f"all {epochs} epochs are trained"
    return best.why_over() if best and best.is_over else None
