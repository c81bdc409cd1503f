"""The loudness of a sound that comes in parts, in the memory of one of them."""

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.k_weighting import KWeighting
from stereokit.audio.levels import gated_loudness

# Filtered at once: a few thousand blocks.
_CHUNK = 1 << 16
_STRETCH_S = 0.100


class LoudnessMeter:
    """Measures what ``levels.loudness_lufs`` does of a clip.

    Where 400 ms are no four times 100 ms in samples, blocks begin up to a sample elsewhere, which moves the loudness by
    less than 0.01 LU.

    Parameters
    ----------
    sample_rate
        Hz.

    Attributes
    ----------
    frames
        Samples so far.
    """

    def __init__(self, sample_rate: int) -> None:
        self.frames = 0
        self._rate = sample_rate
        self._weighting = KWeighting(2, sample_rate)
        self._stretch = max(1, round(_STRETCH_S * sample_rate))
        self._held = np.zeros((2, 0), np.float32)
        # sums of whole stretches, and what belongs to the one that is not whole yet
        self._sums: list[NDArray[np.float64]] = []
        self._powers = np.zeros(0)

    def add(self, samples: NDArray[np.float32]) -> None:
        """Take the next part, shape (n, 2)."""
        self.frames += len(samples)
        self._held = np.concatenate([self._held, samples.T], axis=1)
        whole = self._held.shape[1] - self._held.shape[1] % KWeighting.BLOCK
        if whole >= _CHUNK:
            self._weigh(whole)

    def _weigh(self, count: int) -> None:
        part = self._weighting.weighted(self._held[:, :count])
        self._held = self._held[:, count:]
        powers = np.concatenate([self._powers, np.square(part).sum(axis=0)])
        stretches = len(powers) // self._stretch
        self._sums.append(powers[: stretches * self._stretch].reshape(stretches, self._stretch).sum(axis=1))
        self._powers = powers[stretches * self._stretch :]

    def loudness_lufs(self) -> float:
        """Return the integrated loudness of all parts, which are the last ones; -infinity for silence."""
        self._weigh(self._held.shape[1])
        sums = np.concatenate([np.zeros(0), *self._sums])

        def over(length: int, count: int) -> NDArray[np.float64]:
            if length == self._stretch:
                return sums[:count]
            # shorter than a block: all there is
            return np.array([sums.sum() + self._powers.sum()])

        # a rate of which 100 ms are so many samples
        return gated_loudness(self.frames, 10 * self._stretch, over)
