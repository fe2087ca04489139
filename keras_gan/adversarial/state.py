"""The state of a game: what a step changes, and what is saved of it."""

import contextlib
import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gan import backend
from keras_gan.adversarial.ema import Averages
from keras_gan.adversarial.figures import LoggedModel
from keras_gan.adversarial.handover import KINDS
from keras_gan.adversarial.losses import compile_as_before
from keras_gan.adversarial.parts import create_variables
from keras_gan.adversarial.remat import prepare as prepare_remat
from keras_gan.adversarial.rules import layers_of, ruled
from keras_gan.data.loader import PictureLoader
from keras_gan.datasets.given import NOT_KEPT
from keras_gan.errors import BadValueError
from keras_gan.training import run_folder
from keras_gan.training.compiled import compile_configs, restore_compiled
from keras_gan.training.options import as_json
from keras_gan.training.run import Run, resume_run
from keras_gan.training.start import start_from


class StatefulModel(LoggedModel):
    """A Keras model of several networks. It also saves its random states and the metric totals of its history.

    `totals_before` holds the metric totals at the last row of the history, or None.
    """

    totals_before: np.ndarray | None
    _constructed_with: inspect.BoundArguments
    data_loader: Any
    run: Run
    averages: Averages | None
    accumulate: int
    remat: bool
    _step_made_of: Any
    _is_range_checked = False

    @property
    def networks(self) -> list[Any]:
        """The generators, then the discriminators, each once."""
        return [*self.combined.trains, *self.discriminators]

    def fit(self, x: Any = None, y: Any = None, *arguments: Any, **options: Any) -> Any:
        """Keras' `fit()`. Warns of pixels in another range than the model's."""
        self.check_range(x)
        self.forget_variables()
        return super().fit(x, y, *arguments, **options)

    def check_range(self, x: Any) -> None:
        """Warns once if pictures, or the first batch of a data set, are far outside the model's value range."""
        if self._is_range_checked or isinstance(x, PictureLoader):
            return
        self._is_range_checked = True
        if isinstance(x, keras.utils.PyDataset):
            x = x[0]
        elif hasattr(x, "take") and not hasattr(x, "shape"):  # a `tf.data.Dataset`
            x = next(iter(x))
        pictures = x[0] if isinstance(x, list | tuple) and x else x
        if getattr(pictures, "ndim", 0) != 4:
            return
        low, high = self.data_loader.value_range
        least, most = (float(extreme(np.asarray(pictures[:64]))) for extreme in (np.min, np.max))
        if most > high + 1 or least < low - 1:
            found = f"pixels range from {least:g} to {most:g}, but this model takes {low} to {high}: scale them."
            warnings.warn(found, stacklevel=3)

    def make_train_function(self, force: bool = False) -> Any:
        """Builds the step of `fit()` and `train_on_batch()`; rebuilds it if a part was recompiled since."""
        self.prepare_rules()
        made_of: list[Any] = [(part, part.optimizer, part._loss_tracker) for part in self.parts]  # new in each compile
        for compiled in made_of:
            if compiled not in self._step_made_of():
                create_variables(compiled[0])
        order = self.generators_first, self.discriminators_every, self.accumulate, self.remat
        made_of += [(*order, self.jit_compile, self.run_eagerly)]
        if self.remat:
            prepare_remat(self.combined)
        if made_of != self._step_made_of():
            self.train_function, self._step_made_of = None, lambda: made_of
        if self.train_function is None or force:
            self.forget_variables()
        return super().make_train_function(force)

    def start_averages(self, ema: float) -> None:
        """Starts an EMA of the generators' weights with this decay; 0 stops it."""
        if ema != (self.averages.ema if self.averages else 0):
            self.averages = Averages(self.combined.trainable_variables, ema) if ema else None
            self.train_function = None

    def save_memory(self, accumulate: int, remat: bool) -> None:
        """Makes each step compute the gradients of a batch in so many parts, and rematerialise networks or not.

        Raises:
            BadValueError: if the model's losses compare a picture with others of its batch.
        """
        if accumulate > 1 and self.rules.relativistic:
            raise BadValueError(
                f"accumulate={accumulate}: relativistic losses compare each verdict with the mean of the whole batch, "
                "so leave one of them out."
            )
        self.accumulate, self.remat = accumulate, bool(remat)

    @property
    def mixes_batch(self) -> bool:
        """Whether a network normalises over a batch: then a part of a batch has another result."""
        batch_norm = keras.layers.BatchNormalization
        return any(isinstance(layer, batch_norm) for network in self.networks for layer in layers_of(network))

    def averaged(self) -> contextlib.AbstractContextManager[None]:
        """A context in which the generators have their averaged weights, if there are averages."""
        return self.averages.applied() if self.averages else contextlib.nullcontext()

    def start_from(self, networks: str | Path, with_optimizers: bool = False) -> None:
        """Takes the weights of trained networks, for training on other data or with other learning rates.

        Networks are matched by name, layers by their place. What was taken, and what not, is printed in one line.

        Args:
            networks: a run's folder, RUN@best, RUN@12, the folder of a checkpoint, or a `.keras` file.
            with_optimizers: also take what the optimizers remember, but not their rates, from the newest checkpoint of
                a run or from a checkpoint's folder; everything must fit then.

        Raises:
            NotFoundError: (a FileNotFoundError) if there are no such networks.
            BadValueError: (a ValueError) if no layer of a generator fits, or the file is damaged or holds no networks.
        """
        start_from(self, networks, with_optimizers)

    @classmethod
    def resume(cls, run: str | Path, callbacks: Sequence[Any] = (), **changes: Any) -> Any:
        """Continues a run as if it had never stopped.

        Args:
            run: its folder.
            callbacks: as for `train()`.
            changes: what to change: `epochs`, to train longer, `checkpoint_interval`, `keep`, `save_every`,
                `patience`, `quiet` or `log`. A run on data given from Python needs the same `data` again, and its
                `test_data`.

        Returns:
            The trained model; its `history` is Keras'.

        Raises:
            NotFoundError: (a FileNotFoundError) if there is no such folder.
            BadValueError: (a ValueError) as in `train()`; if the folder holds no run or a run of another model, another
                argument is changed, or every checkpoint is damaged.
        """
        return resume_run(cls, Path(run), callbacks, changes)

    @property
    def run_folder(self) -> Path:
        """The folder of this model's run; created on first access."""
        return self.run.folder

    def save_networks(self) -> None:
        """Saves every generator and discriminator as `models/NAME.keras` in the run's folder."""
        self.run.save_networks()

    @property
    def random_states(self) -> list[Any]:
        """The seed states of dropout and noise."""
        return [variable for variable in self.variables if variable.name == "seed_generator_state"]

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        for number, state in enumerate(self.random_states):
            store[f"random_state_{number}"] = ops.convert_to_numpy(state)
        if self.totals_before is not None:
            store["totals_before"] = self.totals_before

    def load_own_variables(self, store: Any) -> None:
        extras = ("random_state", "totals_before")
        super().load_own_variables({key: store[key] for key in list(store.keys()) if not key.startswith(extras)})
        self.totals_before = np.array(store["totals_before"]) if "totals_before" in store else None
        for number, state in enumerate(self.random_states):
            state.assign(store[f"random_state_{number}"])

    @property
    def step_variables(self) -> list[Any]:
        """All variables that a step may change, in the order in which `fit()` passes them on JAX."""
        return [variable for kind in KINDS for variable in self.variables_of_kind(kind)]

    @property
    def test_variables(self) -> list[Any]:
        """All variables that `evaluate()` passes on JAX, in its order."""
        return [*self.trainable_variables, *self.non_trainable_variables, *self.metrics_variables]

    @property
    def own_state(self) -> list[Any]:
        """State outside the networks and averages, such as past fakes and the states of random generators."""
        others = [*self.networks, *([self.averages] if self.averages else [])]
        known = {id(variable) for other in others for variable in other.variables}
        return [v for v in self.variables if id(v) not in known and v is not self.iteration] + self.random_states

    def __init_subclass__(cls, **options: Any) -> None:
        """Registers each model with Keras, so that `save()` and `ModelCheckpoint` write files that load.

        Its methods `build_...` draw initial weights on the host.
        """
        super().__init_subclass__(**options)
        for name, method in list(vars(cls).items()):
            if name.startswith("build_"):
                setattr(cls, name, drawing_on_host(method, name == "build_discriminator"))
        is_ours = cls.__module__.startswith("keras_gan.")
        keras.saving.register_keras_serializable(package="keras_gan" if is_ours else cls.__module__)(cls)

    @property
    def constructor_arguments(self) -> MappingProxyType[str, Any]:
        """The arguments that the model was built with, including defaults.

        A value range is in numbers. Data given from Python is left out: it has `NOT_KEPT` in its place.
        """
        given = dict(self._constructed_with.arguments)
        for parameter in self._constructed_with.signature.parameters.values():
            if parameter.kind == parameter.VAR_KEYWORD:
                given |= given.pop(parameter.name, {})
        arguments = run_folder.options_of(type(self)) | given
        arguments |= {name: NOT_KEPT for name in ("data", "test_data") if arguments.get(name) is not None}
        if arguments.get("value_range") is not None:
            arguments["value_range"] = self.data_loader.value_range_of_files
        return MappingProxyType(arguments)  # of a dict Keras would save the optimizers, as part of the model

    @classmethod
    def from_arguments(cls, arguments: dict[str, Any]) -> Any:
        """Builds the model of a run from the `arguments` in its `config.json`, also of earlier versions."""
        known = [name for name in run_folder.options_of(cls) if name in arguments]
        if "average" in arguments:  # of an earlier version; `compile_as_before` knows what its options meant
            known = [name for name in known if name != "adversarial_loss"]
        model = cls(**{name: arguments[name] for name in known})
        compile_as_before(model, arguments)
        return model

    def get_config(self) -> dict[str, Any]:
        """The arguments that the model was built with, and how its parts are compiled now.

        Loading opens the data set again.
        """
        ema = self.averages.ema if self.averages else 0.0
        others = {"seed": self.seed, "output": None, "ema": ema, "compiled": compile_configs(self)}
        return as_json(self.constructor_arguments | others)

    def get_compile_config(self) -> None:
        """None: the constructor compiles the parts."""

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Any:
        model = cls.from_arguments(config)
        restore_compiled(model, config.get("compiled", {}))
        model.start_averages(config.get("ema", 0.0))
        model.make_train_function()  # creates the optimizers' slots, which a file holds too
        return model


def drawing_on_host(build: Callable, for_rules: bool) -> Callable:
    """A method that builds networks and draws their initial weights on the host; discriminators are made `ruled`."""

    @functools.wraps(build)
    def drawing(self: Any, *arguments: Any, **options: Any) -> Any:
        with backend.drawn_on_host():
            built = build(self, *arguments, **options)
            return ruled(self, built) if for_rules else built

    return drawing
