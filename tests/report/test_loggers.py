"""Logs elsewhere, with stand-ins for the libraries; with the libraries where they are installed."""

import sys
import types

import keras
import pytest
from support.eager import EAGERLY
from support.resuming import EVERY_STEP, SHORT, cut_back, history
from support.toy import Toy

from keras_gan.errors import BadValueError
from keras_gan.machine import installation
from keras_gan.report import loggers

pytestmark = EAGERLY


class Stand:
    """A stand-in for both libraries. It notes what it is told, by the name of the log."""

    def __init__(self):
        self.told, self.begun, self.ended, self.broken = {}, [], [], False

    def begin(self, kept, **options):
        if self.broken:
            raise OSError("no API key\nconfigured.")
        name = kept or f"log-{len(self.told)}"
        self.begun.append((name, options))
        self.told.setdefault(name, [])
        return name

    def tell(self, name, step, figures):
        if self.broken:
            raise ConnectionError("the server is gone")
        self.told[name].append((step, figures))


def wandb(stand):
    module = types.ModuleType("wandb")

    def init(id=None, **options):
        name = stand.begin(id, **options)
        log = types.SimpleNamespace(id=name, finish=lambda exit_code: stand.ended.append(name))
        log.log = lambda figures, step: stand.tell(name, step, figures)
        return log

    module.init, module.Settings, module.Image = init, lambda silent: silent, lambda path: f"picture {path}"
    return module


def mlflow(stand):
    module, entities = types.ModuleType("mlflow"), types.ModuleType("mlflow.entities")

    class Client:
        def get_experiment_by_name(self, name):
            return None

        def create_experiment(self, name):
            return name

        def create_run(self, experiment, run_name):
            return types.SimpleNamespace(info=types.SimpleNamespace(run_id=stand.begin(None, project=experiment)))

        def update_run(self, name, status):
            stand.begin(name)

        def log_param(self, name, key, value):
            stand.begun[-1][1][key] = value

        def log_batch(self, name, metrics):
            stand.tell(name, metrics[0][3], {metric[0]: metric[1] for metric in metrics} if metrics else {})

        def log_image(self, name, image, key, step):
            stand.tell(name, step, {key: image.size})

        def set_terminated(self, name, status):
            stand.ended.append(name)

    module.MlflowClient, module.entities = Client, entities
    entities.Metric = lambda *values: values
    return module


@pytest.fixture(params=[wandb, mlflow], ids=["wandb", "mlflow"])
def stand(request, monkeypatch):
    """The stand-in for a library, and its name."""
    stand = Stand()
    module = request.param(stand)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    if module.__name__ == "mlflow":
        monkeypatch.setitem(sys.modules, "mlflow.entities", module.entities)
    monkeypatch.setattr(installation, "is_there", lambda name: True)
    stand.name = module.__name__
    return stand


def figures(stand, name, figure):
    return {step: told[figure] for step, told in stand.told[name] if figure in told}


def test_a_log_gets_rows_and_pictures_and_a_resumed_run_goes_on_in_it(stand, tmp_path):
    gan = Toy(dataset_name="drawn_digits", seed=0, output=tmp_path / "run")
    gan.train(**SHORT | {"epochs": 1}, quiet=True, log=stand.name)
    ((_, options),) = stand.begun
    options = options.get("config") or options
    assert (str(options["latent_dim"]), stand.ended) == ("4", ["log-0"])
    Toy.resume(gan.run_folder, epochs=2)
    assert [name for name, _ in stand.begun] == stand.ended == ["log-0", "log-0"]
    rows = {row["iteration"]: row["g_loss"] for row in history(gan.run_folder)}
    assert figures(stand, "log-0", "g_loss") == pytest.approx(rows, rel=1e-5) and list(rows) == [3, 6]
    assert list(figures(stand, "log-0", "samples")) == [1, 3, 4, 6]


def test_a_log_that_does_not_begin_leaves_no_run(stand, tmp_path):
    stand.broken = True
    for _ in range(2):
        gan = Toy(dataset_name="drawn_digits", output=tmp_path / "run")
        with pytest.raises(
            BadValueError, match=f"--log {stand.name} does not work: no API key configured. "
        ) as refused:
            gan.train(**SHORT, quiet=True, log=stand.name)
        assert "\n" not in str(refused.value) and not (tmp_path / "run" / "config.json").exists()


def test_a_log_that_fails_does_not_stop_the_run(stand, tmp_path, capsys):
    class Break(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            stand.broken = epoch == 1

    gan = Toy(dataset_name="drawn_digits", output=tmp_path / "run")
    gan.train(**SHORT, quiet=True, log=stand.name, callbacks=[Break()])
    assert len(history(gan.run_folder)) == 2 and list(figures(stand, "log-0", "g_loss")) == [3]
    errors = capsys.readouterr().err
    assert errors.count(f"warning: {stand.name} fails, the run goes on without it: the server is gone") == 1


def test_names_of_logs(monkeypatch):
    monkeypatch.setattr(installation, "is_there", lambda name: name != "mlflow")
    assert loggers.checked(None) == loggers.checked("tensorboard") == []
    assert loggers.checked("wandb,tensorboard,wandb") == [loggers.Wandb]
    for names, message in (
        ("neptune", "log must be wandb, mlflow, tensorboard, or several with commas, not 'neptune'"),
        ("wandb,", "not 'wandb,'"),
        (3, "not 3"),
        (True, "not True"),
        ("wandb,mlflow", r'--log mlflow needs mlflow: python -m pip install ".\[mlflow\]"'),
    ):
        with pytest.raises(BadValueError, match=message):
            loggers.checked(names)


def installed(name):
    return pytest.mark.skipif(not installation.is_there(name), reason=f"{name} is not installed (extra {name})")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@installed("mlflow")
def test_mlflow_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.chdir(tmp_path)
    gan = Toy(dataset_name="drawn_digits", seed=0, output=tmp_path / "run")
    gan.train(**EVERY_STEP, quiet=True, log="mlflow")
    Toy.resume(cut_back(gan.run_folder, tmp_path / "stopped", 4), epochs=3)
    client = sys.modules["mlflow"].MlflowClient()
    (run,) = client.search_runs([client.get_experiment_by_name("keras_gan").experiment_id])
    steps = {metric.step for metric in client.get_metric_history(run.info.run_id, "g_loss")}
    assert (steps, run.info.status, run.data.params["latent_dim"]) == ({3, 6, 9}, "FINISHED", "4")
    assert len([file for file in client.list_artifacts(run.info.run_id, "images") if file.path.endswith(".png")]) >= 4


@pytest.mark.slow
@installed("wandb")
def test_wandb_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    gan = Toy(dataset_name="drawn_digits", seed=0, output=tmp_path / "run")
    gan.train(**EVERY_STEP, quiet=True, log="wandb")
    (log,) = (tmp_path / "run" / "wandb").glob("offline-run-*/run-*.wandb")
    assert b"g_loss" in log.read_bytes() and len(list(log.parent.rglob("samples_*.png"))) == 4
    Toy.resume(cut_back(gan.run_folder, tmp_path / "stopped", 4))
    assert len({path.stem for path in tmp_path.glob("*/wandb/offline-run-*/run-*.wandb")}) == 1
