import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from support import toy
from support.commands import MODELS, check_complaint, run_here
from support.pictures import pair

import keras_gan
from keras_gan import cli, dcgan, evaluate, pix2pix
from keras_gan.cli import options, signatures

TINY = ["--image-size", "32", "--filters", "4", "--epochs", "1", "--steps-per-epoch", "2", "--seed", "0"]


def run(*arguments, cwd, model="discogan"):
    command = [sys.executable, "-m", f"keras_gan.{model}", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_help_needs_no_keras_and_shows_the_defaults_of_the_post(tmp_path):
    script = (
        "import sys, runpy; sys.argv = ['discogan', '--help']\n"
        "try: runpy.run_module('keras_gan.discogan', run_name='__main__')\n"
        "finally: assert not {'keras', 'tensorflow', 'jax', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    for option in ("dataset", "image-size", "filters", "epochs", "steps-per-epoch", "batch-size", "sample-interval"):
        assert f"--{option}" in text
    for default in ("128x128", "default: 20", "default: 200", "default: 1)", "default: 64"):
        assert default in text


def test_importing_the_package_loads_no_framework(tmp_path):
    script = (
        "import sys, keras_gan; dir(keras_gan); assert not {'keras', 'tensorflow', 'jax', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)


@pytest.mark.slow
def test_a_run_prints_where_its_results_are(tmp_path):
    done = run("--epochs", "1", "--steps-per-epoch", "2", "--seed", "0", cwd=tmp_path, model="gan")
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert "\x1b" not in done.stdout and "\b" not in done.stdout  # no terminal, no control characters
    folder = tmp_path / "runs" / "gan-drawn_digits-1"
    assert "runs/gan-drawn_digits-1/images" in done.stdout and "generator.keras" in done.stdout
    assert "runs/gan-drawn_digits-1/report.html" in done.stdout and (folder / "report.html").exists()
    assert (folder / "images" / "0_0.png").exists() and (folder / "images" / "0_1.png").exists()
    assert {path.stem for path in (folder / "models").iterdir()} == {"generator", "discriminator"}
    for figure in ("d_loss", "d_acc", "g_loss"):
        assert figure in done.stdout


@pytest.fixture
def bad(paired_folder):
    """A folder with data for the invalid inputs below."""
    folder = paired_folder.parent
    (folder / "file").touch()
    (folder / "empty" / "train").mkdir(parents=True)
    for split in ("train", "val"):
        (folder / "text" / split).mkdir(parents=True)
        (folder / "odd" / split).mkdir(parents=True)
        (folder / "text" / split / "0.jpg").write_text("no picture")
        pair(100).crop((0, 0, 31, 16)).save(folder / "odd" / split / "0.png")
    for side in ("trainA", "trainB"):
        (folder / "unpaired" / side).mkdir(parents=True)
    (folder / "idx").mkdir()
    (folder / "idx" / "train-images-idx3-ubyte").write_bytes(
        bytes.fromhex("00000803 00000005 0000001c 0000001c") + b"0"
    )
    for name in ("train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (folder / "idx" / name).touch()
    return folder


FAULTS = {
    "no such data set 'nowhere'": (["--dataset", "nowhere"], "no data set 'nowhere': available are"),
    "an empty split": (["--dataset", "empty"], "no pictures in empty or empty/train"),
    "no picture": (["--dataset", "text"], "1 of 1 pictures cannot be used, the first of them text/train/0.jpg"),
    "an odd width": (["--dataset", "odd"], "width of 31 is odd, so it has no two equal halves"),
    "a size": (["--image-size", "100"], "image size 100x100: height and width must be multiples of 8"),
    "no size": (["--image-size", "big"], "'big' is not an image size"),
    "a batch of none": (["--batch-size", "0"], "batch_size must be a whole number of at least 1, not 0"),
    "no number": (["--epochs", "ten"], "invalid int value: 'ten'"),
    "an unknown option": (["--epoch", "1"], "unrecognized arguments: --epoch 1"),
    "an output below a file": (["--output", "file/run"], "output folder 'file/run' cannot be written"),
}


FAULTS = {f"discogan: {fault}": ([*TINY, *arguments], message) for fault, (arguments, message) in FAULTS.items()} | {
    "cyclegan: identity of unlike domains": (["--shape-A", "128x128x1", "--identity"], "not 1 (A) and 3 (B): turn id"),
    "cyclegan: one folder for both": (["--dataset", "pairs/train", "--dataset-B", "pairs/train"], "pairs/train"),
    "cyclegan: an empty side": (["--dataset", "empty", "--dataset-B", "pairs/train"], "empty"),
    "cyclegan: a pool below nothing": (["--pool-size", "-1"], "pool_size must be a whole number of at least 0, not -1"),
    "cyclegan: a decay on top of a schedule": (["--decay-epochs", "2"], "decay_epochs=2 cannot lower the rate of d_A"),
    "discogan: an unknown recipe": (["--recipe", "gan"], "python -m keras_gan.discogan_paper --game gan"),
    "pix2pix: unpaired data": (["--dataset", "unpaired"], "unpaired holds two unpaired sides"),
    "pix2pix: a direction": (["--direction", "up"], "direction must be one of AtoB, BtoA, not 'up'"),
    "discogan: a direction": (["--direction", "up"], "direction must be one of AtoB, BtoA, not 'up'"),
    "discogan: a folder for B alone": (["--dataset-B", "pairs/train"], "for side B: name one for side A"),
    "discogan: no such fit": (["--fit", "squeeze"], "fit must be one of resize, crop, pad, random-crop, not 'squeeze'"),
    "pix2pix: other channels": (["--dataset", "pairs", "--image-size", "32x32x5"], "it has 3 channels, not 5"),
    "pix2pix: no partners": (["--dataset", "pairs/train", "--dataset-B", "pairs/val"], "without a match of the same"),
    "dcgan: channels of drawings": (["--image-size", "32x32x5"], "drawn_shoes has pictures of 1 or 3 channels, not 5"),
    "dcgan: no channels": (["--image-size", "32x32x0"], "channels of img_shape must be a whole number of at least 1"),
    "cgan: no classes": (["--dataset", "pairs/train"], "pairs/train"),
    "cgan: a truncated idx file": (["--dataset", "mnist", "--data-dir", "idx"], "idx/train-images-idx3-ubyte"),
    "dcgan: no latent size": (["--latent-dim", "0"], "latent_dim must be a whole number of at least 1, not 0"),
    "dcgan: a size": (["--image-size", "100"], "image size 100x100 cannot be halved to sides of 4 to 7"),
    "gan: no such choice": (["--jit", "yes"], "argument --jit: invalid choice: 'yes'"),
    "gan: no such folder": (["--dataset", "nowhere"], "nowhere"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_invalid_input_gives_one_line_and_exit_code_2(bad, fault, monkeypatch, capsys):
    arguments, message = FAULTS[fault]
    monkeypatch.chdir(bad)
    with pytest.raises(SystemExit) as stop:
        run_here(fault.split(":")[0], *arguments)
    assert stop.value.code == 2
    check_complaint(capsys.readouterr().err, message)


def test_invalid_input_in_a_new_process(bad):
    done = run(*TINY, "--dataset", "nowhere", cwd=bad)
    assert done.returncode == 2
    check_complaint(done.stderr, "no data set 'nowhere': available are")


@pytest.mark.parametrize("model", MODELS)
def test_every_model_has_an_offline_default_data_set(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loader = evaluate.data_of(getattr(keras_gan, MODELS[model]), {})
    assert loader.dataset_name.startswith("drawn_") and len(loader.load_data(2, is_testing=True)) >= 1


@pytest.mark.parametrize("model", MODELS)
def test_help_explains_every_option(model, capsys):
    module = import_module(f"keras_gan.{model}")
    with pytest.raises(SystemExit) as stop:
        cli.parse(module.__file__, ["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert module.__doc__.strip() in text
    assert {"--seed", "--output", "--epochs", "--batch-size", "--steps-per-epoch", "--sample-interval"} <= set(
        text.split()
    )
    assert "--jit {auto,on,off}" in text


def test_filters_sets_both_numbers_and_df_overrides_it():
    import keras_gan.discogan

    command = cli.parse(keras_gan.discogan.__file__, ["--filters", "8", "--df", "4", "--image-size", "64x96"])
    assert command.constructor == {"gf": 8, "df": 4, "img_shape": (64, 96, 3)} and command.train == {}


def test_mixed_precision_sets_the_dtype_policy():
    import keras

    import keras_gan.gan

    try:
        cli.parse(keras_gan.gan.__file__, ["--mixed-precision", "bfloat16"])
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(("device", "auto"), [("CPU", False), ("GPU", True)])
def test_jit_defaults_to_on_for_a_gpu_only(device, auto, monkeypatch):
    import tensorflow as tf

    found = []

    def train(gan):
        found.append(gan.jit_compile)
        raise KeyboardInterrupt

    monkeypatch.setattr(keras_gan.GAN, "train", train)
    devices = [tf.config.PhysicalDevice(device, device)]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: devices)
    for arguments in ([], ["--jit", "auto"], ["--jit", "on"], ["--jit", "off"]):
        with pytest.raises(SystemExit):
            run_here("gan", *arguments)
    assert found == [auto, auto, True, False]


@pytest.mark.parametrize(
    ("options", "flip"),
    [([], None), (["--no-flip"], "none"), (["--flip"], "horizontal"), (["--flip", "both"], "both")],
)
def test_flips_are_named_or_left_out(options, flip, monkeypatch):
    monkeypatch.setattr(cli, "set_up_keras", lambda *arguments: None)
    assert cli.parse(dcgan.__file__, options).constructor.get("flip") == flip


def test_several_folders_are_one_option(tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "set_up_keras", lambda *arguments: None)
    folders = [str(tmp_path / name) for name in ("depth", "photos", "faces")]
    for folder in folders:
        Path(folder).mkdir()
    arguments = ["--dataset-A", *folders[:2], "--dataset-B", folders[2], "--shape-B", "64x64x1"]
    given = cli.parse(pix2pix.__file__, arguments).constructor
    assert given == {"dataset_A": folders[:2], "dataset_B": folders[2], "shape_B": (64, 64, 1)}


@pytest.mark.parametrize("model", [*MODELS, "toy"])
def test_help_has_every_option_in_one_of_four_groups(model):
    file = toy.__file__ if model == "toy" else import_module(f"keras_gan.{model}").__file__
    parser, *names = options.parser_of(file, signatures.class_in(file))
    groups = parser._action_groups
    titled = {group.title: [action.option_strings[0] for action in group._group_actions] for group in groups}
    assert [title for title, inside in titled.items() if inside] == ["options", *options.GROUPS]
    assert titled["options"] == ["-h"]
    listed = sum(titled.values(), [])
    known = set(map(options.flag_of, set().union(*names)))
    assert len(listed) == len(set(listed)) and known <= set(listed)
    for title, placed in options.GROUPS.items():
        assert {*map(options.flag_of, placed)} & {*listed} <= {*titled[title]}


def test_no_group_names_an_option_that_is_gone():
    files = [import_module(f"keras_gan.{model}").__file__ for model in MODELS]
    known = set().union(*(names for file in files for names in options.parser_of(file, signatures.class_in(file))[1:]))
    assert set().union(*options.GROUPS.values()) <= known
