"""Ctrl-C: answered at once, in one line; a second one ends without saving."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import threading

import pytest
from support.commands import check_complaint, run_here

from keras_gan import console
from keras_gan.machine import interrupts
from keras_gan.training import signals

FINISHING = "Finishing this step and saving; press again to end without saving."


def busy(rounds=300_000):
    """Computes in C, which Python's own handlers cannot interrupt; other threads run meanwhile."""
    hashlib.pbkdf2_hmac("sha256", b"", b"", rounds)


def interrupt_soon(number=signal.SIGINT):
    threading.Timer(0.03, os.kill, (os.getpid(), number)).start()


@pytest.fixture
def events():
    """A list of what happened; the handler of SIGINT adds "handler"."""
    events = []
    before = signal.signal(signal.SIGINT, lambda number, frame: events.append("handler"))
    yield events
    signal.signal(signal.SIGINT, before)


def test_a_signal_is_heard_while_the_main_thread_computes(events):
    with interrupts.heard(lambda number: events.append(number)):
        interrupt_soon()
        busy()
        events.append("computed")
    assert events.index(signal.SIGINT) < events.index("computed")
    assert signal.set_wakeup_fd(-1) == -1  # as before


def test_the_first_signal_is_answered_and_a_second_one_ends_the_training(capsys):
    with pytest.raises(signals.Interrupted, match="without saving") as stop, signals.deferred_signals() as received:
        os.kill(os.getpid(), signal.SIGINT)
        busy(1000)
        assert received == [signal.SIGINT]
        os.kill(os.getpid(), signal.SIGINT)
        busy(1000)
    assert stop.value.exit_code == 130 and stop.value._render_traceback_() == ["Stopped without saving."]
    assert capsys.readouterr().err == f"\n{FINISHING}\n"


def test_a_command_ends_although_its_step_does_not(monkeypatch, capsys):
    ended = threading.Event()

    def end(code):
        ended.set()
        ended.code = code

    monkeypatch.setattr(signals, "is_command", lambda: True)
    monkeypatch.setattr(signals, "PATIENCE", 0.01)
    monkeypatch.setattr(signals.os, "_exit", end)
    with pytest.raises(signals.Interrupted), signals.deferred_signals():
        os.kill(os.getpid(), signal.SIGINT)
        busy(1000)
        interrupt_soon()
        while not ended.is_set():
            busy()
    assert ended.code == 130 and capsys.readouterr().err.endswith("\nStopped without saving.\n")


def ended(script):
    """(exit code, standard error) of a Python script in which Ctrl-C is not ignored, as it is in the background."""
    script = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n{script}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


def test_before_training_a_command_ends_at_once():
    script = (
        "import os, signal, sys, types\n"
        "sys.modules['__main__'].__spec__ = types.SimpleNamespace(name='keras_gan.discogan')\n"
        "from keras_gan import console; from keras_gan.machine import interrupts\n"
        "with interrupts.stopped_at_once(), console.silence():\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    while True: pass\n"
    )
    assert ended(script) == (130, "\nStopped.\n")


def test_while_its_modules_are_loaded_a_command_ends_at_once():
    script = (
        "import os, signal, sys\n"
        "sys.argv, sys.orig_argv = ['-m'], ['python', '-m', 'keras_gan.discogan']\n"
        "import keras_gan\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
    )
    assert ended(script) == (130, "\nStopped.\n")


@pytest.mark.parametrize("unknown", ["nothing", "gray2colour:nothing"])
def test_an_unknown_name_is_told_before_keras_is_loaded(unknown, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "load_keras", lambda: pytest.fail("Keras is loaded"))
    for arguments in (["--dataset", unknown], ["--dataset", "drawn_shoes", "--dataset-B", unknown]):
        with pytest.raises(SystemExit):
            run_here("cyclegan", *arguments)
        check_complaint(capsys.readouterr().err, "'nothing'")


def test_an_output_folder_in_use_is_told_before_keras_is_loaded(monkeypatch, tmp_path, capsys):
    (tmp_path / "config.json").touch()
    monkeypatch.setattr(console, "load_keras", lambda: pytest.fail("Keras is loaded"))
    with pytest.raises(SystemExit):
        run_here("gan", "--output", str(tmp_path))
    check_complaint(capsys.readouterr().err, "already holds a trained run")


@pytest.mark.slow
def test_a_script_is_silent_until_ctrl_c_which_takes_two_lines(tmp_path):
    script = (
        "import os, signal\n"
        "import keras\n"
        "from keras_gan import Pix2Pix\n"
        "class Stop(keras.callbacks.Callback):\n"
        "    def on_train_batch_end(self, batch, logs=None):\n"
        "        if batch == 2: os.kill(os.getpid(), signal.SIGINT)\n"
        "gan = Pix2Pix(img_shape=(32, 32, 3), gf=4, df=4, dataset_name='drawn_shoes', output='run')\n"
        "gan.train(epochs=1, callbacks=[Stop()], quiet=True)\n"
    )
    # TensorFlow would tell here of a fusion that failed, and of a data set that was left open
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, env=environment)
    of_start = re.compile(r"I0000|E0000.*cuInit|WARNING: All log|To enable the following|$")
    lines = [line for line in done.stderr.splitlines() if not of_start.match(line)]
    saved = "Stopped at iteration 3, checkpoint saved. To resume: python -m keras_gan.pix2pix --resume run"
    assert lines == [FINISHING, saved]
    assert done.returncode
