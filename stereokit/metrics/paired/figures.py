"""All figures of a pair, for the whole clip or window by window, and their mean and deviation over many."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.decibels import number_or_none
from stereokit.metrics.distance import Distance, pair_distance
from stereokit.metrics.excerpt import SQRT2
from stereokit.metrics.paired.levels import level_dbfs, scale_invariant_db, signal_to_noise_db
from stereokit.metrics.paired.mel_picture import picture_errors, white_power
from stereokit.metrics.paired.pair import Pair
from stereokit.metrics.paired.spectra import log_spectral_distance, multi_resolution_distance
from stereokit.metrics.side import short_time_side_distance

# Windows of the target under this level are left out: there the floor decides, not the sound.
QUIET_DBFS = -60.0

VIEWS = ("left_right", "mid", "side")
FIGURES = ("snr_db", "si_sdr_db", "lsd", "mr_stft", "mel_mse", "mel_mae")

# Samples of the windows that are computed at once.
_BLOCK_SAMPLES = 1 << 17
_EMD = Distance("", is_sorted=True, power=1)


@dataclass(frozen=True)
class WindowFigures:
    """Figures of one view of a pair, window by window.

    Attributes
    ----------
    values
        For each of ``FIGURES`` one value a window that was scored, shape (n,); NaN where it has none.
    quiet
        How many windows were left out, their target under -60 dBFS.
    """

    values: dict[str, NDArray[np.float64]]
    quiet: int


@dataclass(frozen=True)
class Drift:
    """How the width of an estimate, its STSD in full scale, departs from the target's.

    Attributes
    ----------
    mean
        Mean of estimate less target: positive is wider.
    l1
        Mean absolute difference, aligned in time.
    emd
        Earth mover's distance, order in time forgotten.
    """

    mean: float
    l1: float
    emd: float


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of ``count`` values; None where there are too few (none, one)."""

    mean: float | None
    deviation: float | None
    count: int


def whole_figures(pair: Pair) -> dict[str, dict[str, float | None]]:
    """Return view -> figure -> value over the whole clip.

    None where a figure has no value: SNR where target and estimate are silent, SI-SDR where the target is.
    """
    rate = pair.target.sample_rate
    estimate, target = (one[None] for one in pair.left_right())
    white = white_power(target, rate)
    return {
        name: {figure: number_or_none(values[0]) for figure, values in _figures(x, t, rate, white).items()}
        for name, x, t in _views(estimate, target)
    }


def window_figures(pair: Pair, window: int) -> dict[str, WindowFigures]:
    """Return view -> figures of windows that follow each other without overlap; a rest at the end is left out.

    Parameters
    ----------
    pair
        The clips.
    window
        Samples of a window; 8192 in the instrument-transfer paper. A clip under it has no window.

    Notes
    -----
    Whether a window is quiet is asked of each view by itself: the side of a narrow clip is, where its mid is not.
    """
    rate = pair.target.sample_rate
    estimates, targets = (_cut(one, window) for one in pair.left_right())
    step = max(1, _BLOCK_SAMPLES // window)
    parts: dict[str, list[dict[str, NDArray[np.float64]]]] = {name: [] for name in VIEWS}
    quiet = dict.fromkeys(VIEWS, 0)
    for first in range(0, len(targets), step):
        estimate, target = estimates[first : first + step], targets[first : first + step]
        white = white_power(target, rate)
        for name, x, t in _views(estimate, target):
            heard = level_dbfs(t) >= QUIET_DBFS
            quiet[name] += int((~heard).sum())
            if heard.any():
                parts[name].append(_figures(x[heard], t[heard], rate, white[heard]))
    return {name: WindowFigures(_joined(parts[name]), quiet[name]) for name in VIEWS}


def _views(
    estimate: NDArray[np.float64], target: NDArray[np.float64]
) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield clips of left and right, (n, 2, T), as they are, then mid and side of both, (n, 1, T).

    m, s = (L ± R) / sqrt(2), so that mid and side have together the energy of L and R.
    """
    yield "left_right", estimate, target
    for name, sign in (("mid", 1.0), ("side", -1.0)):
        x, t = ((both[:, :1] + sign * both[:, 1:]) / SQRT2 for both in (estimate, target))
        yield name, x, t


def _cut(signal: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the whole windows of (channels, T), shape (n, channels, window)."""
    count = signal.shape[1] // window
    return np.moveaxis(signal[:, : count * window].reshape(len(signal), count, window), 1, 0)


def _figures(
    estimate: NDArray[np.float64], target: NDArray[np.float64], sample_rate: int, white: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return each of ``FIGURES`` for clips of shape (n, channels, T)."""
    squared, absolute = picture_errors(estimate, target, sample_rate, white=white)
    return {
        "snr_db": signal_to_noise_db(estimate, target),
        "si_sdr_db": scale_invariant_db(estimate, target),
        "lsd": log_spectral_distance(estimate, target),
        "mr_stft": multi_resolution_distance(estimate, target),
        "mel_mse": squared,
        "mel_mae": absolute,
    }


def _joined(parts: list[dict[str, NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    return {figure: np.concatenate([part[figure] for part in parts] or [np.zeros(0)]) for figure in FIGURES}


def width_drift(pair: Pair) -> Drift:
    """Compare the short-time side distances (STSD) of both clips: whether the image got wider or narrower."""
    estimate, target = (short_time_side_distance(one) for one in (pair.estimate, pair.target))
    difference = estimate - target
    return Drift(
        mean=float(difference.mean()),
        l1=float(np.abs(difference).mean()),
        emd=pair_distance(np.sort(estimate), np.sort(target), _EMD),
    )


def spread_of(values: Iterable[float | None]) -> Spread:
    """Return the mean and the sample standard deviation (n - 1) of the values that are there.

    >>> spread_of([1.0, None, 3.0])
    Spread(mean=2.0, deviation=1.4142135623730951, count=2)
    """
    there = np.array([value for value in values if value is not None], np.float64)
    there = there[~np.isnan(there)]
    return Spread(
        mean=float(there.mean()) if len(there) else None,
        deviation=float(there.std(ddof=1)) if len(there) > 1 else None,
        count=len(there),
    )


def window_spreads(pairs: Iterable[Mapping[str, WindowFigures]]) -> dict[str, dict[str, Spread]]:
    """Return view -> figure -> mean and deviation over all windows of all pairs, each window weighing the same."""
    collected = list(pairs)
    return {
        view: {
            figure: spread_of(np.concatenate([np.zeros(0), *(one[view].values[figure] for one in collected)]).tolist())
            for figure in FIGURES
        }
        for view in VIEWS
    }
