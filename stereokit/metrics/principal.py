"""The cloud of (L, R) points of a window: its covariance seen from mid and side, and its principal axes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import SQRT2, Excerpt
from stereokit.metrics.windows import map_stereo_windows

# A variance this small against the larger one is rounding, not sound.
_NEGLIGIBLE = 1e-15


@dataclass(frozen=True)
class Axes:
    """Principal axes of each window, arrays of shape (n,).

    Attributes
    ----------
    angle_degrees
        Direction of the first principal axis from L = R, positive towards R, in (-90, 90]; 0 in silence.
    larger, smaller
        Variance along the first axis and across it; ``smaller`` is exactly 0 where it is only rounding.
    """

    angle_degrees: NDArray[np.float64]
    larger: NDArray[np.float64]
    smaller: NDArray[np.float64]


def principal_axes(excerpt: Excerpt) -> Axes:
    """Return the principal axes of the (L, R) points of each window.

    Mid and side are L and R turned by 45 degrees, so the axes are found there: with the variances of m and s
    and their covariance c, the first axis lies at atan2(2c, var m - var s) / 2 from the mid direction.
    """
    return Axes(*map_stereo_windows(_axes, excerpt))


def _axes(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return angle, larger and smaller variance of each window, shape (3, n)."""
    # From the first sample on: an offset then leaves nothing behind, where a rounded mean would look like sound.
    left, right = left - left[:, :1], right - right[:, :1]
    mid, side = (left + right) / SQRT2, (right - left) / SQRT2
    mid = mid - mid.mean(axis=1, keepdims=True)
    side = side - side.mean(axis=1, keepdims=True)
    mid_variance, side_variance = (mid * mid).mean(axis=1), (side * side).mean(axis=1)
    covariance = (mid * side).mean(axis=1)
    half_difference = (mid_variance - side_variance) / 2
    larger = (mid_variance + side_variance) / 2 + np.hypot(half_difference, covariance)
    determinant = mid_variance * side_variance - covariance * covariance
    smaller = np.divide(determinant, larger, out=np.zeros_like(larger), where=larger > 0)
    smaller[smaller <= _NEGLIGIBLE * larger] = 0.0
    angle = np.degrees(np.arctan2(covariance, half_difference)) / 2
    return np.stack([fold_degrees(angle), larger, smaller])


def fold_degrees(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fold directions of a line, in degrees, into (-90, 90].

    >>> fold_degrees(np.array([-90.0, 90.0, -100.0, 135.0]))
    array([ 90.,  90.,  80., -45.])
    """
    return 90.0 - np.mod(90.0 - angle, 180.0)
