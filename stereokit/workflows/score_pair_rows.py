"""The rows that ``stereokit score --paired`` yields, and the keys that a check may name."""

from collections import Counter
from collections.abc import Sequence

from stereokit.data.sources import Refusal
from stereokit.metrics.paired.figures import FIGURES, QUIET_DBFS
from stereokit.metrics.paired.measure import PairMeasurement
from stereokit.metrics.paired.spread import Spread, spread_of, window_spreads
from stereokit.metrics.paired.views import VIEWS
from stereokit.workflows.events import Json, Row
from stereokit.workflows.score_settings import ScoreSettings

PAIRS_SCHEMA = "stereokit.score.paired/1"
PAIR_SCHEMA = "stereokit.score.pair/1"

# How the width of the clips departs from their targets', over whole clips.
_DRIFTS = ("mean", "l1", "emd")
_SPREAD = ("mean", "sd", "n")


def check_keys() -> list[str]:
    """List the figures of a result row that ``--fail-if`` may name."""
    spreads = [*(f"{view}.{figure}" for view in VIEWS for figure in FIGURES), *(f"stsd_{name}" for name in _DRIFTS)]
    counts = ["pairs", "without_partner.gen", "without_partner.ref", *(f"quiet_windows.{view}" for view in VIEWS)]
    return [*counts, *(f"{figure}.{part}" for figure in spreads for part in _SPREAD)]


def pairs_row(
    measured: Sequence[PairMeasurement], refused: Sequence[tuple[str, Refusal]], settings: ScoreSettings
) -> Row:
    """Return the one row of a result: mean and deviation of every figure over all pairs, or over all their windows."""
    missing = {
        name: sum(given == name and "has no partner" in refusal.reason for given, refusal in refused)
        for name in ("gen", "ref")
    }
    rates = Counter(one.sample_rate for one in measured)
    return Row(
        PAIRS_SCHEMA,
        {
            "pairs": len(measured),
            "without_partner": {**missing},
            "over": "pairs" if settings.window is None else "windows",
            "window_samples": settings.window,
            **_figures(measured),
            "gen": settings.generated,
            "ref": settings.reference,
            "sample_rates": {str(rate): count for rate, count in sorted(rates.items())},
            "failed": [{"set": name, "path": refusal.path, "reason": refusal.reason} for name, refusal in refused],
            "notes": [*_notes(settings)],
        },
    )


def pair_row(estimate: str, target: str, measurement: PairMeasurement, *, window: int | None) -> Row:
    """Return the row of one pair: its figures, in window mode their mean and deviation over its windows."""
    figures = _figures([measurement])
    if window is None:
        figures = {name: _means(value) for name, value in figures.items() if name != "quiet_windows"}
    return Row(
        PAIR_SCHEMA,
        {
            "path": estimate,
            "target": target,
            **figures,
            "sample_rate_hz": measurement.sample_rate,
            "duration_s": measurement.frames / measurement.sample_rate,
        },
    )


def _figures(measured: Sequence[PairMeasurement]) -> dict[str, Json]:
    spreads = window_spreads(one.figures for one in measured)
    drifts = {name: spread_of(getattr(one.drift, name) for one in measured) for name in _DRIFTS}
    return {
        **{view: {figure: _spread(one) for figure, one in figures.items()} for view, figures in spreads.items()},
        **{f"stsd_{name}": _spread(one) for name, one in drifts.items()},
        "quiet_windows": {view: sum(one.figures[view].quiet for one in measured) for view in VIEWS},
    }


def _spread(spread: Spread) -> dict[str, Json]:
    return dict(zip(_SPREAD, (spread.mean, spread.deviation, spread.count), strict=True))


def _means(value: Json) -> Json:
    """Return a spread's mean; of figures by name each one's."""
    if not isinstance(value, dict):
        return value
    return value["mean"] if "mean" in value else {name: _means(one) for name, one in value.items()}


def _notes(settings: ScoreSettings) -> list[str]:
    notes = ["REF is the yardstick: SNR, SI-SDR and the multi-resolution distance are not symmetric"]
    if settings.window is not None:
        notes.append(
            f"windows of {settings.window} samples whose target lies under {QUIET_DBFS:g} dBFS were left out, asked "
            "of left and right, mid and side each by itself; a rest at a clip's end too"
        )
    return notes
