"""What a hostile client can send: pictures that take hours, silence, requests of other pages, odd addresses."""

import contextlib
import functools
import io
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

import numpy as np
import pytest
from PIL import Image
from support.serving import ask, joined, served
from support.waiting import line_from

from keras_gan.errors import BadValueError

pytest.importorskip("uvicorn", reason="needs the extra demo")
pytest.importorskip("starlette", reason="needs the extra demo")

from keras_gan.demo import __main__ as demo
from keras_gan.demo import connections, decoding, server, uploads


def png(side=8):
    file = io.BytesIO()
    Image.new("RGB", (side, side)).save(file, "PNG")
    return file.getvalue()


@functools.cache
def endless(scans=50, side=5600):
    """A progressive JPEG that repeats its last, empty scan: seconds of work."""
    file = io.BytesIO()
    Image.new("L", (side, side), 128).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    return data[:-2] + data[data.rfind(b"\xff\xda") : -2] * scans + data[-2:]


class Same:
    """A generator that returns its inputs."""

    kind, name, shape, out_shape, value_range, fit = "translation", "same", (8, 8, 3), (8, 8, 3), (-1, 1), "resize"
    latent_dim, classes, preparation = None, 0, None

    def __call__(self, images):
        return images


@pytest.fixture(scope="module")
def reader():
    """A `Reader` with two processes that are ready."""
    reader = server.Reader()
    for started in [reader.queue.worker.submit(reader.decode, png(), (8, 8, 3), "resize") for _ in range(2)]:
        started.result(60)
    return reader


@pytest.fixture(scope="module")
def page(reader):
    """The address of a page with `Same`."""
    with served({None: Same()}, reader=reader) as address:
        yield address


def test_a_picture_that_takes_too_long_is_refused_and_others_are_served_meanwhile(page, reader, monkeypatch):
    answers, picture = [], endless()
    thread = threading.Thread(target=lambda: answers.append(ask(page, "translate/only", picture)))
    thread.start()
    meanwhile = [ask(page, "translate/only", png())[0]]
    assert not answers  # it was still at work
    monkeypatch.setattr(reader.decode, "seconds", 0)
    joined([thread], "the picture kept the server busy")
    assert answers[0][:2] == (422, b"This picture takes too long to decode.")
    monkeypatch.undo()
    assert meanwhile + [ask(page, "translate/only", png())[0]] == [200, 200]


def test_a_picture_with_thousands_of_scans_is_refused_at_once():
    with pytest.raises(BadValueError, match="too many scans: at most 64"):
        uploads.decoded(endless(5000, 64), (8, 8, 3), "resize")
    assert uploads.decoded(endless(10, 64), (8, 8, 3), "resize").shape == (8, 8, 3)


def test_a_process_that_ends_is_replaced():
    decode = decoding.Decoder()
    for _ in range(2):
        assert decode(png(), (8, 8, 3), "resize").shape == (8, 8, 3)
        decode.mine.worker.process.kill()
        decode.mine.worker.process.join(60)
    with pytest.raises(decoding.TooSlowError):
        decoding.Decoder(in_turn=0)(endless(), (8, 8, 3), "resize", lambda: True)


@pytest.mark.skipif(decoding.resource is None, reason="Windows has no such limits")
def test_a_process_has_a_limit_of_time_and_memory():
    limits = "import resource; print(*(resource.getrlimit(x)[0] for x in (resource.RLIMIT_CPU, resource.RLIMIT_AS)))"
    script = f"from keras_gan.demo import decoding as d; d.limit_time(); d.limit_memory(); {limits}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    seconds, size = map(int, done.stdout.split())
    assert decoding.CPU_SECONDS <= seconds < 60 and (decoding.MEMORY < size < 2**35 or not decoding.STATUS.exists())


def here(page):
    return urllib.parse.urlsplit(page).netloc


ELSEWHERE = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
]


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_pages_of_other_origins_are_refused(page, headers):
    assert ask(page, "translate/only", png(), **headers)[:2] == (403, b"Only the page itself may send this.")


def test_the_page_itself_and_programs_are_answered(page):
    for headers in ({"Origin": f"http://{here(page)}", "Sec_Fetch_Site": "same-origin"}, {}):
        assert ask(page, "translate/only", png(), **headers)[0] == 200


def test_connections_that_send_nothing_or_too_slowly_give_way(page, monkeypatch):
    monkeypatch.setattr(connections, "MOST", 4)
    address, start = urllib.parse.urlsplit(page), f"POST /translate/only HTTP/1.1\r\nHost: {here(page)}\r\n"
    sent = (
        "",
        "GET",
        start,
        start + "Content-Length: 99\r\n\r\n12",
        "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n",
    )
    silent = [socket.create_connection((address.hostname, address.port), 60) for _ in range(3) for _ in sent]
    for connection, begin in zip(silent, sent * 3, strict=True):
        connection.sendall(begin.encode())
    assert ask(page, "translate/only", png())[0] == 200
    closed = [has_ended(connection, 0) for connection in silent]
    assert sum(closed) >= len(silent) - 4
    for connection in silent:
        connection.close()


def test_a_silent_connection_is_closed_after_a_while(monkeypatch):
    monkeypatch.setattr(connections, "SECONDS_OF_SILENCE", 0.1)
    with served({None: Same()}) as page:
        address = urllib.parse.urlsplit(page)
        for begin in (b"", b"GET / HT", b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\nGET"):
            with socket.create_connection((address.hostname, address.port), 60) as connection:
                connection.sendall(begin)
                assert has_ended(connection, 30)


def has_ended(connection, seconds):
    """Whether the other side closes a connection within this time."""
    connection.settimeout(seconds)
    try:
        while connection.recv(2**16):
            pass
    except (TimeoutError, BlockingIOError):
        return False
    except ConnectionError:
        pass
    return True


def test_few_large_bodies_are_held_at_a_time(page, monkeypatch):
    monkeypatch.setattr(server, "SMALL", 10)
    monkeypatch.setattr(server, "MOST_LARGE", 0)
    assert ask(page, "translate/only", png())[:2] == (503, b"The server is busy. Try again in a moment.")
    assert ask(page, "translate/only", b"")[0] == 422


HEAD = "POST /translate/only HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n"
SLEEPING = """
import sys, time
sys.path[:0] = {path}
from test_hostile import Same, demo
class Sleeping(Same):
    warm = False
    def __call__(self, images):
        time.sleep(600 * self.warm)
        self.warm = True
        return images
if __name__ == "__main__":
    with demo.listening_at("127.0.0.1", 0) as listening:
        demo.serve({{None: Sleeping()}}, listening, {{}})
"""


def test_the_first_ctrl_c_ends_it_while_it_translates_and_decodes(tmp_path):
    (tmp_path / "sleeping.py").write_text(SLEEPING.format(path=[path for path in sys.path if "tests" in path]))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, tmp_path / "sleeping.py"], start_new_session=True, **pipes) as process:
        try:
            address = urllib.parse.urlsplit(line_from(process).split()[0])
            with contextlib.ExitStack() as opened:
                for picture in (png(), endless()):
                    connection = socket.create_connection((address.hostname, address.port))
                    opened.enter_context(connection).sendall(HEAD.format(len(picture)).encode() + picture)
                time.sleep(0.3)
                process.send_signal(signal.SIGINT)
                errors = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("", 0, "--host is empty"),
        ("nowhere.invalid", 0, "cannot serve at nowhere.invalid port 0: .* Name another --host."),
        ("a..b", 0, "cannot serve at a..b port 0: .* Name another --host."),
        ("192.0.2.1", 0, "cannot serve at 192.0.2.1 port 0: .* Name another --host."),
        ("127.0.0.1", 99999, "--port 99999 is not a port"),
        ("127.0.0.1", -1, "--port -1 is not a port"),
    ],
)
def test_impossible_addresses_are_refused(host, port, message):
    with pytest.raises(BadValueError, match=message):
        demo.listening_at(host, port)


@pytest.mark.parametrize("host", ["127.0.0.2", "localhost", "127.1", "0.0.0.0", "::1"])
def test_the_address_that_is_served_is_answered(host, monkeypatch):
    if host == "::1":  # not every machine has it
        monkeypatch.setattr(socket, "create_server", lambda address, family: socket.socket(family))
        monkeypatch.setattr(socket.socket, "getsockname", lambda self: ("::1", 80, 0, 0))
    with demo.listening_at(host, 0) as listening:
        address = listening.getsockname()[0]
    assert server.is_loopback(address) == (host != "0.0.0.0")
    names = server.names_of(address)
    assert names == ["*"] if host == "0.0.0.0" else {address, "localhost"} <= {*names}


def test_pixels_survive_the_way_through_the_process():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 6, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    np.testing.assert_array_equal(decoding.Decoder()(file.getvalue(), pixels.shape, "resize"), pixels)
