"""Ratios of energies in decibels, finite whatever the sound."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Nothing that was recorded comes near: 24 bits reach 150 dB. Where one energy is zero the ratio stops here.
LIMIT_DB = 200.0


def ratio_db(numerator: ArrayLike, denominator: ArrayLike) -> NDArray[np.float64]:
    """Return 10 log10(numerator / denominator), clamped to ±200 dB.

    Parameters
    ----------
    numerator, denominator
        Energies or powers, 0 or more; shapes that broadcast.

    Returns
    -------
    ndarray
        NaN where both are zero: nothing compared with nothing is no ratio.

    >>> ratio_db([1.0, 0.0, 1.0], [100.0, 1.0, 0.0]).tolist()
    [-20.0, -200.0, 200.0]
    """
    above, below = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    # Two logarithms: the quotient of two floats can leave their range, its logarithm cannot.
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = 10.0 * (np.log10(above) - np.log10(below))
    return np.asarray(np.clip(difference, -LIMIT_DB, LIMIT_DB))


def energy_ratio_db(numerator: float, denominator: float) -> float | None:
    """Return ``ratio_db`` of two numbers, ten times faster; None where both are zero.

    >>> energy_ratio_db(1.0, 100.0), energy_ratio_db(1.0, 0.0), energy_ratio_db(0.0, 0.0)
    (-20.0, 200.0, None)
    """
    if not (numerator and denominator):
        return None if numerator == denominator else math.copysign(LIMIT_DB, numerator - denominator)
    difference = 10.0 * (math.log10(numerator) - math.log10(denominator))
    return min(max(difference, -LIMIT_DB), LIMIT_DB)


def number_or_none(value: float | np.float64) -> float | None:
    """Return a figure as a row keeps it: NaN, which nothing could define, becomes None."""
    return None if np.isnan(value) else float(value)
