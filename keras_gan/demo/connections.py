"""Connections that cannot shut the page for others: who sends nothing is closed, and gives way."""

import asyncio
import logging
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 200  # connections at a time
SECONDS_OF_SILENCE = 10  # until the header of a request is complete, and until its answer is fetched
SECONDS_OF_A_REQUEST = 40  # more than an upload, a picture and a network may take together


class Connection(H11Protocol):
    """HTTP on one connection.

    uvicorn's own time limit begins after the first answer, and a single byte ends it. So silent connections would last
    for ever, and with uvicorn's `limit_concurrency` two hundred of them shut the page. Here, all have a limit, and if
    there are more than `MOST`, the one that has kept the server waiting longest is closed at once.
    """

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.limit: asyncio.TimerHandle | None = None
        self.is_running = False
        self.close_in(SECONDS_OF_SILENCE)
        connections: set[Any] = self.connections
        if len(connections) > MOST:
            awaited = [connection for connection in connections if connection.is_awaited]
            min(awaited, key=lambda connection: connection.since).end()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.note()

    def on_response_complete(self) -> None:
        self.is_running = False
        self.close_in(SECONDS_OF_SILENCE)
        super().on_response_complete()
        self.note()  # it may have begun the next request

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.limit is not None:
            self.limit.cancel()

    @property
    def is_awaited(self) -> bool:
        """Whether the server waits for more of a request."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def note(self) -> None:
        """Gives a request that has begun its time limit."""
        is_running = self.cycle is not None and not self.cycle.response_complete
        if is_running and not self.is_running:
            self.close_in(SECONDS_OF_A_REQUEST)
        self.is_running = is_running

    def close_in(self, seconds: float) -> None:
        if self.limit is not None:
            self.limit.cancel()
        self.since, self.limit = self.loop.time(), self.loop.call_later(seconds, self.end)

    def end(self) -> None:
        self.connections.discard(self)
        self.transport.abort()  # not close(), which waits until the other side has read everything


class Server(uvicorn.Server):
    """Ends with the first Ctrl-C: requests get another second."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # no tracebacks of requests that are cut off
        super().handle_exit(sig, frame)


def server_of(app: Any) -> Server:
    """The server of an application, which prints nothing but errors."""
    quiet: dict[str, Any] = {"log_level": "warning", "access_log": False, "server_header": False, "lifespan": "off"}
    limits: dict[str, Any] = {"timeout_graceful_shutdown": 1, "backlog": 100}
    return Server(uvicorn.Config(app, http=Connection, ws="none", **quiet, **limits))
