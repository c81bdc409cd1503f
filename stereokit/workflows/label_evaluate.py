"""``stereokit label propagate --evaluate``: labels are hidden and told again, in several spaces, ways and shares."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.errors import BadInputError
from stereokit.metrics.calibration import expected_calibration_error
from stereokit.metrics.classification import classification_report, confusion
from stereokit.metrics.propagation._calibration import calibrated
from stereokit.metrics.propagation._form import UNKNOWN, Known, Propagation
from stereokit.workflows.events import Event, Json, Message, Progress, Row
from stereokit.workflows.label_settings import DEFAULT_METHOD, DEFAULT_SHARES, PropagateSettings
from stereokit.workflows.label_space import EMBEDDING, on_map

EVALUATION_SCHEMA = "stereokit.label.propagate.evaluation/1"

# The thesis's numbers of neighbours, and both readings of what it did, beside what follows a whole graph.
NEIGHBOURS = (3, 6, 12)
_ON_MAPS = ("among-nearest", "nearest-labelled", "spreading")
_REPEATS = 5
_SUREST = 0.9

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class _Way:
    """A method in a space, with so many neighbours (None where it asks all)."""

    space: str
    method: str
    neighbours: int | None


@dataclass(frozen=True)
class _Split:
    """Which clips keep their labels."""

    kind: str
    share: float
    shown: NDArray[np.bool_]


def evaluation(settings: PropagateSettings, known: Known, groups: Sequence[str | None]) -> Iterator[Event]:
    """Yield a row a space, method, number of neighbours, share, and kind of split: by file, and by group.

    Raises
    ------
    BadInputError, MissingError
        When there are too few labelled clips, or a map's package is not there.
    """
    labelled = known.labelled
    if len(labelled) < 10:
        raise BadInputError(f"--evaluate: {len(labelled)} labelled clips can be heard: 10 or more are needed")
    ways = list(_ways(settings))
    spaces = dict.fromkeys(way.space for way in ways)
    wrong, chances = [], []
    for done, space in enumerate(spaces):
        yield Progress("drawing maps", done, len(spaces))
        there = replace(known, points=on_map(known.points, space, settings.map_dimensions, settings.seed))
        for way in (one for one in ways if one.space == space):
            method: Propagation = catalog.load("propagation", way.method)
            for share in settings.shares or DEFAULT_SHARES:
                for kind in ("file", *([settings.group] if settings.group else [])):
                    splits = list(_splits(settings, known.labels, groups, kind, share))
                    row = _judged(method, way, there, splits, settings)
                    wrong.append(row["misaligned_accuracy"])
                    chances.append(row["chance"])
                    yield Row(EVALUATION_SCHEMA, row)
    yield Progress("drawing maps", len(spaces), len(spaces))
    yield from _explained(wrong, chances)


def _ways(settings: PropagateSettings) -> Iterator[_Way]:
    spaces = [settings.space] if settings.space else [EMBEDDING, "umap"]
    for space in spaces:
        names = [settings.method] if settings.method else [*_ON_MAPS, DEFAULT_METHOD]
        for name in names:
            has_neighbours = catalog.load("propagation", name).has_neighbours
            counts = [settings.neighbours] if settings.neighbours else NEIGHBOURS
            for count in counts if has_neighbours else [None]:
                yield _Way(space, name, count)


def _splits(
    settings: PropagateSettings, labels: Numbers, groups: Sequence[str | None], kind: str, share: float
) -> Iterator[_Split]:
    """Yield which labels stay: a share of the files, or of whole groups as near to that share as they come."""
    labelled = np.flatnonzero(labels != UNKNOWN)
    for repeat in range(_REPEATS):
        random = np.random.default_rng((settings.seed, repeat))
        shown = np.zeros(len(labels), np.bool_)
        if kind == "file":
            shown[random.permutation(labelled)[: round(share * len(labelled))]] = True
        else:
            own = np.array([groups[number] or "" for number in labelled.tolist()])
            names = random.permutation(np.unique(own))
            counts = np.cumsum([(own == name).sum() for name in names]) / len(own)
            kept = min(max(1, int(np.abs(counts - share).argmin()) + 1), max(len(names) - 1, 1))
            shown[labelled[np.isin(own, names[:kept])]] = True
        if len(np.unique(labels[shown])) > 1 and shown.sum() < len(labelled):
            yield _Split(kind, share, shown)


def _judged(
    method: Propagation, way: _Way, known: Known, splits: Sequence[_Split], settings: PropagateSettings
) -> dict[str, Json]:
    """Return the row of a way and a kind of split: means over repeated splits."""
    if not splits:
        raise BadInputError("--evaluate: no split leaves two labels to tell from and one clip to tell")
    figures = [_figures(method, way, known, split) for split in splits]
    turned = np.random.default_rng(settings.seed).permutation(np.flatnonzero(splits[0].shown))
    lost = known.labels.copy()
    lost[np.flatnonzero(splits[0].shown)] = known.labels[turned]
    misaligned = _figures(method, way, replace(known, labels=lost), splits[0])["accuracy"]
    means = {name: float(np.mean([one[name] for one in figures])) for name in figures[0]}
    is_map = way.space != EMBEDDING
    return {
        "space": way.space,
        "dimensions": settings.map_dimensions if is_map else known.points.shape[1],
        "method": way.method,
        "neighbours": way.neighbours,
        "by": splits[0].kind,
        "share": splits[0].share,
        **means,
        "accuracy_deviation": float(np.std([one["accuracy"] for one in figures])),
        "misaligned_accuracy": misaligned,
        "repeats": len(figures),
        "labelled": int(np.mean([split.shown.sum() for split in splits])),
        "features": settings.features,
        "seed": settings.seed,
    }


def _figures(method: Propagation, way: _Way, known: Known, split: _Split) -> dict[str, float]:
    """Hide labels, have them told, and compare; a clip of which nothing is told is told wrong."""
    there = replace(
        known, labels=np.where(split.shown, known.labels, UNKNOWN), neighbours=way.neighbours or known.neighbours
    )
    told = method.tell(there)
    has_word = told.scores.sum(axis=1) > 0.0
    hidden = np.flatnonzero((known.labels != UNKNOWN) & ~split.shown)
    probabilities = calibrated(told, there)[0][hidden]
    truth, best = known.labels[hidden], probabilities.argmax(axis=1)
    heard = has_word[hidden]
    is_right = (best == truth) & heard
    surest = np.argsort(-probabilities.max(axis=1), kind="stable")[: max(1, round(_SUREST * len(hidden)))]
    recall = [is_right[truth == one].mean() for one in np.unique(truth)]
    report = classification_report(confusion(truth[heard], best[heard], known.classes))
    shares = [np.bincount(one, minlength=known.classes) / max(len(one), 1) for one in (truth, best[heard])]
    return {
        "accuracy": float(is_right.mean()),
        "balanced_accuracy": float(np.mean(recall)),
        "macro_f1": report.macro_f1 or 0.0,
        "surest_accuracy": float(is_right[surest].mean()),
        "told_share": float(heard.mean()),
        "calibration_error": expected_calibration_error(probabilities[heard], truth[heard]) if heard.any() else 0.0,
        "chance": float(shares[0] @ shares[1]),
    }


def _explained(wrong: Sequence[Json], chances: Sequence[Json]) -> Iterator[Message]:
    """Say what figures as low as the thesis's mean."""
    values = [value for value in wrong if isinstance(value, float)]
    expected = [value for value in chances if isinstance(value, float)]
    yield Message(
        f"with the same labels on the wrong clips accuracy is {min(values):.2f} to {max(values):.2f}, chance is "
        f"{min(expected):.2f} to {max(expected):.2f}. The thesis printed 0.11 to 0.16 for eight classes: that is what "
        "labels and points in different orders give, and not what its maps and its votes can do"
    )
