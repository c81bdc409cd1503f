"""``stereokit score``: how near a generated set comes to a reference set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stereokit.data.sources import Refusal
from stereokit.data.workers import available_jobs
from stereokit.errors import BadInputError, Status, UsageError, worst
from stereokit.metrics.comparison import Sizes, compare_sets
from stereokit.metrics.duplicates import duplicates_across
from stereokit.metrics.protocol import Protocol, protocol_with
from stereokit.workflows.checks import parse_check
from stereokit.workflows.events import Events, Message, Row
from stereokit.workflows.refusals import refusal_messages
from stereokit.workflows.score_rows import check_keys, clip_row, result_row
from stereokit.workflows.score_sets import ScoredSet, measure_set

_NAMES_TOLD = 5


@dataclass(frozen=True)
class ScoreSettings:
    """The words of ``stereokit score``; None leaves a part as the protocol has it."""

    generated: str
    reference: str
    protocol: str = "paper"
    feature: str | None = None
    distance: str | None = None
    is_full_range: bool | None = None
    length: float | None = None
    is_shape: bool | None = None
    sizes: Sizes = "equal"
    drop_silent: bool = False
    only: tuple[str, ...] = ()
    per_label: bool = False
    per_clip: bool = False
    fail_if: tuple[str, ...] = ()
    strict: bool = False
    seed: int = 0
    jobs: int | None = None


def score(settings: ScoreSettings, stdin: Iterable[str]) -> Events:
    """Measure both sets and yield their scores: one row, after a row a clip or a label where asked for.

    Raises
    ------
    UsageError, BadInputError
        When the settings do not go together, or no clip of a set can be used.
    """
    protocol = protocol_with(
        settings.protocol,
        feature=settings.feature,
        distance=settings.distance,
        is_full_range=settings.is_full_range,
        length=settings.length,
        is_shape=settings.is_shape,
    )
    checks = [parse_check(text, check_keys()) for text in settings.fail_if]
    if settings.generated == settings.reference == "-":
        raise UsageError("GEN and REF cannot both be standard input: give a folder or list for one of them")
    sets: list[ScoredSet] = []
    for name, given in (("gen", settings.generated), ("ref", settings.reference)):
        one = yield from measure_set(
            name,
            given,
            stdin,
            protocol,
            only=settings.only,
            details=settings.per_label or settings.per_clip,
            drop_silent=settings.drop_silent,
            jobs=available_jobs() if settings.jobs is None else settings.jobs,
        )
        yield from refusal_messages(one.refused)
        sets.append(one)
    generated, reference = sets
    refused = [*generated.refused, *reference.refused]
    _check_sets(sets, settings, refused)
    if settings.per_clip:
        for one in sets:
            yield from (clip_row(one.name, *clip) for clip in one.clips)
    if settings.per_label:
        if generated.labels | reference.labels == {""}:
            yield Message("--per-label: no clip has a label; data sets keep them in metadata.jsonl", is_warning=True)
        for label in sorted(generated.labels | reference.labels):
            yield _compared(generated.with_label(label), reference.with_label(label), settings, protocol, label)
    result = _compared(generated, reference, settings, protocol)
    failed = [check for check in checks if check.fails(result.fields)]
    yield Row(result.schema, {**result.fields, "failed_checks": [check.text for check in failed]})
    if copies := result.fields["duplicates_across"]:
        yield Message(f"{copies} generated clips are exact copies of reference clips", is_warning=True)
    for check in failed:
        value = check.figure(result.fields)
        told = "could not be computed" if value is None else f"is {value:.6g}"
        yield Message(f"--fail-if {check.text!r}: {check.key} {told}", is_warning=True)
    return worst([Status.CHECK_FAILED] * bool(failed) + [Status.SOME_FAILED] * bool(refused))


def _check_sets(sets: Sequence[ScoredSet], settings: ScoreSettings, refused: Sequence[Refusal]) -> None:
    """Stop before a score that would mislead.

    Raises
    ------
    BadInputError
        For an empty set, a clip without a shape, or any refusal with ``--strict``.
    """
    flat = [source for one in sets for source in one.dropped]
    if flat and not settings.drop_silent:
        names = ", ".join(str(source.path) for source in flat[:_NAMES_TOLD])
        more = f" and {len(flat) - _NAMES_TOLD} more" if len(flat) > _NAMES_TOLD else ""
        raise BadInputError(
            f"{names}{more}: no side signal, or too little for a width, so no shape to compare; "
            "--drop-silent leaves such clips out"
        )
    if settings.strict and refused:
        raise BadInputError(f"--strict: {len(refused)} inputs were refused, so nothing is scored")
    for one in sets:
        if not one.clips:
            raise BadInputError(f"{one.given}: no usable clip in the {one.name} set")


def _compared(
    generated: ScoredSet,
    reference: ScoredSet,
    settings: ScoreSettings,
    protocol: Protocol,
    label: str | None = None,
) -> Row:
    comparison = None
    if generated.clips and reference.clips:
        comparison = compare_sets(
            generated.sequences(protocol),
            reference.sequences(protocol),
            protocol.load_distance(),
            sizes=settings.sizes,
            seed=settings.seed,
        )
    return result_row(
        generated,
        reference,
        protocol,
        comparison,
        {
            "label": label,
            "sizes": settings.sizes,
            "seed": settings.seed,
            "duplicates_across": len(duplicates_across(generated.paths(), reference.paths())),
        },
    )
