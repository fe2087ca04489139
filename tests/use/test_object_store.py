"""Translating on Ray from and to an object store. It has a cluster of its own, whose processes know the store."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tarfile
import time

import pytest
from support.commands import check_complaint
from support.commands import translate_here as command
from support.on_ray import as_tar, contents, save_photos

pytest.importorskip("ray", reason="needs the extra cluster")
fsspec = pytest.importorskip("fsspec", reason="needs the extra cluster")
pytest.importorskip("moto", reason="needs moto, s3fs and the extra cluster")
pytest.importorskip("s3fs", reason="needs moto, s3fs and the extra cluster")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    # of Ray, s3fs and moto
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def store():
    """Options of fsspec for an object store: that of moto, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
        for name, value in {"ENDPOINT_URL": url, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
            patch.setenv(f"AWS_{name}", value)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while True:
                assert process.poll() is None
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.1)
            fs = fsspec.filesystem("s3")
            fs.mkdir("bucket")
            yield fs
        finally:
            process.kill()
            process.wait()


def test_pictures_in_an_object_store(store, saved, tmp_path, capsys):
    """A folder of a store to a folder there, and shards there to shards there: as on this disk."""
    run_folder, photos = saved("pix2pix")[1], save_photos(tmp_path / "photos")
    assert command(run_folder, photos, "--output", tmp_path / "plain") == 0
    plain = contents(tmp_path / "plain")
    store.put(f"{photos}/", "bucket/photos/", recursive=True)
    as_tar(photos, tmp_path / "0.tar")
    store.put(str(tmp_path / "0.tar"), "bucket/shards/0.tar")

    ray_there = "--engine", "ray", "--output"
    assert command(run_folder, "s3://bucket/photos", *ray_there, "s3://bucket/made") == 0
    made = {path.removeprefix("bucket/made/"): store.cat_file(path) for path in store.find("bucket/made")}
    assert json.loads(made.pop("skipped.jsonl"))["input"] == "s3://bucket/photos/damaged.png"
    assert made == plain

    assert command(run_folder, "s3://bucket/shards/{0..1}.tar", *ray_there, "s3://bucket/tars") == 0
    assert sorted(store.find("bucket/tars")) == ["bucket/tars/0.tar", "bucket/tars/skipped.jsonl"]
    with tarfile.open(fileobj=store.open("bucket/tars/0.tar")) as archive:
        assert {info.name: archive.extractfile(info).read() for info in archive} == plain
    assert "s3://bucket/shards/1.tar" in store.cat_file("bucket/tars/skipped.jsonl").decode()

    capsys.readouterr()
    assert command(run_folder, "s3://bucket/photos", *ray_there, "s3://bucket/made") == 2
    check_complaint(capsys.readouterr().err, "exists")
    assert command(run_folder, "s3://bucket/photos", *ray_there, "s3://none/made") == 2
    check_complaint(capsys.readouterr().err, "cannot be written")
    assert command(run_folder, "s3://bucket/none", *ray_there, "s3://bucket/other") == 2
    check_complaint(capsys.readouterr().err, "s3://bucket/none")
