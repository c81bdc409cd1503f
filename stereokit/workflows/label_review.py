"""``stereokit label review``: a local page on which clips are labelled by ear, the most useful first."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from stereokit.data.decisions import Decisions
from stereokit.data.sources import Refusal
from stereokit.errors import BadInputError, Status, UsageError
from stereokit.workflows.events import Events, Json, Message, Row
from stereokit.workflows.label_clips import LabelledClips, clips_with_labels
from stereokit.workflows.refusals import refusal_messages
from stereokit.workflows.review_desk import Desk, ReviewClip, class_name
from stereokit.workflows.review_export import review_rows
from stereokit.workflows.review_ground import heard_clips
from stereokit.workflows.review_server import serve_review
from stereokit.workflows.review_settings import ReviewSettings
from stereokit.workflows.review_teacher import Lesson, Teacher
from stereokit.writing import locked

CLIP_SCHEMA = "stereokit.label.review.clip/1"
SUMMARY_SCHEMA = "stereokit.label.review/1"
LOCK_SUFFIX = ".lock"


def review(settings: ReviewSettings, stdin: Iterable[str]) -> Events:
    """Serve the page until it is finished; then yield a row a clip, and a summary.

    Raises
    ------
    UsageError
        For words that do not go together, or another program's file of decisions.
    BadInputError
        When no clip can be heard.
    LockedError
        When another review works with the file, or another program listens on the port.
    """
    settings.check()
    clips = _clips(settings, stdin)
    if settings.results:
        with closing(Decisions(settings.output)) as decisions:
            desk = _desk(settings, clips, range(len(clips.sources)), decisions)
            yield from _told(settings, desk, None, clips.refused)
        return Status.SOME_FAILED if clips.refused else Status.DONE
    # Beside the file itself: whoever comes by a link meets the same lock.
    lock = Path(os.path.realpath(settings.output) + LOCK_SUFFIX)
    with locked(lock, guards=settings.output), closing(Decisions(settings.output)) as decisions:
        decisions.check_writable()
        # Too many classes are told before anything is heard.
        _desk(settings, clips, (), decisions)
        ground = yield from heard_clips(settings, clips.sources)
        refused = [*clips.refused, *ground.refused]
        yield from refusal_messages(refused)
        if refused and settings.strict:
            raise BadInputError(f"{len(refused)} inputs were refused, and --strict was given")
        desk = _desk(settings, clips, ground.heard, decisions)
        if desk.strangers:
            yield Message(f"{settings.output}: {desk.strangers} decisions are about clips that are not here")
        with Teacher(ground.points, ground.places, desk.verdicts, seed=settings.seed) as teacher:
            desk.changed = teacher.tell
            yield from serve_review(
                desk, teacher, ground.coordinates, port=settings.port, opens=settings.opens, output=settings.output
            )
        yield from _told(settings, desk, teacher.last_lesson(), refused)
    return Status.SOME_FAILED if refused else Status.DONE


def _clips(settings: ReviewSettings, stdin: Iterable[str]) -> LabelledClips:
    clips = clips_with_labels(settings.sources, stdin, labels=settings.labels, column=settings.column)
    try:
        named = {label: class_name(label) for label in clips.classes}
    except UsageError as error:
        raise UsageError(f"--labels {settings.labels}: {error}") from error
    clips = replace(clips, labels=[None if label is None else named[label] for label in clips.labels])
    twice = [name for name, count in Counter(source.key for source in clips.sources).items() if count > 1]
    if twice:
        raise UsageError(f"{len(twice)} names are there twice, {twice[0]!r} among them: give the folder above them")
    return clips


def _desk(settings: ReviewSettings, clips: LabelledClips, heard: Iterable[int], decisions: Decisions) -> Desk:
    chosen = [
        ReviewClip(clips.sources[number].key, clips.sources[number].path, clips.labels[number]) for number in heard
    ]
    classes = dict.fromkeys([*map(class_name, settings.classes), *clips.classes])
    return Desk(chosen, decisions, list(classes))


def _told(settings: ReviewSettings, desk: Desk, lesson: Lesson | None, refused: Sequence[Refusal]) -> Iterator[Row]:
    counts: Counter[str] = Counter()
    provenances: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    for row in review_rows(desk, lesson):
        statuses[str(row["status"])] += 1
        if row["label"] is not None:
            counts[str(row["label"])] += 1
            provenances[str(row["provenance"])] += 1
        yield Row(CLIP_SCHEMA, row)
    labels: dict[str, Json] = {**dict(sorted(counts.items()))}
    yield Row(
        SUMMARY_SCHEMA,
        {
            "status": "done",
            "clips": len(desk.clips),
            "human": provenances["human"],
            "given": provenances["given"],
            "passed": statuses["passed"],
            "open": statuses["open"],
            "refused": len(refused),
            "labels": labels,
            "decisions": str(settings.output),
            "seed": settings.seed,
        },
    )
