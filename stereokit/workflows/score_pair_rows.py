"""The rows that ``stereokit score --paired`` yields, and the keys that a check may name."""

from collections import Counter
from collections.abc import Iterator, Sequence

from stereokit.data.sources import Refusal
from stereokit.metrics.decibels import number_or_none
from stereokit.metrics.paired.figures import FIGURES, QUIET_DBFS
from stereokit.metrics.paired.measure import PairMeasurement
from stereokit.metrics.paired.spread import Spread, spread_of, window_spreads
from stereokit.metrics.paired.views import VIEWS
from stereokit.workflows.events import Json, Row
from stereokit.workflows.score_pair_words import verdict
from stereokit.workflows.score_settings import ScoreSettings

PAIRS_SCHEMA = "stereokit.score.paired/1"
PAIR_SCHEMA = "stereokit.score.pair/1"
WINDOW_SCHEMA = "stereokit.score.window/1"

# Mean width of the estimates and of the targets, and how the one departs from the other, over whole clips.
_WIDTHS = {"gen": "estimate", "ref": "target", "mean": "mean", "l1": "l1", "emd": "emd"}
_SPREAD = ("mean", "sd", "n")
_QUIET = f"target under {QUIET_DBFS:g} dBFS"
_MISSING = {"gen": "has no partner in REF", "ref": "has no partner in GEN"}


def check_keys() -> list[str]:
    """List the figures of a result row that ``--fail-if`` may name."""
    spreads = [*(f"{view}.{figure}" for view in VIEWS for figure in FIGURES), *(f"stsd_{name}" for name in _WIDTHS)]
    counts = ["pairs", "without_partner.gen", "without_partner.ref", *(f"quiet_windows.{view}" for view in VIEWS)]
    return [*counts, *(f"{figure}.{part}" for figure in spreads for part in _SPREAD)]


def without_partner(name: str, path: str) -> tuple[str, Refusal]:
    """Return what stands for a clip of ``gen`` or ``ref`` that belongs to no other."""
    return name, Refusal(path, _MISSING[name])


def pairs_row(
    measured: Sequence[PairMeasurement], refused: Sequence[tuple[str, Refusal]], settings: ScoreSettings
) -> Row:
    """Return the one row of a result: mean and deviation of every figure over all pairs, or over all their windows."""
    missing = {
        name: sum(given == name and refusal.reason == reason for given, refusal in refused)
        for name, reason in _MISSING.items()
    }
    rates = Counter(one.sample_rate for one in measured)
    fields: dict[str, Json] = {
        "pairs": len(measured),
        "without_partner": {**missing},
        "over": "pairs" if settings.window is None else "windows",
        "window_samples": settings.window,
        **_figures(measured),
        "gen": settings.generated,
        "ref": settings.reference,
        "sample_rates": {str(rate): count for rate, count in sorted(rates.items())},
        "failed": [{"set": name, "path": refusal.path, "reason": refusal.reason} for name, refusal in refused],
        "notes": [*_notes(measured, settings)],
    }
    return Row(PAIRS_SCHEMA, {**fields, "verdict": verdict(fields)})


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


def window_rows(estimate: str, target: str, measurement: PairMeasurement, *, window: int) -> Iterator[Row]:
    """Yield a row a window of one pair, in order; a figure of a view that is left out is null, with the reason."""
    figures, rate = measurement.figures, measurement.sample_rate
    for index in range(len(figures[VIEWS[0]].is_quiet)):
        parts: dict[str, dict[str, Json]] = {
            view: {name: number_or_none(values[index]) for name, values in figures[view].values.items()}
            for view in VIEWS
        }
        yield Row(
            WINDOW_SCHEMA,
            {
                "path": estimate,
                "target": target,
                "start_samples": index * window,
                "start_s": index * window / rate,
                "window_samples": window,
                **parts,
                "target_dbfs": {view: float(figures[view].target_dbfs[index]) for view in VIEWS},
                "left_out": {view: _QUIET if figures[view].is_quiet[index] else None for view in VIEWS},
                "sample_rate_hz": rate,
            },
        )


def _figures(measured: Sequence[PairMeasurement]) -> dict[str, Json]:
    spreads = window_spreads(one.figures for one in measured)
    widths = {name: spread_of(getattr(one.drift, attribute) for one in measured) for name, attribute in _WIDTHS.items()}
    return {
        **{view: {figure: _spread(one) for figure, one in figures.items()} for view, figures in spreads.items()},
        **{f"stsd_{name}": _spread(one) for name, one in widths.items()},
        "quiet_windows": {view: sum(one.figures[view].quiet for one in measured) for view in VIEWS},
    }


def _spread(spread: Spread) -> dict[str, Json]:
    return dict(zip(_SPREAD, (spread.mean, spread.deviation, spread.count), strict=True))


def _means(value: Json) -> Json:
    """Return a spread's mean; of figures by name each one's."""
    if not isinstance(value, dict):
        return value
    return value["mean"] if "mean" in value else {name: _means(one) for name, one in value.items()}


def _quiet_clips(measured: Sequence[PairMeasurement]) -> list[str]:
    counts = {view: sum(float(one.figures[view].target_dbfs[0]) < QUIET_DBFS for one in measured) for view in VIEWS}
    if not any(counts.values()):
        return []
    told = ", ".join(f"{view} {count}" for view, count in counts.items())
    return [f"targets under {QUIET_DBFS:g} dBFS: {told}; there the floor decides the spectral distances, not the sound"]


def _notes(measured: Sequence[PairMeasurement], settings: ScoreSettings) -> list[str]:
    notes = ["REF is the yardstick: SNR, SI-SDR and the multi-resolution distance are not symmetric"]
    if settings.window is None:
        return notes + _quiet_clips(measured)
    notes.append(
        f"windows of {settings.window} samples whose target lies under {QUIET_DBFS:g} dBFS were left out, asked "
        "of left and right, mid and side each by itself; a rest at a clip's end too"
    )
    short = sum(one.frames < settings.window for one in measured)
    if short:
        notes.append(f"{short} pairs are shorter than a window and have none")
    return notes
