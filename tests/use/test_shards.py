"""Folders, tar shards and Parquet files that go in, also damaged and hostile ones, without Ray."""

import contextlib
import errno
import io
import os
import pickle
import socket
import tarfile
import threading
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from support.commands import check_complaint
from support.commands import translate_here as command

from keras_gan.datasets.parquet_rows import ParquetShard
from keras_gan.datasets.shard_names import expanded, kind_of
from keras_gan.errors import BadValueError, NotFoundError
from keras_gan.machine import cluster
from keras_gan.translate import job as jobs
from keras_gan.translate import packing, shards, stages
from keras_gan.translate.shards import Source, listing, records, sources


def picture(value=100, kind="PNG"):
    content = io.BytesIO()
    Image.new("RGB", (8, 8), (value, 0, 0)).save(content, kind)
    return content.getvalue()


def tar(path, names):
    with tarfile.open(path, "w") as archive:
        packing.add(archive, [(name, picture(number)) for number, name in enumerate(names)])
    return path


def read(path):
    """[(stem, fault)] of a shard."""
    source = Source(kind_of(str(path)), "0", str(path))
    return [(record.stem, record.fault) for record in records(source, "")]


def test_braces_name_shards_in_order():
    assert expanded("s3://b/{08..11}-{0..1}.tar")[:3] == ["s3://b/08-0.tar", "s3://b/08-1.tar", "s3://b/09-0.tar"]
    assert expanded("{a,b}/{0..1}.tar") == ["a/0.tar", "a/1.tar", "b/0.tar", "b/1.tar"]
    assert [source.name for source in sources(["{008..011}.tar"])] == ["008", "009", "010", "011"]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (["a/0.tar", "b/0.tar.gz"], "both become 0"),
        (["0.tar", "1.parquet"], "two kinds"),
        (["0.tar", "photos"], "no shard"),
        (["*.tar"], "nothing matches"),
    ],
)
def test_inputs_that_do_not_go_together(tmp_path, monkeypatch, inputs, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadValueError, match=message):
        sources(inputs)


def test_shards_that_are_all_missing(tmp_path):
    """A slip in a name, not some lost shards."""
    shards.check_some([], [])
    with pytest.raises(NotFoundError, match="all 2 shards are missing"):
        shards.check_some(sources([f"{tmp_path}/{{0..1}}.tar"]), ["{0..1}.tar"])
    with pytest.raises(NotFoundError, match="it is missing"):
        shards.check_some(sources(["memory://none/{0..1..2}.tar"]), ["memory://none/{0..1..2}.tar"])
    tar(tmp_path / "1.tar", [])
    shards.check_some(sources([f"{tmp_path}/{{0..1}}.tar"]), ["{0..1}.tar"])


def test_names_in_a_tar(tmp_path):
    """Others than pictures are left out; two pictures never get one name."""
    found = read(tar(tmp_path / "0.tar", ["a.jpg", "a.json", "a.png", "b/c.png", "b/c.png", "b/._c.png"]))
    assert found == [("a", None), ("a.png", None), ("b/c", None), ("b/c.png", None)]
    found = read(tar(tmp_path / "1.tar", ["a.png"] * 3))
    assert found == [("a", None), ("a.png", None), ("", "another member has its name")]


def test_a_hostile_tar_loses_only_the_hostile_members(tmp_path):
    path = tar(tmp_path / "0.tar", ["a.png", "../b.png", "/etc/c.png", "d.png"])
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("e.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    found = read(path)
    assert [stem for stem, fault in found if not fault] == ["a", "d"]
    assert [fault is not None for _, fault in found] == [False, True, True, False, True]


@pytest.mark.parametrize("keep", [512 + 10, 1024, 2048 + 100, 2048 + 512 + 10])
def test_a_tar_cut_anywhere_is_told(tmp_path, keep):
    """Also between members, where `tarfile` sees an end. Members of 1024 bytes."""
    path = tar(tmp_path / "0.tar", [f"{number}.png" for number in range(4)])
    path.write_bytes(path.read_bytes()[:keep])
    found = read(path)
    whole = keep // 1024
    assert found[:-1] == [(str(number), None) for number in range(whole)]
    assert f"first {whole} pictures" in found[-1][1]


def test_a_damaged_header_is_no_end(tmp_path):
    path = tar(tmp_path / "0.tar", ["0.png", "1.png", "2.png"])
    content = bytearray(path.read_bytes())
    content[1024:1100] = b"x" * 76
    path.write_bytes(content)
    found = read(path)
    assert found[0] == ("0", None) and len(found) == 2 and "damaged" in found[1][1]


def test_parquet(tmp_path):
    rows = [{"bytes": picture(1, "JPEG"), "path": "x.jpg"}, {"bytes": None, "path": "y"}, {"bytes": b"no", "path": ""}]
    pq.write_table(pa.table({"image": rows, "label": [1, 2, 3]}), tmp_path / "0.parquet")
    assert read(tmp_path / "0.parquet") == [
        ("0000000", None),
        ("0000001", "the row has no picture"),
        ("0000002", None),  # decoding will say what is wrong with it
    ]
    content = (tmp_path / "0.parquet").read_bytes()
    (tmp_path / "0.parquet").write_bytes(content[: len(content) // 2])
    assert "first 0 pictures" in read(tmp_path / "0.parquet")[0][1]
    assert read(tmp_path / "1.parquet") == [("", "it is missing")]


@pytest.mark.parametrize("value", ["/etc/hostname", [1, 2]])
def test_only_bytes_in_parquet_are_files(tmp_path, value):
    """A text would be opened as a path of this machine."""
    pq.write_table(pa.table({"image": [{"bytes": value, "path": "x"}]}), tmp_path / "0.parquet")
    ((stem, fault),) = read(tmp_path / "0.parquet")
    assert not stem and "one must have pictures" in fault
    with pytest.raises(BadValueError, match="has no pictures"):
        ParquetShard(tmp_path / "0.parquet")


def test_names_that_are_no_text(tmp_path):
    """Latin-1, as in old archives."""
    name = os.fsdecode(b"caf\xe9.png")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / name).write_bytes(picture())
    (source,) = job(tmp_path).list_folder(str(tmp_path / "photos"))
    (record,) = records(source, job(tmp_path).listed)
    assert (record.stem, record.content) == (name[:-4], str(tmp_path / "photos" / name))
    packing.write_shard(str(tmp_path / "0.parquet"), "parquet", iter([(name, b"0")]))
    assert pq.read_table(tmp_path / "0.parquet")["image"].to_pylist() == [{"bytes": b"0", "path": "caf\ufffd.png"}]


def test_a_name_that_no_file_can_have_loses_one_picture(tmp_path, monkeypatch):
    """Too long, or that of a folder that other pictures are in. The disk's own faults end the job."""

    def full():
        raise OSError(errno.ENOSPC, "No space left on device")

    begun, source = job(tmp_path)._replace(form="files", is_resumed=True), Source("tar", "0", "0.tar")
    note = {"done": 4, "skipped": [{"input": "bad", "reason": "no"}]}
    names = ["x" * 252 + ".png", "a/b.png", "a", "a/b.png/c.png"]
    begun.save_part(source, 0, [(name, b"1") for name in names], note, {"a": "a.jpg"})
    written = jobs.read(begun.at(".job", "parts", "0", "000000.json"))
    assert written["done"] == 1 and (tmp_path / "0" / "a" / "b.png").read_bytes() == b"1"
    assert [line["input"] for line in written["skipped"]] == ["bad", names[0], "a.jpg", names[3]]
    assert begun.is_there(source, "a/b.png") and not begun.is_there(source, "a")
    monkeypatch.setattr(jobs, "put", lambda *_: full())
    with pytest.raises(OSError, match="No space"):
        begun.save_part(source, 1, [("b.png", b"1")], note)


def test_folders_here_and_at_an_address(tmp_path):
    import fsspec

    for name in ("b.png", "a.jpg", "a.png", "notes.txt", ".c.png", "more/d.tif", "out/e.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
        fsspec.filesystem("memory").pipe_file(f"/listed/{name}", b"")
    expected = [("a.jpg", "a.jpg"), ("a.png", "a.png"), ("b.png", "b"), ("more/d.tif", "more/d")]
    assert list(listing(str(tmp_path), str(tmp_path / "out"))) == expected
    assert list(listing(f"file://{tmp_path}", f"file://{tmp_path}/out")) == expected
    assert list(listing("memory://listed", "memory://listed/out")) == expected


@pytest.mark.parametrize("form", ["tar", "parquet"])
def test_a_shard_holds_all_that_was_put_in(tmp_path, form):
    members = [(f"{number}.png", bytes([number % 256])) for number in range(2 * packing.ROWS + 3)]
    packing.write_shard(f"memory://made/0.{form}", form, iter(members))
    packing.write_shard(str(tmp_path / f"0.{form}"), form, iter(members))
    fs, path = shards.opened(f"memory://made/0.{form}")
    assert fs.cat_file(path) == (tmp_path / f"0.{form}").read_bytes()
    if form == "tar":
        assert list(packing.unpacked([str(tmp_path / "0.tar")])) == members
    else:
        images = pq.read_table(tmp_path / "0.parquet")["image"].to_pylist()
        assert [(image["path"], image["bytes"]) for image in images] == members


def test_an_unknown_kind_of_address():
    with pytest.raises(BadValueError, match="cannot be opened"):
        shards.opened("nowhere://bucket/0.tar")


@pytest.mark.parametrize("options", [["--workers", 2], ["--as", "tar"], ["--engine", "ray", "--grid"]])
def test_options_that_do_not_go_together(saved, tmp_path, capsys, options):
    assert command(saved("pix2pix")[1], tmp_path, "--output", tmp_path / "out", *options) == 2
    check_complaint(capsys.readouterr().err, "--engine ray")


def test_no_cluster_at_the_address():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # but not listening
        with pytest.raises(BadValueError, match="no Ray cluster at 127.0.0.1"):
            cluster.check_address(f"127.0.0.1:{taken.getsockname()[1]}")
    for address in (f"{'a' * 70}:6379", "127.0.0.1:99999999999999999999"):  # no name of a host, no port
        with pytest.raises(BadValueError, match="no Ray cluster at"):
            cluster.check_address(address)
    cluster.check_address(None)
    cluster.check_address("auto")


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n", b"", b"\0\0\0\4\0\0\0\0\0"])
def test_another_program_at_the_address(answer):
    """Ray would try for minutes. The last answer is how servers of HTTP/2 begin."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def respond():
            with server.accept()[0] as connection:
                connection.recv(100)
                connection.sendall(answer)

        thread = threading.Thread(target=respond)
        thread.start()
        is_ray = answer.startswith(b"\0")
        with contextlib.nullcontext() if is_ray else pytest.raises(BadValueError, match="another program"):
            cluster.check_address(f"127.0.0.1:{server.getsockname()[1]}")
        thread.join()


def test_places_are_those_of_the_process_that_starts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/who")
    assert shards.absolute("made") == str(tmp_path / "made")
    assert shards.absolute("~/{0..1}.tar") == "/home/who/{0..1}.tar"
    assert shards.absolute("s3://bucket/made") == "s3://bucket/made"


def job(output):
    return jobs.Job(str(output), "tar", SimpleNamespace(file="generator.keras"), {}, None, False, 2)


def test_an_output_that_exists_or_is_of_another_job(tmp_path):
    assert not job(tmp_path).begun(b"network", ["0.tar"]).is_resumed
    assert job(tmp_path).begun(b"network", ["0.tar"]).is_resumed and job(tmp_path).is_seen()
    with pytest.raises(BadValueError, match="a job that is not done"):
        job(tmp_path).begun(b"another", ["0.tar"])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.png").write_bytes(b"")
    with pytest.raises(BadValueError, match="exists: name another"):
        job(tmp_path / "full").begun(b"network", ["0.tar"])


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_shard_that_changed_while_the_job_was_not_done(tmp_path, is_gone):
    """Its first parts would be of the old shard, the rest of the new one."""
    shard = tar(tmp_path / "0.tar", ["a.png", "b.png", "c.png"])
    row = {"source": pickle.dumps(Source("tar", "0", str(shard)))}

    def failures():
        begun = job(tmp_path / "made").begun(b"network", [str(shard)])
        return [part["failure"] for part in stages.read(row, begun)]

    assert failures() == failures() == ["", ""]
    shard.unlink()
    if not is_gone:
        tar(shard, ["a.png", "b.png"])
    (failure,) = failures()
    assert failure == f"{shard} has changed since the job began: put it back, or name another output"


def test_a_job_that_no_other_process_began_is_forgotten(tmp_path):
    for is_kept in (False, True):
        begun = job(tmp_path).begun(b"network", ["0.tar"])
        if is_kept:
            begun = job(tmp_path).begun(b"network", ["0.tar"])
        begun.forget()
        assert begun.is_seen() == is_kept


def test_a_source_is_put_together_once(tmp_path):
    """Also if the process died between any two of its writes."""
    begun, source = job(tmp_path), Source("tar", "0", "0.tar")
    note = {"done": 1, "cut": 0, "made": 0, "kept": 0, "brightest": 0.5, "skipped": []}
    begun.save_part(source, 1, [("b.png", b"b")], note | {"skipped": [{"input": "c.png", "reason": "no"}]})
    begun.save_part(source, 0, [("a.png", b"a")], note)
    assert begun.done_parts("0") == {0, 1}
    for _ in range(2):
        begun.finish_source(source, 2)
        assert list(packing.unpacked([begun.at("0.tar")])) == [("a.png", b"a"), ("b.png", b"b")]
    sums = begun.finish([source])
    assert (sums["done"], sums["skipped"]) == (2, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.tar", "skipped.jsonl"]
