"""A result of ``stereokit score --paired`` in words, and its figures as all tables of it show them."""

from collections.abc import Iterator, Mapping
from math import sqrt

from stereokit.metrics.decibels import LIMIT_DB
from stereokit.metrics.paired.views import VIEWS
from stereokit.workflows.events import Json

VIEW_TITLES = {"left_right": "left and right", "mid": "mid", "side": "side"}
FIGURE_TITLES = {
    "snr_db": "SNR, dB",
    "si_sdr_db": "SI-SDR, dB",
    "lsd": "log-spectral distance",
    "mr_stft": "multi-resolution STFT",
    "mel_mse": "mel picture, MSE",
    "mel_mae": "mel picture, MAE",
}
WIDTH_TITLES = {
    "stsd_gen": "width of the estimates",
    "stsd_ref": "width of the targets",
    "stsd_mean": "difference",
    "stsd_l1": "difference, sign dropped",
    "stsd_emd": "difference, order dropped",
}
MEANINGS = (
    "SNR and SI-SDR: higher is better, 200 is an exact copy; SI-SDR forgives a wrong gain.",
    (
        "All others: lower is better, 0 is an exact copy. Log-spectral distance is in decades of power; the "
        "multi-resolution distance adds a share of the spectrum to a difference of logarithms; errors of mel pictures "
        "are shares of 80 dB."
    ),
    "A dash is a figure that nothing defines, such as the ratio of a silent side to its error.",
)

# So many standard errors lie between a mean of chance alone and 0 once in twenty times.
_STANDARD_ERRORS = 2.0


def verdict(fields: Mapping[str, Json]) -> str:
    """Return in one sentence how near the pairs are and whether their width drifts."""
    pairs = "1 pair" if fields["pairs"] == 1 else f"{fields['pairs']} pairs"
    return f"{pairs}: {_nearness(fields)}; {_width(fields)}"


def _nearness(fields: Mapping[str, Json]) -> str:
    means = {view: mean_of(fields, view, "snr_db") for view in VIEWS}
    is_whole = fields["over"] == "pairs"
    known = {view: mean for view, mean in means.items() if mean is not None}
    if not known:
        return "the targets are silent" if is_whole else "no window is long and loud enough"
    if all(mean == LIMIT_DB for mean in known.values()):
        return "the estimates are exact copies of their targets"
    words = [f"{known[view]:.1f} dB in {VIEW_TITLES[view]}" for view in VIEWS if view in known]
    silent = [VIEW_TITLES[view] for view in VIEWS if view not in known]
    why = "silent" if is_whole else "quiet in all windows"
    return f"SNR {', '.join(words)}" + (f" (none in {' and '.join(silent)}: {why})" if silent else "")


def _width(fields: Mapping[str, Json]) -> str:
    drift, target = spread(fields, "stsd_mean"), spread(fields, "stsd_ref")["mean"] or 0.0
    mean, deviation, count = (drift[part] or 0.0 for part in ("mean", "sd", "n"))
    if not spread(fields, "stsd_l1")["mean"]:
        return "the width is the targets'"
    if abs(mean) <= _STANDARD_ERRORS * deviation / sqrt(max(count, 1.0)):
        return f"no drift of the width shows ({mean:+.2g} on average, targets {target:.2g})"
    by = f"{100.0 * abs(mean) / target:.3g} %" if target else f"{abs(mean):.2g} of full scale"
    return f"the estimates are {'wider' if mean > 0 else 'narrower'} than their targets by {by}"


def spread(fields: Mapping[str, Json], *keys: str) -> dict[str, float | None]:
    """Return mean, sd and n of a figure; None where the row has none."""
    value: Json = dict(fields)
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    numbers = value if isinstance(value, dict) else {}
    return {
        part: float(number) if isinstance(number := numbers.get(part), int | float) else None
        for part in ("mean", "sd", "n")
    }


def mean_of(fields: Mapping[str, Json], *keys: str) -> float | None:
    """Return the mean of a figure."""
    return spread(fields, *keys)["mean"]


def spread_word(value: Mapping[str, float | None]) -> str:
    """Return mean ± deviation; a dash where there is no value."""
    mean, deviation = value["mean"], value["sd"]
    if mean is None:
        return "-"
    return f"{mean:.4g}" if deviation is None else f"{mean:.4g} ± {deviation:.2g}"


def results(fields: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """Return a result, and its baseline where it has one."""
    baseline = fields["baseline"]
    return [fields, baseline] if isinstance(baseline, dict) else [fields]


def figure_lines(fields: Mapping[str, Json]) -> Iterator[list[str]]:
    """Yield a line a figure: its name, and mean ± deviation in each view, then in each of the baseline."""
    for figure, title in FIGURE_TITLES.items():
        yield [title, *(spread_word(spread(one, view, figure)) for one in results(fields) for view in VIEWS)]


def width_lines(fields: Mapping[str, Json]) -> Iterator[list[str]]:
    """Yield a line a figure of the width: its name, and mean ± deviation, then the baseline's."""
    for key, title in WIDTH_TITLES.items():
        yield [title, *(spread_word(spread(one, key)) for one in results(fields))]
