"""Standard deviation of the side signal in each window, the feature of the protocol ml2020."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.feature import Feature, Range
from stereokit.metrics.windows import windows_of


def _sequence(excerpt: Excerpt, extent: Range) -> NDArray[np.float64]:
    # Scaled only afterwards: sums of whole steps are exact, so a constant side has exactly no deviation.
    deviation = windows_of(excerpt.difference, excerpt.sample_rate).std(axis=1, dtype=np.float64)
    return np.asarray(deviation[:, None] * excerpt.side_scale)


FEATURE = Feature(
    summary="standard deviation of the side signal in each window",
    unit="full scale",
    sequence=_sequence,
    is_shape=True,
)
