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
    return ratio_db(energy(signals), float(np.prod(signals.shape[1:])))


class Levels:
    """SNR and SI-SDR of clips that are gone through twice.

    The gain at which the target comes nearest to the estimate is known only after all of the clip. Without a second
    look the error at that gain would be a small difference of large sums.

    Parameters
    ----------
    clips
        How many are compared side by side.
    """

    def __init__(self, clips: int) -> None:
        self._target, self._product, self._error, self._error_at_gain = (np.zeros(clips) for _ in range(4))
        self._values = 0

    def look(self, estimate: NDArray[np.float64], target: NDArray[np.float64]) -> None:
        """Take more samples, shape (n, channels, T) each."""
        self._values += int(np.prod(target.shape[1:]))
        self._target += energy(target)
        self._product += (estimate * target).sum(axis=_CLIP)
        self._error += energy(target - estimate)

    def look_again(self, estimate: NDArray[np.float64], target: NDArray[np.float64]) -> None:
        """Take the same samples again, after all of them."""
        self._error_at_gain += energy(target * self._gain()[:, None, None] - estimate)

    def target_dbfs(self) -> NDArray[np.float64]:
        """Return the level of the target, see ``level_dbfs``."""
        return ratio_db(self._target, float(self._values))

    def signal_to_noise_db(self) -> NDArray[np.float64]:
        """Return SNR(x, t) = 10 log10(|t|^2 / |t - x|^2), both channels in one norm.

        Reference: the instrument-transfer paper's equation 24. Unchanged by a gain or a turn of polarity common to
        both.

        Returns
        -------
        ndarray
            Shape (n,), clamped to ±200 dB: 200 is an exact copy. NaN where both are silent.
        """
        return ratio_db(self._target, self._error)

    def scale_invariant_db(self) -> NDArray[np.float64]:
        """Return SI-SDR(x, t) = 10 log10(|a t|^2 / |a t - x|^2) with a = <x, t> / |t|^2.

        Reference: Le Roux et al. 2019, SDR - half-baked or well done? There is one ``a`` for both channels, so a change
        of balance counts as an error; means are not removed. No gain or polarity of either changes it.

        Returns
        -------
        ndarray
            Shape (n,), clamped to ±200 dB: -200 is an estimate without any of the target, a silent one too. NaN where
            the target is silent: nothing can be said about parts of it.
        """
        gain = self._gain()
        ratio = ratio_db(np.square(gain) * self._target, self._error_at_gain)
        # A silent estimate has an error of zero, yet it is no good one.
        ratio = np.where(gain == 0, -LIMIT_DB, ratio)
        return np.where(self._target > 0, ratio, np.nan)

    def _gain(self) -> NDArray[np.float64]:
        return np.divide(self._product, self._target, out=np.zeros_like(self._target), where=self._target > 0)
