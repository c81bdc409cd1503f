"""Standard deviation of the side signal in each window, the feature of the protocol ml2020."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.feature import Feature
from stereokit.metrics.windows import map_windows


def _sequence(excerpt: Excerpt) -> NDArray[np.float64]:
    # Scaled only afterwards: sums of whole steps are exact, so a constant side has exactly no deviation.
    deviation = map_windows(lambda windows: windows.std(axis=1, dtype=np.float64), excerpt, excerpt.difference)
    return deviation[:, None] * excerpt.side_scale


FEATURE = Feature(
    summary="standard deviation of the side signal in each window",
    unit="full scale",
    sequence=_sequence,
    can_be_shape=True,
)
