"""Serves the page of `keras_gan.demo` from a thread of this process."""

import contextlib
import http.client
import socket
import threading
import urllib.parse


@contextlib.contextmanager
def served(found, **options):
    """Serves a page in a context; yields its address.

    Args:
        found, options: arguments of `keras_gan.demo.server.app_of`: generators by direction, and options.
    """
    from keras_gan.demo.connections import server_of
    from keras_gan.demo.server import app_of

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = server_of(app_of(found, **options))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = True
            joined([thread], "the server did not stop when told to")


def joined(threads, otherwise, seconds=60):
    """Waits for threads to end; raises AssertionError with this message if one does not end in time."""
    for thread in threads:
        thread.join(seconds)
        assert not thread.is_alive(), f"{otherwise}, for more than {seconds} s"


def ask(address, path="", body=None, method="POST", **headers):
    """(status, body, headers) of a server's answer."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(address).netloc, timeout=60)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, f"/{path}", body, headers)
    response = connection.getresponse()
    found = response.status, response.read(), response.headers
    connection.close()
    return found
