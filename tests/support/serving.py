"""Serving the page of `keras_gan.demo` from a thread of this process."""

import contextlib
import http.client
import socket
import threading
import urllib.parse


@contextlib.contextmanager
def served(found, **options):
    """The address of a page, while the block runs.

    Args:
        found: generators by direction, and more options, as `keras_gan.demo.server.app_of` takes them.
    """
    import uvicorn

    from keras_gan.demo.server import app_of

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app_of(found, **options), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = True
            joined([thread], "the server went on after it was told to end")


def joined(threads, otherwise, seconds=60):
    """Waits for threads to end; AssertionError with this message where one does not in so many seconds."""
    for thread in threads:
        thread.join(seconds)
        assert not thread.is_alive(), f"{otherwise}, for more than {seconds} s"


def ask(address, path="", body=None, method="POST", **headers):
    """(status, body, headers) of what a server answers."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(address).netloc, timeout=60)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, f"/{path}", body, headers)
    response = connection.getresponse()
    found = response.status, response.read(), response.headers
    connection.close()
    return found
