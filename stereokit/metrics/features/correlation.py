"""Correlation of left and right in each window."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.feature import Feature
from stereokit.metrics.windows import map_stereo_windows


def _correlation(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    sounding = left.any(axis=1) | right.any(axis=1)
    # A constant window is recognised by its samples: its mean need not be exact.
    left_constant = (left == left[:, :1]).all(axis=1)
    right_constant = (right == right[:, :1]).all(axis=1)
    left = left - left.mean(axis=1, keepdims=True)
    right = right - right.mean(axis=1, keepdims=True)
    power = np.sqrt((left * left).sum(axis=1) * (right * right).sum(axis=1))
    product = (left * right).sum(axis=1)
    result = np.divide(product, power, out=np.zeros_like(power), where=power > 0)
    result[left_constant | right_constant] = 0.0
    result[left_constant & right_constant & sounding] = 1.0
    return np.asarray(np.clip(result, -1.0, 1.0))


def _sequence(excerpt: Excerpt) -> NDArray[np.float64]:
    return map_stereo_windows(_correlation, excerpt)[:, None]


FEATURE = Feature(
    summary="correlation of left and right in each window",
    unit="-1 to 1",
    sequence=_sequence,
)
