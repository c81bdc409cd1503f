"""What must hold before pairs are compared, and what is passed on once they are."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from stereokit.errors import MissingError, UsageError
from stereokit.metrics.paired.measure import PairMeasurement
from stereokit.workflows.checks import BASELINE, Check, parse_check
from stereokit.workflows.events import Progress
from stereokit.workflows.score_files import Verdict
from stereokit.workflows.score_pair_rows import check_keys
from stereokit.workflows.score_settings import ScoreSettings


@dataclass(frozen=True)
class MeasuredPair:
    """Paths of an estimate and its target, and all that was measured of them."""

    estimate: str
    target: str
    measurement: PairMeasurement


IllustratePairs = Callable[[Verdict, Sequence[MeasuredPair], ScoreSettings], Iterator[Progress]]


def check_settings(settings: ScoreSettings) -> None:
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
    }
    given = [option for option, is_given in foreign.items() if is_given]
    if given:
        raise UsageError(f"{', '.join(given)}: compares sets, which --paired does not; leave one of them out")
    if settings.window is not None and settings.window < 1:
        raise UsageError(f"--window {settings.window}: must be 1 sample or more; the paper has 8192")
    if settings.per_window and settings.window is None:
        raise UsageError("--per-window: give the length of a window too: --window SAMPLES, e.g. 8192")
    if settings.generated == settings.reference == "-":
        raise UsageError("GEN and REF cannot both be standard input: give a folder or list for one of them")


def pair_checks(settings: ScoreSettings) -> list[Check]:
    """Read the conditions under which the result fails.

    Raises
    ------
    UsageError
        For one that cannot be read, or that needs a baseline which was not given.
    """
    checks = [parse_check(text, check_keys()) for text in settings.fail_if]
    for check in checks:
        for key in check.keys:
            if key.startswith(BASELINE) and settings.baseline is None:
                raise UsageError(f"--fail-if {check.text!r}: {key} needs --baseline FILE")
    return checks


def load_illustrate(settings: ScoreSettings) -> IllustratePairs | None:
    """Return what makes the page and the picture; None where neither is asked for, which needs no matplotlib.

    Raises
    ------
    MissingError
        When matplotlib is not there.
    """
    if settings.files.report is None and settings.files.plot is None:
        return None
    try:
        from stereokit.workflows.score_pair_report import illustrate  # noqa: PLC0415 - works without matplotlib
    except ImportError as error:
        raise MissingError("--report and --plot need matplotlib: pip install 'stereokit[plot]'") from error
    return illustrate
