"""Short-time side distance (STSD): the side distance of each 40 ms window."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.feature import Feature, Range
from stereokit.metrics.side import short_time_side_distance


def _sequence(excerpt: Excerpt, extent: Range) -> NDArray[np.float64]:
    return short_time_side_distance(excerpt, extent)[:, None]


FEATURE = Feature(
    summary="short-time side distance: how wide each 40 ms window is",
    unit="full scale",
    sequence=_sequence,
    takes_range=True,
    is_shape=True,
)
