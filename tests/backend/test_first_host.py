"""The way to the first host: what it says passes both ways, and its end ends this process, unless this one left."""

import contextlib
import socket
import threading
import time

import pytest

from keras_gan.backend import jax_first_host
from keras_gan.backend.jax_first_host import ended_by, way_to
from keras_gan.errors import LostHostError


@pytest.fixture
def lost(monkeypatch):
    """Set when the process would end."""
    monkeypatch.setattr(jax_first_host, "GRACE", 0.3)
    monkeypatch.setattr(jax_first_host, "TRYING", 0.3)
    found = threading.Event()
    with ended_by(found.set):
        yield found


@pytest.fixture
def first():
    """A socket that listens, as the first host does."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(20)
        yield door
    time.sleep(0.1)  # threads close their sockets


def joined(first):
    """(this end of a way to the first host, its end)."""
    host, _, port = way_to(*first.getsockname()).partition(":")
    here = socket.create_connection((host, int(port)), timeout=20)
    there, _ = first.accept()
    there.settimeout(20)
    return here, there


def test_all_bytes_pass_both_ways(first, lost):
    here, there = joined(first)
    sent = bytes(range(256)) * 4000
    with here, there:
        for source, target in ((here, there), (there, here)):
            threading.Thread(target=source.sendall, args=(sent,), daemon=True).start()
            received = b""
            while len(received) < len(sent):
                received += target.recv(2**16)
            assert received == sent
    assert not lost.is_set()


def test_the_end_of_the_first_host_ends_this_process_and_jax_does_not_see_it(first, lost):
    here, there = joined(first)
    there.close()
    assert lost.wait(20)
    with here, contextlib.suppress(ConnectionError):
        here.sendall(b"a sign of life")  # JAX would abort the process before


def test_while_the_process_ends_the_connection_stays_open(first, monkeypatch):
    monkeypatch.setattr(jax_first_host, "GRACE", 0.0)
    ending, is_over = threading.Event(), threading.Event()

    def end():
        ending.set()
        is_over.wait(20)

    with ended_by(end):
        here, there = joined(first)
        there.close()
        assert ending.wait(20)
        here.settimeout(0.2)
        with here, pytest.raises(TimeoutError):
            here.recv(1)
        is_over.set()


def test_a_connection_that_jax_closes_is_no_loss(first, lost):
    here, there = joined(first)
    here.close()
    assert there.recv(1) == b""
    there.close()
    time.sleep(1)
    assert not lost.is_set()


def test_a_first_host_that_does_not_answer_any_more_is_lost(first, lost):
    host, _, port = way_to(*first.getsockname()).partition(":")
    first.close()
    with socket.create_connection((host, int(port))):
        assert lost.wait(20)


def test_one_line_tells(monkeypatch, capsys):
    codes = []
    monkeypatch.setattr(jax_first_host.os, "_exit", codes.append)
    jax_first_host.end()
    assert codes == [2] and capsys.readouterr().err == "error: the first host has stopped: start all of them again.\n"


def test_errors_of_the_connection_before_training_are_one_line(monkeypatch):
    from keras_gan import backend
    from keras_gan.training.hosts import explained_before_training

    gone = ValueError("UNKNOWN: Gloo AllGather failed: Connection closed by peer")
    for count, expected in ((2, LostHostError), (1, ValueError)):
        monkeypatch.setattr(backend, "hosts", lambda count=count: (1, count))
        with pytest.raises(expected), explained_before_training():
            raise gone
    with pytest.raises(KeyError), explained_before_training():
        raise KeyError("a")
