"""How much of a clip is error, in decibels: signal-to-noise ratio, and the same whatever the gain."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.decibels import LIMIT_DB, ratio_db

# Channels and samples of an array (n, channels, T).
_CLIP = (-2, -1)


def energy(signals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of squares of each of (n, channels, T), shape (n,)."""
    return np.asarray(np.square(signals).sum(axis=_CLIP))


def level_dbfs(signals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 20 log10 of the root mean square over channels and samples, shape (n,); full scale 1 is 0 dBFS.

    A full-scale sine has -3 dBFS; silence -200.
    """
    return ratio_db(energy(signals), np.full(len(signals), float(np.prod(signals.shape[1:]))))


def signal_to_noise_db(estimate: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return SNR(x, t) = 10 log10(|t|^2 / |t - x|^2), both channels in one norm.

    Reference: the instrument-transfer paper's equation 24. Unchanged by a gain or a turn of polarity common to both.

    Parameters
    ----------
    estimate, target
        Shape (n, channels, T) each.

    Returns
    -------
    ndarray
        Shape (n,), clamped to ±200 dB: 200 is an exact copy. NaN where both are silent.
    """
    return ratio_db(energy(target), energy(target - estimate))


def scale_invariant_db(estimate: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return SI-SDR(x, t) = 10 log10(|a t|^2 / |a t - x|^2) with a = <x, t> / |t|^2.

    Reference: Le Roux et al. 2019, SDR - half-baked or well done? There is one ``a`` for both channels, so a change
    of balance counts as an error; means are not removed. No gain or polarity of either changes it.

    Parameters
    ----------
    estimate, target
        Shape (n, channels, T) each.

    Returns
    -------
    ndarray
        Shape (n,), clamped to ±200 dB: -200 is an estimate without any of the target, a silent one too. NaN where the
        target is silent: nothing can be said about parts of it.
    """
    power = energy(target)
    product = np.asarray((estimate * target).sum(axis=_CLIP))
    scale = np.divide(product, power, out=np.full_like(power, np.nan), where=power > 0)
    explained = target * scale[:, None, None]
    # A silent estimate has an error of zero, yet it is no good one.
    return np.where(scale == 0, -LIMIT_DB, ratio_db(energy(explained), energy(explained - estimate)))
