"""Short-time windows, counted in seconds at the file's own rate: 40 ms every 10 ms, rectangular."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt

WINDOW_S, HOP_S = 0.040, 0.010
_WINDOWS_AT_ONCE = 256


def window_samples(sample_rate: int) -> tuple[int, int]:
    """Return window and hop in samples; halves round to even, as score.md and Python do.

    >>> window_samples(44_100), window_samples(22_050)
    ((1764, 441), (882, 220))
    """
    return round(WINDOW_S * sample_rate), round(HOP_S * sample_rate)


def windows_of(signal: NDArray[Any], sample_rate: int) -> NDArray[Any]:
    """Return the windows that lie wholly inside, shape (n, window) as a view.

    A signal shorter than a window is one window by itself.
    """
    window, hop = window_samples(sample_rate)
    if len(signal) < window:
        return signal[None]
    return sliding_window_view(signal, window)[::hop]


def map_windows(
    function: Callable[..., NDArray[np.float64]], excerpt: Excerpt, *signals: NDArray[Any]
) -> NDArray[np.float64]:
    """Apply a function of windows, (n, window) of each signal -> (..., n), to some windows at a time.

    Four windows overlap at each sample, so all at once would take many times the memory of the clip.
    """
    views = [windows_of(signal, excerpt.sample_rate) for signal in signals]
    starts = range(0, len(views[0]), _WINDOWS_AT_ONCE)
    parts = [function(*(view[start : start + _WINDOWS_AT_ONCE] for view in views)) for start in starts]
    return np.concatenate(parts, axis=-1)


def map_stereo_windows(
    function: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]], excerpt: Excerpt
) -> NDArray[np.float64]:
    """Apply a function of the windows of left and right, full scale ±1, as ``map_windows`` does."""

    def scaled(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float64]:
        pair = (np.divide(one, excerpt.full_scale, dtype=np.float64) for one in (left, right))
        return function(*pair)

    return map_windows(scaled, excerpt, excerpt.left, excerpt.right)
