"""A page to try a trained generator on: draw, upload or use the camera, and see what it makes of it.

    python -m keras_gan.demo                           draw a shoe; a stroke of colour in it colours it
    python -m keras_gan.demo runs/cyclegan-NAME-1      a run, both ways; of DCGAN, GAN and CGAN: sliders, walks, labels
    python -m keras_gan.demo generator.keras           by a file alone

The page is for this computer alone unless --host says otherwise. What is drawn stays in memory; nothing is written.
"""

import contextlib
import importlib.util
from pathlib import Path

from keras_gan import console, generators
from keras_gan.errors import BadValueError

BUNDLED = Path(__file__).with_name("shoes.keras")
PORT = 8000


def main(argv=None):
    parser = console.Parser.of("keras_gan.demo", __doc__, epilog='Needs the extra "demo".')
    parser.add_argument("model", metavar="MODEL", nargs="?", help="a .keras file or a run's folder; default: shoes")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="0.0.0.0: for all who reach it")
    parser.add_argument("--port", type=int, default=PORT, metavar="N", help=f"0: any that is free (default: {PORT})")
    arguments = parser.parse_args(argv)
    with console.one_line_errors():
        check_packages()
        found = opened(arguments.model)
        serve(found, arguments.host, arguments.port, {"bundled": arguments.model is None})


def check_packages():
    """Raises BadValueError if a package of the extra is missing."""
    for package in ("starlette", "uvicorn"):
        if importlib.util.find_spec(package) is None:
            raise BadValueError(
                f'the demo needs the package {package}: python -m pip install "keras-gan[demo]", '
                'or ".[demo]" in a clone.'
            )


def opened(model=None):
    """The generators that a page is to use, by direction, as `keras_gan.demo.server.app_of` takes them.

    Args:
        model: a `.keras` file or the folder of a run, of which all generators are opened; None: the bundled one.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no such model.
        BadValueError: (a ValueError) if it is no generator, or its pictures have other channels than 1 or 3.
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
            raise BadValueError(f"{generator.title} makes pictures of {channels} channels: a page shows 1 or 3.")
    return found


def serve(found, host, port, about):
    """Serves the page until Ctrl-C; prints its address when it answers.

    Raises:
        BadValueError: if the address cannot be had.
    """
    import socket

    import uvicorn

    from keras_gan.demo.server import app_of, is_loopback
    from keras_gan.export import examples

    for generator in found.values():
        generator(*examples(generator, 1))  # the first time takes long
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadValueError(f"cannot serve at {host} port {port}: {reason}. Name another --port.") from error
    with listening:
        address = f"[{host}]" if ":" in host else host
        print(f"http://{address}:{listening.getsockname()[1]}  (Ctrl-C ends it)", flush=True)
        if not is_loopback(host):
            print("Whoever reaches this computer can use it; there is no password and no encryption.", flush=True)
        options = {"log_level": "warning", "access_log": False, "server_header": False, "lifespan": "off"}
        options |= {"limit_concurrency": 200, "timeout_keep_alive": 5, "ws": "none", "http": "h11"}
        config = uvicorn.Config(app_of(found, host, about), **options)
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
