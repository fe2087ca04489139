import subprocess
import sys

import pytest
from conftest import pair

from keras_gan import cli

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


def test_a_run_ends_by_saying_where_everything_lies(tmp_path):
    done = run(*TINY, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert "\x1b" not in done.stdout and "\b" not in done.stdout  # no terminal, no control characters
    folder = tmp_path / "runs" / "discogan-drawn_shoes-1"
    assert "runs/discogan-drawn_shoes-1/images" in done.stdout and "g_AB.keras" in done.stdout
    assert (folder / "images" / "0_0.png").exists() and (folder / "images" / "0_1.png").exists()
    assert {path.stem for path in (folder / "models").iterdir()} == {"g_AB", "g_BA", "d_A", "d_B"}
    for figure in ("d_loss", "d_acc", "g_loss"):
        assert figure in done.stdout


@pytest.fixture
def bad(paired_folder):
    """A folder from which each of the faults below can be had."""
    folder = paired_folder.parent
    (folder / "file").touch()
    (folder / "empty" / "train").mkdir(parents=True)
    for split in ("train", "val"):
        (folder / "text" / split).mkdir(parents=True)
        (folder / "odd" / split).mkdir(parents=True)
        (folder / "text" / split / "0.jpg").write_text("no picture")
        pair(100).crop((0, 0, 31, 16)).save(folder / "odd" / split / "0.png")
    return folder


FAULTS = {
    "no such data set 'nowhere'": (["--dataset", "nowhere"], "no data set 'nowhere': there is"),
    "an empty split": (["--dataset", "empty"], "no pictures in empty/train"),
    "no picture": (["--dataset", "text"], "1 of 1 pictures cannot be used, the first of them text/train/0.jpg"),
    "an odd width": (["--dataset", "odd"], "width of 31 has no two equal halves"),
    "a size": (["--image-size", "100"], "image size 100x100 cannot be halved"),
    "no size": (["--image-size", "big"], "'big' is no image size"),
    "a batch of none": (["--batch-size", "0"], "batch_size must be a whole number of at least 1, not 0"),
    "no number": (["--epochs", "ten"], "invalid int value: 'ten'"),
    "an unknown option": (["--epoch", "1"], "unrecognized arguments: --epoch 1"),
    "an output below a file": (["--output", "file/run"], "output folder 'file/run' cannot be written"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_input_is_one_line_and_exit_code_2(bad, fault):
    arguments, message = FAULTS[fault]
    check_complaint(run(*TINY, *arguments, cwd=bad), message)


CYCLEGAN_FAULTS = {
    "identity of unlike domains": (["--shape-A", "32x32x1", "--identity"], "not 1 (A) and 3 (B): turn identity off"),
    "one folder for both": (["--dataset", "pairs/train", "--dataset-B", "pairs/train"], "pairs/train"),
    "an empty side": (["--dataset", "empty", "--dataset-B", "pairs/train"], "empty"),
    "a pool below nothing": (["--pool-size", "-1"], "pool_size must be a whole number of at least 0, not -1"),
    "a decay on top of a schedule": (["--decay-epochs", "2"], "decay_epochs=2 cannot lower the rate of d_A"),
}


@pytest.mark.parametrize("fault", CYCLEGAN_FAULTS)
def test_a_fault_of_the_input_to_cyclegan_too(bad, fault):
    arguments, message = CYCLEGAN_FAULTS[fault]
    check_complaint(run("--image-size", "32", "--epochs", "1", *arguments, cwd=bad, model="cyclegan"), message)


def check_complaint(done, message):
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    complaint = [line for line in done.stderr.splitlines() if not line.startswith("skipping ")]
    assert len(complaint) == 1 and complaint[0].startswith("error: ")


def test_a_helpful_option_for_both_filters_can_be_overridden():
    import keras_gan.discogan

    constructor, train = cli.parse(
        keras_gan.discogan.__file__, ["--filters", "8", "--df", "4", "--image-size", "64x96"]
    )
    assert constructor == {"gf": 8, "df": 4, "img_shape": (64, 96, 3)} and train == {}
