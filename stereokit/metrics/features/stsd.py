"""Short-time side distance (STSD): the side distance of each 40 ms window."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.feature import Feature
from stereokit.metrics.side import short_time_side_distance


def _sequence(excerpt: Excerpt) -> NDArray[np.float64]:
    return short_time_side_distance(excerpt)[:, None]


def _full_range(excerpt: Excerpt) -> NDArray[np.float64]:
    return short_time_side_distance(excerpt, is_full=True)[:, None]


FEATURE = Feature(
    summary="short-time side distance: how wide each 40 ms window is",
    unit="full scale",
    sequence=_sequence,
    full_range=_full_range,
    can_be_shape=True,
)
