"""Who may talk to a local page: whoever knows its token, from this machine's own address, from the page itself.

A page on 127.0.0.1 is within reach of every other page that a browser has open. The token keeps their requests out; the
Host header keeps out names that were made to point here (DNS rebinding); the Origin header keeps out what another
page sends, whatever it has learned.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Room for a label on each of 50,000 clips.
MAX_BODY_BYTES = 8 << 20
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TOO_LARGE = f"a request may have {MAX_BODY_BYTES} bytes"
_HEADERS = {
    b"content-security-policy": _POLICY.encode(),
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}
_NOT_KEPT = (b"cache-control", b"no-store")


class TooLargeError(HTTPException):
    """A request's body is larger than any that the page sends."""

    def __init__(self) -> None:
        super().__init__(413, _TOO_LARGE)


class Guard:
    """Lets those requests through to ``app`` whose address starts with the token, without it.

    Parameters
    ----------
    app
        Answers what is let through.
    token
        The first part of each address's path.
    port
        Where the server listens on 127.0.0.1.
    """

    def __init__(self, app: App, *, token: str, port: int) -> None:
        self._app = app
        self._token = token.encode()
        names = (f"127.0.0.1:{port}", f"localhost:{port}")
        self._hosts = {name.encode() for name in names}
        self._origins = {f"http://{name}".encode() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            # The pages open no other kind of connection.
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        taken = 0

        async def limited() -> Event:
            nonlocal taken
            event = await receive()
            taken += len(event.get("body", b""))
            if taken > MAX_BODY_BYTES:
                raise TooLargeError
            return event

        async def marked(event: Event) -> None:
            if event["type"] == "http.response.start":
                own = {name for name, _ in event["headers"]}
                # an answer's own word about caching stands
                more = [pair for pair in [_NOT_KEPT, *_HEADERS.items()] if pair[0] not in own]
                event["headers"] = [*event["headers"], *more]
            await send(event)

        path = scope["path"][1 + len(self._token) :]
        await self._app({**scope, "path": path, "raw_path": path.encode()}, limited, marked)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Return the status and the words for a request that is not the page's own; None for one that is."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        hosts, origins = _values(headers, b"host"), _values(headers, b"origin")
        first, slash, _ = scope["path"].removeprefix("/").partition("/")
        is_change = scope["method"] not in ("GET", "HEAD")
        length = _values(headers, b"content-length") or [b"0"]
        refusals = (
            (len(hosts) != 1 or hosts[0] not in self._hosts, 403, "this server answers to 127.0.0.1 alone"),
            (bool(origins) and not self._origins.issuperset(origins), 403, "this server answers to its own page alone"),
            (
                not secrets.compare_digest(first.encode("utf-8", "replace"), self._token),
                403,
                "the address lacks the token: open the one that was printed",
            ),
            (not slash, 404, "the address ends with a slash"),
            (
                is_change and _values(headers, b"content-type") != [b"application/json"],
                415,
                "a request to change something is JSON",
            ),
            (not length[0].isdigit() or int(length[0]) > MAX_BODY_BYTES, 413, _TOO_LARGE),
        )
        return next(((status, text) for is_met, status, text in refusals if is_met), None)


def _values(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    return [value.lower() for name, value in headers if name == wanted]


async def _refuse(send: Send, status: int, text: str) -> None:
    content = (text + "\n").encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *_HEADERS.items()]})
    await send({"type": "http.response.body", "body": content})
