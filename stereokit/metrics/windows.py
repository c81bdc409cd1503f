"""Short-time windows, counted in seconds at the file's own rate: 40 ms every 10 ms, rectangular."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt

WINDOW_S, HOP_S = 0.040, 0.010


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


def stereo_windows(excerpt: Excerpt) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the windows of left and of right, full scale ±1, each of shape (n, window)."""
    left, right = excerpt.scaled()
    return (windows_of(left, excerpt.sample_rate), windows_of(right, excerpt.sample_rate))
