"""Translating on a Ray cluster: the same pictures as without, none lost and none doubled when processes die."""

import contextlib
import json
import os
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

from keras_gan.errors import BadValueError
from keras_gan.translate import on_ray

ray = pytest.importorskip("ray", reason="needs the extra cluster")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    # Ray's own: deprecations, and pipes that it leaves to the garbage collector
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
COUNT = 40  # pictures
PARTS = 30  # shards of them: enough that the job lasts for some seconds, in which to kill


@pytest.fixture(scope="module")
def cluster():
    """A cluster of this machine, joined by the commands of this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
        with on_ray.cluster():
            yield


@pytest.fixture
def run_folder(saved):
    return saved("pix2pix")[1]


@pytest.fixture
def photos(tmp_path):
    """Pictures of two kinds and sizes, one of 16 bits, one damaged."""
    folder, rng = tmp_path / "photos", np.random.default_rng(0)
    folder.mkdir()
    for number in range(COUNT):
        pixels = rng.integers(0, 255, (4, 4, 3), "uint8")
        image = Image.fromarray(pixels).resize((32 + number % 3, 32))
        image.save(folder / f"{number:03}.{'png' if number % 2 else 'jpg'}")
    np.save(folder / "deep.npy", rng.integers(0, 65535, (32, 32, 3), "uint16"))
    (folder / "damaged.png").write_bytes((folder / "001.png").read_bytes()[:60])
    return folder


def contents(folder):
    """{name: bytes} of all files."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def as_tar(folder, path, start=0, stop=None):
    with tarfile.open(path, "w") as archive:
        for picture in sorted(folder.iterdir())[start:stop]:
            archive.add(picture, picture.name)
    return path


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


def test_the_cluster_of_another_command_is_not_joined(cluster):
    """It ends with that command, which may have been killed a moment ago."""
    code = """
from keras_gan.translate import on_ray
with on_ray.cluster():
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
        on_ray.check_machines("no_such_package")
