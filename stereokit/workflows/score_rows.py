"""The rows that ``stereokit score`` yields, and the keys that a check may name."""

from collections.abc import Mapping

from stereokit import catalog
from stereokit.data.sources import Refusal, Source
from stereokit.metrics.comparison import Comparison
from stereokit.metrics.embedding import EmbeddingProtocol
from stereokit.metrics.measure import Measurement
from stereokit.metrics.protocol import Protocol
from stereokit.workflows import score_notes
from stereokit.workflows.events import Json, Row
from stereokit.workflows.score_audit import AUDIT_KEYS, MEMORISATION_KEYS
from stereokit.workflows.score_sets import ScoredSet, label_of
from stereokit.workflows.score_vectors import VECTOR_KEYS, VectorFigures

SCORE_SCHEMA = "stereokit.score/1"
CLIP_SCHEMA = "stereokit.score.clip/1"

_SET_COUNTS = (
    "found",
    "used",
    "refused",
    "dropped_silent",
    "excluded",
    "mono",
    "without_side",
    "silent",
    "clamped_windows",
    "side_distance_mean",
    "shortest_s",
    "longest_s",
)
_INTERVALS = ("cov", "mmd")
# Only --statistics computes these.
THOROUGH_KEYS = (
    "mmd_p",
    *(f"interval.{name}.{end}" for name in _INTERVALS for end in ("low", "high")),
    "detectable.width_percent",
    "permutations.mmd",
)


def check_keys() -> list[str]:
    """List the figures of a result row that ``--fail-if`` may name."""
    scores = catalog.names("score")
    sets = [f"{name}.{count}" for name in ("gen", "ref") for count in _SET_COUNTS]
    counts = ["n_gen", "n_ref", "n_gen_found", "n_ref_found", "draws", "duplicates_across"]
    chance = ["nna_p", "detectable.nna", "permutations.nna", *THOROUGH_KEYS]
    asked = [*AUDIT_KEYS, *MEMORISATION_KEYS, *VECTOR_KEYS]
    return [*scores, *asked, *(f"expected.{name}" for name in scores), *chance, *counts, *sets]


def result_row(
    generated: ScoredSet,
    reference: ScoredSet,
    protocol: Protocol,
    *,
    comparison: Comparison | None,
    vectors: VectorFigures,
    extra: Mapping[str, Json],
) -> Row:
    """Return the one row of a result; scores are null where a label has clips on one side only."""
    names = catalog.names("score")
    scores: dict[str, Json] = {name: comparison.scores[name] if comparison else None for name in names}
    expected: dict[str, Json] = {name: comparison.expected[name] if comparison else None for name in names}
    measured = [measurement for scored in (generated, reference) for _, measurement in scored.clips]
    return Row(
        SCORE_SCHEMA,
        {
            **scores,
            "n_gen": comparison.generated if comparison else 0,
            "n_ref": comparison.reference if comparison else 0,
            "expected": expected,
            **_chance(comparison),
            **vectors.fields(),
            "verdict": score_notes.verdict(comparison),
            "yardstick": "ref",
            "n_gen_found": len(generated.clips),
            "n_ref_found": len(reference.clips),
            "draws": comparison.draws if comparison else 0,
            "protocol": protocol.name,
            "feature": protocol.feature,
            "embedding": {**protocol.identity()} if isinstance(protocol, EmbeddingProtocol) else None,
            "distance": protocol.distance,
            "range": "full" if protocol.is_full_range else "quantile",
            "length_s": protocol.length,
            "length_samples": protocol.length_samples,
            "shape": protocol.is_shape,
            "unit": "share of the sum" if protocol.is_shape else protocol.load_feature().unit,
            **extra,
            "gen": generated.summary(),
            "ref": reference.summary(),
            "failed": [
                failure(scored.name, refusal) for scored in (generated, reference) for refusal in scored.refused
            ],
            "notes": [*score_notes.notes(comparison, measured, protocol), *vectors.notes()],
        },
    )


def failure(name: str, refusal: Refusal) -> Json:
    """Return one line of what could not be used."""
    return {"set": name, "path": refusal.path, "reason": refusal.reason}


def _chance(comparison: Comparison | None) -> dict[str, Json]:
    """Return what chance could have done; null is what was not asked for or cannot be told of so few clips."""
    significance = comparison.significance if comparison else None
    intervals = (significance.intervals if significance else None) or {}
    return {
        "nna_p": significance.nna_p if significance else None,
        "mmd_p": significance.mmd_p if significance else None,
        "interval": {
            name: {end: getattr(intervals.get(name), end, None) for end in ("low", "high")} for name in _INTERVALS
        },
        "detectable": {
            "nna": significance.nna_detectable if significance else None,
            "width_percent": significance.width_detectable_percent if significance else None,
        },
        "permutations": {
            "nna": significance.nna_permutations if significance else 0,
            "mmd": significance.mmd_permutations if significance else 0,
        },
    }


def clip_row(name: str, source: Source, measurement: Measurement) -> Row:
    """Return the row of one clip."""
    return Row(
        CLIP_SCHEMA,
        {
            "set": name,
            "path": str(source.path),
            "label": label_of(source) or None,
            "side_distance": measurement.side_distance,
            "image_class": measurement.image_class,
            "feature_mean": float(measurement.sequence.mean()),
            "channels": measurement.channels,
            "sample_rate_hz": measurement.sample_rate,
            "duration_s": measurement.frames / measurement.sample_rate,
            "has_side": measurement.has_side,
            "is_silent": measurement.is_silent,
            **_image(measurement),
        },
    )


def _image(measurement: Measurement) -> dict[str, Json]:
    facts = measurement.facts
    return {
        "side_mid_db": facts.image.side_mid_db,
        "correlation": facts.image.correlation,
        "balance_db": facts.image.balance_db,
        "mono_loss_db": facts.image.mono_loss_db,
        "is_inverted": facts.image.is_inverted,
        "is_one_sided": facts.image.is_one_sided,
        "is_dual_mono": facts.is_dual_mono,
        "clipped_frames": facts.clipped_frames,
    }
