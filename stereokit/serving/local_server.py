"""A server for one person's browser: on 127.0.0.1, behind a token, in a thread beside what it serves."""

import contextlib
import errno
import logging
import secrets
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from stereokit.errors import BadInputError, LockedError, OutputError, StereokitError
from stereokit.serving.guard import Guard

_ADDRESS = "127.0.0.1"
_TOKEN_BYTES = 24
# More connections at once than any page opens; those beyond are told so and not kept.
_MOST_REQUESTS = 512
_BACKLOG = 512
# How long answers under way may take once the page is finished.
_LAST_ANSWERS_S = 2
_START_S = 15.0
_LOOK_S = 0.5
# A connection that is closed at the moment of a request fails it: they stay longer than a page pauses.
_KEEP_S = 75


@dataclass
class LocalServer:
    """A server that runs.

    Attributes
    ----------
    address
        Of its page, with the token.
    port
        Where it listens.
    """

    address: str
    port: int
    _finished: threading.Event = field(default_factory=threading.Event)

    def finish(self) -> None:
        """Let ``wait`` return; any thread may call it."""
        self._finished.set()

    def wait(self) -> None:
        """Return when the page is finished; a signal interrupts it."""
        while not self._finished.wait(_LOOK_S):
            pass


@contextlib.contextmanager
def served(routes: Sequence[BaseRoute], *, port: int = 0) -> Iterator[LocalServer]:
    """Serve while the block lasts.

    Parameters
    ----------
    routes
        What is answered below the token; a route's function that is no coroutine runs in a thread of its own. A
        ``StereokitError`` of theirs becomes an answer with its line as ``error``.
    port
        Where to listen; 0 takes one that is free.

    Raises
    ------
    LockedError
        When another program listens on the port.
    OutputError
        When nothing may listen there.
    """
    with _listening(port) as listener:
        own = listener.getsockname()[1]
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        app = Starlette(routes=list(routes), exception_handlers={StereokitError: _told, HTTPException: _refused})
        running = LocalServer(f"http://{_ADDRESS}:{own}/{token}/", own)
        server = uvicorn.Server(
            uvicorn.Config(
                Guard(app, token=token, port=own),
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                limit_concurrency=_MOST_REQUESTS,
                timeout_keep_alive=_KEEP_S,
                timeout_graceful_shutdown=_LAST_ANSWERS_S,
            )
        )
        # What it has to say of broken requests is of no use at a terminal.
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL + 1)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            server.should_exit = True
            thread.join(_LAST_ANSWERS_S + _START_S)


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    # Named, since asyncio sends at once on sockets that say they are TCP alone: others wait 40 ms for the other side.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        # A server that ended a moment ago does not keep its port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_ADDRESS, port))
            # Requests wait from now on, however long the server takes to start.
            listener.listen(_BACKLOG)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise LockedError(f"--port {port} is in use by another program: leave it out, or wait") from error
            raise OutputError(f"cannot listen on {_ADDRESS}, port {port}: {error.strerror}") from error
        yield listener


def _told(request: Request, error: Exception) -> Response:
    status = 422 if isinstance(error, BadInputError) else 400
    if isinstance(error, OutputError):
        status = 507
    return JSONResponse({"error": str(error)}, status)


def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else "failed"
    return JSONResponse({"error": detail}, status)
