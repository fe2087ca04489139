import contextlib
import functools
import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# XLA's compilation cache is kept on disk and shared by all processes.
os.environ.setdefault("KERAS_GAN_COMPILED", str(Path(__file__).resolve().parents[1] / ".compiled"))
os.environ.setdefault("TF_XLA_FLAGS", f"--tf_xla_persistent_cache_directory={os.environ['KERAS_GAN_COMPILED']}/xla")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", f"{os.environ['KERAS_GAN_COMPILED']}/jax")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
if os.environ.get("KERAS_BACKEND") == "jax":  # simulates two devices on the CPU; by default models use one
    os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2"
else:
    # The few steps that XLA compiles here are run two or three times: compiling them well would take longer.
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
    places = [str(Path(__file__).parent / "support" / "quick_start"), os.environ.get("PYTHONPATH")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, places))  # of the processes that tests start

import numpy as np
import pytest
from support.ci import pytest_runtest_makereport, pytest_sessionfinish, pytest_terminal_summary  # noqa: F401
from support.pictures import pair

import keras_gan  # noqa: F401  (must come before Keras: it switches on oneDNN in TensorFlow)
from keras_gan.training import run_folder

gc.set_threshold(100_000, 50, 100)  # tracing creates many objects: garbage collection would take a quarter of its time
CHECKOUT = Path(__file__).resolve().parents[1]
SHARED = CHECKOUT.parent / "shared"


def pytest_collection_finish():
    gc.freeze()  # imported objects stay: exclude them from garbage collection


def pytest_runtest_setup(item):
    """Switches off TensorFlow's graph optimizer: small models start a fifth sooner.

    Tests with the mark `optimized` use TensorFlow's defaults.
    """
    if "tensorflow" in sys.modules:
        is_off = item.get_closest_marker("optimized") is None
        sys.modules["tensorflow"].config.optimizer.set_experimental_options({"disable_meta_optimizer": is_off})


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item):
    if item.get_closest_marker("slow"):
        from keras_gan.backend.memory import giving_back

        with giving_back():  # returns gigabytes to the system
            gc.collect()


@pytest.fixture(autouse=True)
def no_reports(request, monkeypatch):
    """Runs write no curves, animations or reports, which take longer than the few steps of a test.

    Tests with the mark `reports` do write them.
    """
    if not request.node.get_closest_marker("reports"):
        for name in ("save_losses", "animate", "write_report"):
            monkeypatch.setattr(f"keras_gan.report.callbacks.{name}", lambda *arguments: None)


@pytest.fixture(autouse=True)
def no_runs_in_checkout(monkeypatch, tmp_path_factory):
    """Runs without `output` go to a temporary folder, but where a test works in a folder of its own."""
    next_run = run_folder.next_run

    def elsewhere(stem):
        if Path.cwd() != CHECKOUT:
            return next_run(stem)
        folder = tmp_path_factory.mktemp("runs")
        with contextlib.chdir(folder):
            return folder / next_run(stem)

    monkeypatch.setattr(run_folder, "next_run", elsewhere)


@pytest.fixture(scope="session")
def shared():
    """Returns the path of a recording or real picture in `shared` beside the checkout; skips if it is missing."""

    def path(name):
        if not (SHARED / name).exists():
            pytest.skip(f"needs {name} in a folder 'shared' beside the checkout")
        return SHARED / name

    return path


@pytest.fixture
def batch():
    """A batch of three pairs, float32 in [-1, 1]."""

    def make(height=32, width=32, channels=3, size=3, seed=0):
        shape = (2, size, height, width, channels)
        A, B = np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")
        return A, B

    return make


@pytest.fixture
def floatx():
    """Sets Keras' float type; resets it after the test."""
    from support.models import set_float

    yield set_float
    set_float("float32")


@pytest.fixture
def policy():
    """Sets Keras' dtype policy; resets it after the test."""
    import keras

    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def eagerly():
    """Runs TensorFlow eagerly."""
    from support.eager import running_eagerly

    with running_eagerly():
        yield


@pytest.fixture
def slow_ones_eagerly(request):
    """Runs the slow rows of a test eagerly, where a fast row shows that the traced step does the same."""
    from support.eager import running_eagerly

    with running_eagerly() if request.node.get_closest_marker("slow") else contextlib.nullcontext():
        yield


@pytest.fixture(scope="module")
def one_by_one():
    """Runs a whole module eagerly: its tests are not about the step, so tracing it would waste time."""
    from support.eager import running_eagerly

    with running_eagerly():
        yield


@pytest.fixture
def output_of():
    """Runs a script in a new process and returns its output. `without` is a prefix of environment variables to drop."""

    def run(script, without, **environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(without)}
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=clean | environment, check=True)
        return done.stdout.strip()

    return run


@pytest.fixture
def small_disk(tmp_path_factory):
    """Mounts a small file system, size in megabytes; skips without the permission to mount."""
    mounted = []

    def make(megabytes):
        folder = tmp_path_factory.mktemp("disk")
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        done = subprocess.run(mount, capture_output=True, text=True) if shutil.which("mount") else None
        if done is None or done.returncode:
            pytest.skip(f"needs the right to mount a small file system: {done and done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def browser():
    """Chromium, driven by playwright; skips if it is not installed."""
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        except sync_api.Error as error:
            pytest.skip(f"no Chromium: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def paired_folder(tmp_path):
    """A paired data set of flat pictures: left half red, right half blue, brightness rising with the number."""
    for split, count in (("train", 5), ("val", 2)):
        folder = tmp_path / "pairs" / split
        folder.mkdir(parents=True)
        for number in range(count):
            pair(100 + 20 * number).save(folder / f"{number}.png")
    return tmp_path / "pairs"


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """Tiny, untrained models and their run folders, by name: a `support.runs.Saved`. Tests may change neither."""
    from support.runs import Saved

    runs = Saved(tmp_path_factory.mktemp("saved"))
    yield runs
    runs.check()


@pytest.fixture(scope="session")
def generator_of(saved):
    """Generators loaded from the runs of `saved`, by name and direction: `support.runs.found`."""
    from support.runs import found

    return functools.partial(found, saved)


@pytest.fixture(scope="session")
def exported(tmp_path_factory, saved):
    """Exported generators, by name and format: a `support.runs.Exported`."""
    from support.runs import Exported

    return Exported(tmp_path_factory.mktemp("exported"), saved)


@pytest.fixture(scope="module")
def opening_once():
    """Caches networks loaded from files, so that each file is read and compiled once."""
    from support.runs import opened_once

    from keras_gan import generators

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generators, "opened", opened_once)
        yield
