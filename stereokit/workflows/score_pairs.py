"""``stereokit score --paired``: how near each clip comes to the clip of the same name."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import partial

from stereokit.data.sources import Found, Refusal, find_sources
from stereokit.data.workers import available_jobs, map_files
from stereokit.errors import BadInputError, Status, UsageError, worst
from stereokit.metrics.paired.measure import PairMeasurement, measure_pair
from stereokit.metrics.paired.pair import match_names
from stereokit.workflows.checks import BASELINE, Check, parse_check
from stereokit.workflows.events import Events, Message, Progress, Row
from stereokit.workflows.refusals import refusal_messages
from stereokit.workflows.score_files import Verdict
from stereokit.workflows.score_pair_rows import check_keys, pair_row, pairs_row
from stereokit.workflows.score_settings import ScoreSettings

# Comparing a pair of short clips takes 0.05 s, starting a process 0.4 s.
_INLINE_PAIRS, _CHUNK_PAIRS = 16, 4
_PROGRESS_STEP = 10


def score_pairs(settings: ScoreSettings, stdin: Iterable[str]) -> Events:
    """Compare clips of the same name and yield their mean figures: one row, after a row a pair where asked for.

    Raises
    ------
    UsageError, BadInputError
        When the settings do not go together, or no pair can be used.
    OutputError
        When a file cannot be written.
    """
    _check_settings(settings)
    checks = _checks(settings)
    settings.files.check_places()
    estimates = find_sources(settings.generated, stdin, single_file=False)
    targets = find_sources(settings.reference, stdin, single_file=False)
    measured, refused = yield from _measured(estimates, targets, settings)
    yield from refusal_messages([refusal for _, refusal in refused])
    if settings.strict and refused:
        raise BadInputError(f"--strict: {len(refused)} inputs were refused, so nothing is scored")
    if not measured:
        raise BadInputError(f"{settings.generated}: no pair with {settings.reference} can be used")
    if settings.per_clip:
        yield from (pair_row(*one, window=settings.window) for one in measured)
    result = pairs_row([one for *_, one in measured], refused, settings)
    failed = [check.text for check in checks if check.fails(result.fields)]
    verdict = Verdict(Row(result.schema, {**result.fields, "failed_checks": [*failed]}), result.fields, checks)
    yield verdict.row
    settings.files.write(verdict)
    for check in verdict.failed:
        yield Message(f"--fail-if {check.text!r}: {check.told(verdict.known)}", is_warning=True)
    return worst([Status.CHECK_FAILED] * bool(verdict.failed) + [Status.SOME_FAILED] * bool(refused))


def _check_settings(settings: ScoreSettings) -> None:
    """Refuse what has no meaning for pairs.

    Raises
    ------
    UsageError
        Naming the option.
    """
    foreign = {
        "--protocol": settings.protocol != "paper",
        "--feature": settings.feature is not None,
        "--distance": settings.distance is not None,
        "--range": settings.is_full_range is not None,
        "--length": settings.length is not None,
        "--shape": settings.is_shape is not None,
        "--sizes": settings.sizes != "equal",
        "--drop-silent": settings.drop_silent,
        "--only": bool(settings.only),
        "--per-label": settings.per_label,
        "--statistics": settings.statistics,
        "--audit": settings.audit,
        "--train": settings.train is not None,
        "--embedding": settings.embedding is not None,
        "--device": settings.device == "cuda",
        "--baseline": settings.baseline is not None,
        "--markdown": settings.files.markdown is not None,
        "--report": settings.files.report is not None,
        "--plot": settings.files.plot is not None,
    }
    given = [option for option, is_given in foreign.items() if is_given]
    if given:
        raise UsageError(f"{', '.join(given)}: compares sets, which --paired does not; leave one of them out")
    if settings.window is not None and settings.window < 1:
        raise UsageError(f"--window {settings.window}: must be 1 sample or more; the paper has 8192")
    if settings.generated == settings.reference == "-":
        raise UsageError("GEN and REF cannot both be standard input: give a folder or list for one of them")


def _checks(settings: ScoreSettings) -> list[Check]:
    checks = [parse_check(text, check_keys()) for text in settings.fail_if]
    for check in checks:
        if any(key.startswith(BASELINE) for key in check.keys):
            raise UsageError(f"--fail-if {check.text!r}: --paired has no baseline")
    return checks


Measured = tuple[str, str, PairMeasurement]


def _measured(
    estimates: Found, targets: Found, settings: ScoreSettings
) -> Generator[Progress, None, tuple[list[Measured], list[tuple[str, Refusal]]]]:
    """Pair the clips and measure them; with what was refused go the clips without a partner."""
    paths = [{source.key: str(source.path) for source in found.sources} for found in (estimates, targets)]
    matches = match_names(list(paths[0]), list(paths[1]))
    pairs = [(paths[0][estimate], paths[1][target]) for estimate, target in matches.pairs]
    refused = [*_refused("gen", estimates.refused), *_refused("ref", targets.refused)]
    refused += [("gen", Refusal(paths[0][name], "has no partner in REF")) for name in matches.without_target]
    refused += [("ref", Refusal(paths[1][name], "has no partner in GEN")) for name in matches.without_estimate]
    jobs = available_jobs() if settings.jobs is None else settings.jobs
    work = partial(measure_pair, window=settings.window)
    results = map_files(work, pairs, jobs=jobs, chunk=_CHUNK_PAIRS, inline_up_to=_INLINE_PAIRS)
    measured: list[Measured] = []
    for done, (pair, result) in enumerate(zip(pairs, results, strict=True), start=1):
        if isinstance(result, BadInputError):
            refused.append(("gen", Refusal(pair[0], str(result))))
        else:
            measured.append((*pair, result))
        if done % _PROGRESS_STEP == 0 or done == len(pairs):
            yield Progress("comparing pairs", done, len(pairs))
    return measured, refused


def _refused(name: str, refused: Sequence[Refusal]) -> Iterator[tuple[str, Refusal]]:
    return ((name, one) for one in refused)
