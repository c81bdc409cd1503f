"""What comes out of a review: a row a clip, for standard output, as a manifest, as a table."""

import csv
import io
import json
from collections.abc import Iterator

from stereokit.workflows.events import Json
from stereokit.workflows.review_desk import Desk
from stereokit.workflows.review_teacher import Lesson

_EXPORTED = ("file_name", "label", "provenance", "confidence", "decided_at")


def review_rows(desk: Desk, lesson: Lesson | None) -> Iterator[dict[str, Json]]:
    """Yield what is known of each clip.

    A label is a person's, here (``human``) or before (``given``); a clip that a person said shall have none is
    ``passed``. ``best`` is what the others tell it to be, and ``confidence`` how sure that is; without a lesson nothing
    is told.
    """
    for number, (clip, verdict) in enumerate(zip(desk.clips, desk.verdicts(), strict=True)):
        best, confidence = None, None
        if lesson is not None and lesson.told[number] >= 0:
            best, confidence = lesson.classes[int(lesson.told[number])], float(lesson.confidence[number])
        yield {
            "path": str(clip.path),
            "file_name": clip.name,
            "status": "done" if verdict.label is not None else "open" if verdict.is_open else "passed",
            "label": verdict.label,
            "provenance": verdict.provenance,
            "decided_at": verdict.decided_at,
            "best": best,
            "confidence": confidence,
        }


def as_jsonl(desk: Desk, lesson: Lesson | None) -> str:
    """Return a manifest; with a lesson open clips get what is told of them, as ``propagated``."""
    return "".join(json.dumps(row, allow_nan=False) + "\n" for row in _exported(desk, lesson))


def as_csv(desk: Desk, lesson: Lesson | None) -> str:
    """Return the same as a table with a header, which ``--labels`` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_EXPORTED)
    for row in _exported(desk, lesson):
        writer.writerow("" if row[name] is None else row[name] for name in _EXPORTED)
    return text.getvalue()


def _exported(desk: Desk, lesson: Lesson | None) -> Iterator[dict[str, Json]]:
    for row in review_rows(desk, lesson):
        exported = {name: row[name] for name in _EXPORTED}
        if row["status"] == "open" and row["best"] is not None:
            yield exported | {"label": row["best"], "provenance": "propagated"}
        else:
            yield exported | {"confidence": None if row["label"] is None else 1.0}
