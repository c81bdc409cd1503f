"""What the page of ``score listen`` asks for: each answer is the study's own, in the words of HTTP."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from stereokit.data.study import AnsweredError
from stereokit.serving.answers import asset_routes, part_of, sent_object
from stereokit.workflows.score_listen_study import Study, UnknownError

_NOT_HERE = "this study does not know that"
_ANSWERED = "this trial was answered before, perhaps in another tab; that answer stays"


@dataclass
class ListenPage:
    """What listeners' pages speak with.

    Attributes
    ----------
    study
        What they answer.
    finish
        Ends the study.
    """

    study: Study
    finish: Callable[[], None] = lambda: None

    def routes(self) -> list[BaseRoute]:
        """Return what is answered."""
        return [
            *asset_routes("listen.html", ["listen.css", "listen.js"]),
            Route("/study", self._words),
            Route("/join", self._join, methods=["POST"]),
            Route("/listener/{token}", self._state),
            Route("/answer", self._answer, methods=["POST"]),
            Route("/sound/{trial}/{which}", self._sound),
            Route("/finish", self._finish, methods=["POST"]),
        ]

    def _words(self, request: Request) -> Response:
        return JSONResponse(self.study.words())

    async def _join(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self.study.join, await sent_object(request)))

    def _state(self, request: Request) -> Response:
        return JSONResponse(_found(self.study.state, request.path_params["token"]))

    async def _answer(self, request: Request) -> Response:
        sent = await sent_object(request)
        try:
            await run_in_threadpool(_found, self.study.answer, sent)
        except AnsweredError:
            return JSONResponse({"error": _ANSWERED}, 409)
        return JSONResponse({})

    def _sound(self, request: Request) -> Response:
        content = _found(self.study.sound, request.path_params["trial"], request.path_params["which"])
        return part_of(content, request, "audio/wav")

    async def _finish(self, request: Request) -> Response:
        sent = await sent_object(request)
        if sent.get("really") is not True:
            raise HTTPException(422, "ending the study asks for a second word")
        self.finish()
        return JSONResponse({})


def _found(function: Callable[..., Any], *words: object) -> Any:
    """Return what the study says; what it does not know is not found."""
    try:
        return function(*words)
    except UnknownError as error:
        raise HTTPException(404, _NOT_HERE) from error
