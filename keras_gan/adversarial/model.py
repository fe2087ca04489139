"""The game that every model here plays: compiled parts define it, one fused step plays it.

A model file builds ordinary compiled Keras models: its discriminators, and one `Combined` whose
compiled losses are what the generators want. `AdversarialModel` plays them against each other in
`fit()`: fakes are generated once, each discriminator learns from them, and the generators learn
from what the updated discriminators say of those same fakes.
"""

import contextlib
import inspect
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_gan import backend
from keras_gan.adversarial.ema import Averages
from keras_gan.adversarial.losses import compile_as_before
from keras_gan.adversarial.step import play
from keras_gan.backend.memory import keep_freed_memory
from keras_gan.errors import BadValueError
from keras_gan.training import hosts, old_runs, run_folder
from keras_gan.training.run import Run, resume_run


def fresh(optimizer):
    """A new optimizer with the settings of this one: every compiled part needs its own."""
    optimizer = keras.optimizers.get(optimizer)
    return type(optimizer).from_config(optimizer.get_config())


def chosen(optimizer):
    """A function that returns a fresh copy of this optimizer or, if it is None, of a default.

    (Keras would save an optimizer that is an attribute of a model.)
    """
    return lambda default: fresh(optimizer or default)


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

    A batch is what the data loader yields: pictures of domains A and B, or pictures and their labels, or pictures
    only. A model sets `discriminators` (a list of compiled models), `combined` and `data_loader`, and has
        generator_inputs(batch): the inputs of `combined`; by default the batch itself;
        discriminator_batches(batch, fakes): the (discriminator, x, y) of all updates, in order;
        generator_targets(batch): the targets of `combined`, in the order of its outputs;
        sample_images(epoch, batch_i): saves a picture grid and returns its path;
        fixed_sample(): a `FixedSample` of what the networks make of the same pictures or noise each time.
    It may set
        generators_first: whether the generators learn before the discriminators;
        discriminators_every: if n: iterations 0, n, 2n, ... train only the discriminators, all others only the
            generators;
    and have `before_step()`, called at the beginning of each step.

    The logs of `fit()` (averages since the epoch began) and of `train_on_batch(return_dict=True)` (this batch only)
    name every term: `g_loss`, what `combined` minimises; `OUTPUT_loss` for each of its outputs; `D_loss` and `D_acc`
    for each discriminator D (its compiled loss, and the share of right verdicts, 0 to 1, both over real and fake);
    `d_loss` and `d_acc`, their means over the discriminators.

    Args:
        name: the model's name, which its command has too. It begins the names of run folders.
        seed: of weights, noise and the order of the data, 0 to 2**32 - 1; default: a random one.
        output: folder of the run; default: the next free runs/NAME-DATASET-N.

    Raises:
        BadValueError: on a Keras backend other than TensorFlow or JAX, and for a seed that is none.
    """

    TRAIN = {"epochs": 100, "batch_size": 1, "sample_interval": 200}  # defaults of `train()`

    def __new__(cls, *args, **kwargs):
        if command := old_runs.command_of(cls.__name__, kwargs.get("recipe")):
            raise BadValueError(f"recipe={kwargs['recipe']!r} is a model of its own now: python -m keras_gan.{command}")
        model = super().__new__(cls, *args, **kwargs)
        model._constructed_with = inspect.signature(cls).bind(*args, **kwargs)
        return model

    def __init__(self, name, seed: int | None = None, output: str | None = None):
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
        self.run = Run(self, output)
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
        of_optimizers = [variable for part in self.parts for variable in part.optimizer.variables]
        return [
            *self.trainable_variables,
            *self.non_trainable_variables,
            *of_optimizers,
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
        epochs: int | None = None,
        batch_size: int | None = None,
        sample_interval: int | None = None,
        steps_per_epoch: int | None = None,
        callbacks=(),
        decay_epochs: int = 0,
        schedule: str = "constant",
        ema: float = 0.0,
        checkpoint_interval: int | None = None,
        keep: int = 2,
        deterministic: bool = False,
        quiet: bool = False,
    ):
        """Trains, saving sample grids and checkpoints on the way and all networks at the end of every epoch.

        Args:
            epochs: passes over the data at the full learning rate.
            batch_size: pictures (or pairs) per iteration.
            sample_interval: iterations from one sample grid to the next.
            steps_per_epoch: iterations that count as an epoch; default: one pass over the data.
            callbacks: more Keras callbacks.
            decay_epochs: further epochs in which the learning rates fall linearly to zero.
            schedule: of the learning rates: constant, linear (to zero over the second half), cosine, or step (a tenth
                after half, a hundredth after three quarters).
            ema: decay per iteration of the moving averages of the generators' weights, such as 0.999. Samples and saved
                networks use the averages; 0: none.
            checkpoint_interval: iterations between checkpoints, besides the end of each epoch; default: ten minutes.
            keep: checkpoints that are kept.
            deterministic: whether every operation gives the same bits each time, on a GPU too.
            quiet: whether to print only where everything goes and, at the end, lies.

        `epochs`, `batch_size` and `sample_interval` default to the model's `TRAIN`.

        Returns:
            Keras' `History`.

        Raises:
            BadValueError: (a ValueError) for numbers below 1, a folder that cannot be written or that another process
                trains in, data of which more than half is broken, or a finished run.
            NotFiniteError: (an ArithmeticError) if a loss or a weight is not finite.
            KeyboardInterrupt: after Ctrl-C or SIGTERM, once the step is done and a checkpoint is kept.
        """
        arguments = {name: value for name, value in locals().items() if name not in ("self", "callbacks")}
        arguments |= {name: value for name, value in self.TRAIN.items() if arguments[name] is None}
        return self.run.train(arguments, callbacks)

    @classmethod
    def resume(cls, run, callbacks=(), **changes):
        """Continues a run as if it had never stopped.

        Args:
            run: its folder.
            callbacks: as for `train()`.
            changes: what to change: `epochs`, to train longer, `checkpoint_interval`, `keep` or `quiet`.

        Returns:
            The trained model; its `history` is Keras'.

        Raises:
            NotFoundError: (a FileNotFoundError) if there is no such folder.
            BadValueError: (a ValueError) also if the folder holds no run or one of another model, if another argument
                is changed, or if no checkpoint is undamaged.
        """
        return resume_run(cls, Path(run), callbacks, changes)

    @property
    def constructor_arguments(self):
        """The arguments that the model was built with, defaults included: a dict."""
        given = dict(self._constructed_with.arguments)
        for parameter in self._constructed_with.signature.parameters.values():
            if parameter.kind == parameter.VAR_KEYWORD:
                given |= given.pop(parameter.name, {})
        return run_folder.options_of(type(self)) | given

    @classmethod
    def from_arguments(cls, arguments):
        """Builds the model of a run from the arguments in its `config.json`, a dict; also of earlier versions."""
        model = cls(**{name: arguments[name] for name in run_folder.options_of(cls) if name in arguments})
        compile_as_before(model, arguments)
        return model

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
        """The folder of this model's run, a `pathlib.Path`; made when first asked for."""
        return self.run.folder

    def save_networks(self):
        """Saves every generator and discriminator as `models/NAME.keras` in the run's folder."""
        self.run.save_networks()
