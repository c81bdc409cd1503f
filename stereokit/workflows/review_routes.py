"""What the page of ``label review`` asks for, and what it is answered."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from stereokit.data.decisions import ConflictError
from stereokit.data.text import printable
from stereokit.serving.answers import asset_routes, number_of, part_of, sent_object
from stereokit.serving.sounds import Kept, first_minute, playable
from stereokit.workflows.label_colours import label_colours
from stereokit.workflows.pictures import thumbnail
from stereokit.workflows.review_desk import Desk, Verdict
from stereokit.workflows.review_export import as_csv, as_jsonl
from stereokit.workflows.review_teacher import Lesson, Teacher

_ASSETS = (
    "review.css", "scatter.js", "review_server.js", "review_list.js", "review_sound.js", "review_map.js", "review.js",
)  # fmt: skip
_LONGEST_LISTENER = 64
_NOTHING = 255
# As many as can be told apart; more classes have the same ones again.
_COLOURS = 16


@dataclass
class ReviewPage:
    """What the page speaks with.

    Attributes
    ----------
    desk
        What is known and decided.
    teacher
        What is learned from it.
    coordinates
        Where each clip lies on the map, NaN where it has no place; float32 of shape (n, 2).
    finish
        Ends the review.
    """

    desk: Desk
    teacher: Teacher
    coordinates: NDArray[np.float32]
    finish: Callable[[], None] = lambda: None
    _sounds: Kept = field(init=False)
    _pictures: Kept = field(init=False)

    def __post_init__(self) -> None:
        clips = self.desk.clips
        self._sounds = Kept(lambda number: playable(first_minute(clips[number].path)))
        self._pictures = Kept(lambda number: thumbnail(first_minute(clips[number].path)))

    def routes(self) -> list[BaseRoute]:
        """Return what is answered."""
        return [
            *asset_routes("review.html", _ASSETS),
            Route("/set", self._set),
            Route("/map", self._map),
            Route("/news", self._news),
            Route("/decide", self._decide, methods=["POST"]),
            Route("/undo", self._take_back, methods=["POST"]),
            Route("/classes", self._add_class, methods=["POST"]),
            Route("/finish", self._finish, methods=["POST"]),
            Route("/sound/{number}", self._sound),
            Route("/picture/{number}", self._picture),
            Route("/labels.csv", self._table),
            Route("/metadata.jsonl", self._manifest),
        ]

    def _set(self, request: Request) -> Response:
        verdicts = self.desk.verdicts()
        return JSONResponse(
            {
                "classes": self.desk.classes,
                "palette": [list(colour) for colour in label_colours(_COLOURS)],
                "names": [printable(clip.name) for clip in self.desk.clips],
                "verdicts": [_short(number, verdict) for number, verdict in enumerate(verdicts)],
                "lesson": _lesson(self.teacher.lesson),
            }
        )

    def _map(self, request: Request) -> Response:
        return Response(self.coordinates.astype("<f4").tobytes(), media_type="application/octet-stream")

    def _news(self, request: Request) -> Response:
        last, lesson = (_whole_number(request.query_params.get(name)) for name in ("last", "lesson"))
        taught = self.teacher.lesson
        news = self._changes(self.desk.since(last))
        return JSONResponse({**news, "lesson": _lesson(taught) if taught.number > lesson else None})

    async def _decide(self, request: Request) -> Response:
        sent = await sent_object(request)
        listener, wishes = _listener(sent), _wishes(sent.get("wishes"), len(self.desk.clips))
        try:
            made = await run_in_threadpool(self.desk.decide, wishes, listener=listener)
        except ConflictError as error:
            first = min(one.number for one in error.decisions)
            changes = self._changes(await run_in_threadpool(self.desk.since, first - 1))
            return JSONResponse({"error": str(error), **changes}, 409)
        return JSONResponse(self._changes(made))

    async def _take_back(self, request: Request) -> Response:
        listener = _listener(await sent_object(request))
        return JSONResponse(self._changes(await run_in_threadpool(self.desk.take_back, listener=listener)))

    async def _add_class(self, request: Request) -> Response:
        sent = await sent_object(request)
        name = await run_in_threadpool(self.desk.add_class, sent.get("name"))
        return JSONResponse({"name": name, "classes": self.desk.classes})

    async def _finish(self, request: Request) -> Response:
        await sent_object(request)
        self.finish()
        return JSONResponse({"finished": True})

    def _sound(self, request: Request) -> Response:
        return part_of(self._sounds[self._number(request)], request, "audio/wav")

    def _picture(self, request: Request) -> Response:
        headers = {"cache-control": "private, max-age=3600"}
        return Response(self._pictures[self._number(request)], media_type="image/png", headers=headers)

    def _table(self, request: Request) -> Response:
        return _download(as_csv(self.desk, self._asked_lesson(request)), "labels.csv", "text/csv")

    def _manifest(self, request: Request) -> Response:
        return _download(as_jsonl(self.desk, self._asked_lesson(request)), "metadata.jsonl", "application/jsonl")

    def _asked_lesson(self, request: Request) -> Lesson | None:
        return self.teacher.lesson if request.query_params.get("told") == "1" else None

    def _number(self, request: Request) -> int:
        return number_of(request.path_params["number"], len(self.desk.clips))

    def _changes(self, made: Iterable[tuple[int, Verdict]]) -> dict[str, Any]:
        return {"verdicts": [_short(number, verdict) for number, verdict in made], "classes": self.desk.classes}


def _short(number: int, verdict: Verdict) -> list[Any]:
    return [number, verdict.label, verdict.provenance, verdict.number]


def _lesson(lesson: Lesson) -> dict[str, Any]:
    """Return a lesson for the page: classes and confidences as bytes, 255 where nothing is told."""
    told = np.where(lesson.told < 0, _NOTHING, lesson.told).astype(np.uint8)
    confidence = np.rint(lesson.confidence * 255.0).astype(np.uint8)
    return {
        "number": lesson.number,
        "classes": lesson.classes,
        "told": base64.b64encode(told.tobytes()).decode(),
        "confidence": base64.b64encode(confidence.tobytes()).decode(),
        "questions": lesson.questions.tolist(),
    }


def _listener(sent: dict[str, Any]) -> str:
    name = sent.get("listener")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_LISTENER or not name.isascii():
        raise HTTPException(400, f"listener: 1 to {_LONGEST_LISTENER} ASCII characters")
    return name


def _wishes(sent: object, clips: int) -> list[tuple[int, str | None, int]]:
    """Read what a page wants: [number of a clip, label or null, number of the decision that was seen], ..."""
    wishes: list[tuple[int, str | None, int]] = []
    for one in sent if isinstance(sent, list) else ():
        match one:
            case [int(number), str() | None as label, int(seen)] if (
                0 <= number < clips and not isinstance(number, bool) and not isinstance(seen, bool)
            ):
                wishes.append((number, label, seen))
            case _:
                raise HTTPException(400, "wishes: [clip, label or null, decision that was seen], ...")
    return wishes


def _whole_number(text: str | None) -> int:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 15:
        raise HTTPException(400, "last and lesson are whole numbers")
    return int(text)


def _download(text: str, name: str, kind: str) -> Response:
    return Response(text, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})
