"""Regression angle: direction of the least-squares line of R on L through the origin."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.feature import Feature
from stereokit.metrics.principal import fold_degrees
from stereokit.metrics.windows import map_stereo_windows

_MID_DEGREES = 45.0


def _angle(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    left_power = (left * left).sum(axis=1)
    product = (left * right).sum(axis=1)
    line = np.degrees(np.arctan2(product, left_power))
    # Without left the slope is unbounded: the line is the R axis.
    line[(left_power == 0) & right.any(axis=1)] = 90.0
    angle = fold_degrees(line - _MID_DEGREES)
    angle[~(left.any(axis=1) | right.any(axis=1))] = 0.0
    return angle


def _sequence(excerpt: Excerpt) -> NDArray[np.float64]:
    return map_stereo_windows(_angle, excerpt)[:, None]


FEATURE = Feature(
    summary="direction of the line of R on L through the origin, from L = R",
    unit="degrees in (-90, 90], positive towards right",
    sequence=_sequence,
)
