"""What ``stereokit score`` looks at beside the scores: what the sets hold, and whether training clips were copied."""

from collections.abc import Mapping, Sequence

from stereokit.metrics.audit import FINDINGS, Audit, audit_set
from stereokit.metrics.duplicates import duplicates_across, duplicates_within
from stereokit.metrics.image import IMAGE_CLASSES, class_histogram
from stereokit.metrics.measure import Measurement
from stereokit.metrics.memorisation import memorisation
from stereokit.metrics.protocol import Protocol
from stereokit.workflows.events import Json
from stereokit.workflows.score_sets import ScoredSet

_COUNTED = (*FINDINGS, "duplicates")
AUDIT_KEYS = tuple(
    key
    for name in ("gen", "ref")
    for key in (
        *(f"audit.{name}.counts.{finding}" for finding in _COUNTED),
        *(f"audit.{name}.image_classes.{letters}" for letters in IMAGE_CLASSES),
    )
)
MEMORISATION_KEYS = tuple(f"memorisation.{key}" for key in ("nearer", "z", "suspects", "copies", "n_train"))


def audit_fields(generated: ScoredSet, reference: ScoredSet, *, are_listed: bool) -> dict[str, Json]:
    """Return what each set holds: counts, and if ``are_listed`` the clips that are not what they seem by name."""
    across = duplicates_across(generated.paths(), reference.paths()) if are_listed else None
    return {
        **{one.name: _set_fields(one, are_listed=are_listed) for one in (generated, reference)},
        "duplicates_across": None if across is None else _copies(across),
    }


def audit_notes(audit: Mapping[str, Json], *, are_listed: bool) -> list[str]:
    """Say in a line a set how many of its clips are not what they seem."""
    told = []
    for name in ("gen", "ref"):
        fields = audit[name]
        counts = fields["counts"] if isinstance(fields, dict) else None
        found = (
            [f"{count} {finding.replace('_', ' ')}" for finding, count in counts.items() if count]
            if isinstance(counts, dict)
            else []
        )
        if found:
            told.append(f"{name} holds {', '.join(found)}{'' if are_listed else ': see --audit'}")
    return told


def _set_fields(scored: ScoredSet, *, are_listed: bool) -> Json:
    audit: Audit = audit_set([(path, measurement.facts) for path, measurement in scored.paths()])
    duplicates = duplicates_within(scored.paths())
    classes = class_histogram(one.image_class for _, one in scored.clips)
    return {
        "counts": {**{name: len(paths) for name, paths in audit.findings.items()}, "duplicates": len(duplicates)},
        "image_classes": {**classes},
        "channels": _by_text(audit.channels),
        "lengths_samples": _by_text(audit.lengths),
        "paths": {name: [*paths] for name, paths in audit.findings.items()} if are_listed else None,
        "duplicates": _copies(duplicates) if are_listed else None,
    }


def _copies(pairs: Sequence[tuple[str, str]]) -> list[Json]:
    return [{"path": path, "original": original} for path, original in pairs]


def _by_text(counts: Mapping[int, int]) -> dict[str, Json]:
    return {str(key): count for key, count in counts.items()}


def memorisation_fields(
    generated: ScoredSet, reference: ScoredSet, training: ScoredSet, protocol: Protocol
) -> dict[str, Json]:
    """Return how near the generated clips come to the training clips, against the reference clips, suspects by name."""
    first, second, third = (one.sequences(protocol) for one in (generated, reference, training))
    found = memorisation(first, second, third, protocol.load_distance())
    made, learned = _paths(generated.paths()), _paths(training.paths())
    return {
        "nearer": found.nearer,
        "z": found.z,
        "suspects": len(found.suspects),
        "copies": len(duplicates_across(generated.paths(), training.paths())),
        "n_train": len(learned),
        "reference_copies": len(duplicates_across(reference.paths(), training.paths())),
        "nearest": [
            {
                "path": made[clip],
                "train": learned[found.generated_index[clip]],
                "distance": float(found.generated_distance[clip]),
            }
            for clip in found.suspects.tolist()
        ],
        "train": training.summary(),
    }


def _paths(clips: Sequence[tuple[str, Measurement]]) -> list[str]:
    return [path for path, _ in clips]
