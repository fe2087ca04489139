"""Commands on full disks, and killed at random moments: no file or folder gets its name before it is whole."""

import importlib
import importlib.util
import os
import random
import shutil
import signal
import threading
import time

import numpy as np
import pytest
from PIL import Image
from support.lives import die_after, starter
from support.pictures import pair
from support.pipes import collected_pipes, leaves_pipes  # noqa: F401
from support.runs import copy_run
from support.whole import check_whole

KILLS = 3  # of each command

#: By name: the module, and the words after it; FOLDER is where it may write.
COMMANDS = {
    "translate": ("translate.__main__", "FOLDER/run", "INPUTS/given", "--grid", "--output", "FOLDER/out"),
    "pairs": ("datasets.__main__", "pairs", "--from", "edges", "INPUTS/photos", "FOLDER/out"),
    "check": ("datasets.__main__", "check", "INPUTS/photos", "--sheet", "FOLDER/out/sheet.png"),
    "evaluate": ("evaluate.__main__", "FOLDER/run", "--data", "INPUTS/data"),
    "savedmodel": ("export", "FOLDER/run", "--format", "savedmodel", "--output", "FOLDER/out"),
    "tflite": ("export", "FOLDER/run", "--format", "tflite", "--output", "FOLDER/out/g.tflite"),
    "onnx": ("export", "FOLDER/run", "--format", "onnx", "--output", "FOLDER/out/g.onnx"),
}
PACKAGES = {"tflite": "ai_edge_litert", "onnx": "tf2onnx", "evaluate": "skimage"}


def command(name, folder, inputs):
    """Runs a command in this process; returns its exit code."""
    module, *words = COMMANDS[name]
    words = [word.replace("FOLDER", str(folder)).replace("INPUTS", str(inputs)) for word in words]
    evaluate = importlib.import_module("keras_gan.evaluate")
    evaluate.inception = lambda: (None, "it takes a minute")
    try:
        importlib.import_module(f"keras_gan.{module}").main(words)
    except SystemExit as stop:
        return stop.code
    return 0


@pytest.fixture
def inputs(tmp_path):
    """Folders of pictures, of an animation and a video, and of pairs."""
    import imageio.v3 as imageio

    rng = np.random.default_rng(0)
    for name in ("given", "photos", "data/train", "data/val"):
        (tmp_path / name).mkdir(parents=True)
    for number in range(60):
        pixels = rng.integers(0, 256, (48, 48, 3), "uint8")
        Image.fromarray(pixels).save(tmp_path / ("given" if number < 4 else "photos") / f"{number}.png")
    frames = rng.integers(0, 256, (5, 32, 32, 3), "uint8")
    first, *others = map(Image.fromarray, frames)
    first.save(tmp_path / "given" / "walk.gif", save_all=True, append_images=others)
    imageio.imwrite(tmp_path / "given" / "film.mp4", frames, extension=".mp4", plugin="FFMPEG", fps=10)
    np.save(tmp_path / "given" / "deep.npy", rng.integers(0, 65536, (32, 32, 3), "uint16"))
    for number in range(6):
        pair(100 + 20 * number).save(tmp_path / "data" / ("val" if number < 2 else "train") / f"{number}.png")
    return tmp_path


@pytest.fixture
def run(saved):
    return saved("pix2pix")[1]


def needed(name):
    if name in PACKAGES and importlib.util.find_spec(PACKAGES[name]) is None:
        pytest.skip(f"needs {PACKAGES[name]}")


def start_again(folder, run):
    """Leaves only an unchanged copy of the run, and what is unfinished."""
    for path in folder.iterdir():
        if not path.name.startswith("."):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    copy_run(run, folder / "run")


def unfinished(folder):
    return [path for path in folder.rglob(".*") if path.name != ".lock"]


@leaves_pipes
@pytest.mark.slow
@pytest.mark.usefixtures("opening_once")  # only writing fails
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_on_a_disk_that_is_full_at_any_write(name, inputs, run, small_disk, capfd):
    needed(name)
    disk = small_disk(24)
    start_again(disk, run)
    before = shutil.disk_usage(disk).used
    assert command(name, disk, inputs) == 0
    size = shutil.disk_usage(disk).used - before
    said, failed = [], 0
    shares = np.linspace(0, 1.5, 10 if "export" in COMMANDS[name] else 24)
    for share in shares:
        start_again(disk, run)
        free = shutil.disk_usage(disk).free
        (disk / "filler.keras").write_bytes(bytes(max(0, free - int(share * size) // 4096 * 4096)))
        capfd.readouterr()
        code = command(name, disk, inputs)
        errors = capfd.readouterr().err
        (disk / "filler.keras").unlink()
        check_whole(disk)
        assert not unfinished(disk)
        assert code == (2 if "error: " in errors else 0), errors
        if code:
            failed += 1
            (line,) = (line for line in errors.splitlines() if line.startswith("error: "))
            assert "make room" in line and "Traceback" not in errors, errors
            said.append(line)
    print(f"{name}: {size} bytes, {failed} of {len(shares)} failed:", *dict.fromkeys(said), sep="\n")
    assert code == 0 and failed


def live(name, folder, inputs, seconds):
    """Runs a command in a new process, to its end or until it is killed."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    if seconds is not None:
        threading.Thread(target=die_after, args=(seconds,), daemon=True).start()
    code = command(name, folder, inputs)
    os._exit(code)


@pytest.fixture(scope="module")
def process():
    """Runs `live` in a new process; returns its exit code."""
    modules = [
        "test_nothing_half_written",
        *(f"keras_gan.{words[0]}" for words in COMMANDS.values()),
        "keras_gan.pix2pix",
    ]
    return starter(live, modules)


@leaves_pipes
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["translate", "pairs", "evaluate", "savedmodel"])
def test_a_command_that_is_killed_leaves_nothing_half_written(name, inputs, run, process, tmp_path):
    needed(name)
    folder = tmp_path / "place"
    folder.mkdir()
    start_again(folder, run)
    assert process(name, folder, inputs, None) == 0
    began = time.monotonic()
    start_again(folder, run)
    assert process(name, folder, inputs, None) == 0
    lasted = time.monotonic() - began
    whole = {path.relative_to(folder) for path in check_whole(folder)}
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    print(f"kills of {name} by seed {seed}, which lasts {lasted:.2f} s")
    for _ in range(KILLS):
        start_again(folder, run)
        seconds = chance.uniform(0, lasted)
        code = process(name, folder, inputs, seconds)
        kept = {path.relative_to(folder) for path in check_whole(folder)}
        assert code in (-signal.SIGKILL, 0) and kept <= whole
        print(f"{seconds:.2f} s: exit {code}, {len(kept)} of {len(whole)} files, {len(unfinished(folder))} unfinished")
        for path in kept - {path for path in kept if path.parts[0] == "run"}:
            (folder / path).unlink()
        shutil.rmtree(folder / "run" / "evaluation", ignore_errors=True) if name != "evaluate" else None
        if name == "savedmodel":
            shutil.rmtree(folder / "out", ignore_errors=True)
        assert process(name, folder, inputs, None) == 0
        assert {path.relative_to(folder) for path in check_whole(folder)} == whole and not unfinished(folder)
