"""``stereokit label propagate``: from the labels of some sounds to those of the others."""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.errors import BadInputError, Status, UsageError
from stereokit.metrics.propagation._calibration import calibrated
from stereokit.metrics.propagation._form import UNKNOWN, Known, Told
from stereokit.workflows.events import Events, Json, Progress, Row
from stereokit.workflows.label_clips import LabelledClips, label_counts, labelled_clips
from stereokit.workflows.label_evaluate import evaluation
from stereokit.workflows.label_settings import DEFAULT_METHOD, DEFAULT_NEIGHBOURS, PropagateSettings
from stereokit.workflows.label_space import EMBEDDING, SILENT, Placed, on_map, open_model, place_sounds
from stereokit.workflows.refusals import refusal_messages

CLIP_SCHEMA = "stereokit.label.propagate.clip/1"
SUMMARY_SCHEMA = "stereokit.label.propagate/1"

Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class Propagated:
    """What was told of the placed clips.

    Attributes
    ----------
    classes
        Their names.
    labels
        Those that were known, -1 for none.
    probabilities
        Calibrated, each row with sum 1, or zero where nothing could be told; shape (n, classes).
    told
        As the method told it.
    temperature
        By which it was calibrated; None where there was nothing to calibrate with.
    left_out_accuracy
        How often a labelled clip's label is told without it; None where nothing is told of any.
    """

    classes: list[str]
    labels: NDArray[np.int64]
    probabilities: Probabilities
    told: Told
    temperature: float | None
    left_out_accuracy: float | None


def propagate(settings: PropagateSettings, stdin: Iterable[str]) -> Events:
    """Yield a row a clip with its label, how sure that is and where it is from, then a summary.

    With ``evaluate`` labels are hidden and told instead: a row a space, method, share and so on.

    Raises
    ------
    UsageError
        For words that do not go together, and labels of fewer than two kinds.
    BadInputError
        When nothing can be read.
    MissingError
        When a map's package, or torch, is not there.
    """
    settings.check()
    clips = labelled_clips(
        settings.sources, stdin, labels=settings.labels, column=settings.column, group=settings.group
    )
    placed = yield from place_sounds(
        clips.sources, settings.features, jobs=settings.processes, seed=settings.seed, device=settings.device
    )
    refused = [*clips.refused, *placed.refused]
    yield from refusal_messages(refused)
    if refused and settings.strict:
        raise BadInputError(f"{len(refused)} inputs were refused, and --strict was given")
    known = yield from _known(settings, clips, placed)
    if settings.evaluate:
        yield from evaluation(settings, known, [clips.groups[number] for number in placed.numbers])
        return Status.SOME_FAILED if refused else Status.DONE
    found = _found(settings.load_method().tell(known), known, clips.classes)
    yield from _rows(settings, clips, placed, found)
    yield _summary(settings, clips, placed, found, len(refused))
    return Status.SOME_FAILED if refused else Status.DONE


def _known(settings: PropagateSettings, clips: LabelledClips, placed: Placed) -> Generator[Progress, None, Known]:
    """Return what is known of the placed clips, on the map that was asked for."""
    classes = clips.classes
    numbers = {name: number for number, name in enumerate(classes)}
    names = [clips.labels[number] for number in placed.numbers]
    labels = np.array([UNKNOWN if name is None else numbers[name] for name in names], np.int64)
    if len(set(labels.tolist()) - {UNKNOWN}) < 2:
        raise BadInputError("fewer than two labels are left of the clips that can be read and heard")
    predicted = None
    if settings.model is not None:
        predicted = yield from _predicted(settings, clips, placed, classes)
    points = placed.points
    if not settings.evaluate:
        points = on_map(points, settings.space or EMBEDDING, settings.map_dimensions, settings.seed)
    return Known(
        points, labels, len(classes), settings.neighbours or DEFAULT_NEIGHBOURS, settings.radius, predicted,
        settings.weight, settings.seed,
    )  # fmt: skip


def _predicted(
    settings: PropagateSettings, clips: LabelledClips, placed: Placed, classes: list[str]
) -> Generator[Progress, None, Probabilities]:
    """Return a model's probabilities of the placed clips, of the classes that the labels have."""
    from stereokit.workflows.label_model import everything  # noqa: PLC0415 - only models need torch

    if settings.model is None:
        raise TypeError("no model was given")
    model = open_model(settings.model, "labeller", "label propagate --model", settings.device)
    if unknown := sorted(set(classes) - set(model.labels)):
        raise UsageError(
            f"--model {settings.model}: does not know {', '.join(unknown)}, only {', '.join(model.labels)}"
        )
    sources = [clips.sources[number] for number in placed.numbers]
    results = yield from everything(model, sources, jobs=settings.processes)
    columns = [model.labels.index(name) for name in classes]
    words = np.zeros((len(sources), len(classes)))
    for place, result in enumerate(results):
        # what a model cannot tell is told by the labels alone
        if isinstance(result, np.ndarray):
            words[place] = result[columns]
    return words


def _found(told: Told, known: Known, classes: list[str]) -> Propagated:
    probabilities, softness = calibrated(told, known)
    judged = np.flatnonzero((told.scores.sum(axis=1) > 0.0) & (known.labels != UNKNOWN))
    accuracy = None
    if judged.size:
        accuracy = float((told.scores[judged].argmax(axis=1) == known.labels[judged]).mean())
    return Propagated(classes, known.labels, probabilities, told, softness, accuracy)


def _rows(settings: PropagateSettings, clips: LabelledClips, placed: Placed, found: Propagated) -> Iterator[Row]:
    places = {int(number): place for place, number in enumerate(placed.numbers)}
    refused = {refusal.path for refusal in placed.refused}
    for number, source in enumerate(clips.sources):
        if str(source.path) in refused:
            continue
        fields: dict[str, Json] = {"path": str(source.path), "file_name": source.key}
        given = clips.labels[number]
        place = places.get(number)
        if given is not None:
            fields |= _label("done", given, 1.0, "human")
        elif place is None:
            fields |= _label("abstained", None, None, None, reason=SILENT)
        else:
            fields |= _told(settings, clips, placed, found, place)
        yield Row(CLIP_SCHEMA, fields)


def _told(
    settings: PropagateSettings, clips: LabelledClips, placed: Placed, found: Propagated, place: int
) -> dict[str, Json]:
    """Return what a clip without a label is told to be."""
    row = found.probabilities[place]
    if not row.any():
        return _label("abstained", None, None, None, reason="no labelled clip is near")
    best = int(row.argmax())
    voters = [int(one) for one in found.told.voters[place] if one != UNKNOWN]
    names: list[Json] = [str(clips.sources[placed.numbers[one]].path) for one in voters]
    provenance = "propagated" if voters else "model"
    name, confidence = found.classes[best], float(row[best])
    if confidence < settings.abstain:
        fields = _label("abstained", None, confidence, None, reason=f"is less sure than {settings.abstain:g}")
        return fields | {"best": name, "sources": names}
    return _label("done", name, confidence, provenance) | {"sources": names}


def _label(
    status: str, label: str | None, confidence: float | None, provenance: str | None, *, reason: str | None = None
) -> dict[str, Json]:
    return {
        "status": status, "label": label, "confidence": confidence, "provenance": provenance, "best": label,
        "sources": [], "reason": reason,
    }  # fmt: skip


def _summary(settings: PropagateSettings, clips: LabelledClips, placed: Placed, found: Propagated, refused: int) -> Row:
    labelled = sum(label is not None for label in clips.labels)
    unknown = found.labels == UNKNOWN
    confidence = found.probabilities[unknown].max(axis=1, initial=0.0)
    is_told = (confidence > 0.0) & (confidence >= settings.abstain)
    silent = sum(clips.labels[number] is None for number in placed.silent)
    names = [found.classes[best] for best in found.probabilities[unknown][is_told].argmax(axis=1)]
    return Row(
        SUMMARY_SCHEMA,
        {
            "status": "done",
            "clips": len(clips.sources),
            "human": labelled,
            "propagated": int(is_told.sum()),
            "abstained": int((~is_told).sum()) + silent,
            "refused": refused,
            "labels": {**label_counts(clips.labels)},
            "propagated_labels": dict(sorted(Counter(names).items())),
            "method": settings.method or DEFAULT_METHOD,
            "space": settings.space or EMBEDDING,
            "features": settings.features,
            "temperature": found.temperature,
            "left_out_accuracy": found.left_out_accuracy,
            "seed": settings.seed,
        },
    )
