"""What watches a run for people: progress, history, samples, TensorBoard, report."""

import time
from datetime import datetime

import keras

from keras_gan import backend
from keras_gan.backend.memory import giving_back
from keras_gan.report.csv_log import read_rows
from keras_gan.report.curves import save_losses
from keras_gan.report.frames import Frames, animate
from keras_gan.report.history import History
from keras_gan.report.page import save_facts, write_report
from keras_gan.report.progress import Pace, Progress


def watching(batch_size, sample_interval, quiet):
    """The callbacks that watch `AdversarialModel.train`; what is written comes before what tells of it.

    Of several hosts the first alone tells; samples are computed by all, over which the weights are spread.

    Args:
        batch_size: pictures (or pairs) per iteration.
        sample_interval: iterations from one sample grid to the next.
        quiet: whether nothing is printed on the way.
    """
    if backend.hosts()[0]:
        return [SampleImages(sample_interval)]
    tensorboard = TensorBoard()
    history = History(tensorboard.row)
    samples = SampleImages(sample_interval, tensorboard.sample)
    progress = [] if quiet else [Progress(batch_size, samples)]
    return [history, samples, tensorboard, *progress, Report(batch_size, samples)]


class SampleImages(keras.callbacks.Callback):
    """Saves a grid and a frame of the fixed sample every `interval` batches and after the last one.

    Has `newest`, the path of the newest grid; None before the first.

    Args:
        interval: batches from one to the next.
        listen: called with the iteration, the path of the grid, and the held-out figures, a dict.
    """

    def __init__(self, interval, listen=None):
        super().__init__()
        self.interval, self.listen = interval, listen
        self.newest = None

    def on_train_begin(self, logs=None):
        self.iteration = int(self.model.iteration)
        self.batch = None
        self.frames = Frames(self.model.run_folder, self.iteration)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.batch = batch
        self.iteration += 1
        if batch % self.interval == 0:
            self.sample()

    def on_train_end(self, logs=None):
        if self.batch is not None and self.batch % self.interval:
            self.sample()

    @giving_back()
    def sample(self):
        """Saves both."""
        with self.model.averaged(), backend.undivided():
            self.newest = self.model.sample_images(self.epoch, self.batch)
            figures = self.frames.add(self.iteration, self.model)
        if self.listen:
            self.listen(self.iteration, self.newest, figures)


class TensorBoard(keras.callbacks.Callback):
    """Writes the rows of the history, the held-out figures and the sample grids to `tensorboard/`.

    Keras' own callback knows averages since the epoch began, counts iterations from 0 when a run is resumed, and
    needs TensorFlow.
    """

    def on_train_begin(self, logs=None):
        from keras_gan.report.tensorboard import Summaries

        self.summaries = Summaries(self.model.run_folder / "tensorboard", int(self.model.iteration))

    def row(self, row):
        figures = {name: figure for name, figure in row.items() if name != "iteration" and figure == figure}
        self.summaries.scalars(row["iteration"], figures)

    def sample(self, iteration, grid, figures):
        self.summaries.scalars(iteration, figures)
        self.summaries.picture(iteration, "grid", grid.read_bytes())


class Report(Pace):
    """Writes `losses.png`, the animation and `report.html` as the run goes on and at its end.

    On the way they are written after a sampling, at most once a minute and so seldom that they take no
    more than this share of the time.
    """

    SECONDS = 60
    SHARE = 0.005

    def __init__(self, batch_size, samples):
        super().__init__()
        self.batch_size, self.samples = batch_size, samples

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.due, self.shown = 0, None
        self.pictures = {}  # those in the page, as they were encoded for the one before
        self.networks = [summary(network) for network in self.model.networks]

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        began = time.monotonic()
        if self.samples.newest != self.shown and began >= self.due:
            self.write("running")
            spent = time.monotonic() - began
            self.due = began + spent + max(self.SECONDS, spent / self.SHARE)

    def on_train_end(self, logs=None):
        self.write("finished" if self.iteration >= self.total else "stopped")

    def on_interrupted(self):
        self.write("stopped")

    @giving_back()
    def write(self, state):
        """Writes all three; `state` is "running", "finished" or "stopped"."""
        self.shown = self.samples.newest
        run = self.model.run_folder
        rows = read_rows(run / "history.csv")
        facts = {"model": self.model.name, "dataset": self.model.data_loader.dataset_name, "state": state}
        facts |= {"iteration": self.iteration, "iterations": self.total, "epoch": self.epoch, "epochs": self.epochs}
        facts |= {"batch_size": self.batch_size, "seconds_per_iteration": self.per_iteration}
        facts |= {"updated": datetime.now().isoformat(" ", "seconds"), "networks": self.networks}
        save_facts(run, facts)
        if rows:
            save_losses(run / "losses.png", rows)
        animate(run)
        write_report(run, self.pictures)


def summary(network):
    """A network's name, number of parameters, and layers: [name, type, output shape, parameters] each."""
    return {
        "name": network.name,
        "parameters": network.count_params(),
        "layers": [
            [layer.name, type(layer).__name__, shapes(layer.output), layer.count_params()] for layer in network.layers
        ],
    }


def shapes(outputs):
    """The shapes of a layer's outputs as text: "128x128x3"; without the batch."""
    return ", ".join("x".join(map(str, tensor.shape[1:])) for tensor in keras.tree.flatten(outputs)) or "1"
