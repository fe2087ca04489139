"""The web server of the page. One request at a time runs on the network; others wait, or get status 503.

Uploads stay in memory. The server writes no file, makes no outgoing connection and keeps no log.
"""

import asyncio
import concurrent.futures
import io
import json
import secrets
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

from keras_gan.demo import uploads
from keras_gan.errors import BadValueError
from keras_gan.images.grids import pixels

PAGE = Path(__file__).with_name("page.html")
LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "::1"]
MOST_WAITING = 16  # requests, including the running one
SECONDS = 10  # time limit of a request, and of an upload
NUMBERS = "application/x-npy"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Queue:
    """A bounded queue of work for the single thread that runs the networks.

    Args:
        most: maximum number of requests, including the running one.
        seconds: time limit of a request, including waiting.
    """

    def __init__(self, most: int = MOST_WAITING, seconds: float = SECONDS) -> None:
        self.most, self.seconds, self.waiting = most, seconds, 0
        self.worker = concurrent.futures.ThreadPoolExecutor(1)

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
        except asyncio.TimeoutError:  # noqa: UP041 (not the builtin on Python 3.10)
            raise wait("That took too long.") from None

    def leave(self) -> None:
        """Counts a request that is finished or was cancelled while waiting."""
        self.waiting -= 1


def wait(message: str) -> HTTPException:
    return HTTPException(503, f"{message} Try again in a moment.", {"Retry-After": "1"})


def app_of(generators: dict, host: str = "127.0.0.1", about: dict | None = None, queue: Any = None) -> Starlette:
    """The web application.

    Args:
        generators: {"AtoB": `keras_gan.generators.Generator`, ...}; {None: generator} for a single one.
        host: the address to serve at; a loopback address accepts only loopback host names.
        about: additional facts for the page.
        queue: a `Queue`; None: a new one.
    """
    by_way = {way or "only": generator for way, generator in generators.items()}
    first, queue = next(iter(by_way.values())), queue or Queue()
    facts = json.dumps((about or {}) | page_facts(by_way, first)).replace("<", "\\u003c")
    template = PAGE.read_text(encoding="utf-8")

    async def page(request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        policy = f"default-src 'none'; connect-src 'self'; img-src 'self' blob: data:; media-src blob:; \
style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        text = template.replace("{{nonce}}", nonce).replace("{{facts}}", facts)
        return HTMLResponse(text, headers=HEADERS | {"Content-Security-Policy": policy})

    async def translate(request: Request) -> Response:
        generator = by_way.get(request.path_params["way"])
        if generator is None or generator.kind != "translation":
            raise HTTPException(404, "No such generator.")
        return await answered(request, generator, uploads.read_upload)

    async def make(request: Request) -> Response:
        if first.kind == "translation":
            raise HTTPException(404, "This generator does not take noise.")
        return await answered(request, first, uploads.read_codes)

    async def answered(request: Request, generator: Any, read: Callable) -> Response:
        data = await body_of(request)
        as_numbers = request.headers.get("accept") == NUMBERS
        return await queue.run(answer, generator, read, data, as_numbers)

    routes = [
        Route("/", page),
        Route("/translate/{way}", translate, methods=["POST"]),
        Route("/make", make, methods=["POST"]),
    ]
    names = LOOPBACK if is_loopback(host) else ["*"]
    return Starlette(
        routes=routes,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=names, www_redirect=False)],
        exception_handlers={HTTPException: refusal, BadValueError: bad_value, ClientDisconnect: gone},
    )


def is_loopback(host: str) -> bool:
    return host in LOOPBACK or host.startswith("127.")


def page_facts(by_way: dict, first: Any) -> dict[str, Any]:
    """The facts about the generators for the page, JSON-serialisable."""
    return {
        "kind": first.kind,
        "name": first.name,
        "ways": list(by_way),
        "shape": first.shape,
        "outShape": first.out_shape,
        "latentDim": first.latent_dim,
        "classes": first.classes,
        "mostCodes": uploads.MOST_CODES,
        "mostBytes": uploads.BYTES,
        "formats": [f"image/{name.lower()}" for name in uploads.FORMATS],
    }


async def body_of(request: Request) -> bytes:
    """The body of a request; HTTPException if it is too large or too slow."""
    try:
        return await asyncio.wait_for(read_body(request), SECONDS)
    except asyncio.TimeoutError:  # noqa: UP041 (as above)
        raise HTTPException(408, "The upload took too long.") from None


async def read_body(request: Request) -> bytes:
    body, length = bytearray(), 0
    too_long = HTTPException(413, f"This file is too large: at most {uploads.BYTES >> 20} MB.")
    async for chunk in request.stream():  # to the end: browsers read no response while sending
        length += len(chunk)
        if length > 8 * uploads.BYTES:
            raise too_long
        if length <= uploads.BYTES:
            body += chunk
    if length > uploads.BYTES:
        raise too_long
    return bytes(body)


def answer(generator: Any, read: Callable, data: bytes, as_numbers: bool) -> Response:
    """The response to a request: pictures side by side as PNG, or float32 in the value range as .npy.

    Runs in the thread of the `Queue`, including decoding, so that one picture at a time is in memory.
    """
    images, file = generator(*read(data, generator)), io.BytesIO()
    if as_numbers:
        np.save(file, images)
    else:
        row = np.hstack(list(pixels(images, generator.value_range)))
        Image.fromarray(row if row.shape[2] == 3 else row[..., 0]).save(file, "PNG", compress_level=1)
    return Response(file.getvalue(), media_type=NUMBERS if as_numbers else "image/png", headers=HEADERS)


async def refusal(request: Request, error: Any) -> Response:
    # Closes the connection: the unread rest of the body would be parsed as the next request
    headers = HEADERS | {"Connection": "close"} | dict(error.headers or {})
    return PlainTextResponse(error.detail, error.status_code, headers)


async def bad_value(request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 422, HEADERS)


async def gone(request: Request, error: Exception) -> Response:
    return Response(status_code=400)
