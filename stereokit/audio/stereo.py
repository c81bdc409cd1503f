"""Left/right to mid/side, and back without loss."""

import numpy as np
from numpy.typing import NDArray

from stereokit.audio.clip import Clip


def mid_side(clip: Clip) -> NDArray[np.float64]:
    """Return mid = (L + R) / 2 and side = (L - R) / 2.

    Shape (2, T), full scale ±1. In float64, where the sum of two float32 is exact unless one is some 10^8 times the
    other: so ``left_right`` gives 16 and 24 bit sounds back bit for bit, others to 1 unit in the last place of the
    louder channel.

    >>> clip = Clip(np.array([[0.5, -1.0], [0.25, 1.0]], np.float32), 8000)
    >>> mid_side(clip).tolist()
    [[0.375, 0.0], [0.125, -1.0]]
    """
    left, right = clip.samples.astype(np.float64)
    return np.stack([left + right, left - right]) / 2.0


def left_right(mid_and_side: NDArray[np.float64], sample_rate: int) -> Clip:
    """Return the clip L = M + S, R = M - S of a (2, T) array of mid and side."""
    mid, side = mid_and_side
    return Clip(np.stack([mid + side, mid - side]).astype(np.float32), sample_rate)


def has_side(clip: Clip) -> bool:
    """Tell whether left and right differ anywhere."""
    return not np.array_equal(clip.samples[0], clip.samples[1])
