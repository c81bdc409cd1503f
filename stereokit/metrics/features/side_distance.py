"""Side distance of the whole clip: one value."""

import numpy as np
from numpy.typing import NDArray

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.feature import Feature
from stereokit.metrics.side import side_distance


def _sequence(excerpt: Excerpt) -> NDArray[np.float64]:
    return np.array([[side_distance(excerpt)]])


def _full_range(excerpt: Excerpt) -> NDArray[np.float64]:
    return np.array([[side_distance(excerpt, is_full=True)]])


FEATURE = Feature(
    summary="side distance of the whole clip",
    unit="full scale",
    sequence=_sequence,
    full_range=_full_range,
)
