"""A web page to try a trained generator: draw, upload or photograph, and see the output.

    python -m keras_gan.demo                           draw a shoe, and colour it with a stroke
    python -m keras_gan.demo runs/cyclegan-NAME-1      a run, both directions; DCGAN, GAN, CGAN: sliders, walks, labels
    python -m keras_gan.demo RUN@best                  its best networks; RUN@12: those of epoch 12
    python -m keras_gan.demo generator.keras           a generator's file

The page is served to this computer only, unless --host is given. Uploads stay in memory; no file is written.
"""

import contextlib
import errno
import multiprocessing
import os
import socket
from pathlib import Path
from typing import Any

from keras_gan import console, generators
from keras_gan.errors import BadValueError

BUNDLED = Path(__file__).with_name("shoes.keras")
PORT = 8000
#: Where a browser on this computer finds a page that is served at all addresses.
OPENED_AS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def main(argv: list[str] | None = None) -> None:
    parser = console.Parser.of("keras_gan.demo", __doc__, epilog='Needs the extra "demo".')
    parser.add_argument("model", metavar="MODEL", nargs="?", help="a .keras file or a run (default: shoes)")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="0.0.0.0: for the whole network")
    parser.add_argument("--port", type=int, default=PORT, metavar="N", help=f"0: any free port (default: {PORT})")
    arguments = parser.parse_args(argv)
    with console.one_line_errors():
        console.check_packages("the demo", ("starlette", "uvicorn"), "demo")
        with listening_at(arguments.host, arguments.port) as listening:
            serve(opened(arguments.model), listening, {"bundled": arguments.model is None})


def opened(model: str | Path | None = None) -> dict[str | None, generators.Generator]:
    """Opens the generators of a page, by direction; see `keras_gan.demo.server.app_of`.

    Args:
        model: a `.keras` file, or a run (all its generators), RUN@best, RUN@12 or a checkpoint's folder; None: the
            bundled generator.

    Raises:
        NotFoundError: (a FileNotFoundError) if the model does not exist.
        BadValueError: (a ValueError) if it is not a generator, or its pictures do not have 1 or 3 channels.
    """
    path = BUNDLED if model is None else Path(model)
    generators.locate(path)
    ways = [None] if path.is_file() else list(generators.generators_of(path))
    found = {way: generators.find(path, way) for way in ways}
    for generator in found.values():
        if not {generator.shape[2], generator.out_shape[2]} <= {1, 3}:
            channels = f"{generator.shape[2]} to {generator.out_shape[2]}"
            raise BadValueError(f"{generator.title} maps {channels} channels: the page supports 1 or 3.")
    return found


def serve(found: dict[str | None, generators.Generator], listening: socket.socket, about: dict[str, Any]) -> None:
    """Serves the page until Ctrl-C; prints its address when it is ready."""
    from keras_gan.demo.connections import server_of
    from keras_gan.demo.server import Queue, Reader, app_of, is_loopback
    from keras_gan.export import examples

    for generator in found.values():
        generator(*examples(generator, 1))  # warm-up: the first call is slow
    queue, reader = Queue(), Reader()
    reader.start()
    address, port = listening.getsockname()[:2]
    here = OPENED_AS.get(address, address)
    print(f"http://{f'[{here}]' if ':' in here else here}:{port}  (Ctrl-C to stop)", flush=True)
    if not is_loopback(address):
        print("Anyone who can reach this computer can use the page: no password, no encryption.", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server_of(app_of(found, address, about, queue, reader)).run(sockets=[listening])
    if queue.stop() | reader.queue.stop():
        for process in multiprocessing.active_children():
            process.kill()
        os._exit(0)  # Python would wait for work whose answer nobody gets


def listening_at(host: str, port: int) -> socket.socket:
    """A socket that listens at an address, or at any free port for port 0; BadValueError if that is not possible."""
    if not host:
        raise BadValueError("--host is empty: name an address, such as 127.0.0.1, or 0.0.0.0 for the whole network.")
    if not 0 <= port < 2**16:
        raise BadValueError(f"--port {port} is not a port: name one below 65536, or 0 for any free one.")
    other = "--host"
    try:
        family, *_, address = min(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), key=lambda found: found[0])
        other = "--port"
        return socket.create_server(address[:2], family=family)
    except (OSError, ValueError) as error:  # ValueError: what no name can hold
        other = "--host" if getattr(error, "errno", None) == errno.EADDRNOTAVAIL else other
        reason = getattr(error, "strerror", None) or error
        raise BadValueError(f"cannot serve at {host} port {port}: {reason}. Name another {other}.") from error


if __name__ == "__main__":
    main()
