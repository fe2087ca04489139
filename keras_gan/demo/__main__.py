"""A web page to try a trained generator: draw, upload or photograph, and see the output.

    python -m keras_gan.demo                           draw a shoe, and colour it with a stroke
    python -m keras_gan.demo runs/cyclegan-NAME-1      a run, both directions; DCGAN, GAN, CGAN: sliders, walks, labels
    python -m keras_gan.demo generator.keras           a generator's file

The page is served to this computer only, unless --host is given. Uploads stay in memory; no file is written.
"""

import contextlib
from pathlib import Path
from typing import Any

from keras_gan import console, generators
from keras_gan.errors import BadValueError

BUNDLED = Path(__file__).with_name("shoes.keras")
PORT = 8000


def main(argv: list[str] | None = None) -> None:
    parser = console.Parser.of("keras_gan.demo", __doc__, epilog='Needs the extra "demo".')
    parser.add_argument("model", metavar="MODEL", nargs="?", help="a .keras file or a run's folder (default: shoes)")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="0.0.0.0: for the whole network")
    parser.add_argument("--port", type=int, default=PORT, metavar="N", help=f"0: any free port (default: {PORT})")
    arguments = parser.parse_args(argv)
    with console.one_line_errors():
        console.check_packages("the demo", ("starlette", "uvicorn"), "demo")
        found = opened(arguments.model)
        serve(found, arguments.host, arguments.port, {"bundled": arguments.model is None})


def opened(model: str | Path | None = None) -> dict[str | None, generators.Generator]:
    """Opens the generators of a page, by direction; see `keras_gan.demo.server.app_of`.

    Args:
        model: a `.keras` file, or the folder of a run (all its generators); None: the bundled generator.

    Raises:
        NotFoundError: (a FileNotFoundError) if the model does not exist.
        BadValueError: (a ValueError) if it is not a generator, or its pictures do not have 1 or 3 channels.
    """
    path = BUNDLED if model is None else Path(model)
    if path.is_dir():
        generators.locate(path, next(iter(generators.generators_of(path)), None))
        found = {way: generators.find(path, way) for way in generators.generators_of(path)}
    else:
        found = {None: generators.find(path)}
    for generator in found.values():
        if not {generator.shape[2], generator.out_shape[2]} <= {1, 3}:
            channels = f"{generator.shape[2]} to {generator.out_shape[2]}"
            raise BadValueError(f"{generator.title} maps {channels} channels: the page supports 1 or 3.")
    return found


def serve(found: dict[str | None, generators.Generator], host: str, port: int, about: dict[str, Any]) -> None:
    """Serves the page until Ctrl-C; prints its address when it is ready.

    Raises:
        BadValueError: if the address is not available.
    """
    import socket

    import uvicorn

    from keras_gan.demo.server import app_of, is_loopback
    from keras_gan.export import examples

    for generator in found.values():
        generator(*examples(generator, 1))  # warm-up: the first call is slow
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadValueError(f"cannot serve at {host} port {port}: {reason}. Name another --port.") from error
    with listening:
        address = f"[{host}]" if ":" in host else host
        print(f"http://{address}:{listening.getsockname()[1]}  (Ctrl-C to stop)", flush=True)
        if not is_loopback(host):
            print("Anyone who can reach this computer can use the page: no password, no encryption.", flush=True)
        options: dict[str, Any] = {"log_level": "warning", "access_log": False, "server_header": False}
        options |= {"lifespan": "off", "limit_concurrency": 200, "timeout_keep_alive": 5, "ws": "none", "http": "h11"}
        config = uvicorn.Config(app_of(found, host, about), **options)
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
