"""The page's server: one picture at a time on the network, the others wait or are told to.

It keeps what is sent in memory, writes no file, asks nothing of a network, and tells nobody of anything.
"""

import asyncio
import concurrent.futures
import io
import json
import secrets
from pathlib import Path

import numpy as np
from PIL import Image
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from keras_gan.demo import uploads
from keras_gan.errors import BadValueError
from keras_gan.images.grids import pixels

PAGE = Path(__file__).with_name("page.html")
LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "::1"]
MOST_WAITING = 16  # requests, that on the network included
SECONDS = 10  # that a request may wait, and an upload take
NUMBERS = "application/x-npy"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Queue:
    """Work for the one thread that runs networks.

    Args:
        most: requests at a time.
        seconds: that each may take, waiting included.
    """

    def __init__(self, most=MOST_WAITING, seconds=SECONDS):
        self.most, self.seconds, self.waiting = most, seconds, 0
        self.worker = concurrent.futures.ThreadPoolExecutor(1)

    async def run(self, work, *arguments):
        """What `work(*arguments)` returns; HTTPException 503 if too many wait already or it takes too long."""
        if self.waiting >= self.most:
            raise wait("Many are drawing just now.")
        self.waiting += 1
        loop = asyncio.get_running_loop()
        future = self.worker.submit(work, *arguments)
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self.leave))  # at once, if it is done by now
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self.seconds)
        except asyncio.TimeoutError:  # noqa: UP041 (on Python 3.10 it is another one)
            raise wait("That took too long.") from None

    def leave(self):
        """One request less: it is answered, or was given up before its turn came."""
        self.waiting -= 1


def wait(message):
    return HTTPException(503, f"{message} Try again in a moment.", {"Retry-After": "1"})


def app_of(generators, host="127.0.0.1", about=None, queue=None):
    """The web application.

    Args:
        generators: {"AtoB": `keras_gan.generators.Generator`, ...}; {None: ...} where there is only one.
        host: the address that it is served at; at a loopback address it answers to no other name.
        about: what the page says besides, a dict.
        queue: a `Queue`; None: a new one.
    """
    by_way = {way or "only": generator for way, generator in generators.items()}
    first, queue = next(iter(by_way.values())), queue or Queue()
    facts = json.dumps((about or {}) | page_facts(by_way, first)).replace("<", "\\u003c")
    template = PAGE.read_text(encoding="utf-8")

    async def page(request):
        nonce = secrets.token_urlsafe(16)
        policy = f"default-src 'none'; connect-src 'self'; img-src 'self' blob: data:; media-src blob:; \
style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        text = template.replace("{{nonce}}", nonce).replace("{{facts}}", facts)
        return HTMLResponse(text, headers=HEADERS | {"Content-Security-Policy": policy})

    async def translate(request):
        generator = by_way.get(request.path_params["way"])
        if generator is None or generator.kind != "translation":
            raise HTTPException(404, "There is no such generator.")
        return await answered(request, generator, uploads.read_upload)

    async def make(request):
        if first.kind == "translation":
            raise HTTPException(404, "This generator makes nothing of noise.")
        return await answered(request, first, uploads.read_codes)

    async def answered(request, generator, read):
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


def is_loopback(host):
    return host in LOOPBACK or host.startswith("127.")


def page_facts(by_way, first):
    """What the page has to know of the generators, as JSON has it."""
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


async def body_of(request):
    """The body of a request; HTTPException if it is too long or takes too long to come."""
    try:
        return await asyncio.wait_for(read_body(request), SECONDS)
    except asyncio.TimeoutError:  # noqa: UP041 (the same)
        raise HTTPException(408, "The upload took too long.") from None


async def read_body(request):
    body, length = bytearray(), 0
    too_long = HTTPException(413, f"This file is too large: at most {uploads.BYTES >> 20} MB.")
    async for chunk in request.stream():  # to its end, as a rule: who still sends does not hear an answer
        length += len(chunk)
        if length > 8 * uploads.BYTES:
            raise too_long
        if length <= uploads.BYTES:
            body += chunk
    if length > uploads.BYTES:
        raise too_long
    return bytes(body)


def answer(generator, read, data, as_numbers):
    """The response to what was sent: pictures side by side as PNG, or float32 in the value range as .npy.

    Runs in the thread of the `Queue`, the decoding too, so that one picture at a time is in memory.
    """
    images, file = generator(*read(data, generator)), io.BytesIO()
    if as_numbers:
        np.save(file, images)
    else:
        row = np.hstack(list(pixels(images, generator.value_range)))
        Image.fromarray(row if row.shape[2] == 3 else row[..., 0]).save(file, "PNG", compress_level=1)
    return Response(file.getvalue(), media_type=NUMBERS if as_numbers else "image/png", headers=HEADERS)


async def refusal(request, error):
    # What is left of a body that nobody reads would be taken for the next request
    headers = HEADERS | {"Connection": "close"} | dict(error.headers or {})
    return PlainTextResponse(error.detail, error.status_code, headers)


async def bad_value(request, error):
    return PlainTextResponse(str(error), 422, HEADERS)


async def gone(request, error):
    return Response(status_code=400)
