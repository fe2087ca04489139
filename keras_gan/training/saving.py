"""Saves the networks of a run: the newest, those of every few epochs, and the best."""

from typing import Any

import keras

from keras_gan import backend
from keras_gan.files import is_whole_zip
from keras_gan.report.run_files import HELD_OUT, HISTORY, VALIDATION, set_aside
from keras_gan.training.checkpoints import check_weights
from keras_gan.training.kept_networks import BEST, EPOCH, MODELS, keep


class SaveNetworks(keras.callbacks.Callback):
    """Saves the networks of a run at the end of every epoch and of training, after all callbacks of the user.

    At the end of an epoch it first looks through all weights, for the checkpoint that follows it, too. Then it keeps
    the networks of the epoch, if that is due, and ends the run if its patience has ended.

    A callback may change weights when training ends, such as `EarlyStopping(restore_best_weights=True)`.

    Args:
        run: the `keras_gan.training.run.Run`; its `best` is told the held-out figures.
        every: epochs between networks that are kept; 0: none.
        quiet: whether to print no figures.
    """

    def __init__(self, run: Any, every: int, quiet: bool) -> None:
        super().__init__()
        self.run, self.every, self.quiet = run, every, quiet

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        check_weights(self.model)
        due = [f"{EPOCH}{epoch + 1}"] if self.every and (epoch + 1) % self.every == 0 else []
        if self.is_best(epoch + 1, logs or {}):
            due.append(BEST)
        is_last = epoch + 1 == self.params["epochs"] or self.model.stop_training
        if backend.hosts()[0] == 0 and (due or not is_last):
            self.model.save_networks()
            for name in due:
                keep(self.run.network_paths, self.run.folder / MODELS / name)

    def is_best(self, epoch: int, logs: dict[str, float]) -> bool:
        """Whether this epoch is the best one so far. Ends the run if it is time."""
        best = self.run.best
        if best is None or f"val_{best.name}" not in logs:
            return False
        value = logs[f"val_{best.name}"]
        is_better = best.take(value, epoch)
        if best.is_over:
            self.model.stop_training = True
        if not self.quiet:
            print(f"epoch {epoch}: {best.name} {value:.4g}, {'the best so far' if is_better else best.told()}")
        return is_better

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.run.best and self.run.best.is_over:
            print(f"Stopped early: {self.run.best.why_over()}.")
        if backend.hosts()[0] == 0:
            self.model.save_networks()


def set_aside_results(run: Any) -> None:
    """Keeps trained networks and their history if a run begins again because its checkpoints are gone."""
    if any(path.exists() for path in run.network_paths):
        for path in (run.folder / name for name in (MODELS, "frames", HISTORY, HELD_OUT, VALIDATION)):
            if path.exists():
                set_aside(path, "the run has no checkpoint")


def save_damaged_networks(run: Any, is_finished: bool) -> None:
    """Saves all networks of a run if one is damaged or, if the run is finished, missing."""
    damaged = [path for path in run.network_paths if path.exists() and not is_whole_zip(path)]
    for path in damaged:
        set_aside(path, "its checksums differ")
    if damaged or (is_finished and not all(path.exists() for path in run.network_paths)):
        run.save_networks()
