"""The web application of the page. One request at a time runs on the network; others wait, or get status 503.

Uploads stay in memory. The server writes no file, makes no outgoing connection and keeps no log.
"""

import asyncio
import concurrent.futures
import contextlib
import io
import ipaddress
import json
import secrets
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from keras_gan.demo import decoding, uploads
from keras_gan.errors import BadValueError
from keras_gan.images.grids import pixels
from keras_gan.images.pixels import scale

PAGE = Path(__file__).with_name("page.html")
LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "::1"]
MOST_WAITING = 16  # requests, including the running one
SECONDS = 10  # time limit of decoding and of the network, each with waiting, and of an upload
SMALL, MOST_LARGE = 2**20, 8  # bytes of an upload, and the number of larger ones that may arrive at a time
NUMBERS = "application/x-npy"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Queue:
    """A bounded queue of work for a few threads.

    Args:
        most: maximum number of requests, including running ones.
        seconds: time limit of a request, including waiting.
        threads: maximum number of running requests.
    """

    def __init__(self, most: int = MOST_WAITING, seconds: float = SECONDS, threads: int = 1) -> None:
        self.most, self.seconds, self.threads, self.waiting = most, seconds, threads, 0
        self.worker = concurrent.futures.ThreadPoolExecutor(threads)

    async def run(self, work: Callable, *arguments: Any) -> Any:
        """Returns `work(*arguments)`; HTTPException 503 if the queue is full or the time limit is exceeded."""
        if self.waiting >= self.most:
            raise wait("The server is busy.")
        self.waiting += 1
        loop = asyncio.get_running_loop()
        future = self.worker.submit(work, *arguments)
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self.leave))  # immediately if already done
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self.seconds)
        except TimeoutError:
            raise wait("That took too long.") from None

    @property
    def is_full(self) -> bool:
        """Whether requests wait for a thread."""
        return self.waiting > self.threads

    def stop(self) -> bool:
        """Drops waiting requests; returns whether one is running."""
        self.worker.shutdown(wait=False, cancel_futures=True)
        return self.waiting > 0

    def leave(self) -> None:
        """Counts a request that is finished or was cancelled while waiting."""
        self.waiting -= 1


def wait(message: str) -> HTTPException:
    return HTTPException(503, f"{message} Try again in a moment.", {"Retry-After": "1"})


class Reader:
    """Decodes uploads in processes of their own, in turn; see `keras_gan.demo.decoding`."""

    def __init__(self) -> None:
        self.decode, self.queue = decoding.Decoder(), Queue(threads=decoding.PROCESSES)

    def start(self) -> None:
        """Starts a process before the first picture comes, and waits for it."""
        with contextlib.suppress(BadValueError):
            self.queue.worker.submit(self.decode, b"", (2, 2, 3), "resize").result()

    async def __call__(self, data: bytes, generator: Any) -> np.ndarray:
        """A picture as a generator takes it, uint8 (height, width, channels): photos are prepared as in training.

        Raises:
            BadValueError: if the data are no picture, damaged or too large.
            HTTPException: 503 if there are too many requests, 422 if it takes too long without them.
        """
        try:
            how = generator.shape, generator.fit, lambda: self.queue.is_full, generator.preparation
            return await self.queue.run(self.decode, data, *how)
        except decoding.TooSlowError as error:
            if error.in_turn:
                raise wait("The server is busy.") from None
            raise HTTPException(422, "This picture takes too long to decode.") from None


def app_of(
    generators: dict, host: str = "127.0.0.1", about: dict | None = None, queue: Any = None, reader: Any = None
) -> Starlette:
    """The web application.

    Args:
        generators: {"AtoB": `keras_gan.generators.Generator`, ...}; {None: generator} for a single one.
        host: the address to serve at, as a number; a loopback address accepts only loopback host names.
        about: additional facts for the page.
        queue: a `Queue` for the networks; None: a new one.
        reader: a `Reader`; None: a new one.
    """
    by_way = {way or "only": generator for way, generator in generators.items()}
    first, queue, reader, bodies = next(iter(by_way.values())), queue or Queue(), reader or Reader(), Bodies()
    facts = json.dumps((about or {}) | page_facts(by_way, first)).replace("<", "\\u003c")
    template = PAGE.read_text(encoding="utf-8")

    async def page(request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        policy = f"default-src 'none'; connect-src 'self'; img-src 'self' blob: data:; media-src blob:; \
style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        text = template.replace("{{nonce}}", nonce).replace("{{facts}}", facts)
        return HTMLResponse(text, headers=HEADERS | {"Content-Security-Policy": policy})

    async def read(request: Request) -> tuple[Any, np.ndarray]:
        generator = by_way.get(request.path_params["way"])
        if generator is None or generator.kind != "translation":
            raise HTTPException(404, "No such generator.")
        return generator, await reader(await bodies.read(request, uploads.BYTES), generator)

    async def translate(request: Request) -> Response:
        generator, image = await read(request)
        return await answered(request, generator, [scale(image[np.newaxis], generator.value_range)])

    async def prepare(request: Request) -> Response:
        return as_png((await read(request))[1])

    async def make(request: Request) -> Response:
        if first.kind == "translation":
            raise HTTPException(404, "This generator does not take noise.")
        data = await bodies.read(request, uploads.bytes_of_codes(first))
        return await answered(request, first, uploads.read_codes(data, first))

    async def answered(request: Request, generator: Any, inputs: list[np.ndarray]) -> Response:
        as_numbers = request.headers.get("accept") == NUMBERS
        return await queue.run(answer, generator, inputs, as_numbers)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/translate/{way}", translate, methods=["POST"]),
            Route("/prepare/{way}", prepare, methods=["POST"]),
            Route("/make", make, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=names_of(host), www_redirect=False)],
        exception_handlers={HTTPException: refusal, BadValueError: bad_value, ClientDisconnect: gone},
    )


def names_of(address: str) -> list[str]:
    """The host names that requests to an address may have; "*" stands for all."""
    return [*LOOPBACK, address, f"[{address}]"] if is_loopback(address) else ["*"]


def is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def page_facts(by_way: dict, first: Any) -> dict[str, Any]:
    """The facts about the generators for the page, JSON-serialisable."""
    return {
        "kind": first.kind,
        "name": first.name,
        "ways": list(by_way),
        "prepared": {way: generator.preparation.kind for way, generator in by_way.items() if generator.preparation},
        "shape": first.shape,
        "outShape": first.out_shape,
        "latentDim": first.latent_dim,
        "classes": first.classes,
        "mostCodes": uploads.MOST_CODES,
        "mostBytes": uploads.BYTES,
        "formats": [f"image/{name.lower()}" for name in uploads.FORMATS],
    }


def check_origin(request: Request) -> None:
    """HTTPException 403 if a browser sends the request for a page of another origin."""
    sites, origins = request.headers.getlist("sec-fetch-site"), request.headers.getlist("origin")
    here = request.headers.get("host", "").lower()
    is_ours = all(urllib.parse.urlsplit(origin.lower()).netloc == here for origin in origins)
    if not is_ours or not {*sites} <= {"same-origin", "none"}:
        raise HTTPException(403, "Only the page itself may send this.")


class Bodies:
    """Reads the bodies of requests."""

    def __init__(self) -> None:
        self.large = 0  # those of more than `SMALL` bytes that arrive now

    async def read(self, request: Request, most: int) -> bytes:
        """The body of a request of this page.

        Raises:
            HTTPException: if another page sends it; if it is too large or too slow; 503 if many large ones arrive.
        """
        check_origin(request)
        body = bytearray()
        try:
            await asyncio.wait_for(self.receive(request, body, most), SECONDS)
        except asyncio.TimeoutError:  # noqa: UP041 (as above)
            raise HTTPException(408, "The upload took too long.") from None
        finally:
            self.large -= len(body) > SMALL
        return bytes(body)

    async def receive(self, request: Request, body: bytearray, most: int) -> None:
        length, size = 0, f"{most >> 20} MB" if most >> 20 else f"{most} bytes"
        too_long = HTTPException(413, f"This file is too large: at most {size}.")
        async for chunk in request.stream():  # to the end: browsers read no response while sending
            length += len(chunk)
            if length > 8 * uploads.BYTES:
                raise too_long
            if length > most:
                continue
            if len(body) <= SMALL < len(body) + len(chunk):
                if self.large >= MOST_LARGE:
                    raise wait("The server is busy.")
                self.large += 1
            body += chunk
        if length > most:
            raise too_long


def answer(generator: Any, inputs: list[np.ndarray], as_numbers: bool) -> Response:
    """The response to a request: pictures side by side as PNG, or float32 in the value range as .npy."""
    images, file = generator(*inputs), io.BytesIO()
    if not as_numbers:
        return as_png(np.hstack(list(pixels(images, generator.value_range))))
    np.save(file, images)
    return Response(file.getvalue(), media_type=NUMBERS, headers=HEADERS)


def as_png(image: np.ndarray) -> Response:
    """uint8 pixels (height, width, 1 or 3) as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(image if image.shape[2] == 3 else image[..., 0]).save(file, "PNG", compress_level=1)
    return Response(file.getvalue(), media_type="image/png", headers=HEADERS)


async def refusal(request: Request, error: Any) -> Response:
    # Closes the connection: the unread rest of the body would be parsed as the next request
    headers = HEADERS | {"Connection": "close"} | dict(error.headers or {})
    return PlainTextResponse(error.detail, error.status_code, headers)


async def bad_value(request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 422, HEADERS)


async def gone(request: Request, error: Exception) -> Response:
    return Response(status_code=400)
