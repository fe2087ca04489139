"""`--quick`: its numbers, what takes precedence, and the line that names it to those who wait for hours."""

import inspect
import shlex
import time
from importlib import import_module
from types import SimpleNamespace

import pytest
from support.commands import MODELS, check_complaint, run_here
from support.pictures import pair

import keras_gan
from keras_gan import cli
from keras_gan.adversarial.model import AdversarialModel
from keras_gan.cli.options import as_typed
from keras_gan.datasets.make_pairs import make_pairs
from keras_gan.report.progress import Progress
from keras_gan.report.run_files import CONFIG, save_record
from keras_gan.training.run_folder import options_of


def parse(model, typed):
    return cli.parse(import_module(f"keras_gan.{model}").__file__, shlex.split(typed))


def kind_of(model):
    return getattr(keras_gan, MODELS[model])


@pytest.mark.parametrize("model", MODELS)
def test_the_numbers_are_arguments_and_help_shows_them(model, capsys):
    quick = kind_of(model).QUICK
    assert quick["model"].keys() <= options_of(kind_of(model)).keys()
    assert quick["train"].keys() <= inspect.signature(AdversarialModel.train).parameters.keys()
    command = parse(model, "--quick")
    assert (command.constructor, command.train, command.smaller) == (quick["model"], quick["train"], "")
    with pytest.raises(SystemExit):
        parse(model, "--help")
    printed = "".join(capsys.readouterr().out.split())
    assert "--quick" in printed and "".join(as_typed(quick["model"] | quick["train"]).split()) in printed


@pytest.mark.parametrize("model", MODELS)
def test_the_length_is_set_whatever_the_data_and_the_grids_are_few(model):
    train = kind_of(model).TRAIN | kind_of(model).QUICK["train"]
    grids_per_epoch = -(-train["steps_per_epoch"] // train["sample_interval"])
    assert 10 <= train["epochs"] * grids_per_epoch <= 30


@pytest.mark.parametrize(
    ("model", "typed", "constructor", "train"),
    [
        ("discogan", "--epochs 30", {}, {"epochs": 30}),
        ("discogan", "--filters 16 --df 4", {"gf": 16, "df": 4}, {}),
        ("pix2pix", "--image-size 96 --no-augment", {"img_shape": (96, 96, 3), "augment": False}, {}),
        (
            "pix2pix",
            "--dataset drawn_shoes --steps-per-epoch 7",
            {"dataset_name": "drawn_shoes"},
            {"steps_per_epoch": 7},
        ),
        ("cyclegan", "--shape-A 32x32x1", {"shape_A": (32, 32, 1), "img_shape": (32, 32, 3)}, {}),
        ("cyclegan_paper", "--shape-B 96x64x1", {"shape_B": (96, 64, 1), "img_shape": (96, 64, 3)}, {}),
        ("cyclegan", "--shape-A 32x32x1 --image-size 32x32x4", {"shape_A": (32, 32, 1), "img_shape": (32, 32, 4)}, {}),
    ],
)
def test_what_is_given_takes_precedence(model, typed, constructor, train):
    command, quick = parse(model, f"{typed} --quick"), kind_of(model).QUICK
    assert command.constructor == quick["model"] | constructor and command.train == quick["train"] | train
    assert command.typed == f"python -m keras_gan.{model} {typed} --quick"


@pytest.fixture
def run(tmp_path):
    """A folder with the `config.json` of a run of GAN that was started with `--quick`, some time ago continued."""
    quick = keras_gan.GAN.QUICK
    arguments = quick["model"] | quick["train"] | {"epochs": 10**6, "seed": 0}
    save_record(tmp_path / CONFIG, {"model": "gan", "class": "GAN", "seed": 0, "arguments": arguments})
    return tmp_path


def test_a_quick_run_is_resumed_with_and_without_the_option(run):
    for typed in ("", "--quick"):
        command = parse("gan", f"--resume {run} {typed}")
        assert (command.run, command.constructor, command.train) == (run, {}, {})


def test_a_run_of_other_numbers_is_not_resumed_as_a_quick_one(run, capsys):
    arguments = {"batch_size": 7, "steps_per_epoch": None}
    save_record(run / CONFIG, {"model": "gan", "class": "GAN", "arguments": arguments})
    with pytest.raises(SystemExit) as stop:
        parse("gan", f"--resume {run} --quick")
    assert stop.value.code == 2
    check_complaint(capsys.readouterr().err, "a resumed run keeps its numbers, leave --quick out")


@pytest.mark.parametrize(
    ("typed", "smaller"),
    [
        ("", "--quick"),
        ("--dataset drawn_shoes --direction BtoA", "--dataset drawn_shoes --direction BtoA --quick"),
        ("--filters=8 --image-size 256 --output here --no-augment --epochs 5", "--no-augment --quick"),
        ("--ema 0.9 --no-dropout --batch-size 2 --decay-epochs 9 --seed 3", "--ema 0.9 --no-dropout --seed 3 --quick"),
    ],
)
def test_the_quick_command_keeps_the_data_and_drops_size_and_length(typed, smaller):
    assert parse("pix2pix", typed).smaller == f"python -m keras_gan.pix2pix {smaller}"


def advice(capsys, monkeypatch, seconds, smaller, kind=keras_gan.DiscoGAN):
    """What a run of 1,000 iterations, each of so many seconds, prints in its first 20 iterations."""
    clock = iter(range(10**6))
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    progress = Progress()
    progress.set_params({"epochs": 1, "steps": 1000})
    progress.set_model(type(kind.__name__, (), {"QUICK": kind.QUICK})())
    progress.model.iteration, progress.model.run = 0, SimpleNamespace(smaller=smaller)
    progress.model.jit_compile, progress.model.networks = False, []
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    progress.say = lambda *arguments, **options: None
    for batch in range(20):
        now = next(clock) * seconds
        monkeypatch.setattr(time, "monotonic", lambda now=now: now)
        progress.on_train_batch_end(batch)
    return [line for line in capsys.readouterr().out.splitlines() if not line.startswith("Compiling")]


def test_a_long_run_says_once_what_would_be_quick(capsys, monkeypatch):
    [line] = advice(capsys, monkeypatch, 27, "python -m keras_gan.gan --quick")
    assert line == (
        "This run takes about 7.5 h on this machine. A small one takes minutes: python -m keras_gan.gan --quick"
    )
    [line] = advice(capsys, monkeypatch, 27, None)
    assert line.endswith('minutes: DiscoGAN(**DiscoGAN.QUICK["model"]).train(**DiscoGAN.QUICK["train"])')


def test_nothing_is_said_of_short_quick_and_resumed_runs_and_of_models_without_a_quick_run(capsys, monkeypatch):
    assert not advice(capsys, monkeypatch, 3, "python -m keras_gan.gan --quick")
    assert not advice(capsys, monkeypatch, 27, "")
    assert not advice(capsys, monkeypatch, 27, None, AdversarialModel)


class GAN:
    """Stands for the model, which takes a second to build: keeps what its run knows when it would train."""

    def __init__(self, **arguments):
        self.run = SimpleNamespace(smaller=None)

    from_arguments = classmethod(lambda kind, arguments: kind())
    resume = classmethod(AdversarialModel.resume.__func__)

    def train(self, callbacks=(), **arguments):
        raise KeyboardInterrupt(f"Smaller: {self.run.smaller}")


@pytest.mark.parametrize(
    ("typed", "smaller"),
    [("--epochs 3", "python -m keras_gan.gan --quick"), ("--quick", ""), ("--resume RUN", "")],
)
def test_a_run_knows_its_quick_command_unless_it_is_one_or_resumed(typed, smaller, run, capsys):
    with pytest.raises(SystemExit):
        cli.run(GAN, parse("gan", typed.replace("RUN", str(run))))
    assert capsys.readouterr().err.strip() == f"Smaller: {smaller}".strip()


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    ("model", "typed"),
    [
        *((model, "--dataset shoes") for model in ("dcgan", "gan")),
        ("cgan", "--dataset kinds"),
        *((model, "--dataset gray") for model in ("pix2pix", "discogan", "discogan_pytorch")),
        *((model, "--dataset shoes --dataset-B others") for model in ("discogan_paper", "cyclegan", "cyclegan_paper")),
        ("cyclegan", "--dataset shoes --dataset-B others --shape-A 32x32x1"),
    ],
)
def test_quick_runs_on_few_pictures_of_ones_own(model, typed, tmp_path, monkeypatch):
    """Three pictures of 256x256, fewer than a batch: they come again until the steps are made."""
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        for folder in ("shoes", "others", "kinds/boot", "kinds/heel"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            pair(80 * number, 256, 128).save(tmp_path / folder / f"{number}.png")
    make_pairs("gray", "shoes", "gray", size=(256, 256))
    run_here(model, *shlex.split(typed), "--quick", "--epochs", "1", "--steps-per-epoch", "3", "--output", "run")
    assert (tmp_path / "run" / "images" / "0_0.png").exists()
