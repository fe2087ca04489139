"""A run: one training of a model in a folder, with lock, callbacks, checkpoints and resume."""

import datetime
import platform
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_gan import __version__, backend, console
from keras_gan.backend.memory import giving_back
from keras_gan.errors import BadValueError, NotFiniteError, check_name
from keras_gan.files import write_whole
from keras_gan.report.callbacks import watching
from keras_gan.report.loggers import open_all
from keras_gan.report.run_files import CONFIG, DATA, check_no_links, repair, save_record
from keras_gan.training import checkpoints, data_files, hosts, run_folder
from keras_gan.training.checkpoints import Checkpoints
from keras_gan.training.compiled import check_loader, loader_config
from keras_gan.training.failures import explained_errors
from keras_gan.training.fit import Callbacks, StayFinite
from keras_gan.training.kept_networks import MODELS, settle_all
from keras_gan.training.network_files import check_disk, comment_for
from keras_gan.training.options import as_json, check
from keras_gan.training.saving import SaveNetworks, save_damaged_networks, set_aside_results
from keras_gan.training.schedules import Schedule
from keras_gan.training.signals import deferred_signals
from keras_gan.training.start import has_begun, start_from
from keras_gan.training.validation import Best, validation_of, why_finished


class Run:
    """Trains a model in a run folder, which holds its configuration, checkpoints, samples and saved networks.

    Args:
        model: the `AdversarialModel`.
        output: the folder; None: the next free `runs/NAME-DATASET-N`.
    """

    def __init__(self, model: Any, output: str | Path | None = None) -> None:
        if output is not None:
            check_name(output=output)
        self.model, self.output = model, output
        self.command: str | None = None  # as typed, if started from the command line
        self.smaller: str | None = None  # the command of a quick run, if this one has a command and is not quick
        self.is_resumed = False  # whether the folder holds a run to continue
        self.config: dict[str, Any] = {}  # `config.json`, once training begins
        self.best: Best | None = None  # the best held-out figure, if the run has one to be best by
        self._folder: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder; created on first access.

        Raises:
            BadValueError: if it cannot be created or written, or already holds a trained run.
        """
        if self._folder is None:
            default = f"{self.model.name}-{self.model.data_loader.dataset_name}"
            self._folder = run_folder.open_run(self.output or run_folder.next_run(default))
        return self._folder

    @folder.setter
    def folder(self, path: Path) -> None:
        self._folder = path

    @property
    def network_paths(self) -> list[Path]:
        """The files of `save_networks()`, in the order of `model.networks`."""
        return [self.folder / MODELS / f"{network.name}.keras" for network in self.model.networks]

    @giving_back()
    def save_networks(self) -> None:
        """Saves every generator and discriminator as `models/NAME.keras`. Each file is replaced atomically.

        The file's comment (`zipfile.ZipFile(path).comment`) holds the iteration, whether the weights are averages and,
        if the network takes pictures that were made of photos, how they are made.
        """
        model = self.model
        for network, path in zip(model.networks, self.network_paths, strict=True):
            with write_whole(path) as unfinished, model.averaged(), backend.undivided():
                network.save(unfinished)
                with zipfile.ZipFile(unfinished, "a") as archive:
                    archive.comment = comment_for(network, model).encode()

    def train(self, arguments: dict[str, Any], callbacks: Sequence[Any] = ()) -> Any:
        """Trains the model, from the newest checkpoint if the run is resumed.

        Args:
            arguments: dict of all arguments of `AdversarialModel.train` except callbacks.
            callbacks: the user's Keras callbacks.

        Returns:
            Keras' `History`.

        Raises:
            The errors of `AdversarialModel.train`.
        """
        model = self.model
        console.print_any_name()
        check(arguments, callbacks)
        if arguments["deterministic"]:
            backend.make_deterministic()
        if arguments["start_from"] is not None and not (self.is_resumed and has_begun(self.folder)):
            start_from(model, arguments["start_from"], arguments["with_optimizers"])
        model.start_averages(arguments["ema"])
        model.save_memory(arguments["accumulate"], arguments["remat"])
        rates = Schedule(model, arguments["schedule"], arguments["epochs"], arguments["decay_epochs"])
        intervals = arguments["sample_interval"], model.TRAIN.get("sample_interval", 1)
        shown = watching(arguments["batch_size"], *intervals, arguments["quiet"], arguments["log"])
        parts_before = run_folder.read_config(self.folder).get("parts") if self.is_resumed else None
        batches = model.data_loader.batches(arguments["batch_size"], arguments["steps_per_epoch"])
        batches = hosts.sharded(batches, arguments["accumulate"], parts_before)
        shown += validation_of(model, arguments, shown)
        self.best = Best.of(arguments["best_by"], arguments["patience"], self.best)
        with (
            backend.alone(),
            hosts.synchronized_hosts(self, as_json(model.constructor_arguments | arguments | settings(model))),
            run_folder.locked(self.folder),
            deferred_signals() as signals,
            explained_errors(self, batches),
        ):
            model.make_train_function()
            state = self.restore(arguments) if self.is_resumed else None
            state = state and hosts.in_own_order(batches, state)
            open_all(shown, self.folder, as_json(model.constructor_arguments | arguments))
            if not self.is_resumed:
                self.begin(arguments, batches.parts)
            self.is_resumed = False
            saver = Checkpoints(self, batches, arguments["checkpoint_interval"], arguments["keep"], state, signals)
            epochs = arguments["epochs"] + arguments["decay_epochs"]
            networks = SaveNetworks(self, arguments["save_every"], arguments["quiet"])
            every = [StayFinite(), rates, *shown, *callbacks, networks, saver]
            return self.fit(batches, epochs, state or {"epoch": 0, "step": 0}, every, of_user=callbacks)

    def fit(
        self, batches: Any, epochs: int, place: dict[str, Any], callbacks: list[Any], of_user: Sequence[Any]
    ) -> Any:
        """Runs Keras' `fit()` from the epoch and step in `place`."""
        every = Callbacks(callbacks, self.model, place["step"], of_user, epochs=epochs, steps=len(batches))
        try:
            return self.model.fit(
                batches,
                epochs=epochs,
                initial_epoch=place["epoch"],
                shuffle=False,  # the loader shuffles, from the seed
                callbacks=every,
            )
        except (KeyboardInterrupt, NotFiniteError) as error:
            every.on_interrupted()
            error.__traceback__ = None  # its frames would keep the data set of `fit()` until Python has ended
            raise

    def begin(self, arguments: dict[str, Any], parts: int) -> None:
        """Writes `config.json` and `data.json` before training begins; `parts`: of each batch."""
        model, loader = self.model, self.model.data_loader
        check_disk(self.folder, model, arguments)
        counts, files = data_files.pictures_of(loader)
        save_record(self.folder / DATA, files)
        framework = keras.backend.backend()
        self.config = {
            "model": model.name,
            "class": type(model).__name__,
            "command": self.command,
            "arguments": as_json(model.constructor_arguments | arguments | settings(model)),
            "backend": framework,
            "seed": model.seed,
            "devices": backend.replicas(),
            "parts": parts,
            "own_hosts": loader.own_hosts,
            "dataset": {
                "name": loader.dataset_name,
                "pictures": counts,
                "fingerprint": f"{checkpoints.checksum(self.folder / DATA):08x}",
                "preparation": loader.preparation and loader.preparation._asdict(),
                "classes": loader.classes if getattr(loader, "labelled", False) else None,
            },
            "versions": {
                "keras_gan": __version__,
                "keras": keras.__version__,
                framework: backend.version(),
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
            "loader": loader_config(loader),
            "commit": run_folder.git_commit(),
            "started": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        save_record(self.folder / CONFIG, self.config)
        print(
            f"Training on {loader.dataset_name} by {backend.device()}; "
            f"sample grids, networks and report.html go to {self.folder}"
        )

    def restore(self, arguments: dict[str, Any]) -> dict[str, Any] | None:
        """Restores the newest checkpoint. Returns its `state.json`, or None if there is none yet.

        Sets aside damaged files of the run. Networks that are damaged are saved again.
        """
        self.config = run_folder.read_config(self.folder)
        repair(self.folder)
        settle_all(self.folder)
        with run_folder.reading_arguments(self.folder):
            check_loader(self.model.data_loader, self.config.get("loader"))
        data_files.warn_of_changes(self.folder, self.model.data_loader)
        state = checkpoints.restore(self.folder / "checkpoints", self.model)
        epochs = arguments["epochs"] + arguments["decay_epochs"]
        if self.best and state and state.get("best"):
            self.best.state = state["best"]
        why = why_finished(state, epochs, self.best)
        if state is None:
            set_aside_results(self)
        else:
            save_damaged_networks(self, is_finished=why is not None)
        if state and why:
            save_record(self.folder / CONFIG, self.config)  # it may be damaged
            what = "epochs" if state["epoch"] >= epochs else "patience"
            more = {what: 2 * arguments[what]}
            raise BadValueError(
                f"run {str(self.folder)!r} is finished: {why}. To train longer: {self.how_to_resume(**more)}"
            )
        self.config["arguments"] |= as_json(arguments)
        self.config |= {"devices": backend.replicas(), "own_hosts": self.model.data_loader.own_hosts}
        save_record(self.folder / CONFIG, self.config)
        if state:
            self.model.data_loader.random_state = state["data_random"]
        place = f"iteration {state['iteration']}" if state else "the start, since it has no checkpoint yet"
        print(f"Resuming {self.folder} from {place}")
        return state

    def how_to_resume(self, **changes: int) -> str:
        """The command that resumes this run, or the call, if its data was given from Python; with these changes."""
        if self.model.constructor_arguments.get("data") is not None:
            changed = "".join(f", {name}={value}" for name, value in changes.items())
            return f"{type(self.model).__name__}.resume({str(self.folder)!r}, data=...{changed})"
        changed = "".join(f" --{name} {value}" for name, value in changes.items())
        return f"python -m keras_gan.{self.model.name} --resume {self.folder}{changed}"


def resume_run(kind: Any, folder: Path, callbacks: Sequence[Any], changes: dict[str, Any]) -> Any:
    """Builds the model of a run and continues the run; see `AdversarialModel.resume`."""
    check_no_links(folder)
    data = {name: changes.pop(name) for name in ("data", "test_data") if name in changes}
    arguments = run_folder.resumed_arguments(folder, kind.__name__, changes)
    run_folder.check_given(folder, arguments, data)
    policy = keras.config.dtype_policy().name
    if arguments["dtype_policy"] != policy:
        raise BadValueError(
            f"run {str(folder)!r} was trained with dtype policy {arguments['dtype_policy']!r}, not {policy!r}: "
            "see keras.config.set_dtype_policy."
        )
    config = run_folder.read_config(folder)
    with run_folder.reading_arguments(folder):
        model = kind.from_arguments(arguments | data | {"seed": config["seed"]})
        if config.get("backend") == keras.backend.backend():  # defaults differ between backends
            model.jit_compile = arguments["jit_compile"]
    model.run.folder, model.run.is_resumed, model.run.smaller = Path(folder), True, ""
    if "accumulate" not in changes:
        arguments["accumulate"] = hosts.accumulate_of_resumed(model, arguments, config)
    names = run_folder.names_of(kind.train)
    model.train(**{name: arguments[name] for name in names if name in arguments}, callbacks=callbacks)
    return model


def settings(model: Any) -> dict[str, Any]:
    """Settings that are no arguments, but that a resumed run needs: dtype policy and `jit_compile`."""
    return {"dtype_policy": keras.config.dtype_policy().name, "jit_compile": model.jit_compile}
