"""Answers that local pages need: files of the package, sounds by the part, JSON that is what it should be."""

import json
import re
from collections.abc import Iterable
from importlib import resources
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


def asset(name: str) -> bytes:
    """Return a file of the package's pages."""
    return resources.files("stereokit").joinpath("pages", name).read_bytes()


def asset_routes(page: str, names: Iterable[str]) -> list[Route]:
    """Return the routes of a page, which is the folder's own answer, and of the files that it names."""
    contents = {"/": (page, asset(page)), **{f"/{name}": (name, asset(name)) for name in names}}

    def answering(name: str, content: bytes) -> Any:
        kind = _TYPES[name.rpartition(".")[2]]

        def answer(request: Request) -> Response:
            return Response(content, media_type=kind)

        return answer

    return [Route(path, answering(name, content)) for path, (name, content) in contents.items()]


def part_of(content: bytes, request: Request, media_type: str) -> Response:
    """Return bytes, or the part of them that a ``Range`` header asks for (RFC 9110, one range of bytes).

    Players ask for parts, to jump; a header of another form is ignored, one past the end answered with 416.
    """
    headers = {"accept-ranges": "bytes", "cache-control": "private, max-age=3600"}
    match = re.fullmatch(r"bytes=(\d{0,15})-(\d{0,15})", request.headers.get("range", ""))
    if match is None or match[1] + match[2] == "":
        return Response(content, media_type=media_type, headers=headers)
    if match[1]:
        first = int(match[1])
        last = min(int(match[2]), len(content) - 1) if match[2] else len(content) - 1
    else:
        first, last = max(0, len(content) - int(match[2])), len(content) - 1
    if first > last:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{len(content)}"})
    headers["content-range"] = f"bytes {first}-{last}/{len(content)}"
    return Response(content[first : last + 1], 206, media_type=media_type, headers=headers)


async def sent_object(request: Request) -> dict[str, Any]:
    """Return the JSON object that a request carries.

    Raises
    ------
    HTTPException
        400 when it is none.
    """
    try:
        value = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the request is not JSON") from error
    if not isinstance(value, dict):
        raise HTTPException(400, "the request is not a JSON object")
    return value


def number_of(text: str, count: int) -> int:
    """Return the number from 0 to ``count`` - 1 that a text is.

    Raises
    ------
    HTTPException
        404 when it is none.
    """
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) >= count:
        raise HTTPException(404, f"there is no {text[:20]!r} here")
    return int(text)
