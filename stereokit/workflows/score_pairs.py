"""``stereokit score --paired``: how near each clip comes to the clip of the same name."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from functools import partial

from stereokit.data.sources import Found, Refusal, find_sources
from stereokit.data.workers import map_files
from stereokit.errors import BadInputError, Status, worst
from stereokit.metrics.paired.measure import measure_pair
from stereokit.metrics.paired.pair import match_names
from stereokit.workflows.checks import Check
from stereokit.workflows.events import Events, Json, Message, Progress, Row
from stereokit.workflows.refusals import refusal_messages
from stereokit.workflows.score_files import Verdict
from stereokit.workflows.score_pair_baseline import baseline_notes, baseline_summary, read_pair_baseline
from stereokit.workflows.score_pair_markdown import pairs_markdown
from stereokit.workflows.score_pair_rows import pair_row, pairs_row, window_rows, without_partner
from stereokit.workflows.score_pair_settings import MeasuredPair, check_settings, load_illustrate, pair_checks
from stereokit.workflows.score_settings import ScoreSettings

# Comparing a pair of short clips takes 0.05 s, starting a process 0.4 s.
_INLINE_PAIRS, _CHUNK_PAIRS = 16, 4
_PROGRESS_STEP = 10


def score_pairs(settings: ScoreSettings, stdin: Iterable[str]) -> Events:
    """Compare clips of the same name and yield their mean figures: one row, after a row a window or a pair if wanted.

    Raises
    ------
    UsageError, BadInputError
        When the settings do not go together, or no pair can be used.
    OutputError
        When a file cannot be written.
    """
    check_settings(settings)
    checks = pair_checks(settings)
    settings.files.check_places()
    illustrate = load_illustrate(settings)
    baseline = None if settings.baseline is None else read_pair_baseline(settings.baseline, settings.window)
    estimates = find_sources(settings.generated, stdin, single_file=False)
    targets = find_sources(settings.reference, stdin, single_file=False)
    measured, refused = yield from _measured(estimates, targets, settings)
    yield from refusal_messages([refusal for _, refusal in refused])
    if settings.strict and refused:
        raise BadInputError(f"--strict: {len(refused)} inputs were refused, so nothing is scored")
    if not measured:
        raise BadInputError(f"{settings.generated}: no pair with {settings.reference} can be used")
    yield from _detail_rows(measured, settings)
    verdict = _judged(pairs_row([one.measurement for one in measured], refused, settings), baseline, checks)
    yield verdict.row
    settings.files.write(verdict, markdown=pairs_markdown)
    if illustrate is not None:
        yield from illustrate(verdict, measured, settings)
    for check in verdict.failed:
        yield Message(f"--fail-if {check.text!r}: {check.told(verdict.known)}", is_warning=True)
    return worst([Status.CHECK_FAILED] * bool(verdict.failed) + [Status.SOME_FAILED] * bool(refused))


def _measured(
    estimates: Found, targets: Found, settings: ScoreSettings
) -> Generator[Progress, None, tuple[list[MeasuredPair], list[tuple[str, Refusal]]]]:
    """Pair the clips and measure them; with what was refused go the clips without a partner."""
    paths = [{source.key: str(source.path) for source in found.sources} for found in (estimates, targets)]
    matches = match_names(list(paths[0]), list(paths[1]))
    pairs = [(paths[0][estimate], paths[1][target]) for estimate, target in matches.pairs]
    refused = [*_refused("gen", estimates.refused), *_refused("ref", targets.refused)]
    refused += [without_partner("gen", paths[0][name]) for name in matches.without_target]
    refused += [without_partner("ref", paths[1][name]) for name in matches.without_estimate]
    work = partial(measure_pair, window=settings.window)
    results = map_files(work, pairs, jobs=settings.processes(), chunk=_CHUNK_PAIRS, inline_up_to=_INLINE_PAIRS)
    measured: list[MeasuredPair] = []
    for done, (pair, result) in enumerate(zip(pairs, results, strict=True), start=1):
        if isinstance(result, BadInputError):
            refused.append(("gen", Refusal(pair[0], str(result))))
        else:
            measured.append(MeasuredPair(*pair, result))
        if done % _PROGRESS_STEP == 0 or done == len(pairs):
            yield Progress("comparing pairs", done, len(pairs))
    return measured, refused


def _refused(name: str, refused: Sequence[Refusal]) -> Iterator[tuple[str, Refusal]]:
    return ((name, one) for one in refused)


def _detail_rows(measured: Sequence[MeasuredPair], settings: ScoreSettings) -> Iterator[Row]:
    """Yield a row a window and a row a pair, where asked for; a pair's windows before it."""
    window = settings.window
    for one in measured:
        if settings.per_window and window is not None:
            yield from window_rows(one.estimate, one.target, one.measurement, window=window)
        if settings.per_clip:
            yield pair_row(one.estimate, one.target, one.measurement, window=window)


def _judged(result: Row, baseline: Mapping[str, Json] | None, checks: Sequence[Check]) -> Verdict:
    """Put a result beside the baseline and to the checks."""
    fields = dict(result.fields)
    known = fields
    if baseline is not None:
        notes = fields["notes"]
        fields["notes"] = [*(notes if isinstance(notes, list) else []), *baseline_notes(baseline, fields)]
        known = {**fields, "baseline": dict(baseline)}
    failed = [check.text for check in checks if check.fails(known)]
    shown = None if baseline is None else baseline_summary(baseline)
    return Verdict(Row(result.schema, {**fields, "baseline": shown, "failed_checks": [*failed]}), known, checks)
