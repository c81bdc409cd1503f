"""``stereokit score``: how near a generated set comes to a reference set."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from stereokit.errors import BadInputError, Status, UsageError, worst
from stereokit.metrics.comparison import compare_sets
from stereokit.metrics.duplicates import duplicates_across
from stereokit.metrics.protocol import Protocol
from stereokit.workflows.checks import Check
from stereokit.workflows.events import Event, Events, Message, Row
from stereokit.workflows.refusals import refusal_messages
from stereokit.workflows.score_audit import audit_fields, audit_notes, memorisation_fields
from stereokit.workflows.score_baseline import Baseline, read_baseline
from stereokit.workflows.score_device import check_device, search_device
from stereokit.workflows.score_files import Verdict
from stereokit.workflows.score_rows import clip_row, failure, result_row
from stereokit.workflows.score_sets import ScoredSet, measure_set
from stereokit.workflows.score_settings import ScoreSettings
from stereokit.workflows.score_vectors import vector_figures

if TYPE_CHECKING:
    from stereokit.workflows.score_embedding import SetEmbedder

_NAMES_TOLD = 5
_MEMORISATION_WARNINGS = {
    "copies": "generated clips are exact copies of training clips",
    "reference_copies": "reference clips are training clips: REF must hold clips that were not trained on",
}


def score(settings: ScoreSettings, stdin: Iterable[str]) -> Events:
    """Measure both sets and yield their scores: one row, after a row a clip or a label where asked for.

    Raises
    ------
    UsageError, BadInputError
        When the settings do not go together, or no clip of a set can be used.
    OutputError
        When a file cannot be written.
    """
    if settings.window is not None:
        raise UsageError("--window: windows are for clips of the same name; give --paired too")
    protocol = settings.load_protocol()
    checks = settings.checks()
    check_device(settings.device)
    settings.files.check_places()
    illustrate = settings.illustrate()
    baseline = None if settings.baseline is None else read_baseline(settings.baseline)
    if [settings.generated, settings.reference, settings.train].count("-") > 1:
        raise UsageError("GEN and REF cannot both be standard input: give a folder or list for one of them")
    embedder = settings.load_embedder(protocol)
    if embedder is not None:
        protocol = embedder.protocol
    sets = yield from _measured(settings, protocol, embedder, stdin)
    _check_sets(sets, settings)
    generated, reference = sets[:2]
    labels = yield from _detail_rows((generated, reference), settings, protocol)
    result = _compared(generated, reference, settings, protocol)
    result = _audited(result, sets, settings, protocol)
    verdict = _judged(result, baseline, checks, labels)
    yield verdict.row
    settings.files.write(verdict)
    if illustrate is not None:
        yield from illustrate(verdict, (generated, reference), settings, protocol)
    yield from _messages(verdict)
    refused = any(one.refused for one in sets)
    return worst([Status.CHECK_FAILED] * bool(verdict.failed) + [Status.SOME_FAILED] * refused)


def _measured(
    settings: ScoreSettings, protocol: Protocol, embedder: "SetEmbedder | None", stdin: Iterable[str]
) -> Generator[Event, None, list[ScoredSet]]:
    """Find and measure the generated and the reference set, perhaps a training set, and tell what was refused."""
    sets = []
    words = {"gen": settings.generated, "ref": settings.reference}
    if settings.train is not None:
        words["train"] = settings.train
    for name, given in words.items():
        one = yield from measure_set(
            name,
            given,
            stdin,
            protocol,
            only=settings.only,
            with_labels=settings.per_label or settings.per_clip,
            drop_silent=settings.drop_silent,
            jobs=settings.processes(),
        )
        if embedder is not None:
            one = yield from embedder.embedded(one)
        yield from refusal_messages(one.refused)
        sets.append(one)
    return sets


def _check_sets(sets: Sequence[ScoredSet], settings: ScoreSettings) -> None:
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
    refused = sum(len(one.refused) for one in sets)
    if settings.strict and refused:
        raise BadInputError(f"--strict: {refused} inputs were refused, so nothing is scored")
    for one in sets:
        if not one.clips:
            raise BadInputError(f"{one.given}: no usable clip in the {one.name} set")


def _detail_rows(
    sets: tuple[ScoredSet, ScoredSet], settings: ScoreSettings, protocol: Protocol
) -> Generator[Row | Message, None, list[Row]]:
    """Yield a row a clip and a row a label, where asked for, and return the latter."""
    generated, reference = sets
    results = []
    if settings.per_clip:
        for one in sets:
            yield from (clip_row(one.name, *clip) for clip in one.clips)
    if settings.per_label:
        labels = generated.labels | reference.labels
        if labels == {""}:
            yield Message("--per-label: no clip has a label; data sets keep them in metadata.jsonl", is_warning=True)
        for label in sorted(labels):
            row = _compared(generated.with_label(label), reference.with_label(label), settings, protocol, label)
            results.append(row)
            yield row
    return results


def _compared(
    generated: ScoredSet,
    reference: ScoredSet,
    settings: ScoreSettings,
    protocol: Protocol,
    label: str | None = None,
) -> Row:
    comparison = None
    device = search_device(settings.device, (generated, reference), protocol)
    if generated.clips and reference.clips:
        comparison = compare_sets(
            generated.sequences(protocol),
            reference.sequences(protocol),
            protocol.load_distance(),
            sizes=settings.sizes,
            seed=settings.seed,
            tests="thorough" if settings.statistics else "quick",
            are_widths=protocol.load_feature().can_be_shape and not protocol.is_shape,
            device=device,
            threads=settings.processes(),
        )
    return result_row(
        generated,
        reference,
        protocol,
        comparison=comparison,
        vectors=vector_figures(
            generated.sequences(protocol), reference.sequences(protocol), protocol, seed=settings.seed
        ),
        extra={
            "label": label,
            "sizes": settings.sizes,
            "seed": settings.seed,
            "device": device or "cpu",
            "duplicates_across": len(duplicates_across(generated.paths(), reference.paths())),
        },
    )


def _audited(result: Row, sets: Sequence[ScoredSet], settings: ScoreSettings, protocol: Protocol) -> Row:
    """Add what the sets hold, and what --train asks for."""
    generated, reference, *training = sets
    audit = audit_fields(generated, reference, are_listed=settings.audit)
    learned = [memorisation_fields(generated, reference, one, protocol) for one in training]
    failed, notes = result.fields["failed"], result.fields["notes"]
    refused = [failure(one.name, refusal) for one in training for refusal in one.refused]
    return Row(
        result.schema,
        {
            **result.fields,
            "audit": audit,
            "memorisation": learned[0] if learned else None,
            "failed": [*(failed if isinstance(failed, list) else []), *refused],
            "notes": [*(notes if isinstance(notes, list) else []), *audit_notes(audit, are_listed=settings.audit)],
        },
    )


def _judged(result: Row, baseline: Baseline | None, checks: Sequence[Check], labels: Sequence[Row]) -> Verdict:
    """Put a result beside the baseline and to the checks; with it go the results of the labels.

    Raises
    ------
    BadInputError
        When the baseline was scored with other settings.
    """
    fields = dict(result.fields)
    known = fields
    if baseline is not None:
        baseline.check_settings(fields)
        notes = fields["notes"]
        fields["notes"] = [*(notes if isinstance(notes, list) else []), *baseline.notes(fields)]
        known = {**fields, "baseline": dict(baseline.fields)}
    failed = [check.text for check in checks if check.fails(known)]
    shown = None if baseline is None else baseline.summary()
    return Verdict(Row(result.schema, {**fields, "baseline": shown, "failed_checks": [*failed]}), known, checks, labels)


def _messages(verdict: Verdict) -> Iterator[Message]:
    if copies := verdict.row.fields["duplicates_across"]:
        yield Message(f"{copies} generated clips are exact copies of reference clips", is_warning=True)
    learned = verdict.row.fields["memorisation"]
    if isinstance(learned, dict):
        for key, told in _MEMORISATION_WARNINGS.items():
            if learned[key]:
                yield Message(f"{learned[key]} {told}", is_warning=True)
    for check in verdict.failed:
        yield Message(f"--fail-if {check.text!r}: {check.told(verdict.known)}", is_warning=True)
