"""The game that every model here plays: compiled parts define it, one fused step plays it.

A model file builds ordinary compiled Keras models: its discriminators, and one `Combined` whose
compiled losses are what the generators want. `AdversarialModel` plays them against each other in
`fit()`: fakes are generated once, each discriminator learns from them, and the generators learn
from what the updated discriminators say of those same fakes.
"""

import contextlib
import inspect
import zipfile
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_gan import backend
from keras_gan.adversarial.ema import Averages
from keras_gan.adversarial.step import play
from keras_gan.backend.memory import giving_back, keep_freed_memory
from keras_gan.errors import check_at_least
from keras_gan.files import write_whole
from keras_gan.report.callbacks import watching
from keras_gan.training import fit, hosts, run_folder
from keras_gan.training.checkpoints import SaveNetworks
from keras_gan.training.schedules import Schedule


def fresh(optimizer):
    """A new optimizer with the settings of this one: every compiled part needs its own."""
    optimizer = keras.optimizers.get(optimizer)
    return type(optimizer).from_config(optimizer.get_config())


def create_variables(part):
    """Creates what a compiled part creates in its first step (slots, metrics), so that the step is traced once."""
    zeros = keras.tree.map_structure(lambda output: ops.zeros((1, *output.shape[1:])), part.output)
    part.compute_loss(y=zeros, y_pred=zeros)
    part.compute_metrics(None, zeros, zeros)
    part.reset_metrics()
    if not part.optimizer.built:
        part.optimizer.build(part.trainable_variables)
    backend.prepare(part.optimizer)


class FixedSample(NamedTuple):
    """The same pictures as a model sees them at different times."""

    rows: list  # of lists of pictures (height, width, channels), in the value range of the data
    titles: list | None  # one per column
    captions: list | None  # one per row
    figures: dict  # what they say in numbers


class AdversarialModel(keras.Model):
    """Base of all models: plays `discriminators` against `combined`, one fused step per batch.

    A batch is what the data loader yields: pictures of domains A and B, or pictures and their
    labels, or pictures alone. A model sets `discriminators` (a list of compiled models), `combined`
    and `data_loader`, and has
        generator_inputs(batch): the inputs of `combined`; unless it says otherwise, the batch itself;
        discriminator_batches(batch, fakes): the (discriminator, x, y) of all updates, in order;
        generator_targets(batch): the targets of `combined`, in the order of its outputs;
        sample_images(epoch, batch_i): saves a picture grid and returns its path;
        fixed_sample(): a `FixedSample` of what the networks make of the same pictures or noise each time.
    It may set
        generators_first: the generators learn from the discriminators as they were before this step;
        discriminators_every: in every so manieth iteration, from the first on, the discriminators
            alone learn, in the others the generators alone.

    The logs of `fit()`, averaged since the epoch began, and of `train_on_batch(return_dict=True)`,
    of that batch alone, name every term: `g_loss`, what `combined` minimises, and `OUTPUT_loss` for
    each of its outputs; `D_loss` and `D_acc` for each discriminator D (its compiled loss, and the
    share of verdicts that are right, 0 to 1, both over real and fake); `d_loss` and `d_acc`, their
    means over the discriminators.

    Args:
        name: the model's name, and the start of its run folders' names.
        seed: seeds Python, NumPy and Keras (`keras.utils.set_random_seed`), and with them the initial
            weights; None: one is drawn. The model's own file seeds all else from `self.seed`.
        output: the run's folder for grids and networks; None: the next free `runs/NAME-DATASET-N`.

    Raises:
        BadValueError: on a Keras backend other than TensorFlow or JAX.
    """

    def __new__(cls, *args, **kwargs):
        model = super().__new__(cls, *args, **kwargs)
        model._constructed_with = inspect.signature(cls).bind(*args, **kwargs)
        return model

    def __init__(self, name, seed=None, output=None):
        backend.check()
        keep_freed_memory()
        super().__init__(name=name)
        self.seed = hosts.common_seed(seed, self._constructed_with.arguments)
        keras.utils.set_random_seed(self.seed)
        self.discriminators = []
        self.combined = None
        self.generators_first = False
        self.discriminators_every = None
        self.totals_before = None  # of the metrics, at the last row of the history
        self.iteration = keras.Variable(0, dtype="int32", trainable=False, name="iteration")
        self.averages = None
        self.command = None  # as typed, where there is one
        self.is_resumed = False
        self._output = output
        self._run_folder = None
        self._step_made_of = lambda: []  # a function, or Keras would save what is in the list once more
        # The losses and optimizers are those of the parts; this only opens fit().
        self.compile(optimizer=None, loss=None)
        self.optimizer = backend.optimizers(self)
        self.built = True

    def call(self, inputs, training=None):
        """The outputs of `combined`."""
        return self.combined(inputs, training=training)

    @property
    def parts(self):
        """The compiled models: the discriminators, in the order of their updates, then `combined`."""
        return [*self.discriminators, self.combined] if self.combined else []

    @property
    def networks(self):
        """The generators and discriminators, each once."""
        return [*self.combined.trains, *self.discriminators]

    @property
    def metrics(self):
        return [metric for part in self.parts for metric in part.metrics]

    def make_train_function(self, force=False):
        """Makes the step that `fit()` and `train_on_batch()` play, where there is none of the parts as they are now.

        A part that was compiled anew (another loss, other weights, optimizer or metrics) makes another step.
        """
        made_of = [(part, part.optimizer, part._loss_tracker) for part in self.parts]  # the last is new in each compile
        for compiled in made_of:
            if compiled not in self._step_made_of():
                create_variables(compiled[0])
        turns = self.generators_first, self.discriminators_every
        made_of += [(*turns, self.jit_compile, self.run_eagerly)]
        if made_of != self._step_made_of():
            self.train_function, self._step_made_of = None, lambda: made_of
        return super().make_train_function(force)

    def generator_inputs(self, batch):
        """What `combined` starts from."""
        return batch

    def before_step(self):
        """Called at the beginning of each step, such as to set the weights of losses."""

    def train_step(self, *arguments):
        """What `fit()` compiles: with a batch on TensorFlow; with the values of all variables too on JAX."""
        return backend.as_train_step(play)(self, *arguments)

    @property
    def step_variables(self):
        """All variables that a step may change, in the order in which `fit()` passes them on JAX."""
        return [
            *self.trainable_variables,
            *self.non_trainable_variables,
            *self.optimizer.variables,
            *self.metrics_variables,
        ]

    def get_metrics_result(self):
        logs, of_all = {}, {"loss": [], "acc": []}
        for discriminator in self.discriminators:
            for name, figure in discriminator.get_metrics_result().items():
                short = "acc" if name == "accuracy" else name
                logs[f"{discriminator.name}_{short}"] = figure
                of_all.setdefault(short, []).append(figure)
        for short in ("loss", "acc"):
            if of_all[short]:
                logs[f"d_{short}"] = ops.mean(ops.stack(of_all[short]))
        figures = self.combined.get_metrics_result()
        logs["g_loss"] = figures.pop("loss")
        return logs | figures

    def train_on_batch(self, x, y=None, return_dict=False):
        """Plays one step on a batch.

        Args:
            x: pictures, of domain A if there are two: (batch, height, width, channels), float32, in
                the value range of the model.
            y: pictures of domain B, of the same shape, or labels (batch,), where the model has them.
            return_dict: whether to return a dict of named figures rather than their list.

        Returns:
            The figures of this batch alone, as the class describes them; as a list in the order of their names.
        """
        self.reset_metrics()  # not every Keras 3 does so by itself
        logs = super().train_on_batch(x, y, return_dict=True)
        return logs if return_dict else list(logs.values())

    def train(
        self,
        epochs,
        batch_size,
        sample_interval=200,
        steps_per_epoch=None,
        callbacks=(),
        decay_epochs=0,
        schedule: str = "constant",
        ema: float = 0.0,
        checkpoint_interval: int | None = None,
        keep: int = 2,
        deterministic: bool = False,
        quiet: bool = False,
    ):
        """Trains, saving sample grids and checkpoints on the way and all networks at the end of every epoch.

        Args:
            epochs: passes over the data.
            batch_size: pictures (or pairs) per iteration.
            sample_interval: iterations from one sample grid to the next.
            steps_per_epoch: iterations that count as an epoch; default: one pass over the data.
            callbacks: Keras callbacks, beside those that show the progress and save.
            decay_epochs: epochs after those, over which the rates fall to zero in a line.
            schedule: of the learning rates, epoch by epoch: constant, linear (to zero over the second
                half), cosine, or step (a tenth after half, a hundredth after three quarters).
            ema: share that averaged weights of the generators keep in an iteration, such as 0.999; they
                are what is sampled and saved then; 0: none.
            checkpoint_interval: iterations from one checkpoint to the next, beside each epoch's end; default:
                ten minutes.
            keep: checkpoints that stay.
            deterministic: whether every operation gives the same bits each time, on a GPU too.
            quiet: print where everything goes and, at the end, lies; nothing in between.

        Returns:
            Keras' `History`.

        Raises:
            BadValueError: (a ValueError) for numbers below 1, a folder that cannot be written or that
                another process trains in, data of which more than half is broken, or a run that is
                finished already.
            NotFiniteError: (an ArithmeticError) where a loss or a weight is not finite.
            KeyboardInterrupt: after Ctrl-C or SIGTERM, when the step is done and kept.
        """
        arguments = {name: value for name, value in locals().items() if name in self.train_arguments()}
        check_at_least(1, epochs=epochs, batch_size=batch_size, sample_interval=sample_interval, keep=keep)
        for name in ("steps_per_epoch", "checkpoint_interval"):
            if arguments[name] is not None:
                check_at_least(1, **{name: arguments[name]})
        if deterministic:
            backend.make_deterministic()
        self.start_averages(ema)
        rates = Schedule(self, schedule, epochs, decay_epochs)
        own = [rates, *watching(batch_size, sample_interval, quiet), SaveNetworks()]
        return fit.train(self, arguments, [*own, *callbacks])

    @classmethod
    def resume(cls, run, callbacks=(), **changes):
        """Goes on with a run as if nothing had happened to it.

        Args:
            run: its folder.
            callbacks: as `train()`.
            changes: what is to be different: `epochs`, to train longer, `checkpoint_interval`, `keep` or `quiet`.

        Returns:
            The trained model; its `history` is Keras'.

        Raises:
            NotFoundError: (a FileNotFoundError) if there is no such folder.
            BadValueError: (a ValueError) also if it is no run's, or one of another model, if a change is
                none of those, or no checkpoint is whole.
        """
        return fit.resume(cls, Path(run), callbacks, changes)

    @staticmethod
    def train_arguments():
        """The names of the arguments of `train()` that say what is trained."""
        return run_folder.names_of(AdversarialModel.train)

    @property
    def constructor_arguments(self):
        """What the model was built with, defaults included: a dict."""
        self._constructed_with.apply_defaults()
        return dict(self._constructed_with.arguments)

    def start_averages(self, ema):
        """Keeps averages of the generators' weights from now on, or none where `ema` is 0."""
        if ema != (self.averages.ema if self.averages else 0):
            self.averages = Averages(self.combined.trainable_variables, ema) if ema else None
            self.train_function = None

    def averaged(self):
        """A context in which the generators have their averaged weights, where those are kept."""
        return self.averages.in_use() if self.averages else contextlib.nullcontext()

    @property
    def random_states(self):
        """The states of dropout and noise, which Keras leaves out of saved weights."""
        return [variable for variable in self.variables if variable.name == "seed_generator_state"]

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for number, state in enumerate(self.random_states):
            store[f"random_state_{number}"] = ops.convert_to_numpy(state)
        if self.totals_before is not None:
            store["totals_before"] = self.totals_before

    def load_own_variables(self, store):
        extras = ("random_state", "totals_before")
        super().load_own_variables({key: store[key] for key in list(store.keys()) if not key.startswith(extras)})
        self.totals_before = np.array(store["totals_before"]) if "totals_before" in store else None
        for number, state in enumerate(self.random_states):
            state.assign(store[f"random_state_{number}"])

    @property
    def run_folder(self):
        """The folder of this run, a `pathlib.Path`; made when first asked for.

        Raises:
            BadValueError: if it cannot be made or written to, or already holds a run's networks.
        """
        if self._run_folder is None:
            self._run_folder = run_folder.open_run(
                self._output or run_folder.next_run(f"{self.name}-{self.data_loader.dataset_name}")
            )
        return self._run_folder

    @property
    def network_paths(self):
        """Where `save_networks()` saves them, in the order of `networks`."""
        return [self.run_folder / "models" / f"{network.name}.keras" for network in self.networks]

    @giving_back()
    def save_networks(self):
        """Saves every generator and discriminator as `models/NAME.keras` in the run's folder.

        A file is replaced only when the new one is complete. Its comment (`zipfile.ZipFile(path).comment`)
        tells the iteration, and whether the weights are averaged.
        """
        weights = f"averaged, ema {self.averages.ema}" if self.averages else "as trained"
        for network, path in zip(self.networks, self.network_paths, strict=True):
            of_this = weights if network in self.combined.trains else "as trained"
            with write_whole(path) as unfinished, self.averaged(), backend.undivided():
                network.save(unfinished)
                with zipfile.ZipFile(unfinished, "a") as archive:
                    archive.comment = f"keras_gan: iteration {int(self.iteration)}, weights {of_this}".encode()
