"""``stereokit label audit``: labels that are probably wrong, same sounds with other labels, and classes too small."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stereokit import catalog
from stereokit.data.near_duplicates import groups_of
from stereokit.data.workers import available_jobs
from stereokit.errors import BadInputError, Status, UsageError, worst
from stereokit.metrics.label_errors import label_errors
from stereokit.metrics.propagation._form import UNKNOWN, Known
from stereokit.workflows.checks import BASELINE, Check, parse_check
from stereokit.workflows.events import Event, Events, Json, Message, Row
from stereokit.workflows.label_clips import LabelledClips, label_counts, labelled_clips
from stereokit.workflows.label_examine import PORTRAIT
from stereokit.workflows.label_settings import DEFAULT_METHOD
from stereokit.workflows.label_space import Placed, check_features, place_sounds
from stereokit.workflows.refusals import refusal_messages

SUSPECT_SCHEMA = "stereokit.label.audit.suspect/1"
DUPLICATE_SCHEMA = "stereokit.label.audit.duplicate/1"
CLASS_SCHEMA = "stereokit.label.audit.class/1"
SUMMARY_SCHEMA = "stereokit.label.audit/1"

KEYS = (
    "clips", "labelled", "unlabelled", "refused", "suspects", "suspect_share", "duplicates", "small_classes",
    "agreement",
)  # fmt: skip
_FOLDS = 5

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class AuditSettings:
    """The words of ``stereokit label audit``."""

    sources: tuple[str, ...]
    labels: str
    column: str = "label"
    features: str = PORTRAIT
    least: int = 10
    fail_if: tuple[str, ...] = ()
    strict: bool = False
    seed: int = 0
    jobs: int | None = None
    device: str = "auto"

    def checks(self) -> list[Check]:
        """Read the conditions under which the audit fails.

        Raises
        ------
        UsageError
            For one that cannot be read.
        """
        checks = [parse_check(text, KEYS) for text in self.fail_if]
        for check in checks:
            if any(key.startswith(BASELINE) for key in check.keys):
                raise UsageError(f"--fail-if {check.text!r}: an audit has no baseline; choose from {', '.join(KEYS)}")
        return checks


def audit(settings: AuditSettings, stdin: Iterable[str]) -> Events:
    """Yield a row a finding, then a summary; status 1 where a check holds.

    Raises
    ------
    UsageError
        For words that do not go together, and labels of fewer than two kinds.
    BadInputError
        When nothing can be read.
    """
    checks = settings.checks()
    check_features(settings.features)
    clips = labelled_clips(settings.sources, stdin, labels=settings.labels, column=settings.column)
    jobs = available_jobs() if settings.jobs is None else settings.jobs
    placed = yield from place_sounds(
        clips.sources, settings.features, jobs=jobs, seed=settings.seed, device=settings.device, is_marked=True
    )
    refused = [*clips.refused, *placed.refused]
    yield from refusal_messages(refused)
    if refused and settings.strict:
        raise BadInputError(f"{len(refused)} inputs were refused, and --strict was given")
    same = groups_of(placed.marks)
    suspects, agreement = _suspects(clips, placed, same, settings.seed)
    duplicates = list(_duplicates(clips, same))
    counts = label_counts(clips.labels)
    small = [_small(name, count, settings.least) for name, count in counts.items() if count < settings.least]
    yield from (*suspects, *duplicates, *small)
    labelled = sum(counts.values())
    fields: dict[str, Json] = {
        "clips": len(clips.sources),
        "labelled": labelled,
        "unlabelled": len(clips.sources) - labelled,
        "refused": len(refused),
        "suspects": len(suspects),
        "suspect_share": len(suspects) / labelled,
        "duplicates": len(duplicates),
        "small_classes": len(small),
        "agreement": agreement,
        "labels": {**counts},
    }
    failed = [check for check in checks if check.fails(fields)]
    yield from _summarised(settings, fields, failed)
    statuses = [Status.CHECK_FAILED] if failed else []
    return worst([*statuses, Status.SOME_FAILED if refused else Status.DONE])


def _summarised(settings: AuditSettings, fields: dict[str, Json], failed: Sequence[Check]) -> Iterator[Event]:
    for check in failed:
        yield Message(f"--fail-if {check.text}: {check.told(fields)}", is_warning=True)
    status = "failed" if failed else "done"
    told: dict[str, Json] = {"features": settings.features, "seed": settings.seed}
    yield Row(SUMMARY_SCHEMA, {"status": status, **fields, "failed_checks": [check.text for check in failed], **told})


def _suspects(clips: LabelledClips, placed: Placed, same: Sequence[int], seed: int) -> tuple[list[Row], float]:
    """Return a row a label that is probably wrong, and how often a label is told by those of other clips."""
    classes = clips.classes
    numbers = {name: number for number, name in enumerate(classes)}
    names = [clips.labels[number] for number in placed.numbers]
    labels = np.array([UNKNOWN if name is None else numbers[name] for name in names], np.int64)
    judged = np.flatnonzero(labels != UNKNOWN)
    groups = np.array([same[number] for number in placed.numbers.tolist()], np.int64)
    if len(np.unique(labels[judged])) < 2 or len(np.unique(groups[judged])) < _FOLDS:
        raise BadInputError(f"{len(judged)} labelled clips can be heard: {_FOLDS} sounds with two labels are needed")
    told = _out_of_fold(Known(placed.points, labels, len(classes), seed=seed), groups)
    found = label_errors(told[judged], labels[judged])
    rows = []
    for place, best in zip(judged[found.suspects].tolist(), found.classes.tolist(), strict=True):
        source, given = clips.sources[placed.numbers[place]], int(labels[place])
        rows.append(
            Row(
                SUSPECT_SCHEMA,
                {
                    "finding": "suspect",
                    "path": str(source.path),
                    "file_name": source.key,
                    "label": classes[given],
                    "suggested": classes[best],
                    "probability": float(told[place, best]),
                    "label_probability": float(told[place, given]),
                },
            )
        )
    return rows, float((told[judged].argmax(axis=1) == labels[judged]).mean())


def _out_of_fold(known: Known, groups: Numbers) -> NDArray[np.float64]:
    """Return what labels of a fold are told by those of the others; the same sound is in one fold."""
    told = np.zeros((len(known.labels), known.classes))
    labelled = known.labelled
    own = np.unique(groups[labelled])
    folds = dict(zip(np.random.default_rng(known.seed).permutation(own).tolist(), _turns(len(own)), strict=True))
    fold = np.array([folds.get(group, UNKNOWN) for group in groups.tolist()])
    for number in range(_FOLDS):
        hidden = labelled[fold[labelled] == number]
        labels = known.labels.copy()
        labels[hidden] = UNKNOWN
        method = catalog.load("propagation", DEFAULT_METHOD)
        told[hidden] = method.tell(replace(known, labels=labels)).scores[hidden]
    return told


def _turns(count: int) -> list[int]:
    return [number % _FOLDS for number in range(count)]


def _duplicates(clips: LabelledClips, same: Sequence[int]) -> Iterator[Row]:
    """Yield a row a pair of clips that are the same sound and have different labels."""
    together: defaultdict[int, list[int]] = defaultdict(list)
    for number, first in enumerate(same):
        if clips.labels[number] is not None:
            together[first].append(number)
    for members in together.values():
        ordered = sorted(members, key=lambda number: (str(clips.labels[number]), number))
        for one, other in pairwise(ordered):
            if clips.labels[one] != clips.labels[other]:
                yield Row(
                    DUPLICATE_SCHEMA,
                    {
                        "finding": "duplicate",
                        "path": str(clips.sources[one].path),
                        "label": clips.labels[one],
                        "other_path": str(clips.sources[other].path),
                        "other_label": clips.labels[other],
                    },
                )


def _small(name: str, count: int, least: int) -> Row:
    return Row(CLASS_SCHEMA, {"finding": "small_class", "label": name, "clips": count, "needed": least})
