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


def audit_fields(generated: ScoredSet, reference: ScoredSet) -> dict[str, Json]:
    """Return what each set holds, clips that are not what they seem by name, and copies across the sets."""
    across = duplicates_across(generated.paths(), reference.paths())
    return {
        **{one.name: _set_fields(one) for one in (generated, reference)},
        "duplicates_across": [{"path": path, "original": original} for path, original in across],
    }


def _set_fields(scored: ScoredSet) -> Json:
    clips = [(str(source.path), measurement.facts) for source, measurement in scored.clips]
    audit: Audit = audit_set([(path, facts) for path, facts in clips if facts is not None])
    duplicates = duplicates_within(scored.paths())
    classes = class_histogram(one.image_class for _, one in scored.clips if one.image_class is not None)
    return {
        "counts": {**{name: len(paths) for name, paths in audit.findings.items()}, "duplicates": len(duplicates)},
        "image_classes": {**classes},
        "channels": _by_text(audit.channels),
        "lengths_samples": _by_text(audit.lengths),
        "paths": {name: [*paths] for name, paths in audit.findings.items()},
        "duplicates": [{"path": path, "original": original} for path, original in duplicates],
    }


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
