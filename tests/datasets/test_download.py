"""Downloads from a real local server are complete or leave nothing."""

import functools
import gzip
import hashlib
import io
import os
import random
import resource
import signal
import stat
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import keras  # noqa: F401  not in the time of the first test
import numpy as np
import pytest
from PIL import Image
from support.commands import datasets_without_frameworks

from keras_gan import datasets
from keras_gan.datasets import download, unpack
from keras_gan.datasets.__main__ import main
from keras_gan.datasets.catalogue import CATALOGUE, ENTRIES, Entry
from keras_gan.datasets.labelled import find_labelled, find_pictures
from keras_gan.errors import BadValueError, NotFoundError


def picture(number, size=8):
    """The bytes of a PNG file of noise."""
    file = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (size, 2 * size, 3), np.uint8)
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


PAIRED = {f"{split}/{i}.png": picture(i) for split, numbers in (("train", (0, 1)), ("val", (2,))) for i in numbers}
UNPAIRED = {f"{split}{side}/1.png": picture(ord(side)) for split in ("train", "test") for side in "AB"}


def tar_of(contents, top="toys/", *odd):
    """The bytes of a .tar.gz file. `odd` are headers, with or without content, to append."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        folders = {name.split("/")[0] for name in contents}
        for name in sorted(folders):
            info = tarfile.TarInfo(top + name)
            info.type = tarfile.DIRTYPE
            archive.addfile(info)
        for name, content in contents.items():
            info = tarfile.TarInfo(top + name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in odd:
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return file.getvalue()


def zip_of(contents, top="toys/", *odd):
    """The bytes of a .zip file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(top + name, content)
        for info in odd:
            archive.writestr(info, b"x")
    return file.getvalue()


def send(content, length=None, status=200, **headers):
    """An answer with this content, and optionally a wrong `length` in its header."""

    def answer(request):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(content) if length is None else length))
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(content)

    return answer


class Server(ThreadingHTTPServer):
    """Answers requests for a path with `answers[path]` in turn, then repeats the last answer."""

    daemon_threads = True
    block_on_close = False

    def __init__(self):
        self.answers, self.asked, self.closing = {}, [], threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request, client_address):
        pass  # the other side hung up

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(f"{self.command} {self.path}")
        answers = self.server.answers[self.path]
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    do_HEAD = do_GET

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The server, with an empty current folder and short timeouts and pauses."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(download, "TIMEOUT", 0.4)
    monkeypatch.setattr(download, "PAUSE", 0)
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    thread.join(30)
    assert not thread.is_alive()
    server.server_close()


@pytest.fixture
def toys(server, monkeypatch):
    """Adds the data set `toys` to the catalogue, and these answers to the server."""

    def put(*answers, paired=True, size=1000, **hashes):
        server.answers["/toys"] = list(answers)
        entry = Entry("toys", server.url("/toys"), paired, "a, b", "free", size, **hashes)
        monkeypatch.setitem(CATALOGUE, "toys", entry)

    return put


def tree(folder):
    """{name: bytes} of all files below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(*arguments):
    """Runs the command; returns its exit code."""
    try:
        main([str(a) for a in arguments])
    except SystemExit as done:
        return done.code
    return 0


def complaint(capsys, tmp_path, *arguments):
    """The error of a command that fails and leaves nothing behind, not even the output folder."""
    assert run(*(arguments or ("download", "toys"))) == 2
    assert list(tmp_path.iterdir()) == []
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ")
    return last


def sha256(content):
    return hashlib.sha256(content).hexdigest()


# Success:


@pytest.mark.parametrize("top", ["toys/", "", "./other/"])
@pytest.mark.parametrize(("pack", "paired"), [(tar_of, True), (zip_of, False)])
def test_a_data_set_is_fetched_unpacked_and_found_by_its_name(toys, capsys, pack, paired, top, tmp_path):
    contents = PAIRED if paired else UNPAIRED
    archive = pack(contents, top)
    toys(send(archive), paired=paired, sha256=sha256(archive))
    assert run("download", "toys") == 0
    assert tree(tmp_path) == {f"datasets/toys/{name}": content for name, content in contents.items()}
    output = capsys.readouterr()
    assert "Next: python -m keras_gan.datasets check datasets/toys" in output.out and not output.err
    found = datasets.find("toys") if paired else datasets.find_unpaired("toys")
    assert found.name == "toys"


def test_a_folder_that_exists_is_left_alone(toys, server, capsys, tmp_path):
    (tmp_path / "datasets" / "toys").mkdir(parents=True)
    toys(send(b""))
    assert run("download", "toys") == 0
    assert capsys.readouterr().out.splitlines()[0] == "datasets/toys already exists: nothing done."
    assert not server.asked and not tree(tmp_path)


def test_another_output_folder(toys, tmp_path):
    toys(send(tar_of(PAIRED)))
    assert run("download", "toys", "--output", tmp_path / "my data" / "sets") == 0
    assert tree(tmp_path / "my data" / "sets" / "toys") == PAIRED


def test_a_redirect_is_followed(toys, server, tmp_path):
    archive = tar_of(PAIRED)
    toys(send(b"", status=302, Location="/elsewhere"), sha256=sha256(archive))
    server.answers["/elsewhere"] = [send(archive)]
    assert run("download", "toys") == 0
    assert tree(tmp_path / "datasets" / "toys") == PAIRED


def slowly(content, pieces=5, pause=0.15):
    """An answer in pieces that takes longer in total than the timeout."""

    def answer(request):
        send(b"", len(content))(request)
        step = -(-len(content) // pieces)
        for start in range(0, len(content), step):
            time.sleep(pause)
            request.wfile.write(content[start : start + step])

    return answer


def test_a_slow_server_is_waited_for(toys, tmp_path):
    toys(slowly(tar_of(PAIRED)))
    assert run("download", "toys") == 0
    assert tree(tmp_path / "datasets" / "toys") == PAIRED


def test_a_wrong_md5_is_a_warning(toys, capsys, tmp_path):
    toys(send(tar_of(PAIRED)), md5="0" * 32)
    assert run("download", "toys") == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: ") and "MD5" in line and "from an unofficial list" in line
    assert tree(tmp_path / "datasets" / "toys") == PAIRED


def test_a_correct_md5_is_no_warning(toys, capsys):
    archive = tar_of(PAIRED)
    toys(send(archive), md5=hashlib.md5(archive).hexdigest())
    assert run("download", "toys") == 0
    assert not capsys.readouterr().err


def test_leftovers_of_killed_downloads_are_removed_and_active_ones_kept(toys, tmp_path):
    for name, age in (("old", 2 * download.ABANDONED_AFTER), ("new", 0)):
        folder = tmp_path / "datasets" / f".unfinished.toys.{name}"
        folder.mkdir(parents=True)
        (folder / "archive").write_bytes(b"half")
        for path in (folder / "archive", folder):
            os.utime(path, (time.time() - age,) * 2)
    toys(send(tar_of(PAIRED)))
    assert run("download", "toys") == 0
    assert sorted(path.name for path in (tmp_path / "datasets").iterdir()) == [".unfinished.toys.new", "toys"]
    with pytest.raises(FileNotFoundError, match=r"available are datasets/toys, drawn_shoes"):  # not the unfinished one
        datasets.find("nowhere")


# Failed transfers:


def hang_up(content, share=0.5):
    """An answer that is shorter than its Content-Length."""

    def answer(request):
        send(content[: int(share * len(content))], len(content))(request)
        request.close_connection = True

    return answer


def stall(content=None):
    """An answer that stops after half of the content, or never begins."""

    def answer(request):
        if content is not None:
            send(content[: len(content) // 2], len(content))(request)
        request.wfile.flush()
        request.server.closing.wait(5)

    return answer


def busy(request):
    send(b"later", status=503)(request)


LARGE = {name: picture(i, 100) for i, name in enumerate(PAIRED)}  # more than a piece of a transfer


@pytest.mark.parametrize("broken", [hang_up(tar_of(LARGE)), hang_up(tar_of(LARGE), 0), stall(tar_of(LARGE)), busy])
def test_a_failed_transfer_is_restarted(toys, server, capsys, broken, tmp_path):
    archive = tar_of(LARGE)
    toys(broken, broken, send(archive), sha256=sha256(archive))
    assert run("download", "toys") == 0
    assert len(server.asked) == 3
    assert tree(tmp_path) == {f"datasets/toys/{name}": content for name, content in LARGE.items()}
    lines = [line for line in capsys.readouterr().err.splitlines() if line]
    assert len(lines) == 2
    assert all(line.startswith("transfer failed: ") and line.endswith("; starting again") for line in lines)


FOREVER = {
    "cut half-way": (hang_up(tar_of(LARGE)), 3, r"retrieval incomplete"),
    "silent": (stall(), 3, r"nothing came from the server for 0.1 seconds"),
    "silent half-way": (stall(tar_of(LARGE)), 3, r"nothing came from the server for 0.1 seconds"),
    "busy": (busy, 3, "the server answers 503 Service Unavailable"),
    "not there": (send(b"what?", status=404), 1, "the server answers 404 Not Found"),
    "forbidden": (send(b"no", status=403), 1, "the server answers 403 Forbidden"),
    "round in circles": (send(b"", status=302, Location="/toys"), None, "cannot be fetched"),
}


@pytest.mark.parametrize("case", FOREVER)
def test_a_transfer_that_keeps_failing_is_an_error(toys, server, capsys, tmp_path, case, monkeypatch):
    answer, asked, message = FOREVER[case]
    if "silent" in case:
        monkeypatch.setattr(download, "TIMEOUT", 0.1)
    toys(answer)
    line = complaint(capsys, tmp_path)
    assert message in line and server.url("/toys") in line
    assert asked is None or len(server.asked) == asked


def test_an_unreachable_server(toys, server, capsys, tmp_path, monkeypatch):
    toys()
    monkeypatch.setitem(CATALOGUE, "toys", Entry("toys", "http://127.0.0.1:1/toys", True, "", "", 1000))
    assert "tried 3 times: [Errno" in complaint(capsys, tmp_path)


def test_a_silently_truncated_transfer_is_a_damaged_archive(toys, capsys, tmp_path):
    """HTTP/1.0 without a length: the end of the connection is the end of the file."""

    def answer(request):
        request.send_response(200)
        request.end_headers()
        content = tar_of(LARGE)
        request.wfile.write(content[: len(content) // 2])

    toys(answer)
    assert "cannot be unpacked" in complaint(capsys, tmp_path)


def test_a_wrong_sha256_is_an_error(toys, capsys, tmp_path):
    archive = tar_of(PAIRED)
    toys(send(archive), sha256="0" * 64)
    line = complaint(capsys, tmp_path)
    assert f"has the SHA256 {sha256(archive)}, expected {'0' * 64}" in line


NO_ARCHIVES = {"nothing": b"", "a page": b"<html>Moved</html>", "zip's start": b"PK", "gzip's start": b"\x1f\x8b"}
NO_ARCHIVES |= {"an empty zip": zip_of({}), "an empty tar": tar_of({})}


@pytest.mark.parametrize("content", NO_ARCHIVES.values(), ids=NO_ARCHIVES)  # archives have no stable bytes for ids
def test_files_that_are_not_archives_of_pictures_are_an_error(toys, capsys, tmp_path, content):
    toys(send(content))
    complaint(capsys, tmp_path)


def test_an_archive_that_lacks_a_split_is_an_error(toys, capsys, tmp_path):
    toys(send(tar_of({"train/1.png": picture(1)})))
    assert "has no pictures in train, val; nothing was kept" in complaint(capsys, tmp_path)


# Where the interrupt strikes between opening a file and the `with` that closes it, Python tells of an open file.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_leaves_nothing(toys, capsys, tmp_path):
    def answer(request):
        hang_up(tar_of(LARGE))(request)
        os.kill(os.getpid(), signal.SIGINT)
        request.server.closing.wait(5)

    toys(answer)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the suite runs in the background
    try:
        assert run("download", "toys") == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == "\nStopped.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (tar_of({"train/1.png": picture(0, 500), "val/1.png": b"x"}), "the archive cannot be written: [Errno"),
        (zip_of({"train/1.png": bytes(1_500_000), "val/1.png": b"x"}), "cannot be unpacked ([Errno"),
    ],
    ids=["as it comes", "as it is unpacked"],
)
def test_no_room_to_write(toys, capsys, tmp_path, archive, message):
    """Uses a file size limit of the system, since a full disk, as below, needs root."""
    toys(send(archive))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        line = complaint(capsys, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert message in line


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (tar_of({"train/1.png": picture(0, 600), "val/1.png": b"x"}), "the archive cannot be written: [Errno 28]"),
        (zip_of({"train/1.png": bytes(1_500_000), "val/1.png": b"x"}), "cannot be unpacked ([Errno 28]"),
        (tar_of({f"train/{i}.png": picture(i, 130) for i in range(7)}), "cannot be unpacked ([Errno 28]"),
    ],
    ids=["as it comes", "as it is unpacked", "at the end"],
)
def test_a_full_disk(toys, capsys, small_disk, archive, message):
    disk = small_disk(1)
    toys(send(archive))
    assert run("download", "toys", "--output", disk) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert list(disk.iterdir()) == []


def test_a_folder_that_cannot_be_made(toys, capsys, tmp_path):
    toys(send(tar_of(PAIRED)))
    (tmp_path / "datasets").write_text("a file")
    assert run("download", "toys") == 2
    assert "folder 'datasets' cannot be written" in capsys.readouterr().err
    assert tree(tmp_path) == {"datasets": b"a file"}


def test_a_folder_that_appears_meanwhile_is_left_alone(toys, capsys, tmp_path):
    def answer(request):
        (tmp_path / "datasets" / "toys" / "mine").mkdir(parents=True)
        send(tar_of(PAIRED))(request)

    toys(answer)
    assert run("download", "toys") == 2
    assert "cannot be written" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "datasets").rglob("*")] == ["toys", "mine"]


# Asking:


def answering(monkeypatch, text, terminal=True):
    """Simulates a user who types this. Returns the questions."""
    asked = []
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(prompt) or sys.stdin.readline().strip())
    return asked


@pytest.mark.parametrize("size", [2_200_000_000, None])
def test_more_than_1_gb_needs_yes_without_a_terminal(toys, server, capsys, monkeypatch, tmp_path, size):
    answering(monkeypatch, "", terminal=False)
    toys(send(b"", length=2_200_000_000), size=size)
    assert "toys is 2.2 GB: add --yes to fetch it" in complaint(capsys, tmp_path)
    assert server.asked == ([] if size else ["HEAD /toys"])


def test_yes_skips_the_question(toys, monkeypatch, tmp_path):
    asked = answering(monkeypatch, "")
    toys(send(tar_of(PAIRED)), size=2_200_000_000)
    assert run("download", "toys", "--yes") == 0
    assert not asked and tree(tmp_path / "datasets" / "toys") == PAIRED


@pytest.mark.parametrize(("text", "goes_on"), [("y", True), ("YES", True), ("n", False), ("", False)])
def test_more_than_1_gb_asks_the_user(toys, server, capsys, monkeypatch, tmp_path, text, goes_on):
    asked = answering(monkeypatch, text)
    toys(send(tar_of(PAIRED)), size=2_200_000_000)
    assert run("download", "toys") == 0
    assert len(asked) == 1 and "toys is 2.2 GB" in asked[0]
    assert bool(server.asked) == (tmp_path / "datasets" / "toys").is_dir() == goes_on
    assert goes_on or capsys.readouterr().out == "Nothing done.\n"


def without_length(request):
    request.send_response(200)
    request.end_headers()


@pytest.mark.parametrize("answer", [without_length, send(b"", status=405)])
def test_an_unknown_size_asks_the_user(toys, monkeypatch, answer):
    asked = answering(monkeypatch, "n")
    toys(answer, size=None)
    assert run("download", "toys") == 0
    assert "toys is of unknown size" in asked[0]


def test_a_small_size_from_the_server_asks_nothing(toys, monkeypatch, tmp_path):
    asked = answering(monkeypatch, "")
    toys(send(tar_of(PAIRED)), size=None)
    assert run("download", "toys") == 0
    assert not asked and tree(tmp_path / "datasets" / "toys") == PAIRED


def test_a_server_that_does_not_answer_head_requests(toys, capsys, tmp_path):
    toys(stall(), size=None)
    assert "nothing came from the server for 0.4 seconds" in complaint(capsys, tmp_path)


# Hostile archives:


def odd_tar(name, kind=tarfile.REGTYPE, link="", size=0):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def odd_zip(name, kind=stat.S_IFREG):
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o644) << 16
    return info


OUTSIDE = ["../evil", "toys/../../evil", "/tmp/evil", "..\\evil", "C:\\evil", "C:evil", "\\\\host\\share\\evil"]
KINDS = {
    "symlink": odd_tar("toys/train/9.png", tarfile.SYMTYPE, "1.png"),
    "symlink to a folder outside": odd_tar("toys/train/out", tarfile.SYMTYPE, "/tmp"),
    "hard link": odd_tar("toys/train/9.png", tarfile.LNKTYPE, "toys/train/0.png"),
    "device": odd_tar("toys/train/null", tarfile.CHRTYPE),
    "block device": odd_tar("toys/train/disk", tarfile.BLKTYPE),
    "pipe": odd_tar("toys/train/pipe", tarfile.FIFOTYPE),
}


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_a_name_that_leads_out_is_an_error(toys, capsys, tmp_path, pack, name):
    toys(send(pack(PAIRED, "toys/", (odd_tar if pack is tar_of else odd_zip)(name))))
    assert f"a name that leads out of its folder: {name!r}" in complaint(capsys, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_or_a_device_in_a_tar_is_an_error(toys, capsys, tmp_path, kind):
    toys(send(tar_of(PAIRED, "toys/", KINDS[kind])))
    assert f"the archive has a link, a device or the like: {KINDS[kind].name!r}" in complaint(capsys, tmp_path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_a_link_or_a_device_in_a_zip_is_an_error(toys, capsys, tmp_path, kind):
    toys(send(zip_of(PAIRED, "toys/", odd_zip("toys/train/9.png", kind))))
    assert "the archive has a link, a device or the like: 'toys/train/9.png'" in complaint(capsys, tmp_path)


def test_one_name_twice_is_an_error(toys, capsys, tmp_path):
    toys(send(tar_of(PAIRED, "toys/", odd_tar("toys/train/0.png"))))
    assert "File exists" in complaint(capsys, tmp_path)


def header_of(size, kind=tarfile.REGTYPE):
    return odd_tar("toys/train/zeros.png", kind, size=size).tobuf(tarfile.GNU_FORMAT)


@functools.cache
def bomb(kind=tarfile.REGTYPE):
    """10 GB of zeros in a .tar.gz file, as repeated members of the gzip file."""
    return gzip.compress(header_of(10_000_000_000, kind)) + gzip.compress(bytes(20_000_000)) * 500


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_bomb_of_10_gb_in_a_tar_is_refused(tmp_path, kind, monkeypatch):
    """As a file, and as a header, which would be read into memory. Neither is unpacked beyond the limit."""
    monkeypatch.setattr(unpack, "MAX_EXTRA", 1_000_000)
    unpacked = []

    class Counted(gzip.GzipFile):
        def read(self, *size):
            piece = super().read(*size)
            unpacked.append(len(piece))
            return piece

    monkeypatch.setattr(gzip, "open", Counted)
    (tmp_path / "archive").write_bytes(bomb(kind))
    (tmp_path / "out").mkdir()
    with pytest.raises(BadValueError, match="unpacks to more than"):
        unpack.unpack(tmp_path / "archive", tmp_path / "out")
    assert 0 < sum(unpacked) <= 4 * len(bomb(kind)) + 1_000_000 + 2**20  # and one chunk more
    assert not tree(tmp_path / "out")


def test_a_bomb_of_many_files_in_a_tar_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "MAX_EXTRA", 1_000_000)
    (tmp_path / "archive").write_bytes(tar_of({f"train/{i}.png": b"" for i in range(5000)}))
    (tmp_path / "out").mkdir()
    with pytest.raises(BadValueError, match="unpacks to more than 1"):
        unpack.unpack(tmp_path / "archive", tmp_path / "out")
    assert len(tree(tmp_path / "out")) < 1000


def refusal_of(archive, tmp_path, monkeypatch):
    """The message for an archive that may unpack to a megabyte; the number of files and folders that it made."""
    monkeypatch.setattr(unpack, "MAX_EXTRA", 1_000_000)
    (tmp_path / "archive").write_bytes(archive)
    (tmp_path / "out").mkdir()
    with pytest.raises(BadValueError) as refused:
        unpack.unpack(tmp_path / "archive", tmp_path / "out")
    return str(refused.value), sum(1 for _ in (tmp_path / "out").rglob("*"))


@pytest.mark.parametrize("pack", [tar_of, zip_of])
@pytest.mark.parametrize("ending", ["", "/", "/x.png"])
def test_folders_in_names_count(tmp_path, monkeypatch, pack, ending):
    """Twenty in each name: 4 MB on the disk, of 20 kB."""
    names = ["/".join([str(i), *"abcdefghijklmnopqrs"]) + ending for i in range(50)]
    odd = (odd_tar if pack is tar_of else odd_zip)("x")
    archive = pack({}, "", *(namesake(odd, name, ending == "/") for name in names))
    message, made = refusal_of(archive, tmp_path, monkeypatch)
    assert "unpacks to more than" in message and made < 300


def namesake(info, name, is_folder):
    """A header like this one, with another name."""
    if isinstance(info, zipfile.ZipInfo):
        return odd_zip(name, stat.S_IFDIR if is_folder else stat.S_IFREG)
    return odd_tar(name.rstrip("/"), tarfile.DIRTYPE if is_folder else tarfile.REGTYPE)


@pytest.mark.parametrize("pack", [tar_of, zip_of])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a/" * 5000 + "x.png", "a name that is too long: 'a/a/"),
        ("a" * 2000, "a name that is too long: 'aaaa"),
        ("a\nerror: all is lost.png", "a name with control characters: 'a\\nerror"),
        ("a\x1b[2J.png", "a name with control characters: 'a\\x1b[2J"),
        ("a\x9b2J.png", "a name with control characters: 'a\\x9b2J"),
    ],
)
def test_names_that_no_picture_has_are_refused(tmp_path, monkeypatch, pack, name, message):
    odd = (odd_tar if pack is tar_of else odd_zip)(name)
    assert message in refusal_of(pack({}, "", odd), tmp_path, monkeypatch)[0]


@pytest.mark.parametrize("declared", [True, False])
def test_a_bomb_in_a_zip_is_refused(tmp_path, monkeypatch, declared):
    """With its true size in the header, and with a claimed size of 1000 bytes."""
    monkeypatch.setattr(unpack, "MAX_EXTRA", 1_000_000)
    content = zip_of({"train/1.png": bytes(20_000_000)})
    if not declared:
        assert content.count(struct.pack("<I", 20_000_000)) == 2
        content = content.replace(struct.pack("<I", 20_000_000), struct.pack("<I", 1000))
    (tmp_path / "archive").write_bytes(content)
    (tmp_path / "out").mkdir()
    with pytest.raises(BadValueError, match="unpacks to more than 1" if declared else "Bad CRC-32"):
        unpack.unpack(tmp_path / "archive", tmp_path / "out")
    assert sum(map(len, tree(tmp_path / "out").values())) <= 1000


def test_a_bomb_of_10_gb_from_a_server_leaves_nothing(toys, capsys, tmp_path):
    toys(send(bomb()))
    assert "unpacks to more than 3" in complaint(capsys, tmp_path)


def test_a_bomb_leaves_nothing(toys, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "MAX_EXTRA", 1_000_000)
    toys(send(tar_of(PAIRED, "toys/", odd_tar("toys/train/9.png", size=3_000_000))))
    assert "unpacks to more than 1 MB" in complaint(capsys, tmp_path)


@pytest.mark.parametrize("fault", ["truncated", "flipped"])
@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_damaged_archives_give_the_right_folder_or_an_error(toys, tmp_path, capsys, pack, fault):
    """70 of each, without a hash to detect them."""
    whole, rng, errors = pack(PAIRED), random.Random(0), 0
    for _ in range(70):
        damaged = bytearray(whole)
        if fault == "truncated":
            del damaged[rng.randrange(len(whole)) :]
        else:
            damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        toys(send(bytes(damaged)))
        target = tmp_path / "datasets" / "toys"
        try:
            assert download.download("toys") == target.relative_to(tmp_path)
        except (BadValueError, NotFoundError) as error:
            errors += 1
            assert str(error) and list(tmp_path.iterdir()) == []
        else:
            assert tree(tmp_path) == {f"datasets/toys/{name}": content for name, content in PAIRED.items()}
            for path in sorted((tmp_path / "datasets").rglob("*"), reverse=True):
                path.unlink() if path.is_file() else path.rmdir()
            (tmp_path / "datasets").rmdir()
    assert errors >= (65 if fault == "truncated" else 30)
    capsys.readouterr()


# The catalogue:


def test_names_and_archives_of_the_catalogue_are_all_different():
    assert len(CATALOGUE) == len(ENTRIES) == len({entry.url for entry in ENTRIES}) > 0
    for entry in ENTRIES:
        assert entry.url.startswith("http") and entry.terms and entry.sides
        assert entry.sha256 is None or (len(entry.sha256) == 64 and entry.size)
        assert entry.md5 is None or len(entry.md5) == 32
        assert entry.url.endswith((".tar.gz", ".zip"))  # the supported types


def test_the_list_has_every_data_set_with_its_size_and_terms(capsys):
    assert run("list") == 0
    text = capsys.readouterr().out
    for entry in ENTRIES:
        assert entry.name in text and entry.size_text in text and entry.terms in text
    assert "facades-unpaired and maps-unpaired" in text and "--direction BtoA" in text


@pytest.mark.parametrize(
    ("size", "about", "text"),
    [
        (2_200_000_000, True, "about 2.2 GB"),
        (116_867_962, False, "117 MB"),
        (10, False, "1 MB"),
        (None, False, "of unknown size"),
    ],
)
def test_sizes_are_rounded(size, about, text):
    assert Entry("toys", "", True, "", "", size, about).size_text == text


def test_a_name_that_is_not_in_the_catalogue(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = complaint(capsys, tmp_path, "download", "shoos")
    assert "no data set 'shoos' in the catalogue: available are facades, maps, edges2shoes" in line


@pytest.mark.parametrize(
    "find", [datasets.find, datasets.find_unpaired, find_pictures, find_labelled, lambda name: run("check", name)]
)
@pytest.mark.parametrize("name", ["facades", "horse2zebra"])
def test_a_missing_data_set_of_the_catalogue_says_how_to_get_it(find, name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    message = f"no (data set|folder) '{name}'.*: python -m keras_gan.datasets download {name} fetches it"
    if find.__name__ == "<lambda>":
        assert find(name) == 2
        assert f"python -m keras_gan.datasets download {name} fetches it" in capsys.readouterr().err
    else:
        with pytest.raises(FileNotFoundError, match=message):
            find(name)


def test_gray2colour_of_a_missing_data_set_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="python -m keras_gan.datasets download monet2photo fetches it"):
        datasets.find_unpaired("gray2colour:monet2photo")


def test_a_closed_pipe_is_no_error():
    ours, theirs = os.pipe()
    os.close(ours)
    command = [sys.executable, "-m", "keras_gan.datasets", "list"]
    done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(theirs)
    assert (done.returncode, done.stderr) == (0, "")


def test_list_and_errors_need_no_keras(tmp_path):
    commands = ["list"], ["download", "edges2shoes"], ["download", "nowhere"]
    codes, _, errors = datasets_without_frameworks(tmp_path, *commands)
    assert codes == [0, 2, 2]
    assert ["--yes" in errors[0], "'nowhere'" in errors[1]] == [True, True] and len(errors) == 2
