"""`python -m keras_gan.launch`: several processes as hosts, all on this machine. Most only on JAX."""

import os
import signal
import socket
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from support.commands import check_complaint

from keras_gan import backend, launch
from keras_gan.errors import BadValueError
from keras_gan.report.csv_log import read_rows

on_jax = pytest.mark.skipif(keras.backend.backend() != "jax", reason="TensorFlow trains on one device")
ENVIRONMENT = os.environ | {"XLA_FLAGS": "--xla_backend_optimization_level=0", "JAX_PLATFORMS": "cpu"}
FAST = ["--image-size", "16", "--filters", "4", "--dataset", "drawn_shoes", "--batch-size", "4", "--epochs", "1"]
LONG = [*FAST, "--steps-per-epoch", "150", "--checkpoint-interval", "2", "--sample-interval", "1000", "--seed", "0"]


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (["--processes", "0", "--", "gan"], "processes must be a whole number of at least 1, not 0"),
        (["--processes", "2", "--cpu-devices", "0", "--", "gan"], "cpu_devices must be a whole number of at least 1"),
        (["--processes", "2"], "no model '' to launch: write -- and one of cgan, cut"),
        (["--processes", "2", "--", "translate", "RUN"], "no model 'translate' to launch"),
        (["--processes", "2", "--", "launch"], "no model 'launch' to launch"),
        (["--", "gan"], "the following arguments are required: --processes"),
    ],
)
def test_bad_input_is_one_line(typed, complaint, capsys):
    with pytest.raises(SystemExit) as stop:
        launch.main(typed)
    assert stop.value.code == 2
    check_complaint(capsys.readouterr().err, complaint)


def test_each_process_knows_its_place(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert launch.command_of(["--", "gan", "--epochs", "1"])[1:] == [
        "-m",
        "keras_gan.gan",
        "--epochs",
        "1",
        "--devices",
        "all",
    ]
    assert launch.command_of(["gan", "--devices=2"])[3:] == ["--devices=2"]
    places = launch.places(2, None)
    assert (
        [place["JAX_PROCESS_ID"] for place in places]
        == [place["JAX_LOCAL_DEVICE_IDS"] for place in places]
        == ["0", "1"]
    )
    assert len({place["JAX_COORDINATOR_ADDRESS"] for place in places}) == 1
    (alone,) = launch.places(1, 3)
    assert "--xla_force_host_platform_device_count=3" in alone["XLA_FLAGS"] and alone["KERAS_BACKEND"] == "jax"


def processes_of(code, count=2):
    """Processes that run Python code instead of a model, with the number of each in NUMBER."""
    environments = [os.environ | {"NUMBER": str(number)} for number in range(count)]
    return launch.Processes(
        [sys.executable, "-c", f"import os, sys, time; n = int(os.environ['NUMBER']); {code}"], environments
    )


WAS_KILLED = "process 1 of 2 was killed (SIGKILL), so all are stopped; add --resume to go on from its last checkpoint."
KILLED = "os.kill(os.getpid(), 9) if n else time.sleep(60)"
SAME = "print('error: a bad value', file=sys.stderr); sys.exit(2)"
OTHER = "n or time.sleep(60); print('error: a bad disk', file=sys.stderr); sys.exit(2)"


@pytest.mark.parametrize(
    ("code", "expected", "said"),
    [
        (KILLED, 2, f"error: {WAS_KILLED}"),
        (SAME, 2, "error: a bad value"),
        (OTHER, 2, "error: process 1 of 2 has stopped: a bad disk"),
        ("print('ended')", 0, ""),
    ],
)
def test_what_ends_one_process_ends_all_with_one_line(code, expected, said, monkeypatch, capfd):
    monkeypatch.setattr(launch, "GRACE", 2.0)
    processes = processes_of(code)
    with processes.stopped_by_signals():
        assert processes.watch() == expected
    out, err = capfd.readouterr()
    assert err.startswith(said) and err.count("\n") == bool(said)
    assert out.count("ended") == (expected == 0)  # of the first alone
    assert all(process.returncode is not None for process in processes.all)


def test_who_was_killed_failed_first():
    """Others end because one is gone: with an error, or by JAX with SIGABRT."""
    for codes, first in (
        ([2, -9, None], (1, -9)),
        ([-6, 2, -15], (2, -15)),
        ([-6, 2, None], (1, 2)),
        ([None, 3, 2], (1, 3)),
        ([0, -6], (1, -6)),
    ):
        assert launch.first_failure(codes) == first


def test_ctrl_c_goes_to_the_first_process_which_may_save(capfd):
    save = "import signal; signal.signal(2, lambda *_: (print('saved'), sys.exit(130)))"
    processes = processes_of(f"{save}; print('up', flush=True); time.sleep(60)")
    with processes.stopped_by_signals():
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGINT)
        assert processes.watch() == 130
    assert capfd.readouterr().out == "up\nsaved\n"


@on_jax
@pytest.mark.parametrize(
    ("places", "complaint"),
    [
        ({"JAX_PROCESS_ID": "2"}, "JAX_PROCESS_ID must be 0 to 1, below JAX_NUM_PROCESSES, not 2"),
        (
            {"JAX_COORDINATOR_ADDRESS": "here"},
            "JAX_COORDINATOR_ADDRESS must be HOST:PORT of the first host, not 'here'",
        ),
        (
            {"JAX_PROCESS_ID": "1"},
            r"no host answers at JAX_COORDINATOR_ADDRESS=localhost:1 within 1 s \(Connection ref",
        ),
    ],
)
def test_no_cluster_at_the_address(places, complaint, monkeypatch):
    from keras_gan.backend import jax_hosts

    monkeypatch.setattr(jax_hosts, "MEETING", 1.0)
    usual = {"JAX_COORDINATOR_ADDRESS": "localhost:1", "JAX_NUM_PROCESSES": "2", "JAX_PROCESS_ID": "0"}
    for name, value in (usual | places).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadValueError, match=complaint):
        backend.use_devices("all")


@on_jax
def test_a_port_that_another_program_uses_is_refused(monkeypatch):
    with socket.socket(socket.AF_INET6 if socket.has_ipv6 else socket.AF_INET) as other:
        other.bind(("", 0))
        other.listen()
        places = {"JAX_COORDINATOR_ADDRESS": f"localhost:{other.getsockname()[1]}", "JAX_NUM_PROCESSES": "2"}
        for name, value in (places | {"JAX_PROCESS_ID": "0"}).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(BadValueError, match="cannot be used here .*: name another one on all hosts"):
            backend.use_devices("all")


ALONE = """
import os
from keras_gan import backend
from keras_gan.backend import jax_hosts
jax_hosts.MEETING = 3.0
backend.use_devices("all")
"""


@on_jax
@pytest.mark.slow
def test_a_first_host_that_stays_alone_ends_with_one_line(tmp_path):
    places = {
        "JAX_COORDINATOR_ADDRESS": f"localhost:{launch.free_port()}",
        "JAX_NUM_PROCESSES": "2",
        "JAX_PROCESS_ID": "0",
    }
    done = subprocess.run([sys.executable, "-c", ALONE], env=ENVIRONMENT | places, capture_output=True, text=True)
    assert done.returncode == 2 and "not all of the 2 hosts of JAX_NUM_PROCESSES came to localhost" in done.stderr


def launched(count, *arguments):
    command = [
        sys.executable,
        "-m",
        "keras_gan.launch",
        "--processes",
        str(count),
        "--cpu-devices",
        "1",
        "--",
        "discogan",
    ]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*command, *map(str, arguments)], env=ENVIRONMENT, **pipes)


def wait_for_checkpoint(run, process):
    while not list(run.glob("checkpoints/[0-9]*")) and process.poll() is None:
        time.sleep(0.1)


def children_of(process):
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=True)
    return [int(pid) for pid in done.stdout.split()]


def errors_in(text):
    return [line for line in text.splitlines() if line.startswith("error:")]


@on_jax
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_process_stops_all_in_a_minute_and_the_run_goes_on_in_one_with_the_same_numbers(tmp_path):
    process = launched(2, *LONG, "--output", tmp_path / "run")
    wait_for_checkpoint(tmp_path / "run", process)
    os.kill(children_of(process)[1], signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors_in(said) == [f"error: {WAS_KILLED}"]
    go_on = launched(1, "--resume", tmp_path / "run")
    out, said = go_on.communicate(timeout=300)
    assert go_on.returncode == 0, said
    assert "This run was trained on 2 devices, now on 1. Its batch size stays, by accumulate=2." in out
    alone = launched(1, *LONG, "--output", tmp_path / "alone")
    _, said = alone.communicate(timeout=300)
    assert alone.returncode == 0, said
    rows, expected = (read_rows(tmp_path / name / "history.csv") for name in ("run", "alone"))
    assert [row["iteration"] for row in rows] == [row["iteration"] for row in expected]
    for row, other in list(zip(rows, expected, strict=True))[:2]:  # later, Adam amplifies rounding errors
        names = [name for name in row if name != "seconds"]
        np.testing.assert_allclose(*([float(of[name]) for name in names] for of in (row, other)), rtol=1e-4)


@on_jax
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_silent_host_is_noticed_within_a_minute(tmp_path):
    process = launched(2, *LONG, "--output", tmp_path / "run")
    wait_for_checkpoint(tmp_path / "run", process)
    os.kill(children_of(process)[1], signal.SIGSTOP)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors_in(said) == [
        f"error: another host has stopped: start all of them again, with --resume '{tmp_path / 'run'}'."
    ]
