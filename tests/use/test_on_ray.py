"""Translating and evaluating on a Ray cluster: the same as without, nothing lost or doubled when processes die."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tarfile
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from support.commands import check_complaint
from support.commands import translate_here as command
from support.on_ray import COUNT, as_tar, contents, save_photos
from support.runs import copy_run

from keras_gan.errors import BadValueError
from keras_gan.evaluate import evaluate, on_ray
from keras_gan.evaluate.__main__ import main as evaluate_command
from keras_gan.machine import cluster as clusters

ray = pytest.importorskip("ray", reason="needs the extra cluster")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    # Ray's own: deprecations, and pipes that it leaves to the garbage collector
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PARTS = 30  # shards of them: enough that the job lasts for some seconds, in which to kill


@pytest.fixture(scope="module")
def cluster():
    """A cluster of this machine, joined by the commands of this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
        with clusters.joined():
            yield


@pytest.fixture
def photos(tmp_path):
    return save_photos(tmp_path / "photos")


@pytest.fixture
def run_folder(saved):
    return saved("pix2pix")[1]


def test_the_same_pictures_from_folders_tars_and_parquet(cluster, run_folder, photos, tmp_path, capsys):
    assert command(run_folder, photos, "--output", tmp_path / "plain") == 0
    plain = contents(tmp_path / "plain")
    assert len(plain) == COUNT + 1 and "deep.tif" in plain

    address = f"file://{tmp_path}/files"
    assert command(run_folder, photos, "--output", address, "--engine", "ray", "--workers", 2) == 0
    assert f"Translated {COUNT + 1} of {COUNT + 2}" in capsys.readouterr().out
    made = contents(tmp_path / "files")
    (skipped,) = map(json.loads, made.pop("skipped.jsonl").decode().splitlines())
    assert skipped["input"].endswith("damaged.png") and skipped["reason"]
    assert made == plain

    as_tar(photos, tmp_path / "0.tar", 0, 20)
    as_tar(photos, tmp_path / "2.tar", 20)
    (tmp_path / "2.tar").write_bytes((tmp_path / "2.tar").read_bytes()[: 5 * 1024])
    shards = f"{tmp_path}/{{0..2}}.tar"
    assert command(run_folder, shards, "--output", tmp_path / "tars", "--engine", "ray") == 0
    made = contents(tmp_path / "tars")
    reasons = {line["input"]: line["reason"] for line in map(json.loads, made.pop("skipped.jsonl").splitlines())}
    assert "missing" in reasons[f"{tmp_path}/1.tar"] and "cut short" in reasons[f"{tmp_path}/2.tar"]
    assert sorted(made) == ["0.tar", "2.tar"]
    with tarfile.open(tmp_path / "tars" / "0.tar") as archive:
        inside = {info.name: archive.extractfile(info).read() for info in archive}
    assert inside == dict(sorted(plain.items())[:20])

    names = sorted(photos.glob("0*"))
    pq.write_table(pa.table({"image": [name.read_bytes() for name in names]}), tmp_path / "0.parquet")
    assert command(run_folder, tmp_path / "0.parquet", "--output", tmp_path / "rows", "--engine", "ray") == 0
    images = pq.read_table(tmp_path / "rows" / "0.parquet")["image"].to_pylist()
    assert [image["bytes"] for image in images] == [plain[name.stem + ".png"] for name in names]

    assert command(run_folder, photos, "--output", tmp_path / "tars", "--engine", "ray") == 2
    check_complaint(capsys.readouterr().err, "exists")


def test_the_same_figures(cluster, saved, tmp_path, paired_folder, monkeypatch, capsys):
    """Held-out pictures in several pieces, one of which holds a damaged one."""
    pytest.importorskip("skimage")

    def colours(pictures):
        return pictures.mean(axis=(1, 2))

    for number in range(20):
        shade = np.full((32, 64, 3), 8 * number, "uint8")
        shade[:16, :, number % 3] = 255
        Image.fromarray(shade).save(paired_folder / "val" / f"more{number}.png")
    (paired_folder / "val" / "more7.png").write_text("no picture")
    run = copy_run(saved("pix2pix")[1], tmp_path / "run", dataset_name=str(paired_folder))
    monkeypatch.setattr(on_ray.OnRay, "span", 5)
    _, plain = evaluate(run, extractor=colours)
    _, figures = evaluate(run, extractor=colours, workers=2)
    (way,), (other,) = figures["directions"].values(), plain["directions"].values()
    assert way["pictures"] == other["pictures"] == 21
    assert way["means"] == pytest.approx(other["means"], rel=1e-5)
    assert list(way["heaps"]) == list(other["heaps"])
    for title, distances in other["heaps"].items():
        for figure in ("FID", "KID"):
            assert way["heaps"][title][figure] == pytest.approx(distances[figure], rel=1e-5), (title, figure)
    table = (run / "evaluation" / "pairs" / "AtoB.csv").read_text()
    assert "more7" not in table and table.count("more") == 19

    with pytest.raises(BadValueError, match="arrays are for evaluating without it"):
        evaluate(run, (np.zeros((4, 32, 32, 3), "uint8"),) * 2, extractor=colours, workers=1)
    noise = copy_run(saved("dcgan")[1], tmp_path / "noise", dataset_name=str(paired_folder))
    capsys.readouterr()
    for words, message in (
        ([noise, "--engine", "ray"], "for models that translate"),
        ([run, "--engine", "ray", "--all"], "--all is not for"),
        ([run, "--workers", "2"], "needs --engine ray"),
    ):
        with pytest.raises(SystemExit):
            evaluate_command([str(word) for word in words])
        assert message in capsys.readouterr().err


def test_places_are_those_of_the_command(
    cluster, saved, run_folder, photos, paired_folder, tmp_path, monkeypatch, capsys
):
    """And not those below the folder where the cluster was started. Each process has a `memory://` of its own."""
    monkeypatch.chdir(tmp_path)
    assert command(run_folder, "photos", "--output", "made", "--engine", "ray") == 0
    assert len(list((tmp_path / "made").iterdir())) == COUNT + 2
    capsys.readouterr()
    assert command(run_folder, "photos", "--output", "memory://unseen", "--engine", "ray") == 2
    check_complaint(capsys.readouterr().err, "does not see output")
    pytest.importorskip("skimage")
    run = copy_run(saved("pix2pix")[1], tmp_path / "run", dataset_name=paired_folder.name)
    _, figures = evaluate("run", extractor=lambda pictures: pictures.mean(axis=(1, 2)), workers=1)
    assert sum(part["pictures"] for part in figures["directions"].values()) > 0 and run.is_dir()


def test_inputs_without_pictures_and_too_many_workers(cluster, run_folder, photos, tmp_path, capsys):
    with tarfile.open(tmp_path / "0.tar", "w"):
        pass
    assert command(run_folder, tmp_path / "0.tar", "--output", tmp_path / "made", "--engine", "ray") == 2
    check_complaint(capsys.readouterr().err, "no pictures in")
    words = ["--output", tmp_path / "made", "--engine", "ray", "--workers", 1000]
    assert command(run_folder, photos, *words) == 2
    check_complaint(capsys.readouterr().err, "--workers 1000 is too many")
    assert not (tmp_path / "made" / "0.png").exists()


def test_a_cluster_with_a_token_is_joined(tmp_path):
    """`ray start` makes one where it finds one, as Ray leaves it when it starts a cluster by itself."""
    token = tmp_path / ".ray" / "auth_token"
    token.parent.mkdir()
    token.write_text("0" * 64)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"HOME": str(tmp_path), "RAY_ADDRESS": f"127.0.0.1:{port}"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    words = ["--head", "--block", f"--port={port}", "--num-cpus=1", "--include-dashboard=false"]
    code = "from ray.scripts.scripts import main; main()"
    head = subprocess.Popen([sys.executable, "-c", code, "start", *words], env=environment)
    try:
        wait_for(lambda: is_answered(port), head)
        code = "from keras_gan.machine import cluster\nwith cluster.joined(): cluster.check_machines()"
        subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)
    finally:
        head.terminate()
        head.wait(60)


def is_answered(port):
    try:
        clusters.check_address(f"127.0.0.1:{port}")
    except BadValueError:
        return False
    return True


def test_the_cluster_of_another_command_is_not_joined(cluster):
    """It ends with that command, which may have been killed a moment ago."""
    code = """
from keras_gan.machine import cluster
with cluster.joined():
    import ray
    print(ray.get_runtime_context().gcs_address)
"""
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert other and other.strip() != ray.get_runtime_context().gcs_address


def test_killed_processes_lose_and_double_nothing(run_folder, photos, tmp_path):
    """First a process with the network is killed, then the one that was started; then it is started again."""
    (photos / "damaged.png").unlink()
    assert command(run_folder, photos, "--size", 32, "--output", tmp_path / "plain") == 0
    plain = contents(tmp_path / "plain")
    out, shards = tmp_path / "out", [as_tar(photos, tmp_path / f"{part}.tar") for part in range(PARTS)]
    words = [run_folder, *shards, "--size", 32, "--output", out, "--engine", "ray", "--as", "files", "--workers", 2]
    driver = start(words)
    try:
        wait_for(lambda: len(list(out.rglob("*.png"))) > 10, driver)
        networks = [process for process in started_by(driver) if "MapWorker" in " ".join(process.cmdline())]
        networks[0].kill()
        seen = len(list(out.rglob("*.png")))
        wait_for(lambda: len(list(out.rglob("*.png"))) >= seen + 12, driver)
        assert (out / ".job").is_dir()  # it is not done
    finally:
        driver.kill()
        driver.wait()
    written = {path: path.stat().st_mtime_ns for path in out.rglob("*.png") if not path.name.startswith(".")}
    assert written
    again = start(words)
    assert again.wait(600) == 0
    assert {path: path.stat().st_mtime_ns for path in written} == written
    made = contents(out)
    assert made == {f"{part}/{name}": content for part in range(PARTS) for name, content in plain.items()}


def start(words):
    command = [sys.executable, "-m", "keras_gan.translate", *map(str, words)]
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    environment["STARTED_BY"] = str(time.time_ns())
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    process = subprocess.Popen(command, env=environment)
    process.mark = environment["STARTED_BY"]
    return process


def started_by(driver):
    """The processes of Ray that a process started, by a mark in their environment."""
    psutil = pytest.importorskip("psutil")
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("STARTED_BY") == driver.mark:
                found.append(process)
    return found


def wait_for(condition, process):
    while not condition():
        assert process.poll() is None, "it ended too soon"
        time.sleep(0.05)


def test_machines_without_the_package(cluster):
    with pytest.raises(BadValueError, match="lack the package no_such_package"):
        clusters.check_machines("no_such_package")
